"""Where an order stands, by what each source knows of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pika
import pytest
from sqlalchemy import Engine

from tests.builders import AN_ORDER, a_body
from tests.journal.messages import NOW, an_event
from worker.checkbox.receipt_search import FoundReceipt
from worker.fiscal.order import Operation
from worker.fiscal.outcomes import IssuedReceipt
from worker.journal import database
from worker.journal.finding import find
from worker.journal.heard import rows_of_event, rows_of_request
from worker.journal.writer import Writer
from worker.operators.dead_letters.next_steps import next_step
from worker.operators.explain.sources import Explanation
from worker.operators.explain.verdict import verdict
from worker.rabbit.dead_letter import DeadLetter

BACK = "00000000-0000-4000-8000-000000000077"
WAITING = {"reason": "its turn is awaited", "due": "2026-11-24T10:30:00Z"}
PAID = {"form": "CASHLESS", "amount": "100.00"}


def a_letter(code: str) -> DeadLetter:
    properties = pika.BasicProperties(headers={"x-fiscal-code": code})
    return DeadLetter.received(
        SimpleNamespace(exchange="", delivery_tag=1, redelivered=False), properties, b""
    )


def a_sale() -> FoundReceipt:
    numbered = SimpleNamespace(is_numbered=True, fiscal_code="F1")
    return FoundReceipt(Operation.SELL, cast(IssuedReceipt, numbered))


@pytest.mark.parametrize("code", ["CHECKBOX_UNAVAILABLE", "SHIFT_NOT_OPEN"])
def test_a_replay_finds_the_receipt(code: str) -> None:
    """Where a replay is what helps."""
    step = verdict(Explanation("D-1", letters=[a_letter(code)], receipts=[a_sale()]))[1]
    assert step == "Replay its letter: the receipt is found, and Bimp gets its event."


@pytest.mark.parametrize(
    "code",
    [
        "RECEIPT_MISMATCH",
        "TAX_RATE_MISMATCH",
        "PREPAYMENT_MISMATCH",
        "INVALID_MESSAGE",
        "RECEIPT_RETURNED",
        "?",
    ],
)
def test_a_receipt_beside_a_letter_that_people_decide_on(code: str) -> None:
    """Its own advice is given, whatever other letter is there too."""
    letters = [a_letter(code), a_letter("SHIFT_NOT_OPEN")]
    stands, step = verdict(Explanation("D-1", letters=letters, receipts=[a_sale()]))
    assert (stands, step) == ("fiscalized: SELL F1", next_step(code))


def test_a_receipt_beside_a_request_that_waits() -> None:
    """Both are told, and the waiting is what is next."""
    stands, step = verdict(Explanation("D-1", waiting=[WAITING], receipts=[a_sale()]))
    assert stands == "fiscalized: SELL F1; a request is on its way: its turn is awaited"
    assert step == "Wait: the worker looks again at 2026-11-24T10:30:00Z."


@pytest.fixture
def journal(tmp_path: Any) -> Engine:
    """A journal in a file; nothing is in it."""
    return database.writing(f"sqlite:///{tmp_path / 'journal.db'}")


def heard(engine: Engine, *told: tuple[str, str, dict[str, Any], dict[str, Any]]) -> tuple[str, str]:
    """The verdict on the order after these requests: id, outcome, what the body and the event change."""
    writer = Writer(engine)
    for minute, (request, outcome, body, event) in enumerate(told):
        writer.write(rows_of_request(a_body(id=request, **body), NOW + minute))
        at = f"2026-11-24T10:2{minute}:00Z"
        writer.write(rows_of_event(an_event(outcome, request, time=at, **event), NOW + minute))
    (found,) = find(engine, str(AN_ORDER))
    return verdict(Explanation(str(AN_ORDER), found=found))


def test_a_return_that_failed_is_another_document(journal: Engine) -> None:
    """The order itself is fiscalized as before."""
    returns = {
        "subject": BACK,
        "data__order__uuid": BACK,
        "data__operation": "RETURN",
        "data__returnOf": {"orderUuid": str(AN_ORDER)},
    }
    stands = heard(
        journal,
        ("Sale", "succeeded", {}, {"receipt__fiscalCode": "F1"}),
        ("Back", "failed", returns, {"order": BACK, "code": "SHIFT_NOT_OPEN"}),
    )
    assert stands == ("fiscalized, by the journal: F1", "Nothing.")
    (back,) = find(journal, BACK)
    assert verdict(Explanation(BACK, found=back))[0] == "failed SHIFT_NOT_OPEN, by the journal"


def test_a_second_request_that_failed_takes_no_receipt_away(journal: Engine) -> None:
    """Somebody pressed the button again."""
    stands = heard(
        journal,
        ("First", "succeeded", {}, {"receipt__fiscalCode": "F1"}),
        ("Again", "failed", {}, {"code": "RECEIPT_MISMATCH"}),
    )
    assert stands[0] == "fiscalized, by the journal: F1"


def test_each_prepayment_stands_by_itself(journal: Engine) -> None:
    """The receipt of one is none of the next; of one and the same it is."""
    first, second = (
        {
            "data__operation": "PREPAYMENT",
            "data__paymentUuid": str(UUID(int=number, version=4)),
            "data__payments": [PAID],
        }
        for number in (1, 2)
    )
    done, failed = {"receipt__fiscalCode": "F1"}, {"code": "SHIFT_NOT_OPEN"}
    stands = heard(journal, ("One", "succeeded", first, done), ("One again", "failed", first, failed))
    assert stands[0] == "fiscalized, by the journal: F1"
    stands = heard(
        journal,
        ("One", "succeeded", first, done),
        ("One again", "failed", first, failed),
        ("Two", "failed", second, failed),
    )
    assert stands[0] == "failed SHIFT_NOT_OPEN, by the journal"
