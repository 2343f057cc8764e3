"""One pass over a request: what is asked of Checkbox, in which order, and what comes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.builders import (
    AN_ORDER,
    FIRST_SEEN,
    a_line,
    a_request,
    a_tax,
    an_integration,
    an_order,
    configured,
    issued,
)
from tests.fiscal.fakes import NOW, FakeArchive, FakeCheckbox, FakeSessions, a_shift
from worker.fiscal.attempt_state import AttemptState
from worker.fiscal.context import context_of
from worker.fiscal.fiscalization import Fiscalization
from worker.fiscal.integrations import Integration, ShiftPolicy
from worker.fiscal.issuing import PassDependencies
from worker.fiscal.number_times import NumberTimes
from worker.fiscal.order import Buyer, Card, Operation, Payment, PaymentForm, Request, ReturnOf
from worker.fiscal.outcomes import Code, Fiscalized, IssuedReceipt, Postponed, Rejected, Unavailable, Verdict
from worker.fiscal.planner import plan
from worker.fiscal.ports import ReceiptExists, Refusal, Shift, ShiftExpired, ShiftNotOpened
from worker.fiscal.receipt import return_receipt_id, sale_receipt_id
from worker.fiscal.tax_rates import TaxRates

STATE = AttemptState(first_seen=NOW)
MANUAL = an_integration()
AUTO = an_integration(shifts=ShiftPolicy.AUTO)
REQUEST = a_request()
ARCHIVED = a_request(order=an_order(archived=True))
REDELIVERED = replace(STATE, look_up_first=True, redelivered=True)


class Scenario:
    """The scenario over the fake Checkbox; passes of one request go on where the last one ended."""

    def __init__(self, checkbox: FakeCheckbox | None = None, archive: FakeArchive | None = None) -> None:
        self.checkbox = checkbox or FakeCheckbox()
        self.archive = archive
        self.integration = MANUAL
        self.refusal: Rejected | None = None
        self.prevented = 0

    def once(self, request: Request = REQUEST, state: AttemptState = STATE) -> Fiscalized:
        scenario = Fiscalization(
            lambda: configured(self.integration),
            FakeSessions(self.checkbox, self.refusal),
            PassDependencies(
                archive=self.archive,
                clock=lambda: self.checkbox.now,
                monotonic=lambda: self.checkbox.now,
                return_wait=10.0,
                number_times=NumberTimes(),
                duplicate_prevented=self._prevented,
                warn=lambda _: None,
            ),
        )
        return scenario.fiscalize(request, state)

    def verdict(self, request: Request = REQUEST, state: AttemptState = STATE) -> Verdict:
        with pytest.raises(Verdict) as caught:
            self.once(request, state)
        return caught.value

    def rescheduled(
        self, request: Request = REQUEST, state: AttemptState = STATE
    ) -> tuple[Postponed, AttemptState]:
        verdict = self.verdict(request, state)
        assert isinstance(verdict, Postponed)
        return verdict, verdict.state or state

    def code(self, request: Request = REQUEST, state: AttemptState = STATE) -> Code:
        verdict = self.verdict(request, state)
        assert isinstance(verdict, Rejected), verdict
        return verdict.code

    def _prevented(self) -> None:
        self.prevented += 1


def made(request: Request = REQUEST, state: AttemptState = STATE, **changes: Any) -> IssuedReceipt:
    """A receipt in the ledger, as an earlier pass over this request made it."""
    receipt = plan(request, MANUAL, FIRST_SEEN).receipt
    members = {
        "id": str(sale_receipt_id(request.order.uuid, 0)),
        "context": context_of(request, state),
    }
    return issued(receipt, **{**members, **changes})


def ledger(*receipts: IssuedReceipt, **changes: Any) -> FakeCheckbox:
    return FakeCheckbox(receipts={receipt.id: receipt for receipt in receipts}, **changes)


def in_error(**more: Any) -> dict[str, Any]:
    return {"status": "ERROR", "fiscal_code": None, "error": "words", **more}


def test_the_usual_sale_costs_a_post_and_a_look() -> None:
    """It is sent at once, its number waited for, and one look ends it."""
    scenario = Scenario()
    wait, state = scenario.rescheduled()
    assert (wait.reason, wait.after) == ("number", 2.0)
    scenario.checkbox.finish()
    done = scenario.once(state=state)
    assert (done.receipt.fiscal_code, done.already) == ("TEST-kV7DlT", False)
    assert scenario.checkbox.calls == ["shift", "sell", "look_up"]
    assert scenario.prevented == 0


def test_created_is_not_success() -> None:
    """A receipt without a number is looked at again, however often, and never posted twice."""
    scenario = Scenario()
    state = STATE
    for _ in range(20):
        _, state = scenario.rescheduled(state=state)
    assert scenario.checkbox.calls.count("sell") == 1


def test_a_receipt_that_was_taken_and_is_not_shown_yet_is_waited_for() -> None:
    """Checkbox answered the POST, and a read lags behind; half a minute later the same id is posted again."""
    scenario = Scenario()
    _, state = scenario.rescheduled()
    taken = scenario.checkbox.receipts.popitem()
    for seconds in (0, 29):
        scenario.checkbox.now = NOW + seconds
        wait, state = scenario.rescheduled(state=state)
        assert wait.reason == "number"
    scenario.checkbox.now = NOW + 30
    scenario.checkbox.becomes = "DONE"
    assert scenario.once(state=state).receipt.id == taken[0]
    assert scenario.checkbox.calls.count("sell") == 2


def test_an_offline_number_is_success_at_once() -> None:
    """Checkbox has given it out of its stock; the tax service gets to know later."""
    scenario = Scenario(ledger(made(status="CREATED", fiscal_code="TEST-offlin", offline=True)))
    assert scenario.once(state=REDELIVERED).receipt.offline


@pytest.mark.parametrize(
    "state",
    [REDELIVERED, replace(STATE, replays=1, look_up_first=True), STATE.after_fault()],
    ids=["redelivery", "replay", "retry"],
)
def test_whatever_may_have_been_sent_before_is_looked_up_first(state: AttemptState) -> None:
    """And what is found is not made again."""
    scenario = Scenario(ledger(made()))
    assert scenario.once(state=state).receipt.is_numbered
    assert scenario.checkbox.calls == ["look_up"]
    assert scenario.prevented == 1


def test_a_lost_answer_leads_to_a_look_and_never_to_a_new_id() -> None:
    """The outcome was unknown; the look-up finds the receipt."""
    scenario = Scenario(FakeCheckbox(lost_answers=1, becomes="DONE"))
    assert isinstance(scenario.verdict(), Unavailable)
    assert scenario.once(state=STATE.after_fault()).already is False
    assert len(scenario.checkbox.receipts) == 1


def test_a_second_press_of_the_button_is_told_as_such() -> None:
    """Same order, another request: the one receipt, marked as made before."""
    scenario = Scenario(ledger(made()))
    assert scenario.once(a_request(id="request-2")).already is True
    # The last look is for a return of the sale.
    assert scenario.checkbox.calls == ["shift", "sell", "look_up", "look_up"]
    assert scenario.prevented == 1


def test_a_receipt_with_other_content_is_no_success() -> None:
    """The order was changed after it was fiscalized."""
    scenario = Scenario(ledger(made()))
    changed = a_request(a_line(cost=1_000_000, amount=17_000), id="request-2")
    assert scenario.code(changed) is Code.RECEIPT_MISMATCH


def test_an_error_of_this_request_is_its_verdict() -> None:
    """Told with the tax service's words, and not tried again by itself."""
    scenario = Scenario(ledger(made(**in_error())))
    verdict = scenario.verdict(state=REDELIVERED)
    assert isinstance(verdict, Rejected)
    assert (verdict.code, verdict.detail["words"]) == (Code.RECEIPT_REJECTED, "words")


