"""From a rate of Bimp to the code of a tax in Checkbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from worker.fiscal.order import Vat


@dataclass(frozen=True, slots=True)
class TaxRates:
    """The integration's table: codes are free in each organization, so they are never guessed."""

    codes: Mapping[Decimal, int]
    not_accountable: int | None

    def code_for(self, vat: Vat) -> int | None:
        """The code in Checkbox; None where the table has none. 7, 7.0 and 7.00 are one rate."""
        return self.not_accountable if vat.not_accountable else self.codes.get(vat.percent_rate)
