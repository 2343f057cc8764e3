"""``demo``: everything on one machine, to see it work before reading on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Annotated, Any

import pika
import typer
from rich.console import Console
from rich.table import Table

from worker.demo.examples import Example, examples
from worker.demo.playground import Playground, playground
from worker.operators.interruption import Interruption
from worker.rabbit.headers import Header
from worker.rabbit.topology import CLOUD_EVENT, DEAD_LETTERS, EVENTS_QUEUE, ORDERS_EXCHANGE, order_key

#: Seconds.
_PATIENCE = 60.0
_LOOKS_EVERY = 0.2


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of an example."""

    outcome: str
    #: The fiscal number, or the code.
    result: str
    seconds: float


def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Go on until Ctrl-C, with a console and lines to type next.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines instead of the table.")] = False,
) -> None:
    """Fiscalize the examples with a private RabbitMQ, the Checkbox sandbox, a worker and a journal."""
    orders = list(examples())
    say = Console(stderr=True, highlight=False, soft_wrap=True).print
    say("RabbitMQ, the Checkbox sandbox and a worker are starting …")
    with ExitStack() as stack:
        try:
            place = stack.enter_context(playground())
        except RuntimeError as reason:
            say(str(reason))
            raise typer.Exit(1) from None
        say(f"{len(orders)} orders are on their way …")
        seen = _run(place.broker_url, orders)
        as_expected = _show(orders, seen, as_json)
        if not as_json and "FISCAL_JOURNAL_URL" in place.settings:
            from worker.cli.demo_books import show_books  # a journal may not be installed

            as_expected &= show_books(place.settings, _receipts(seen))
        if keep:
            _keep(place, say)
    raise typer.Exit(0 if as_expected else 1)


def _keep(place: Playground, say: Callable[[str], None]) -> None:
    """Show where everything is, and wait for Ctrl-C."""
    address, token = place.start_console()
    with Interruption() as stopping:
        say(
            f"\nconsole           {address}   token {token}\n"
            f"RabbitMQ          {place.broker_url}\n"
            f"Checkbox sandbox  {place.settings['FISCAL_CHECKBOX_URL']}\n"
            f"worker            {place.worker_url}/metrics, its log in {place.folder.path}/worker.log\n\n"
            "In another terminal:\n  " + "\n  ".join(place.lines_to_type()) + "\n\nCtrl-C ends all of it."
        )
        while not stopping():
            time.sleep(_LOOKS_EVERY)


def _receipts(seen: Mapping[str, Seen]) -> int:
    """How many were issued."""
    return sum(len(came.result.split(", ")) for came in seen.values() if came.outcome == "succeeded")


def _run(url: str, orders: list[Example]) -> Mapping[str, Seen]:
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.confirm_delivery()
    published: dict[str, float] = {}

    def publish(after: str | None) -> None:
        for example in (order for order in orders if order.after == after):
            published[example.name] = time.monotonic()
            _publish(channel, example)

    publish(None)
    seen: dict[str, Seen] = {}
    by_request = {e.known.request_id: e.name for e in orders if e.known.request_id}
    by_body = {e.body: e.name for e in orders if not e.known.request_id}
    deadline = time.monotonic() + _PATIENCE
    while len(seen) < len(orders) and time.monotonic() < deadline:
        for name, outcome, result in (*_events(channel, by_request), *_letters(channel, by_body)):
            seen[name] = Seen(outcome, result, time.monotonic() - published[name])
            publish(name)
        connection.sleep(0.05)
    connection.close()
    return seen


def _publish(channel: Any, example: Example) -> None:
    key = order_key(example.known.integration, example.known.cashier)
    properties = pika.BasicProperties(delivery_mode=2, content_type=CLOUD_EVENT)
    channel.basic_publish(ORDERS_EXCHANGE, key, example.body, properties, mandatory=True)


def _events(channel: Any, names: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    while (got := channel.basic_get(EVENTS_QUEUE, auto_ack=True))[0] is not None:
        event = json.loads(got[2])
        outcome, data = event["type"].split(".")[-2], event["data"]
        if outcome != "delayed":
            made = data.get("receipts") or [data.get("receipt")]
            numbers = ", ".join(one["fiscalCode"] for one in made if one)
            yield names[data["requestId"]], outcome, numbers or data["code"]


def _letters(channel: Any, names: Mapping[bytes, str]) -> Iterator[tuple[str, str, str]]:
    """Messages without an id have a dead letter and no event. All letters return to their queue."""
    while (got := channel.basic_get(DEAD_LETTERS))[0] is not None:
        if got[2] in names:
            yield names[got[2]], "dead letter", got[1].headers[Header.CODE]


def _show(orders: list[Example], seen: Mapping[str, Seen], as_json: bool) -> bool:
    missing = Seen("nothing came", "", 0.0)
    table = Table("example", "order", "outcome", "fiscal number or code", "seconds")
    for column in table.columns:
        column.no_wrap = True
    as_expected = True
    for example in orders:
        came = seen.get(example.name, missing)
        as_expected &= example.expected in (came.outcome, came.result)
        number = example.known.doc_number or "—"
        table.add_row(example.name, number, came.outcome, came.result, f"{came.seconds:.2f}")
        if as_json:
            row = {"example": example.name, "order": number, "outcome": came.outcome, "told": came.result}
            print(json.dumps({**row, "seconds": round(came.seconds, 2)}, ensure_ascii=False))  # noqa: T201
    if not as_json:
        console = Console()
        if not console.is_terminal:
            console.width = 120
        console.print(table)
        fiscalized = sum(1 for came in seen.values() if came.outcome == "succeeded")
        console.print(
            f"{fiscalized} of {len(orders)} have a receipt; the others end in the code of their name.\n"
            "Where to look next: README.md, “The way of a message”; `fiscal-worker --help`; docs/."
        )
    return as_expected
