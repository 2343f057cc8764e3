"""The tax table of an integration against that of Checkbox, where each organization has codes of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from worker.checks.finding import Finding, FindingCode
from worker.fiscal.tax_rates import CheckboxTax, Rate, TaxRates, misfit, shown


def check_taxes(
    rates: Sequence[Rate], table: TaxRates, taxes: Sequence[CheckboxTax], pays_vat: bool | None
) -> Iterator[Finding]:
    """``rates`` are those of the table in the order of the document."""
    for index, rate in enumerate(rates):
        code = table.code_of(rate)
        if code is not None:
            yield from _check_code(f"/tax_rates/{index}/code", rate, code, taxes)
    yield from _without_row(rates, taxes)
    yield from _payer(rates, pays_vat)


def _check_code(path: str, rate: Rate, code: int, taxes: Sequence[CheckboxTax]) -> Iterator[Finding]:
    facts = {"rate": shown(rate), "code": str(code)}
    wrong = misfit(rate, code, taxes)
    if wrong is not None:
        if wrong.checkbox_rate is not None:
            facts["checkboxRate"] = shown(wrong.checkbox_rate)
        if wrong.fitting_code is not None:
            facts["fittingCode"] = str(wrong.fitting_code)
        is_unknown = all(tax.code != code for tax in taxes)
        kind = FindingCode.TAX_CODE_UNKNOWN if is_unknown else FindingCode.TAX_RATE_MISMATCH
        yield Finding(path, kind, facts, "" if wrong.fitting_code is not None else "no_code")
    for tax in taxes:
        if tax.code != code:
            continue
        if tax.no_vat is not None and tax.no_vat is not (rate is None):
            variant = "not_accountable" if rate is None else "percent"
            label = tax.label or str(code)
            yield Finding(path, FindingCode.TAX_NO_VAT_DIFFERS, {**facts, "label": label}, variant)
        if tax.extra_rate:
            yield Finding(path, FindingCode.TAX_CODE_WITH_EXCISE, {**facts, "excise": shown(tax.extra_rate)})
        return


def _without_row(rates: Sequence[Rate], taxes: Sequence[CheckboxTax]) -> Iterator[Finding]:
    """Once for each rate; «без ПДВ» is a rate of its own, which not every shop sells with."""
    known = set(rates)
    for tax in taxes:
        if tax.rate is not None and tax.no_vat is not True and tax.rate not in known:
            known.add(tax.rate)
            facts = {"rate": shown(tax.rate), "code": str(tax.code)}
            yield Finding("/tax_rates", FindingCode.TAX_RATE_WITHOUT_ROW, facts)


def _payer(rates: Sequence[Rate], pays_vat: bool | None) -> Iterator[Finding]:
    taxed = [rate for rate in rates if rate]
    if pays_vat is False and taxed:
        yield Finding("/tax_rates", FindingCode.VAT_PAYER_MISMATCH, {"rate": shown(taxed[0])}, "no_payer")
    elif pays_vat and rates and all(rate is None for rate in rates):
        yield Finding("/tax_rates", FindingCode.VAT_PAYER_MISMATCH, {}, "payer")
