"""The sums of a day, and its file for the accountant."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from config.settings import load
from tests.builders import a_body
from tests.journal.messages import issue
from worker.journal.day import Sums, day_as_csv, day_of, sums_of_shifts
from worker.journal.heard import rows_of_request
from worker.journal.writer import Writer
from worker.operators.day import write_csv
from worker.operators.journal_access import JournalAway

DAY = date(2026, 11, 24)


def test_sums_by_integration_cashier_and_means(engine: Engine, writer: Writer) -> None:
    """Midnight is Kyiv's, change is not counted, and a receipt is counted once however often it is told."""
    issue(writer, 1)
    issue(writer, 2, [{"form": "CASH", "amount": "500.00"}])
    issue(
        writer,
        3,
        [{"form": "CASH", "amount": "70.00"}, {"form": "CASHLESS", "label": "Картка", "amount": "200.00"}],
    )
    issue(writer, 4, operation="RETURN")
    issue(writer, 5, cashier="petro", at="2026-11-23T22:00:00Z")
    issue(writer, 6, cashier="too early", at="2026-11-23T21:59:59Z")
    issue(writer, 7, cashier="petro", at="2026-11-24T21:59:59Z")
    issue(writer, 8, cashier="too late", at="2026-11-24T22:00:00Z")
    issue(writer, 1, alreadyFiscalized=True)
    day = day_of(engine, DAY)
    assert day.sums == Sums(5, 1350_00, 1, 270_00)
    olena, petro = day.cashiers
    assert (olena.integration, olena.cashier, petro.cashier) == ("shop-main", "olena", "petro")
    assert olena.sums == Sums(3, 810_00, 1, 270_00)
    assert olena.means == {
        ("CASHLESS", "Картка"): Sums(2, 470_00, 1, 270_00),
        ("CASH", "Готівка"): Sums(2, 340_00),
    }
    assert petro.sums == Sums(2, 540_00)
    assert day_of(engine, DAY, ["another"]).cashiers == []


def test_means_are_those_that_receipts_print(engine: Engine, writer: Writer) -> None:
    """A label outside the list is the form's own there, and the list's spelling leads: so do the sums."""
    labels = ["Картка", "картка", "Oksana 0509998877", None, "Інтернет банкінг", "Передплата"]
    for number, label in enumerate(labels):
        issue(writer, number, [{"form": "CASHLESS", "label": label, "amount": "270.00"}])
    parts = [("CASH", "у касі", "70.00"), ("CASHLESS", "дівчина в синьому", "200.00")]
    issue(writer, 9, [{"form": form, "label": label, "amount": amount} for form, label, amount in parts])
    (cashier,) = day_of(engine, DAY).cashiers
    assert cashier.means == {
        ("CASHLESS", "Картка"): Sums(6, 1550_00),
        ("CASHLESS", "Інтернет банкінг"): Sums(1, 270_00),
        ("CASH", "Готівка"): Sums(1, 70_00),
    }


def test_sums_of_open_shifts(engine: Engine, writer: Writer) -> None:
    """Of each that is asked for, until a moment; one that the journal does not know has none."""
    issue(writer, 1, receipt__shiftId="open")
    issue(writer, 2, receipt__shiftId="open", operation="RETURN")
    issue(writer, 3, receipt__shiftId="open", at="2026-11-24T10:20:08Z")
    issue(writer, 4, receipt__shiftId="another")
    until = datetime(2026, 11, 24, 10, 20, 7, tzinfo=UTC)
    sums = sums_of_shifts(engine, ["open", "unknown"], until)
    assert sums == {"open": Sums(1, 270_00, 1, 270_00), "unknown": Sums()}


def test_payments_that_were_heard_apart_count_too(engine: Engine, writer: Writer) -> None:
    """Where two journals heard a request and its outcome at once, the request itself tells the payments."""
    issue(writer, 1)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE receipts SET means = NULL")
    (cashier,) = day_of(engine, DAY).cashiers
    assert cashier.means == {("CASHLESS", "Картка"): Sums(1, 270_00)}


def test_the_file_opens_in_excel(engine: Engine, writer: Writer) -> None:
    """By its mark Excel reads Cyrillic, the separators are its own, and no cell becomes a formula."""
    issue(writer, 1, docNumber="ЗП-1; «ї»")
    issue(writer, 2, docNumber="=HYPERLINK(1)", operation="RETURN")
    data = b"".join(day_as_csv(engine, DAY))
    assert data.startswith(b"\xef\xbb\xbf")
    head, first, second = csv.reader(data.decode("utf-8-sig").splitlines(), delimiter=";")
    assert head[:4] == ["Дата", "Час", "Інтеграція", "Касир"]
    assert first[:8] == [
        "24.11.2026", "12:20:07", "shop-main", "olena", "SELL", "ЗП-1; «ї»", "TEST-kV7DlT", "270,00",
    ]  # fmt: skip
    assert second[5] == "'=HYPERLINK(1)"
    assert (second[7], second[8]) == ("-270,00", "Картка -270,00")


def test_what_a_returned_chain_was_paid_by_is_its_receipts_to_say() -> None:
    """The message may name payments of all of them: no receipt takes those for its own."""
    body = a_body(
        data__operation="PREPAYMENT_RETURN",
        data__returnOf={"orderUuid": str(uuid4())},
        data__payments=[{"form": "CASH", "amount": "50.00"}, {"form": "CASHLESS", "amount": "220.00"}],
    )
    (row,) = rows_of_request(body, 0)
    assert row.values["means"] is None


def test_an_older_file_stays_where_the_journal_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FISCAL_JOURNAL_URL", f"sqlite:///{tmp_path}/not/there.db")
    file = tmp_path / "day.csv"
    file.write_text("of yesterday")
    with pytest.raises(JournalAway):
        write_csv(load(), DAY, set(), file)
    assert file.read_text() == "of yesterday"
