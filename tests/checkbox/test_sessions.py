"""Signing in, and what a process knows of a cashier's shift: against the sandbox."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from tests.checkbox.desk import DAY, KEY, OLENA, Desk
from tests.checkbox.receipts import CONTEXT, SALE
from tests.checkbox.scripted_server import ScriptedServer, answer
from worker.checkbox.client import CheckboxClient
from worker.checkbox.session import Session
from worker.checkbox.token import CashierToken
from worker.demo.sandbox_process import SandboxProcess
from worker.fiscal.integrations import Cashier, ShiftPolicy
from worker.fiscal.outcomes import Code, Postponed, Rejected, Unavailable
from worker.fiscal.ports import ShiftExpired, ShiftNotOpened
from worker.fiscal.shifts import make_ready

SIGN_IN = "POST /cashier/signin"
SIGN_IN_PIN = "POST /cashier/signinPinCode"
SHIFT = "GET /cashier/shift"
OPEN = "POST /shifts"
WRONG = replace(OLENA, password=SecretStr("wrong"))
BY_PIN = replace(OLENA, login=None, password=None, pin_code=SecretStr("4711"))


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxProcess]:
    with SandboxProcess(cashiers=1) as process:
        yield process


@pytest.fixture
def desk(running: SandboxProcess) -> Iterator[Desk]:
    with CheckboxClient() as client:
        yield Desk(running, client)


def sell(session: Session) -> None:
    session.sell(uuid4(), SALE, CONTEXT)


# Signing in


def test_threads_that_ask_at_once_sign_in_once(desk: Desk) -> None:
    """One has the session; the others are rescheduled, each to a moment of his own, and hold no thread."""
    desk.sandbox.set_options(latency=0.2)
    waits: list[float] = []
    ready = threading.Barrier(8)

    def ask() -> None:
        ready.wait()
        while True:
            try:
                with desk.enter() as session:
                    session.look_up(uuid4())
                return
            except Postponed as wait:
                waits.append(wait.after)
                time.sleep(0.02)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    desk.sandbox.set_options(latency=0.0)
    assert desk.asked(SIGN_IN) == 1
    assert len(set(waits[:7])) == 7


@pytest.mark.parametrize(
    ("row", "endpoint"), [(OLENA, SIGN_IN), (BY_PIN, SIGN_IN_PIN)], ids=["password", "pin"]
)
def test_both_ways_of_signing_in(desk: Desk, row: Cashier, endpoint: str) -> None:
    """Login and password, or PIN and licence key; one token serves all that follows."""
    desk.opened(hours_ago=1)
    for _ in range(3):
        with desk.enter(row) as session:
            sell(session)
    assert desk.asked(endpoint) == 1
    assert desk.asked(SIGN_IN) + desk.asked(SIGN_IN_PIN) == 1


def test_a_token_that_counts_no_longer_is_renewed(desk: Desk) -> None:
    """401 base.credentials in the midst of a sale: signed in once more, and the sale goes on."""
    desk.opened(hours_ago=1)
    with desk.enter() as session:
        sell(session)
        desk.sandbox.put_cashier("olena", sign_out=True)
        sell(session)
        sell(session)
    assert desk.asked(SIGN_IN) == 2
    assert len(desk.sandbox.ledger()) == 3


def test_nothing_is_sold_after_a_sign_in_that_took_long(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a return or a payment acts on was read before it, and may count no longer."""
    sign_in = CheckboxClient.sign_in

    def slow(*arguments: Any) -> str:
        desk.ahead += 1.0
        return sign_in(*arguments)

    desk.opened(hours_ago=1)
    with desk.enter() as session:
        sell(session)
        desk.sandbox.put_cashier("olena", sign_out=True)
        monkeypatch.setattr(CheckboxClient, "sign_in", slow)
        with pytest.raises(Postponed) as wait:
            sell(session)
        assert wait.value.reason == "read_too_long_ago"
        sell(session)
    assert len(desk.sandbox.ledger()) == 2


