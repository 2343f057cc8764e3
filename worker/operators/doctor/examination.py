"""All checks, in the order in which they are told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from itertools import chain

import typer
from pika.exceptions import AMQPError

from config.environment import environment
from config.errors import ConfigurationError
from config.settings import Settings
from config.unknown_variables import unknown_variables
from worker.app import ADDRESS, archive_check_of, read_integrations, topology_of
from worker.checkbox.client import CheckboxClient
from worker.fiscal.integrations import Integration
from worker.operators.doctor import addresses, queues
from worker.operators.doctor.archive import check_archive
from worker.operators.doctor.cashier import Row, check_cashier
from worker.operators.doctor.finding import Finding, State, warning, wrong
from worker.operators.doctor.service import check_service

#: Cashiers that are looked at side by side; each of them has one call under way.
_SIDE_BY_SIDE = 4


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
    yield from checkbox(chosen(loaded.integrations.in_force, integrations, cashiers), clock)


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


def chosen(loaded: Mapping[str, Integration], integrations: set[str], cashiers: set[str]) -> list[Row]:
    """The rows that are asked for. Raises ``typer.BadParameter`` for a name that is not there."""
    rows = [
        Row(integration, cashier)
        for integration in loaded.values()
        if not integrations or integration.id in integrations
        for cashier in integration.cashiers.values()
        if not cashiers or cashier.id in cashiers
    ]
    unknown = integrations - loaded.keys()
    unknown |= cashiers - {cashier for integration in loaded.values() for cashier in integration.cashiers}
    if unknown:
        raise typer.BadParameter(f"not in the integrations, or out of service: {', '.join(sorted(unknown))}")
    return rows


def checkbox(rows: Iterable[Row], clock: Callable[[], float]) -> Iterator[Finding]:
    """Each address of Checkbox, then the cashiers behind those that answer."""
    by_url: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_url[row.integration.checkbox_url].append(row)
    with closing(CheckboxClient()) as client:
        for url, behind in by_url.items():
            found = list(check_service(url, clock))
            yield from found
            if not any(finding.check == "checkbox" and finding.state is State.WRONG for finding in found):
                yield from _cashiers(behind, client, clock)


def _cashiers(rows: Iterable[Row], client: CheckboxClient, clock: Callable[[], float]) -> Iterator[Finding]:
    """Rows that sign in as one cashier are looked at one after another."""
    persons: dict[tuple[object, ...], list[Row]] = defaultdict(list)
    for row in rows:
        persons[row.sign_in].append(row)

    def look(person: list[Row]) -> list[Finding]:
        return [finding for row in person for finding in check_cashier(row, client, clock)]

    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        for found in pool.map(look, persons.values()):
            yield from found
