"""Replay and discard: what was asked, once, and only with consent."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.commands import invoke, start
from tests.cli.letters import body, connect, drained, numbers, put, ready
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.demo.vhost import VirtualHost
from worker.rabbit.topology import DEAD_LETTERS

REPLAY_ALL = ("dead-letters", "replay", "--yes", "--rate", "0", "--no-wait")


def test_a_replay_is_the_message_and_its_past(amqp_url: str) -> None:
    """Body, content type and trace are kept; of our headers the new count, the code and the delay mark go."""
    trace = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"
    put(amqp_url, [1], replays=2, delayed=True, trace=trace)
    assert invoke(amqp_url, *REPLAY_ALL).exit_code == 0
    ((properties, content),) = drained(amqp_url, "fiscalize")
    assert content == body(1)
    assert properties.content_type == "application/cloudevents+json"
    assert properties.delivery_mode == 2
    # A quorum queue adds its own count.
    assert {k: v for k, v in properties.headers.items() if k != "x-delivery-count"} == {
        "traceparent": trace,
        "x-fiscal-replays": 3,
        "x-fiscal-replayed-code": "SHIFT_NOT_OPEN",
        "x-fiscal-delayed": True,
    }
    assert ready(amqp_url, DEAD_LETTERS) == 0


def test_a_replay_goes_back_to_the_queue_it_came_from(amqp_url: str) -> None:
    """A letter of another deployment goes to that one's queue; one that names none to the own."""
    put(amqp_url, [1], queue="other")
    put(amqp_url, [2], queue=None)
    with connect(amqp_url) as connection:
        connection.channel().queue_declare("other")
    assert invoke(amqp_url, *REPLAY_ALL).exit_code == 0
    assert numbers(amqp_url, "other") == [1]
    assert numbers(amqp_url, "fiscalize") == [2]


def test_a_letter_whose_queue_is_gone_stays(amqp_url: str) -> None:
    """The others go, it keeps its place, and the exit code says that some failed."""
    put(amqp_url, [1])
    put(amqp_url, [2], queue="gone")
    put(amqp_url, [3])
    result = invoke(amqp_url, *REPLAY_ALL)
    assert result.exit_code == 1
    assert "N-2: not replayed" in result.stderr
    assert numbers(amqp_url, "fiscalize") == [1, 3]
    assert numbers(amqp_url) == [2]


def test_filtered_replay_leaves_the_rest_in_order(amqp_url: str) -> None:
    """Only what the filter names goes, up to the limit, the oldest first; stdout tells which."""
    for number in range(40):
        put(amqp_url, [number], code="RECEIPT_REJECTED" if number % 4 == 0 else "SHIFT_NOT_OPEN")
    result = invoke(amqp_url, *REPLAY_ALL, "--code", "RECEIPT_REJECTED", "--limit", "5", "--json")
    assert result.exit_code == 0
    *lines, last = [json.loads(line) for line in result.stdout.splitlines()]
    told = [line["docNumber"] for line in lines]
    assert last == {"sent": 5, "fiscalized": 0, "cameBack": {}, "waiting": 5}
    assert told == ["N-0", "N-4", "N-8", "N-12", "N-16"]
    assert numbers(amqp_url, "fiscalize") == [0, 4, 8, 12, 16]
    assert numbers(amqp_url) == [n for n in range(40) if n % 4 or n > 16]


@pytest.mark.parametrize("command", ["replay", "discard"])
def test_nothing_is_changed_without_consent(amqp_url: str, command: str) -> None:
    """Without --yes and without a terminal it refuses; a dry run counts by code."""
    put(amqp_url, range(2))
    assert invoke(amqp_url, "dead-letters", command).exit_code == 2
    dry = invoke(amqp_url, "dead-letters", command, "--dry-run", "--json", "--code", "SHIFT_NOT_OPEN")
    assert dry.exit_code == 0
    assert json.loads(dry.stdout) == {"code": "SHIFT_NOT_OPEN", "count": 2}
    assert numbers(amqp_url) == [0, 1]


