"""One row of the document: an integration that a user of Bimp may choose, with cashiers and tax rates.

Texts are taken as they are written: ``pin_code: 0123`` has four digits.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType

from config.cashiers import KEYS as CASHIER_KEYS
from config.cashiers import read_cashier
from config.secret_references import Fingerprints, Secrets
from config.values import parse_duration, parse_http_url, shown
from config.yaml_fields import Fields, Finding
from config.yaml_nodes import Mark, Node
from worker.fiscal.configured import CashierRow, IntegrationRow, Problem
from worker.fiscal.integrations import Cashier, CashRounding, Environment, Integration, ShiftPolicy
from worker.fiscal.tax_rates import TaxRates

KEYS = (
    *("id", "name", "company", "environment", "prepayments", "checkbox_url", "cash_rounding"),
    *("shifts", "rollover_after", "cashiers", "tax_rates"),
)
_NOT_ACCOUNTABLE = "not_accountable"
#: Stands for a rate that could not be read.
_NO_RATE = Decimal(-1)
_ROLLOVER_AFTER = timedelta(hours=23)
#: A shift may be open for 24 hours at most (law 265/95, art. 3 p. 9).
_ROLLOVER_RULE = "allowed is an ISO 8601 duration from PT1H to under PT24H"
_CODE_RULE = "allowed is a positive integer, the code of the tax in Checkbox"
_RATE_RULE = f"allowed is a decimal from 0 to 100 with at most 2 places, or {_NOT_ACCOUNTABLE}"


#: The rates in the order of the text, and the table.
_Rates = tuple[tuple[Decimal | None, ...], TaxRates]


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row, independent of other rows and of earlier versions."""

    #: ``in_force`` is this version itself, if sound; ``id`` is empty if it cannot be read.
    row: IntegrationRow
    #: Where it begins.
    mark: Mark | None
    #: All mistakes, in the order of the text.
    problems: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    #: The files of its secrets, in the state before they were read.
    files: Fingerprints


class RowReader:
    """Reads rows; equal tax tables are shared."""

    def __init__(self, default_checkbox_url: str, *, is_remote: bool) -> None:
        """``is_remote``: the rows come from an address, and may not name another one of Checkbox."""
        self._default_checkbox_url = default_checkbox_url
        self._is_remote = is_remote
        self._shared_rates: dict[tuple[tuple[Decimal | None, int], ...], _Rates] = {}

    def read(self, node: Node, secrets: Secrets) -> ReadRow:
        fields = Fields.read(node, "", KEYS, [])
        identifier = fields.identifier()
        checkbox_url = fields.parsed("checkbox_url", self._checkbox_url, self._default_checkbox_url)
        company = fields.parsed("company", _company, None)
        shifts = fields.choice("shifts", ShiftPolicy.MANUAL)
        unsound: list[Finding] = []
        warnings: list[Finding] = []
        rows, cashiers = _cashiers(fields, shifts, secrets, unsound, warnings)
        rates, tax_rates = self._shared(_tax_rates(fields))
        integration = Integration(
            id=identifier,
            name=fields.text("name") or identifier,
            company=company,
            environment=fields.choice("environment", Environment.LIVE),
            prepayments=fields.parsed("prepayments", _yes_or_no, False),
            checkbox_url=checkbox_url,
            cash_rounding=fields.choice("cash_rounding", CashRounding.NONE),
            shifts=shifts,
            rollover_after=fields.parsed("rollover_after", _rollover_after, _ROLLOVER_AFTER),
            cashiers=cashiers,
            tax_rates=tax_rates,
        )
        is_sound = not fields.problems
        row = IntegrationRow(
            id=identifier,
            companies=frozenset(() if company is None else (company,)),
            problems=tuple(Problem(found.path, found.problem) for found in fields.problems),
            cashiers=rows,
            rates=rates if is_sound else (),
            in_force=integration if is_sound else None,
        )
        problems = sorted(fields.problems + unsound, key=lambda found: found.mark or (0, 0))
        return ReadRow(row, fields.mark, tuple(problems), tuple(warnings), secrets.files)

    def _checkbox_url(self, text: str) -> str:
        if self._is_remote:
            raise ValueError("is not taken from an address; allowed is to leave it out")
        try:
            return parse_http_url(text)
        except ValueError as error:
            rule = "allowed is an http:// or https:// address without user name and query"
            raise ValueError(f"{error}; {rule}") from None

    def _shared(self, rates: Mapping[Decimal | None, int]) -> _Rates:
        percents = {rate: code for rate, code in rates.items() if rate is not None}
        table = TaxRates(MappingProxyType(percents), rates.get(None))
        return self._shared_rates.setdefault(tuple(rates.items()), (tuple(rates), table))


