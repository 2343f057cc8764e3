"""Rows become what is in force; a row out of service keeps its last sound version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from config.lines import shares_its_id
from config.reading import Placed
from worker.fiscal.configured import IntegrationRow, Integrations, Problem
from worker.fiscal.integrations import Cashier, Integration


def merged(rows: Mapping[str, Sequence[Placed]], before: Integrations) -> Integrations:
    """The next version. ``rows`` are by id; rows without a readable id cannot be named by a message."""
    return Integrations.of(
        {
            name: _doubles(name, same, before) if len(same) > 1 else _single(same[0].read.row, before)
            for name, same in rows.items()
            if name
        }
    )


def _doubles(name: str, same: Sequence[Placed], before: Integrations) -> IntegrationRow:
    """None of the rows counts. Their companies count only if each row names one."""
    named = [placed.read.row.companies for placed in same]
    return IntegrationRow(
        id=name,
        companies=frozenset().union(*named) if all(named) else frozenset(),
        problems=tuple(Problem("/id", shares_its_id(placed, same)) for placed in same),
        cashiers=None,
        rates=(),
        in_force=before.in_force.get(name),
    )


def _single(row: IntegrationRow, before: Integrations) -> IntegrationRow:
    last = before.in_force.get(row.id)
    if row.in_force is None:
        return replace(row, in_force=last)
    kept = _kept(row, row.in_force, last)
    if not kept:
        return row
    cashiers = MappingProxyType({**row.in_force.cashiers, **kept})
    return replace(row, in_force=replace(row.in_force, cashiers=cashiers))


def _kept(row: IntegrationRow, now: Integration, last: Integration | None) -> Mapping[str, Cashier]:
    """The last sound versions of cashiers out of service.

    None if the integration moved to another company or another address of Checkbox: their registers belong to
    the old one.
    """
    if last is None or (last.company, last.checkbox_url) != (now.company, now.checkbox_url):
        return {}
    unsound = [cashier.id for cashier in row.cashiers or () if cashier.id and cashier.problems]
    return {name: last.cashiers[name] for name in unsound if name in last.cashiers}
