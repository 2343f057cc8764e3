"""Receipts and cashiers that tests of the client send."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from pydantic import SecretStr

from worker.fiscal.integrations import Cashier, CashRounding
from worker.fiscal.order import Card, Operation, PaymentForm
from worker.fiscal.receipt import Receipt, ReceiptLine, ReceiptPayment, Recipient

RECEIPT_ID = UUID("9f283816-07b1-4bd7-875a-e2339c675ee8")
SALE_ID = UUID("0f283816-07b1-4bd7-875a-e2339c675ee8")
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
EMAIL = "buyer@example.com"
PHONE = "+380671234567"
CARD = Card(
    mask="4149 **** **** 1234",
    bank_name="ПриватБанк",
    auth_code="A1B2C3",
    rrn="030400000001",
    payment_system="VISA",
    terminal="T100",
    acquirer="PB",
)
CONTEXT: dict[str, str | int] = {"request": "b1d3f0de-0000-5000-8000-000000000001", "replay": 0}

LINE = ReceiptLine(
    code="SKU-1",
    name="Кава мелена",
    quantity=1000,
    price=15000,
    tax_codes=(1,),
    barcode=None,
    uktzed=None,
    excise_barcodes=(),
    e_excise_barcodes=(),
    discount=0,
    surcharge=0,
)
SALE = Receipt(
    operation=Operation.SELL,
    lines=(LINE,),
    discount=0,
    payments=(ReceiptPayment(PaymentForm.CASH, 15000, "Готівка", None),),
    rounding=CashRounding.NONE,
    total=15000,
    footer=None,
    delivery=None,
    doc_number="ЗП-1",
)
CARD_SALE = replace(
    SALE,
    payments=(ReceiptPayment(PaymentForm.CASHLESS, 15000, "Картка", CARD),),
    delivery=Recipient(EMAIL, PHONE),
)

BY_PASSWORD = Cashier(
    id="olena",
    name="Каса 1",
    employee=None,
    login="olena",
    password=SecretStr("olena-secret"),
    pin_code=None,
    license_key=None,
)
BY_PIN = replace(
    BY_PASSWORD,
    login=None,
    password=None,
    pin_code=SecretStr("4711"),
    license_key=SecretStr("test1234567890abcdef"),
)
