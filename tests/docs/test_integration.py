"""docs/integration.md: its message is fiscalized, its snippets publish, its table has every code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pika
import pytest
from jsonschema import Draft202012Validator

from tests.builders import LEFT_OUT, a_message
from tests.system.shop import CONTRACT, Shop
from worker.demo.free_ports import free_ports
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.demo.sandbox_process import SandboxProcess
from worker.demo.vhost import VirtualHost
from worker.demo.worker_process import WorkerProcess
from worker.fiscal.outcomes import Code
from worker.rabbit.topology import EVENTS_EXCHANGE

PAGE = (Path(__file__).parents[2] / "docs" / "integration.md").read_text()
SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
CLIENT = Path(__file__).parents[1] / "client"
BLOCKS: list[tuple[str, str]] = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)
ORDER = next(text for language, text in BLOCKS if language == "json")
REQUEST_ID = json.loads(ORDER)["id"]
Client = Callable[..., list[dict[str, Any]]]


def block(language: str, beginning: str) -> str:
    """The block that begins so."""
    return next(text for name, text in BLOCKS if name == language and text.startswith(beginning))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A broker with its management plugin, as the shell's snippet needs it, and a worker."""
    (port,) = free_ports(1)
    config = ("management.tcp.ip = 127.0.0.1", f"management.tcp.port = {port}")
    folder = tmp_path_factory.mktemp("integration")
    (folder / ".rabbitmqadmin.conf").write_text(f"[default]\nport = {port}\n")
    (folder / "order.json").write_text(ORDER)
    integrations = CONTRACT / "integrations.yaml"
    with (
        PrivateRabbitMQ(plugins=("rabbitmq_management",), config=config) as node,
        SandboxProcess(integrations=integrations, options={"done_after": 0.2}) as sandbox,
    ):
        environment = {
            "FISCAL_RABBITMQ_URL": node.url,
            "FISCAL_CHECKBOX_URL": sandbox.url,
            "FISCAL_INTEGRATIONS_FILE": str(integrations),
        }
        with WorkerProcess(environment, folder / "worker.log") as worker:
            one = Shop(VirtualHost("/", node.url, node.evaluate), sandbox, worker)
            yield one
            one.close()


