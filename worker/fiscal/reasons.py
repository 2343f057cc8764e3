"""Words that one part of the worker writes and another decides by."""

from __future__ import annotations

from enum import StrEnum


class Wait(StrEnum):
    """What a postponed request waits for; the values are in logs and metrics."""

    # Our own limits.
    RATE_LIMIT = "rate_limit"
    CASHIER_IN_USE = "cashier_in_use"
    THREADS_IN_USE = "threads_in_use"
    # Receipts.
    NUMBER = "number"
    RECEIPT_NOT_SHOWN_YET = "receipt_not_shown_yet"
    RECEIPT_MAY_APPEAR = "receipt_may_appear"
    READ_TOO_LONG_AGO = "read_too_long_ago"
    NEXT_RECEIPT = "next_receipt"
    # Returns.
    SALE_OF_RETURN = "sale_of_return"
    RETURN_OF_SALE = "return_of_sale"
    COPY_OF_RETURN = "copy_of_return"
    RETURN_NOT_SHOWN_YET = "return_not_shown_yet"
    RETURNS_SEARCHED = "returns_searched"
    PLACE_TAKEN = "place_taken"
    # Prepayments.
    CHAIN_OF_PAYMENT = "chain_of_payment"
    CHAIN_OF_RETURN = "chain_of_return"
    CHAIN_NOT_SHOWN_YET = "chain_not_shown_yet"
    SALE_OF_ORDER = "sale_of_order"
    RETURN_OF_CHAIN = "return_of_chain"
    RETURNS_NOT_SHOWN_YET = "returns_not_shown_yet"
    RETURNS_MAY_APPEAR = "returns_may_appear"
    # Shifts.
    SHIFT_OPENING = "shift_opening"
    SHIFT_UNDER_WAY = "shift_under_way"
    SHIFT_CHANGED = "shift_changed"
    SHIFT_ROLLOVER = "shift_rollover"


class Reason(StrEnum):
    """Words of a verdict's detail that choose what follows; a detail may have others."""

    #: The value of ``service`` where Bimp was asked, and not Checkbox.
    ARCHIVE_CHECK = "archive_check"
    CASH_SHORTAGE = "cash_shortage"
    KEY_EXPIRED = "key_expired"
    CIRCUIT_OPEN = "circuit_open"
    THROTTLED = "throttled"
    # There is no answer.
    CONNECT_TIMEOUT = "connect_timeout"
    CONNECT_ERROR = "connect_error"
    OVERSIZED = "oversized"
