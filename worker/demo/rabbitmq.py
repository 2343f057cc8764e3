"""A private RabbitMQ: the operating system's package, run as a private node that ends with its owner.

The demo, the tests and the chaos runs need a broker that they may stop, kill and freeze. The node has its own
folder, ports, Erlang cookie and epmd, listens on loopback only, needs no root, and several may run at once.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from worker.demo.guarded_folder import GuardedFolder
from worker.demo.rabbitmq_node import BIN, ERL_CALL, Node, RabbitMQError
from worker.demo.vhost import QueueDepth, VirtualHost

_START_TIMEOUT = 120.0
_STOP_TIMEOUT = 30.0

# A failure inside erl_call's own evaluation is silent: the outcome is the last line that is printed.
_EVALUATE = """
try {expressions} of
    _ -> io:format("~ndone")
catch
    Class:Reason -> io:format("~n~0p", [{{Class, Reason}}])
end.
"""


class PrivateRabbitMQ:
    """One node; as a context manager it is started, and at the end killed and its folder removed.

    ``config`` are lines of ``rabbitmq.conf`` (``frame_max``, ``consumer_timeout``, ``listeners.ssl.1`` …);
    ``plugins`` are enabled; with ``peer`` the node joins that running node's cluster at its first start.
    """

    def __init__(
        self,
        config: Sequence[str] = (),
        *,
        plugins: Sequence[str] = (),
        peer: PrivateRabbitMQ | None = None,
    ) -> None:
        self.node: Node = Node.new(peer.node if peer else None)
        self.port = self.node.port
        self.name = self.node.name
        self._config = tuple(config)
        self._plugins = tuple(plugins)
        self._guarded: GuardedFolder | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """AMQP address of the node's default virtual host."""
        return self._url("/")

    def _url(self, vhost: str) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}/{quote(vhost, safe='')}"

    @property
    def folder(self) -> Path:
        """Where data, log and configuration are. Raises RabbitMQError before the first start."""
        if self._guarded is None:
            raise RabbitMQError("the private RabbitMQ was not started")
        return self._guarded.path

    @property
    def pid(self) -> int:
        """Process id of the Erlang VM. Raises RabbitMQError when the node is down."""
        if self._process is None:
            raise RabbitMQError("the private RabbitMQ is not running")
        return self._process.pid

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:  # no node is left running, whatever happened
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start the node, or start it again on the same data and port; returns when it takes connections."""
        if self._process is not None and self._process.poll() is None:
            return
        if self._guarded is None:
            self._guarded = self._prepare()
        self._process = self._guarded.launch("node", [str(BIN / "rabbitmq-server")], self._environment)
        self._wait_until_ready(self._process)

    def stop(self) -> None:
        """End the node in order (SIGTERM); `start` brings it back with its data."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the node as a power cut would (SIGKILL); `start` brings it back with what was on disk."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop the node's clock (SIGSTOP): connections stay open and nothing is answered until `thaw`."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen node go on."""
        os.kill(self.pid, signal.SIGCONT)

    def close(self) -> None:
        """Kill the node and remove its folder; nothing is left behind."""
        self.kill()
        if self._guarded is not None:
            self._guarded.close()
        self._guarded = None

    def stop_app(self) -> None:
        """Stop the broker inside the running VM: connections are closed and refused until `start_app`."""
        self.ctl("stop_app")

    def start_app(self) -> None:
        """Start the broker inside the running VM again."""
        self.ctl("start_app")

    def close_all_connections(self) -> None:
        """Cut every client off as an operator would; clients may come back at once."""
        self.ctl("close_all_connections", "chaos")

    def set_memory_watermark(self, watermark: str = "0.4") -> None:
        """Raise the memory alarm, which blocks publishers (``"0"``), or lift it (a share of memory)."""
        self.ctl("set_vm_memory_high_watermark", watermark)

    def flush(self) -> None:
        """Have the node write its list of quorum queues, so that a `kill` costs nothing confirmed.

        RabbitMQ 3.10 writes it a second late: a queue killed younger than that came back without its
        confirmed messages and without a leader (5 of 5 times; flushed, never).
        """
        self.evaluate("[ok = dets:sync(Table) || Table <- dets:all()]")

    def ctl(self, *arguments: str) -> str:
        """Output of ``rabbitmqctl``; about half a second. Raises RabbitMQError with its words."""
        return self._run([str(BIN / "rabbitmqctl"), "--quiet", "--node", self.name, *arguments])

    def evaluate(self, expressions: str) -> str:
        """What Erlang expressions print on the node; some milliseconds, where `ctl` starts a VM each time."""
        command = [str(ERL_CALL), "-address", f"127.0.0.1:{self.node.dist_port}", "-r", "-timeout", "30"]
        text = _EVALUATE.format(expressions=expressions.strip())
        printed = self._call([*command, "-e", "-fetch_stdout", "-no_result_term"], text)
        output, _, outcome = printed.rpartition("\n")
        if outcome != "done":
            raise RabbitMQError(f"the private RabbitMQ did not evaluate {expressions!r}: {outcome}")
        return output

    def _call(self, command: Sequence[str], text: str) -> str:
        try:
            return self._run(command, text)
        except RabbitMQError as error:
            if "failed to connect" not in str(error):
                raise
        # A node that is busy may not take the connection at once; nothing was evaluated then.
        time.sleep(0.5)
        return self._run(command, text)

    def queues(self) -> dict[str, QueueDepth]:
        """Queues of the default virtual host by name, with exact figures."""
        return VirtualHost("/", self.url, self.evaluate).queues()

    def new_vhost(self) -> VirtualHost:
        """A new, empty virtual host that ``guest`` may use."""
        name = f"test-{secrets.token_hex(6)}"
        vhost = VirtualHost(name, self._url(name), self.evaluate)
        vhost.create()
        return vhost

    def log(self) -> str:
        """What the node has logged so far, over all its starts."""
        return self._guarded.log() if self._guarded else ""

    def _prepare(self) -> GuardedFolder:
        if not (BIN / "rabbitmq-server").exists() or not ERL_CALL.exists():
            raise RabbitMQError(
                "RabbitMQ is not installed: run `make install`, or as root `apt-get install rabbitmq-server`"
            )
        self._guarded = GuardedFolder("fiscal-rabbitmq-")
        self.node.write(self.folder, self._config, self._plugins)
        if self.node.peer is None:
            self._guarded.launch("epmd", ["epmd"], self._environment)
        return self._guarded

    @property
    def _environment(self) -> dict[str, str]:
        return self.node.environment(self.folder)

    def _wait_until_ready(self, node: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_TIMEOUT
        while not self._answers():
            if node.poll() is not None or time.monotonic() > deadline:
                lines = self.log().splitlines()
                self.kill()
                # What is wrong comes first; then the VM writes pages of its own collapse.
                errors = "\n".join([line for line in lines if "[error]" in line][:20] or lines[-20:])
                raise RabbitMQError(f"the private RabbitMQ did not start:\n{errors}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as probe:
            probe.sendall(b"AMQP\x00\x00\x09\x01")
            return probe.recv(1) == b"\x01"
        return False

    def _end(self, how: signal.Signals) -> None:
        if self._process is None or self._guarded is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._guarded.forget("node")
        self._process = None

    def _run(self, command: Sequence[str], text: str = "") -> str:
        done = subprocess.run(
            command,
            input=text,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        if done.returncode:
            raise RabbitMQError(f"{Path(command[0]).name}: {(done.stderr or done.stdout).strip()}")
        return done.stdout
