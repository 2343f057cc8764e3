"""The worker's own use case without its broker, settlement and telemetry, for the peers to run."""

from __future__ import annotations

import os
import time
from pathlib import Path

from config.integrations_watch import load
from worker.checkbox.client import CheckboxClient
from worker.checkbox.isolation import Isolation
from worker.checkbox.session import ReceiptRate
from worker.checkbox.sessions import Sessions
from worker.fiscal.attempt_state import AttemptState
from worker.fiscal.fiscalization import Fiscalization
from worker.interprocess.rate_limiter import RegisterRateLimiter
from worker.rabbit.connection import parameters
from worker.rabbit.events import Events
from worker.rabbit.loop import Loop
from worker.rabbit.message.reading import RequestIdentity, read
from worker.rabbit.publisher import Publisher

THREADS = int(os.environ.get("FISCAL_THREADS", "8"))
PROCESSES = int(os.environ.get("FISCAL_PROCESSES", "1"))
URL = os.environ.get("FISCAL_RABBITMQ_URL", "")


class UseCase:
    """One for each process. The rate of 100 is shared evenly by its processes."""

    def __init__(self) -> None:
        path = Path(os.environ["FISCAL_INTEGRATIONS_FILE"])
        integrations = load(path, os.environ["FISCAL_CHECKBOX_URL"], {}).integrations
        rate = ReceiptRate(RegisterRateLimiter(), lambda: 100 / PROCESSES, time.monotonic, time.time)
        self._fiscalization = Fiscalization(
            lambda: integrations,
            Sessions(CheckboxClient(), rate, Isolation(THREADS, time.monotonic)),
            None,
            time.time,
            10.0,
            lambda _: None,
            lambda: None,
        )
        self._publisher = Publisher(Loop(), parameters(URL, "bench"))
        self._events = Events(time.time)

    def tell(self, body: bytes, state: AttemptState | None) -> None:
        """A pass; the event is confirmed when it returns. Raises ``Verdict``."""
        request = read(body)
        state = state or AttemptState(first_seen=time.time())
        done = self._fiscalization.fiscalize(request, state)
        event = self._events.succeeded(RequestIdentity.of(request), state, done, request.order.total)
        self._publisher.send(*event).result()