def test_a_token_outlives_a_call_that_failed(desk: Desk) -> None:
    """A fault of the first call after the sign-in is no reason to sign in again."""
    desk.sandbox.fault("html_503", endpoint=SHIFT, count=1)
    with desk.enter() as session:
        with pytest.raises(Unavailable):
            session.shift(DAY)
        session.shift(DAY)
    assert desk.asked(SIGN_IN) == 1


@pytest.mark.parametrize(
    ("row", "endpoint"),
    [
        (WRONG, SIGN_IN),
        (replace(BY_PIN, pin_code=SecretStr("0000")), SIGN_IN_PIN),
        (replace(BY_PIN, license_key=SecretStr("nobody's")), SIGN_IN_PIN),
    ],
    ids=["password", "pin", "licence key"],
)
def test_refused_credentials_are_remembered_for_five_seconds(desk: Desk, row: Cashier, endpoint: str) -> None:
    """A hundred queued orders of that cashier do not knock a hundred times."""
    for ahead, knocks in ((0.0, 1), (4.9, 1), (5.0, 2)):
        desk.ahead = ahead
        for _ in range(3):
            with desk.enter(row) as session, pytest.raises(Rejected) as caught:
                session.look_up(uuid4())
            assert caught.value.code is Code.CASHIER_CREDENTIALS_REJECTED
        assert desk.asked(endpoint) == knocks


def test_new_credentials_count_at_once(desk: Desk) -> None:
    """The configuration has changed: the old refusal says nothing of it."""
    with desk.enter(WRONG) as session, pytest.raises(Rejected):
        session.look_up(uuid4())
    with desk.enter(OLENA) as session:
        assert session.look_up(uuid4()) is None


def test_a_fresh_token_that_is_refused_ends_it(desk: Desk) -> None:
    """Nobody signs in for ever: once, and then a person has to look."""
    desk.sandbox.fault("token_revoked", endpoint="GET /receipts/{receipt_id}")
    with desk.enter() as session:
        for _ in range(2):
            with pytest.raises(Rejected) as caught:
                session.look_up(uuid4())
            assert caught.value.code is Code.CASHIER_CREDENTIALS_REJECTED
    assert desk.asked(SIGN_IN) == 1


def test_a_token_that_is_refused_in_words_nobody_has_seen_is_not_kept() -> None:
    """One order ends with it; the next one begins with a sign-in, and not with the same refusal."""
    signed_in, refused = answer(200, {"access_token": "t"}), answer(403, {"message": "Щось інше"})
    nothing = answer(404, {"message": "Чек не знайдено"})
    with CheckboxClient() as client, ScriptedServer(signed_in, refused, signed_in, nothing) as server:
        access = CashierToken(client, server.url, OLENA, time.monotonic)

        def look_up(token: str) -> Any:
            return client.receipt(server.url, token, uuid4())

        with pytest.raises(Rejected) as caught:
            access.call(look_up)
        assert caught.value.code is Code.CASHIER_CREDENTIALS_REJECTED
        assert access.call(look_up) is None


@pytest.mark.parametrize("changes", [{"id": "second"}, {"license_key": None}, {"name": "Каса 9"}])
def test_rows_with_one_login_share_a_session(desk: Desk, changes: dict[str, Any]) -> None:
    """Checkbox knows one cashier: one token, one shift, one call at a time."""
    with desk.enter() as session:
        session.look_up(uuid4())
        with pytest.raises(Postponed), desk.enter(replace(OLENA, **changes)):
            pass
    with desk.enter(replace(OLENA, **changes)) as session:
        session.look_up(uuid4())
    assert desk.asked(SIGN_IN) == 1


def test_a_cashier_in_use_holds_no_thread(desk: Desk) -> None:
    """The cashier's next orders are rescheduled, one after the other; another cashier is not touched."""
    other = replace(OLENA, login="c0001", password=SecretStr("secret-c0001"))
    with desk.enter() as _, desk.enter(other) as session:
        session.look_up(uuid4())
        waits = []
        for _ in range(3):
            with pytest.raises(Postponed) as caught, desk.enter():
                pass
            waits.append(caught.value.after)
    assert waits == sorted(set(waits))


