"""A replay reports its outcome: fiscalized, come back with a code, or still waiting."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator

import pytest

from tests.builders import a_body
from tests.cli.commands import invoke, run, start
from tests.cli.letters import put, ready
from tests.system.shop import CONTRACT, Shop
from worker.cli import letter_changes
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.demo.sandbox_process import SandboxProcess
from worker.demo.worker_process import WorkerProcess


@pytest.fixture(scope="module")
def shop(rabbitmq: PrivateRabbitMQ, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    vhost = rabbitmq.new_vhost()
    log = tmp_path_factory.mktemp("outcomes") / "worker.log"
    options = {"done_after": 0.3, "throttle": "false"}
    with SandboxProcess(integrations=CONTRACT / "integrations.yaml", options=options) as sandbox:
        environment = {
            "FISCAL_RABBITMQ_URL": vhost.url,
            "FISCAL_CHECKBOX_URL": sandbox.url,
            "FISCAL_INTEGRATIONS_FILE": str(CONTRACT / "integrations.yaml"),
            "FISCAL_REGISTER_RATE": "100",
        }
        with WorkerProcess(environment, log) as worker:
            one = Shop(vhost, sandbox, worker)
            yield one
            one.close()
    vhost.delete()


def order(number: int, **changes: object) -> bytes:
    uuid = f"00000000-0000-4000-8000-{number:012}"
    return a_body(id=f"request-{number}", subject=uuid, data__order__uuid=uuid, **changes)


def test_a_replay_counts_what_became_of_its_letters(shop: Shop) -> None:
    """By a real worker: two fiscalized, one back by its event, one without an event found where it lies."""
    for number in (1, 2):
        put(shop.vhost.url, [number], content=order(number))
    put(shop.vhost.url, [3], content=order(3, data__order__total="1.00"))
    put(shop.vhost.url, [4], content=b"no JSON")
    replay = run(shop.vhost.url, "dead-letters", "replay", "--yes", "--json")
    *lines, last = [json.loads(line) for line in replay.stdout.splitlines()]
    assert len(lines) == 4
    came_back = {"TOTALS_MISMATCH": 1, "INVALID_MESSAGE": 1}
    assert last == {"sent": 4, "fiscalized": 2, "cameBack": came_back, "waiting": 0}
    assert replay.returncode == 1
    assert "2 fiscalized, 2 came back (" in replay.stderr
    audit = json.loads(next(line for line in replay.stderr.splitlines() if line.startswith("{")))
    assert (audit["event"], audit["wanted"], audit["count"]) == ("dead_letters_replayed", "all letters", 4)
    assert audit["outcome"].startswith("2 fiscalized, 2 came back")
    assert "@" in audit["actor"]
    discard = run(shop.vhost.url, "dead-letters", "discard", "--yes", "--code", "TOTALS_MISMATCH")
    assert discard.returncode == 0
    audit = json.loads(next(line for line in discard.stderr.splitlines() if line.startswith("{")))
    assert (audit["event"], audit["wanted"]) == ("dead_letters_discarded", "code TOTALS_MISMATCH")


def test_what_all_goes_through_is_a_success(shop: Shop) -> None:
    """Exit code 0, and the events that Bimp gets are left to Bimp."""
    put(shop.vhost.url, [10], content=order(10))
    replay = run(shop.vhost.url, "dead-letters", "replay", "--yes", "--json", "--code", "SHIFT_NOT_OPEN")
    assert json.loads(replay.stdout.splitlines()[-1])["fiscalized"] == 1
    assert replay.returncode == 0
    shop.look()
    assert shop.events_of("request-10", "succeeded")


def test_what_waits_is_no_failure(amqp_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody consumes: after the wait both count as waiting."""
    monkeypatch.setattr(letter_changes, "WAIT", 0.5)
    put(amqp_url, range(2))
    replay = invoke(amqp_url, "dead-letters", "replay", "--yes", "--rate", "0", "--json")
    assert json.loads(replay.stdout.splitlines()[-1]) == {
        "sent": 2,
        "fiscalized": 0,
        "cameBack": {},
        "waiting": 2,
    }
    assert replay.exit_code == 0


def test_ctrl_c_ends_the_wait_alone(amqp_url: str, eventually: Callable[..., object]) -> None:
    """All letters were sent: that is done, and the outcomes so far are printed."""
    put(amqp_url, range(2))
    process = start(amqp_url, "dead-letters", "replay", "--yes", "--rate", "0", "--json")
    eventually(lambda: ready(amqp_url, "fiscalize") == 2)
    # The lock is given back before the wait.
    assert invoke(amqp_url, "dead-letters", "list").exit_code == 0
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert json.loads(out.splitlines()[-1])["waiting"] == 2
    assert process.returncode == 0