def test_nothing_that_matches_has_its_own_exit_code(amqp_url: str) -> None:
    """3, whether it is asked for or done."""
    put(amqp_url, [1])
    for option in ("--yes", "--dry-run"):
        assert invoke(amqp_url, "dead-letters", "replay", option, "--order", "N-9").exit_code == 3
        assert invoke(amqp_url, "dead-letters", "discard", option, "--order", "N-9").exit_code == 3


def test_discard_removes_what_it_names(amqp_url: str) -> None:
    """It is gone, goes nowhere, and the others stay."""
    put(amqp_url, range(3))
    assert invoke(amqp_url, "dead-letters", "discard", "--yes", "--order", "N-1").exit_code == 0
    assert ready(amqp_url, "fiscalize") == 0
    assert numbers(amqp_url) == [0, 2]


@pytest.mark.parametrize("option", ["--yes", "--dry-run"])
def test_discard_needs_a_filter_or_all(amqp_url: str, option: str) -> None:
    """A limit is no filter: nobody throws everything away by leaving something out."""
    put(amqp_url, range(2))
    for others in ((), ("--limit", "1"), ("--rate", "1")):
        assert invoke(amqp_url, "dead-letters", "discard", option, *others).exit_code == 2
    assert ready(amqp_url, DEAD_LETTERS) == 2
    assert invoke(amqp_url, "dead-letters", "discard", option, "--all").exit_code == 0
    assert ready(amqp_url, DEAD_LETTERS) == (0 if option == "--yes" else 2)


def test_what_is_discarded_can_be_kept(amqp_url: str, tmp_path: Path) -> None:
    """The file gets each letter before it is gone, adds to what it holds, and `publish` reads it."""
    put(amqp_url, range(3))
    file = tmp_path / "discarded.jsonl"
    for order in ("N-1", "N-2"):
        kept = invoke(amqp_url, "dead-letters", "discard", "--yes", "--order", order, "--export", str(file))
        assert kept.exit_code == 0
    assert [json.loads(line)["body"].encode() for line in file.read_text().splitlines()] == [body(1), body(2)]
    assert file.stat().st_mode & 0o077 == 0
    assert numbers(amqp_url) == [0]


def test_what_cannot_be_kept_is_not_discarded(amqp_url: str, tmp_path: Path) -> None:
    """A disk that is full, or a folder that is not there: the letters stay, and it says why."""
    put(amqp_url, range(2))
    for file in (Path("/dev/full"), tmp_path / "no" / "file"):
        result = invoke(amqp_url, "dead-letters", "discard", "--yes", "--all", "--export", str(file))
        assert result.exit_code == 1
        assert str(file) in result.stderr
    assert numbers(amqp_url) == [0, 1]


def test_letters_that_come_back_again_and_again_are_left_alone(amqp_url: str) -> None:
    """Ten replays are enough, unless --force says otherwise."""
    put(amqp_url, [1], replays=10)
    put(amqp_url, [2], replays=9)
    result = invoke(amqp_url, *REPLAY_ALL)
    assert result.exit_code == 1
    assert "--force" in result.stderr
    assert numbers(amqp_url, "fiscalize") == [2]
    assert invoke(amqp_url, *REPLAY_ALL, "--force").exit_code == 0
    assert numbers(amqp_url, "fiscalize") == [1]


@pytest.mark.parametrize(("answer", "code", "left"), [("y", 0, []), ("n", 1, [0, 1])])
def test_a_terminal_is_asked(amqp_url: str, answer: str, code: int, left: list[int]) -> None:
    """The question names queue, virtual host and number, and only a yes is one."""
    put(amqp_url, range(2))
    ours, theirs = pty.openpty()
    process = start(
        amqp_url, "dead-letters", "replay", "--rate", "0", "--no-wait", stdin=theirs, stderr=theirs
    )
    os.close(theirs)
    asked = b""
    while b"[y/N]" not in asked:
        asked += os.read(ours, 1024)
    assert b"replay 2 letters (SHIFT_NOT_OPEN 2) of queue fiscalize.dead_letters on virtual host" in asked
    os.write(ours, answer.encode() + b"\n")
    process.communicate(timeout=30)
    os.close(ours)
    assert process.returncode == code
    assert numbers(amqp_url) == left