# The shift


def test_an_open_shift_is_read_once(desk: Desk) -> None:
    """The usual sale costs one POST, and a look at the receipt."""
    desk.opened(hours_ago=1)
    for hour in range(20):
        desk.ahead = hour * 3600.0
        with desk.enter() as session:
            assert session.shift(DAY)
            sell(session)
    assert desk.asked(SHIFT) == 1


def test_a_shift_that_stands_in_the_way_is_believed_for_five_seconds(desk: Desk) -> None:
    """Then it is read anew: people may have closed it and opened another one."""
    desk.opened(hours_ago=25)
    for ahead, reads in ((0.0, 1), (4.9, 1), (5.0, 2)):
        desk.ahead = ahead
        with desk.enter() as session:
            session.shift(DAY)
        assert desk.asked(SHIFT) == reads
    desk.sandbox.close_shift("olena")
    desk.opened(hours_ago=0.1)
    desk.ahead = 10.0
    with desk.enter() as session:
        shift = session.shift(DAY)
        assert shift is not None
        assert shift.opened_at == pytest.approx(desk.began - 360)
        sell(session)


def test_a_shift_that_grew_old_meanwhile_is_read_anew(desk: Desk) -> None:
    """What was good for a day when it was read may be in the way by now."""
    desk.opened(hours_ago=22.5)
    with desk.enter() as session:
        session.shift(23 * 3600)
        desk.ahead = 3600.0
        session.shift(23 * 3600)
    assert desk.asked(SHIFT) == 2


def test_a_refused_sale_contradicts_what_was_known(desk: Desk) -> None:
    """Somebody closed the shift: the next look finds none, without asking for it."""
    desk.opened(hours_ago=1)
    with desk.enter() as session:
        session.shift(DAY)
        desk.sandbox.close_shift("olena")
        with pytest.raises(ShiftNotOpened):
            sell(session)
        assert session.shift(DAY) is None
        assert math.isnan(session.shift_opened_at)
    assert desk.asked(SHIFT) == 1


@pytest.mark.parametrize("code", [None, "shift.open_over_24h", "shift.not_opened_in_time"])
@pytest.mark.parametrize("status", [400, 409, 422])
def test_the_24_hour_refusal_is_known_whatever_code_comes(desk: Desk, code: str | None, status: int) -> None:
    """By its message; the worker's clock says another age, and is not believed more than Checkbox."""
    desk.sandbox.set_options(over_24h_code=code, over_24h_status=status)
    desk.opened(hours_ago=24.01)
    desk.ahead = -600.0
    with desk.enter() as session:
        shift = session.shift(DAY)
        assert shift is not None
        with pytest.raises(ShiftExpired):
            sell(session)
        refused = session.shift(DAY)
        assert refused is not None
        assert (shift.expired, refused.expired, refused.id) == (False, True, shift.id)


def test_a_read_that_is_refused_for_want_of_a_shift_shows_none(desk: Desk) -> None:
    """Instead of the ``null`` that was seen: an answer to what was asked, and no fault of the worker."""
    desk.sandbox.fault("refused", endpoint=SHIFT, count=1, code="shift.not_opened", words="?")
    with desk.enter() as session, pytest.raises(Rejected) as caught:
        make_ready(session, desk.integration, desk.began)
    assert caught.value.code is Code.SHIFT_NOT_OPEN


def test_a_new_shift_is_not_taken_for_the_one_that_was_refused(desk: Desk) -> None:
    """The mark of the refusal goes with the shift, not with the cashier."""
    desk.opened(hours_ago=24.01)
    desk.ahead = -600.0
    with desk.enter() as session:
        session.shift(DAY)
        with pytest.raises(ShiftExpired):
            sell(session)
        desk.sandbox.close_shift("olena")
        desk.opened(hours_ago=0)
        shift = session.shift(DAY)
        assert shift is not None
        assert not shift.expired


