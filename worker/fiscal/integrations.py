"""The shop's side of the configuration: integrations, their cashiers and rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from pydantic import SecretStr

from worker.fiscal.tax_rates import TaxRates


class ShiftPolicy(StrEnum):
    """Who opens and closes the cashiers' shifts."""

    MANUAL = "manual"
    AUTO = "auto"


class Environment(StrEnum):
    """Whether receipts count: real registers and cashiers, or those for trying out."""

    LIVE = "live"
    TEST = "test"


class CashRounding(StrEnum):
    """How a total paid in cash alone is rounded; the values are Checkbox's ``rounding_mode``."""

    NONE = "none"
    ROUND_10 = "ROUND_10"
    ROUND_50 = "ROUND_50"


@dataclass(frozen=True, slots=True)
class Cashier:
    """A cashier row. Either ``login`` and ``password``, or ``pin_code`` and ``license_key``."""

    id: str
    name: str
    employee: UUID | None
    login: str | None
    password: SecretStr | None
    pin_code: SecretStr | None
    license_key: SecretStr | None


@dataclass(frozen=True, slots=True)
class Integration:
    """What a user of Bimp chooses when he presses the button."""

    id: str
    name: str
    #: The code of the only company whose messages may use it; None lets every company.
    company: str | None
    environment: Environment
    #: Advances and further payments are taken.
    prepayments: bool
    checkbox_url: str
    cash_rounding: CashRounding
    shifts: ShiftPolicy
    rollover_after: timedelta
    cashiers: Mapping[str, Cashier]
    tax_rates: TaxRates

    def is_foreign(self, source: str | None) -> bool:
        """Whether ``source`` is another company than the integration's; False where either is unknown."""
        return None not in (self.company, source) and source != f"/companies/{self.company}"
