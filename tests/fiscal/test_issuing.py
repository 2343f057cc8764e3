"""One pass over a request: what is asked of Checkbox, in which order, and what comes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.builders import AN_ORDER, FIRST_SEEN, a_line, a_request, an_integration, an_order, issued
from tests.fiscal.fakes import NOW, FakeArchive, FakeCheckbox, FakeSessions, a_shift
from worker.fiscal.fiscalization import Fiscalization
from worker.fiscal.integrations import ShiftPolicy
from worker.fiscal.issuing import context_of
from worker.fiscal.order import Operation, Request, ReturnOf
from worker.fiscal.outcomes import Code, Fiscalized, IssuedReceipt, Postponed, Rejected, Unavailable, Verdict
from worker.fiscal.planner import plan
from worker.fiscal.ports import ReceiptExists, Refusal, Shift, ShiftExpired, ShiftNotOpened
from worker.fiscal.receipt import receipt_id
from worker.fiscal.trail import Trail

TRAIL = Trail(first_seen=NOW)
MANUAL = an_integration()
AUTO = an_integration(shifts=ShiftPolicy.AUTO)
REQUEST = a_request()
ARCHIVED = a_request(order=an_order(archived=True))
REDELIVERED = replace(TRAIL, look_up_first=True, redelivered=True)


class Story:
    """The story over the fake Checkbox; passes of one request go on where the last one ended."""

    def __init__(self, checkbox: FakeCheckbox | None = None, archive: FakeArchive | None = None) -> None:
        self.checkbox = checkbox or FakeCheckbox()
        self.archive = archive
        self.integration = MANUAL
        self.refusal: Rejected | None = None
        self.prevented = 0

    def once(self, request: Request = REQUEST, trail: Trail = TRAIL) -> Fiscalized:
        story = Fiscalization(
            lambda: {self.integration.id: self.integration},
            FakeSessions(self.checkbox, self.refusal),
            self.archive,
            lambda: self.checkbox.now,
            10.0,
            lambda _: None,
            self._prevented,
        )
        return story.fiscalize(request, trail)

    def verdict(self, request: Request = REQUEST, trail: Trail = TRAIL) -> Verdict:
        with pytest.raises(Verdict) as caught:
            self.once(request, trail)
        return caught.value

    def put_off(self, request: Request = REQUEST, trail: Trail = TRAIL) -> tuple[Postponed, Trail]:
        verdict = self.verdict(request, trail)
        assert isinstance(verdict, Postponed)
        return verdict, verdict.trail or trail

    def code(self, request: Request = REQUEST, trail: Trail = TRAIL) -> Code:
        verdict = self.verdict(request, trail)
        assert isinstance(verdict, Rejected), verdict
        return verdict.code

    def _prevented(self) -> None:
        self.prevented += 1


def made(request: Request = REQUEST, trail: Trail = TRAIL, **changes: Any) -> IssuedReceipt:
    """A receipt in the ledger, as an earlier pass over this request made it."""
    receipt = plan(request, MANUAL, FIRST_SEEN).receipt
    members = {
        "id": str(receipt_id(request.order.uuid, request.operation, 0)),
        "context": context_of(request, trail, receipt),
    }
    return issued(receipt, **{**members, **changes})


def ledger(*receipts: IssuedReceipt, **changes: Any) -> FakeCheckbox:
    return FakeCheckbox(receipts={receipt.id: receipt for receipt in receipts}, **changes)


def in_error(**more: Any) -> dict[str, Any]:
    return {"status": "ERROR", "fiscal_code": None, "error": "words", **more}


def test_the_usual_sale_costs_a_post_and_a_look() -> None:
    """It is sent at once, its number waited for, and one look ends it."""
    story = Story()
    wait, trail = story.put_off()
    assert (wait.reason, wait.after) == ("number", 2.0)
    story.checkbox.finish()
    done = story.once(trail=trail)
    assert (done.receipt.fiscal_code, done.already) == ("TEST-kV7DlT", False)
    assert story.checkbox.calls == ["shift", "sell", "look_up"]
    assert story.prevented == 0


def test_created_is_not_success() -> None:
    """A receipt without a number is looked at again, however often, and never posted twice."""
    story = Story()
    trail = TRAIL
    for _ in range(20):
        _, trail = story.put_off(trail=trail)
    assert story.checkbox.calls.count("sell") == 1


def test_an_offline_number_is_success_at_once() -> None:
    """Checkbox has given it out of its stock; the tax service gets to know later."""
    story = Story(ledger(made(status="CREATED", fiscal_code="TEST-offlin", offline=True)))
    assert story.once(trail=REDELIVERED).receipt.offline


@pytest.mark.parametrize(
    "trail",
    [REDELIVERED, replace(TRAIL, replays=1, look_up_first=True), TRAIL.after_fault()],
    ids=["redelivery", "replay", "retry"],
)
def test_whatever_may_have_been_sent_before_is_looked_up_first(trail: Trail) -> None:
    """And what is found is not made again."""
    story = Story(ledger(made()))
    assert story.once(trail=trail).receipt.is_numbered
    assert story.checkbox.calls == ["look_up"]
    assert story.prevented == 1


def test_a_lost_answer_leads_to_a_look_and_never_to_a_new_id() -> None:
    """The outcome was unknown; the look-up finds the receipt."""
    story = Story(FakeCheckbox(lost_answers=1, becomes="DONE"))
    assert isinstance(story.verdict(), Unavailable)
    assert story.once(trail=TRAIL.after_fault()).already is False
    assert len(story.checkbox.receipts) == 1


def test_a_second_press_of_the_button_is_told_as_such() -> None:
    """Same order, another request: the one receipt, marked as made before."""
    story = Story(ledger(made()))
    assert story.once(a_request(id="request-2")).already is True
    assert story.checkbox.calls == ["shift", "sell", "look_up"]
    assert story.prevented == 1


def test_a_receipt_with_other_content_is_no_success() -> None:
    """The order was changed after it was fiscalized."""
    story = Story(ledger(made()))
    changed = a_request(a_line(cost=1_000_000, amount=17_000), id="request-2")
    assert story.code(changed) is Code.RECEIPT_MISMATCH


def test_an_error_of_this_request_is_its_verdict() -> None:
    """Told with the tax service's words, and not tried again by itself."""
    story = Story(ledger(made(**in_error())))
    verdict = story.verdict(trail=REDELIVERED)
    assert isinstance(verdict, Rejected)
    assert (verdict.code, verdict.detail["words"]) == (Code.RECEIPT_REJECTED, "words")


