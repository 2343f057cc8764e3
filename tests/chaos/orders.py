"""What Bimp asks for in a run: integrations, orders, and the requests for them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml

SOURCE = "/companies/000001398"
_RATES = (20, 7, 0, "not_accountable")
_TAXES = [{"rate": rate, "code": code} for rate, code in zip(_RATES, (1, 2, 3, 8), strict=True)]
_VAT = {
    20: {"percentRate": "20", "notAccountable": False},
    7: {"percentRate": "7", "notAccountable": False},
    0: {"percentRate": "0", "notAccountable": False},
    "not_accountable": {"percentRate": None, "notAccountable": True},
}


@dataclass(frozen=True, slots=True)
class CashierRow:
    """A cashier as the user chooses him. The login is the cashier's id."""

    integration: str
    cashier: str

    @property
    def password(self) -> str:
        return f"secret-of-{self.cashier}"

    @property
    def routing_key(self) -> str:
        return f"order.ready_to_fiscalize.{self.integration}.{self.cashier}"


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """A press of the button: one message."""

    id: str
    order: UUID
    #: The code of the order's first line: it finds the order in the ledger without any id of the worker's.
    product: str
    #: Kopiykas.
    total: int
    row: CashierRow
    body: bytes


def rows(cashiers: int, manual: int = 2, auto: int = 1) -> list[CashierRow]:
    """Cashiers dealt out to integrations; the last ``auto`` ones have their shifts opened by the worker."""
    names = [f"shop-{number}" for number in range(manual)] + [f"auto-{number}" for number in range(auto)]
    return [
        CashierRow(names[number % len(names)], f"cashier-{number:03}")
        for number in range(max(cashiers, len(names)))
    ]


def write_integrations(path: Path, chosen: Sequence[CashierRow], *, prepayments: bool = False) -> Path:
    """The integrations file for worker and sandbox alike."""
    integrations: dict[str, Any] = {}
    for row in chosen:
        entry = integrations.setdefault(
            row.integration,
            {
                "id": row.integration,
                "name": f"ФОП {row.integration}",
                "shifts": "auto" if row.integration.startswith("auto") else "manual",
                "prepayments": prepayments,
                "cashiers": [],
                "tax_rates": _TAXES,
            },
        )
        entry["cashiers"].append(
            {
                "id": row.cashier,
                "name": f"Каса {row.cashier}",
                "login": row.cashier,
                "password": row.password,
                "license_key": f"key-of-{row.cashier}",
            }
        )
    path.write_text(yaml.safe_dump({"integrations": list(integrations.values())}, allow_unicode=True))
    return path


def requests(
    count: int, chosen: Sequence[CashierRow], generator: random.Random, pressed_twice: float = 0.03
) -> Iterator[OrderRequest]:
    """Orders in the order of their asking, evenly over the cashiers; some are asked for twice in a row."""
    for number in range(count):
        uuid = UUID(int=generator.getrandbits(128), version=4)
        row = chosen[number % len(chosen)]
        content = _content(number, generator)
        first = a_request(uuid, f"N{number:06}", row, f"request-{number:06}", content)
        yield first
        if generator.random() < pressed_twice:
            yield a_request(uuid, first.product, row, f"request-{number:06}-again", content)


def a_request(
    order: UUID,
    product: str,
    row: CashierRow,
    request_id: str,
    content: Mapping[str, Any] | None = None,
    **members: Any,
) -> OrderRequest:
    """A message as Bimp writes it; ``members`` go over those of ``order``."""
    content = content or _content(0, random.Random(0))
    products = [dict(line) for line in content["products"]]
    products[0]["code"] = product
    body = {
        "specversion": "1.0",
        "type": "ua.bimp.order.ready_to_fiscalize.v1",
        "source": SOURCE,
        "id": request_id,
        "subject": str(order),
        "data": {
            "integration": row.integration,
            "cashier": row.cashier,
            "order": {
                "uuid": str(order),
                "docNumber": f"ЗП-{product}",
                "date": "2026-11-24T10:15:00+02:00",
                "archived": False,
                "currency": "UAH",
                "products": products,
                "total": content["total"],
                **members,
            },
            "payments": content["payments"],
        },
    }
    total = round(float(content["total"]) * 100)
    return OrderRequest(request_id, order, product, total, row, json.dumps(body, ensure_ascii=False).encode())


def _content(number: int, generator: random.Random) -> dict[str, Any]:
    products = []
    total = 0
    for line in range(generator.randint(1, 3)):
        least = 1 if line else 2  # the first line can be returned in parts
        count, cost = generator.randint(least, 5), generator.randint(100, 90_000)
        total += count * cost
        products.append(
            {
                "code": f"SKU-{line}",
                "name": f"Товар {number}/{line}",
                "count": str(count),
                "cost": _hryvnias(cost),
                "amount": _hryvnias(count * cost),
                "vat": _VAT[generator.choice(_RATES)],
            }
        )
    form = generator.choice(("CASH", "CASHLESS"))
    return {
        "products": products,
        "total": _hryvnias(total),
        "payments": [{"form": form, "amount": _hryvnias(total)}],
    }


def _hryvnias(kopiykas: int) -> str:
    return f"{kopiykas // 100}.{kopiykas % 100:02}"
