"""How messages come off the queues and how they are settled.

Dramatiq's stock consumer acknowledges other messages after a reconnect, and acknowledges what a
failing hook left undone. Here a message knows the consumer it came from, and is acknowledged only when its
actor has returned and the broker has confirmed what the actor returned; everything else goes back.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from functools import partial
from typing import Any

import pika
from dramatiq import Message
from dramatiq.errors import ConnectionClosed

from worker.rabbit.consumed_message import ConsumedMessage
from worker.rabbit.consuming_connection import ConsumerDependencies, ConsumingConnection
from worker.rabbit.delivery import Delivery
from worker.rabbit.held_messages import AtWork, HeldMessages, Unloaded
from worker.rabbit.passes import SLOW_AFTER, Passes

#: Seconds before what cannot be settled is returned: as long as the broker has taken nothing, within these.
GIVE_BACK_AFTER, GIVE_BACK_WITHIN = 2.0, 60.0
#: Seconds that closing waits for outstanding confirms, and for the broker.
_LAST_CONFIRMS, _GOODBYE = 5.0, 2.0


class DeliveryConsumer:
    """Consumes the queues of a deployment on one connection, and hands over each message when it is due.

    Messages that are not due yet are held here, unacknowledged, by the monotonic clock. What is due and finds
    no room in memory is turned away: it is given back when there is some. Dramatiq's thread only waits.
    """

    def __init__(
        self,
        dependencies: ConsumerDependencies,
        name: str,
        prefetch: Mapping[str, int],
        timeout: float,
        passes: Passes[ConsumedMessage],
    ) -> None:
        """``name`` is what Dramatiq knows the consumer by. An actor is named like the queue it works on, and
        the first queue's works on what comes again.
        """
        self._with = dependencies
        self._loop = dependencies.loop
        self._name = name
        self._prefetch = prefetch
        self._priority = {queue: number for number, queue in enumerate(prefetch)}
        self._again = next(iter(prefetch))
        self._timeout = timeout
        self._look_every = min(timeout, SLOW_AFTER)
        self._passes = passes
        self._opened: Future[None] = Future()
        self._over = threading.Event()
        #: Guards what other threads see as well.
        self._lock = threading.Condition()
        self._unconfirmed = 0
        self._held: HeldMessages[ConsumedMessage] = HeldMessages()
        self._at_work: AtWork[ConsumedMessage] = AtWork()
        #: Of the loop's thread alone.
        self._subscription: ConsumingConnection | None = None
        self._next_look: Any = None
        self._next_look_at = math.inf
        #: Monotonic seconds; None while the broker confirms what it is given.
        self._refused_since: float | None = None

    def open(self) -> None:
        """Raises ``ConnectionClosed`` if the broker cannot be reached or refuses."""
        self._loop.soon(self._connect)
        self._opened.result()

    @property
    def is_open(self) -> bool:
        return self._subscription is not None and self._subscription.is_open

    @property
    def is_consuming(self) -> bool:
        return self._subscription is not None and self._subscription.is_consuming

    @property
    def waiting(self) -> list[Delivery | Unloaded]:
        """What is held until it is due, or there is room for it; may be asked for by any thread."""
        held = [one if isinstance(one, Unloaded) else one.delivery for one in self._held.all]
        return [*held, *self._at_work.turned_away]

    def keeps(self, most: int) -> bool:
        """Whether one more message may be kept in flight, of ``most``."""
        return self._held.kept < most and self._held.has_room

    def __next__(self) -> None:
        if self._over.wait(self._timeout):
            raise ConnectionClosed("the broker ended the consumer")

    def _connect(self) -> None:
        self._loop.broken.add(self._end)
        self._subscription = ConsumingConnection(
            self._loop.io, self._with.params, self._prefetch, self._begin, self._on_message, self._ended
        )

    def _begin(self) -> None:
        self._opened.set_result(None)
        self._look()

    def _end(self) -> None:
        """In any state."""
        if self._subscription is not None:
            self._subscription.let_go()
        self._ended(ConnectionClosed("the consumer broke"))

    def _ended(self, why: BaseException) -> None:
        self._loop.broken.discard(self._end)
        if self._next_look is not None:
            self._loop.io.remove_timeout(self._next_look)
        if not self._opened.done():
            self._opened.set_exception(ConnectionClosed(why))
        with self._lock:
            self._over.set()
            self._lock.notify_all()

    def _look(self) -> None:
        """Hand over what is due, and what a slow pass makes room for."""
        self._next_look_at = math.inf
        if not self.is_open:
            return
        self._obey_halt()
        for held in self._held.take(until=self._with.monotonic()):
            if isinstance(held, Unloaded):
                self._at_work.turn_away(held)
            else:
                self._put_to_work(held)
        self._recall()
        self._passes.go_on()
        self._look_later()

    def _look_later(self) -> None:
        """When the first message is due, and from time to time; many that arrive must not defer it."""
        now = self._with.monotonic()
        patience = min(self._look_every, max(0.0, self._held.first_due - now))
        if now + patience >= self._next_look_at:
            return
        if self._next_look is not None:
            self._loop.io.remove_timeout(self._next_look)
        self._next_look_at = now + patience
        self._next_look = self._loop.io.call_later(patience, self._look)

    def _on_message(
        self, queue: str, _: Any, method: Any, properties: pika.BasicProperties, body: bytes
    ) -> None:
        delivery = Delivery.received(queue, method, properties, body)
        message = self._message(queue, delivery, method.delivery_tag)
        wait = delivery.wait(self._with.clock())
        if wait > 0:
            self._held.add(message, self._with.monotonic() + wait)
            self._look_later()
        else:
            self._put_to_work(message)

    def _put_to_work(self, message: ConsumedMessage) -> None:
        if self._at_work.admits(message):
            self._passes.add(message, self._priority[message.actor_name])

    def _recall(self) -> None:
        for message in self._at_work.recalled():
            self._give_back(message.queue, message.tag)

    def _message(self, actor: str, delivery: Delivery, tag: int) -> ConsumedMessage:
        return ConsumedMessage(Message(self._name, actor, (delivery,), {}, {}, message_id=""), self, tag)

    def _obey_halt(self) -> None:
        """While the worker has stopped itself nothing is consumed, and waiting messages go back."""
        assert self._subscription is not None
        if not self._with.is_halted():
            self._subscription.consume()
            return
        self._subscription.pause()
        for held in (*self._held.take(), *self._at_work.take_turned_away()):
            self._give_back(held.queue, held.tag)

    def finish(self, message: ConsumedMessage) -> None:
        """Acknowledge a settled message that came by here, give back any other."""
        self._passes.end(message)
        # Cleared: the effect refers to the message, and a cycle would keep the body until a collection.
        effect, message.effect = message.effect, None
        if not message.is_done or effect is None:
            self._loop.soon(partial(self._settle, message, message.is_done))
        elif isinstance(effect, Delivery):
            self._at_work.leaves(message)
            self._keep_in_flight(self._message(self._again, effect, message.tag))
        else:
            self._await(message, effect)

    def _keep_in_flight(self, message: ConsumedMessage) -> None:
        """By any thread. The loop looks from time to time anyway: for later it is not woken."""
        wait = message.delivery.wait(self._with.clock())
        self._held.add(message, self._with.monotonic() + wait)
        if wait < self._look_every:
            self._loop.soon(self._look)

    def _await(self, message: ConsumedMessage, effect: Future[None]) -> None:
        with self._lock:
            self._unconfirmed += 1
        effect.add_done_callback(lambda done: self._loop.here(partial(self._confirmed, message, done)))

    def _confirmed(self, message: ConsumedMessage, effect: Future[None]) -> None:
        self._settle(message, effect.exception() is None)
        with self._lock:
            self._unconfirmed -= 1
            self._lock.notify_all()

    def _settle(self, message: ConsumedMessage, is_settled: bool) -> None:
        if not is_settled:
            self._loop.io.call_later(self._patience(), partial(self._return, message))
            return
        self._refused_since = None
        if self._subscription is not None:
            self._subscription.acknowledge(message.delivery.queue, message.tag)
            self._at_work.leaves(message)
            self._recall()

    def _patience(self) -> float:
        now = self._with.monotonic()
        if self._refused_since is None:
            self._refused_since = now
        return min(max(now - self._refused_since, GIVE_BACK_AFTER), GIVE_BACK_WITHIN)

    def _return(self, message: ConsumedMessage) -> None:
        self._at_work.leaves(message)
        self._give_back(message.delivery.queue, message.tag)

    def _give_back(self, queue: str, tag: int) -> None:
        if self._subscription is not None:
            self._subscription.give_back(queue, tag)

    def close(self) -> None:
        """Send what is still to be acknowledged, then let go of the rest by closing."""
        with self._lock:
            self._lock.wait_for(lambda: not self._unconfirmed or self._over.is_set(), _LAST_CONFIRMS)
        self._loop.soon(self._leave)
        self._over.wait(_GOODBYE)

    def _leave(self) -> None:
        if self._subscription is not None:
            self._subscription.close()
