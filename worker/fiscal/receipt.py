"""The receipt that an order becomes: its identity and its content.

Kopiykas and thousandths, all integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid5

from worker.fiscal.integrations import CashRounding
from worker.fiscal.order import Card, Operation, PaymentForm

_RECEIPT_NAMESPACE = UUID("6f5f6f0e-2d1c-5f6b-9f0a-1d0c3b0c7a11")


def sale_receipt_id(order: UUID, attempt: int) -> UUID:
    """The id that Checkbox knows an order's sale by.

    The same on every retry, redelivery, replay and second press of the button: Checkbox refuses a second
    receipt with the same id, which is what makes a duplicate impossible. The integration is not part
    of it, so that choosing another one makes no second receipt either.
    """
    return uuid5(_RECEIPT_NAMESPACE, f"{str(order).lower()}/{Operation.SELL}/{attempt}")


def return_receipt_id(sale: str, place: int) -> UUID:
    """The id of a return, from the sale's receipt and the return's place among those of that sale.

    Of two returns that race for one place Checkbox takes one; the other adds it up before it takes the next.
    """
    return uuid5(_RECEIPT_NAMESPACE, f"{sale.lower()}/{Operation.RETURN}/{place}")


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """A line of the receipt; ``price`` times ``quantity`` leaves no fraction of a kopiyka."""

    code: str
    name: str
    quantity: int
    price: int
    tax_codes: tuple[int, ...]
    barcode: str | None
    uktzed: str | None
    #: Paper stamps.
    excise_barcodes: tuple[str, ...]
    #: Electronic marks.
    e_excise_barcodes: tuple[str, ...]
    discount: int
    surcharge: int
    #: The full name where the line's own is cut, and the unit: printed above or under the line.
    header: str | None = None
    footer: str | None = None

    @property
    def total(self) -> int:
        return self.price * self.quantity // 1000 - self.discount + self.surcharge


@dataclass(frozen=True, slots=True)
class ReceiptPayment:
    """A payment as the receipt prints it."""

    form: PaymentForm
    value: int
    label: str
    card: Card | None


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where Checkbox sends the receipt: in its own pattern, or None."""

    email: str | None
    phone: str | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is sent to Checkbox, all but its id. The same order gives an equal receipt every time."""

    operation: Operation
    lines: tuple[ReceiptLine, ...]
    #: Off the whole receipt, after the lines.
    discount: int
    payments: tuple[ReceiptPayment, ...]
    rounding: CashRounding
    #: To pay, before cash is rounded.
    total: int
    footer: str | None
    delivery: Recipient | None
    #: For people: the order's number.
    doc_number: str
    #: The sale's receipt, for a return.
    related_receipt_id: UUID | None = None
    #: When the sale's receipt was made (RFC 3339): Checkbox finds an old one by it.
    related_receipt_created_at: str | None = None
