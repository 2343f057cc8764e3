"""Rules for request bodies of receipts, with the limits of Checkbox's OpenAPI document."""

from __future__ import annotations

from typing import Any

from worker.sandbox.validation import (
    Required,
    Rule,
    anything,
    boolean,
    either,
    email,
    integer,
    items,
    members,
    moment,
    nullable,
    number,
    one_of,
    same_type_items,
    text,
    uuid,
)

_MONEY_LIMIT = 100_000_000_000
_string = nullable(text())
_money = integer(above=-_MONEY_LIMIT, below=_MONEY_LIMIT)


def _payment_rule(value: Any) -> Rule | None:
    kind = value.get("type", "CASH") if isinstance(value, dict) else "CASH"
    if kind == "CASH":
        return _cash_payment
    return _card_payment if kind in ("CASHLESS", "CARD") else None


def _control_number_rule(value: Any) -> Rule:
    return text() if isinstance(value, str) else integer()


def _context_rule(value: Any) -> Rule | None:
    return anything if isinstance(value, str | int | float) else None


_context = nullable(either(lambda value: _flat(value) if isinstance(value, dict) else None))
_control_number = nullable(either(_control_number_rule))


def _flat(value: dict[str, Any]) -> Rule:
    return members({name: either(_context_rule) for name in value})


_discount = members(
    {
        "type": Required(one_of("DISCOUNT", "PRE_PAYMENT", "EXTRA_CHARGE")),
        "mode": Required(one_of("PERCENT", "VALUE")),
        "value": Required(number(at_least=0)),
        "tax_code": nullable(either(lambda value: text() if isinstance(value, str) else integer())),
        "tax_codes": nullable(same_type_items((int, str))),
        "name": _string,
        "privilege": _string,
    }
)
#: Codes or letters; ``taxes`` is the old name of ``tax``.
_taxes = nullable(same_type_items((int, str), most=2))
_good = members(
    {
        "code": Required(text(shortest=1, longest=256)),
        "name": Required(text(shortest=1)),
        "barcode": nullable(text(longest=4096)),
        "excise_barcode": nullable(text(longest=4096)),
        "excise_barcodes": nullable(items(text())),
        "e_excise_barcodes": nullable(items(text())),
        "header": nullable(text(longest=1024)),
        "footer": nullable(text(longest=1024)),
        "price": Required(integer(above=0, below=_MONEY_LIMIT)),
        "original_price": nullable(integer()),
        "tax": _taxes,
        "taxes": _taxes,
        "uktzed": nullable(text(longest=64)),
        "icon": _string,
    }
)
_good_item = members(
    {
        "good": Required(_good),
        "good_id": nullable(uuid),
        "quantity": Required(integer(above=0)),
        "is_return": nullable(boolean),
        "is_winnings_payout": nullable(boolean),
        "discounts": nullable(items(_discount)),
        "total_sum": nullable(integer()),
    }
)
_cash_payment = members(
    {
        "type": one_of("CASH"),
        "pawnshop_is_return": nullable(boolean),
        "operation_type": _string,
        "value": Required(_money),
        "label": nullable(text(shortest=1, longest=128)),
    }
)
_card_payment = members(
    {
        "pawnshop_is_return": nullable(boolean),
        "operation_type": _string,
        "provider_type": nullable(
            one_of("TAPXPHONE", "POSCONTROL", "TERMINAL", "ANDROID_PAYLINK", "DESKTOP_PAYLINK")
        ),
        "code": nullable(integer(above=0, below=10)),
        "value": Required(_money),
        "commission": nullable(integer()),
        "label": nullable(text(shortest=1, longest=128)),
        "card_mask": nullable(text(longest=19)),
        "bank_name": _string,
        "auth_code": _string,
        "rrn": _string,
        "payment_system": _string,
        "owner_name": _string,
        "terminal": _string,
        "acquiring": _string,
        "acquirer_and_seller": _string,
        "receipt_no": _string,
        "signature_required": nullable(boolean),
        "tapxphone_terminal": nullable(uuid),
        "transaction_id": _string,
        "ereceipt_data": nullable(
            members(
                {
                    "bank_transaction_id": Required(text(longest=255)),
                    "receipt_id": _string,
                    "company_registration_id": _string,
                    "message": _string,
                }
            )
        ),
    }
)
_delivery = members(
    {
        "email": nullable(email),
        "emails": nullable(items(email, unique=True)),
        "phone": nullable(text(pattern=r"\+?380\d{9}$", name="str.regex")),
    }
)
_custom = members(
    dict.fromkeys(
        (
            "html_global_header",
            "html_global_footer",
            "html_body_style",
            "html_receipt_style",
            "html_ruler_style",
            "html_light_block_style",
            "text_global_header",
            "text_global_footer",
        ),
        _string,
    )
)
#: A sale's members.
sell_table: dict[str, Rule | Required] = {
    "id": nullable(uuid),
    "cashier_name": _string,
    "departament": _string,
    "goods": Required(items(_good_item, fewest=1)),
    "delivery": nullable(_delivery),
    "discounts": nullable(items(_discount)),
    "bonuses": nullable(items(anything)),
    "payments": items(either(_payment_rule)),
    "rounding": nullable(boolean),
    "rounding_mode": nullable(one_of("ROUND_10", "ROUND_50")),
    "header": _string,
    "footer": _string,
    "barcode": _string,
    "control_number": _control_number,
    "order_id": nullable(uuid),
    "related_receipt_id": nullable(uuid),
    "related_receipt_created_at": nullable(moment),
    "stock_code": _string,
    "technical_return": nullable(boolean),
    "is_pawnshop": nullable(boolean),
    "context": _context,
    "custom": nullable(_custom),
    "previous_receipt_id": nullable(uuid),
    "callback_url": _string,
}

SELL = members(sell_table)
SELL_OFFLINE = members({**sell_table, "fiscal_code": Required(text()), "fiscal_date": Required(moment)})
BULK_SELL = members({"receipts": Required(items(SELL, most=50))})
SERVICE = members(
    {
        "id": nullable(uuid),
        "payment": Required(_cash_payment),
        "fiscal_code": _string,
        "fiscal_date": nullable(moment),
        "control_number": _control_number,
        "context": _context,
        "custom": nullable(_custom),
        "footer": _string,
    }
)
#: The client calculates everything; Checkbox does not check it.
ADD_EXTERNAL = members(
    {
        "id": nullable(uuid),
        "goods": Required(
            items(members({"good": Required(_good), "quantity": Required(integer(above=0))}), fewest=1)
        ),
        "payments": Required(items(either(_payment_rule))),
        "discounts": nullable(items(_discount)),
        "total_sum": Required(integer()),
        "total_payment": Required(integer()),
        "total_rest": nullable(integer()),
        "fiscal_code": _string,
        "fiscal_date": nullable(moment),
        "context": _context,
        "delivery": nullable(_delivery),
    }
)
SERVICE_CURRENCY = members(
    {
        "id": nullable(uuid),
        "type": Required(one_of("ADVANCE", "REINFORCEMENT", "COLLECTION")),
        "currencies": Required(
            items(members({"currency": Required(text()), "value": Required(number(at_least=0))}))
        ),
        "cashier_name": _string,
        "header": _string,
    }
)