@pytest.mark.parametrize(
    ("request_", "state"),
    [(a_request(id="request-2"), STATE), (REQUEST, replace(STATE, replays=1, look_up_first=True))],
    ids=["asked again", "replayed"],
)
def test_an_error_of_before_is_walked_past(request_: Request, state: AttemptState) -> None:
    """Asked again or replayed it is a new receipt, with the next id."""
    scenario = Scenario(ledger(made(**in_error()), becomes="DONE"))
    for _ in range(3):
        try:
            assert scenario.once(request_, state).receipt.id == str(sale_receipt_id(AN_ORDER, 1))
            break
        except Postponed as wait:
            state = wait.state or state
    else:
        pytest.fail("it never ended")
    assert len(scenario.checkbox.receipts) == 2


def test_a_receipt_that_is_being_cancelled_may_still_count() -> None:
    """Only its end says whether it does: until then it is neither success nor room for another receipt."""
    scenario = Scenario(ledger(made(status="CANCELLATION"), becomes="DONE"))
    asked_again = a_request(id="request-2")
    wait, state = scenario.rescheduled(asked_again)
    assert wait.reason == "number"
    assert len(scenario.checkbox.receipts) == 1
    scenario.checkbox.receipts = ledger(made()).receipts
    assert scenario.once(asked_again, state).already


