"""Jobs on the shift of one cashier: looked at, closed, opened. Each signs in once, and out again."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from config import settings as configuration
from worker.app import read_integrations
from worker.checkbox.client import CheckboxClient
from worker.console.jobs import Job
from worker.console.rendering import worded
from worker.fiscal.languages import N_
from worker.operators.audit import Audit
from worker.operators.shifts import Result, ShiftRow, Shifts, shift_rows


@dataclass(frozen=True, slots=True)
class Whose:
    """A cashier's row, by its ids."""

    integration: str
    cashier: str


class ShiftJob(Job):
    """``seen`` is the row with its shift, once it was looked at."""

    def __init__(self, actor: str, whose: Whose) -> None:
        super().__init__(actor, 1)
        self.whose = whose
        self.seen: ShiftRow | None = None

    @property
    def address(self) -> str:
        return f"/shifts/{self.id}"

    @property
    def may_close(self) -> bool:
        """Whether there was a shift."""
        return self.seen is not None and self.seen.shift is not None

    @property
    def may_open(self) -> bool:
        """Whether it was asked, and there was none."""
        return self.seen is not None and self.seen.shift is None and self.seen.problem is None


class ShiftLook(ShiftJob):
    """What there is, before anybody says yes."""

    title = N_("Shift")

    @property
    def done(self) -> int:
        return int(self.seen is not None)

    def status(self, language: str) -> str:
        words = N_("Checkbox was asked") if self.is_over else N_("Checkbox is asked")
        return worded(words, language)

    def work(self) -> None:
        rows = shift_rows(read_integrations(configuration.load()).integrations.rows.values())
        row = next((one for one in rows if Whose(one.integration, one.cashier or "") == self.whose), None)
        if row is None:
            row = ShiftRow(self.whose.integration, self.whose.cashier, None, None, "not in the integrations")
        with closing(CheckboxClient()) as client:
            self.seen = Shifts(client, self.stop_wanted.is_set).look(row)


class ShiftChange(ShiftJob):
    """Does what a person said yes to, as `shifts close` and `shifts open` do."""

    event: str

    def __init__(self, actor: str, seen: ShiftRow, audit: Audit, after: Callable[[], None]) -> None:
        """``after`` is called at the end."""
        super().__init__(actor, Whose(seen.integration, seen.cashier or ""))
        self.seen = seen
        self.result: Result | None = None
        self._audit = audit
        self._after = after

    @property
    def done(self) -> int:
        return int(self.result is not None)

    def status(self, language: str) -> str:
        words = N_("Checkbox is asked, and the end is waited for, up to 2 minutes")
        return worded(_OUTCOMES[self.result.outcome] if self.result else words, language)

    def work(self) -> None:
        assert self.seen is not None
        with closing(CheckboxClient()) as client:
            self.result = self.change(Shifts(client, self.stop_wanted.is_set), self.seen)
        self._audit.shift(self.event, self.result)
        self._after()

    @property
    def may_close(self) -> bool:
        return False

    @property
    def may_open(self) -> bool:
        """The next one, once this is closed."""
        return self.result is not None and self.result.outcome in ("closed", "already_closed")

    @abstractmethod
    def change(self, shifts: Shifts, seen: ShiftRow) -> Result:
        """What is done."""


class Closing(ShiftChange):
    """Waits for receipts without a number; ends the very shift that was seen."""

    title = N_("Closing of a shift")
    event = "shift_close_asked"

    def change(self, shifts: Shifts, seen: ShiftRow) -> Result:
        return shifts.close(seen)


class Opening(ShiftChange):
    """At the register of the row's licence key."""

    title = N_("Opening of a shift")
    event = "shift_open_asked"

    def change(self, shifts: Shifts, seen: ShiftRow) -> Result:
        return shifts.open(seen)


_OUTCOMES = {
    "closed": N_("The shift is closed"),
    "already_closed": N_("The shift was closed already"),
    "opened": N_("The shift is open"),
    "already_open": N_("A shift was open already"),
    "failed": N_("That did not work"),
}
