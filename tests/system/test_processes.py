"""The processes of ``fiscal-worker run``: signals, deaths, a broker that is away, settings that are wrong."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pika
import pytest

from tests.fault_proxy import FaultProxy
from tests.rabbit.running import channel, declare, drained, publish
from tests.system.shop import CONTRACT
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.demo.vhost import VirtualHost
from worker.demo.worker_process import WorkerProcess
from worker.operators.fleet_inquiry import ask_fleet
from worker.rabbit.topology import CONTROL_EXCHANGE, DEAD_LETTERS, EVENTS_QUEUE, Topology

Eventually = Callable[..., Any]
Start = Callable[..., WorkerProcess]
ORDER = (CONTRACT / "valid" / "one_line_card.json").read_bytes()
#: Nobody listens there: a pass ends in a retry.
NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
def start(vhost: VirtualHost, tmp_path: Path) -> Iterator[Start]:
    """`start(FISCAL_…=…)` gives a worker on an empty virtual host, consuming; ``wait=False``: or not yet."""
    workers: list[WorkerProcess] = []

    def begin(*, wait: bool = True, **environment: str) -> WorkerProcess:
        started = WorkerProcess(environment_for(vhost.url, **environment), tmp_path / f"{len(workers)}.log")
        workers.append(started)
        return started.start(wait)

    yield begin
    for started in workers:
        started.kill()


def environment_for(url: str, **members: str) -> dict[str, str]:
    return {
        "FISCAL_RABBITMQ_URL": url,
        "FISCAL_CHECKBOX_URL": NOWHERE,
        "FISCAL_INTEGRATIONS_FILE": str(CONTRACT / "integrations.yaml"),
        "FISCAL_RETRY_MIN_BACKOFF": "PT0.2S",
        "FISCAL_RETRY_MAX_BACKOFF": "PT1S",
        "FISCAL_THREADS": "4",
        **members,
    }


def broken(number: int) -> bytes:
    """A message that is settled without Checkbox: a dead letter and an event."""
    return json.dumps({"id": f"request {number}"}).encode()


def children(worker: WorkerProcess) -> list[int]:
    """The monitor and the worker processes, in the order of their start."""
    assert worker.process is not None
    pid = worker.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def told(worker: WorkerProcess, event: str) -> int:
    """How often a line of this event was written."""
    return sum(line["event"] == event for line in worker.lines())


def count(worker: WorkerProcess, name: str) -> float:
    """The sum of a metric over its labels."""
    found = re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", worker.page("/metrics")[1], re.MULTILINE)
    return sum(map(float, found))


def test_sigterm_under_load_loses_nothing(start: Start, vhost: VirtualHost, eventually: Eventually) -> None:
    """T10: within 25 s, exit code 0; each of 4000 messages has its dead letter or is still there, once."""
    worker = start()
    # Stopped meanwhile: it is faster than whoever waits for a confirm of each message.
    assert worker.process is not None
    held = [worker.process.pid, *children(worker)]
    for pid in held:
        os.kill(pid, signal.SIGSTOP)
    publish(vhost.url, *[broken(number) for number in range(4000)])
    for pid in held:
        os.kill(pid, signal.SIGCONT)
    eventually(lambda: vhost.queues()[DEAD_LETTERS].messages > 60)
    began = time.monotonic()
    assert worker.terminate() == 0
    assert time.monotonic() - began < 25
    left = [body for name in Topology().consumed for body, _ in drained(vhost.url, name)]
    letters = [body for body, _ in drained(vhost.url, DEAD_LETTERS)]
    assert 0 < len(left) < 4000
    # What was settled is acknowledged: an orderly end leaves no message in both places.
    assert Counter(left + letters) == Counter(broken(number) for number in range(4000))
    assert not worker.page("/healthz")[0]
    assert told(worker, "worker_stopped") == 1
    assert told(worker, "worker_cut_off") == 0


def test_a_second_sigterm_ends_at_once(start: Start, vhost: VirtualHost, eventually: Eventually) -> None:
    """A pass that hangs on Checkbox is cut off; its message is the broker's."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        worker = start(FISCAL_CHECKBOX_URL=f"http://127.0.0.1:{silent.getsockname()[1]}")
        publish(vhost.url, ORDER)
        eventually(lambda: count(worker, "fiscal_in_flight") == 1)
        assert worker.process is not None
        worker.process.send_signal(signal.SIGTERM)
        eventually(lambda: told(worker, "worker_stopping"))
        began = time.monotonic()
        assert worker.terminate() == 0
        assert time.monotonic() - began < 3
    eventually(lambda: vhost.queues()["fiscalize"].messages_ready == 1)