def test_a_second_command_is_refused_and_told_of_the_first(
    amqp_url: str, eventually: Callable[..., object]
) -> None:
    """One at a time: the other one is named; when it has ended, nothing of the lock is left."""
    put(amqp_url, range(100))
    process = start(amqp_url, "dead-letters", "replay", "--yes", "--rate", "5")
    eventually(lambda: ready(amqp_url, "fiscalize"))
    result = invoke(amqp_url, *REPLAY_ALL)
    assert result.exit_code == 1
    assert f"replay by {os.environ.get('USER', '')}" in result.stderr
    assert f"process {process.pid}" in result.stderr
    stop(process, signal.SIGINT)


def stop(process: subprocess.Popen[str], how: signal.Signals) -> str:
    process.send_signal(how)
    _, err = process.communicate(timeout=30)
    return err


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_loses_and_doubles_nothing(
    amqp_url: str, eventually: Callable[..., object], how: signal.Signals
) -> None:
    """The current letter is finished, the others stay in order, and it says what was done."""
    put(amqp_url, range(1500))
    process = start(amqp_url, *REPLAY_ALL)
    eventually(lambda: ready(amqp_url, "fiscalize") > 50)
    err = stop(process, how)
    sent = numbers(amqp_url, "fiscalize")
    assert process.returncode == 1
    assert f"{len(sent)} replayed" in err
    assert sent == list(range(len(sent)))
    assert numbers(amqp_url) == list(range(len(sent), 1500))


def test_a_broker_that_dies_in_the_middle_is_told_and_loses_nothing(
    rabbitmq: PrivateRabbitMQ, vhost: VirtualHost, eventually: Callable[..., object]
) -> None:
    """The command ends with words and exit code 1; every letter is here or there, at most one is both."""
    put(vhost.url, range(1000))
    process = start(vhost.url, *REPLAY_ALL)
    eventually(lambda: ready(vhost.url, "fiscalize") > 50)
    rabbitmq.kill()
    _, err = process.communicate(timeout=60)
    rabbitmq.start()
    assert process.returncode == 1
    assert "before the broker went away" in err
    assert '"event":"dead_letters_replayed"' in err
    assert "Traceback" not in err
    done = int(err.split()[0])
    # Right after the start the queues still read their logs, and tell of a past state.
    eventually(lambda: ready(vhost.url, "fiscalize") >= done)
    eventually(lambda: abs(ready(vhost.url, DEAD_LETTERS) - (1000 - done)) <= 1)
    sent, left = numbers(vhost.url, "fiscalize"), numbers(vhost.url)
    assert set(sent) | set(left) == set(range(1000))
    assert len(sent) + len(left) <= 1001


def test_sigkill_loses_none_and_doubles_at_most_the_one_in_hand(
    amqp_url: str, eventually: Callable[..., object]
) -> None:
    """Ten replays are killed in the middle: all letters arrive, and each kill doubles at most one."""
    total, sent = 2500, Counter[int]()
    put(amqp_url, range(total))
    for kills in range(1, 11):
        process = start(amqp_url, *REPLAY_ALL)
        enough = 20 + 13 * kills
        eventually(lambda enough=enough: ready(amqp_url, "fiscalize") >= enough)
        process.kill()
        process.communicate()
        eventually(lambda: ready(amqp_url, "fiscalize") + ready(amqp_url, DEAD_LETTERS) >= total - len(sent))
        sent.update(numbers(amqp_url, "fiscalize"))
        assert sent.total() - len(sent) <= kills
    assert process.returncode == -signal.SIGKILL
    left = numbers(amqp_url)
    assert len(set(left)) == len(left)
    assert set(sent) | set(left) == set(range(total))
    assert len(set(sent) & set(left)) + sent.total() - len(sent) <= 10
