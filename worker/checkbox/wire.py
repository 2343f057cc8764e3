"""What goes out: the bodies of Checkbox's requests.

Pure, and the same bytes for the same receipt. Money is integer kopiykas, quantities are integer thousandths:
Checkbox is never left a fraction to round.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from worker.fiscal.integrations import CashRounding
from worker.fiscal.order import Card, Operation
from worker.fiscal.receipt import Receipt, ReceiptLine, ReceiptPayment, Recipient


def sell_body(receipt_id: UUID, receipt: Receipt, context: Mapping[str, str | int]) -> bytes:
    """POST /receipts/sell, for sales and returns alike.

    ``context`` is a flat map that Checkbox keeps and gives back with the receipt.
    """
    return encode(_sell(receipt_id, receipt, context))


def prepayment_body(
    relation_id: str, receipt_id: UUID, receipt: Receipt, context: Mapping[str, str | int]
) -> bytes:
    """POST /prepayment-receipts: the whole order, and money for a part of it."""
    return encode({"custom_relation_id": relation_id, **_sell(receipt_id, receipt, context)})


def afterpayment_body(receipt_id: UUID, receipt: Receipt) -> bytes:
    """POST /prepayment-receipts/{relation_id}: money alone, the goods are known."""
    return encode(
        _given(
            id=str(receipt_id),
            payments=[_payment(payment) for payment in receipt.payments],
            rounding_mode=_rounding(receipt),
            delivery=_delivery(receipt.delivery),
            footer=receipt.footer,
        )
    )


def chain_return_body(receipt: Receipt) -> bytes:
    """POST /prepayment-receipts/{relation_id}/return."""
    return encode({"skip_total_cash_validation": False, **_given(delivery=_delivery(receipt.delivery))})


def _sell(receipt_id: UUID, receipt: Receipt, context: Mapping[str, str | int]) -> dict[str, Any]:
    is_return = receipt.operation is Operation.RETURN
    return _given(
        id=str(receipt_id),
        goods=[_good(line, is_return) for line in receipt.lines],
        discounts=_discounts(receipt.discount, 0),
        payments=[_payment(payment) for payment in receipt.payments],
        rounding_mode=_rounding(receipt),
        related_receipt_id=str(receipt.related_receipt_id) if receipt.related_receipt_id else None,
        related_receipt_created_at=receipt.related_receipt_created_at,
        delivery=_delivery(receipt.delivery),
        footer=receipt.footer,
        context=dict(context),
    )


def _rounding(receipt: Receipt) -> str | None:
    return None if receipt.rounding is CashRounding.NONE else receipt.rounding.value


def sign_in_body(login: str, password: str) -> bytes:
    """POST /cashier/signin."""
    return encode({"login": login, "password": password})


def sign_in_pin_body(pin_code: str) -> bytes:
    """POST /cashier/signinPinCode; the register's licence key goes into a header."""
    return encode({"pin_code": pin_code})


def open_shift_body(shift_id: UUID) -> bytes:
    """POST /shifts, with an id of ours so that a lost answer can be looked up."""
    return encode({"id": str(shift_id)})


def close_shift_body() -> bytes:
    """POST /shifts/close. A shift that was opened by hand in another program is closed as well."""
    return encode({"skip_client_name_check": True})


def private_values(receipt: Receipt) -> Iterator[str]:
    """What of this receipt must not be repeated: the buyer's addresses and the card's details."""
    if receipt.delivery:
        yield from filter(None, (receipt.delivery.email, receipt.delivery.phone))
    for payment in receipt.payments:
        if payment.card:
            yield from filter(None, (payment.card.mask, payment.card.rrn, payment.card.auth_code))


def encode(document: Mapping[str, Any]) -> bytes:
    """Compact JSON in UTF-8. A lone surrogate, which UTF-8 cannot carry, becomes a question mark."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _good(line: ReceiptLine, is_return: bool) -> dict[str, Any]:
    return _given(
        good=_given(
            code=line.code,
            name=line.name,
            price=line.price,
            tax=list(line.tax_codes),
            barcode=line.barcode,
            uktzed=line.uktzed,
            excise_barcodes=list(line.excise_barcodes),
            e_excise_barcodes=list(line.e_excise_barcodes),
            header=line.header,
            footer=line.footer,
        ),
        quantity=line.quantity,
        is_return=is_return or None,
        discounts=_discounts(line.discount, line.surcharge),
    )


def _discounts(discount: int, surcharge: int) -> list[dict[str, Any]]:
    amounts = (("DISCOUNT", discount), ("EXTRA_CHARGE", surcharge))
    return [{"type": kind, "mode": "VALUE", "value": value} for kind, value in amounts if value]


def _payment(payment: ReceiptPayment) -> dict[str, Any]:
    return {
        "type": payment.form.value,
        "value": payment.value,
        "label": payment.label,
        **(_card(payment.card) if payment.card else {}),
    }


def _card(card: Card) -> dict[str, Any]:
    return _given(
        card_mask=card.mask,
        bank_name=card.bank_name,
        auth_code=card.auth_code,
        rrn=card.rrn,
        payment_system=card.payment_system,
        terminal=card.terminal,
        acquirer_and_seller=card.acquirer,
    )


def _delivery(delivery: Recipient | None) -> dict[str, Any] | None:
    if delivery is None:
        return None
    return _given(emails=[delivery.email] if delivery.email else None, phone=delivery.phone)


def _given(**members: Any) -> dict[str, Any]:
    """Only what there is: a null or an empty list says nothing that leaving it out does not say."""
    return {name: value for name, value in members.items() if value not in (None, "", [], {})}
