"""Cashiers' sessions: a token and what is known of the shift, kept in the process.

Checkbox keeps at most ten tokens alive for a cashier, so a session signs in only when it has none, and again,
once, when the one it has is refused.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import TypeVar
from uuid import UUID, uuid4

from pydantic import SecretStr

from worker.checkbox.client import PAGE_LIMIT, CheckboxClient
from worker.fiscal.integrations import Cashier, Integration
from worker.fiscal.outcomes import Code, IssuedReceipt, Postponed, Rejected
from worker.fiscal.ports import CashierHasShift, Shift, ShiftExpired, ShiftNotOpened, TokenRefused
from worker.fiscal.receipt import Receipt
from worker.fiscal.turns import Turns
from worker.telemetry import metrics

#: How long a refusal, or a shift that stands in the way, is believed without asking again.
BELIEVED = 5.0
#: How long a shift that is being opened or closed is taken to be so.
_UNDER_WAY = 0.7
_DAY = 86400.0

#: How far a search goes.
_PAGES = 10

T = TypeVar("T")


class Session:
    """One cashier at Checkbox. Used by one thread at a time: ``Sessions.enter`` sees to it."""

    def __init__(
        self, client: CheckboxClient, url: str, cashier: Cashier, spacing: Callable[[], float]
    ) -> None:
        self._client = client
        self._url = url
        self._cashier = cashier
        secrets = (cashier.password, cashier.pin_code, cashier.license_key)
        self._private = tuple(secret.get_secret_value() for secret in secrets if secret is not None)
        self._spacing = spacing
        self.lane = threading.Lock()
        self.lane_turns = Turns()
        self.typical_use = 0.1
        self._register_turns = Turns()
        self._token: str | None = None
        self._refused: tuple[float, Rejected] | None = None
        self._shift: Shift | None = None
        self._shift_read_at: float | None = None
        self._expired_at = -BELIEVED
        self._opening: UUID | None = None
        self._opening_refused: tuple[float, Rejected] | None = None

    def look_up(self, receipt_id: UUID) -> IssuedReceipt | None:
        return self._signed_in(
            lambda token: self._client.receipt(self._url, token, receipt_id, private=self._private)
        )

    def sell(self, receipt_id: UUID, receipt: Receipt, context: Mapping[str, str | int]) -> IssuedReceipt:
        try:
            return self._signed_in(
                lambda token: self._client.sell(
                    self._url, token, receipt_id, receipt, context, private=self._private
                )
            )
        except ShiftNotOpened:
            self._know_shift(None)
            raise
        except ShiftExpired:
            self._expired_at = time.monotonic()
            self.forget_shift()
            raise
        finally:
            # Counted from the answer: the next request reaches Checkbox at least this much after this one did.
            self._register_turns.took(time.monotonic(), self._spacing())

    def seconds_to_turn(self) -> float:
        return self._register_turns.wait(time.monotonic())

    def reserve_turn(self) -> float:
        return self._register_turns.reserve(time.monotonic(), self._spacing())

    def shift(self) -> Shift | None:
        if self._shift_read_at is None or self._shift_is_doubtful():
            self._know_shift(
                self._signed_in(
                    lambda token: self._client.current_shift(self._url, token, private=self._private)
                )
            )
        if self._shift is not None and time.monotonic() - self._expired_at < BELIEVED:
            return replace(self._shift, expired=True)
        return self._shift

    def _know_shift(self, shift: Shift | None) -> None:
        self._shift = shift
        self._shift_read_at = time.monotonic()

    def _shift_is_doubtful(self) -> bool:
        """A shift that stands in the way is believed for some seconds, one between two states for less."""
        shift = self._shift
        if shift is not None and shift.is_open and shift.opened_at is not None:
            believed = BELIEVED if time.time() - shift.opened_at >= _DAY else math.inf
        else:
            believed = BELIEVED if shift is None or shift.status == "CLOSED" else _UNDER_WAY
        assert self._shift_read_at is not None
        return time.monotonic() - self._shift_read_at >= believed

    @property
    def shift_opened_at(self) -> float:
        """When the shift that is known was opened, in seconds since the epoch; NaN while none is known."""
        opened_at = self._shift.opened_at if self._shift is not None and self._shift.is_open else None
        return math.nan if opened_at is None else opened_at

    def forget_shift(self) -> None:
        """What is known of the shift was contradicted: read it anew."""
        self._shift_read_at = None

    def open_shift(self) -> None:
        if self._opening is not None:
            self._see_opening(self._opening)
            return
        if self._opening_refused is not None and time.monotonic() - self._opening_refused[0] < BELIEVED:
            raise self._opening_refused[1]
        shift_id, key = uuid4(), self._license_key()
        try:
            self._signed_in(
                lambda token: self._client.open_shift(self._url, token, key, shift_id, private=self._private)
            )
            self._opening = shift_id
        except CashierHasShift:
            pass  # somebody was faster: the next look finds his shift
        except Rejected as refusal:
            self._opening_refused = (time.monotonic(), refusal)
            raise
        self.forget_shift()

    def _see_opening(self, shift_id: UUID) -> None:
        """A refused opening is no error of the call: the shift goes to CLOSED and keeps the reason."""
        shift = self._signed_in(
            lambda token: self._client.shift(self._url, token, shift_id, private=self._private)
        )
        if shift.status == "CLOSED":
            self._opening = None
            refusal = Rejected(Code.SHIFT_NOT_OPEN, {"shiftId": shift.id, "reason": shift.refusal})
            self._opening_refused = (time.monotonic(), refusal)
            raise refusal
        if shift.is_open:
            self._opening = None
        self._know_shift(shift)

    def close_shift(self) -> None:
        with suppress(ShiftNotOpened):  # another process was faster
            self._signed_in(lambda token: self._client.close_shift(self._url, token, private=self._private))
        self.forget_shift()

    def has_unfinished_receipts(self, shift: Shift) -> bool:
        newest_first = self._pages(shift_id=shift.id, newest_first=True)
        return any(receipt.status == "CREATED" for page in newest_first for receipt in page)

    def returns_of(self, sale: IssuedReceipt) -> tuple[Sequence[IssuedReceipt], bool]:
        found: list[IssuedReceipt] = []
        page: Sequence[IssuedReceipt] = ()
        for page in self._pages(from_date=sale.created_at, own_only=False):
            found += (one for one in page if one.related_receipt_id == sale.id)
        return found, len(page) < PAGE_LIMIT

    def _pages(
        self,
        *,
        shift_id: str | None = None,
        from_date: str | None = None,
        own_only: bool = True,
        newest_first: bool = False,
    ) -> Iterator[Sequence[IssuedReceipt]]:
        def search(token: str, offset: int) -> list[IssuedReceipt]:
            return self._client.search_receipts(
                self._url,
                token,
                shift_id=shift_id,
                from_date=from_date,
                own_only=own_only,
                newest_first=newest_first,
                offset=offset,
                private=self._private,
            )

        for offset in range(0, _PAGES * PAGE_LIMIT, PAGE_LIMIT):
            page = self._signed_in(partial(search, offset=offset))
            yield page
            if len(page) < PAGE_LIMIT:
                return

    def _license_key(self) -> SecretStr:
        assert self._cashier.license_key is not None  # checked when the configuration was loaded
        return self._cashier.license_key

    def _signed_in(self, call: Callable[[str], T]) -> T:
        if self._token is not None:
            try:
                return call(self._token)
            except TokenRefused:
                self._token = None
        token = self._sign_in()
        try:
            answer = call(token)
        except TokenRefused as refusal:
            raise self._remember(
                Rejected(
                    Code.CASHIER_CREDENTIALS_REJECTED,
                    {"reason": "the token of a fresh sign-in was refused", "words": refusal.words},
                )
            ) from None
        self._token = token
        return answer

    def _sign_in(self) -> str:
        if self._refused is not None and time.monotonic() - self._refused[0] < BELIEVED:
            raise self._refused[1]
        try:
            token = self._client.sign_in(self._url, self._cashier)
        except Rejected as refusal:
            metrics.SIGNINS.labels("refused").inc()
            raise self._remember(refusal) from None
        except Exception:
            metrics.SIGNINS.labels("unavailable").inc()
            raise
        metrics.SIGNINS.labels("ok").inc()
        self._refused = None
        return token

    def _remember(self, refusal: Rejected) -> Rejected:
        self._refused = (time.monotonic(), refusal)
        return refusal


class Sessions:
    """All cashiers of this process, by what they sign in with.

    Two rows with one login share a session, and a row whose password changed gets a new one.
    """

    def __init__(self, client: CheckboxClient, receipts_per_second: Callable[[], float]) -> None:
        self._client = client
        self._rate = receipts_per_second
        self._lock = threading.Lock()
        self._sessions: dict[tuple[object, ...], Session] = {}
        self._shown: dict[tuple[str, str], float] = {}

    @contextmanager
    def enter(self, integration: Integration, cashier: Cashier) -> Iterator[Session]:
        """Take the cashier's session for this thread; raises ``Postponed`` while another thread has it."""
        session = self._session(integration, cashier)
        if not session.lane.acquire(blocking=False):
            wait = session.lane_turns.reserve(time.monotonic(), session.typical_use)
            raise Postponed(after=wait, reason="cashier_in_use")
        began = time.monotonic()
        try:
            yield session
        finally:
            used = time.monotonic() - began
            session.typical_use += (min(used, 2.0) - session.typical_use) / 8
            self._show_shift(integration.id, cashier.id, session.shift_opened_at)
            session.lane.release()

    def _show_shift(self, integration: str, cashier: str, opened_at: float) -> None:
        shown = self._shown.get((integration, cashier), math.nan)
        if shown != opened_at and not (math.isnan(shown) and math.isnan(opened_at)):
            self._shown[integration, cashier] = opened_at
            metrics.SHIFT_OPENED.labels(integration, cashier).set(opened_at)

    def _session(self, integration: Integration, cashier: Cashier) -> Session:
        url = integration.checkbox_url
        key = (url, cashier.login, cashier.password, cashier.pin_code, cashier.license_key)
        with self._lock:
            session = self._sessions.get(key)
            if session is None:
                session = Session(self._client, url, cashier, lambda: 1 / self._rate())
                self._sessions[key] = session
            return session