def test_a_sale_whose_total_is_not_shown_was_not_returned_in_full() -> None:
    """Nothing given back is not all of it: with ``sellAgain`` the order would be sold twice."""
    scenario = Scenario(ledger(made(total=0), becomes="DONE"))
    assert scenario.once(a_request(id="request-2", sell_again=True)).already
    assert len(scenario.checkbox.receipts) == 1


def test_without_context_a_redelivery_takes_the_error_as_its_own() -> None:
    """Nothing else can be told, and a new receipt would be the dearer mistake."""
    scenario = Scenario(ledger(made(context={}, **in_error())))
    assert scenario.code(state=REDELIVERED) is Code.RECEIPT_REJECTED


def test_an_id_that_this_cashier_cannot_see_is_no_success() -> None:
    """Checkbox says that it exists, and shows none: for half a minute it may only be late."""
    scenario = Scenario(FakeCheckbox(faults={"sell": [ReceiptExists()]}))
    _, state = scenario.rescheduled()
    scenario.checkbox.now += 29
    assert scenario.rescheduled(state=state)[0].reason == "receipt_not_shown_yet"
    scenario.checkbox.now += 1
    verdict = scenario.verdict(state=state)
    assert isinstance(verdict, Rejected)
    assert (verdict.code, verdict.receipt_made) == (Code.RECEIPT_MISMATCH, None)
    assert scenario.checkbox.calls.count("sell") == 1


def test_a_receipt_that_is_shown_late_is_found() -> None:
    """The second press heard that the id is taken a moment before the receipt could be read."""
    scenario = Scenario(FakeCheckbox(faults={"sell": [ReceiptExists()]}))
    _, state = scenario.rescheduled(a_request(id="request-2"))
    scenario.checkbox.receipts = ledger(made()).receipts
    assert scenario.once(a_request(id="request-2"), state).already


def test_there_is_no_final_none_while_a_post_may_still_land() -> None:
    """The answer was lost and the order archived meanwhile: one look that finds nothing proves nothing."""
    scenario = Scenario()
    lost = replace(STATE, look_up_first=True, unknown_since=NOW)
    wait, state = scenario.rescheduled(ARCHIVED, lost)
    assert wait.reason == "receipt_may_appear"
    scenario.checkbox.now += 30
    verdict = scenario.verdict(ARCHIVED, state)
    assert isinstance(verdict, Rejected)
    assert (verdict.code, verdict.receipt_made) == (Code.ORDER_ARCHIVED, False)


