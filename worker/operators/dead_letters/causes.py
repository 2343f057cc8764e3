"""Why a letter is dead, where the cause can go away by itself; and whether it has."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from worker.bimp.archive_check import ArchiveCheck
from worker.checkbox.client import CheckboxClient
from worker.checkbox.signed_in import secrets_of, signed_in
from worker.fiscal.instants import DAY
from worker.fiscal.integrations import Cashier, Integration
from worker.fiscal.outcomes import Code, Rejected, Unavailable, Verdict
from worker.fiscal.ports import Refusal, TokenRefused
from worker.fiscal.reasons import Reason
from worker.fiscal.shifts import age
from worker.fiscal.tax_rates import CheckboxTax, TaxRates, misfit, read_rate
from worker.operators.dead_letters.early_payments import NeededChain, is_there, needed_chain
from worker.rabbit.dead_letter import DeadLetter

_SHIFT = frozenset({Code.SHIFT_NOT_OPEN, Code.SHIFT_OPEN_OVER_24H})
#: What a person, or time, mends without touching the order.
MENDED_ELSEWHERE = _SHIFT | {
    Code.TAX_RATE_MISMATCH,
    Code.CASHIER_CREDENTIALS_REJECTED,
    Code.CHECKBOX_UNAVAILABLE,
    Code.CONFIGURATION_INVALID,
}
_MAY_GO = MENDED_ELSEWHERE | {Code.PREPAYMENT_MISMATCH}
#: Seconds between two sign-ins that may be refused: Checkbox may lock who is refused often.
SIGN_IN_AGAIN = 600.0


@dataclass(frozen=True, slots=True)
class Cause:
    """What keeps a letter dead; letters with one cause are mended together.

    ``receipt`` is named where only it can show: it was made, and had no number.
    ``rate`` is the one whose code did not fit.
    """

    code: str
    integration: str
    cashier: str
    is_archive_check: bool = False
    receipt: UUID | None = None
    rate: str | None = None
    #: The chain that a payment or a return came too early for.
    chain: NeededChain | None = None


def cause_of(letter: DeadLetter) -> Cause | None:
    """None where a person has to act on the order, or nothing says whose it is."""
    code, integration, cashier = letter.code, letter.integration, letter.cashier
    if code not in _MAY_GO or integration is None or cashier is None:
        return None
    assert code is not None
    if code == Code.PREPAYMENT_MISMATCH:
        chain = needed_chain(letter)
        return None if chain is None else Cause(code, integration, cashier, chain=chain)
    detail = letter.line()["detail"] or {}
    if code == Code.TAX_RATE_MISMATCH:
        return Cause(code, integration, cashier, rate=str(detail.get("rate")))
    if code != Code.CHECKBOX_UNAVAILABLE:
        return Cause(code, integration, cashier)
    if detail.get("service") == Reason.ARCHIVE_CHECK:
        return Cause(code, integration, cashier, is_archive_check=True)
    return Cause(code, integration, cashier, receipt=_receipt(detail))


def _receipt(detail: Mapping[str, object]) -> UUID | None:
    try:
        return UUID(str(detail.get("receiptId")))
    except ValueError:
        return None


def _fits(rate: str, table: TaxRates, taxes: Iterable[CheckboxTax]) -> bool:
    """Whether the code that the table gives to the rate now has that percent at Checkbox."""
    percent = read_rate(rate)
    code = table.code_of(percent)
    return code is not None and misfit(percent, code, taxes) is None


class Causes:
    """Asks whether causes are gone. Signs each cashier in once, for as long as it lives.

    An eleventh token would end the oldest, which may be a worker's: so one is kept, and ended at the end.
    """

    def __init__(
        self,
        client: CheckboxClient,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._clock = clock
        self._monotonic = monotonic
        self._tokens: dict[tuple[str, Cashier], str] = {}
        self._refused_at: dict[tuple[str, Cashier], float] = {}
        self._signed_in = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._signed_in.close()

    def is_gone(
        self, cause: Cause, integrations: Mapping[str, Integration], archive: ArchiveCheck | None
    ) -> bool:
        """Whether a replay may go through now; False where that is unknown."""
        integration = integrations.get(cause.integration)
        cashier = integration.cashiers.get(cause.cashier) if integration else None
        if integration is None or cashier is None:
            return False
        if cause.code == Code.CONFIGURATION_INVALID:
            return True  # read now, without an earlier version: the row is sound
        try:
            if cause.is_archive_check:
                return archive is None or archive.is_archived(UUID(int=0)) is not None
            return self._ask(cause, integration, cashier)
        except (Verdict, Refusal, ArithmeticError):
            return False

    def _ask(self, cause: Cause, integration: Integration, cashier: Cashier) -> bool:
        token = self._token(integration, cashier)
        try:
            return self._look(cause, integration, cashier, token)
        except TokenRefused:
            del self._tokens[integration.checkbox_url, cashier]
            return False  # the next look signs in anew

    def _look(self, cause: Cause, integration: Integration, cashier: Cashier, token: str) -> bool:
        if cause.code in _SHIFT:
            url, private = integration.checkbox_url, secrets_of(cashier)
            shift = self._client.current_shift(url, token, private=private)
            return shift is not None and shift.is_open and age(shift, self._clock()) < DAY
        if cause.chain is not None:
            return is_there(self._client, token, integration, cashier, cause.chain)
        if cause.rate is not None:
            return _fits(
                cause.rate, integration.tax_rates, self._client.taxes(integration.checkbox_url, token)
            )
        if cause.receipt is None:
            self._client.cashier_me(integration.checkbox_url, token)
            if cashier.license_key is not None:
                self._client.register_info(integration.checkbox_url, cashier.license_key)
            return True
        private = secrets_of(cashier)
        found = self._client.receipt(integration.checkbox_url, token, cause.receipt, private=private)
        return found is None or found.is_numbered or found.is_refused

    def _token(self, integration: Integration, cashier: Cashier) -> str:
        key = (integration.checkbox_url, cashier)
        token = self._tokens.get(key)
        if token is not None:
            return token
        refused_at = self._refused_at.get(key)
        if refused_at is not None and self._monotonic() - refused_at < SIGN_IN_AGAIN:
            raise Unavailable({"reason": "refused some minutes ago"})
        try:
            token = self._signed_in.enter_context(signed_in(self._client, integration, cashier))
        except Rejected:
            self._refused_at[key] = self._monotonic()
            raise
        self._tokens[key] = token
        return token
