"""A worker, a broker and the sandbox, each a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system.shop import CONTRACT, Shop
from worker.demo.sandbox_process import SandboxProcess
from worker.demo.vhost import VirtualHost
from worker.demo.worker_process import WorkerProcess


@pytest.fixture
def shop_sandbox() -> Iterator[SandboxProcess]:
    """The sandbox with the cashiers of the contract's examples; receipts are DONE after half a second."""
    with SandboxProcess(integrations=CONTRACT / "integrations.yaml", options={"done_after": 0.5}) as sandbox:
        yield sandbox


@pytest.fixture
def shop(vhost: VirtualHost, shop_sandbox: SandboxProcess, tmp_path: Path) -> Iterator[Callable[..., Shop]]:
    """`shop(FISCAL_…=…)` starts a worker on an empty virtual host and gives what Bimp and operators see.

    With `wait=False` it may not consume yet.
    """
    started: list[Shop] = []

    def start(*, wait: bool = True, **environment: str) -> Shop:
        worker = WorkerProcess(
            {
                "FISCAL_RABBITMQ_URL": vhost.url,
                "FISCAL_CHECKBOX_URL": shop_sandbox.url,
                "FISCAL_INTEGRATIONS_FILE": str(CONTRACT / "integrations.yaml"),
                "FISCAL_RETRY_MIN_BACKOFF": "PT0.2S",
                "FISCAL_RETRY_MAX_BACKOFF": "PT1S",
                "FISCAL_REGISTER_RATE": "100",
                **environment,
            },
            tmp_path / f"worker-{len(started)}.log",
        )
        started.append(Shop(vhost, shop_sandbox, worker))
        worker.start(wait)
        return started[-1]

    yield start
    for one in started:
        one.close()