def test_a_sale_in_another_shift_than_the_known_one_leads_to_a_look(desk: Desk) -> None:
    """A person closed the shift and opened another one: it may be at another register."""
    desk.opened(hours_ago=1)
    with desk.enter() as session:
        session.shift(DAY)
        sell(session)
        session.shift(DAY)
        assert desk.asked(SHIFT) == 1
        desk.sandbox.close_shift("olena")
        desk.opened(hours_ago=0)
        sell(session)
        session.shift(DAY)
        assert desk.asked(SHIFT) == 2


# Opening and closing


def test_no_shift_is_opened_without_a_licence_key(desk: Desk) -> None:
    """A row that has none stays in force where its integration turns to ``shifts: auto``."""
    with desk.enter(replace(OLENA, license_key=None)) as session, pytest.raises(Rejected) as refusal:
        session.open_shift()
    assert refusal.value.code is Code.SHIFT_NOT_OPEN
    assert desk.asked(OPEN) == 0


def test_a_shift_is_opened_and_waited_for(desk: Desk) -> None:
    """Asked for once; between its states it is looked at now and then."""
    desk.sandbox.set_options(open_after=30.0)
    with desk.enter() as session:
        assert session.shift(DAY) is None
        session.open_shift()
        for ahead in (0.0, 0.1, 0.6):
            desk.ahead = ahead
            shift = session.shift(DAY)
            assert shift is not None
            assert shift.status == "CREATED"
        assert desk.asked(SHIFT) == 1
        desk.sandbox.advance(31)
        desk.ahead = 1.0
        shift = session.shift(DAY)
        assert shift is not None
        assert shift.is_open
    assert desk.asked(OPEN) == 1


@pytest.mark.parametrize("own", ["named", "busy"])
@pytest.mark.parametrize("code", [None, "shift.already_opened"])
@pytest.mark.parametrize("status", [400, 409])
def test_whoever_was_faster_to_open_is_welcome(desk: Desk, code: str | None, status: int, own: str) -> None:
    """«Касир вже працює з даною касою», or as if it were another's: his shift is found at the next look."""
    desk.sandbox.set_options(cashier_has_shift_code=code, busy_status=status, own_shift=own)
    with desk.enter() as session:
        assert session.shift(DAY) is None
        desk.opened(hours_ago=0)
        session.open_shift()
        shift = session.shift(DAY)
        assert shift is not None
        assert shift.is_open


@pytest.mark.parametrize("code", [None, "cash_register.busy"])
@pytest.mark.parametrize("status", [400, 409])
def test_another_cashiers_shift_on_the_register_is_told(desk: Desk, code: str | None, status: int) -> None:
    """«Каса зайнята іншим касиром» is REGISTER_BUSY, and is not asked for again for five seconds."""
    desk.sandbox.set_options(register_busy_code=code, busy_status=status)
    other = replace(OLENA, license_key=SecretStr("test-c0001"))
    with desk.enter(other) as session:
        assert session.shift(DAY) is None
        for _ in range(2):
            with pytest.raises(Rejected) as caught:
                session.open_shift()
            assert caught.value.code is Code.REGISTER_BUSY
    assert desk.asked(OPEN) == 1


def test_an_opening_that_the_tax_service_refuses_is_told_with_its_reason(desk: Desk) -> None:
    """The shift goes to CLOSED; five seconds later the next order tries again."""
    desk.sandbox.fault("refuse_shift", words="Сертифікат відкликано", count=1)
    desk.sandbox.set_options(open_after=30.0)
    with desk.enter() as session:
        assert session.shift(DAY) is None
        session.open_shift()
        desk.sandbox.advance(31)
        desk.ahead = 1.0
        assert session.shift(DAY) is None
        for _ in range(2):
            with pytest.raises(Rejected) as caught:
                session.open_shift()
            assert caught.value.code is Code.SHIFT_NOT_OPEN
            assert caught.value.detail["reason"] == "Сертифікат відкликано"
        desk.ahead = 7.0
        session.open_shift()
    assert desk.asked(OPEN) == 2


