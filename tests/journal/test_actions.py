"""What people did, in the journal: pages of it, and rows that are too old."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from worker.journal.action import PAGE, Action
from worker.journal.actions import done_page
from worker.journal.finding import JournalUnreadable
from worker.journal.heard import rows_of_action
from worker.journal.writer import Writer


def told(number: int) -> bytes:
    """As a command or the console tells it."""
    action = Action(
        event="dead_letters_replayed",
        actor=f"actor-{number}\0",
        wanted="order +380501234567",
        count=number,
        outcome=None if number else "1 fiscalized",
    )
    return action.body(datetime(2026, 5, 5, 10, number // 60, number % 60, tzinfo=UTC))


def test_the_newest_first_by_pages(engine: Engine, writer: Writer) -> None:
    """Heard twice it is one row; what is older than the journal keeps goes with all else."""
    with pytest.raises(JournalUnreadable):
        done_page(engine, 1)
    bodies = [told(number) for number in range(PAGE + 1)]
    for number, body in enumerate(bodies):
        writer.write(rows_of_action(body, number))
    writer.write(rows_of_action(bodies[0], 0))
    first, second = done_page(engine, 0), done_page(engine, 9)
    assert (first.number, first.last, len(first.rows)) == (1, 2, PAGE)
    assert (first.rows[0].action.actor, first.rows[-1].action.count) == ("actor-100 ", 1)
    (oldest,) = second.rows
    assert oldest.at == datetime(2026, 5, 5, 10, tzinfo=UTC)
    assert oldest.action.outcome == "1 fiscalized"
    assert "380501234567" not in oldest.action.wanted
    assert writer.forget(PAGE) is False
    assert [one.action.count for one in done_page(engine, 1).rows] == [PAGE]


@pytest.mark.parametrize("body", [b"{}", b"no JSON", b'{"type": "another"}', b"[]"])
def test_what_is_no_action_is_told_as_a_fault(body: bytes) -> None:
    """The journal's keeper logs it, and goes on."""
    with pytest.raises((LookupError, TypeError, ValueError)):
        rows_of_action(body, 0)
