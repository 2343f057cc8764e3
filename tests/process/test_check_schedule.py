"""Who is checked when: changed integrations first, at most two cashiers a second, each once at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from pydantic import SecretStr

from tests.builders import an_integration
from tests.checkbox.receipts import BY_PASSWORD
from worker.checkbox.party_answers import RegisterInfo
from worker.checks.cashier import Row
from worker.checks.integration import judge
from worker.checks.reading import Seen
from worker.fiscal.configured import CashierRow, IntegrationRow, Problem
from worker.process.check_schedule import Check, CheckSchedule

Started = list[tuple[Check, Row]]


class Clock:
    """Monotonic seconds, moved by the test alone."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def row(name: str, *logins: str, title: str = "") -> IntegrationRow:
    cashiers = {one: replace(BY_PASSWORD, id=one, login=one) for one in logins}
    integration = an_integration(id=name, name=title or name, cashiers=cashiers)
    rows = tuple(CashierRow(one, one) for one in logins)
    return IntegrationRow(name, frozenset(), (), rows, (), integration)


class Scheduled:
    """A schedule that is looked at each second."""

    def __init__(self, *rows: IntegrationRow) -> None:
        self.clock = Clock()
        self.schedule = CheckSchedule(self.clock)
        self.rows: Mapping[str, IntegrationRow] = {one.id: one for one in rows}
        self.schedule.look(self.rows)

    def second(self) -> Started:
        self.clock.now += 1
        self.schedule.look(self.rows)
        return list(self.schedule.next())

    def names(self, started: Started) -> list[str]:
        return [f"{check.row.id}/{one.cashier.id}" for check, one in started]

    def end(self, started: Started, answer: Seen | None = None) -> list[str]:
        """All of these are answered; the integrations that are told of."""
        for check, one in started:
            self.schedule.answered(check, one, answer or Seen())
        told = []
        for watched in self.schedule.finished():
            assert watched.check is not None
            checked = judge(watched.row, watched.check.seen, 0.0)
            if self.schedule.end(watched, checked, [one.code for one in checked.findings]):
                told.append(watched.row.id)
        return told


def test_two_cashiers_a_second() -> None:
    """Also after a pause; the first ones when the orders that waited had their time."""
    scheduled = Scheduled(row("shop", *(f"c{number}" for number in range(7))))
    assert [scheduled.second() for _ in range(39)] == [[]] * 39
    started = [len(scheduled.second()) for _ in range(4)]
    assert started == [2, 2, 2, 1]


def test_a_hundred_cashiers_are_checked_within_a_minute_of_the_start() -> None:
    """There is no time to wait then."""
    scheduled = Scheduled(row("shop", *(f"c{number:03}" for number in range(100))))
    started = sum(len(scheduled.second()) for _ in range(52))
    assert started == 100


def test_a_changed_integration_comes_first() -> None:
    """New ones too; those that the start left come after them."""
    scheduled = Scheduled(row("a", *(f"a{number}" for number in range(200))), row("b", "b1"))
    scheduled.second()
    scheduled.rows = {**scheduled.rows, "b": row("b", "b1", title="renamed"), "c": row("c", "c1")}
    assert sorted(scheduled.names(scheduled.second())) == ["b/b1", "c/c1"]


def test_order_and_format_are_no_change_and_a_secret_is_one() -> None:
    scheduled = Scheduled(row("shop", "c1", "c2"))
    scheduled.clock.now = 40
    assert scheduled.end(scheduled.second()) == ["shop"]
    scheduled.rows = {"shop": row("shop", "c2", "c1")}
    assert scheduled.second() == []
    changed = row("shop", "c2", "c1")
    assert changed.in_force is not None
    cashiers = {
        name: replace(one, password=SecretStr("another")) for name, one in changed.in_force.cashiers.items()
    }
    scheduled.rows = {"shop": replace(changed, in_force=replace(changed.in_force, cashiers=cashiers))}
    assert scheduled.names(scheduled.second()) == ["shop/c2", "shop/c1"]