def test_the_end_of_the_cashiers_key_is_told_as_that(desk: Desk) -> None:
    """Whether the opening is refused at once or by the tax service: the reason, and Checkbox's words."""
    words = "Термін дії ключа закінчився"
    desk.sandbox.fault("refuse_shift", words=words, count=1)
    with desk.enter() as session:
        session.shift(DAY)
        session.open_shift()
        desk.ahead = 6.0
        assert session.shift(DAY) is None
        with pytest.raises(Rejected) as later:
            session.open_shift()
        desk.ahead = 12.0
        desk.sandbox.fault("key_expired", count=1)
        with pytest.raises(Rejected) as at_once:
            session.open_shift()
    for refusal in (later.value, at_once.value):
        assert refusal.code is Code.SHIFT_NOT_OPEN
        assert (refusal.detail["reason"], refusal.detail["message"]) == ("key_expired", words)


def test_a_shift_that_was_opened_and_closed_by_somebody_is_no_refusal(desk: Desk) -> None:
    """Another one is opened, after the rest that follows every closing."""
    desk.sandbox.set_options(open_after=30.0)
    with desk.enter() as session:
        assert session.rest_before_opening() == 0
        session.open_shift()
        desk.sandbox.advance(31)
        desk.sandbox.close_shift("olena")
        desk.ahead = 4.0
        assert session.shift(DAY) is None
        session.open_shift()
        assert session.rest_before_opening() == pytest.approx(15, abs=3)
        assert desk.asked(OPEN) == 1
        desk.ahead = 20.0
        assert session.rest_before_opening() == 0
        session.open_shift()
    assert desk.asked(OPEN) == 2


def test_a_refused_licence_key_of_one_row_says_nothing_of_anothers(desk: Desk) -> None:
    """Rows of one login may name different registers."""
    with desk.enter(replace(OLENA, license_key=SecretStr("nobody's"))) as session:
        session.shift(DAY)
        with pytest.raises(Rejected) as caught:
            session.open_shift()
        assert caught.value.code is Code.CASHIER_CREDENTIALS_REJECTED
    with desk.enter() as session:
        session.open_shift()


@pytest.mark.parametrize(("finished", "unfinished"), [(True, False), (False, True)])
def test_checkboxes_own_list_says_what_is_unfinished(desk: Desk, finished: bool, unfinished: bool) -> None:
    """Looked at anew a second later, and not by each order that waits."""
    desk.opened(hours_ago=23.5)
    desk.sandbox.set_options(done_after=0.0 if finished else 60.0)
    with desk.enter() as session:
        shift = session.shift(DAY)
        assert shift is not None
        sell(session)
        for _ in range(3):
            assert (session.youngest_unfinished(shift) is not None) is unfinished
        # The page and the empty one after it; then, where nothing is unfinished, what has come since.
        assert desk.asked("GET /receipts/search") == (2 if unfinished else 4)
        desk.sandbox.advance(61)
        desk.ahead = 1.0
        assert session.youngest_unfinished(shift) is None


def test_closing_what_somebody_has_closed_is_done(desk: Desk) -> None:
    """«Зміну не відкрито»: another process was faster."""
    desk.opened(hours_ago=23.5)
    with desk.enter() as session:
        shift = session.shift(DAY)
        assert shift is not None
        desk.sandbox.close_shift("olena")
        assert session.close_shift(shift) is False
        assert session.shift(DAY) is None


class SlowClient(CheckboxClient):
    """The process sleeps right after it has looked at the shift."""

    desk: Desk
    sleep = 0.0

    def current_shift(self, *account: Any, **more: Any) -> Any:
        shift = super().current_shift(*account, **more)
        self.desk.ahead += self.sleep
        return shift


