"""A cashier at Checkbox: signed in, with what is known of his shift."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from worker.checkbox.cashier_shift import CashierShift
from worker.checkbox.client import CheckboxClient
from worker.checkbox.receipt_answers import SearchResult
from worker.checkbox.searching import Pages, UnfinishedReceipts, search_returns
from worker.checkbox.tax_table import CashierTaxes, TaxTables
from worker.checkbox.token import CashierToken
from worker.fiscal.integrations import Cashier
from worker.fiscal.outcomes import IssuedReceipt, Postponed, Relation, Verdict
from worker.fiscal.ports import KeyRegister, Refusal, ReturnsPage, Shift, ShiftExpired, ShiftNotOpened
from worker.fiscal.reasons import Wait
from worker.fiscal.receipt import Receipt
from worker.fiscal.tax_rates import CheckboxTax
from worker.interprocess.rate_limiter import RegisterRateLimiter

T = TypeVar("T")

#: Seconds that a sign-in may take between what a receipt rests on was read and the post.
_SIGN_IN_WITHIN = 0.5
#: Seconds until the next attempt while the worker has no share yet: see ``Fleet.share``.
_TOO_EARLY = 0.5


@dataclass(frozen=True, slots=True)
class ReceiptRate:
    """How fast a register may be served. Times of ``monotonic`` are comparable between processes."""

    limiter: RegisterRateLimiter
    #: Receipts a second that this worker may give to one register; 0 while it must not give any.
    share: Callable[[], float]
    monotonic: Callable[[], float]
    clock: Callable[[], float]


class Session:
    """Used by one thread at a time: ``Sessions.enter`` sees to it."""

    def __init__(
        self, client: CheckboxClient, url: str, cashier: Cashier, rate: ReceiptRate, tables: TaxTables
    ) -> None:
        self._client = client
        self._url = url
        self._rate = rate
        self._access = CashierToken(client, url, cashier, rate.monotonic)
        self._shift = CashierShift(client, url, self._access, cashier, rate.monotonic, rate.clock)
        self._taxes = CashierTaxes(client, url, self._access, tables, rate.monotonic)
        self._permit: tuple[int, str] | None = None
        self._unfinished: UnfinishedReceipts | None = None
        self._row = cashier
        self._private: tuple[str, ...] = ()
        self.serve(cashier)

    def serve(self, row: Cashier) -> None:
        """Use this row from now on: rows of one login may name different registers."""
        self._row = row
        secrets = (row.password, row.pin_code, row.license_key)
        self._private = tuple(secret.get_secret_value() for secret in secrets if secret is not None)
        self._shift.serve(row, self._private)

    def leave(self) -> None:
        """The pass is over; a permit that it did not use goes to the next."""
        if self._permit is not None:
            self._rate.limiter.unused(*self._permit, self._rate.monotonic())
            self._permit = None

    def look_up(self, receipt_id: UUID, secrets: Iterable[str] = ()) -> IssuedReceipt | None:
        private = (*self._private, *secrets)
        return self._access.call(
            lambda token: self._client.receipt(self._url, token, receipt_id, private=private)
        )

    def sell(self, receipt_id: UUID, receipt: Receipt, context: Mapping[str, str | int]) -> IssuedReceipt:
        return self._issued(
            lambda token: self._client.sell(
                self._url, token, receipt_id, receipt, context, private=self._private
            )
        )

    def chain(self, relation_id: str, secrets: Iterable[str] = ()) -> Relation | None:
        private = (*self._private, *secrets)
        return self._access.call(
            lambda token: self._client.chains.read(self._url, token, relation_id, private=private)
        )

    def open_chain(
        self, relation_id: str, receipt_id: UUID, receipt: Receipt, context: Mapping[str, str | int]
    ) -> IssuedReceipt:
        return self._issued(
            lambda token: self._client.chains.open(
                self._url, token, relation_id, receipt_id, receipt, context, private=self._private
            )
        )

    def pay_chain(self, relation_id: str, receipt_id: UUID, receipt: Receipt) -> IssuedReceipt:
        return self._issued(
            lambda token: self._client.chains.pay(
                self._url, token, relation_id, receipt_id, receipt, private=self._private
            )
        )

    def return_chain(self, relation_id: str, receipt: Receipt) -> None:
        self._post(
            lambda token: self._client.chains.give_back(
                self._url, token, relation_id, receipt, private=self._private
            )
        )

    def _issued(self, ask: Callable[[str], IssuedReceipt]) -> IssuedReceipt:
        issued = self._post(ask)
        self._shift.was_sold_in(issued.shift_id)
        return issued

    def _post(self, ask: Callable[[str], T]) -> T:
        asked_at = self._rate.monotonic()

        def in_time(token: str) -> T:
            if self._rate.monotonic() - asked_at > _SIGN_IN_WITHIN:
                raise Postponed(0.0, Wait.READ_TOO_LONG_AGO)
            return ask(token)

        try:
            return self._access.call(in_time)
        except ShiftNotOpened:
            self._shift.known.see(None)
            raise
        except ShiftExpired:
            self._shift.known.has_expired()
            raise
        finally:
            self._use_permit()

    def acquire_permit(self, again: bool) -> float:
        share = self._rate.share()
        if share <= 0:
            return _TOO_EARLY
        register = self._register()
        permit, wait = self._rate.limiter.acquire(register, self._rate.monotonic(), share, again)
        self._permit = None if permit is None else (permit, register)
        return wait

    def reserve_permit(self) -> float:
        share = self._rate.share()
        if share <= 0:
            return _TOO_EARLY
        return self._rate.limiter.reserve(self._register(), self._rate.monotonic(), share)

    def _use_permit(self) -> None:
        if self._permit is not None:
            (permit, register), self._permit = self._permit, None
            self._rate.limiter.used(permit, register, self._rate.monotonic(), self._rate.share() or 1.0)

    def _register(self) -> str:
        """Where Checkbox names no register, each cashier counts as one."""
        return f"{self._url} {self._shift.known.register or self._row.login or self._row.id}"

    def shift(self, good_for: float) -> Shift | None:
        return self._shift.look(good_for)

    @property
    def shift_opened_at(self) -> float:
        """When the shift that is known was opened, in seconds since the epoch; NaN while none is known."""
        return self._shift.known.opened_at

    @property
    def unfinished_since(self) -> float:
        """When the oldest receipt that holds back the shift's end was made; NaN where none is known."""
        shift = self._shift.known.shift
        if self._unfinished is None or shift is None or shift.id != self._unfinished.shift_id:
            return math.nan
        return self._unfinished.oldest

    def doubt_shift(self) -> None:
        self._shift.known.doubt()

    def rest_before_opening(self) -> float:
        return self._shift.rest_before_opening()

    def open_shift(self) -> None:
        self._shift.open()

    def close_shift(self, shift: Shift) -> bool:
        return self._shift.close(shift)

    def token(self, refused: str | None = None) -> str:
        """For calls beside the session; a new one where ``refused`` is the one in use."""
        return self._access.token(refused)

    def taxes(self, within: float) -> Sequence[CheckboxTax] | None:
        return self._taxes.read(within, self._organization)

    def _organization(self) -> str | None:
        """Of the licence key's register: of another organization this cashier has no shift."""
        try:
            register = self.key_register()
        except (Verdict, Refusal):  # reported where the shift is looked at
            return None
        return register.organization if register is not None else None

    def key_register(self) -> KeyRegister | None:
        return self._shift.key_register()

    def youngest_unfinished(self, shift: Shift) -> float | None:
        if self._unfinished is None or self._unfinished.shift_id != shift.id:
            self._unfinished = UnfinishedReceipts(shift.id, self._pages(shift_id=shift.id), self.look_up)
        return self._unfinished.youngest(self._rate.clock(), self._rate.monotonic())

    def count_unfinished(self, shift: Shift) -> int | None:
        """How many receipts of the shift have no number; None while not all of them were seen."""
        self.youngest_unfinished(shift)
        return self._unfinished.count if self._unfinished is not None else None

    def search_returns(self, sale: IssuedReceipt, offset: int) -> Iterator[ReturnsPage]:
        return search_returns(self._pages(from_date=sale.created_at), self.look_up, sale, offset)

    def _pages(self, *, shift_id: str | None = None, from_date: str | None = None) -> Pages:
        def page(offset: int, limit: int) -> list[SearchResult]:
            return self._access.call(
                lambda token: self._client.search_receipts(
                    self._url,
                    token,
                    shift_id=shift_id,
                    from_date=from_date,
                    limit=limit,
                    offset=offset,
                    private=self._private,
                )
            )

        return Pages(page)
