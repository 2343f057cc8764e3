"""Which letters a page is about, in its address and its forms; and the letters by cause."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import urlencode

from worker.console.rows import Row

#: Letters of a page.
PAGE = 100
_LATEST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Selection:
    """What is empty leaves all letters. ``text`` is a part of a number, an order's uuid or a request's id."""

    code: str = ""
    integration: str = ""
    cashier: str = ""
    text: str = ""
    #: One letter alone.
    key: str = ""

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> Selection:
        """That of an address or a form. ``order`` is the name of the search field."""
        names = ("code", "integration", "cashier", "order", "letter")
        return cls(*(fields.get(name, "").strip() for name in names))

    def fields(self) -> dict[str, str]:
        fields = {
            "code": self.code,
            "integration": self.integration,
            "cashier": self.cashier,
            "order": self.text,
            "letter": self.key,
        }
        return {name: value for name, value in fields.items() if value}

    def address(self, path: str, **others: str | int) -> str:
        query = urlencode({**self.fields(), **others})
        return f"{path}?{query}" if query else path

    def described(self) -> str:
        """In words, for the audit log."""
        return ", ".join(f"{name} {value}" for name, value in self.fields().items()) or "all letters"

    def among(self, rows: Iterable[Row]) -> list[Row]:
        text = self.text.casefold()
        return [
            row
            for row in rows
            if (not self.code or row.code == self.code)
            and (not self.integration or row.integration == self.integration)
            and (not self.cashier or row.cashier == self.cashier)
            and (not self.key or row.key == self.key)
            and (not text or row.fits(text))
        ]


def page_number(text: str) -> int:
    """Of an address; 1 where there is none."""
    return max(int(text), 1) if text.isascii() and text.isdigit() and len(text) < 9 else 1


@dataclass(frozen=True, slots=True)
class Page:
    """A hundred of the letters; pages count from 1."""

    rows: Sequence[Row]
    number: int
    last: int

    @classmethod
    def of(cls, rows: Sequence[Row], number: str) -> Page:
        last = max(1, -(-len(rows) // PAGE))
        at = min(page_number(number), last)
        return cls(rows[(at - 1) * PAGE : at * PAGE], at, last)


def by_sum(rows: Iterable[Row]) -> list[Row]:
    """The largest sum first."""
    return sorted(rows, key=lambda row: -(row.total or Decimal(0)))


@dataclass(slots=True)
class Group:
    """Letters with something in common, and groups of them by something else."""

    rows: list[Row] = field(default_factory=list)
    cashiers: dict[tuple[str, str], Group] = field(default_factory=dict)

    @property
    def first(self) -> Row:
        return self.rows[0]

    @property
    def total(self) -> Decimal:
        return sum((row.total or Decimal(0) for row in self.rows), Decimal(0))

    @property
    def oldest(self) -> datetime | None:
        return min((row.failed_at for row in self.rows if row.failed_at), default=None)


def by_cause(rows: Iterable[Row]) -> list[Group]:
    """By code, the most frequent first, and in it by cashier, the longest waiting first."""
    codes: dict[str, Group] = {}
    for row in rows:
        group = codes.setdefault(row.code, Group())
        group.rows.append(row)
        group.cashiers.setdefault((row.integration, row.cashier), Group()).rows.append(row)
    for group in codes.values():
        ordered = sorted(group.cashiers.items(), key=lambda one: one[1].oldest or _LATEST)
        group.cashiers = dict(ordered)
    return sorted(codes.values(), key=lambda group: -len(group.rows))