def test_children_end_when_the_main_process_is_killed(
    start: Start, vhost: VirtualHost, eventually: Eventually
) -> None:
    """T13: none of them goes on consuming without anybody who watches it."""
    worker = start()
    pids = children(worker)
    assert len(pids) == 3
    assert worker.process is not None
    worker.process.kill()
    worker.process.wait()
    eventually(lambda: not any(map(alive, pids)))
    assert {depth.consumers for depth in vhost.queues().values()} == {0}


def test_a_killed_child_is_replaced_and_counters_never_go_down(
    start: Start, vhost: VirtualHost, eventually: Eventually
) -> None:
    """T13: the others go on, and what the dead one counted stays."""
    worker = start()
    publish(vhost.url, *[broken(number) for number in range(50)])
    eventually(lambda: count(worker, "fiscal_dead_letters_total") == 50)
    assert worker.process is not None
    for victim in children(worker)[1:]:
        os.kill(victim, signal.SIGKILL)
    eventually(lambda: told(worker, "process_died") == 2)
    assert count(worker, "fiscal_dead_letters_total") == 50
    eventually(lambda: worker.page("/readyz")[0] == 200 and vhost.queues()["fiscalize"].consumers == 2)
    publish(vhost.url, *[broken(number) for number in range(50, 60)])
    # Killed between its confirm and its acknowledgement, a message comes again.
    eventually(lambda: count(worker, "fiscal_dead_letters_total") >= 60)
    assert worker.process.poll() is None
    eventually(lambda: count(worker, "fiscal_in_flight") == 0)


def test_a_killed_monitor_is_replaced(start: Start, eventually: Eventually) -> None:
    """The pages are back, with what was counted."""
    worker = start()
    os.kill(children(worker)[0], signal.SIGKILL)
    eventually(lambda: told(worker, "process_died") == 1)
    eventually(lambda: worker.page("/readyz")[0] == 200)
    assert worker.page("/metrics")[0] == 200


def test_it_waits_for_a_broker_that_is_away_at_its_start(
    start: Start, vhost: VirtualHost, eventually: Eventually
) -> None:
    """It says so once, is alive and not ready, and goes on by itself."""
    declare(vhost.url)
    with FaultProxy.before(vhost.url) as proxy:
        proxy.refuse()
        worker = start(wait=False, FISCAL_RABBITMQ_URL=proxy.through(vhost.url))
        eventually(lambda: told(worker, "broker_awaited"))
        eventually(lambda: worker.page("/healthz")[0] == 200)
        assert worker.page("/readyz") == (
            503,
            "consuming: 0 of 2 processes; the broker has not been there since the start\n",
        )
        time_of_third_try = time.monotonic() + 3
        eventually(lambda: time.monotonic() > time_of_third_try)
        proxy.resume()
        worker.wait_until_ready()
        assert told(worker, "broker_awaited") == 1
        assert told(worker, "broker_lost") == 0
        publish(vhost.url, broken(1))
        eventually(lambda: vhost.queues()[EVENTS_QUEUE].messages == 1)


def test_sigterm_ends_a_worker_that_waits_for_the_broker(start: Start, eventually: Eventually) -> None:
    """With exit code 0, at once."""
    worker = start(wait=False, FISCAL_RABBITMQ_URL="amqp://127.0.0.1:1/")
    eventually(lambda: told(worker, "broker_awaited"))
    assert worker.terminate(timeout=10) == 0


