"""The tax rates against Checkbox's own: codes are free in each organization, so they get mixed up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from worker.fiscal.integrations import Integration
from worker.fiscal.tax_rates import CheckboxTax
from worker.operators.doctor.finding import Finding, ok, warning, wrong

_CHECK = "tax rates"
_ADVICE = "ask the accountant for the code, and mend tax_rates: a wrong code is a wrong tax on real receipts"


def check_tax_rates(integration: Integration, taxes: Iterable[CheckboxTax]) -> Iterator[Finding]:
    """Each row of the table has a tax of that code and rate."""
    there = {tax.code: tax for tax in taxes}
    table = integration.tax_rates
    found = [wrong(_CHECK, integration.id, seen, _ADVICE) for seen in _mistakes(integration, there)]
    yield from found
    for tax in there.values():
        if tax.rate is not None and tax.no_vat is not True and tax.rate not in table.codes:
            seen = f"no row for {tax.rate:f} % (code {tax.code}, {tax.label})"
            advice = "add the row if it is sold with: orders with that rate end in TAX_RATE_NOT_MAPPED"
            yield warning(_CHECK, integration.id, seen, advice)
    if not found:
        rows = len(table.codes) + (table.not_accountable is not None)
        yield ok(_CHECK, integration.id, f"{rows} rows agree with Checkbox")


def _mistakes(integration: Integration, there: Mapping[int, CheckboxTax]) -> Iterator[str]:
    for rate, code in integration.tax_rates.codes.items():
        yield from _mistake(f"{rate:f} %", rate, there.get(code), code)
    without = integration.tax_rates.not_accountable
    if without is not None:
        yield from _mistake("not_accountable", None, there.get(without), without)


def _mistake(row: str, rate: Decimal | None, tax: CheckboxTax | None, code: int) -> Iterator[str]:
    if tax is None:
        yield f"{row} has code {code}, which Checkbox does not know"
    elif (tax.no_vat is True) != (rate is None):
        yield f"{row} has code {code}, which is {tax.label or code} at Checkbox"
    elif rate is not None and tax.rate is not None and tax.rate != rate:
        yield f"{row} has code {code}, which is {tax.rate:f} % at Checkbox"
