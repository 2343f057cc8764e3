"""`reconcile` and `day` as an operator sees them, with a worker, a journal and the sandbox for real."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from click.testing import Result
from sqlalchemy import delete, select, update
from typer import Typer
from typer.testing import CliRunner

from tests.builders import a_body
from tests.cli.letters import put
from tests.cli.orders import sell
from tests.journal.process import JournalProcess
from tests.system.shop import CONTRACT, Shop
from worker.cli.day import day
from worker.cli.reconcile import reconcile
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.demo.sandbox_process import SandboxProcess
from worker.demo.worker_process import WorkerProcess
from worker.fiscal.kyiv import KYIV
from worker.journal import database
from worker.journal.finding import JournalUnreadable, find
from worker.journal.tables import METADATA, OUTCOMES, RECEIPTS, REQUESTS
from worker.rabbit.topology import JOURNAL_QUEUE

NUMBERS = count(1)
OLENA = "shop-main", "olena"
[*FAKETIME] = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
#: Receipts are compared once they are five minutes old: the sandbox's clock is so far behind.
BEHIND = {"LD_PRELOAD": str(FAKETIME[0]), "FAKETIME": "-1000s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


class Books:
    """A shop whose worker fiscalizes, and whose journal listens."""

    def __init__(self, shop: Shop, url: str) -> None:
        self.shop = shop
        self.url = url
        self.file = Path(url.removeprefix("sqlite:///"))
        self.engine = database.writing(url)

    def run(self, *arguments: str, command: Callable[..., None] = reconcile, **environment: str) -> Result:
        app = Typer()
        app.command()(command)
        settings = {
            "FISCAL_RABBITMQ_URL": self.shop.vhost.url,
            "FISCAL_CHECKBOX_URL": self.shop.sandbox.url,
            "FISCAL_INTEGRATIONS_FILE": str(CONTRACT / "integrations.yaml"),
            "FISCAL_JOURNAL_URL": self.url,
            **environment,
        }
        return CliRunner().invoke(app, arguments, env=settings)

    def lines(self, *arguments: str, code: int, **environment: str) -> list[dict[str, Any]]:
        result = self.run("--json", *arguments, **environment)
        assert result.exit_code == code, result.output
        return [json.loads(line) for line in result.stdout.splitlines()]

    def day(self, *arguments: str) -> list[dict[str, Any]]:
        result = self.run("--json", *arguments, command=day)
        assert result.exit_code == 0, result.output
        return [json.loads(line) for line in result.stdout.splitlines()]

    def knows(self, text: str) -> bool:
        try:
            return any(one.history[-1]["what"] == "succeeded" for one in find(self.engine, text))
        except JournalUnreadable:
            return False


@pytest.fixture(scope="module")
def books(rabbitmq: PrivateRabbitMQ, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    vhost = rabbitmq.new_vhost()
    folder = tmp_path_factory.mktemp("reconcile")
    url = f"sqlite:///{folder / 'journal.db'}"
    options = {"done_after": 0.1, "throttle": "false"}
    with SandboxProcess(
        integrations=CONTRACT / "integrations.yaml", options=options, environment=BEHIND
    ) as sandbox:
        environment = {
            "FISCAL_RABBITMQ_URL": vhost.url,
            "FISCAL_CHECKBOX_URL": sandbox.url,
            "FISCAL_INTEGRATIONS_FILE": str(CONTRACT / "integrations.yaml"),
            "FISCAL_REGISTER_RATE": "100",
        }
        journal = {"FISCAL_RABBITMQ_URL": vhost.url, "FISCAL_JOURNAL_URL": url}
        with (
            WorkerProcess(environment, folder / "worker.log") as worker,
            JournalProcess(folder / "journal.log", journal),
        ):
            shop = Shop(vhost, sandbox, worker)
            shop.until(lambda: (queue := vhost.queues().get(JOURNAL_QUEUE)) and queue.consumers)
            yield Books(shop, url)
            shop.close()
    vhost.delete()


def today() -> str:
    """The sandbox's; the shift that began on it goes on where it is over for us."""
    return (datetime.now(KYIV) - timedelta(seconds=1000)).date().isoformat()


