"""The configuration by id: integrations in force, and rows that are out of service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

from worker.fiscal.integrations import Cashier, Integration
from worker.fiscal.outcomes import Code, Rejected

#: Problems that an event names; of more the first ones.
_AT_MOST = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake in an integration; free of secrets."""

    #: A JSON pointer into the integration as it was read; ``""`` is the whole.
    path: str
    problem: str


@dataclass(frozen=True, slots=True)
class CashierRow:
    """A cashier's row as it was read; with problems it is out of service. None: missing or unreadable."""

    id: str | None
    name: str | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class IntegrationRow:
    """An integration as it was read, and what is in force under its id."""

    id: str
    #: Codes of the companies whose messages may use it; empty: any company, or unreadable. More than one only
    #: if several rows share the id.
    companies: frozenset[str]
    #: Mistakes of the integration itself or its tax table; any of them puts it out of service.
    problems: tuple[Problem, ...]
    #: In the order of the document: the index is the N of the pointer ``/cashiers/N``. None: unreadable.
    cashiers: tuple[CashierRow, ...] | None
    #: The rates of the tax table in the order of the document; None is ``not_accountable``. Empty in a row
    #: that is out of service.
    rates: tuple[Decimal | None, ...]
    #: The last sound version, with the last sound version of each cashier out of service. None: never sound.
    in_force: Integration | None

    def is_foreign(self, source: str | None) -> bool:
        """Whether a message's ``source`` is a company that may not use this id."""
        if source is None:
            return False
        if not self.companies:
            return self.in_force is not None and self.in_force.is_foreign(source)
        return all(source != f"/companies/{company}" for company in self.companies)

    def problems_of(self, cashier: str) -> tuple[Problem, ...]:
        """Why this cashier is out of service; empty if the cashier is not in the configuration."""
        if self.cashiers is None:
            return self.problems
        rows = [row for row in self.cashiers if row.id == cashier]
        own = tuple(problem for row in rows for problem in row.problems)
        return self.problems + own if rows else ()

    @property
    def all_problems(self) -> tuple[Problem, ...]:
        """The problems of the integration, then those of its cashiers."""
        return self.problems + tuple(
            problem for cashier in self.cashiers or () for problem in cashier.problems
        )


@dataclass(frozen=True, slots=True)
class Integrations:
    """One version of the configuration; immutable."""

    rows: Mapping[str, IntegrationRow] = field(default_factory=lambda: MappingProxyType({}))
    #: The integrations that may sell, by id.
    in_force: Mapping[str, Integration] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(cls, rows: Mapping[str, IntegrationRow]) -> Integrations:
        in_force = {row.id: row.in_force for row in rows.values() if row.in_force is not None}
        return cls(MappingProxyType(dict(rows)), MappingProxyType(in_force))

    def choose(self, integration: str, cashier: str, source: str | None) -> tuple[Integration, Cashier]:
        """The integration and cashier of a message; raises ``Rejected`` if there are none in force."""
        row = self.rows.get(integration)
        if row is None or row.is_foreign(source):
            raise Rejected(Code.UNKNOWN_INTEGRATION, {"integration": integration})
        named = {"integration": integration, "cashier": cashier}
        current = row.in_force
        # The last sound version may belong to another company, whose registers nobody else may use.
        if current is not None and not current.is_foreign(source) and cashier in current.cashiers:
            return current, current.cashiers[cashier]
        problems = row.problems_of(cashier)
        if not problems:
            raise Rejected(Code.UNKNOWN_CASHIER, named)
        shown = [{"path": one.path, "problem": one.problem} for one in problems[:_AT_MOST]]
        raise Rejected(Code.CONFIGURATION_INVALID, {**named, "problems": shown})