@pytest.mark.parametrize(
    ("request_", "trail"),
    [(a_request(id="request-2"), TRAIL), (REQUEST, replace(TRAIL, replays=1, look_up_first=True))],
    ids=["asked again", "replayed"],
)
def test_an_error_of_before_is_walked_past(request_: Request, trail: Trail) -> None:
    """Asked again or replayed it is a new receipt, with the next id."""
    story = Story(ledger(made(**in_error()), becomes="DONE"))
    for _ in range(3):
        try:
            assert story.once(request_, trail).receipt.id == str(receipt_id(AN_ORDER, Operation.SELL, 1))
            break
        except Postponed as wait:
            trail = wait.trail or trail
    else:
        pytest.fail("it never ended")
    assert len(story.checkbox.receipts) == 2


def test_without_context_a_redelivery_takes_the_error_as_its_own() -> None:
    """Nothing else can be told, and a new receipt would be the dearer mistake."""
    story = Story(ledger(made(context={}, **in_error())))
    assert story.code(trail=REDELIVERED) is Code.RECEIPT_REJECTED


def test_an_id_that_another_organization_has_is_no_success() -> None:
    """Checkbox says that it exists, and shows none."""
    story = Story(FakeCheckbox(faults={"sell": [ReceiptExists()]}))
    assert story.code() is Code.RECEIPT_MISMATCH


OLD = a_shift(opened_at=NOW - 90_000)


def hindered(code: Code, receipts: FakeCheckbox) -> tuple[Story, Request]:
    """A story in which this verdict is due for an order without a receipt."""
    story = Story(receipts)
    match code:
        case Code.SHIFT_NOT_OPEN:
            receipts.current = None
        case Code.SHIFT_OPEN_OVER_24H:
            receipts.current = OLD
        case Code.REGISTER_BUSY:
            receipts.current = None
            receipts.faults["open_shift"] = [Rejected(Code.REGISTER_BUSY)]
            story.integration = AUTO
        case Code.ORDER_ARCHIVED:
            return story, ARCHIVED
    return story, REQUEST


REASONS = [Code.SHIFT_NOT_OPEN, Code.SHIFT_OPEN_OVER_24H, Code.REGISTER_BUSY, Code.ORDER_ARCHIVED]


@pytest.mark.parametrize("code", REASONS)
def test_a_reason_not_to_sell_is_told_after_a_look(code: Code) -> None:
    """There may be a receipt; where there is none, the reason is the verdict and nothing is sold."""
    story, request = hindered(code, FakeCheckbox())
    assert story.code(request) is code
    assert "look_up" in story.checkbox.calls
    assert "sell" not in story.checkbox.calls


