"""What planning an order gives: its receipt, and what was put right without a failure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from worker.fiscal.receipt import Receipt


class PlanWarning(StrEnum):
    """What was put right without a failure; the values are those of a metric's label."""

    BUYER_EMAIL_MALFORMED = "buyer_email_malformed"
    BUYER_PHONE_MALFORMED = "buyer_phone_malformed"
    PAYMENT_LABEL_UNKNOWN = "payment_label_unknown"
    CARD_NUMBER_WHOLE = "card_number_whole"


@dataclass(frozen=True, slots=True)
class Plan:
    """The receipt, and what its order had wrong without harm."""

    receipt: Receipt
    warnings: tuple[PlanWarning, ...]