def test_a_broker_that_is_lost_and_back_is_told_once_each(
    start: Start, vhost: VirtualHost, eventually: Eventually
) -> None:
    """One line and one line, whatever the number of processes, threads and tries in between."""
    declare(vhost.url)
    with FaultProxy.before(vhost.url) as proxy:
        worker = start(FISCAL_RABBITMQ_URL=proxy.through(vhost.url))
        eventually(
            lambda: (
                count(worker, "fiscal_queue_messages") == 0
                and "fiscal_queue_messages{" in worker.page("/metrics")[1]
            )
        )
        before = len(worker.lines())
        proxy.refuse()
        eventually(lambda: told(worker, "broker_lost") == 1)
        eventually(lambda: "; the broker is away since 20" in worker.page("/readyz")[1])
        assert worker.page("/readyz")[0] == 503
        assert worker.page("/healthz")[0] == 200
        assert "fiscal_queue_messages{" not in worker.page("/metrics")[1]
        publish(vhost.url, broken(1))
        proxy.resume()
        eventually(lambda: vhost.queues()[EVENTS_QUEUE].messages == 1)
        eventually(lambda: told(worker, "broker_back") == 1)
        eventually(lambda: worker.page("/readyz")[0] == 200)
        # Before the proxy is closed, which is the next loss.
        events = [line["event"] for line in worker.lines()[before:]]
    # What the checks at the start found may be on its way just then.
    events = [event for event in events if event != "notice_not_published"]
    assert events[0] == "broker_lost"
    assert sorted(events[1:]) == ["broker_back", "request_processed"]


def test_a_first_start_tells_of_no_loss(start: Start, eventually: Eventually) -> None:
    """On an empty virtual host the queues come a moment after the monitor's first look."""
    worker = start()
    eventually(lambda: "fiscal_queue_messages{" in worker.page("/metrics")[1])
    assert told(worker, "broker_lost") == 0


def run(
    environment: Mapping[str, str], folder: Path, timeout: float = 20
) -> subprocess.CompletedProcess[str]:
    """Start it, and wait for an end that comes by itself."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FISCAL_")}
    return subprocess.run(
        [sys.executable, "-m", "worker", "run"],
        env={**clean, "PYTHONPATH": str(CONTRACT.parents[1]), **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def test_wrong_settings_end_it_with_a_line_for_each(tmp_path: Path) -> None:
    """Exit code 2, nothing on stdout, and no traceback."""
    done = run(
        {"FISCAL_THREADS": "many", "FISCAL_RABBITMQ_URL": "http://x", "FISCAL_QUEUE_TYPE": "x"}, tmp_path
    )
    assert done.returncode == 2
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 3
    assert {line.partition(":")[0] for line in lines} == {
        "FISCAL_THREADS",
        "FISCAL_RABBITMQ_URL",
        "FISCAL_QUEUE_TYPE",
    }


def test_a_wrong_integrations_file_ends_it(tmp_path: Path) -> None:
    """Exit code 2, with the file's problems."""
    (tmp_path / "integrations.yaml").write_text("shops:\n  - id: a\n")
    done = run({"FISCAL_INTEGRATIONS_FILE": "integrations.yaml"}, tmp_path)
    assert done.returncode == 2
    assert "integrations.yaml" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_another_queue_under_its_name_ends_it(vhost: VirtualHost, tmp_path: Path) -> None:
    """T8: exit code 1 and the words of the mismatch, instead of trying for ever."""
    declare(vhost.url, Topology(queue_type="classic"))
    done = run(environment_for(vhost.url, FISCAL_METRICS_PORT=str(free_port())), tmp_path)
    assert done.returncode == 1
    assert "fiscalize" in done.stderr
    assert "FISCAL_QUEUE_TYPE" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def test_a_metrics_port_that_is_taken_is_told(vhost: VirtualHost, tmp_path: Path) -> None:
    """It ends with the variable's name, and what it logged before is written."""
    with socket.create_server(("", 0)) as taken:
        port = str(taken.getsockname()[1])
        settings = environment_for(vhost.url, FISCAL_METRICS_PORT=port, FISCAL_METRIC_PORT="1")
        done = run(settings, tmp_path, timeout=8)
    assert '"setting_unknown"' in done.stdout
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert line.startswith(f"FISCAL_METRICS_PORT: {port} cannot be listened on")


