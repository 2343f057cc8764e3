"""Who opens and closes shifts, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from tests.builders import FIRST_SEEN, a_request, an_integration
from tests.fiscal.fakes import DAY, NOW, REGISTER, FakeCheckbox, FakeSession, a_shift
from worker.checkbox.answers import moment
from worker.fiscal.integrations import Integration, ShiftPolicy
from worker.fiscal.outcomes import Code, Postponed, Rejected, Unavailable
from worker.fiscal.planner import plan
from worker.fiscal.ports import CashierHasShift, KeyRegister, Shift
from worker.fiscal.shifts import STUCK_AFTER, age, close, make_ready, seconds_to_closing

MANUAL = an_integration(shifts=ShiftPolicy.MANUAL)
AUTO = an_integration(shifts=ShiftPolicy.AUTO, rollover_after=timedelta(hours=23))
ROLLOVER = 23 * 3600.0


def opened(ago: float, **changes: object) -> Shift:
    return a_shift(opened_at=NOW - ago, **changes)


def ready(shift: Shift | None, integration: Integration = MANUAL) -> FakeCheckbox:
    checkbox = FakeCheckbox(current=shift)
    make_ready(FakeSession(checkbox), integration, NOW)
    return checkbox


@pytest.mark.parametrize("integration", [MANUAL, AUTO])
@pytest.mark.parametrize("ago", [0.0, 60.0, ROLLOVER - 1])
def test_an_open_shift_is_sold_in(integration: Integration, ago: float) -> None:
    """Young enough is good enough, and nothing but the shift is asked for."""
    assert ready(opened(ago), integration).calls == ["shift"]


@pytest.mark.parametrize("shift", [None, a_shift(status="CLOSED", opened_at=None), a_shift(status="CLOSING")])
def test_people_have_to_open_a_shift_of_theirs(shift: Shift | None) -> None:
    """Where shifts are people's nothing is opened, and the sentence says what to do."""
    with pytest.raises(Rejected) as caught:
        ready(shift)
    assert caught.value.code is Code.SHIFT_NOT_OPEN


def test_a_shift_that_people_are_opening_is_waited_for() -> None:
    """It takes the tax service two seconds."""
    with pytest.raises(Postponed):
        ready(a_shift(status="OPENING", opened_at=None))


@pytest.mark.parametrize(
    "shift",
    [opened(DAY), opened(DAY + 3600), opened(3 * DAY), opened(3600, expired=True)],
    ids=["to the second", "an hour over", "days over", "by Checkbox's word alone"],
)
def test_people_have_to_close_a_shift_that_is_too_old(shift: Shift) -> None:
    """By its age or by Checkbox's word, with the time of its opening and its age in the detail."""
    with pytest.raises(Rejected) as caught:
        ready(shift)
    assert caught.value.code is Code.SHIFT_OPEN_OVER_24H
    assert shift.opened_at is not None
    opened_at = moment(caught.value.detail["openedAt"])
    assert opened_at is not None
    assert opened_at.timestamp() == shift.opened_at
    assert caught.value.detail["ageHours"] == round((NOW - shift.opened_at) / 3600, 1)


def test_a_day_of_25_hours_is_no_excuse() -> None:
    """Kyiv, last Sunday of October: noon to noon on the clock is 25 hours, and too long."""
    before, after = moment("2026-10-24T12:00:00+03:00"), moment("2026-10-25T12:00:00+02:00")
    assert before is not None
    assert after is not None
    shift = a_shift(opened_at=before.timestamp())
    assert age(shift, after.timestamp()) == 25 * 3600
    with pytest.raises(Rejected) as caught:
        make_ready(FakeSession(FakeCheckbox(current=shift)), MANUAL, after.timestamp())
    assert caught.value.detail["openedAt"] == "2026-10-24T09:00:00Z"
    assert caught.value.detail["ageHours"] == 25.0


