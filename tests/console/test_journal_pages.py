"""The pages over the journal: the day, the orders, and what reconciliations came to."""

from __future__ import annotations

import csv
import io
import re
import socket
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID

import pytest

from config import settings as configuration
from tests.builders import a_body
from tests.cli.letters import put
from tests.console.conftest import READ_TOKEN, Visitor
from tests.journal.messages import CARD, a_comparison, an_event, issue
from worker.app import read_integrations
from worker.checkbox.client import CheckboxClient
from worker.console import journal_desk
from worker.demo.sandbox_process import SandboxProcess
from worker.fiscal.kyiv import KYIV
from worker.journal.heard import rows_of_event, rows_of_request
from worker.journal.writer import Writer
from worker.operators.open_shifts import open_shifts

#: That of ``issue`` with the number 1.
ORDER = "00000000-0000-4000-8000-000000000001"
CASH = [{"form": "CASH", "amount": "270.00"}]


def now(minutes: int = 0) -> str:
    """So long ago, by RFC 3339."""
    return (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat(timespec="seconds")


def text_of(visitor: Visitor, path: str) -> str:
    """What a person reads, a blank between any two words, once the names of shops were read."""
    while True:
        answer = visitor.get(path)
        assert answer.status_code == 200
        main = answer.text.split("<main")[1]
        words = unescape(re.sub(r"<[^>]+>", " ", main)).split()
        text = " ".join(words).replace(" ,", ",").replace(" :", ":").replace("( ", "(")
        if "shop-main shop-main" not in text:
            return text


def ask(writer: Writer, order: str, number: str, **changes: Any) -> None:
    names = {"subject": order, "data__order__uuid": order, "data__order__docNumber": number}
    writer.write(rows_of_request(a_body(**names, **changes), int(time.time() * 1000)))


def test_without_a_journal_the_day_shows_the_rest(
    amqp_url: str, visitor: Visitor, eventually: Callable[..., object]
) -> None:
    """Letters, queues, who listens, and the open shifts; and it says what to configure."""
    put(amqp_url, [1])
    waiting = "letters that wait for a person fiscalize.dead_letters 1"
    eventually(lambda: waiting in text_of(visitor, "/today"))
    text = text_of(visitor, "/today")
    assert "No journal is kept. Set FISCAL_JOURNAL_URL, run fiscal-worker journal" in text
    assert "No worker takes orders" in text
    assert "Bimp does not listen" in text
    assert "1 letter waits" in text
    assert "ФОП Приклад shop-main, Каса 1 olena" in text
    assert "Open shifts" in text
    assert "No journal is kept" in text_of(visitor, "/orders?q=D-1")
    assert "No journal is kept" in text_of(visitor, "/reconciliation")
    assert visitor.get("/today.csv").status_code == 503


def test_the_day_in_sums(kept: Writer, visitor: Visitor) -> None:
    """By shop, cashier and means of payment, with their names; another day is another page."""
    issue(kept, 1)
    issue(kept, 2, CASH)
    issue(kept, 3, operation="RETURN")
    issue(kept, 4, cashier="petro", at="2026-11-25T10:00:00Z")
    text = text_of(visitor, "/today?day=2026-11-24")
    assert "Day 2026-11-24" in text
    assert "2 sales, 540.00 ₴; 1 return, 270.00 ₴." in text
    assert "ФОП Приклад shop-main Каса 1 olena 540.00 ₴ (2) 270.00 ₴ (1)" in text
    assert "Картка: 270.00 ₴ (1), returned 270.00 ₴ (1)" in text
    assert "Готівка: 270.00 ₴ (1)" in text
    assert "Queues" not in text
    assert "Каса 2" in text_of(visitor, "/today?day=2026-11-25")
    assert "0 sales" in text_of(visitor, "/today")
    assert visitor.get("/today?day=tomorrow").status_code == 200


def test_the_day_as_a_file(kept: Writer, console: str) -> None:
    """As a spreadsheet opens it; also for who may only look."""
    issue(kept, 1)
    with Visitor.of(console) as reader:
        reader.sign_in(READ_TOKEN)
        answer = reader.get("/today.csv?day=2026-11-24")
    assert answer.headers["content-disposition"] == 'attachment; filename="receipts-2026-11-24.csv"'
    head, row = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";")
    assert (head[0], row[5], row[7]) == ("Дата", "D-1", "270,00")