@pytest.mark.parametrize(
    ("command", "snippet"),
    [
        ([sys.executable, "-c"], block("python", "import json\nimport os\nimport pathlib")),
        (["bash", "-euc"], block("sh", "rabbitmqadmin")),
        (["bash", "-euc"], block("sh", "fiscal-worker publish")),
    ],
    ids=["python", "rabbitmqadmin", "fiscal-worker"],
)
def test_a_snippet_publishes(shop: Shop, command: list[str], snippet: str) -> None:
    """The page's own message, as it stands: it is fiscalized, and the snippet reports success."""
    shop.events.clear()
    folder = shop.worker.log.parent
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"AMQP_URL": shop.vhost.url, "HOME": str(folder), "PATH": programs, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [*command, snippet],
        cwd=folder,
        env={**shop.environment, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (event,) = shop.until(lambda: shop.events_of(REQUEST_ID, "succeeded"))
    assert event["data"]["receipt"]["fiscalCode"]


def test_the_snippet_that_listens(shop: Shop) -> None:
    """It tells an event of the page's own order once, though that comes twice."""
    shop.look()
    event = json.loads(block("json", '{\n  "specversion": "1.0",\n  "type": "ua.bimp.fiscalization'))
    with pika.BlockingConnection(pika.URLParameters(shop.vhost.url)) as connection:
        for one in (event, event, {**event, "id": "another"}):
            body = json.dumps(one)
            connection.channel().basic_publish(EVENTS_EXCHANGE, "fiscalization.succeeded", body)
    command = [sys.executable, "-c", block("python", "import json\nimport os\n\nimport pika")]
    environment = {**os.environ, "AMQP_URL": shop.vhost.url, "PYTHONIOENCODING": "utf-8"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as listening:
        assert listening.stdout is not None
        told = [listening.stdout.readline() for _ in range(2)]
        listening.kill()
    assert told == [f"{event['type']} {REQUEST_ID} Замовлення фіскалізовано\n"] * 2


def test_validate_accepts_the_message(shop: Shop) -> None:
    """The command of the page's first lines."""
    folder = shop.worker.log.parent
    done = subprocess.run(
        [sys.executable, "-m", "worker", *block("sh", "fiscal-worker validate").split()[1:]],
        cwd=folder,
        env={**os.environ, **shop.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_code_has_its_line() -> None:
    """One that others add is not forgotten here."""
    table = PAGE.partition("### What each code asks")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert sorted(code for row in rows for code in re.findall(r"`(\w+)`", row)) == sorted(Code)


def test_what_is_shown_fits_its_schema() -> None:
    """The message and the event are whole, every other piece of JSON is at least that."""
    for document in [json.loads(text) for language, text in BLOCKS if language == "json"]:
        if "specversion" in document:
            name = document["type"].removeprefix("ua.bimp.").removesuffix(".v1").replace(".", "_")
            schema = json.loads((SCHEMAS / f"{name}.json").read_text())
            Draft202012Validator(schema).validate(document)


@pytest.fixture(scope="module")
def client(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Client:
    """tests/client, built; what it prints of each request, once for whatever is new of it."""
    folder = tmp_path_factory.mktemp("client")
    # Debian's Go with Debian's packages, and nothing of a developer's own.
    ways = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": str(folder), "GOFLAGS": ""}
    build = ["go", "build", "-o", str(folder / "bimp"), "bimp.go"]
    built = subprocess.run(
        build, cwd=CLIENT, env={**os.environ, **ways}, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr

    def heard(*messages: dict[str, Any]) -> list[dict[str, Any]]:
        files = [folder / f"{number}.json" for number in range(len(messages))]
        for file, message in zip(files, messages, strict=True):
            file.write_text(json.dumps(message))
        done = subprocess.run(
            [str(folder / "bimp"), *map(str, files)],
            env={**os.environ, "AMQP_URL": shop.vhost.url},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return [line for line in lines if line["requestId"].startswith("client-")]

    return heard


def test_a_client_in_another_language_sells_and_returns(client: Client) -> None:
    """It knows the page alone. A repeated message is one event for it, a return waits for its sale."""
    sale = a_message(id="client-sale", subject=LEFT_OUT, data__order__uuid=str(uuid4()))
    again = {**sale, "id": "client-again"}
    back = a_message(id="client-return", subject=LEFT_OUT, data__order__uuid=str(uuid4()))
    back["data"] |= {"operation": "RETURN", "returnOf": {"orderUuid": sale["data"]["order"]["uuid"]}}
    wrong = a_message(id="client-wrong", data__order__archived=LEFT_OUT)
    printed = client(back, sale, sale, wrong)
    lines = {line["requestId"]: line for line in printed}
    assert len(lines) == len(printed)
    assert {name: line["outcome"] for name, line in lines.items()} == {
        "client-sale": "succeeded",
        "client-return": "succeeded",
        "client-wrong": "failed",
    }
    assert lines["client-wrong"]["code"] == "INVALID_MESSAGE"
    assert lines["client-wrong"]["receiptMade"] is None
    assert lines["client-return"]["fiscalCodes"] != lines["client-sale"]["fiscalCodes"]
    assert lines["client-sale"]["message"] == "Замовлення фіскалізовано"
    (line,) = client(again)
    assert line["code"] == "RECEIPT_RETURNED"


def test_for_the_client_success_is_final_and_an_event_counts_once(shop: Shop, client: Client) -> None:
    """What a crash or a replay brings: twice the same, and a failure beside a success."""
    told = [
        json.loads((CONTRACT / "events" / f"{name}.json").read_text()) for name in ("failed", "succeeded")
    ]
    failed, succeeded = ({**event, "data": {**event["data"], "requestId": "client-old"}} for event in told)
    late = {**failed, "id": "another"}
    with pika.BlockingConnection(pika.URLParameters(shop.vhost.url)) as connection:
        for event in (failed, failed, succeeded, succeeded, late):
            key = f"fiscalization.{event['type'].split('.')[-2]}"
            connection.channel().basic_publish(EVENTS_EXCHANGE, key, json.dumps(event))
    printed = client(a_message(id="client-new", subject=LEFT_OUT, data__order__uuid=str(uuid4())))
    assert [(line["requestId"], line["outcome"]) for line in printed] == [
        ("client-old", "failed"),
        ("client-old", "succeeded"),
        ("client-new", "succeeded"),
    ]


def test_the_client_takes_a_prepayment_in_parts_and_returns_it(client: Client) -> None:
    """The page's examples, one after the other."""
    steps = sorted((CONTRACT / "prepayment").glob("[0-9].*.json"))
    lines = []
    for number, step in enumerate(steps):
        lines += client({**json.loads(step.read_text()), "id": f"client-part-{number}"})
    assert [line["outcome"] for line in lines] == ["succeeded"] * len(steps)
    assert [line["prepayment"]["Left"] for line in lines] == ["11500.00", "10000.00", "0.00", "0.00"]
    assert [len(line["fiscalCodes"]) for line in lines] == [1, 1, 1, 3]