def test_a_redelivery_may_have_posted_until_just_now() -> None:
    """Its first pass cannot know; the clock that wrote an earlier time may have been ahead as well."""
    scenario = Scenario()
    assert scenario.rescheduled(ARCHIVED, REDELIVERED)[1].unknown_since == NOW
    ahead = replace(STATE, look_up_first=True, unknown_since=NOW + 3600)
    assert scenario.rescheduled(ARCHIVED, ahead)[1].unknown_since == NOW


def test_the_receipt_of_this_very_request_is_never_in_doubt() -> None:
    """The tax table lost its rate while the number was awaited: the receipt exists, and is the answer."""
    scenario = Scenario(FakeCheckbox())
    _, state = scenario.rescheduled()
    scenario.checkbox.finish()
    scenario.integration = an_integration(tax_rates=TaxRates({}, not_accountable=None))
    assert scenario.once(state=state).already is False
    assert scenario.once(state=REDELIVERED).already is False
    assert scenario.code() is Code.TAX_RATE_NOT_MAPPED


def test_the_receipt_of_this_very_request_is_not_compared() -> None:
    """Its message came again with other lines: what was made is the answer, and no mismatch."""
    scenario = Scenario(ledger(made()))
    changed = a_request(a_line(cost=1_000_000, amount=17_000))
    assert scenario.once(changed, REDELIVERED).already is False
    assert scenario.code(replace(changed, id="request-2"), REDELIVERED) is Code.RECEIPT_MISMATCH


def test_words_about_a_receipt_may_repeat_nothing_of_its_request() -> None:
    """Checkbox's reason for an ERROR may quote card or buyer, where the answer itself does not show them."""
    card = Card(mask="4149********1234", rrn="030400000001", auth_code="77A31Z")
    paid = Payment(PaymentForm.CASHLESS, 27_000, "Картка", card)
    buyer = Buyer(email="buyer@example.com", phone="+380671234567")
    scenario = Scenario()
    scenario.rescheduled(a_request(payments=(paid,), buyer=buyer), REDELIVERED)
    assert set(scenario.checkbox.secrets) == {card.mask, card.rrn, card.auth_code, buyer.email, buyer.phone}


@pytest.mark.parametrize("lost", ["integration", "password", "token"])
def test_what_fails_after_the_post_is_not_told_as_if_nothing_was_sold(lost: str) -> None:
    """The event says that a receipt was made, so that nobody sells by hand."""
    scenario = Scenario()
    _, state = scenario.rescheduled()
    if lost == "integration":
        scenario.integration = an_integration(id="renamed")
    elif lost == "password":
        scenario.refusal = Rejected(Code.CASHIER_CREDENTIALS_REJECTED)
    else:
        scenario.checkbox.faults["look_up"] = [Rejected(Code.CASHIER_CREDENTIALS_REJECTED)]
    verdict = scenario.verdict(state=state)
    assert isinstance(verdict, Rejected)
    assert verdict.receipt_made is True


@pytest.mark.parametrize("integration", [MANUAL, AUTO], ids=["manual", "auto"])
def test_nobody_was_asked_at_a_first_refusal_by_the_message(integration: Integration) -> None:
    """There is nothing to tell of a receipt."""
    scenario = Scenario()
    scenario.integration = integration
    assert scenario.verdict(a_request(cashier="nobody")).receipt_made is None


@pytest.mark.parametrize("state", [STATE, REDELIVERED], ids=["first", "redelivered"])
def test_another_currency_is_told_before_anybody_is_asked(state: AttemptState) -> None:
    """Also of a request that may have sold before, where the other verdicts of the plan wait for a look."""
    scenario = Scenario()
    assert scenario.code(a_request(order=an_order(currency="EUR", total=1)), state) is (
        Code.CURRENCY_NOT_SUPPORTED
    )
    assert scenario.checkbox.calls == []


