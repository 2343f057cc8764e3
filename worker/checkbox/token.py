"""A cashier's token: requested when there is none, and once more when Checkbox refuses it.

A cashier has at most ten valid tokens, so there is no sign-in without need.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from worker.checkbox.client import CheckboxClient
from worker.fiscal.integrations import Cashier
from worker.fiscal.outcomes import Code, Rejected, Verdict
from worker.fiscal.ports import Refusal, TokenRefused
from worker.telemetry import metrics

#: Seconds for which a refusal, or a shift that stands in the way, is believed without asking again.
BELIEVED = 5.0

T = TypeVar("T")


class Remembered:
    """The last refusal of its kind, believed for some seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._kept: tuple[float, Rejected] | None = None

    def keep(self, refusal: Rejected) -> Rejected:
        self._kept = (self._monotonic(), refusal)
        return refusal

    def forget(self) -> None:
        self._kept = None

    def raise_again(self) -> None:
        """Raises ``Rejected`` while the refusal is believed."""
        if self._kept is not None and self._monotonic() - self._kept[0] < BELIEVED:
            refusal = self._kept[1]
            raise Rejected(refusal.code, refusal.detail)


class CashierToken:
    """For one thread at a time."""

    def __init__(
        self, client: CheckboxClient, url: str, cashier: Cashier, monotonic: Callable[[], float]
    ) -> None:
        self._client = client
        self._url = url
        self._cashier = cashier
        self._token: str | None = None
        self._refused = Remembered(monotonic)
        #: How many tokens there have been.
        self.sign_ins = 0
        #: The number of the token that was made because an earlier one was refused by ``call_if_allowed``.
        self._renewed = 0

    def call(self, call: Callable[[str], T]) -> T:
        """The result of the call, made with a valid token.

        Raises ``Rejected`` (CASHIER_CREDENTIALS_REJECTED) and whatever the call raises.
        """
        try:
            return self._call(call)
        except Rejected as refusal:
            if refusal.code is Code.CASHIER_CREDENTIALS_REJECTED:
                self._token = None  # in whatever words: the next order starts with a sign-in
            raise

    def sign_in(self) -> None:
        """Have a token. Raises what a sign-in raises."""
        if self._token is None:
            self._token = self._sign_in()

    def token(self, refused: str | None = None) -> str:
        """The token in use; a new one where ``refused`` is the one in use. Raises what a sign-in raises."""
        if self._token == refused:
            self._token = None
        self.sign_in()
        assert self._token is not None
        return self._token

    def call_if_allowed(self, call: Callable[[str], T]) -> T | None:
        """For a call that no receipt needs: None where it is refused or not answered.

        A refused token is renewed, unless it was renewed for such a call already.
        Raises what a sign-in raises.
        """
        try:
            return call(self.token())
        except TokenRefused:
            if self.sign_ins == self._renewed:
                return None
        except (Verdict, Refusal):
            return None
        self._token = None
        self.sign_in()
        self._renewed = self.sign_ins
        return self.call_if_allowed(call)

    def _call(self, call: Callable[[str], T]) -> T:
        if self._token is not None:
            try:
                return call(self._token)
            except TokenRefused:
                self._token = None
        self._token = self._sign_in()
        try:
            return call(self._token)
        except TokenRefused as refusal:
            detail = {"reason": "the token of a fresh sign-in was refused", "words": refusal.words}
            raise self._refused.keep(Rejected(Code.CASHIER_CREDENTIALS_REJECTED, detail)) from None

    def _sign_in(self) -> str:
        self._refused.raise_again()
        try:
            token = self._client.sign_in(self._url, self._cashier)
        except Rejected as refusal:
            metrics.SIGNINS.labels(metrics.SIGN_IN_REFUSED).inc()
            raise self._refused.keep(refusal) from None
        except Exception:  # counted, and raised as it is
            metrics.SIGNINS.labels(metrics.SIGN_IN_UNAVAILABLE).inc()
            raise
        metrics.SIGNINS.labels(metrics.SIGNED_IN).inc()
        self.sign_ins += 1
        return token
