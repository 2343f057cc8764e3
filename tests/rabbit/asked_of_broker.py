"""What clients ask of the broker, read from their frames on the way there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pika import spec
from pika.frame import Method, decode_frame

_DECLARES = (spec.Exchange.Declare, spec.Queue.Declare, spec.Queue.Bind)


class AskedOfBroker:
    """A tap for the fault proxy: the methods of each connection, in the order in which they were opened."""

    def __init__(self) -> None:
        self.connections: list[list[Any]] = []

    def __call__(self) -> Callable[[bytes], None]:
        methods: list[Any] = []
        self.connections.append(methods)
        unread = bytearray()

        def read(chunk: bytes) -> None:
            unread.extend(chunk)
            while (found := decode_frame(bytes(unread)))[1] is not None:
                size, frame = found
                del unread[:size]
                if isinstance(frame, Method):
                    methods.append(frame.method)

        return read

    @property
    def declared(self) -> list[list[tuple[str, ...]]]:
        """What each connection declared or bound, of those that did; a passive declaration only looks."""
        found = [[_named(one) for one in methods if _is_declaration(one)] for methods in self.connections]
        return [one for one in found if one]


def _is_declaration(method: Any) -> bool:
    return isinstance(method, _DECLARES) and not getattr(method, "passive", False)


def _named(method: Any) -> tuple[str, ...]:
    if isinstance(method, spec.Exchange.Declare):
        return "exchange", method.exchange
    if isinstance(method, spec.Queue.Declare):
        return "queue", method.queue
    return "binding", method.queue, method.exchange, method.routing_key
