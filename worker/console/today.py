"""What is to be seen of a day: what needs a person, receipts and sums, open shifts, queues."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from config.errors import ConfigurationError
from config.settings import Settings
from worker.console.asking import Answer, Asking, NoAnswer
from worker.console.journal_desk import JournalDesk, Reply
from worker.console.open_shifts import SeenShifts
from worker.console.snapshot import PATIENCE, Snapshot, View, seen_within
from worker.fiscal.kyiv import KYIV
from worker.operators.journal_access import journal
from worker.operators.queues_seen import QueuesSeen, queues_seen
from worker.operators.unreachable import BrokerUnreachable

if TYPE_CHECKING:
    from worker.journal.day import Day, Sums

#: For so long a shift that differs needs a person.
_DIFFERS = timedelta(hours=48)
_MOST_SHIFTS = 1000


@dataclass(frozen=True, slots=True)
class Books:
    """What the journal has of a day."""

    day: Day
    #: By the id of an open shift.
    shifts: Mapping[str, Sums]
    #: Shifts that were closed lately, and differ from Checkbox's books.
    differing: int


@dataclass(frozen=True, slots=True)
class Need:
    """Something that a person has to do: which of the kinds that the template knows, and how often."""

    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class Today:
    """Each of ``letters``, ``queues`` and ``shifts`` is None where it is not known, or not asked for."""

    date: date
    is_now: bool
    books: Reply[Books]
    letters: View | None
    queues: QueuesSeen | None
    #: Why the queues are not known.
    trouble: str | None
    shifts: SeenShifts | None

    @property
    def needs(self) -> list[Need]:
        """The gravest first."""
        return [Need(kind, count) for kind, count in self._counts().items() if count]

    @property
    def is_all_known(self) -> bool:
        """Whether nothing that a person may have to do is hidden."""
        return None not in (self.queues, self.shifts) and self.books.trouble is None

    def _counts(self) -> dict[str, int]:
        queues, shifts, books = self.queues, self.shifts, self.books.value
        counts = {"nobody_works": 0, "nobody_listens": 0, "outbox": 0, "letters": 0}
        if queues is not None:
            counts |= {
                "nobody_works": queues.orders is None or not queues.orders.listeners,
                "nobody_listens": queues.events is not None and not queues.events.listeners,
                "outbox": queues.outbox.messages if queues.outbox else 0,
                "letters": queues.letters.messages if queues.letters else 0,
            }
        if self.letters is not None:
            counts["letters"] = len(self.letters.rows)
        if shifts is not None:
            counts["long_shifts"] = len(shifts.shifts.long)
            counts["not_asked"] = len(shifts.shifts.not_asked)
        if books is not None:
            counts["differing"] = books.differing
        if self.books.is_kept and queues is not None:
            counts["nobody_keeps"] = queues.journal is None or not queues.journal.listeners
        return counts


class Days:
    """Looks at days; what hangs is left out in the end."""

    def __init__(
        self,
        snapshot: Snapshot,
        desk: JournalDesk,
        asking: Asking,
        shifts: Callable[[], SeenShifts | None],
    ) -> None:
        self._snapshot = snapshot
        self._desk = desk
        self._asking = asking
        self._shifts = shifts

    def seen(self, day: date) -> Today:
        """Queues, letters and shifts are those of now: of another day they are not asked for."""
        is_now = day == datetime.now(KYIV).date()
        shifts = self._shifts() if is_now else None
        books = self._desk.ask(partial(_books, day=day, shifts=shifts, is_now=is_now))
        if not is_now:
            return Today(day, is_now, books.reply(), None, None, None, None)
        letters, queues = self._asking.ask(self._snapshot.view), self._asking.ask(queues_seen)
        seen, trouble = _queues(queues)
        return Today(day, is_now, books.reply(), seen_within(letters), seen, trouble, shifts)


def _books(settings: Settings, day: date, shifts: SeenShifts | None, *, is_now: bool) -> Books:
    with journal(settings) as engine:
        from worker.journal.day import day_of, sums_of_shifts
        from worker.journal.reconciled import reconciled_shifts

        ids: Sequence[str] = [one.record.id for one in shifts.shifts.shifts] if shifts else []
        sums = sums_of_shifts(engine, ids, shifts.seen_at) if shifts else {}
        since = (datetime.now(UTC) - _DIFFERS).timestamp()
        closed = reconciled_shifts(engine, _MOST_SHIFTS, since=since) if is_now else []
        return Books(day_of(engine, day), sums, sum(not one.report["ok"] for one in closed))


def _queues(answer: Answer[QueuesSeen]) -> tuple[QueuesSeen | None, str | None]:
    try:
        return answer.within(PATIENCE), None
    except NoAnswer:
        return None, f"no answer within {PATIENCE:g} s"
    except BrokerUnreachable as fault:
        return None, str(fault)
    except ConfigurationError as mistake:
        return None, mistake.lines[0]
