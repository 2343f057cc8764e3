"""From the message on the wire to the request of the core."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from worker.fiscal.order import (
    Buyer,
    Card,
    Operation,
    Order,
    OrderLine,
    Payment,
    PaymentForm,
    Request,
    ReturnOf,
    Vat,
)
from worker.rabbit.message.models import (
    WireBuyer,
    WireCard,
    WireLine,
    WireMessage,
    WireOrder,
    WirePayment,
    WireReturnOf,
)

_FORMS = {form.value: form for form in PaymentForm}


def to_request(message: WireMessage) -> Request:
    """The request of a message that has passed validation."""
    data = message.data
    operation = Operation(data.operation or Operation.SELL)
    is_payment = operation in (Operation.PREPAYMENT, Operation.AFTERPAYMENT)
    return Request(
        id=message.id,
        source=message.source,
        time=message.time,
        integration=data.integration,
        cashier=data.cashier,
        operation=operation,
        order=_order(data.order),
        payments=tuple(_payment(payment) for payment in data.payments or ()),
        buyer=_buyer(data.buyer) if data.buyer else None,
        return_of=_return_of(data.return_of) if data.return_of and operation.is_return else None,
        sell_again=data.sell_again is True and operation in (Operation.SELL, Operation.PREPAYMENT),
        payment_uuid=data.payment_uuid if is_payment else None,
        closes=data.closes is not False,
    )


def _order(order: WireOrder) -> Order:
    return Order(
        uuid=order.uuid,
        doc_number=order.doc_number,
        date=order.date,
        archived=order.archived,
        currency=order.currency,
        lines=tuple(_line(line) for line in order.products),
        discount=order.discount or 0,
        total=order.total,
    )


def _line(line: WireLine) -> OrderLine:
    return OrderLine(
        code=line.code,
        name=line.name,
        barcode=_filled(line.barcode),
        uktzed=_filled(line.uktzed),
        unit=_filled(line.unit),
        excise_barcodes=tuple(filter(_filled, line.excise_barcodes or ())),
        e_excise_barcodes=tuple(filter(_filled, line.e_excise_barcodes or ())),
        count=line.count,
        cost=line.cost,
        discount=line.discount or 0,
        amount=line.amount,
        vat=_vat(line.vat.percent_rate, line.vat.not_accountable is True) if line.vat else None,
    )


def _filled(text: str | None) -> str | None:
    """None for a text of nothing but spaces, which is the same as leaving it out."""
    return text if text and not text.isspace() else None


@lru_cache(maxsize=128)
def _vat(hundredths: int, not_accountable: bool) -> Vat:
    return Vat(percent_rate=Decimal(hundredths) / 100, not_accountable=not_accountable)


def _payment(payment: WirePayment) -> Payment:
    return Payment(
        form=_FORMS[payment.form],
        amount=payment.amount,
        label=_filled(payment.label),
        card=_card(payment.card) if payment.card else None,
    )


def _card(card: WireCard) -> Card:
    return Card(
        mask=_filled(card.mask),
        bank_name=_filled(card.bank_name),
        auth_code=_filled(card.auth_code),
        rrn=_filled(card.rrn),
        payment_system=_filled(card.payment_system),
        terminal=_filled(card.terminal),
        acquirer=_filled(card.acquirer),
    )


def _buyer(buyer: WireBuyer) -> Buyer:
    return Buyer(email=buyer.email or None, phone=buyer.phone or None)


def _return_of(sale: WireReturnOf) -> ReturnOf:
    return ReturnOf(
        order_uuid=sale.order_uuid, receipt_id=sale.receipt_id, relation_id=_filled(sale.relation_id)
    )