def test_the_worker_opens_a_shift_where_there_is_none() -> None:
    """The order waits for it, and the next look finds it open."""
    checkbox = FakeCheckbox(current=None)
    session = FakeSession(checkbox)
    with pytest.raises(Postponed):
        make_ready(session, AUTO, NOW)
    with pytest.raises(Postponed):
        make_ready(session, AUTO, NOW)
    assert checkbox.calls.count("open_shift") == 1
    checkbox.finish()
    make_ready(session, AUTO, NOW)


def test_whoever_was_faster_to_open_is_welcome() -> None:
    """«Касир вже працює з даною касою» after a race is success."""
    checkbox = FakeCheckbox(current=None, faults={"open_shift": [CashierHasShift()]})
    with pytest.raises(Postponed):
        make_ready(FakeSession(checkbox), AUTO, NOW)


@pytest.mark.parametrize("code", [Code.REGISTER_BUSY, Code.SHIFT_NOT_OPEN])
def test_an_opening_that_is_refused_is_told(code: Code) -> None:
    """Another cashier's shift, or the tax service's reason, is the verdict."""
    checkbox = FakeCheckbox(current=None, faults={"open_shift": [Rejected(code, {"reason": "words"})]})
    with pytest.raises(Rejected) as caught:
        make_ready(FakeSession(checkbox), AUTO, NOW)
    assert (caught.value.code, caught.value.detail) == (code, {"reason": "words"})


@pytest.mark.parametrize("status", ["CREATED", "OPENING", "CLOSING"])
def test_a_shift_between_two_states_is_waited_for(status: str) -> None:
    """Nothing is asked for meanwhile."""
    checkbox = FakeCheckbox(current=a_shift(status=status))
    with pytest.raises(Postponed):
        make_ready(FakeSession(checkbox), AUTO, NOW)
    assert checkbox.calls == ["shift"]


def test_sales_stop_some_seconds_before_the_shift_is_closed() -> None:
    """Calls that are under way anywhere come to their end, and the orders come back when it is time."""
    checkbox = FakeCheckbox(current=opened(ROLLOVER + 5))
    with pytest.raises(Postponed) as caught:
        make_ready(FakeSession(checkbox), AUTO, NOW)
    assert caught.value.after == 15.0
    assert checkbox.calls == ["shift"]


def test_an_old_shift_is_rolled_over() -> None:
    """Closed, then a new one opened, then sold in; no order is refused on the way."""
    checkbox = FakeCheckbox(current=opened(ROLLOVER + 60))
    session = FakeSession(checkbox)
    for _ in range(4):
        with pytest.raises(Postponed):
            make_ready(session, AUTO, NOW)
        checkbox.finish()
        if checkbox.current is not None and checkbox.current.id == "new-shift":
            break
    make_ready(session, AUTO, NOW)
    assert [call for call in checkbox.calls if call != "shift"] == [
        "youngest_unfinished",
        "close_shift",
        "open_shift",
    ]


def test_a_shift_that_checkbox_calls_too_old_is_closed_at_once() -> None:
    """There is no point in waiting for sales that it refuses."""
    assert seconds_to_closing(opened(3600, expired=True), ROLLOVER, NOW) == 0


def test_a_shift_with_an_unfinished_receipt_stays_open() -> None:
    """By Checkbox's own list."""
    shift = opened(ROLLOVER + 60)
    checkbox = FakeCheckbox(current=opened(60))
    session = FakeSession(checkbox)
    session.sell(uuid4(), plan(a_request(), AUTO, FIRST_SEEN).receipt, {})
    checkbox.current = shift
    assert close(session, shift, NOW) is False
    assert "close_shift" not in checkbox.calls
    checkbox.receipts = {key: replace(one, status="DONE") for key, one in checkbox.receipts.items()}
    assert close(session, shift, NOW) is True


def test_a_new_shift_is_not_closed_in_place_of_an_old_one() -> None:
    """Another process was faster: closing names no shift, so the last look decides."""
    checkbox = FakeCheckbox(current=opened(60, id="another"))
    assert close(FakeSession(checkbox), opened(ROLLOVER + 60), NOW) is False
    assert "close_shift" not in checkbox.calls


