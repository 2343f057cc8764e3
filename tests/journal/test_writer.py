"""The journal's rows: what is kept, once each, and for how long."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, Table, func, select
from sqlalchemy.exc import DBAPIError

from tests.builders import AN_ORDER, a_body
from tests.journal.messages import an_event
from tests.system.shop import CONTRACT
from worker.journal import database
from worker.journal.heard import Row, rows_of_event, rows_of_request
from worker.journal.schema import migrate
from worker.journal.tables import METADATA, OUTCOMES, RECEIPTS, REQUESTS
from worker.journal.writer import Writer

NOW = 1_800_000_000_000


def all_of(engine: Engine, table: Table) -> Sequence[Mapping[str, Any]]:
    with engine.connect() as connection:
        return connection.execute(select(table)).mappings().all()


def counts(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        tables = (REQUESTS, OUTCOMES, RECEIPTS)
        return [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]


def test_the_migrations_make_the_tables(engine: Engine) -> None:
    """Whoever changes a table writes a migration; run again it changes nothing."""
    migrate(engine)
    migrate(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_a_request_and_its_outcome(engine: Engine, writer: Writer) -> None:
    """What the contract names is kept, and what is heard twice is one row."""
    payments = [
        {"form": "CASH", "amount": "70.00"},
        {"form": "CASHLESS", "label": "Картка", "amount": "200.00"},
    ]
    rows = [*rows_of_request(a_body(data__payments=payments), NOW), *rows_of_event(an_event(), NOW + 1)]
    for _ in range(2):
        writer.write(rows)
    assert counts(engine) == [1, 1, 1]
    (request,) = all_of(engine, REQUESTS)
    assert (request["order_uuid"], request["doc_number"]) == (AN_ORDER, "ЗП-000482")
    assert (request["company"], request["integration"], request["cashier"]) == (
        "000001398",
        "shop-main",
        "olena",
    )
    assert (request["operation"], request["total"]) == ("SELL", 270_00)
    assert json.loads(request["payments"]) == [["CASH", None, 7000], ["CASHLESS", "Картка", 20000]]
    (outcome,) = all_of(engine, OUTCOMES)
    assert (outcome["outcome"], outcome["code"], outcome["request"]) == ("succeeded", None, request["key"])
    (receipt,) = all_of(engine, RECEIPTS)
    assert receipt["subject"] == AN_ORDER
    assert receipt["total"] == 270_00
    assert receipt["means"] == request["payments"]
    assert receipt["link"].endswith("/html")


@pytest.mark.parametrize("order", ["request first", "event first"])
def test_a_receipt_has_the_payments_of_its_request(engine: Engine, writer: Writer, order: str) -> None:
    """In whichever order the two are heard; and an earlier request's answer is not what made it."""
    again = a_body(id="request-2", data__payments=[{"form": "CASH", "amount": "270.00"}])
    rows = [*rows_of_request(a_body(), NOW), *rows_of_request(again, NOW)]
    events = [
        *rows_of_event(an_event(request="request-2", alreadyFiscalized=True), NOW),
        *rows_of_event(an_event(), NOW),
    ]
    for batch in (rows, events) if order == "request first" else (events, rows):
        writer.write(batch)
    (receipt,) = all_of(engine, RECEIPTS)
    assert json.loads(receipt["means"]) == [["CASHLESS", "Картка"]]
    assert counts(engine) == [2, 2, 1]


def test_change_is_not_what_was_taken(engine: Engine, writer: Writer) -> None:
    """Cash beyond the total is given back: the last of the payments is less by it."""
    payments = [
        {"form": "CASH", "amount": "200.00"},
        {"form": "CASH", "label": "готівка", "amount": "100.00"},
    ]
    writer.write(rows_of_request(a_body(data__payments=payments), NOW))
    (request,) = all_of(engine, REQUESTS)
    assert json.loads(request["means"]) == [["CASH", None, 20000], ["CASH", "Готівка", 7000]]
    assert json.loads(request["payments"])[1] == ["CASH", "Готівка", 10000]


def test_what_cannot_be_stored_holds_up_nothing(engine: Engine, writer: Writer) -> None:
    """A row that the database refuses is left out; characters that PostgreSQL refuses are replaced."""
    bad = Row(OUTCOMES, {**rows_of_event(an_event("failed"), NOW)[0].values, "outcome": None})
    good = rows_of_request(
        a_body(id="a\0\ud800b".encode("utf-8", "surrogatepass").decode("utf-8", "replace")), NOW
    )
    writer.write([bad, *good, *rows_of_event(an_event(), NOW)])
    assert counts(engine) == [1, 1, 1]


def test_old_rows_go(engine: Engine, writer: Writer) -> None:
    """What was heard before the limit goes, and nothing else."""
    writer.write([*rows_of_request(a_body(), NOW), *rows_of_event(an_event(), NOW)])
    writer.write(rows_of_request(a_body(id="request-2"), NOW + 1))
    assert writer.forget(NOW) is False
    assert counts(engine) == [2, 1, 1]
    assert writer.forget(NOW + 1) is False
    assert counts(engine) == [1, 0, 0]


def test_whatever_comes_is_a_row_or_nothing(engine: Engine, writer: Writer) -> None:
    """Every example of the contract: those with an id have one request, and those without one none."""
    for path in sorted([*CONTRACT.glob("valid/*.json"), *CONTRACT.glob("invalid/*.json")]):
        rows = rows_of_request(path.read_bytes(), NOW)
        writer.write(rows)
        assert len(rows) == (0 if "no_id" in path.name or b'"id"' not in path.read_bytes() else 1) or (
            path.name.startswith("INVALID_MESSAGE")
        ), path.name
    assert counts(engine)[0] >= len(list(CONTRACT.glob("valid/*.json")))


