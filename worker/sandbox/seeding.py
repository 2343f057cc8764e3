"""The cashiers at the start of the sandbox: those of given shops, or generated ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from worker.sandbox.entities import Tax, stable_id
from worker.sandbox.refusals import Refusal
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


@dataclass(frozen=True, slots=True)
class Till:
    """A cashier with credentials and register. Several cashiers may share a register."""

    login: str
    license_key: str
    password: str | None = field(default=None, repr=False)
    pin_code: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Shop:
    """An organization; each tax is a code and a percentage, None for "no VAT"."""

    title: str
    taxes: tuple[tuple[int, Decimal | None], ...]
    tills: tuple[Till, ...]
    #: True if people open the shifts, false if the worker does.
    has_shifts: bool


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


def of_shops(shops: Iterable[Shop], *, shifts: bool = True) -> Seed:
    """An organization for each shop; unless ``shifts`` is False its cashiers have an open shift."""
    chosen = tuple(shops)

    def seed(state: State) -> None:
        for shop in chosen:
            _seed_shop(state, shop, shifts=shifts and shop.has_shifts)

    return seed


def all_of(seeds: Iterable[Seed]) -> Seed:
    chosen = tuple(seeds)

    def seed(state: State) -> None:
        for each in chosen:
            each(state)

    return seed


def _seed_shop(state: State, shop: Shop, *, shifts: bool) -> None:
    organization = state.add_organization(shop.title, _taxes(shop))
    for till in shop.tills:
        register = state.add_register(till.license_key, organization)
        state.add_cashier(till.login, register, password=till.password, pin_code=till.pin_code)
        if shifts:
            _open(state, till.login)


def _open(state: State, login: str) -> None:
    """If several cashiers share a register, the first one has the shift."""
    try:
        open_by_hand(state, state.cashiers[login])
    except Refusal:
        return


def _taxes(shop: Shop) -> list[Tax]:
    taxes = []
    for letter, (code, rate) in zip(_LETTERS, shop.taxes, strict=False):
        label = "Без ПДВ" if rate is None else f"ПДВ {rate}%"
        percent = Fraction(rate or 0)
        taxes.append(Tax(stable_id(shop.title, str(code)), code, label, letter, percent, no_vat=rate is None))
    return taxes
