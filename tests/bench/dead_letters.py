"""What an operator waits for at a full queue: `dead-letters list` and `dead-letters replay --rate 0`.

    python -m tests.bench.dead_letters [--letters 20000] [--rounds 3]

Prints a line for each round on one private RabbitMQ, quorum queues: seconds to the list's first line; letters
a second of the whole replay command, from its start to its end; those of a bare loop that does the least that
the promise allows (publish, wait for the confirm, acknowledge, next); and the peak resident memory of the
replay at a tenth of the letters and at all of them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pika

from tests.bench.machine import described
from tests.bench.measuring import Figures, median_of
from tests.cli.commands import start
from tests.cli.letters import put, ready
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.rabbit.topology import DEAD_LETTERS

_PREFETCH = 100
#: Letters of one transaction.
_BATCH = 2_000
_LOOK_EVERY = 0.05


def bare(url: str, count: int) -> float:
    """Letters a second of the bare loop."""
    arrived: deque[tuple[Any, pika.BasicProperties, bytes]] = deque()
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.basic_qos(prefetch_count=_PREFETCH)
        channel.basic_consume(DEAD_LETTERS, lambda _, *letter: arrived.append(letter))
        began = time.monotonic()
        for _ in range(count):
            while not arrived:
                connection.process_data_events(1)
            method, properties, body = arrived.popleft()
            channel.basic_publish("", "fiscalize", body, properties, mandatory=True)
            channel.basic_ack(method.delivery_tag)
        return count / (time.monotonic() - began)


def first_line(url: str) -> float:
    """Seconds from the start of the list to its first letter, which nobody reads on from."""
    began = time.monotonic()
    process = start(url, "dead-letters", "list", "--json", stderr=subprocess.DEVNULL)
    assert process.stdout
    assert process.stdout.readline().startswith("{")
    took = time.monotonic() - began
    process.stdout.close()
    process.wait()
    return took


def replay(url: str, count: int) -> tuple[float, float]:
    """Letters a second of the command, and its peak resident memory in MiB."""
    began = time.monotonic()
    process = start(
        url, "dead-letters", "replay", "--rate", "0", "--yes", "--no-wait", stderr=subprocess.DEVNULL
    )
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, _peak_mib(process.pid))
        time.sleep(_LOOK_EVERY)
    assert process.returncode == 0
    return count / (time.monotonic() - began), peak


def _peak_mib(pid: int) -> float:
    """0 for a process that has just ended. What ``wait4`` tells may be its parent's from before ``exec``."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def measure(node: PrivateRabbitMQ, letters: int) -> Figures:
    """The figures of a round; each loop finds the same queue, on a virtual host of its own."""
    few = letters // 10
    with _filled(node, few) as url:
        _, little = replay(url, few)
    with _filled(node, letters) as url:
        loop = bare(url, letters)
    with _filled(node, letters) as url:
        seconds = first_line(url)
        _wait_for(url, letters)
        rate, much = replay(url, letters)
    return {
        "list_first_line_seconds": seconds,
        "replay_per_second": rate,
        "bare_per_second": loop,
        "replay_to_bare": rate / loop,
        f"peak_mib_at_{few}": little,
        f"peak_mib_at_{letters}": much,
        "peak_ratio": much / little,
    }


@contextmanager
def _filled(node: PrivateRabbitMQ, count: int) -> Iterator[str]:
    vhost = node.new_vhost()
    for first in range(0, count, _BATCH):
        put(vhost.url, range(first, min(first + _BATCH, count)))
    _wait_for(vhost.url, count)
    yield vhost.url
    vhost.delete()


def _wait_for(url: str, count: int) -> None:
    while ready(url, DEAD_LETTERS) < count:
        time.sleep(_LOOK_EVERY)


def _told(title: str, figures: Figures) -> str:
    return f"{title}: " + ", ".join(f"{name} {value:.5g}" for name, value in figures.items())


def main() -> None:
    """The rounds, and their medians."""
    parser = argparse.ArgumentParser("python -m tests.bench.dead_letters", description=__doc__)
    parser.add_argument("--letters", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(", ".join(f"{name} {value}" for name, value in described().items()), flush=True)
    found = []
    with PrivateRabbitMQ() as node:
        for number in range(options.rounds):
            found.append(measure(node, options.letters))
            print(_told(f"round {number + 1}, load {os.getloadavg()[0]:.2f}", found[-1]), flush=True)
    print(_told("median", median_of(found)))


if __name__ == "__main__":
    main()
