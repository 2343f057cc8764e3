"""The integrations file: what a user of Bimp may choose, with cashiers and tax rates.

A file is used whole or not at all. Texts are taken as they are written: ``pin_code: 0123`` has four digits.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

from config.cashiers import KEYS as CASHIER_KEYS
from config.cashiers import read_cashier
from config.errors import ConfigurationError
from config.secret_references import SecretReferences
from config.values import parse_duration, parse_http_url, shown
from config.yaml_fields import Fields, Findings, unknown_key
from config.yaml_nodes import START, ListReader, Scalar, YamlError
from worker.fiscal.integrations import Cashier, CashRounding, Environment, Integration, ShiftPolicy
from worker.fiscal.tax_rates import TaxRates

_ROOT = "integrations"
_KEYS = (
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


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file that can be used; the warnings are lines like those of an error."""

    integrations: Mapping[str, Integration]
    warnings: list[str]


def load(path: Path, default_checkbox_url: str, environ: Mapping[str, str]) -> Loaded:
    """Read the file; raises ``ConfigurationError`` with a line for every problem in it.

    A line is ``file:line:column: place: what is wrong; what is allowed``, and holds no secret.
    ``environ`` is where ``env:NAME`` looks.
    """
    return load_with(path, default_checkbox_url, SecretReferences(environ))


def load_with(path: Path, default_checkbox_url: str, references: SecretReferences) -> Loaded:
    """As ``load``; ``references`` knows afterwards which files were read for secrets."""
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        raise ConfigurationError([f"{path}: cannot be read: {reason}"]) from None
    reading = _Reading(path, default_checkbox_url, references)
    reading.read(data)
    if lines := reading.problems.lines():
        raise ConfigurationError(lines)
    return Loaded(MappingProxyType(reading.integrations), reading.warnings.lines())


class _Reading:
    """One pass over the file."""

    def __init__(self, path: Path, default_checkbox_url: str, references: SecretReferences) -> None:
        self.problems = Findings(path)
        self.warnings = Findings(path)
        self.integrations: dict[str, Integration] = {}
        self._default_checkbox_url = default_checkbox_url
        self._references = references
        self._places: dict[str, str] = {}
        self._logins: dict[tuple[str, str], str] = {}
        self._shared_rates: dict[tuple[frozenset[tuple[Decimal, int]], int | None], TaxRates] = {}

    def read(self, data: bytes) -> None:
        reader = ListReader(data, _ROOT)
        try:
            for index, node in enumerate(reader.items()):
                fields = Fields.read(node, f"{_ROOT}[{index}]", _KEYS, self.problems)
                if fields is not None:
                    self._integration(fields)
        except YamlError as error:
            self.problems.add(error.mark, error.problem)
        for key in reader.strange_keys:
            repeated = isinstance(key, Scalar) and key.text == _ROOT
            text = f"{_ROOT}: comes twice; allowed is once" if repeated else unknown_key("file", key, [_ROOT])
            self.problems.add(key.mark, text)
        if not self.integrations:
            self.warnings.add(START, f"{_ROOT}: lists none, so that every order is UNKNOWN_INTEGRATION")

    def _integration(self, fields: Fields) -> None:
        identifier = fields.identifier()
        if identifier in self._places:
            first = self._places[identifier]
            fields.fail("id", f"{shown(identifier)} is already the id of {first}; allowed is an id once")
        elif identifier:
            self._places[identifier] = fields.where
        checkbox_url = fields.parsed("checkbox_url", _checkbox_url, self._default_checkbox_url)
        shifts = fields.choice("shifts", ShiftPolicy.MANUAL)
        self.integrations[identifier] = Integration(
            id=identifier,
            name=fields.text("name") or identifier,
            company=fields.parsed("company", _company, None),
            environment=fields.choice("environment", Environment.LIVE),
            prepayments=fields.parsed("prepayments", _yes_or_no, False),
            checkbox_url=checkbox_url,
            cash_rounding=fields.choice("cash_rounding", CashRounding.NONE),
            shifts=shifts,
            rollover_after=fields.parsed("rollover_after", _rollover_after, _ROLLOVER_AFTER),
            cashiers=self._cashiers(fields, checkbox_url, shifts),
            tax_rates=self._tax_rates(fields),
        )

    def _cashiers(self, fields: Fields, checkbox_url: str, shifts: ShiftPolicy) -> Mapping[str, Cashier]:
        places: dict[str, str] = {}
        cashiers: dict[str, Cashier] = {}
        for row in fields.rows("cashiers", CASHIER_KEYS):
            cashier = read_cashier(row, shifts, self._references)
            if cashier.id in places:
                first = places[cashier.id]
                row.fail("id", f"{shown(cashier.id)} is already the id of {first}; allowed is an id once")
            elif cashier.id:
                places[cashier.id] = row.where
            cashiers[cashier.id] = cashier
            self._note_login(row, checkbox_url, cashier)
        if not cashiers:
            text = f"{fields.where}.cashiers: lists none, so that every order is UNKNOWN_CASHIER"
            self.warnings.add(fields.mark, text)
        return MappingProxyType(cashiers)

    def _note_login(self, row: Fields, checkbox_url: str, cashier: Cashier) -> None:
        if cashier.login is None:
            return
        first = self._logins.setdefault((checkbox_url, cashier.login), row.where)
        if first != row.where:
            text = f"is the login of {first} too; a cashier of Checkbox has one shift, so they share it"
            self.warnings.add(row.nodes["login"].mark, f"{row.where}.login: {text}")

    def _tax_rates(self, fields: Fields) -> TaxRates:
        codes: dict[Decimal | None, int] = {}
        for row in fields.rows("tax_rates", ("rate", "code")):
            rate, code = _tax_rate_row(row)
            if rate in codes and rate != _NO_RATE:
                name = _NOT_ACCOUNTABLE if rate is None else f"{rate:f}"
                row.fail("rate", f"{name} comes twice; allowed is once")
            codes[rate] = code
        not_accountable = codes.pop(None, None)
        percents = {rate: code for rate, code in codes.items() if rate is not None}
        key = (frozenset(percents.items()), not_accountable)
        return self._shared_rates.setdefault(key, TaxRates(MappingProxyType(percents), not_accountable))


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


def _checkbox_url(text: str) -> str:
    try:
        return parse_http_url(text)
    except ValueError as error:
        rule = "allowed is an http:// or https:// address without user name and query"
        raise ValueError(f"{error}; {rule}") from None
