"""Name look-up that ends in time.

The system's look-up takes no time limit and cannot be interrupted, so it runs in a thread of its own.
"""

from __future__ import annotations

import socket
import threading
from concurrent.futures import Future
from functools import partial

from worker.http.deadline import remaining

#: Families and addresses, in the system's order of preference.
Address = tuple[str | int | bytes, ...]
Addresses = list[tuple[int, Address]]


class Resolver:
    """Threads that need the same name share one look-up, so that no more of them hang than names do."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[tuple[str, int], Future[Addresses]] = {}

    def addresses(self, host: str, port: int) -> Addresses:
        """Raises ``OSError`` for a name without one; its ``TimeoutError`` at the deadline."""
        try:
            return _look_up(host, port, socket.AI_NUMERICHOST)
        except socket.gaierror:
            return self._shared(host, port).result(remaining())

    def _shared(self, host: str, port: int) -> Future[Addresses]:
        with self._lock:
            answer = self._under_way.get((host, port))
            if answer is None:
                answer = Future()
                threading.Thread(target=partial(self._ask, answer, host, port), daemon=True).start()
                self._under_way[host, port] = answer
            return answer

    def _ask(self, answer: Future[Addresses], host: str, port: int) -> None:
        try:
            answer.set_result(_look_up(host, port))
        except Exception as error:  # raised again in the threads that wait
            answer.set_exception(error)
        finally:
            with self._lock:
                del self._under_way[host, port]


def _look_up(host: str, port: int, flags: int = 0) -> Addresses:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    except UnicodeError:  # a part of it is empty or too long
        raise socket.gaierror(socket.EAI_NONAME, "this can be no name") from None
    return [(family, address) for family, _, _, _, address in found]
