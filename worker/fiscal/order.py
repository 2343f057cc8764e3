"""The request of Bimp, read and validated. Money in kopiykas, quantities in thousandths."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID


class Operation(StrEnum):
    """What is fiscalized."""

    SELL = "SELL"
    RETURN = "RETURN"
    #: An advance: it opens a chain.
    PREPAYMENT = "PREPAYMENT"
    #: Further money of a chain; the last of it closes the chain.
    AFTERPAYMENT = "AFTERPAYMENT"
    #: The return of a whole chain.
    PREPAYMENT_RETURN = "PREPAYMENT_RETURN"

    @property
    def is_of_chain(self) -> bool:
        return self not in (Operation.SELL, Operation.RETURN)

    @property
    def is_return(self) -> bool:
        return self in (Operation.RETURN, Operation.PREPAYMENT_RETURN)


class PaymentForm(StrEnum):
    """Line 18 of the receipt's form: cash or not."""

    CASH = "CASH"
    CASHLESS = "CASHLESS"


@dataclass(frozen=True, slots=True)
class Vat:
    """A rate of Bimp. ``not_accountable`` is a rate of its own and not 0 percent."""

    percent_rate: Decimal
    not_accountable: bool


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A line of the order; ``amount`` leads, the other figures explain it."""

    code: str
    name: str
    barcode: str | None
    uktzed: str | None
    unit: str | None
    #: Paper excise stamps.
    excise_barcodes: tuple[str, ...]
    #: Electronic excise marks (law 4698-IX, since 1 November 2026).
    e_excise_barcodes: tuple[str, ...]
    count: int
    #: Price of one, VAT included, in hundredths of a kopiyka.
    cost: int
    discount: int
    amount: int
    vat: Vat | None


@dataclass(frozen=True, slots=True)
class Order:
    """The customer order."""

    uuid: UUID
    doc_number: str
    date: datetime
    archived: bool
    currency: str
    lines: tuple[OrderLine, ...]
    discount: int
    total: int


@dataclass(frozen=True, slots=True)
class Card:
    """The acquirer's details of a card payment."""

    mask: str | None = None
    bank_name: str | None = None
    auth_code: str | None = None
    rrn: str | None = None
    payment_system: str | None = None
    terminal: str | None = None
    acquirer: str | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment of the order."""

    form: PaymentForm
    amount: int
    label: str | None
    card: Card | None


@dataclass(frozen=True, slots=True)
class Buyer:
    """Where Checkbox sends the receipt, as Bimp wrote it."""

    email: str | None
    phone: str | None


@dataclass(frozen=True, slots=True)
class ReturnOf:
    """The sale that a return undoes: by its order or by its receipt; exactly one is set.

    A chain is named by its order, and by its own id where the order has had several.
    """

    order_uuid: UUID | None
    receipt_id: UUID | None
    relation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """Order ready to fiscalize: one press of the button."""

    id: str
    source: str
    time: datetime | None
    integration: str
    cashier: str
    operation: Operation
    order: Order
    payments: tuple[Payment, ...]
    buyer: Buyer | None
    return_of: ReturnOf | None
    #: A sale that was returned in full is to be made anew.
    sell_again: bool = False
    #: Identity of the money, for a payment of a chain.
    payment_uuid: UUID | None = None
    #: The payment is all that is left of the chain, and not one more advance.
    closes: bool = True

    @property
    def paid(self) -> int:
        return sum(payment.amount for payment in self.payments)

    @property
    def is_cash(self) -> bool:
        """Whether all of it is paid in cash."""
        return all(payment.form is PaymentForm.CASH for payment in self.payments)
