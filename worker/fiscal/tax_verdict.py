"""A tax code is compared with the table at Checkbox: another percent is a wrong tax on a real receipt."""

from __future__ import annotations

import math
from collections.abc import Iterator

from worker.fiscal.order import Order
from worker.fiscal.outcomes import Code, Rejected
from worker.fiscal.ports import CashierSession
from worker.fiscal.tax_rates import Misfit, Rate, TaxRates, misfit, shown

#: Seconds for which a table that does not fit is believed: people mend it, here or at Checkbox.
_BELIEVED = 5.0


def check_taxes(session: CashierSession, table: TaxRates, order: Order) -> None:
    """Raises ``Rejected`` (TAX_RATE_MISMATCH) for the first rate whose code does not fit.

    Not for returns: they take the codes of their sale. Where Checkbox's table cannot be read, sales go on.
    """
    if _first_misfit(session, table, order, math.inf) is None:
        return
    found = _first_misfit(session, table, order, _BELIEVED)
    if found is not None:
        raise Rejected(Code.TAX_RATE_MISMATCH, _detail(found, order))


def _first_misfit(session: CashierSession, table: TaxRates, order: Order, within: float) -> Misfit | None:
    rates = dict.fromkeys(rate for rate, _ in _taxed(order))
    if not rates:
        return None
    taxes = session.taxes(within)
    if taxes is None:
        return None
    for rate in rates:
        code = table.code_of(rate)
        if code is not None and (found := misfit(rate, code, taxes)) is not None:
            return found
    return None


def _taxed(order: Order) -> Iterator[tuple[Rate, str]]:
    """The rate and the code of the goods of each line with a tax."""
    for line in order.lines:
        if line.vat is not None:
            yield None if line.vat.not_accountable else line.vat.percent_rate, line.code


def _detail(found: Misfit, order: Order) -> dict[str, object]:
    return {
        "rate": shown(found.rate),
        "code": found.code,
        "checkboxRate": None if found.checkbox_rate is None else shown(found.checkbox_rate),
        "fittingCode": found.fitting_code,
        "goods": list(dict.fromkeys(goods for rate, goods in _taxed(order) if rate == found.rate)),
    }
