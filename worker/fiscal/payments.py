"""How the receipt is paid: change, cash rounding and the labels in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from worker.fiscal.card import masked
from worker.fiscal.integrations import CashRounding
from worker.fiscal.money import SUM_LIMIT, cash_to_pay
from worker.fiscal.order import Payment, PaymentForm
from worker.fiscal.payment_means import DEFAULT_LABELS, printed_label
from worker.fiscal.receipt import ReceiptPayment


@dataclass(frozen=True, slots=True)
class AmountDue:
    """What is owed and what is paid. Only a total that is paid in cash alone is ever rounded."""

    total: int
    paid: int
    all_cash: bool
    rounding: CashRounding
    #: A buyer who pays more gets change; who gives goods back pays nothing.
    gives_change: bool

    @classmethod
    def of(
        cls, total: int, payments: Sequence[Payment], rounding: CashRounding, gives_change: bool = True
    ) -> AmountDue:
        """A total that rounds to nothing, or to more than Checkbox takes, is not rounded."""
        all_cash = all(payment.form is PaymentForm.CASH for payment in payments)
        rounds = all_cash and 0 < cash_to_pay(total, rounding) < SUM_LIMIT
        return cls(
            total=total,
            paid=sum(payment.amount for payment in payments),
            all_cash=all_cash,
            rounding=rounding if rounds else CashRounding.NONE,
            gives_change=gives_change and all_cash,
        )

    @property
    def to_pay(self) -> int:
        """After cash rounding."""
        return cash_to_pay(self.total, self.rounding)

    @property
    def adds_up(self) -> bool:
        """More than is owed is change, which only cash gives, and only in a sale."""
        if self.gives_change:
            return self.paid >= min(self.total, self.to_pay)
        return self.paid in (self.total, self.to_pay)

    @property
    def correction(self) -> int:
        """What rounding adds to the payments; or takes off them, where no change is given."""
        missing = self.to_pay - self.paid
        return max(missing, 0) if self.gives_change else missing


def receipt_payment(payment: Payment, day: date) -> tuple[ReceiptPayment, bool]:
    """The payment as the receipt prints it, and whether its label was known."""
    label = payment.label or DEFAULT_LABELS[payment.form]
    printed = printed_label(payment.form, label, day)
    return (
        ReceiptPayment(
            form=payment.form,
            value=payment.amount,
            label=printed or DEFAULT_LABELS[payment.form],
            card=masked(payment.card) if payment.card and payment.form is PaymentForm.CASHLESS else None,
        ),
        printed is not None,
    )


def adjusted(payments: Sequence[ReceiptPayment], settlement: AmountDue) -> tuple[ReceiptPayment, ...]:
    """The payments with what rounding adds or takes off, from the last one back."""
    correction, left = settlement.correction, list(payments)
    while left and left[-1].value + correction <= 0:
        correction += left.pop().value
    return (*left[:-1], replace(left[-1], value=left[-1].value + correction))
