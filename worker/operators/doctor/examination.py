"""All checks, in the order in which they are reported."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from itertools import chain
from threading import Lock

import typer
from pika.exceptions import AMQPError

from config.environment import environment
from config.errors import ConfigurationError
from config.settings import Settings
from config.unknown_variables import unknown_variables
from worker.app import ADDRESS, archive_check_of, read_integrations, topology_of
from worker.checkbox.client import CheckboxClient
from worker.checks.cashier import Row
from worker.checks.integration import rows_to_check
from worker.fiscal.configured import IntegrationRow
from worker.operators.doctor import addresses, queues
from worker.operators.doctor.archive import check_archive
from worker.operators.doctor.cashier import examine_row
from worker.operators.doctor.finding import Finding, State, warning, wrong
from worker.operators.doctor.service import check_service

#: Cashiers that are looked at side by side, each with ten calls, one at a time. So the rate is kept where
#: these take up to 0.6 s each.
SIDE_BY_SIDE = 32
#: Cashiers a second.
_RATE = 5.0

Place = tuple[IntegrationRow, Row]


def findings(
    settings: Settings, integrations: set[str], cashiers: set[str], clock: Callable[[], float]
) -> Iterator[Finding]:
    """Everything, the broker first; empty sets leave all integrations and cashiers."""
    yield from _variables()
    yield from addresses.addresses(settings)
    yield from _topology(settings)
    yield from check_archive(archive_check_of(settings))
    try:
        loaded = read_integrations(settings)
    except ConfigurationError as error:
        yield from (_wrong_integrations(settings, line) for line in error.lines)
        return
    for line in (*loaded.faults, *chain.from_iterable(loaded.problems.values())):
        yield _wrong_integrations(settings, line)
    for line in loaded.warnings:
        yield warning("integrations", _source(settings), line, "see whether it is meant")
    yield from checkbox(chosen(loaded.integrations.rows, integrations, cashiers), clock)


def _source(settings: Settings) -> str:
    return ADDRESS if settings.integrations_url is not None else str(settings.integrations_file)


def _wrong_integrations(settings: Settings, line: str) -> Finding:
    advice = "mend it: a running worker goes on with what was sound there before, if anything"
    return wrong("integrations", _source(settings), line, advice)


def _variables() -> Iterator[Finding]:
    for sentence in unknown_variables(environment()):
        yield warning("settings", sentence.split()[0], sentence, "mend the name, or remove the variable")


def _topology(settings: Settings) -> Iterator[Finding]:
    connection = addresses.first_connection(settings)
    if connection is None:
        return  # each address has its finding already
    try:
        yield from queues.objects(connection, topology_of(settings))
    except AMQPError as error:
        advice = "look at the broker's log, and run this again"
        yield wrong("topology", settings.queue, f"the broker went away ({type(error).__name__})", advice)
    finally:
        with suppress(AMQPError):
            connection.close()


def chosen(loaded: Mapping[str, IntegrationRow], integrations: set[str], cashiers: set[str]) -> list[Place]:
    """The rows that are asked for. Raises ``typer.BadParameter`` for a name that is not there."""
    places = [(configured, row) for configured in loaded.values() for row in rows_to_check(configured)]
    unknown = integrations - {configured.id for configured, _ in places}
    unknown |= cashiers - {row.cashier.id for _, row in places}
    if unknown:
        raise typer.BadParameter(f"not in the integrations, or out of service: {', '.join(sorted(unknown))}")
    return [
        (configured, row)
        for configured, row in places
        if (not integrations or configured.id in integrations)
        and (not cashiers or row.cashier.id in cashiers)
    ]


def checkbox(places: Iterable[Place], clock: Callable[[], float]) -> Iterator[Finding]:
    """Each address of Checkbox, then the cashiers behind those that answer."""
    by_url: dict[str, list[Place]] = defaultdict(list)
    for place in places:
        by_url[place[1].integration.checkbox_url].append(place)
    with closing(CheckboxClient()) as client:
        for url, behind in by_url.items():
            found = list(check_service(url, clock))
            yield from found
            if not any(finding.check == "checkbox" and finding.state is State.WRONG for finding in found):
                yield from examined(behind, client, clock)


def examined(
    places: Iterable[Place], client: CheckboxClient, clock: Callable[[], float]
) -> Iterator[Finding]:
    """Each row, five a second. Rows that sign in as one cashier are looked at one after another."""
    persons: dict[tuple[object, ...], list[Place]] = defaultdict(list)
    for place in places:
        persons[place[1].person].append(place)
    pace = Pace()

    def look(person: list[Place]) -> list[Finding]:
        found: list[Finding] = []
        for configured, row in person:
            pace.wait()
            found += examine_row(configured, row, client, clock)
        return found

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        for found in pool.map(look, persons.values()):
            yield from found


class Pace:
    """Spreads the checks of cashiers over time; shared by threads."""

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._monotonic = monotonic
        self._sleep = sleep
        self._lock = Lock()
        self._next_at = monotonic()

    def wait(self) -> None:
        """Until the next check may begin."""
        with self._lock:
            begins_at = max(self._next_at, self._monotonic())
            self._next_at = begins_at + 1 / _RATE
        self._sleep(max(0.0, begins_at - self._monotonic()))
