"""Watching the events takes none away from Bimp."""

from __future__ import annotations

import json
import signal

import pytest

from tests.cli.commands import invoke, start
from tests.cli.letters import connect, ready
from worker.rabbit.topology import EVENTS_EXCHANGE, EVENTS_QUEUE, Topology

EVENT = {
    "type": "ua.bimp.fiscalization.succeeded.v1",
    "time": "2026-05-05T10:00:00Z",
    "data": {
        "integration": "shop-main",
        "cashier": "olena",
        "order": {"docNumber": "N-1"},
        "message": {"en": "Order fiscalized"},
        "receipt": {"fiscalCode": "TEST-1"},
    },
}


@pytest.fixture
def bimp(amqp_url: str) -> str:
    """A virtual host on which a worker has run."""
    with connect(amqp_url) as connection:
        Topology().declare(connection.channel())
    return amqp_url


def publish(url: str, count: int) -> None:
    with connect(url) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        for _ in range(count):
            channel.basic_publish(EVENTS_EXCHANGE, "fiscalization.succeeded", json.dumps(EVENT).encode())


@pytest.mark.parametrize("as_json", [True, False])
def test_events_are_shown_as_they_happen(bimp: str, as_json: bool) -> None:
    """Once it says that it listens it shows what comes, up to the limit; Bimp's queue keeps all."""
    process = start(bimp, "events", "--limit", "2", *(["--json"] if as_json else []))
    assert process.stderr
    assert process.stderr.readline() == "listening to bimp.fiscal\n"
    publish(bimp, 3)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    if as_json:
        assert [json.loads(line) for line in out.splitlines()] == [EVENT, EVENT]
    else:
        assert out.count("TEST-1") == 2
    assert ready(bimp, EVENTS_QUEUE) == 3


def test_follow_ends_with_ctrl_c(bimp: str) -> None:
    """That is its end, and no failure."""
    process = start(bimp, "events", "--follow", "--json")
    assert process.stderr
    assert process.stdout
    process.stderr.readline()
    publish(bimp, 1)
    assert json.loads(process.stdout.readline()) == EVENT
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_time_ends_it(bimp: str) -> None:
    """With a number asked for as well, less than that is not what was asked."""
    assert invoke(bimp, "events", "--for", "PT0.3S").exit_code == 0
    assert invoke(bimp, "events", "--for", "PT0.3S", "--limit", "1").exit_code == 1


@pytest.mark.parametrize("options", [["--follow", "--limit", "1"], ["--for", "30"], ["--limit", "0"]])
def test_options_that_contradict_are_wrong_usage(bimp: str, options: list[str]) -> None:
    """A duration is written as in the contract, and following has no end."""
    assert invoke(bimp, "events", *options).exit_code == 2


@pytest.mark.parametrize("as_json", [True, False])
def test_what_is_no_event_ends_no_watch(bimp: str, as_json: bool) -> None:
    """Whoever may publish to the exchange may publish anything: brackets without end, half a character."""
    process = start(bimp, "events", "--limit", "2", *(["--json"] if as_json else []))
    assert process.stderr
    process.stderr.readline()
    half = {"type": "x", "data": {"message": {"en": "\ud83d"}, "receipt": [], "order": 5}}
    with connect(bimp) as connection:
        channel = connection.channel()
        for body in (b"[" * 100_000, b"{", b"5", json.dumps(half).encode()):
            channel.basic_publish(EVENTS_EXCHANGE, "fiscalization.succeeded", body)
    publish(bimp, 1)
    out, said = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert said.count("no event") == 3
    if as_json:
        assert [json.loads(line) for line in out.splitlines()] == [half, EVENT]
