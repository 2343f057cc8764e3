"""A FastStream subscriber whose handlers run the same use case in a pool of threads.

What is rescheduled sleeps in its handler, unacknowledged. FastStream acknowledges when it has returned.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import uvloop
from faststream import FastStream
from faststream.rabbit import Channel, RabbitBroker, RabbitQueue
from faststream.rabbit.annotations import RabbitMessage

from tests.bench.use_case import THREADS, URL, UseCase
from worker.fiscal.attempt_state import AttemptState
from worker.fiscal.outcomes import Postponed

#: What waits for its number counts too: without these there would be nothing to do meanwhile.
_PREFETCH = 1000

broker = RabbitBroker(URL, default_channel=Channel(prefetch_count=_PREFETCH), logger=None)
_use_case = UseCase()
_pool = ThreadPoolExecutor(THREADS)


@broker.subscriber(RabbitQueue("fiscalize", declare=False))  # type: ignore[untyped-decorator]
async def fiscalize(message: RabbitMessage) -> None:
    """An order, with as many passes as it takes."""
    state: AttemptState | None = None
    loop = asyncio.get_running_loop()
    while True:
        try:
            return await loop.run_in_executor(_pool, _use_case.tell, message.body, state)
        except Postponed as wait:
            state = wait.state or state
            await asyncio.sleep(wait.after)


if __name__ == "__main__":
    # FastStream's own command takes this loop too, where it is installed.
    uvloop.run(FastStream(broker, logger=None).run())
