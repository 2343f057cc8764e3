"""Checkbox's API, call by call.

Every call returns (a sure yes), raises a refusal or ``Rejected`` (a sure no), or raises ``Unavailable``
(don't know). ``private`` are the values that are cut out of Checkbox's words in what is raised or returned:
the cashier's password, PIN and licence key. The client adds the token, a key that is sent, and a receipt's
own buyer and card.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Self
from uuid import UUID

from pydantic import SecretStr

from worker.checkbox import answers, wire
from worker.checkbox.calls import Call, Calls, Private
from worker.checkbox.chain_calls import ChainCalls
from worker.checkbox.endpoints import Endpoint
from worker.checkbox.party_calls import PartyCalls
from worker.checkbox.receipt_answers import SearchResult, read_result, read_this
from worker.checkbox.shift_answers import ShiftPage, read_shifts
from worker.checkbox.transport import Transport
from worker.fiscal.integrations import Cashier
from worker.fiscal.outcomes import Code, IssuedReceipt, Rejected
from worker.fiscal.ports import Shift, ShiftNotOpened
from worker.fiscal.receipt import Receipt
from worker.http.call import Timeouts

#: Most receipts that a page of the search may have.
PAGE_LIMIT = 100


class CheckboxClient(PartyCalls):
    """One for each process, shared by its threads.

    The base URL is given with every call: integrations may override it.
    """

    def __init__(
        self,
        *,
        timeouts: Timeouts = Timeouts(),  # noqa: B008 - frozen
        headers: Callable[[], Mapping[str, str]] = dict,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``headers`` are added to every call (``traceparent``); ``clock`` dates a Retry-After."""
        self._transport = Transport(timeouts, headers)
        super().__init__(Calls(self._transport, clock))
        #: Prepayments.
        self.chains = ChainCalls(self._calls)

    def sign_in(self, url: str, cashier: Cashier) -> str:
        """A bearer token: by login and password, or else by PIN and licence key.

        Raises ``Rejected`` (CASHIER_CREDENTIALS_REJECTED).
        """
        return self._calls.read(_sign_in(url, cashier), answers.read_token)

    def sign_out(self, url: str, token: str) -> None:
        """Make the token invalid, which makes room for another: a cashier has at most ten."""
        self._calls.accept(Call(endpoint=Endpoint.SIGN_OUT, url=url, token=token))

    def current_shift(self, url: str, token: str, *, private: Private = ()) -> Shift | None:
        """The cashier's shift; None when Checkbox is sure that there is none."""
        call = Call(endpoint=Endpoint.CASHIER_SHIFT, url=url, token=token, private=private)

        def read(document: Any) -> Shift | None:
            return None if document is None else answers.read_shift(document, call.secrets)

        try:
            return self._calls.read(call, read)
        except ShiftNotOpened:  # instead of the ``null`` that was seen
            return None

    def shift(self, url: str, token: str, shift_id: UUID, *, private: Private = ()) -> Shift:
        """A shift by its id: open, or CLOSED with a refusal where the opening was refused."""
        path = {"shift_id": str(shift_id)}
        return self._shift(Call(endpoint=Endpoint.SHIFT, url=url, token=token, path=path, private=private))

    def open_shift(
        self, url: str, token: str, license_key: SecretStr, shift_id: UUID, *, private: Private = ()
    ) -> Shift:
        """Accepted, to be polled until it is open.

        Raises ``CashierHasShift``, and ``Rejected``: REGISTER_BUSY, or SHIFT_NOT_OPEN with Checkbox's reason
        (``reason`` is ``key_expired`` where the signing key has expired).
        """
        return self._shift(
            Call(
                endpoint=Endpoint.SHIFT_OPEN,
                url=url,
                token=token,
                license_key=license_key,
                body=wire.open_shift_body(shift_id),
                private=private,
            )
        )

    def close_shift(self, url: str, token: str, *, private: Private = ()) -> Shift:
        """Accepted, to be polled until it is closed. Raises ``ShiftNotOpened``."""
        body = wire.close_shift_body()
        return self._shift(
            Call(endpoint=Endpoint.SHIFT_CLOSE, url=url, token=token, body=body, private=private)
        )

    def sell(
        self,
        url: str,
        token: str,
        receipt_id: UUID,
        receipt: Receipt,
        context: Mapping[str, str | int],
        *,
        private: Private = (),
    ) -> IssuedReceipt:
        """The receipt as Checkbox took it, mostly without a fiscal number yet.

        Raises ``ReceiptExists``, ``ShiftNotOpened``, ``ShiftExpired``, ``TokenRefused``, and ``Rejected``
        (RECEIPT_REJECTED).
        """
        call = Call(
            endpoint=Endpoint.SELL,
            url=url,
            token=token,
            body=wire.sell_body(receipt_id, receipt, context),
            private=(*private, *wire.private_values(receipt)),
        )
        return self._calls.issue(call, lambda document: read_this(receipt_id, document, call.secrets))

    def receipt(
        self, url: str, token: str, receipt_id: UUID, *, private: Private = ()
    ) -> IssuedReceipt | None:
        """The receipt of this id; None when Checkbox is sure to have none."""
        path = {"receipt_id": str(receipt_id)}
        call = Call(endpoint=Endpoint.RECEIPT, url=url, token=token, path=path, private=private)
        return self._calls.look_up(call, lambda document: read_this(receipt_id, document, call.secrets))

    def search_receipts(
        self,
        url: str,
        token: str,
        *,
        shift_id: str | None = None,
        fiscal_code: str | None = None,
        from_date: str | None = None,
        limit: int = PAGE_LIMIT,
        offset: int = 0,
        private: Private = (),
    ) -> list[SearchResult]:
        """A page of receipts by any cashier, oldest first: of a shift, a number, or since a time (RFC 3339).

        It may be shorter than ``limit`` and not the last one: that one is empty.
        """
        params = {"self_receipts": "false", "limit": str(limit), "offset": str(offset)}
        if shift_id:
            params["shift_id"] = shift_id
        if fiscal_code:
            params["fiscal_code"] = fiscal_code
        if from_date:
            params["from_date"] = from_date
        call = Call(endpoint=Endpoint.RECEIPT_SEARCH, url=url, token=token, params=params, private=private)

        def read(document: Any) -> list[SearchResult]:
            return [read_result(result, call.secrets) for result in answers.read_page(document)]

        return self._calls.read(call, read)

    def last_shift_closed_at(self, url: str, token: str, *, private: Private = ()) -> float | None:
        """When the cashier's latest shift was closed, in seconds since the epoch; None where it was not."""
        params = {"desc": "true", "limit": "1"}
        call = Call(endpoint=Endpoint.SHIFTS, url=url, token=token, params=params, private=private)
        return self._calls.read(call, answers.read_last_closing)

    def shifts(
        self, url: str, params: Mapping[str, str], *, token: str = "", license_key: SecretStr | None = None
    ) -> ShiftPage:
        """A page of a register's shifts, for its licence key alone, or else of the signed-in cashier's."""
        endpoint = Endpoint.REGISTER_SHIFTS if license_key else Endpoint.SHIFTS
        call = Call(endpoint=endpoint, url=url, token=token, license_key=license_key, params=params)
        return self._calls.read(call, read_shifts)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _shift(self, call: Call) -> Shift:
        return self._calls.read(call, lambda document: answers.read_shift(document, call.secrets))


def _sign_in(url: str, cashier: Cashier) -> Call:
    if cashier.login and cashier.password:
        password = cashier.password.get_secret_value()
        body = wire.sign_in_body(cashier.login, password)
        return Call(endpoint=Endpoint.SIGN_IN, url=url, body=body, private=(password,))
    if cashier.pin_code and cashier.license_key:
        pin_code = cashier.pin_code.get_secret_value()
        return Call(
            endpoint=Endpoint.SIGN_IN_PIN,
            url=url,
            license_key=cashier.license_key,
            body=wire.sign_in_pin_body(pin_code),
            private=(pin_code,),
        )
    raise Rejected(Code.CASHIER_CREDENTIALS_REJECTED, {"reason": "credentials_incomplete"})
