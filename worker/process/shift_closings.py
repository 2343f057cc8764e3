"""Sees shifts being closed, by whomever: a chore of the elected process.

A register's shifts are listed by its licence key, those of a cashier without one by his own token. Each list
is looked at by itself, some side by side: one that does not answer holds up no other.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from worker.checkbox.books import Period
from worker.checkbox.shift_finder import Access, FoundShift, Row, find_openers, find_shifts
from worker.fiscal.integrations import Integration
from worker.telemetry.logs import logger

_log = logger(__name__)
#: Seconds: what closed while no worker ran is reported so far back.
BACK = 48 * 3600.0
#: A shift may have been open for long before it was closed.
_OPEN_FOR = 48 * 3600.0
_LOOKS_AT_ONCE = 8
#: Seconds between two looks at a list, and looks that begin in a second where there are many.
_LOOK_AGAIN, _LOOK_AGAIN_AT_LEAST = 30.0, 600.0
_LOOKS_A_SECOND = 2.5
#: Seconds until the first look: orders that wait go first.
_FIRST_AFTER = 30.0


@dataclass(slots=True)
class _List:
    """A list of shifts, and the rows that it is looked at for."""

    rows: list[Row]
    access: Access
    look_at: float = 0.0
    #: Looks in a row that were refused or not answered.
    faults: int = 0
    is_looked_at: bool = False
    is_dropped: bool = False


@dataclass(slots=True)
class Closings:
    """Finds closed shifts; what it found waits in ``found`` until somebody takes it."""

    integrations: Callable[[], Mapping[str, Integration]]
    access: Callable[[Mapping[str, Integration]], Access]
    monotonic: Callable[[], float] = time.monotonic
    found: deque[FoundShift] = field(default_factory=deque)
    _lists: dict[tuple[object, ...], _List] = field(default_factory=dict)
    #: When they were closed, by id: those that were found before.
    _known: dict[str, float] = field(default_factory=dict)
    _looks: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(_LOOKS_AT_ONCE, "shift-closings")
    )

    def look(self) -> None:
        """Begin the looks that are due, as many as there are threads for."""
        self._follow(self.integrations())
        self._forget_old()
        now = self.monotonic()
        free = _LOOKS_AT_ONCE - sum(one.is_looked_at for one in self._lists.values())
        due = [one for one in self._lists.values() if not one.is_looked_at and one.look_at <= now]
        for one in sorted(due, key=lambda one: one.look_at)[:free]:
            one.is_looked_at = True
            self._looks.submit(self._look_at, one)

    def forget(self) -> None:
        """Another process does it now: begin anew when this one is elected again."""
        for one in self._lists.values():
            one.is_dropped = True
        self._lists, self._known = {}, {}
        self.found.clear()

    def _forget_old(self) -> None:
        """What closed so long ago is not reported, and need not be known."""
        oldest = time.time() - 2 * BACK
        for shift, closed_at in list(self._known.items()):
            if closed_at < oldest:
                self._known.pop(shift, None)

    def _follow(self, integrations: Mapping[str, Integration]) -> None:
        """A list whose rows changed is another list."""
        wanted = dict(_lists_of(integrations))
        for key in self._lists.keys() - wanted.keys():
            self._lists.pop(key).is_dropped = True
        for key, rows in wanted.items():
            if key not in self._lists:
                first = self.monotonic() + _FIRST_AFTER
                self._lists[key] = _List(rows, self.access(integrations), look_at=first)

    def _look_at(self, one: _List) -> None:
        try:
            self._find(one)
        except Exception as error:  # whatever it is, it is this list's alone
            _log.error("shift_list_broke", integration=one.rows[0][0], exc_info=error)
        finally:
            # A password that is refused is not sent twice a minute.
            wait = max(_LOOK_AGAIN, len(self._lists) / _LOOKS_A_SECOND) * 2.0 ** min(one.faults, 10)
            again = min(wait, _LOOK_AGAIN_AT_LEAST)
            one.look_at = self.monotonic() + again
            one.is_looked_at = False

    def _find(self, one: _List) -> None:
        now = time.time()
        findings = find_shifts(one.access, Period(now - BACK - _OPEN_FOR, now + _OPEN_FOR), one.rows)
        one.faults = one.faults + 1 if findings.not_asked else 0
        for (integration, cashier), reason in findings.not_asked.items():
            _log.info("shifts_not_looked_at", integration=integration, cashier=cashier, reason=reason)
        for shift in findings.shifts.values():
            closed_at = shift.record.closed_at
            if not shift.record.is_closed or closed_at is None or closed_at < now - BACK:
                continue
            if shift.record.id not in self._known and not one.is_dropped:
                find_openers(one.access, shift)
                self._known[shift.record.id] = closed_at
                self.found.append(shift)


def _lists_of(integrations: Mapping[str, Integration]) -> Iterator[tuple[tuple[object, ...], list[Row]]]:
    by_register: dict[tuple[str, str], list[Row]] = {}
    for integration in integrations.values():
        for cashier in integration.cashiers.values():
            row = (integration.id, cashier.id)
            if cashier.license_key is None:
                yield (integration.checkbox_url, row, _credentials(integration, row)), [row]
            else:
                key = (integration.checkbox_url, cashier.license_key.get_secret_value())
                by_register.setdefault(key, []).append(row)
    for register, rows in by_register.items():
        yield (*register, *(_credentials(integrations[row[0]], row) for row in rows)), rows


def _credentials(integration: Integration, row: Row) -> tuple[object, ...]:
    cashier = integration.cashiers[row[1]]
    secrets = (cashier.password, cashier.pin_code)
    return (row, cashier.login, *(one.get_secret_value() if one else None for one in secrets))
