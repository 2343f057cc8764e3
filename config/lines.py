"""Mistakes and warnings of rows as lines for people; no line holds a secret."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from config.reading import Placed
from config.yaml_fields import Finding


def by_id(rows: Iterable[Placed]) -> Mapping[str, list[Placed]]:
    """Rows by the id of their integration; ``""`` has those whose id cannot be read."""
    found: dict[str, list[Placed]] = {}
    for placed in rows:
        found.setdefault(placed.read.row.id, []).append(placed)
    return found


def shares_its_id(placed: Placed, same: Sequence[Placed]) -> str:
    """The problem of a row whose id is used by others too."""
    places = ", ".join(other.where for other in same if other is not placed)
    return f"is the id of {places} too; allowed is an id once"


def problems(rows: Mapping[str, Sequence[Placed]]) -> dict[str, tuple[str, ...]]:
    """The mistakes by id, in the order of the documents."""
    return {name: lines for name, same in rows.items() if (lines := tuple(_problems(name, same)))}


def _problems(name: str, same: Sequence[Placed]) -> Iterator[str]:
    for placed in same:
        if name and len(same) > 1:
            yield placed.line(Finding("/id", shares_its_id(placed, same), placed.read.mark))
        for found in placed.read.problems:
            yield placed.line(found)


def warnings(rows: Iterable[Placed]) -> Iterator[str]:
    """Integrations without cashiers, and logins that several cashiers share."""
    logins: dict[tuple[str, str], str] = {}
    for placed in rows:
        for found in placed.read.warnings:
            yield placed.line(found)
        integration = placed.read.row.in_force
        if integration is None:
            continue
        indexes = {cashier.id: index for index, cashier in enumerate(placed.read.row.cashiers or ())}
        for cashier in integration.cashiers.values():
            if cashier.login is None:
                continue
            path = f"/cashiers/{indexes[cashier.id]}"
            where = placed.at(path)
            first = logins.setdefault((integration.checkbox_url, cashier.login), where)
            if first != where:
                text = f"is the login of {first} too; a cashier of Checkbox has one shift, so they share it"
                yield placed.line(Finding(f"{path}/login", text, placed.read.mark))
