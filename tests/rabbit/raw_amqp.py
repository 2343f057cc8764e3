"""A publisher that sends what pika would not: frames as the test makes them."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pika
from pika import spec
from pika.frame import Body, Header, Method, ProtocolHeader, decode_frame

#: What the broker's Tune offers.
_CHANNELS = 2047


def publish_raw(
    url: str,
    exchange: str,
    key: str,
    body: bytes,
    properties: pika.BasicProperties,
    changed: Callable[[bytes], bytes] = lambda frame: frame,
) -> None:
    """Publish, and wait for the confirm. ``changed`` gets the frame of the properties.

    The client agrees to frames of 1 MiB, where the broker does; pika's own agrees to 128 KiB at most.
    """
    at = pika.URLParameters(url)
    credentials = f"\0{at.credentials.username}\0{at.credentials.password}"
    with socket.create_connection((at.host, at.port), timeout=30) as broker:

        def ask(*frames: Any) -> object:
            """Send frames; the method that the broker answers with."""
            broker.sendall(b"".join(one if isinstance(one, bytes) else one.marshal() for one in frames))
            received = b""
            while (found := decode_frame(received)[1]) is None:
                received += broker.recv(65536)
            return found.method

        tune = ask(ProtocolHeader()) and ask(Method(0, spec.Connection.StartOk({}, response=credentials)))
        assert isinstance(tune, spec.Connection.Tune)
        tuned = spec.Connection.TuneOk(channel_max=_CHANNELS, frame_max=tune.frame_max or 2**20)
        ask(Method(0, tuned), Method(0, spec.Connection.Open(at.virtual_host)))
        ask(Method(1, spec.Channel.Open()))
        ask(Method(1, spec.Confirm.Select()))
        publish = Method(1, spec.Basic.Publish(exchange=exchange, routing_key=key, mandatory=True))
        header = changed(Header(1, len(body), properties).marshal())
        assert isinstance(ask(publish, header, Body(1, body)), spec.Basic.Ack)
