"""A FastStream subscriber whose handlers run the same story in a pool of threads.

What is put off sleeps in its handler, unacknowledged. FastStream acknowledges when the handler has returned.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import uvloop
from faststream import FastStream
from faststream.rabbit import Channel, RabbitBroker, RabbitQueue
from faststream.rabbit.annotations import RabbitMessage

from tests.bench.story import THREADS, URL, Story
from worker.fiscal.attempt_state import AttemptState
from worker.fiscal.outcomes import Postponed

#: What waits for its number counts too: without these there would be nothing to do meanwhile.
_PREFETCH = 1000

broker = RabbitBroker(URL, default_channel=Channel(prefetch_count=_PREFETCH), logger=None)
_story = Story()
_pool = ThreadPoolExecutor(THREADS)


@broker.subscriber(RabbitQueue("fiscalize", declare=False))  # type: ignore[untyped-decorator]
async def fiscalize(message: RabbitMessage) -> None:
    """An order, with as many passes as it takes."""
    trail: AttemptState | None = None
    loop = asyncio.get_running_loop()
    while True:
        try:
            return await loop.run_in_executor(_pool, _story.tell, message.body, trail)
        except Postponed as wait:
            trail = wait.trail or trail
            await asyncio.sleep(wait.after)


if __name__ == "__main__":
    # FastStream's own command takes this loop too, where it is installed.
    uvloop.run(FastStream(broker, logger=None).run())