@pytest.mark.parametrize(("sleep", "is_closed"), [(1.0, True), (3.0, False)])
def test_a_closing_is_not_sent_long_after_the_look(
    running: SandboxProcess, tmp_path: Path, sleep: float, is_closed: bool
) -> None:
    """Another process may have opened a new shift meanwhile: closing names none."""
    with SlowClient() as client:
        desk = client.desk = Desk(running, client, tmp_path)
        desk.opened(hours_ago=23.5)
        with desk.enter() as session:
            shift = session.shift(DAY)
            assert shift is not None
            client.sleep = sleep
            assert session.close_shift(shift) is is_closed
        assert desk.asked("POST /shifts/close") == int(is_closed)


def test_a_new_shift_is_not_closed_in_place_of_the_old_one(desk: Desk) -> None:
    """Two processes: the other one has closed and opened since this one looked."""
    desk.opened(hours_ago=23.5)
    with desk.enter() as session:
        old = session.shift(DAY)
        assert old is not None
        desk.sandbox.close_shift("olena")
        desk.opened(hours_ago=0)
        assert session.close_shift(old) is False
    assert desk.asked("POST /shifts/close") == 0


def test_a_shift_is_opened_when_no_late_closing_can_arrive(desk: Desk) -> None:
    """At once where the last shift ended long ago, or there was none; else some seconds after its end."""
    with desk.enter() as session:
        assert session.rest_before_opening() == 0
    desk.opened(hours_ago=1)
    with desk.enter() as session:
        session.doubt_shift()
        session.shift(DAY)
        desk.sandbox.close_shift("olena")
        session.doubt_shift()
        session.shift(DAY)
        assert session.rest_before_opening() == pytest.approx(15, abs=3)
        desk.ahead = 10.0
        assert 0 < session.rest_before_opening() <= 5
        desk.ahead = 15.0
        assert session.rest_before_opening() == 0
    assert desk.asked("GET /shifts") == 2


def test_a_rest_counts_for_some_seconds_only(desk: Desk) -> None:
    """Another process has opened a shift since, and closed it just now."""
    with desk.enter() as session:
        assert session.rest_before_opening() == 0
        desk.ahead = 4.0
        assert session.rest_before_opening() == 0
        assert desk.asked("GET /shifts") == 1
        desk.sandbox.advance(7200)
        desk.opened(hours_ago=0)
        desk.sandbox.close_shift("olena")
        desk.ahead = 7200.0
        assert session.rest_before_opening() == pytest.approx(15, abs=3)


def test_a_list_of_shifts_that_cannot_be_read_delays_the_opening_only(desk: Desk) -> None:
    """It is as if the last shift had ended right now."""
    desk.sandbox.fault("forbidden", endpoint="GET /shifts")
    with desk.enter() as session:
        assert session.rest_before_opening() == 15
        desk.ahead = 15.0
        assert session.rest_before_opening() == 0


def test_a_busy_register_may_be_busy_with_the_cashiers_own_shift(desk: Desk) -> None:
    """Checkbox has been seen to say so: the shift is looked at before a person is told."""
    desk.sandbox.fault("refused", endpoint=OPEN, words="Каса зайнята іншим касиром", code=None)
    with desk.enter() as session:
        assert session.shift(DAY) is None
        desk.opened(hours_ago=0)
        session.open_shift()
        shift = session.shift(DAY)
        assert shift is not None
        assert shift.is_open


# The register of the licence key

ELSEWHERE = replace(OLENA, license_key=SecretStr("test-c0001"))
INFO = "GET /cash-registers/info"