def whole_return(sale: IssuedReceipt, **changes: Any) -> IssuedReceipt:
    back = made(REQUEST, is_return=True, related_receipt_id=sale.id)
    members: dict[str, Any] = {
        "id": str(return_receipt_id(sale.id, 0)),
        "context": {"document": str(uuid4())},
    }
    return replace(back, **{**members, **changes})


def test_a_sale_that_was_returned_in_full_is_not_told_as_fiscalized() -> None:
    """Without ``sellAgain`` nothing is sold; corrected or not, the sale is not compared."""
    sale = made()
    scenario = Scenario(ledger(sale, whole_return(sale)))
    pressed = a_request(a_line(count=1_000, discount=0, amount=15_000), id="request-2")
    verdict = scenario.verdict(pressed)
    assert isinstance(verdict, Postponed)
    verdict = scenario.verdict(pressed, verdict.state or STATE)
    assert isinstance(verdict, Rejected)
    assert (verdict.code, verdict.receipt_made) == (Code.RECEIPT_RETURNED, False)
    assert "sell" not in scenario.checkbox.calls[2:]


def test_a_sale_that_was_returned_in_full_is_sold_anew_by_who_says_so() -> None:
    """With what the message says now, under the next id; and its own request is told of the old one."""
    sale = made()
    scenario = Scenario(ledger(sale, whole_return(sale), becomes="DONE"))
    again = a_request(a_line(count=1_000, discount=0, amount=15_000), id="request-2", sell_again=True)
    _, state = scenario.rescheduled(again)
    assert scenario.once(again, state).receipt.id == str(sale_receipt_id(AN_ORDER, 1))
    assert scenario.once(state=REDELIVERED).receipt.id == sale.id


def test_goods_that_came_back_at_the_till_count_for_who_says_sell_again() -> None:
    """Without ``sellAgain`` the worker's own returns alone do: the sale stands."""
    sale = made()
    till = whole_return(sale, id=str(uuid4()), context={})
    pressed = a_request(id="request-2")
    scenario = Scenario(ledger(sale, till, becomes="DONE"))
    assert scenario.once(pressed).receipt.id == sale.id
    again = replace(pressed, id="request-3", sell_again=True)
    _, state = scenario.rescheduled(again)
    assert scenario.once(again, state).receipt.id == str(sale_receipt_id(AN_ORDER, 1))


def test_a_return_that_waits_for_its_number_is_waited_for() -> None:
    """It may be refused yet, and then the sale stands."""
    sale = made()
    scenario = Scenario(ledger(sale, whole_return(sale, status="CREATED", fiscal_code=None)))
    assert scenario.rescheduled(a_request(id="request-2"), replace(STATE, look_up_first=True))[0].reason == (
        "return_of_sale"
    )


OLD = a_shift(opened_at=NOW - 90_000)


def hindered(code: Code, receipts: FakeCheckbox) -> tuple[Scenario, Request]:
    """A scenario in which this verdict is due for an order without a receipt."""
    scenario = Scenario(receipts)
    match code:
        case Code.SHIFT_NOT_OPEN:
            receipts.current = None
        case Code.SHIFT_OPEN_OVER_24H:
            receipts.current = OLD
        case Code.REGISTER_BUSY:
            receipts.current = None
            receipts.faults["open_shift"] = [Rejected(Code.REGISTER_BUSY)]
            scenario.integration = AUTO
        case Code.TAX_RATE_MISMATCH:
            receipts.taxes = [a_tax(1, 7)]
        case Code.ORDER_ARCHIVED:
            return scenario, ARCHIVED
    return scenario, REQUEST


REASONS = [
    Code.SHIFT_NOT_OPEN,
    Code.SHIFT_OPEN_OVER_24H,
    Code.REGISTER_BUSY,
    Code.TAX_RATE_MISMATCH,
    Code.ORDER_ARCHIVED,
]


