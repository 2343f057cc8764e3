"""The page on cashiers: what the fleet's last checks found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from worker.checks.finding import Severity
from worker.console.checks import FleetChecks
from worker.console.names import Names
from worker.console.visit import Visit
from worker.fiscal.integrations import Integration

Report = Mapping[str, Any]


class CashierPages:
    """Nobody is signed in for it: the workers know, and look again where they are asked to."""

    def __init__(self, checks: FleetChecks, names: Names) -> None:
        self._checks = checks
        self._names = names

    def cashiers(self, visit: Visit) -> Response:
        """Each shop with its findings, and its cashiers with shift and key; what is wrong comes first."""
        self._names.refresh()
        heard, configured = self._checks.heard(), self._names.integrations
        known = {name: _unchecked(one) for name, one in configured.items()}
        known |= {one["integration"]: one for one in heard.reports or ()}
        reports = sorted(known.values(), key=_urgency)
        awaited = {name for name in known if self._checks.is_awaited(name)}
        return visit.page("cashiers.html", reports=reports, heard=heard, awaited=awaited, names=self._names)

    def check(self, visit: Visit) -> Response:
        """Have a shop checked now."""
        self._checks.again(visit.form.get("integration", ""))
        return visit.redirect("/cashiers")


def _unchecked(one: Integration) -> Report:
    unknown = {"register": None, "shift": None, "keyEnd": None}
    cashiers = [{"id": each.id, "name": each.name, **unknown} for each in one.cashiers.values()]
    return {"integration": one.id, "checkedAt": None, "findings": (), "cashiers": cashiers}


def _urgency(report: Report) -> tuple[int, int, str]:
    found = [one["severity"] for one in report["findings"]]
    return -found.count(Severity.ERROR), -found.count(Severity.WARNING), report["integration"]