def test_notices_are_no_outcomes() -> None:
    """What else is published beside the events is passed over."""
    notice = json.dumps({"type": "ua.bimp.shift.closed.v1", "data": {}}).encode()
    assert rows_of_event(notice, NOW) == []


SECRETS = {
    "email": "buyer.secret@example.com",
    "phone": "+380671234567",
    "mask": "516914******8910",
    "rrn": "998877665544",
    "authCode": "A1B2C9",
    "bankName": "Secret Bank",
    "terminal": "T-SECRET-1",
    "label": "Oksana 0509998877",
    "service": "+380931112233",
    "name": "Таємний товар",
}


def test_nothing_personal_is_kept(engine: Engine, writer: Writer, journal_url: str) -> None:
    """Neither in a column nor anywhere else in the file: buyer, phone, e-mail, card, and names of goods."""
    card = {key: SECRETS[key] for key in ("mask", "rrn", "authCode", "bankName", "terminal")}
    payments = [
        {"form": "CASHLESS", "label": SECRETS["label"], "amount": "200.00", "card": card},
        {"form": "CASHLESS", "label": f"Платіж через інтегратора {SECRETS['service']}", "amount": "70.00"},
    ]
    message = {
        "data__buyer": {"email": SECRETS["email"], "phone": SECRETS["phone"]},
        "data__order__products__0__name": SECRETS["name"],
        "data__payments": payments,
    }
    broken = {
        **message,
        "data__order__archived": "so",
        "data__order__uuid": SECRETS["email"],
        "id": "request-2",
    }
    single = {"data__payments": [payments[0] | {"amount": "270.00"}], "id": "request-3"}
    for changes in (message, broken, single):
        writer.write(rows_of_request(a_body(**changes), NOW))
    writer.write(rows_of_event(an_event("failed"), NOW))
    told = "".join(str(dict(row)) for table in METADATA.tables.values() for row in all_of(engine, table))
    assert "request-2" in told
    files = [path.read_bytes() for path in Path().glob("journal.db*")]
    for secret in SECRETS.values():
        assert secret not in told
        assert not any(secret.encode() in data or secret[1:].encode() in data for data in files), secret
    assert journal_url.startswith("postgresql") or files


def test_a_reader_makes_no_database(tmp_path: Path) -> None:
    """Whoever looks for a journal that is not there is told so, and leaves no empty one behind."""
    reader = database.reading(f"sqlite:///{tmp_path / 'none.db'}")
    with pytest.raises(Exception, match="unable to open"):
        all_of(reader, REQUESTS)
    assert not list(tmp_path.iterdir())


def test_a_return_names_its_sale(engine: Engine, writer: Writer) -> None:
    """By its order or by its receipt."""
    sale, receipt = uuid4(), uuid4()
    for number, named in enumerate(({"orderUuid": str(sale)}, {"receiptId": str(receipt)})):
        body = a_body(id=f"r{number}", data__operation="RETURN", data__returnOf=named)
        writer.write(rows_of_request(body, NOW))
    rows = all_of(engine, REQUESTS)
    assert {row["return_of_order"] for row in rows} == {sale, None}
    assert {row["return_of_receipt"] for row in rows} == {UUID(str(receipt)), None}


def test_payments_of_a_chain(engine: Engine, writer: Writer) -> None:
    """An advance is its own money, with the chain that it belongs to; its return has all receipts."""
    advance = json.loads((CONTRACT / "prepayment" / "1.advance.json").read_text())
    back = json.loads((CONTRACT / "prepayment" / "4.return.json").read_text())
    for message in (advance, back):
        writer.write(rows_of_request(json.dumps(message).encode(), NOW))
    for name, request in (("succeeded.advance", advance), ("succeeded.chain_returned", back)):
        event = json.loads((CONTRACT / "events" / f"{name}.json").read_text())
        event["data"] |= {"requestId": request["id"], "requestSource": request["source"]}
        writer.write(rows_of_event(json.dumps(event).encode(), NOW))
    asked = {row["operation"]: row for row in all_of(engine, REQUESTS)}
    assert asked["PREPAYMENT"]["payment_uuid"] == UUID(advance["data"]["paymentUuid"])
    assert asked["PREPAYMENT_RETURN"]["return_of_order"] == UUID(back["data"]["returnOf"]["orderUuid"])
    receipts = all_of(engine, RECEIPTS)
    assert [row["operation"] for row in receipts].count("PREPAYMENT_RETURN") == 3
    assert all(row["relation"] for row in receipts)
    (paid,) = [row for row in receipts if row["operation"] == "PREPAYMENT"]
    assert paid["total"] == 2000_00
    assert len(json.loads(paid["means"])[0]) == 2


def test_a_database_that_lost_its_tables_loses_no_row(engine: Engine, writer: Writer) -> None:
    """It is no fault of the rows: they are refused as a whole, and written once the schema is there again."""
    writer.write(rows_of_request(a_body(), NOW))
    METADATA.drop_all(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
    rows = rows_of_request(a_body(id="request-2"), NOW)
    with pytest.raises(DBAPIError):
        writer.write(rows)
    writer.write(rows)
    assert counts(engine) == [1, 0, 0]
