"""A consumer written on pika and a pool of threads. What is rescheduled stays unacknowledged, on a timer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pika

from tests.bench.use_case import THREADS, URL, UseCase
from worker.fiscal.attempt_state import AttemptState
from worker.fiscal.outcomes import Postponed

#: What waits for its number counts too: without these there would be nothing to do meanwhile.
_PREFETCH = 1000


def main() -> None:
    """Consume until killed."""
    use_case = UseCase()
    connection = pika.BlockingConnection(pika.URLParameters(URL))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=_PREFETCH)
    pool = ThreadPoolExecutor(THREADS)

    def work(tag: int, body: bytes, state: AttemptState | None) -> None:
        try:
            use_case.tell(body, state)
        except Postponed as wait:
            again = partial(pool.submit, work, tag, body, wait.state or state)
            connection.add_callback_threadsafe(partial(connection.call_later, wait.after, again))
            return
        connection.add_callback_threadsafe(lambda: channel.basic_ack(tag))

    def take(_: object, method: pika.spec.Basic.Deliver, __: object, body: bytes) -> None:
        pool.submit(work, method.delivery_tag, body, None)

    channel.basic_consume("fiscalize", take)
    channel.start_consuming()


if __name__ == "__main__":
    main()
