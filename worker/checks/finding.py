"""What a check has found: codes and severities are those of the ``integration.checked`` notice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """No finding stops a sale by itself."""

    ERROR = "error"
    WARNING = "warning"


class FindingCode(StrEnum):
    """What was found."""

    CONFIGURATION_INVALID = "CONFIGURATION_INVALID"
    SUBSCRIPTION_ENDED = "SUBSCRIPTION_ENDED"
    TAX_CODE_UNKNOWN = "TAX_CODE_UNKNOWN"
    TAX_RATE_MISMATCH = "TAX_RATE_MISMATCH"
    SIGN_IN_REFUSED = "SIGN_IN_REFUSED"
    LICENSE_KEY_REFUSED = "LICENSE_KEY_REFUSED"
    CASHIER_BLOCKED = "CASHIER_BLOCKED"
    OTHER_ORGANIZATION = "OTHER_ORGANIZATION"
    WRONG_ENVIRONMENT = "WRONG_ENVIRONMENT"
    WRONG_REGISTER = "WRONG_REGISTER"
    KEY_EXPIRED = "KEY_EXPIRED"
    KEY_CANNOT_SIGN = "KEY_CANNOT_SIGN"
    SUBSCRIPTION_ENDS = "SUBSCRIPTION_ENDS"
    TAX_NO_VAT_DIFFERS = "TAX_NO_VAT_DIFFERS"
    TAX_CODE_WITH_EXCISE = "TAX_CODE_WITH_EXCISE"
    TAX_RATE_WITHOUT_ROW = "TAX_RATE_WITHOUT_ROW"
    VAT_PAYER_MISMATCH = "VAT_PAYER_MISMATCH"
    KEY_EXPIRES = "KEY_EXPIRES"
    KEY_OFFLINE = "KEY_OFFLINE"
    SHIFT_OVER_20H = "SHIFT_OVER_20H"
    REGISTER_OFFLINE = "REGISTER_OFFLINE"
    OFFLINE_HOURS = "OFFLINE_HOURS"
    OFFLINE_CODES_LOW = "OFFLINE_CODES_LOW"
    NOT_CHECKED = "NOT_CHECKED"

    @property
    def severity(self) -> Severity:
        return Severity.ERROR if self in _ERRORS else Severity.WARNING


_ERRORS = frozenset(
    {
        FindingCode.CONFIGURATION_INVALID,
        FindingCode.SUBSCRIPTION_ENDED,
        FindingCode.TAX_CODE_UNKNOWN,
        FindingCode.TAX_RATE_MISMATCH,
        FindingCode.SIGN_IN_REFUSED,
        FindingCode.LICENSE_KEY_REFUSED,
        FindingCode.CASHIER_BLOCKED,
        FindingCode.OTHER_ORGANIZATION,
        FindingCode.WRONG_ENVIRONMENT,
        FindingCode.WRONG_REGISTER,
        FindingCode.KEY_EXPIRED,
        FindingCode.KEY_CANNOT_SIGN,
    }
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One place of an integration, and what was found there. Free of secrets."""

    #: A JSON pointer into the integration as it was read; ``""`` is the whole.
    path: str
    code: FindingCode
    #: By the names that the texts use. A rate is in plain notation, or ``not_accountable``.
    facts: Mapping[str, str] = field(default_factory=dict)
    #: Which of several texts of the code it is.
    variant: str = ""