def test_an_open_shift_beside_the_books_of_checkbox(
    kept: Writer, visitor: Visitor, checkbox: SandboxProcess, eventually: Callable[..., object]
) -> None:
    """The journal has a receipt that Checkbox does not have: the sums differ, and so does the day's shift."""
    shift = shift_of_olena()
    issue(kept, 1, at=now(minutes=7), receipt__shiftId=shift)
    eventually(lambda: "Open shifts" in text_of(visitor, "/today"))
    assert "0.00 ₴ 270.00 ₴ differs" in text_of(visitor, "/today")
    day = datetime.now(KYIV).date().isoformat()
    assert visitor.submit("/reconciliation", day=day).headers["location"] == "/reconciliation"
    eventually(lambda: "No such receipt at Checkbox: 1" in text_of(visitor, "/reconciliation"))
    text = text_of(visitor, "/reconciliation")
    assert f"{day}: compared" in text
    assert "look at it in Checkbox" in text
    assert "D-1 270.00 ₴ – ФОП Приклад shop-main, Каса 1 olena" in text
    signed_in = checkbox.counters()["requests"]
    assert signed_in["POST /cashier/signin"]["200"] == signed_in["POST /cashier/signout"]["205"]


def shift_of_olena() -> str:
    loaded = read_integrations(configuration.load()).integrations.in_force
    with closing(CheckboxClient()) as client:
        shifts = open_shifts(client, loaded, time.time()).shifts
    return next(one.record.id for one in shifts if ("shop-main", "olena") in one.rows)


def test_an_order_is_found_as_one_would_type_it(kept: Writer, visitor: Visitor) -> None:
    """Its whole history, in the order of time, with links to the receipt."""
    issue(kept, 1, CARD)
    late = an_event("delayed", "r1", order=ORDER, time="2026-11-24T10:20:06Z")
    kept.write(rows_of_event(late, 0))
    for text in ("D-1", "d - 1", "D", ORDER, "r1", "TEST-kV7DlT"):
        page = text_of(visitor, f"/orders?q={text}")
        asked, delayed, told = map(page.index, ("Sale asked for", "Put off", "Receipt issued"))
        assert asked < delayed < told
        assert "270.00 ₴: Картка 270.00 ₴" in page
        assert "ФОП Приклад shop-main" in page
    source = visitor.get("/orders?q=D-1").text
    assert 'href="https://cabinet.tax.gov.ua/cashregs/check?id=TEST-kV7DlT" rel="noreferrer"' in source
    assert 'href="https://api.checkbox.ua/api/v1/receipts/' in source


def test_two_orders_of_one_number_are_told_apart(
    amqp_url: str, kept: Writer, visitor: Visitor, eventually: Callable[..., object]
) -> None:
    """A list with uuid, shop and sum leads to each; what waits is linked."""
    for number in (1, 2):
        order = f"00000000-0000-0000-0000-{number:012}"
        ask(kept, order, "N-1", id=f"press-{number}", data__integration="shop-main" if number == 1 else "x")
    put(amqp_url, [1])
    text = text_of(visitor, "/orders?q=n-1")
    assert "2 orders, that of the latest request first." in text
    assert text.index("-000000000002") < text.index("-000000000001")
    assert "Waits for a person: N-1, The shift is not open" in text
    links = re.findall(r'href="(/orders\?q=[^"]+)"', visitor.get("/orders?q=n-1").text)
    assert len(set(links)) == 2
    assert "Waits for a person" not in text_of(visitor, links[0])
    one = text_of(visitor, links[1])
    assert one.index("Sale asked for") > one.index("Waits for a person:")
    assert "ФОП Приклад shop-main" in one
    assert "knows nothing that is named N-9" in text_of(visitor, "/orders?q=N-9")


def test_a_letter_of_another_order_of_the_number_is_not_shown(
    amqp_url: str, kept: Writer, visitor: Visitor, eventually: Callable[..., object]
) -> None:
    """Nobody is led to replay the letter of another shop's order; by the number both are listed."""
    ask(kept, ORDER, "N-1", id="press-1")
    put(amqp_url, [1])
    eventually(lambda: "1 letter" in text_of(visitor, "/today"))
    for text in (ORDER, "press-1"):
        page = text_of(visitor, f"/orders?q={text}")
        assert "Sale asked for" in page
        assert "The shift is not open" not in page
    page = text_of(visitor, "/orders?q=N-1")
    assert "2 orders" in page
    assert f"N-1 {UUID(int=1)} – ФОП Приклад shop-main, Каса 1 olena" in page
    assert "Waits for a person: N-1, The shift is not open" in page


def test_a_letter_of_an_order_is_not_hidden_by_one_with_a_longer_number(
    amqp_url: str, kept: Writer, visitor: Visitor, eventually: Callable[..., object]
) -> None:
    """The journal has only the other one; a letter that names no order stands alone."""
    ask(kept, ORDER, "N-15", id="press-1")
    ask(kept, ORDER.replace("4000", "4001"), "M-15", id="press-2")
    put(amqp_url, [1])
    put(amqp_url, [2], order=None, docnumber="M-1")
    eventually(lambda: "2 letters" in text_of(visitor, "/today"))
    page = text_of(visitor, "/orders?q=N-1")
    assert "2 orders" in page
    assert "Waits for a person: N-1, The shift is not open" in page
    page = text_of(visitor, "/orders?q=M-1")
    assert "knows nothing that is named M-1" in page
    assert "Waits for a person: M-1, The shift is not open" in page


