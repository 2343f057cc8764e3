"""An order is found by whatever a person has of it, with its whole history."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine

from tests.builders import AN_ORDER, a_body
from tests.journal.messages import an_event
from worker.journal import database
from worker.journal.finding import MOST, JournalUnreadable, find
from worker.journal.heard import rows_of_event, rows_of_request
from worker.journal.writer import Writer

NOW = 1_800_000_000_000
RECEIPT = "3f0c5f7e-9a51-5f7e-8a44-2c1f0a9be001"


def numbered(prefix: str, number: int) -> str:
    return f"{prefix}-0000-4000-8000-{number:012}"


def ask(writer: Writer, number: int, doc_number: str, at: int) -> str:
    order = numbered("00000000", number)
    names = {"data__order__uuid": order, "data__order__docNumber": doc_number}
    body = a_body(id=f"R {number} {at}", subject=order, **names)
    writer.write(rows_of_request(body, at))
    return order


@pytest.fixture
def sold(writer: Writer) -> None:
    """One order, sold, and a return of it."""
    writer.write(rows_of_request(a_body(id="Press 1"), NOW))
    event = an_event("delayed", "Press 1", time="2026-11-24T10:20:06Z")
    writer.write(rows_of_event(event, NOW + 1))
    event = an_event(request="Press 1", receipt__id=RECEIPT, receipt__fiscalCode="TEST-Ab 1")
    writer.write(rows_of_event(event, NOW + 2))
    back = numbered("00000000", 77)
    returned = a_body(
        id="Back 1",
        subject=back,
        time="2026-11-25T10:20:05Z",
        data__order__uuid=back,
        data__order__docNumber="ПВ-1",
        data__operation="RETURN",
        data__returnOf={"orderUuid": str(AN_ORDER)},
    )
    writer.write(rows_of_request(returned, NOW + 3))


@pytest.mark.usefixtures("sold")
@pytest.mark.parametrize(
    "text",
    [
        str(AN_ORDER),
        f" {str(AN_ORDER).upper()} ",
        "зп-000482",
        "ЗП - 000482",
        "зп-00",
        RECEIPT.upper(),
        "test-aB1",
        "press1",
    ],
)
def test_it_is_found_by(engine: Engine, text: str) -> None:
    """Case and spaces do not count; of the docNumber the beginning will do."""
    (found,) = find(engine, text)
    assert (found.order, found.doc_number) == (AN_ORDER, "ЗП-000482")
    assert (found.integration, found.cashier) == ("shop-main", "olena")


@pytest.mark.usefixtures("sold")
def test_its_history_is_in_order_of_time(engine: Engine) -> None:
    """What was asked, and what came of it; a document that returns it as well."""
    (found,) = find(engine, str(AN_ORDER))
    history: list[dict[str, Any]] = found.line()["history"]
    assert [one["what"] for one in history] == ["asked", "delayed", "succeeded", "asked"]
    assert [one["time"] for one in history] == sorted(one["time"] for one in history)
    assert history[0]["total"] == "270.00"
    assert history[0]["payments"] == [{"form": "CASHLESS", "label": "Картка", "amount": "270.00"}]
    assert history[2]["receipts"][0]["fiscalCode"] == "TEST-Ab 1"
    assert history[3]["docNumber"] == "ПВ-1"
    assert history[3]["returnOf"] == {"orderUuid": str(AN_ORDER)}


def test_several_are_listed_the_latest_first(engine: Engine, writer: Writer) -> None:
    """At most twenty; a docNumber that fits as a whole is that order alone."""
    for number in range(25):
        ask(writer, number, f"ЗП-{number:03}", NOW + number)
    ask(writer, 3, "ЗП-003", NOW + 100)
    found = find(engine, "зп-0")
    assert len(found) == MOST
    assert [one.doc_number for one in found[:3]] == ["ЗП-003", "ЗП-024", "ЗП-023"]
    ask(writer, 30, "ЗП-0", NOW)
    assert [one.doc_number for one in find(engine, "зп-0")] == ["ЗП-0"]
    assert find(engine, "ЗП-9") == find(engine, " ") == []


def test_what_bears_no_order_is_found_by_its_request(engine: Engine, writer: Writer) -> None:
    """A broken message tells no uuid; its request has a history all the same."""
    writer.write(rows_of_request(a_body(id="broken-1", subject=1, data__order__uuid="?"), NOW))
    (found,) = find(engine, "Broken-1")
    assert found.order is None
    assert [one["what"] for one in found.history] == ["asked"]


def test_an_outcome_without_its_request_is_found(engine: Engine, writer: Writer) -> None:
    """The journal was begun in the meantime."""
    writer.write(rows_of_event(an_event(), NOW))
    (found,) = find(engine, "зп-000482") or find(engine, str(AN_ORDER))
    assert found.order == UUID(str(AN_ORDER))
    assert [one["what"] for one in found.history] == ["succeeded"]


def test_a_database_without_a_journal_is_told(journal_url: str) -> None:
    """Nothing is made in it."""
    with pytest.raises(JournalUnreadable, match="cannot be read"):
        find(database.reading(journal_url), "1")
