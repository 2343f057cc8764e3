"""docs/integration.md: its message is fiscalized, its snippets publish, its table has every code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.builders import LEFT_OUT, a_message
from tests.system.shop import CONTRACT, Shop
from worker.demo.free_ports import free_ports
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.demo.sandbox_process import SandboxProcess
from worker.demo.vhost import VirtualHost
from worker.demo.worker_process import WorkerProcess
from worker.fiscal.outcomes import Code

PAGE = (Path(__file__).parents[2] / "docs" / "integration.md").read_text()
CLIENT = Path(__file__).parents[1] / "client"
BLOCKS: list[tuple[str, str]] = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)
ORDER = next(text for language, text in BLOCKS if language == "json")
REQUEST_ID = json.loads(ORDER)["id"]


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
        ([sys.executable, "-c"], block("python", "import json")),
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


def test_every_fragment_of_json_is_json() -> None:
    """A comma too many would cost its reader minutes."""
    for language, text in BLOCKS:
        if language == "json":
            json.loads(text)


@pytest.mark.skipif(not (CLIENT / "node_modules").exists(), reason="npm is not installed")
def test_a_client_in_another_language_sells_and_returns(shop: Shop, tmp_path: Path) -> None:
    """It knows the page alone. A repeated message is one event for it, a return waits for its sale."""
    sale = a_message(id="client-sale", subject=LEFT_OUT, data__order__uuid=str(uuid4()))
    again = {**sale, "id": "client-again"}
    back = a_message(id="client-return", subject=LEFT_OUT, data__order__uuid=str(uuid4()))
    back["data"] |= {"operation": "RETURN", "returnOf": {"orderUuid": sale["data"]["order"]["uuid"]}}
    wrong = a_message(id="client-wrong", data__order__archived=LEFT_OUT)
    lines = heard_by_client(shop, tmp_path, back, sale, sale, wrong)
    assert {name: line["outcome"] for name, line in lines.items()} == {
        "client-sale": "succeeded",
        "client-return": "succeeded",
        "client-wrong": "failed",
    }
    assert lines["client-wrong"]["code"] == "INVALID_MESSAGE"
    assert lines["client-wrong"]["receiptMade"] is None
    assert lines["client-return"]["fiscalCode"] != lines["client-sale"]["fiscalCode"]
    assert lines["client-sale"]["message"] == "Замовлення фіскалізовано"
    lines = heard_by_client(shop, tmp_path, again)
    assert lines["client-again"]["code"] == "RECEIPT_RETURNED"


def heard_by_client(shop: Shop, folder: Path, *messages: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What the client prints of each request, once."""
    files = [folder / f"{number}.json" for number in range(len(messages))]
    for file, message in zip(files, messages, strict=True):
        file.write_text(json.dumps(message))
    done = subprocess.run(
        ["node", str(CLIENT / "bimp.mjs"), *map(str, files)],
        env={**os.environ, "AMQP_URL": shop.vhost.url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    printed = [json.loads(line) for line in done.stdout.splitlines()]
    lines = {line["requestId"]: line for line in printed if line["requestId"].startswith("client-")}
    assert len(lines) == sum(line["requestId"] in lines for line in printed)
    return lines
