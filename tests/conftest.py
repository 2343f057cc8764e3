"""What tests stand on: a clean environment, one private RabbitMQ a run, the sandbox, patience."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pika
import pytest
from hypothesis import settings

from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.demo.sandbox_process import SandboxProcess
from worker.demo.vhost import VirtualHost
from worker.rabbit.topology import (
    CONTROL_EXCHANGE,
    DEAD_LETTERS,
    EVENTS_EXCHANGE,
    EVENTS_QUEUE,
    ORDERS_EXCHANGE,
    Topology,
)

T = TypeVar("T")

#: A broker that is there already, for tests that only speak AMQP; read before the environment is cleaned.
EXTERNAL_BROKER = os.environ.get("FISCAL_RABBITMQ_URL")

#: Whose tests wait for processes, the slowest first.
_SLOW = [
    Path(__file__).parent / name for name in ("system", "docs", "console", "cli", "telemetry", "journal")
]

#: Seconds that a test waits for a condition: on a busy machine it is late, and a test is no measurement.
PATIENCE = 120.0

settings.register_profile("developer", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "developer")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--sandbox-option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an option of every sandbox that the tests start; see tests/sandbox/assumptions.py",
    )


def pytest_configure(config: pytest.Config) -> None:
    SandboxProcess.defaults = dict(text.split("=", 1) for text in config.getoption("--sandbox-option"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Deal the modules out to the workers of xdist, each of which takes an equal part from the front.

    Tests that wait for processes are begun first: what is left at the end is quick, and is shared out easily.
    """
    modules: dict[Path, list[pytest.Item]] = {}
    for item in items:
        modules.setdefault(item.path, []).append(item)
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    slow = [path for folder in _SLOW for path in modules if path.is_relative_to(folder)]
    hands = [slow[worker::workers] for worker in range(workers)]
    sizes = [sum(len(modules[path]) for path in hand) for hand in hands]
    for path in sorted(modules.keys() - set(slow), key=lambda path: (-len(modules[path]), path)):
        smallest = sizes.index(min(sizes))
        hands[smallest].append(path)
        sizes[smallest] += len(modules[path])
    items[:] = [item for hand in hands for path in hand for item in modules[path]]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No FISCAL_* variable and no .env file reaches a test: it works in an empty folder."""
    for name in [name for name in os.environ if name.startswith("FISCAL_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[PrivateRabbitMQ]:
    """The run's own broker, started by the first test that asks for it. One that breaks it, mends it."""
    with PrivateRabbitMQ() as node:
        yield node


@pytest.fixture
def vhost(rabbitmq: PrivateRabbitMQ) -> Iterator[VirtualHost]:
    """An empty virtual host on the run's own broker, with a look at its queues; removed after the test."""
    rabbitmq.start()
    vhost = rabbitmq.new_vhost()
    yield vhost
    rabbitmq.start()
    vhost.delete()


@pytest.fixture
def amqp_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Address of an empty virtual host; on the broker of FISCAL_RABBITMQ_URL where that is set."""
    if EXTERNAL_BROKER is None:
        yield request.getfixturevalue("vhost").url
        return
    with _emptied(EXTERNAL_BROKER):
        yield EXTERNAL_BROKER


@pytest.fixture
def sandbox() -> Iterator[SandboxProcess]:
    """A stand-in for Checkbox in a process of its own, with nothing in its ledger."""
    from worker.demo.sandbox_process import SandboxProcess

    with SandboxProcess() as process:
        yield process


@pytest.fixture
def eventually() -> Callable[..., object]:
    """`eventually(condition)` waits until the condition gives something true, and returns it."""
    return _eventually


def _eventually(condition: Callable[[], T], timeout: float = PATIENCE) -> T:
    deadline = time.monotonic() + timeout
    while not (result := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {timeout} s; the last answer was {result!r}")
        time.sleep(0.02)
    return result


@contextlib.contextmanager
def _emptied(url: str) -> Iterator[None]:
    """Removes what the contract names, before and after; only in a virtual host that says it is for tests."""
    parameters = pika.URLParameters(url)
    if "test" not in parameters.virtual_host:
        pytest.fail(
            "FISCAL_RABBITMQ_URL: tests delete queues, so its virtual host must have `test` in its name"
        )
    _remove_topology(parameters)
    yield
    _remove_topology(parameters)


def _remove_topology(parameters: pika.URLParameters) -> None:
    topology = Topology()
    queues = [*topology.consumed, f"{topology.queue}.bindings", DEAD_LETTERS, EVENTS_QUEUE]
    with pika.BlockingConnection(parameters) as connection:
        channel = connection.channel()
        for queue in queues:
            for suffix in ("", ".DQ", ".XQ"):
                channel.queue_delete(queue + suffix)
        for exchange in (ORDERS_EXCHANGE, EVENTS_EXCHANGE, CONTROL_EXCHANGE):
            channel.exchange_delete(exchange)
