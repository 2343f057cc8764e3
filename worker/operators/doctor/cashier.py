"""A cashier row in doctor's words: the findings of the checks, what is well, and whether its shift sells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

from worker.checkbox.client import CheckboxClient
from worker.checkbox.signed_in import signed_in
from worker.checks.cashier import Row, day
from worker.checks.finding import FindingCode
from worker.checks.integration import Checked, judge
from worker.checks.reading import Seen, read_row
from worker.fiscal.configured import IntegrationRow
from worker.fiscal.instants import DAY
from worker.fiscal.integrations import Integration, ShiftPolicy
from worker.fiscal.shifts import age
from worker.operators.doctor.finding import Finding, State, ok, wrong
from worker.operators.doctor.words import KEY, REGISTER, SHIFT, SIGN_IN, SUBSCRIPTION, TAXES, line

#: How much later than ``rollover_after`` a shift may still be open: its receipts finish first.
_GRACE = 600.0


class _OwnTokens:
    """A sign-in for the check alone, ended with it: beside the ten of the workers."""

    def __init__(self, client: CheckboxClient, row: Row) -> None:
        self._client = client
        self._row = row
        self._stack = ExitStack()

    def __enter__(self) -> _OwnTokens:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def get(self) -> str:
        """Raises what a sign-in raises."""
        return self._stack.enter_context(signed_in(self._client, self._row.integration, self._row.cashier))

    def renew(self, refused: str) -> str:
        """The same, after this token was refused."""
        return self.get()


def examine_row(
    configured: IntegrationRow, row: Row, client: CheckboxClient, clock: Callable[[], float]
) -> Iterator[Finding]:
    """All that can be found out about one row, with one sign-in that is ended again."""
    with _OwnTokens(client, row) as tokens:
        seen = read_row(client, row.integration, row.cashier, tokens)
    checked = judge(configured, {row.cashier.id: seen}, clock())
    subject = f"{row.integration.id}/{row.cashier.id}"
    organization = (seen.me.organization if seen.me else None) or row.integration.name
    lines = [
        line(found, subject, row.integration.id, organization)
        for found in checked.findings
        if found.code is not FindingCode.CONFIGURATION_INVALID
    ]
    shift = _shift(row, subject, seen, clock())
    if shift is not None and shift.state is not State.OK:
        lines = [one for one in lines if one.check != SHIFT or one.state is State.WRONG] + [shift]
    yield from lines
    reported = {one.check for one in lines}
    for well in _well(subject, organization, row, seen, checked):
        if well.check not in reported:
            yield well
    if shift is not None and SHIFT not in reported:
        yield shift
    if seen.register is not None and seen.register.emergency:
        name = seen.register.fiscal_number or "the register"
        yield wrong(REGISTER, subject, f"{name} is blocked", "ask Checkbox why the register was blocked")


def _well(subject: str, organization: str, row: Row, seen: Seen, checked: Checked) -> Iterator[Finding]:
    """What was looked at, where nothing was found."""
    if seen.me is not None:
        yield ok(SIGN_IN, subject, "signs in")
        if seen.me.certificate_end is not None:
            yield ok(KEY, subject, f"until {day(seen.me.certificate_end)}")
    if checked.subscription_end is not None:
        yield ok(SUBSCRIPTION, organization, f"until {day(checked.subscription_end - 1)}")
    if seen.register is not None and not seen.register.emergency:
        kind = " (test)" if seen.register.is_test else ""
        yield ok(REGISTER, subject, f"{seen.register.fiscal_number or seen.register.id}{kind}")
    if seen.taxes is not None:
        table = row.integration.tax_rates
        rows = len(table.codes) + (table.not_accountable is not None)
        yield ok(TAXES, row.integration.id, f"{rows} rows agree with Checkbox")


def _shift(row: Row, subject: str, seen: Seen, now: float) -> Finding | None:
    """Whether orders of this row are sold in it now; None where it is not known."""
    if not seen.is_shift_known:
        return None
    shift = seen.shift
    if shift is None or shift.status in ("CLOSED", "CLOSING"):
        return _no_shift(row, subject, seen)
    hours, limit = age(shift, now) / 3600, _limit(row.integration)
    text = f"{shift.status}, {hours:.1f} h old, register {shift.register_number or '?'}"
    if age(shift, now) < limit:
        return ok(SHIFT, subject, text)
    if limit == DAY:
        advice = "have the shift closed and a new one opened: Checkbox takes no more receipts in it"
    else:
        advice = "see whether a worker runs: it should have closed the shift by now"
    return wrong(SHIFT, subject, text, advice)


def _limit(integration: Integration) -> float:
    """Seconds after which an open shift of this integration is wrong."""
    if integration.shifts is ShiftPolicy.MANUAL:
        return DAY
    return min(integration.rollover_after.total_seconds() + _GRACE, DAY)


def _no_shift(row: Row, subject: str, seen: Seen) -> Finding:
    if row.integration.shifts is ShiftPolicy.MANUAL:
        return wrong(SHIFT, subject, "none is open", "have the cashier open a shift in Checkbox")
    if seen.register is not None and seen.register.has_shift:
        advice = "have that shift closed, or give the row a register of its own"
        return wrong(SHIFT, subject, "another cashier's shift is open on the register", advice)
    return ok(SHIFT, subject, "none is open; the next order opens one")