def test_a_queue_that_somebody_deleted_is_made_again(
    start: Start, vhost: VirtualHost, eventually: Eventually
) -> None:
    """No process stays without work and calls itself ready."""
    start()
    with channel(vhost.url) as opened:
        opened.queue_delete("fiscalize")
    eventually(lambda: "fiscalize" in vhost.queues() and vhost.queues()["fiscalize"].consumers == 2)
    publish(vhost.url, broken(1))
    eventually(lambda: vhost.queues()[DEAD_LETTERS].messages == 1)


def test_a_control_queue_that_somebody_deleted_is_made_again(
    start: Start, vhost: VirtualHost, rabbitmq: PrivateRabbitMQ, eventually: Eventually
) -> None:
    """Its connection stays: nobody else would notice that questions are not heard any more."""
    start()

    def listening() -> list[str]:
        bindings = rabbitmq.ctl("list_bindings", "-p", vhost.name, "source_name", "destination_name")
        return re.findall(rf"^{CONTROL_EXCHANGE}\t(\S+)$", bindings, re.MULTILINE)

    (queue,) = eventually(listening)
    rabbitmq.ctl("delete_queue", "-p", vhost.name, queue)
    eventually(lambda: len(made := listening()) == 1 and made != [queue])
    with pika.BlockingConnection(pika.URLParameters(vhost.url)) as connection:
        eventually(lambda: ask_fleet(connection, Topology().queue, "D-none").answered == 2)


def test_an_orphan_that_it_inherits_ends_and_the_worker_goes_on(
    vhost: VirtualHost, tmp_path: Path, eventually: Eventually
) -> None:
    """As process 1 of a container does: a stranger's exit is neither fatal nor a worker's death."""
    worker = WorkerProcess(environment_for(vhost.url), tmp_path / "worker.log")
    # `exec` leaves the shell's child with the worker, which never forked it.
    prologue = "sleep 3 & exec " + " ".join([sys.executable, "-m", "worker", "run"])
    with worker.log.open("ab") as log:
        worker.process = subprocess.Popen(
            ["/bin/sh", "-c", prologue],
            env={**os.environ, **worker.settings},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        worker.wait_until_ready()
        eventually(lambda: len(children(worker)) == 3)
        assert worker.process.poll() is None
        publish(vhost.url, broken(1))
        eventually(lambda: vhost.queues()[DEAD_LETTERS].messages == 1)
        assert told(worker, "process_died") == 0
        assert count(worker, "fiscal_process_restarts_total") == 0
        assert worker.terminate() == 0
    finally:
        worker.kill()


def test_a_process_that_is_started_anew_knows_what_is_in_force(
    start: Start, vhost: VirtualHost, tmp_path: Path, eventually: Eventually
) -> None:
    """A cashier added since the start; then a broken file: the last sound version, not that of the start."""
    text = (CONTRACT / "integrations.yaml").read_text()
    file = tmp_path / "integrations.yaml"
    file.write_text(text.replace("id: olena", "id: olena-before"))
    worker = start(FISCAL_INTEGRATIONS_FILE=str(file), FISCAL_PROCESSES="1")
    file.write_text(text)
    eventually(lambda: told(worker, "integrations_file_read") == 2)
    file.write_text("integrations: 1\n")
    eventually(lambda: told(worker, "integrations_file_refused") == 1)
    # The supervisor, which logs nothing of it, looks once a second.
    seen = time.monotonic() + 3
    eventually(lambda: time.monotonic() > seen)
    os.kill(children(worker)[1], signal.SIGKILL)
    eventually(lambda: told(worker, "process_died") == 1)
    eventually(lambda: worker.page("/readyz")[0] == 200)
    publish(vhost.url, ORDER)
    eventually(lambda: vhost.queues()[EVENTS_QUEUE].messages == 1)
    [(body, _)] = drained(vhost.url, EVENTS_QUEUE)
    assert json.loads(body)["type"] == "ua.bimp.fiscalization.delayed.v1"
    assert count(worker, "fiscal_integrations_file_broken") == 1