def test_a_receipt_that_is_stuck_holds_back_no_closing() -> None:
    """The day has to end by law. Until an hour has passed the receipt may still get its number."""
    shift = opened(ROLLOVER + 60)
    checkbox = FakeCheckbox(current=shift, now=NOW)
    session = FakeSession(checkbox)
    session.sell(uuid4(), plan(a_request(), AUTO, FIRST_SEEN).receipt, {})
    assert close(session, shift, NOW + STUCK_AFTER - 1) is False
    assert close(session, shift, NOW + STUCK_AFTER) is True


def test_the_youngest_unfinished_receipt_decides() -> None:
    """Beside one that is stuck another one may be under way."""
    shift = opened(ROLLOVER + 60)
    checkbox = FakeCheckbox(current=shift, now=NOW - 2 * STUCK_AFTER)
    session = FakeSession(checkbox)
    session.sell(uuid4(), plan(a_request(), AUTO, FIRST_SEEN).receipt, {})
    checkbox.now = NOW - 5
    session.sell(uuid4(), plan(a_request(), AUTO, FIRST_SEEN).receipt, {})
    assert close(session, shift, NOW) is False


def test_no_shift_is_opened_while_a_late_closing_may_arrive() -> None:
    """It would end the new shift: the orders wait instead."""
    checkbox = FakeCheckbox(current=None, rest=12.0)
    with pytest.raises(Postponed) as caught:
        make_ready(FakeSession(checkbox), AUTO, NOW)
    assert caught.value.after == 12.0
    assert "open_shift" not in checkbox.calls


ELSEWHERE = KeyRegister("7e83f1a0-0000-4000-8000-000000000002", "4000000002")


@pytest.mark.parametrize("integration", [MANUAL, AUTO])
@pytest.mark.parametrize("ago", [60.0, ROLLOVER + 60, 3 * DAY])
def test_a_shift_at_another_register_is_not_sold_in(integration: Integration, ago: float) -> None:
    """The row names a licence key: both registers are told, before the shift's age, and nothing is closed."""
    checkbox = FakeCheckbox(current=opened(ago), key_register=ELSEWHERE)
    with pytest.raises(Rejected) as caught:
        make_ready(FakeSession(checkbox), integration, NOW)
    assert caught.value.code is Code.WRONG_REGISTER
    assert caught.value.detail == {
        "shiftId": opened(ago).id,
        "shiftRegister": "TEST102567",
        "licenseKeyRegister": "4000000002",
    }
    assert set(checkbox.calls) == {"shift"}


def test_a_shift_at_another_register_is_never_closed() -> None:
    """Whoever asks: it was opened there by a person, or by another program."""
    shift = opened(ROLLOVER + 60)
    checkbox = FakeCheckbox(current=shift, key_register=ELSEWHERE)
    with pytest.raises(Rejected) as caught:
        close(FakeSession(checkbox), shift, NOW)
    assert caught.value.code is Code.WRONG_REGISTER
    assert "close_shift" not in checkbox.calls


@pytest.mark.parametrize("key", [KeyRegister(REGISTER.upper(), None), KeyRegister(None, "TEST102567"), None])
def test_a_shift_at_the_row_s_own_register_is_sold_in(key: KeyRegister | None) -> None:
    """By id, or by number where Checkbox tells no id; a row without a licence key names no register."""
    make_ready(FakeSession(FakeCheckbox(key_register=key)), MANUAL, NOW)


def test_registers_that_cannot_be_compared_are_a_doubt() -> None:
    """Nothing is sold on a guess."""
    checkbox = FakeCheckbox(current=a_shift(register_id=None), key_register=KeyRegister(REGISTER, None))
    with pytest.raises(Unavailable):
        make_ready(FakeSession(checkbox), MANUAL, NOW)