def sold(books: Books, eventually: Callable[..., object]) -> tuple[str, dict[str, Any]]:
    """An order that is fiscalized, and its event."""
    number = next(NUMBERS)
    order = sell(books.shop, number)
    event = books.shop.outcome(f"request-{number}")
    assert event["routing_key"] == "fiscalization.succeeded"
    eventually(lambda: books.knows(order))
    return order, event


def test_a_day_that_agrees(books: Books, eventually: Callable[..., object]) -> None:
    """Exit 0; a line for each shift, and what it comes to."""
    sold(books, eventually)
    *shifts, last = books.lines("--day", today(), code=0)
    assert last == {"day": today(), "shifts": len(shifts), "ok": True, "counts": {}}
    olena = next(one for one in shifts if one["cashier"] == "olena")
    assert olena["ok"] is True
    assert olena["differences"] == []
    assert set(olena) == {"integration", "cashier", "register", "shift", "ok", "differences"}
    assert "no differences" in books.run("--day", today()).stderr


def test_a_swallowed_event_and_a_changed_sum(books: Books, eventually: Callable[..., object]) -> None:
    """Exit 1, and each is named; of another integration nothing is told."""
    swallowed, event = sold(books, eventually)
    changed, _ = sold(books, eventually)
    with books.engine.begin() as connection:
        receipt = UUID(event["data"]["receipt"]["id"])
        connection.execute(delete(RECEIPTS).where(RECEIPTS.c.id == receipt))
        connection.execute(delete(OUTCOMES).where(OUTCOMES.c.subject == UUID(swallowed)))
        connection.execute(update(REQUESTS).where(REQUESTS.c.subject == UUID(changed)).values(total=1))
    *shifts, last = books.lines("--day", today(), code=1)
    found = [one for shift in shifts for one in shift["differences"]]
    assert [(one["kind"], one["orderUuid"]) for one in found] == [
        ("sum_differs", changed),
        ("receipt_untold", swallowed),
    ]
    assert last["counts"] == {"receipt_untold": 1, "sum_differs": 1}
    table = books.run("--day", today())
    assert table.exit_code == 1
    assert "sum_differs" in table.stdout
    *_, last = books.lines("--day", today(), "--integration", "shop-prepaid", code=0)
    assert last["ok"] is True


def test_the_day_stands_beside_what_checkbox_has_of_the_open_shift(
    books: Books, eventually: Callable[..., object], tmp_path: Path
) -> None:
    """An order more is 270.00 more, by the journal and by Checkbox, and a row of the accountant's file."""

    def seen() -> tuple[Decimal, Decimal, Decimal]:
        cashiers = [one for one in books.day("--day", today()) if "payments" in one]
        (olena,) = [one for one in cashiers if (one["integration"], one["cashier"]) == OLENA]
        (shift,) = [one for one in books.day() if "shift" in one and one["cashier"] == "olena"]
        return (
            Decimal(olena["payments"][0]["sales"]),
            Decimal(shift["ours"]["sales"]),
            Decimal(shift["checkbox"]["sales"]),
        )

    sold(books, eventually)
    before = seen()
    _, event = sold(books, eventually)
    assert [after - one for one, after in zip(before, seen(), strict=True)] == [Decimal("270.00")] * 3
    file = tmp_path / "day.csv"
    assert books.run("--day", today(), "--csv", str(file), command=day).exit_code == 0
    data = file.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    assert f";{event['data']['receipt']['fiscalCode']};270,00;Картка 270,00;".encode() in data
    shown = books.run("--day", today(), command=day)
    assert "in all" in shown.stdout
    assert f"{today()}: " in shown.stderr
    assert books.day("--day", "2020-01-01", "--integration", "shop-main") == [
        {"day": "2020-01-01", "salesCount": 0, "sales": "0.00", "returnsCount": 0, "returns": "0.00"}
    ]


