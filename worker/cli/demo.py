"""``demo``: everything on one machine, to see it work before reading on."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pika
import typer
from rich.console import Console
from rich.table import Table

from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.demo.sandbox_process import SandboxProcess
from worker.demo.worker_process import WorkerProcess
from worker.rabbit.headers import Header
from worker.rabbit.message.reading import RequestIdentity, identify
from worker.rabbit.topology import CLOUD_EVENT, DEAD_LETTERS, EVENTS_QUEUE, ORDERS_EXCHANGE, order_key

_EXAMPLES = Path(__file__).parents[2] / "tests" / "data" / "contract"
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Example:
    """A message, and what the contract says comes of it."""

    name: str
    body: bytes
    expected: str

    @property
    def known(self) -> RequestIdentity:
        return identify(self.body)


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of an example."""

    outcome: str
    #: The fiscal number, or the code.
    told: str
    seconds: float


def demo(
    as_json: bool = typer.Option(False, "--json", help="JSON lines instead of the table."),
) -> None:
    """Fiscalize the contract's examples with a private RabbitMQ, the Checkbox sandbox and a worker."""
    if not _EXAMPLES.is_dir():
        print("the demo publishes the examples of a checkout: run it from one", file=sys.stderr)  # noqa: T201
        raise typer.Exit(1)
    examples = list(_examples())
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fiscal-demo-")))
        say = Console(stderr=True).print
        say("RabbitMQ, the Checkbox sandbox and a worker are starting …")
        url = stack.enter_context(PrivateRabbitMQ()).url
        integrations = _EXAMPLES / "integrations.yaml"
        sandbox = stack.enter_context(SandboxProcess(integrations=integrations))
        environment = {
            "FISCAL_RABBITMQ_URL": url,
            "FISCAL_CHECKBOX_URL": sandbox.url,
            "FISCAL_INTEGRATIONS_FILE": str(integrations),
            "FISCAL_RETURN_WAIT": "PT5S",
        }
        stack.enter_context(WorkerProcess(environment, folder / "worker.log"))
        say(f"{len(examples)} orders are on their way …")
        seen = _run(url, examples)
    as_expected = _show(examples, seen, as_json)
    raise typer.Exit(0 if as_expected else 1)


def _examples() -> Iterator[Example]:
    """Sales before the returns of them; the name of an invalid example begins with its code."""
    valid = sorted(
        (_EXAMPLES / "valid").glob("*.json"), key=lambda path: (b'"RETURN"' in path.read_bytes(), path)
    )
    for path in valid:
        yield Example(path.stem, path.read_bytes(), "succeeded")
    for path in sorted((_EXAMPLES / "invalid").glob("*.json")):
        yield Example(path.stem, path.read_bytes(), path.name.split(".")[0])


def _run(url: str, examples: list[Example]) -> Mapping[str, Seen]:
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.confirm_delivery()
    published: dict[str, float] = {}
    for example in examples:
        known = example.known
        key = order_key(known.integration, known.cashier)
        properties = pika.BasicProperties(delivery_mode=2, content_type=CLOUD_EVENT)
        published[example.name] = time.monotonic()
        channel.basic_publish(ORDERS_EXCHANGE, key, example.body, properties, mandatory=True)
    seen: dict[str, Seen] = {}
    by_request = {e.known.request_id: e.name for e in examples if e.known.request_id}
    by_body = {e.body: e.name for e in examples if not e.known.request_id}
    deadline = time.monotonic() + _PATIENCE
    while len(seen) < len(examples) and time.monotonic() < deadline:
        for name, outcome, told in (*_events(channel, by_request), *_letters(channel, by_body)):
            seen[name] = Seen(outcome, told, time.monotonic() - published[name])
        connection.sleep(0.05)
    connection.close()
    return seen


def _events(channel: Any, names: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    while (got := channel.basic_get(EVENTS_QUEUE, auto_ack=True))[0] is not None:
        event = json.loads(got[2])
        outcome, data = event["type"].split(".")[-2], event["data"]
        if outcome != "delayed":
            told = data["receipt"]["fiscalCode"] if outcome == "succeeded" else data["code"]
            yield names[data["requestId"]], outcome, told


def _letters(channel: Any, names: Mapping[bytes, str]) -> Iterator[tuple[str, str, str]]:
    """Messages that tell no id have a dead letter and no event."""
    while (got := channel.basic_get(DEAD_LETTERS, auto_ack=True))[0] is not None:
        if got[2] in names:
            yield names[got[2]], "dead letter", got[1].headers[Header.CODE]


def _show(examples: list[Example], seen: Mapping[str, Seen], as_json: bool) -> bool:
    missing = Seen("nothing came", "", 0.0)
    table = Table("example", "order", "outcome", "fiscal number or code", "seconds")
    for column in table.columns:
        column.no_wrap = True
    as_expected = True
    for example in examples:
        came = seen.get(example.name, missing)
        as_expected &= example.expected in (came.outcome, came.told)
        number = example.known.doc_number or "—"
        table.add_row(example.name, number, came.outcome, came.told, f"{came.seconds:.2f}")
        if as_json:
            row = {"example": example.name, "order": number, "outcome": came.outcome, "told": came.told}
            print(json.dumps({**row, "seconds": round(came.seconds, 2)}, ensure_ascii=False))  # noqa: T201
    if not as_json:
        console = Console()
        if not console.is_terminal:
            console.width = 120
        console.print(table)
        fiscalized = sum(1 for came in seen.values() if came.outcome == "succeeded")
        console.print(
            f"{fiscalized} of {len(examples)} have a receipt; the others end in the code of their name.\n"
            "Where to look next: README.md, “The way of a message”; `fiscal-worker --help`; docs/."
        )
    return as_expected
