"""Who there is when the sandbox starts: the cashiers of an integrations file, or generated ones."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from worker.sandbox.entities import Tax, stable_id
from worker.sandbox.errors import Refusal
from worker.sandbox.shifts import open_by_hand
from worker.sandbox.state import State

_LETTERS = "АБВГҐДЕЖЗИКЛМНПРСТ"
#: Code, label, letter, percent, whether it stands for "no VAT". Letters as is usual in Ukraine.
_USUAL_TAXES = (
    (1, "ПДВ 20%", "А", 20, False),
    (2, "ПДВ 7%", "Б", 7, False),
    (3, "ПДВ 0%", "В", 0, False),
    (8, "Без ПДВ", "Є", 0, True),
)

Seed = Callable[[State], None]


def generated(count: int, *, shifts: bool = True) -> Seed:
    """Cashiers ``c0001``, password ``secret-c0001``, licence key ``test-c0001``, and so on."""

    def seed(state: State) -> None:
        if not count:
            return
        title = "Тестова організація"
        taxes = [
            Tax(stable_id(title, str(code)), code, label, symbol, Fraction(rate), no_vat=no_vat)
            for code, label, symbol, rate, no_vat in _USUAL_TAXES
        ]
        organization = state.add_organization(title, taxes)
        for number in range(1, count + 1):
            login = f"c{number:04}"
            register = state.add_register(f"test-{login}", organization)
            cashier = state.add_cashier(login, register, password=f"secret-{login}")
            if shifts:
                open_by_hand(state, cashier)

    return seed


def from_integrations(path: Path, *, shifts: bool = True) -> Seed:
    """An organization for each integration, with its taxes; ``manual`` cashiers get an open shift.

    Raises ``ValueError`` or ``OSError`` where the file, or a secret that it refers to, cannot be read.
    """
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(document, dict) or not isinstance(document.get("integrations"), list):
        raise ValueError(f"{path} has no list of integrations")
    integrations = document["integrations"]

    def seed(state: State) -> None:
        for integration in integrations:
            _seed_integration(state, integration, shifts=shifts)

    return seed


def all_of(seeds: Iterable[Seed]) -> Seed:
    chosen = tuple(seeds)

    def seed(state: State) -> None:
        for each in chosen:
            each(state)

    return seed


def _seed_integration(state: State, integration: Mapping[str, Any], *, shifts: bool) -> None:
    title = str(integration.get("name") or integration["id"])
    organization = state.add_organization(title, _taxes(title, integration.get("tax_rates") or ()))
    opens = shifts and integration.get("shifts", "manual") == "manual"
    for row in integration["cashiers"]:
        login = str(row.get("login") or row["id"])
        license_key = _secret(row.get("license_key")) or f"test-{login}"
        cashier = state.add_cashier(
            login,
            state.add_register(license_key, organization),
            password=_secret(row.get("password")),
            pin_code=_secret(row.get("pin_code")),
        )
        if opens:
            _open(state, cashier.login)


def _open(state: State, login: str) -> None:
    """Of several cashiers at one register the first has the shift."""
    try:
        open_by_hand(state, state.cashiers[login])
    except Refusal:
        return


def _taxes(title: str, rates: Iterable[Mapping[str, Any]]) -> list[Tax]:
    taxes = []
    for letter, row in zip(_LETTERS, rates, strict=False):
        code, rate = int(row["code"]), row["rate"]
        no_vat = rate == "not_accountable"
        percent = Fraction(0) if no_vat else Fraction(str(rate))
        label = "Без ПДВ" if no_vat else f"ПДВ {rate}%"
        taxes.append(Tax(stable_id(title, str(code)), code, label, letter, percent, no_vat=no_vat))
    return taxes


def _secret(value: object) -> str | None:
    """A literal, ``env:NAME`` or ``file:/path``."""
    if value is None:
        return None
    text = str(value)
    if text.startswith("env:"):
        try:
            return os.environ[text[4:]]
        except KeyError:
            raise ValueError(f"the environment has no {text[4:]}") from None
    if text.startswith("file:"):
        return Path(text[5:]).read_text(encoding="utf-8").rstrip("\r\n")
    return text
