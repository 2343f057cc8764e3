"""A day that is held against Checkbox's books because somebody asked for it."""

from __future__ import annotations

from datetime import date
from typing import Any

from config import settings as configuration
from worker.app import read_integrations
from worker.console.jobs import Job
from worker.console.rendering import day, worded
from worker.fiscal.languages import N_
from worker.operators.reconciling import reconciliation


class DayReconciliation(Job):
    """What `fiscal-worker reconcile` does, of all integrations."""

    title = N_("Reconciliation of a day")

    def __init__(self, actor: str, of: date) -> None:
        super().__init__(actor, 1)
        self.day = of
        #: As the command prints them; the last says what it comes to.
        self.lines: list[dict[str, Any]] = []

    @property
    def done(self) -> int:
        return int(any("counts" in line for line in self.lines))

    def status(self, language: str) -> str:
        name = day(self.day, language)
        if self.done:
            return worded(N_("%(day)s: compared"), language, day=name)
        shifts = sum("shift" in line for line in self.lines)
        return worded(N_("%(day)s: %(shifts)s shifts compared so far"), language, day=name, shifts=shifts)

    def work(self) -> None:
        settings = configuration.load()
        integrations = read_integrations(settings).integrations.in_force
        for line in reconciliation(settings, integrations, self.day, all_of_them=True):
            self.lines.append(line)
            if self.stop_wanted.is_set():
                return
