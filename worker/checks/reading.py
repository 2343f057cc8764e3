"""What Checkbox shows of a cashier row. Every call only reads, and no sale waits for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from worker.checkbox.client import CheckboxClient
from worker.checkbox.party_answers import (
    CashierInfo,
    OfflineCodes,
    OfflineTime,
    RegisterInfo,
    SignatureStatus,
)
from worker.checkbox.signed_in import secrets_of
from worker.fiscal.integrations import Cashier, Integration
from worker.fiscal.outcomes import Code, Postponed, Rejected, Unavailable
from worker.fiscal.ports import Refusal, Shift, TokenRefused
from worker.fiscal.tax_rates import CheckboxTax

T = TypeVar("T")


@dataclass(slots=True)
class Seen:
    """None: it was not asked for, or there was no answer."""

    #: Checkbox's words.
    sign_in_refused: str | None = None
    key_refused: bool = False
    #: Checkbox's words.
    service_refused: str | None = None
    #: What was not answered; nothing more was asked then.
    unanswered: str | None = None
    register: RegisterInfo | None = None
    offline_time: OfflineTime | None = None
    offline_codes: OfflineCodes | None = None
    me: CashierInfo | None = None
    signature: SignatureStatus | None = None
    #: Whether ``shift`` is known; None is then no shift.
    is_shift_known: bool = False
    shift: Shift | None = None
    taxes: Sequence[CheckboxTax] | None = None
    block_date: float | None = None


class Tokens(Protocol):
    """Where the cashier's token comes from: a running session, or a sign-in for the check alone."""

    def get(self) -> str:
        """Raises what a sign-in raises, and ``Postponed`` where the session stays in use."""
        ...

    def renew(self, refused: str) -> str:
        """The same, after this token was refused."""
        ...


def read_row(client: CheckboxClient, integration: Integration, cashier: Cashier, tokens: Tokens) -> Seen:
    """Ask for all that the checks of this row need, until there is no answer."""
    reader = _Reader(client, integration.checkbox_url, cashier, tokens)
    try:
        reader.read_register()
        reader.read_cashier()
    except (Unavailable, Postponed) as fault:
        detail = fault.detail if isinstance(fault, Unavailable) else {}
        reader.seen.unanswered = str(detail.get("reason") or "the cashier's session is in use")
    return reader.seen


class _Reader:
    def __init__(self, client: CheckboxClient, url: str, cashier: Cashier, tokens: Tokens) -> None:
        self.seen = Seen()
        self._client = client
        self._url = url
        self._cashier = cashier
        self._tokens = tokens
        self._token = ""

    def read_register(self) -> None:
        """By the licence key, without a sign-in."""
        key, seen, client, url = self._cashier.license_key, self.seen, self._client, self._url
        if key is None:
            return
        try:
            seen.register = client.register_info(url, key)
        except Rejected as refusal:
            self._refused(refusal)
            seen.key_refused = refusal.code is Code.CASHIER_CREDENTIALS_REJECTED
            return
        seen.offline_time = self._allowed(lambda: client.offline_time(url, key))

    def read_cashier(self) -> None:
        """With the cashier's token."""
        try:
            self._token = self._tokens.get()
        except Rejected as refusal:
            self._refused(refusal)
            if refusal.code is Code.CASHIER_CREDENTIALS_REJECTED and not self.seen.key_refused:
                self.seen.sign_in_refused = _words(refusal)
            return
        self._read_signed_in()

    def _read_signed_in(self) -> None:
        seen, client, url, private = self.seen, self._client, self._url, secrets_of(self._cashier)
        seen.me = self._ask(lambda token: client.cashier_me(url, token))
        seen.signature = self._ask(lambda token: client.check_signature(url, token))
        shift = self._ask(lambda token: [client.current_shift(url, token, private=private)])
        if shift is not None:
            seen.is_shift_known, seen.shift = True, shift[0]
        seen.taxes = self._ask(lambda token: client.taxes(url, token))
        key = self._cashier.license_key
        if key is not None and not seen.key_refused:
            seen.offline_codes = self._ask(lambda token: client.offline_codes(url, token, key))
            seen.block_date = self._ask(lambda token: client.block_date(url, token, key))

    def _ask(self, call: Callable[[str], T]) -> T | None:
        """With the token, which is renewed once."""

        def asked() -> T:
            try:
                return call(self._token)
            except TokenRefused:
                self._token = self._tokens.renew(self._token)
                return call(self._token)

        return self._allowed(asked)

    def _allowed(self, call: Callable[[], T]) -> T | None:
        """None where Checkbox refuses the call: it shows this to nobody, or not to this cashier."""
        try:
            return call()
        except Rejected as refusal:
            self._refused(refusal)
        except Refusal:
            pass
        except Unavailable as fault:
            if fault.detail.get("reason") != "unknown_refusal":
                raise
        return None

    def _refused(self, refusal: Rejected) -> None:
        if refusal.code is Code.SUBSCRIPTION_ENDED:
            self.seen.service_refused = _words(refusal)


def _words(refusal: Rejected) -> str:
    return str(refusal.detail.get("message") or refusal.detail.get("reason") or "refused")