def test_every_integration_is_checked_and_told_once_a_day() -> None:
    scheduled = Scheduled(row("shop", "c1"))
    scheduled.clock.now = 40
    assert scheduled.end(scheduled.second()) == ["shop"]
    scheduled.clock.now += 86_398
    assert scheduled.second() == []
    assert scheduled.end(scheduled.second()) == ["shop"]


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (Seen(unanswered="connect_error"), 300),
        (Seen(register=RegisterInfo("r1", None, "4000000001", True, True, False, None)), 3600),
    ],
    ids=["not answered", "offline"],
)
def test_a_check_is_repeated_sooner_and_told_where_it_differs(answer: Seen, seconds: int) -> None:
    """And once a day all the same."""
    scheduled = Scheduled(row("shop", "c1"))
    scheduled.clock.now = 40
    assert scheduled.end(scheduled.second(), answer) == ["shop"]
    scheduled.clock.now += seconds - 2
    assert scheduled.second() == []
    assert scheduled.end(scheduled.second(), answer) == []
    scheduled.clock.now += seconds
    assert scheduled.end(scheduled.second()) == ["shop"]
    scheduled.clock.now += 86_400
    assert scheduled.end(scheduled.second(), answer) == ["shop"]
    scheduled.clock.now += 86_400
    assert scheduled.end(scheduled.second(), answer) == ["shop"]


def test_a_check_that_a_person_asks_for_is_no_day() -> None:
    """It is made at once and told to nobody else; the next day's comes when it is due, and is told."""
    scheduled = Scheduled(row("shop", "c1"), row("other", "c2"))
    scheduled.schedule.ask("shop")
    scheduled.schedule.ask("gone")
    assert scheduled.names(asked := scheduled.second()) == ["shop/c1"]
    scheduled.schedule.ask("shop")  # it is under way
    assert scheduled.end(asked) == []
    assert scheduled.second() == []
    scheduled.clock.now = 40
    first = scheduled.second()
    scheduled.schedule.ask("shop")
    assert scheduled.end(first) == ["shop", "other"]
    scheduled.schedule.ask_old()
    assert scheduled.second() == []
    scheduled.clock.now += 600
    scheduled.schedule.ask_old()
    assert scheduled.end(scheduled.second(), Seen(unanswered="connect_error")) == []
    scheduled.clock.now = 41 + 86_400
    assert scheduled.end(scheduled.second()) == ["shop", "other"]


def test_a_large_fleet_is_not_checked_because_somebody_looks() -> None:
    """Unless it is asked for by name; a change of the shop is told though somebody asked for it."""
    scheduled = Scheduled(row("a", *(f"a{number}" for number in range(100))), row("b", "b1"))
    while scheduled.clock.now < 60 or scheduled.schedule.finished():
        scheduled.end(scheduled.second())
    scheduled.clock.now += 3600
    scheduled.schedule.ask_old()
    assert scheduled.second() == []
    scheduled.schedule.ask("b")
    scheduled.rows = {**scheduled.rows, "b": row("b", "b1", title="renamed")}
    assert scheduled.end(scheduled.second()) == ["b"]


def test_one_person_is_asked_once_at_a_time() -> None:
    """Two integrations may name one cashier of Checkbox; others are not held up by that."""
    scheduled = Scheduled(row("a", "same"), row("b", "same"), row("c", "other"))
    scheduled.clock.now = 40
    first = scheduled.second()
    assert scheduled.names(first) == ["a/same", "c/other"]
    assert scheduled.second() == []
    assert scheduled.end(first) == ["a", "c"]
    assert scheduled.names(scheduled.second()) == ["b/same"]


def test_a_row_out_of_service_asks_nobody_and_is_told() -> None:
    unsound = replace(row("shop", "c1"), problems=(Problem("/tax_rates", "is missing"),), in_force=None)
    scheduled = Scheduled(row("a", *(f"c{number}" for number in range(9))), unsound)
    scheduled.clock.now = 46
    assert scheduled.names(scheduled.second()) == ["a/c0", "a/c1"]
    assert scheduled.end([]) == ["shop"]


def test_what_is_gone_is_named_once() -> None:
    scheduled = Scheduled(row("shop", "c1"))
    assert scheduled.schedule.look({}) == ["shop"]
    assert scheduled.schedule.look({}) == []