@pytest.mark.parametrize("code", REASONS)
def test_a_reason_not_to_sell_is_told_after_a_look(code: Code) -> None:
    """There may be a receipt; where there is none, the reason is the verdict and nothing is sold."""
    scenario, request = hindered(code, FakeCheckbox())
    assert scenario.code(request) is code
    assert "look_up" in scenario.checkbox.calls
    assert "sell" not in scenario.checkbox.calls


@pytest.mark.parametrize("code", REASONS)
def test_a_receipt_that_exists_wins_over_the_reason(code: Code) -> None:
    """The order is fiscalized, whatever has become of shift, register and archive since."""
    scenario, request = hindered(code, ledger(made()))
    assert scenario.once(request).receipt.is_numbered


@pytest.mark.parametrize("code", REASONS)
def test_a_returned_sale_is_told_before_the_shift_and_the_tax_table(code: Code) -> None:
    """Only an order that is archived by the message is told earlier."""
    sale = made(a_request(id="request-0"))
    scenario, request = hindered(code, ledger(sale, whole_return(sale)))
    expected = Code.ORDER_ARCHIVED if code is Code.ORDER_ARCHIVED else Code.RECEIPT_RETURNED
    assert scenario.code(request) is expected
    scenario, request = hindered(code, ledger(sale, whole_return(sale)))
    assert scenario.code(replace(request, sell_again=True)) is code


@pytest.mark.parametrize("shift", [OLD, None], ids=["over 24 hours", "none"])
def test_a_number_is_waited_for_whatever_the_shift_has_become(shift: Shift | None) -> None:
    """The receipt was posted before; nobody is told that nothing was sold."""
    scenario = Scenario(ledger(made(status="CREATED", fiscal_code=None)))
    scenario.checkbox.current = shift
    assert scenario.rescheduled(state=replace(STATE, posted_at=NOW, look_up_first=True))[0].reason == "number"


@pytest.mark.parametrize("refusal", [ShiftNotOpened, ShiftExpired])
def test_checkbox_knows_better_what_the_shift_is_like(refusal: type[Refusal]) -> None:
    """A refused sale is looked into: here the shift was changed under it, and the sale goes on at once."""
    scenario = Scenario(FakeCheckbox(faults={"sell": [refusal()]}, becomes="DONE"))
    wait, state = scenario.rescheduled()
    assert (wait.reason, wait.after) == ("shift_changed", 0.0)
    assert scenario.once(state=state).receipt.is_numbered


def test_a_register_over_its_rate_is_waited_for() -> None:
    """The pass ends without a thread waiting, and knows next time that a permit is reserved."""
    scenario = Scenario(FakeCheckbox(permit_after=3.5))
    wait, state = scenario.rescheduled()
    assert (wait.reason, wait.after, state.has_reserved) == ("rate_limit", 3.5, True)
    assert "sell" not in scenario.checkbox.calls


def test_those_who_wait_for_a_shift_stand_in_the_registers_row() -> None:
    """Three hundred do not all look again in the same second; who has his place keeps it."""
    scenario = Scenario(FakeCheckbox(current=a_shift(status="OPENING", opened_at=None), permit_after=42.0))
    scenario.integration = AUTO
    wait, state = scenario.rescheduled()
    assert (wait.after, state.has_reserved) == (42.0, True)
    assert scenario.rescheduled(state=state)[0].after == 1.0


def test_refused_credentials_end_the_pass() -> None:
    """There is no way to look for a receipt."""
    scenario = Scenario()
    scenario.refusal = Rejected(Code.CASHIER_CREDENTIALS_REJECTED)
    assert scenario.code(ARCHIVED) is Code.CASHIER_CREDENTIALS_REJECTED


def test_bimp_is_asked_right_before_the_sale() -> None:
    """When the way is clear, and for no order that has its receipt."""
    archive = FakeArchive(False)
    scenario = Scenario(FakeCheckbox(becomes="DONE"), archive)
    scenario.once()
    scenario.once(state=REDELIVERED)
    assert archive.asked == [AN_ORDER]


