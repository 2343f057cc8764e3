"""`publish --wait` with a running worker: each outcome, and no wait without end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pika
import pytest

from tests.builders import LEFT_OUT, a_body
from tests.cli.commands import invoke, start
from tests.system.shop import CONTRACT, Shop
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.demo.sandbox_process import SandboxProcess
from worker.demo.worker_process import WorkerProcess
from worker.rabbit.topology import EVENTS_EXCHANGE


@pytest.fixture(scope="module")
def shop(rabbitmq: PrivateRabbitMQ, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One worker for all tests of the module."""
    vhost = rabbitmq.new_vhost()
    integrations = CONTRACT / "integrations.yaml"
    with SandboxProcess(integrations=integrations, options={"done_after": 0.3}) as sandbox:
        environment = {
            "FISCAL_RABBITMQ_URL": vhost.url,
            "FISCAL_CHECKBOX_URL": sandbox.url,
            "FISCAL_INTEGRATIONS_FILE": str(integrations),
        }
        with WorkerProcess(environment, tmp_path_factory.mktemp("publish") / "worker.log") as worker:
            one = Shop(vhost, sandbox, worker)
            yield one
            one.close()
    vhost.delete()


@pytest.fixture
def order(tmp_path: Path) -> Callable[..., str]:
    """Writes an order to a file; the file's name."""

    def write(name: str, **changes: Any) -> str:
        uuid = str(uuid4())
        file = tmp_path / name
        file.write_bytes(a_body(**{"id": uuid, "subject": uuid, "data__order__uuid": uuid, **changes}))
        return str(file)

    return write


def published(shop: Shop, *arguments: str) -> tuple[int, dict[str, dict[str, Any]], str]:
    """The exit code, the lines by the files' names, and stderr."""
    done = invoke(shop.vhost.url, "publish", "--wait", "--json", *arguments)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return done.exit_code, {Path(line["file"]).name: line for line in lines}, done.stderr


def test_each_outcome_is_shown(shop: Shop, order: Callable[..., str]) -> None:
    """As its event comes, which is in the line as a whole."""
    files = (
        order("sound.json"),
        order("broken.json", data__cashier="nobody"),
        order("nameless.json", id=LEFT_OUT),
    )
    code, lines, said = published(shop, *files)
    assert code == 1
    assert {name: (line["outcome"], line["code"]) for name, line in lines.items()} == {
        "sound.json": ("succeeded", None),
        "broken.json": ("failed", "UNKNOWN_CASHIER"),
        "nameless.json": ("waiting", None),
    }
    sound = lines["sound.json"]
    assert sound["event"]["data"]["requestId"] == sound["requestId"]
    assert sound["event"]["data"]["receipt"]["fiscalCode"]
    assert lines["nameless.json"]["requestId"] is None
    assert "nameless.json: without an id" in said


def test_all_succeeded_is_success(shop: Shop, order: Callable[..., str]) -> None:
    """Also where a message comes twice: one event may answer both."""
    file = order("sound.json")
    done = invoke(shop.vhost.url, "publish", "--wait", file, file)
    assert done.exit_code == 0
    assert done.stdout.count("Order fiscalized") == 2
    assert "Order fiscalized" in done.stdout


def test_what_is_no_event_of_ours_is_passed_by(shop: Shop, order: Callable[..., str]) -> None:
    """Whoever may publish to the exchange may publish anything."""
    file = order("sound.json")
    message = json.loads(Path(file).read_bytes())
    names = {"requestId": message["id"], "requestSource": message["source"]}
    strangers: list[Any] = [[], {"data": None}]
    strangers += [{"data": names | {"requestId": one}} for one in ([message["id"]], {"id": 1})]
    strangers += [{"data": names} | one for one in ({}, {"type": 5}, {"type": "succeeded"})]
    strangers.append({"type": "some.delayed.v1", "data": names | {"receipt": ["x"], "message": "x"}})
    bodies = [b"{", b"[" * 100_000, *(json.dumps(one).encode() for one in strangers)]
    url = pika.URLParameters(shop.vhost.url)
    with (
        pika.BlockingConnection(url) as connection,
        start(shop.vhost.url, "publish", "--wait", file) as waits,
    ):
        channel = connection.channel()
        while waits.poll() is None:
            for body in bodies:
                channel.basic_publish(EVENTS_EXCHANGE, "fiscalization.succeeded", body)
            connection.sleep(0.05)
        assert waits.returncode == 0, waits.communicate()


def test_what_still_waits_is_shown_at_the_end(shop: Shop, order: Callable[..., str]) -> None:
    """With the code of the fault that it was rescheduled for."""
    shop.sandbox.fault("html_503", endpoint="POST /receipts/sell")
    code, lines, _ = published(shop, order("late.json"), "--for", "PT3S")
    assert code == 1
    assert (lines["late.json"]["outcome"], lines["late.json"]["code"]) == ("waiting", "CHECKBOX_UNAVAILABLE")
    assert lines["late.json"]["event"]["type"] == "ua.bimp.fiscalization.delayed.v1"


def test_a_time_without_a_wait_is_wrong_usage(shop: Shop, order: Callable[..., str]) -> None:
    """Nothing is published."""
    assert invoke(shop.vhost.url, "publish", "--for", "PT3S", order("sound.json")).exit_code == 2
