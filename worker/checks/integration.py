"""What a check of an integration came to: findings, and what Checkbox shows of its taxes and cashiers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from worker.checks.cashier import Row, check_cashier, day
from worker.checks.finding import Finding, FindingCode, Severity
from worker.checks.reading import Seen
from worker.checks.taxes import check_taxes
from worker.fiscal.configured import IntegrationRow
from worker.fiscal.instants import DAY
from worker.fiscal.tax_rates import CheckboxTax

SUBSCRIPTION_WARNING = 14 * DAY


@dataclass(frozen=True, slots=True)
class CheckedCashier:
    """A cashier row, also one out of service; ``seen`` is None where nothing was asked."""

    id: str | None
    name: str | None
    seen: Seen | None


@dataclass(frozen=True, slots=True)
class Checked:
    """A whole check."""

    integration: str
    company: str | None
    findings: tuple[Finding, ...]
    #: As Checkbox has them for the first cashier that could be asked.
    taxes: Sequence[CheckboxTax]
    cashiers: tuple[CheckedCashier, ...]
    #: The earlier of the subscription's end and the day on which a debt stops the service.
    subscription_end: float | None

    def count(self, severity: Severity) -> int:
        return sum(finding.code.severity is severity for finding in self.findings)

    @property
    def is_unfinished(self) -> bool:
        """Something was not answered."""
        return any(finding.code is FindingCode.NOT_CHECKED for finding in self.findings)

    @property
    def is_offline(self) -> bool:
        """A register works without the tax service."""
        registers = [one.seen.register for one in self.cashiers if one.seen is not None]
        return any(register is not None and register.is_offline for register in registers)


def rows_to_check(row: IntegrationRow) -> list[Row]:
    """Those that sell: of an integration that is out of service nobody is asked, nor of such a cashier."""
    if row.in_force is None or row.problems:
        return []
    in_force = row.in_force
    return [
        Row(in_force, found, f"/cashiers/{index}")
        for index, cashier in enumerate(row.cashiers or ())
        if not cashier.problems and (found := in_force.cashiers.get(cashier.id or "")) is not None
    ]


def judge(row: IntegrationRow, seen: Mapping[str, Seen], now: float) -> Checked:
    """``seen`` is by the cashier's id; ``now`` is in seconds since the epoch."""
    rows = [one for one in rows_to_check(row) if one.cashier.id in seen]
    all_seen = [seen[one.cashier.id] for one in rows]
    end = _subscription_end(all_seen)
    findings: list[Finding] = []
    for finding in (
        *_configuration(row),
        *_subscription(all_seen, end, now),
        *_taxes(row, all_seen),
        *(found for one in rows for found in check_cashier(one, seen[one.cashier.id], now)),
    ):
        if finding not in findings:
            findings.append(finding)
    return Checked(
        row.id,
        _company(row),
        tuple(findings),
        next((one.taxes for one in all_seen if one.taxes is not None), ()),
        tuple(
            CheckedCashier(cashier.id, cashier.name, seen.get(cashier.id or ""))
            for cashier in row.cashiers or ()
        ),
        end,
    )


def _company(row: IntegrationRow) -> str | None:
    if row.in_force is not None and not row.problems:
        return row.in_force.company
    return next(iter(row.companies)) if len(row.companies) == 1 else None


def _configuration(row: IntegrationRow) -> Iterator[Finding]:
    for problem in row.problems:
        yield Finding(
            problem.path, FindingCode.CONFIGURATION_INVALID, {"row": row.id, "problem": problem.problem}
        )
    for cashier in row.cashiers or ():
        name = cashier.name or cashier.id or row.id
        for problem in cashier.problems:
            facts = {"row": name, "problem": problem.problem}
            yield Finding(problem.path, FindingCode.CONFIGURATION_INVALID, facts)


def _subscription_end(seen: Sequence[Seen]) -> float | None:
    ends = [one.me.subscription_end for one in seen if one.me is not None]
    ends += [one.block_date for one in seen]
    return min((end for end in ends if end is not None), default=None)


def _subscription(seen: Sequence[Seen], end: float | None, now: float) -> Iterator[Finding]:
    refused = next((one.service_refused for one in seen if one.service_refused is not None), None)
    last_day = {} if end is None else {"date": day(end - 1)}
    if refused is not None:
        yield Finding("", FindingCode.SUBSCRIPTION_ENDED, {**last_day, "words": refused}, "refused")
    elif end is not None and end <= now:
        yield Finding("", FindingCode.SUBSCRIPTION_ENDED, last_day)
    elif end is not None and end - now < SUBSCRIPTION_WARNING:
        yield Finding("", FindingCode.SUBSCRIPTION_ENDS, last_day)


def _taxes(row: IntegrationRow, seen: Sequence[Seen]) -> Iterator[Finding]:
    """Cashiers of one organization have the same table, and the same findings."""
    if row.in_force is None:
        return
    for one in seen:
        if one.taxes is not None:
            pays_vat = one.me.is_vat if one.me is not None else None
            yield from check_taxes(row.rates, row.in_force.tax_rates, one.taxes, pays_vat)
