"""A cashier at Checkbox: signed in, with what is known of his shift."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar
from uuid import UUID, uuid4

from worker.checkbox.access import Access, Remembered
from worker.checkbox.client import PAGE_LIMIT, CheckboxClient
from worker.checkbox.known_shift import KnownShift
from worker.fiscal.integrations import Cashier
from worker.fiscal.outcomes import Code, IssuedReceipt, Rejected
from worker.fiscal.ports import CashierHasShift, Shift, ShiftExpired, ShiftNotOpened
from worker.fiscal.rate_limiter import RegisterRateLimiter
from worker.fiscal.receipt import Receipt

#: How far a search goes.
_PAGES = 10
#: Seconds for which Checkbox is not asked again whether an unfinished receipt has come to its end.
_UNFINISHED = 1.0
#: Seconds until those who come too early ask again: see ``Fleet.share``.
_TOO_EARLY = 0.5

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a register may be served. Times of ``monotonic`` are comparable between processes."""

    limiter: RegisterRateLimiter
    #: Receipts a second that this worker may give to one register; 0 while it must not give any.
    share: Callable[[], float]
    monotonic: Callable[[], float]
    clock: Callable[[], float]


class Session:
    """Used by one thread at a time: ``Sessions.enter`` sees to it."""

    def __init__(self, client: CheckboxClient, url: str, cashier: Cashier, pace: Pace) -> None:
        self._client = client
        self._url = url
        self._pace = pace
        self._access = Access(client, url, cashier, pace.monotonic)
        self._known = KnownShift(pace.monotonic, pace.clock)
        self._turn: tuple[int, str] | None = None
        self._opening: UUID | None = None
        self._opening_refused = Remembered(pace.monotonic)
        self._unfinished_at: float | None = None
        self._row = cashier
        self._private: tuple[str, ...] = ()
        self.serve(cashier)

    def serve(self, row: Cashier) -> None:
        """The row to work for from now on: those of one login may name different registers."""
        if row.license_key != self._row.license_key:
            self._opening_refused.forget()
        self._row = row
        secrets = (row.password, row.pin_code, row.license_key)
        self._private = tuple(secret.get_secret_value() for secret in secrets if secret is not None)

    def leave(self) -> None:
        """The pass is over; a turn that it did not use is the next one's."""
        if self._turn is not None:
            self._pace.limiter.unused(*self._turn, self._pace.monotonic())
            self._turn = None

    def look_up(self, receipt_id: UUID) -> IssuedReceipt | None:
        return self._access.call(
            lambda token: self._client.receipt(self._url, token, receipt_id, private=self._private)
        )

    def sell(self, receipt_id: UUID, receipt: Receipt, context: Mapping[str, str | int]) -> IssuedReceipt:
        try:
            return self._access.call(
                lambda token: self._client.sell(
                    self._url, token, receipt_id, receipt, context, private=self._private
                )
            )
        except ShiftNotOpened:
            self._known.see(None)
            raise
        except ShiftExpired:
            self._known.has_expired()
            raise
        finally:
            self._use_turn()

    def take_turn(self, again: bool) -> float:
        share = self._pace.share()
        if share <= 0:
            return _TOO_EARLY
        register = self._register()
        permit, wait = self._pace.limiter.acquire(register, self._pace.monotonic(), share, again)
        self._turn = None if permit is None else (permit, register)
        return wait

    def promise_turn(self) -> float:
        share = self._pace.share()
        if share <= 0:
            return _TOO_EARLY
        return self._pace.limiter.reserve(self._register(), self._pace.monotonic(), share)

    def _use_turn(self) -> None:
        if self._turn is not None:
            (permit, register), self._turn = self._turn, None
            self._pace.limiter.used(permit, register, self._pace.monotonic(), self._pace.share() or 1.0)

    def _register(self) -> str:
        """Where Checkbox tells of no register, each cashier counts as one."""
        return f"{self._url} {self._known.register or self._row.login or self._row.id}"

    def shift(self, good_for: float) -> Shift | None:
        if self._known.is_doubtful(good_for):
            self._see(
                self._access.call(
                    lambda token: self._client.current_shift(self._url, token, private=self._private)
                )
            )
        return self._known.shift

    def _see(self, shift: Shift | None) -> None:
        self._known.see(shift)
        if shift is not None and shift.is_open:
            self._opening = None

    @property
    def shift_opened_at(self) -> float:
        """When the shift that is known was opened, in seconds since the epoch; NaN while none is known."""
        return self._known.opened_at

    def doubt_shift(self) -> None:
        self._known.doubt()

    def open_shift(self) -> None:
        self._opening_refused.raise_again()
        if self._opening is not None and self._is_still_opening(self._opening):
            return
        shift_id, key = uuid4(), self._row.license_key
        assert key is not None  # checked when the configuration was loaded
        try:
            opening = self._access.call(
                lambda token: self._client.open_shift(self._url, token, key, shift_id, private=self._private)
            )
        except CashierHasShift:
            self._known.doubt()  # somebody was faster: the next look finds his shift
        except Rejected as refusal:
            raise self._opening_refused.keep(refusal) from None
        else:
            self._opening = shift_id
            self._see(opening)

    def _is_still_opening(self, shift_id: UUID) -> bool:
        """A refused opening is no error of the call: the shift goes to CLOSED and keeps the reason."""
        self._opening = None
        shift = self._access.call(
            lambda token: self._client.shift(self._url, token, shift_id, private=self._private)
        )
        if shift.status != "CLOSED":
            self._opening = shift_id
            self._see(shift)
            return True
        if shift.refusal is None and shift.opened_at is not None:
            return False  # it was open, and somebody has closed it
        detail = {"shiftId": shift.id, "reason": shift.refusal}
        raise self._opening_refused.keep(Rejected(Code.SHIFT_NOT_OPEN, detail))

    def close_shift(self) -> None:
        with suppress(ShiftNotOpened):  # another process was faster
            self._known.see(
                self._access.call(
                    lambda token: self._client.close_shift(self._url, token, private=self._private)
                )
            )
            return
        self._known.doubt()

    def has_unfinished_receipts(self, shift: Shift) -> bool:
        now = self._pace.monotonic()
        if self._unfinished_at is not None and now - self._unfinished_at < _UNFINISHED:
            return True
        newest_first = self._pages(shift_id=shift.id, newest_first=True)
        found = any(receipt.status == "CREATED" for page in newest_first for receipt in page)
        self._unfinished_at = now if found else None
        return found

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
            page = self._access.call(partial(search, offset=offset))
            yield page
            if len(page) < PAGE_LIMIT:
                return
