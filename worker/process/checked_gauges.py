"""The gauges of checks: exported by the process that checks, and withdrawn with the row or the election."""

from __future__ import annotations

from collections.abc import Iterator

from worker.checks.finding import Severity
from worker.checks.integration import Checked
from worker.telemetry import metrics
from worker.telemetry.counting import Gauge

_Line = tuple[Gauge, tuple[str, ...]]
_GAUGES = (
    metrics.INTEGRATION_FINDINGS,
    metrics.KEY_END,
    metrics.SUBSCRIPTION_END,
    metrics.REGISTER_OFFLINE,
    metrics.REGISTER_OFFLINE_CODES,
)


class CheckedGauges:
    """For one thread at a time."""

    def __init__(self) -> None:
        self._shown: dict[str, set[_Line]] = {}
        #: A process that died in this one's place may have left some.
        self._is_clean = False

    def show(self, checked: Checked) -> None:
        """What is not known any more keeps its value while its row was not answered."""
        self._is_clean = False
        name = checked.integration
        before, now = self._shown.get(name, set()), set()
        for gauge, labels, value in _values(checked):
            now.add((gauge, labels))
            if value is not None:
                gauge.labels(*labels).set(value)
        for gauge, labels in before - now:
            gauge.labels(*labels).withdraw()
        self._shown[name] = now

    def withdraw(self, integration: str) -> None:
        for gauge, labels in self._shown.pop(integration, set()):
            gauge.labels(*labels).withdraw()

    def withdraw_all(self) -> None:
        if self._is_clean:
            return
        for gauge in _GAUGES:
            gauge.withdraw_all()
        self._shown.clear()
        self._is_clean = True


def _values(checked: Checked) -> Iterator[tuple[Gauge, tuple[str, ...], float | None]]:
    """None: not known now, and left as it is."""
    name = checked.integration
    for severity in Severity:
        yield metrics.INTEGRATION_FINDINGS, (name, severity.value), checked.count(severity)
    if checked.subscription_end is not None or checked.is_unfinished:
        yield metrics.SUBSCRIPTION_END, (name,), checked.subscription_end
    for cashier in checked.cashiers:
        seen = cashier.seen
        if seen is None or cashier.id is None:
            continue
        labels = (name, cashier.id)
        time, codes = seen.offline_time, seen.offline_codes
        lines = (
            (metrics.KEY_END, labels, seen.me.certificate_end if seen.me else None),
            (metrics.REGISTER_OFFLINE, (*labels, "session"), time.session if time else None),
            (metrics.REGISTER_OFFLINE, (*labels, "month"), time.month if time else None),
            (metrics.REGISTER_OFFLINE_CODES, labels, codes.available if codes else None),
        )
        for gauge, values, value in lines:
            if value is not None or seen.unanswered is not None:
                yield gauge, values, value