def test_what_bimp_has_archived_is_not_sold() -> None:
    """The order's own flag was older than the archive."""
    scenario = Scenario(archive=FakeArchive(True))
    assert scenario.code() is Code.ORDER_ARCHIVED
    assert scenario.checkbox.receipts == {}


def test_without_bimps_word_nothing_is_sold() -> None:
    """It is a fault that passes, not a verdict."""
    scenario = Scenario(archive=FakeArchive(Unavailable({"service": "archive_check"})))
    verdict = scenario.verdict()
    assert isinstance(verdict, Unavailable)
    assert verdict.detail == {"service": "archive_check"}
    assert scenario.checkbox.receipts == {}


BACK = a_request(
    order=an_order(uuid=uuid4()),
    operation=Operation.RETURN,
    return_of=ReturnOf(order_uuid=AN_ORDER, receipt_id=None),
)


def test_a_return_names_the_sale_it_undoes() -> None:
    """Its receipt is tied to the sale's; by the time of the sale Checkbox finds an old one."""
    sale = made(created_at="2025-01-31T10:20:05Z")
    scenario = Scenario(ledger(sale, becomes="DONE"))
    done = scenario.once(BACK)
    assert (done.receipt.is_return, done.receipt.related_receipt_id) == (True, sale.id)
    assert scenario.checkbox.sold[0].related_receipt_created_at == "2025-01-31T10:20:05Z"
    assert UUID(done.receipt.id) == return_receipt_id(sale.id, 0)


def test_a_prepayment_that_was_the_sale_is_found_where_prepayments_were_switched_off() -> None:
    """A request that may have sold before is looked up, as the sale that it was."""
    paid_in_full = a_request(operation=Operation.PREPAYMENT, payment_uuid=uuid4())
    scenario = Scenario(ledger(made()))
    assert scenario.code(paid_in_full) is Code.PREPAYMENT_MISMATCH
    assert scenario.checkbox.calls == []
    assert scenario.once(paid_in_full, REDELIVERED).receipt.id == str(sale_receipt_id(AN_ORDER, 0))
    seen = replace(STATE, look_up_first=True)
    assert Scenario().code(paid_in_full, seen) is Code.PREPAYMENT_MISMATCH


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"integration": "typo"}, Code.UNKNOWN_INTEGRATION), ({"cashier": "typo"}, Code.UNKNOWN_CASHIER)],
)
def test_an_unknown_choice_asks_checkbox_for_nothing(changes: dict[str, str], code: Code) -> None:
    """The configuration alone decides."""
    scenario = Scenario()
    assert scenario.code(a_request(**changes)) is code
    assert scenario.checkbox.calls == []


def test_bimp_is_never_asked_whether_a_return_is_archived() -> None:
    """Its endpoint knows orders; the return's own document is archived by its message alone."""
    archive = FakeArchive(True)
    scenario = Scenario(ledger(made(), becomes="DONE"), archive)
    assert scenario.once(BACK).receipt.is_return
    assert archive.asked == []


def test_a_return_takes_the_registers_turn_after_it_has_read() -> None:
    """A permit that is held while a search goes on is lost to all for a minute."""
    scenario = Scenario(ledger(made(), permit_after=3.5))
    assert scenario.rescheduled(BACK)[0].reason == "rate_limit"
    assert "search_returns" in scenario.checkbox.calls


@pytest.mark.parametrize("is_first", [True, False], ids=["in the first pass", "in the last"])
def test_a_search_that_is_not_through_is_gone_on_with(is_first: bool) -> None:
    """Not all seen is never none: the next pass goes on where this one ended, and keeps what that saw."""
    sale = made()
    strangers = [replace(made(), id=str(uuid4()), context={}) for _ in range(7)]
    till = whole_return(sale, context={}, id=str(uuid4()))
    listed = [till, sale, *strangers] if is_first else [sale, *strangers, till]
    scenario = Scenario(ledger(*listed, seen_at_once=3))
    state, reasons = STATE, []
    for _ in range(2):
        wait, state = scenario.rescheduled(BACK, state)
        reasons.append(wait.reason)
    verdict = scenario.verdict(BACK, state)
    assert reasons == ["returns_searched"] * 2
    assert isinstance(verdict, Rejected)
    assert verdict.code is Code.RETURN_WITHOUT_SALE


