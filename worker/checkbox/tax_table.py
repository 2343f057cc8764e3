"""The tax table of a cashier's organization, as far as it is known."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

from worker.checkbox.client import CheckboxClient
from worker.checkbox.token import CashierToken
from worker.fiscal.tax_rates import CheckboxTax
from worker.http.circuit_breaker import CircuitBreakers, CircuitOpen, Scope

Table = Sequence[CheckboxTax]

#: Seconds that a read usually takes at most.
_READ_WITHIN = 1.0
#: Seconds for which a table is believed.
_DAY = 86400.0
#: Seconds for which a new token takes the table that another cashier of the organization has just read.
_SHARED_FOR = 5.0
#: A read that failed is not repeated for this many seconds, or for ten times as long as it took: an endpoint
#: that hangs must not hold back sales.
_AGAIN_AFTER, _AGAIN_AFTER_TIMES = 5.0, 10.0
#: Cashiers who met silence, after which the endpoint counts as hanging.
_THRESHOLD = 3


@dataclass(slots=True)
class _Shared:
    """The table of an organization, as it was read last."""

    read_at: float = -math.inf
    table: Table = ()
    lock: Lock = field(default_factory=Lock)


class TaxTables:
    """What the cashiers of a process have read, by the address and the organization; shared by threads."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._tables: dict[tuple[str, str], _Shared] = defaultdict(_Shared)
        #: While the endpoint hangs, one cashier at a time asks; the sales of the others do not wait for it.
        self.breakers = CircuitBreakers(monotonic, trials=1)

    @contextmanager
    def of(self, url: str, organization: str) -> Iterator[_Shared]:
        """One cashier at a time reads it; for one that hangs the others do not wait long."""
        shared = self._tables[url, organization]
        is_alone = shared.lock.acquire(timeout=_READ_WITHIN)
        try:
            yield shared
        finally:
            if is_alone:
                shared.lock.release()


class CashierTaxes:
    """For one thread at a time. Times are monotonic seconds."""

    def __init__(
        self,
        client: CheckboxClient,
        url: str,
        access: CashierToken,
        tables: TaxTables,
        monotonic: Callable[[], float],
    ) -> None:
        self._client = client
        self._url = url
        self._access = access
        self._tables = tables
        self._monotonic = monotonic
        self._scope = Scope("tax_table", url, str(id(self)), _THRESHOLD)
        self._table: Table | None = None
        self._read_at = -math.inf
        self._sign_in = 0
        self._try_at = -math.inf

    def read(self, within: float, organization: Callable[[], str | None]) -> Table | None:
        """The table, read by this token and within so many seconds, a day at most; None: it cannot be read.

        ``organization`` is asked for only where a table that another cashier has read would do.
        Raises what a sign-in raises.
        """
        self._access.sign_in()
        now = self._monotonic()
        if self._sign_in == self._access.sign_ins and now - self._read_at < min(within, _DAY):
            return self._table
        if now >= self._try_at:
            if math.isinf(within):
                self._share(organization())
            else:
                self._ask()
        return self._table if math.isinf(within) or self._monotonic() - self._read_at < within else None

    def _share(self, organization: str | None) -> None:
        if organization is None:
            self._ask()
            return
        with self._tables.of(self._url, organization) as shared:
            if self._monotonic() - shared.read_at < _SHARED_FOR:
                self._see(shared.table, shared.read_at)
            elif self._ask():
                shared.table, shared.read_at = self._table or (), self._read_at

    def _ask(self) -> bool:
        """Whether it could be read."""
        began = self._monotonic()
        try:
            with self._tables.breakers.closed((self._scope,)):
                table = self._access.call_if_allowed(lambda token: self._client.taxes(self._url, token))
        except CircuitOpen:
            return False
        if table is None:
            took = self._monotonic() - began
            self._try_at = began + took + max(_AGAIN_AFTER, took * _AGAIN_AFTER_TIMES)
            return False
        self._see(table, began)
        return True

    def _see(self, table: Table, read_at: float) -> None:
        self._table, self._read_at, self._sign_in = table, read_at, self._access.sign_ins