def _cashiers(
    fields: Fields, shifts: ShiftPolicy, secrets: Secrets, problems: list[Finding], warnings: list[Finding]
) -> tuple[tuple[CashierRow, ...] | None, Mapping[str, Cashier]]:
    """Each row, or None if the list cannot be read; and the sound cashiers by id."""
    known = len(fields.problems)
    read = [(row, read_cashier(row, shifts, secrets)) for row in fields.rows("cashiers", CASHIER_KEYS)]
    if len(fields.problems) > known:
        return None, MappingProxyType({})
    times = Counter(cashier.id for _, cashier in read)
    rows = []
    for row, cashier in read:
        if cashier.id and times[cashier.id] > 1:
            row.fail("id", f"{shown(cashier.id)} is the id of more than one cashier; allowed is an id once")
        own = tuple(Problem(found.path, found.problem) for found in row.problems)
        rows.append(CashierRow(cashier.id or None, cashier.name or None, own))
        problems += row.problems
    if not rows:
        text = "lists none, so that every order is UNKNOWN_CASHIER"
        warnings.append(Finding("/cashiers", text, fields.mark))
    sound = {cashier.id: cashier for row, cashier in read if not row.problems}
    return tuple(rows), MappingProxyType(sound)


def _tax_rates(fields: Fields) -> Mapping[Decimal | None, int]:
    """Codes by rate, in the order of the text; mistakes are the integration's own."""
    codes: dict[Decimal | None, int] = {}
    for row in fields.rows("tax_rates", ("rate", "code")):
        rate, code = _tax_rate_row(row)
        if rate in codes and rate != _NO_RATE:
            name = _NOT_ACCOUNTABLE if rate is None else f"{rate:f}"
            row.fail("rate", f"{name} comes twice; allowed is once")
        codes[rate] = code
        fields.problems += row.problems
    return codes


def _tax_rate_row(row: Fields) -> tuple[Decimal | None, int]:
    for key, rule in (("rate", _RATE_RULE), ("code", _CODE_RULE)):
        if not row.has(key):
            row.fail(key, f"is missing; {rule}")
    return row.parsed("rate", _tax_rate, _NO_RATE), row.parsed("code", _tax_code, 0)


def _tax_rate(text: str) -> Decimal | None:
    if text == _NOT_ACCOUNTABLE:
        return None
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,2}0*)?", text) or Decimal(text) > 100:
        raise ValueError(f"{shown(text)} is not a rate; {_RATE_RULE}")
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)


def _tax_code(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise ValueError(f"{shown(text)} is not a code; {_CODE_RULE}")
    return int(text)


def _company(text: str) -> str:
    if not re.fullmatch(r"[^\s/]+", text):
        rule = "allowed is what follows /companies/ in a message's source, without spaces and slashes"
        raise ValueError(f"{shown(text)} is not a company's code; {rule}")
    return text


def _yes_or_no(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"{shown(text)} is neither true nor false; allowed is true or false")
    return text == "true"


def _rollover_after(text: str) -> timedelta:
    try:
        duration = parse_duration(text)
    except ValueError as error:
        raise ValueError(f"{shown(text)} {error}; {_ROLLOVER_RULE}") from None
    if not timedelta(hours=1) <= duration < timedelta(hours=24):
        raise ValueError(f"{shown(text)} is out of bounds; {_ROLLOVER_RULE}")
    return duration
