"""The bodies of prepayments, as tables for the validator. Limits are those of Checkbox's OpenAPI document."""

from __future__ import annotations

from worker.sandbox.payloads import sell_table
from worker.sandbox.validation import boolean, members, nullable, text

PREPAYMENT = members(
    {
        **sell_table,
        "custom_relation_id": nullable(text(shortest=10, longest=256)),
        "ettn": nullable(text(shortest=12, longest=28)),
    }
)
_ALWAYS = ("cashier_name", "departament", "rounding_mode", "delivery")
#: Further money: goods, discounts and context are those of the first receipt.
AFTERPAYMENT = members(
    {name: sell_table[name] for name in (*_ALWAYS, "id", "rounding", "payments", "header", "footer")}
)
CHAIN_RETURN = members(
    {
        **{name: sell_table[name] for name in _ALWAYS},
        "skip_total_cash_validation": nullable(boolean),
        "check_ettn": nullable(boolean),
    }
)
