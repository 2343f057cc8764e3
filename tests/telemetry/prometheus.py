"""A real Prometheus, and the reading of a metrics page."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2
import yaml

from worker.demo.free_ports import free_ports
from worker.demo.guarded_folder import GuardedFolder

_STARTS_WITHIN = 30.0
_SAMPLE = re.compile(r"^(\w+(?:\{.*\})?) (\S+)$", re.MULTILINE)


def samples(page: str) -> dict[str, float]:
    """The samples of a metrics page by series."""
    return {series: float(value) for series, value in _SAMPLE.findall(page)}


class Prometheus:
    """Scrapes workers twice a second and evaluates the rules each second, from ``with`` to its end."""

    def __init__(self, targets: Mapping[str, int], rules: Path) -> None:
        """``targets``: ports on this machine by the ``instance`` that they shall be called."""
        self._targets = targets
        self._rules = rules
        self._port = free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self._port}"
        # One for all: each client reads the authorities for TLS anew.
        self._client = httpx2.Client(base_url=self.url, timeout=10, trust_env=False)

    def __enter__(self) -> Self:
        self._folder = folder = GuardedFolder("fiscal-prometheus-")
        config = {
            "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "1s"},
            "rule_files": [str(self._rules)],
            "scrape_configs": [
                {
                    "job_name": "bimp/fiscal-worker",
                    "static_configs": [
                        {
                            "targets": [f"127.0.0.1:{port}"],
                            "labels": {"namespace": "bimp", "instance": name},
                        }
                        for name, port in self._targets.items()
                    ],
                }
            ],
        }
        (folder.path / "prometheus.yml").write_text(yaml.safe_dump(config))
        folder.launch(
            "prometheus",
            [
                "prometheus",
                "--config.file=prometheus.yml",
                "--storage.tsdb.path=data",
                f"--web.listen-address=127.0.0.1:{self._port}",
                "--log.level=warn",
            ],
            os.environ,
        )
        give_up_at = time.monotonic() + _STARTS_WITHIN
        while not self._is_ready():
            if time.monotonic() > give_up_at:
                raise RuntimeError(f"Prometheus did not start: {folder.log()}")
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()
        self._folder.close()

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an instant query, each with ``metric`` and ``value``; raises on a wrong query."""
        found: list[dict[str, Any]] = self._get("/api/v1/query", query=expression)["result"]
        return found

    def value(self, expression: str) -> float | None:
        """The one value of a query; None where there is none."""
        found = self.query(expression)
        assert len(found) <= 1, found
        return float(found[0]["value"][1]) if found else None

    def rules(self) -> list[dict[str, Any]]:
        """The rules as Prometheus knows them, with ``health`` and ``lastError``."""
        return [rule for group in self._get("/api/v1/rules")["groups"] for rule in group["rules"]]

    def _get(self, path: str, **parameters: str) -> Any:
        answer = self._client.get(path, params=parameters)
        found = answer.json()
        if found["status"] != "success":
            raise ValueError(f"{parameters}: {found['error']}")
        return found["data"]

    def _is_ready(self) -> bool:
        try:
            return self._client.get("/-/ready").status_code == 200
        except httpx2.TransportError:
            return False