def test_an_unanswered_request(books: Books, eventually: Callable[..., object]) -> None:
    """Neither succeeded nor failed; one that waits as a dead letter is answered by whoever replays it."""
    number = next(NUMBERS)
    order = sell(books.shop, number)
    books.shop.outcome(f"request-{number}")

    def forget() -> bool:
        done = OUTCOMES.c.outcome == "succeeded"
        with books.engine.begin() as connection:
            return (
                connection.execute(delete(OUTCOMES).where(OUTCOMES.c.subject == UUID(order), done)).rowcount
                > 0
            )

    eventually(forget)
    soon = {"FISCAL_RETRY_MAX_AGE": "PT0.1S"}
    *lines, last = books.lines("--day", datetime.now(KYIV).date().isoformat(), code=1, **soon)
    (one,) = [line for line in lines if line.get("requestId") == f"request-{number}"]
    assert (one["kind"], one["orderUuid"], one["certain"]) == ("request_unanswered", order, True)
    assert last["counts"]["request_unanswered"] >= 1
    *lines, _ = books.lines("--day", datetime.now(KYIV).date().isoformat(), code=1)
    assert "request_unanswered" not in [line.get("kind") for line in lines]
    put(books.shop.vhost.url, [number], request=f"request-{number}")  # another company's of the same id
    *lines, _ = books.lines("--day", datetime.now(KYIV).date().isoformat(), code=1, **soon)
    assert f"request-{number}" in [line.get("requestId") for line in lines]
    put(books.shop.vhost.url, [number], request=f"request-{number}", order=order)
    *lines, _ = books.lines("--day", datetime.now(KYIV).date().isoformat(), code=1, **soon)
    assert f"request-{number}" not in [line.get("requestId") for line in lines]


def test_the_file_holds_nothing_personal(books: Books, eventually: Callable[..., object]) -> None:
    """Of real messages, sold, refused and broken: no buyer, card or name of goods in any column or byte."""
    card = {"mask": "516914******8910", "rrn": "998877665544", "authCode": "A1B2C9"}
    secrets = {"email": "secret.buyer@example.com", "phone": "+380671234567", "name": "Таємний товар", **card}
    message = {
        "data__buyer": {"email": secrets["email"], "phone": secrets["phone"]},
        "data__order__products__0__name": secrets["name"],
        "data__payments__0__card": card,
    }
    for name, changes in (
        ("sold", {}),
        ("refused", {"data__order__products__0__vat": {"percentRate": "14", "notAccountable": False}}),
        ("broken", {"data__order__archived": secrets["phone"], "data__order__date": secrets["email"]}),
    ):
        number, order = next(NUMBERS), str(uuid4())
        identity = {"id": f"{name}-{number}", "subject": order, "data__order__uuid": order}
        books.shop.publish(a_body(**message, **identity, **changes))
        books.shop.outcome(f"{name}-{number}")
        eventually(
            lambda order=order: any(one.history[-1]["what"] != "asked" for one in find(books.engine, order))
        )
    assert {letter[0]["x-fiscal-code"] for letter in books.shop.letters} >= {
        "INVALID_MESSAGE",
        "TAX_RATE_NOT_MAPPED",
    }
    with books.engine.connect() as connection:
        rows = [connection.execute(select(table)).all() for table in METADATA.sorted_tables]
    data = b"".join(path.read_bytes() for path in books.file.parent.glob("journal.db*"))
    assert b"refused-" in data
    for secret in secrets.values():
        assert secret not in str(rows)
        assert secret.encode() not in data


def test_wrong_usage(books: Books, tmp_path: Path) -> None:
    """Exit 2: a day that is none, an unknown integration; a journal that is not there is not compared."""
    assert books.run("--day", "yesterday").exit_code == 2
    assert books.run("--integration", "nobody").exit_code == 2
    assert books.run("--day", "yesterday", command=day).exit_code == 2
    assert books.run(command=day, FISCAL_JOURNAL_URL=f"sqlite:///{tmp_path / 'none.db'}").exit_code == 1
    *_, last = books.lines(code=1, FISCAL_JOURNAL_URL=f"sqlite:///{tmp_path / 'none.db'}")
    assert last["counts"]["not_compared"] >= 1
