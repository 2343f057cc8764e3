"""What makes a private RabbitMQ node: its addresses, its files, and the environment that keeps it to them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from worker.demo.free_ports import free_ports

# Debian's wrapper in /usr/sbin drops the environment and wants root; this is what it wraps.
BIN = Path("/usr/lib/rabbitmq/bin")

ERL_CALL = Path("/usr/lib/erlang/bin/erl_call")


class RabbitMQError(RuntimeError):
    """The private node is not installed, did not start, or refused a command."""


@dataclass(frozen=True, slots=True)
class Node:
    """Ports, Erlang cookie, and the running node whose cluster it is to join."""

    port: int
    dist_port: int
    epmd_port: int
    cookie: str
    peer: str | None = None

    @classmethod
    def new(cls, peer: Node | None = None) -> Self:
        port, dist_port, epmd_port = free_ports(3)
        if peer is not None:
            return cls(port, dist_port, peer.epmd_port, peer.cookie, peer.name)
        return cls(port, dist_port, epmd_port, secrets.token_hex(16))

    @property
    def name(self) -> str:
        return f"fiscal{self.port}@localhost"

    def write(self, folder: Path, config: Sequence[str], plugins: Sequence[str]) -> None:
        """Its files; ``config`` are further lines of ``rabbitmq.conf``."""
        cookie = folder / ".erlang.cookie"
        cookie.write_text(self.cookie)
        cookie.chmod(0o400)
        (folder / "rabbitmq.conf").write_text("\n".join([*self._settings(folder), *config, ""]))
        (folder / "enabled_plugins").write_text(f"[{','.join(plugins)}].\n")

    def _settings(self, folder: Path) -> Iterator[str]:
        yield f"listeners.tcp.1 = 127.0.0.1:{self.port}"
        yield "log.console.level = warning"
        yield f"log.file = {folder}/rabbitmq.log"
        yield "disk_free_limit.absolute = 50MB"
        if self.peer is not None:
            yield "cluster_formation.peer_discovery_backend = classic_config"
            yield f"cluster_formation.classic_config.nodes.1 = {self.peer}"
            yield f"cluster_formation.classic_config.nodes.2 = {self.name}"

    def environment(self, folder: Path) -> dict[str, str]:
        """For the node itself and for every command to it."""
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C.UTF-8",
            "HOME": str(folder),
            "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_DIST_PORT": str(self.dist_port),
            "RABBITMQ_CTL_DIST_PORT_MIN": "0",
            "RABBITMQ_CTL_DIST_PORT_MAX": "0",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_CONFIG_FILES": str(folder / "conf.d"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
            "RABBITMQ_FEATURE_FLAGS_FILE": str(folder / "feature_flags"),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder),
            "RABBITMQ_PID_FILE": str(folder / "rabbitmq.pid_file"),
            # With it the launcher becomes the VM, so that its pid is the one to kill.
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-noinput +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}"
            ),
        }
