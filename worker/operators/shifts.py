"""Shifts in the hands of a person: looked at, closed and opened, also where the integration is ``manual``.

The rules are the worker's own: a closing waits for receipts without a number, ends only the shift that was
meant, and never one at another register than that of the row's licence key. See docs/decisions/0012.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from worker.checkbox.client import CheckboxClient
from worker.checkbox.session import ReceiptRate, Session
from worker.checkbox.tax_table import TaxTables
from worker.checks.cashier import Row
from worker.checks.integration import rows_to_check
from worker.fiscal.configured import IntegrationRow, Problem
from worker.fiscal.instants import DAY, rfc3339
from worker.fiscal.outcomes import Code, Rejected, Unavailable, Verdict
from worker.fiscal.ports import Refusal, Shift
from worker.fiscal.shifts import age, age_detail, at_own_register, close
from worker.interprocess.rate_limiter import RegisterRateLimiter

#: Cashiers that are served side by side.
_SIDE_BY_SIDE = 8
#: Seconds for receipts without a number to finish, and for the shift to close or open.
PATIENCE = 120.0
_LOOK_AGAIN = 1.0
#: Looks at the receipts of a shift, of up to 1,000 each, for the number of the unfinished.
_LOOKS = 20

T = TypeVar("T")
#: In a word, and the id of the shift.
Outcome = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class ShiftRow:
    """A cashier's row of the configuration, and its shift as far as it was looked at."""

    integration: str
    cashier: str | None
    name: str | None
    #: None: it is out of service.
    row: Row | None
    #: Why it could not be asked.
    problem: str | None = None
    shift: Shift | None = None
    register: str | None = None
    #: Receipts without a number; None where it is not known.
    unfinished: int | None = None

    def __str__(self) -> str:
        name = f" ({self.name})" if self.name else ""
        return f"{self.integration}/{self.cashier or '?'}{name}"

    def line(self, now: float) -> dict[str, Any]:
        """The members of a JSON line; ``now`` is in seconds since the epoch.

        ``state`` is Checkbox's own word, NONE where there is no shift, null where it is not known.
        """
        opened_at = self.shift.opened_at if self.shift is not None else None
        none = "NONE" if self.problem is None else None
        return {
            "integration": self.integration,
            "cashier": self.cashier,
            "name": self.name,
            "register": self.register,
            "state": self.shift.status if self.shift is not None else none,
            "shift": self.shift.id if self.shift is not None else None,
            "openedAt": rfc3339(opened_at) if opened_at is not None else None,
            "ageHours": None if opened_at is None else round((now - opened_at) / 3600, 1),
            "unfinished": self.unfinished,
            "problem": self.problem,
        }


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a closing or an opening."""

    row: ShiftRow
    #: ``closed``, ``already_closed``, ``opened``, ``already_open``, or ``failed``.
    outcome: str
    shift: str | None = None
    #: Why it failed, as far as possible in Checkbox's own words.
    message: str | None = None

    @property
    def is_failed(self) -> bool:
        return self.outcome == "failed"

    @property
    def named(self) -> dict[str, str | None]:
        """What an audit line says of it."""
        named = {"integration": self.row.integration, "cashier": self.row.cashier}
        return named | {"outcome": self.outcome, "shift": self.shift}


class NotDone(Exception):
    """The time is over, or somebody stopped it; the message says how far it came."""


def shift_rows(configured: Iterable[IntegrationRow]) -> Iterator[ShiftRow]:
    """All rows of cashiers, also those out of service; nobody was asked yet."""
    for integration in configured:
        sound = {row.cashier.id: row for row in rows_to_check(integration)}
        if integration.cashiers is None:
            yield ShiftRow(integration.id, None, None, None, _described(integration.all_problems))
        for one in integration.cashiers or ():
            row = sound.get(one.id or "")
            problem = None if row is not None else _described((*integration.problems, *one.problems))
            yield ShiftRow(integration.id, one.id, one.name, row, problem)


def _described(problems: Iterable[Problem]) -> str:
    return "out of service: " + "; ".join(f"{one.path} {one.problem}".strip() for one in problems)


def side_by_side(rows: Iterable[ShiftRow], work: Callable[[ShiftRow], T]) -> Iterator[T]:
    """The work on each; rows that sign in as one cashier come one after another."""
    persons: dict[object, list[ShiftRow]] = defaultdict(list)
    for row in rows:
        persons[row.row.person if row.row is not None else row].append(row)
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        for results in pool.map(lambda own: [work(row) for row in own], persons.values()):
            yield from results


class Shifts:
    """Each call signs in for itself, and out again. Usable from several threads."""

    def __init__(self, client: CheckboxClient, stopping: Callable[[], bool] = lambda: False) -> None:
        """``stopping`` ends what waits."""
        self._client = client
        self._stopping = stopping
        # It never sells.
        self._rate = ReceiptRate(RegisterRateLimiter(1), lambda: 0.0, time.monotonic, time.time)

    def look(self, row: ShiftRow) -> ShiftRow:
        """The row with its shift as it is now, or with the problem."""
        if row.row is None:
            return row
        try:
            with self._session(row.row) as session:
                return self._seen(row, session)
        except (Verdict, Refusal) as fault:
            return replace(row, problem=words(fault))

    def _seen(self, row: ShiftRow, session: Session) -> ShiftRow:
        shift = session.shift(0.0)
        if shift is None or shift.is_closed:
            key = session.key_register()
            return replace(row, register=key.number if key is not None else None)
        for _ in range(_LOOKS):
            unfinished = session.count_unfinished(shift)
            if unfinished is not None or self._stopping():
                break
            time.sleep(_LOOK_AGAIN)
        return replace(row, shift=shift, register=shift.register_number, unfinished=unfinished)

    def close(self, seen: ShiftRow) -> Result:
        """Close the very shift that ``look`` showed; return when it is closed."""
        return self._change(seen, self._close)

    def open(self, seen: ShiftRow) -> Result:
        """Open a shift for the row that was looked at; return when one may sell in it."""
        return self._change(seen, self._open)

    def _change(self, seen: ShiftRow, change: Callable[[Session, Row, str | None], Outcome]) -> Result:
        shift_id = seen.shift.id if seen.shift is not None else None
        if seen.row is None or seen.problem is not None:
            return Result(seen, "failed", message=seen.problem)
        try:
            with self._session(seen.row) as session:
                outcome, shift = change(session, seen.row, shift_id)
                return Result(seen, outcome, shift)
        except (Verdict, Refusal, NotDone) as fault:
            return Result(seen, "failed", shift_id, words(fault))

    def _close(self, session: Session, _: Row, meant: str | None) -> Outcome:
        asked = False
        for shift in self._looks(session, "not closed yet: its unfinished receipts, or Checkbox, take long"):
            if shift is None or shift.is_closed or shift.id != meant:
                break
            if shift.is_open and not asked:
                asked = close(session, shift, time.time())
        return "closed" if asked else "already_closed", meant

    def _open(self, session: Session, row: Row, _: str | None) -> Outcome:
        asked = False
        for shift in self._looks(session, "not open yet: Checkbox takes long"):
            at_own_register(session, shift)
            if shift is not None and shift.is_open:
                break
            is_none = shift is None or shift.is_closed
            # Without a licence key it is refused at once.
            if is_none and (row.cashier.license_key is None or session.rest_before_opening() <= 0):
                session.open_shift()
                asked = True
        assert shift is not None
        if age(shift, time.time()) >= DAY:
            raise Rejected(Code.SHIFT_OPEN_OVER_24H, age_detail(shift, time.time()))
        return "opened" if asked else "already_open", shift.id

    def _looks(self, session: Session, too_long: str) -> Iterator[Shift | None]:
        """The shift, again and again. Raises ``NotDone``."""
        until = time.monotonic() + PATIENCE
        while True:
            if self._stopping():
                raise NotDone("stopped; what Checkbox was asked for goes on: look at the shift again")
            session.doubt_shift()
            yield session.shift(0.0)
            if time.monotonic() >= until:
                raise NotDone(too_long)
            time.sleep(_LOOK_AGAIN)

    @contextmanager
    def _session(self, row: Row) -> Iterator[Session]:
        """A sign-in of its own, beside those of the workers."""
        url = row.integration.checkbox_url
        session = Session(self._client, url, row.cashier, self._rate, TaxTables(time.monotonic))
        session.token()
        try:
            yield session
        finally:
            with suppress(Verdict, Refusal):  # ten more sign-ins invalidate it
                self._client.sign_out(url, session.token())


def words(fault: Exception) -> str:
    """Checkbox's own words where there are any, after the code of a refusal that has one."""
    if not isinstance(fault, Rejected | Unavailable):
        return str(fault)
    facts = ", ".join(f"{name} {value}" for name, value in fault.detail.items())
    if fault.detail.get("reason") == "license_key_missing":
        facts = "the row has no license_key, and Checkbox opens no shift without one"
    own = fault.detail.get("message")
    if isinstance(fault, Rejected):
        return f"{fault.code.value}: {own or facts}"
    return str(own or f"Checkbox did not answer: {facts}")