@pytest.mark.parametrize("policy", ShiftPolicy)
def test_a_shift_at_another_register_is_told_and_believed_for_five_seconds(
    desk: Desk, policy: ShiftPolicy
) -> None:
    """Then a shift at the right register is sold in; the key's register is asked for once."""
    integration = replace(desk.integration, shifts=policy)
    desk.opened(hours_ago=1)
    for ahead, reads in ((0.0, 1), (4.9, 1), (5.0, 2)):
        desk.ahead = ahead
        with desk.enter(ELSEWHERE) as session, pytest.raises(Rejected) as caught:
            make_ready(session, integration, desk.began)
        assert caught.value.code is Code.WRONG_REGISTER
        assert desk.asked(SHIFT) == reads
    numbers = {caught.value.detail["shiftRegister"], caught.value.detail["licenseKeyRegister"]}
    assert len(numbers) == 2
    assert all(number.startswith("TEST") for number in numbers)
    desk.sandbox.close_shift("olena")
    desk.ahead = 10.0
    with desk.enter(ELSEWHERE) as session:
        session.shift(0.0)
        with contextlib.suppress(Rejected):  # the register's own cashier has it in the sandbox
            session.open_shift()
    assert desk.asked(INFO) == 1
    assert desk.sandbox.ledger() == []


def test_a_register_that_cannot_be_read_is_a_doubt(desk: Desk) -> None:
    """Nothing is sold; the key itself may be refused as well."""
    desk.opened(hours_ago=1)
    desk.sandbox.fault("gateway_json", endpoint=INFO, count=1, status=404)
    with desk.enter() as session:
        with pytest.raises(Unavailable):
            make_ready(session, desk.integration, desk.began)
        make_ready(session, desk.integration, desk.began)
    with desk.enter(replace(OLENA, license_key=SecretStr("nobody's"))) as session:
        for _ in range(2):
            with pytest.raises(Rejected) as caught:
                make_ready(session, desk.integration, desk.began)
            assert caught.value.code is Code.CASHIER_CREDENTIALS_REJECTED
    assert desk.asked(INFO) == 3


def test_words_about_a_receipt_do_not_repeat_the_requests_own_secrets(desk: Desk) -> None:
    """Also where the answer itself does not show them."""
    desk.opened(hours_ago=1)
    desk.sandbox.fault("error_receipt", words="Код 77A31Z відхилено", count=1)
    with desk.enter() as session:
        made = session.sell(uuid4(), SALE, CONTEXT)
        found = session.look_up(UUID(made.id), ("77A31Z",))
    assert found is not None
    assert found.error == "Код *** відхилено"


def test_the_day_of_closing_is_never_sent(tmp_path: Path) -> None:
    """``auto_close_at`` would end a shift in the midst of its sales."""
    shift = {"id": "066c8c8f-bd67-4661-8766-c7429e15ea27", "status": "CREATED"}
    with ScriptedServer(answer(202, shift)) as server, CheckboxClient() as client:
        client.open_shift(server.url, "token", SecretStr(KEY), uuid4())
    assert list(server.received[0].json) == ["id"]


# The register's rate limiter


def test_a_permit_is_used_by_the_sale_and_given_back_without_one(desk: Desk) -> None:
    """A pass that sold nothing costs the register nothing."""
    desk.rate = 1.0
    desk.opened(hours_ago=1)
    with desk.enter() as session:
        session.shift(DAY)
        assert session.acquire_permit(again=False) == 0
    with desk.enter() as session:
        assert session.acquire_permit(again=False) == 0
        sell(session)
    with desk.enter() as session:
        assert session.acquire_permit(again=False) > 0


def test_permits_are_the_registers_and_not_the_sessions(desk: Desk) -> None:
    """A changed password makes a new session, and the register's rate is kept all the same."""
    desk.rate = 1.0
    desk.opened(hours_ago=1)
    with desk.enter() as session:
        session.shift(DAY)
        session.acquire_permit(again=False)
        sell(session)
    desk.sandbox.put_cashier("olena", password="new-secret")
    with desk.enter(replace(OLENA, password=SecretStr("new-secret"))) as session:
        session.shift(DAY)
        assert session.acquire_permit(again=False) > 0


def test_nothing_is_sold_before_the_fleet_was_counted(desk: Desk) -> None:
    """A share of 0: everybody waits, and nobody for long."""
    desk.rate = 0.0
    with desk.enter() as session:
        assert 0 < session.acquire_permit(again=False) <= 1
        assert 0 < session.reserve_permit() <= 1
