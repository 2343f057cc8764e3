"""The tax table of a cashier's organization, as far as it is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from worker.checkbox.client import CheckboxClient
from worker.checkbox.token import CashierToken
from worker.fiscal.tax_rates import CheckboxTax

Table = Sequence[CheckboxTax]

#: Seconds for which a table is believed.
_DAY = 86400.0
#: Seconds for which a new token takes the table that another cashier of the organization has just read.
_SHARED_FOR = 60.0
#: A read that failed is not repeated for this many seconds, or for ten times as long as it took: an endpoint
#: that hangs must not hold back sales.
_AGAIN_AFTER, _AGAIN_AFTER_TIMES = 5.0, 10.0


class TaxTables:
    """What the cashiers of a process have read, by the address and the organization; shared by threads."""

    def __init__(self) -> None:
        self._tables: dict[tuple[str, str], tuple[float, Table]] = {}

    def keep(self, url: str, organization: str, read_at: float, table: Table) -> None:
        self._tables[url, organization] = (read_at, table)

    def read_since(self, url: str, organization: str, moment: float) -> tuple[float, Table] | None:
        found = self._tables.get((url, organization))
        return found if found is not None and found[0] >= moment else None


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
                self._share(organization(), now)
            else:
                self._ask(None, now)
        return self._table if math.isinf(within) or self._monotonic() - self._read_at < within else None

    def _share(self, organization: str | None, now: float) -> None:
        known = organization and self._tables.read_since(self._url, organization, now - _SHARED_FOR)
        if known:
            self._read_at, self._table = known
            self._sign_in = self._access.sign_ins
        else:
            self._ask(organization, now)

    def _ask(self, organization: str | None, now: float) -> None:
        table = self._access.call_if_allowed(lambda token: self._client.taxes(self._url, token))
        if table is None:
            took = self._monotonic() - now
            self._try_at = now + took + max(_AGAIN_AFTER, took * _AGAIN_AFTER_TIMES)
            return
        self._read_at, self._table, self._sign_in = now, table, self._access.sign_ins
        if organization is not None:
            self._tables.keep(self._url, organization, now, table)