@pytest.mark.parametrize("code", REASONS)
def test_a_receipt_that_exists_wins_over_the_reason(code: Code) -> None:
    """The order is fiscalized, whatever has become of shift, register and archive since."""
    story, request = hindered(code, ledger(made()))
    assert story.once(request).receipt.is_numbered


@pytest.mark.parametrize("shift", [OLD, None], ids=["over 24 hours", "none"])
def test_a_number_is_waited_for_whatever_the_shift_has_become(shift: Shift | None) -> None:
    """The receipt was posted before; nobody is told that nothing was sold."""
    story = Story(ledger(made(status="CREATED", fiscal_code=None)))
    story.checkbox.current = shift
    assert story.put_off(trail=replace(TRAIL, posted_at=NOW, look_up_first=True))[0].reason == "number"


@pytest.mark.parametrize("refusal", [ShiftNotOpened, ShiftExpired])
def test_checkbox_knows_better_what_the_shift_is_like(refusal: type[Refusal]) -> None:
    """A refused sale is looked into: here the shift was changed under it, and the sale goes on at once."""
    story = Story(FakeCheckbox(faults={"sell": [refusal()]}, becomes="DONE"))
    wait, trail = story.put_off()
    assert (wait.reason, wait.after) == ("shift_changed", 0.0)
    assert story.once(trail=trail).receipt.is_numbered


def test_a_register_over_its_rate_is_waited_for() -> None:
    """The pass ends without a thread waiting, and knows next time that it was promised a turn."""
    story = Story(FakeCheckbox(turn=3.5))
    wait, trail = story.put_off()
    assert (wait.reason, wait.after, trail.has_turn) == ("register_turn", 3.5, True)
    assert "sell" not in story.checkbox.calls


def test_those_who_wait_for_a_shift_stand_in_the_registers_row() -> None:
    """Three hundred do not all look again in the same second; who has his place keeps it."""
    story = Story(FakeCheckbox(current=a_shift(status="OPENING", opened_at=None), turn=42.0))
    story.integration = AUTO
    wait, trail = story.put_off()
    assert (wait.after, trail.has_turn) == (42.0, True)
    assert story.put_off(trail=trail)[0].after == 1.0


def test_refused_credentials_end_the_pass() -> None:
    """There is no way to look for a receipt."""
    story = Story()
    story.refusal = Rejected(Code.CASHIER_CREDENTIALS_REJECTED)
    assert story.code(ARCHIVED) is Code.CASHIER_CREDENTIALS_REJECTED


def test_bimp_is_asked_right_before_the_sale() -> None:
    """When the way is clear, and for no order that has its receipt."""
    archive = FakeArchive(False)
    story = Story(FakeCheckbox(becomes="DONE"), archive)
    story.once()
    story.once(trail=REDELIVERED)
    assert archive.asked == [AN_ORDER]


def test_what_bimp_has_archived_is_not_sold() -> None:
    """The order's own flag was older than the archive."""
    story = Story(archive=FakeArchive(True))
    assert story.code() is Code.ORDER_ARCHIVED
    assert story.checkbox.receipts == {}


def test_without_bimps_word_nothing_is_sold() -> None:
    """It is a fault that passes, not a verdict."""
    story = Story(archive=FakeArchive(Unavailable({"service": "archive_check"})))
    verdict = story.verdict()
    assert isinstance(verdict, Unavailable)
    assert verdict.detail == {"service": "archive_check"}
    assert story.checkbox.receipts == {}


def test_a_return_names_the_sale_it_undoes() -> None:
    """Its receipt is tied to the sale's."""
    sale = made()
    back = a_request(
        order=an_order(uuid=uuid4()),
        operation=Operation.RETURN,
        return_of=ReturnOf(order_uuid=AN_ORDER, receipt_id=None),
    )
    story = Story(ledger(sale, becomes="DONE"))
    done = story.once(back)
    assert (done.receipt.is_return, done.receipt.related_receipt_id) == (True, sale.id)
    assert UUID(done.receipt.id) == receipt_id(back.order.uuid, Operation.RETURN, 0)


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"integration": "typo"}, Code.UNKNOWN_INTEGRATION), ({"cashier": "typo"}, Code.UNKNOWN_CASHIER)],
)
def test_an_unknown_choice_asks_checkbox_for_nothing(changes: dict[str, str], code: Code) -> None:
    """The configuration alone decides."""
    story = Story()
    assert story.code(a_request(**changes)) is code
    assert story.checkbox.calls == []


def test_a_wait_hands_on_what_was_planned() -> None:
    """A pass that has the same request at hand plans nothing anew: the receipt that exists was made by it."""
    verdict, _ = Story().put_off()
    assert verdict.planned == plan(REQUEST, MANUAL, FIRST_SEEN)
