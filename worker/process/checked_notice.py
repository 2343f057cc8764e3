"""The ``integration.checked`` notice of a check."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from worker.checks.finding import Finding, Severity
from worker.checks.integration import Checked, CheckedCashier
from worker.checks.texts import message
from worker.fiscal.configured import IntegrationRow
from worker.fiscal.instants import rfc3339
from worker.fiscal.integrations import Integration
from worker.fiscal.kyiv import KYIV
from worker.fiscal.tax_rates import shown
from worker.rabbit.event_models import EventMessage
from worker.rabbit.notices import (
    IntegrationChecked,
    IntegrationCheckedData,
    NoticeCashier,
    NoticeFinding,
    NoticeRegister,
    NoticeTax,
    notice_id,
)

#: What changes from check to check while nothing has changed.
_PASSING = frozenset({"hours", "count", "reason", "words"})


def checked_notice(checked: Checked, row: IntegrationRow, now: float) -> IntegrationChecked:
    """``now`` is in seconds since the epoch."""
    today = datetime.fromtimestamp(now, KYIV).date().isoformat()
    return IntegrationChecked(
        id=notice_id("integration.checked", checked.integration, content(row), identity(checked), today),
        time=rfc3339(now),
        data=IntegrationCheckedData(
            integration=checked.integration,
            company=checked.company,
            ok=checked.count(Severity.ERROR) == 0,
            findings=[_finding(one) for one in checked.findings],
            taxes=[
                NoticeTax(
                    code=tax.code,
                    label=tax.label,
                    rate=None if tax.rate is None else shown(tax.rate),
                    no_vat=tax.no_vat,
                )
                for tax in checked.taxes
            ],
            cashiers=[_cashier(one) for one in checked.cashiers],
        ),
    )


def identity(checked: Checked) -> list[Any]:
    """The findings, without what changes from check to check."""
    return [
        [
            finding.path,
            finding.code.value,
            finding.variant,
            sorted(fact for fact in finding.facts.items() if fact[0] not in _PASSING),
        ]
        for finding in checked.findings
    ]


def content(row: IntegrationRow) -> list[Any]:
    """What the row says, in whatever order and format. Without secrets: a digest of a PIN gives it away."""
    problems = [*(one.problem for one in row.problems)]
    problems += [f"{one.id} {problem.problem}" for one in row.cashiers or () for problem in one.problems]
    in_force = [] if row.in_force is None else _integration(row.in_force)
    return [row.id, sorted(row.companies), sorted(problems), in_force]


def _integration(one: Integration) -> list[Any]:
    cashiers = [
        [
            cashier.id,
            cashier.name,
            str(cashier.employee),
            cashier.login,
            cashier.pin_code is not None,
            cashier.license_key is not None,
        ]
        for cashier in one.cashiers.values()
    ]
    rates = sorted([shown(rate), code] for rate, code in one.tax_rates.codes.items())
    return [
        one.name,
        one.company,
        one.environment.value,
        one.prepayments,
        one.checkbox_url,
        one.cash_rounding.value,
        one.shifts.value,
        one.rollover_after.total_seconds(),
        sorted(cashiers),
        rates,
        one.tax_rates.not_accountable,
    ]


def _finding(finding: Finding) -> NoticeFinding:
    return NoticeFinding(
        path=finding.path,
        severity=finding.code.severity.value,
        code=finding.code.value,
        message=EventMessage(**message(finding)),
    )


def _cashier(one: CheckedCashier) -> NoticeCashier:
    seen = one.seen
    register = seen.register if seen is not None else None
    opened_at = (
        seen.shift.opened_at if seen is not None and seen.shift is not None and seen.shift.is_open else None
    )
    return NoticeCashier(
        id=one.id,
        name=one.name,
        register_=None
        if register is None
        else NoticeRegister(
            fiscal_number=register.fiscal_number, is_test=register.is_test, is_offline=register.is_offline
        ),
        shift_opened_at=None if opened_at is None else rfc3339(opened_at),
    )