def test_the_sum_of_an_order_is_that_of_its_latest_request(kept: Writer, visitor: Visitor) -> None:
    """As its number is; a request that names no sum changes nothing."""
    other = ORDER.replace("4000", "4001")
    ask(kept, other, "N-1", id="other")
    ask(kept, ORDER, "N-0", id="press-1", time="2026-11-24T10:20:05Z")
    ask(kept, ORDER, "N-1", id="press-2", time="2026-11-24T10:20:06Z", data__order__total="135.00")
    ask(kept, ORDER, "N-1", id="press-3", time="2026-11-24T10:20:07Z", data__order__total="a lot")
    page = text_of(visitor, "/orders?q=N-1")
    assert f"N-1 {ORDER} 135.00 ₴" in page


@pytest.mark.parametrize("failed_at", ["yesterday", "0001-01-01T00:00:00+05:00"])
def test_a_letter_whose_time_is_none_is_shown(
    amqp_url: str, kept: Writer, visitor: Visitor, eventually: Callable[..., object], failed_at: str
) -> None:
    """It came from elsewhere; nothing is shown as its time."""
    ask(kept, str(UUID(int=1)), "N-1", id="press-1")
    written: dict[str, Any] = {"failed-at": failed_at}
    put(amqp_url, [1], **written)
    eventually(lambda: "Waits for a person:" in text_of(visitor, "/orders?q=N-1"))
    assert "– Waits for a person" in text_of(visitor, "/orders?q=N-1")


def test_what_an_event_names_is_no_script(kept: Writer, visitor: Visitor) -> None:
    """A link leads to the web or is none; names are text."""
    links = {"html": "javascript:alert(1)"}
    issue(kept, 1, receipt__links=links, receipt__taxUrl="data:text/html,x", receipt__fiscalCode="<b>1")
    source = visitor.get("/orders?q=D-1").text
    assert "javascript:" not in source
    assert "data:" not in source.replace("data-", "")
    assert "&lt;b&gt;1" in source


def test_a_failure_says_why(kept: Writer, visitor: Visitor) -> None:
    """In the words of the catalogue, in the reader's language."""
    kept.write(rows_of_request(a_body(id="request-1"), 0))
    kept.write(rows_of_event(an_event("failed", code="TOTALS_MISMATCH", detail={"total": "1.00"}), 0))
    visitor.headers["Accept-Language"] = "uk"
    text = text_of(visitor, "/orders?q=ЗП-000482")
    assert "Не фіскалізовано" in text
    assert "TOTALS_MISMATCH" not in text


def test_reconciliations_in_words(kept: Writer, visitor: Visitor) -> None:
    """Differences by kind with what to do, and the last result of each shift."""
    kept.write(rows_of_event(a_comparison(closed=now(minutes=60)), 0))
    strangers = [{"kind": "foreign_receipt", "receiptId": "r", "ours": None, "checkbox": "1.00"}]
    kept.write(rows_of_event(a_comparison(shift="2", differences=strangers, ok=True), 0))
    text = text_of(visitor, "/reconciliation")
    assert "Bimp was not told of the receipt: 1" in text
    assert "Press the button in Bimp again" in text
    assert "ЗП-245725 – 270.00 ₴ ФОП Приклад shop-main, Каса 1 olena TEST102567 shift 14" in text
    assert "Receipts of others at the register: 1" in text
    assert 'href="/orders?q=eef662ac-b39c-5878-86c4-70d3514616ca"' in visitor.get("/reconciliation").text
    assert "1 shift of the last 48 hours differs from Checkbox" in text_of(visitor, "/today")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("postgresql://127.0.0.1:{port}/journal", "no answer within 0.5 s"),
        ("sqlite:////nowhere/journal.db", "the journal cannot be read (OperationalError)"),
    ],
)
def test_a_journal_that_is_down_holds_nobody_up(
    amqp_url: str,
    visitor: Visitor,
    monkeypatch: pytest.MonkeyPatch,
    eventually: Callable[..., object],
    url: str,
    why: str,
) -> None:
    """One that takes connections and never answers, and one that is not there: the pages say so."""
    put(amqp_url, [1])
    monkeypatch.setattr(journal_desk, "PATIENCE", 0.5 if "postgresql" in url else 20)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("FISCAL_JOURNAL_URL", url.format(port=silent.getsockname()[1]))
        visitor.get("/")
        for path in ("/today", "/orders?q=1", "/reconciliation"):
            assert f"The journal cannot be asked now: {why}" in text_of(visitor, path)
        eventually(lambda: "1 letter waits" in text_of(visitor, "/today"))