def test_an_own_refusal_of_a_return_is_its_verdict() -> None:
    """Asked again it takes the next place."""
    sale = made()
    refused = whole_return(sale, context=context_of(BACK, STATE), **in_error())
    scenario = Scenario(ledger(sale, refused, becomes="DONE"))
    assert scenario.code(BACK, replace(STATE, look_up_first=True)) is Code.RECEIPT_REJECTED
    again = replace(BACK, id="return-2")
    assert scenario.once(again).receipt.id == str(return_receipt_id(sale.id, 1))


def test_a_return_whose_document_is_not_shown_stops_one_of_the_same_content() -> None:
    """It may be this very document's: a person compares."""
    sale = made()
    scenario = Scenario(ledger(sale, whole_return(sale, context={}), becomes="DONE"))
    verdict = scenario.verdict(BACK)
    assert isinstance(verdict, Rejected)
    assert (verdict.code, verdict.receipt_made) == (Code.RECEIPT_MISMATCH, None)


def test_a_return_that_overtakes_its_sale_waits_from_its_first_look() -> None:
    """Then there is no sale; the time that it stood in a queue does not count."""
    scenario = Scenario()
    wait, state = scenario.rescheduled(BACK)
    assert (wait.reason, state.sale_awaited_since) == ("sale_of_return", NOW)
    scenario.checkbox.now += 9.9
    scenario.rescheduled(BACK, state)
    scenario.checkbox.now += 0.1
    verdict = scenario.verdict(BACK, state)
    assert isinstance(verdict, Rejected)
    assert verdict.code is Code.RETURN_WITHOUT_SALE
    assert verdict.detail["returnOf"] == {"orderUuid": str(AN_ORDER), "receiptId": None}


def test_the_row_at_the_register_does_not_count_as_a_wait_for_the_sale() -> None:
    """The sale may stand in it: a return that came right behind it is not refused for a busy register."""
    scenario = Scenario(FakeCheckbox(permit_after=25.0))
    wait, state = scenario.rescheduled(BACK)
    assert (wait.reason, wait.after, state.sale_awaited_since) == ("sale_of_return", 25.0, NOW + 25)
    scenario.checkbox.now += 34
    scenario.rescheduled(BACK, state)
    scenario.checkbox.now += 1
    assert scenario.code(BACK, state) is Code.RETURN_WITHOUT_SALE


def test_a_sale_whose_number_is_on_its_way_is_waited_for() -> None:
    """Longer than for a sale that nobody has seen: it may be refused, and the money given for nothing."""
    scenario = Scenario(ledger(made(status="CREATED", fiscal_code=None)))
    assert (
        scenario.rescheduled(BACK, replace(STATE, sale_awaited_since=NOW - 3600))[0].reason
        == "sale_of_return"
    )


def test_a_return_is_no_sale_that_could_be_returned() -> None:
    """Given back once more, the goods of one sale would come back twice."""
    earlier = whole_return(made())
    scenario = Scenario(ledger(earlier))
    named = replace(BACK, return_of=ReturnOf(order_uuid=None, receipt_id=UUID(earlier.id)))
    assert scenario.code(named) is Code.RETURN_WITHOUT_SALE


def test_goods_go_back_with_the_taxes_of_their_sale() -> None:
    """The table has changed since."""
    sale = made()
    scenario = Scenario(ledger(sale, becomes="DONE"))
    scenario.integration = an_integration(tax_rates=TaxRates({}, not_accountable=None))
    back = scenario.once(BACK).receipt
    assert [tax.code for line in back.lines for tax in line.taxes or ()] == [1]
