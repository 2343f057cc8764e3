"""TCP ports of loopback for servers that the demo and the tests start."""

from __future__ import annotations

import contextlib
import secrets
import socket

# Below the range that outgoing connections are given (32768 and up on Linux), so that a port stays free while
# its server is down.
_FIRST, _LAST = 15_000, 32_000


def free_ports(count: int) -> list[int]:
    """Unused ports, all different."""
    ports: list[int] = []
    while len(ports) < count:
        port = _FIRST + secrets.randbelow(_LAST - _FIRST)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            ports += [port] if port not in ports else []
    return ports
