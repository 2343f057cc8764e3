"""Cashiers' sessions at a sandbox, with a clock that a test moves."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime

from pydantic import SecretStr

from tests.builders import an_integration
from tests.checkbox.receipts import BY_PASSWORD
from worker.checkbox.client import CheckboxClient
from worker.checkbox.isolation import Isolation
from worker.checkbox.session import ReceiptRate, Session
from worker.checkbox.sessions import Sessions
from worker.demo.sandbox_process import SandboxProcess
from worker.fiscal.integrations import Cashier
from worker.interprocess.rate_limiter import RegisterRateLimiter

DAY = 86400.0
KEY = "test-olena"
OLENA = replace(BY_PASSWORD, login="olena", password=SecretStr("olena-secret"), license_key=SecretStr(KEY))
#: Of what only time decides.
AT_ONCE = {"throttle": False, "done_after": 0.0, "open_after": 0.0, "close_after": 0.0}


class Desk:
    """A process's sessions; ``ahead`` moves its clocks, those of the sandbox stay."""

    def __init__(self, sandbox: SandboxProcess, client: CheckboxClient, rate: float = 1000.0) -> None:
        sandbox.reset()
        sandbox.set_options(**AT_ONCE)
        sandbox.put_cashier("olena", password="olena-secret", pin_code="4711", license_key=KEY)
        self.sandbox = sandbox
        self.ahead = 0.0
        self.rate = rate
        self.began = datetime.now(UTC).timestamp()
        self.integration = an_integration(checkbox_url=sandbox.url)
        rate = ReceiptRate(
            RegisterRateLimiter(),
            lambda: self.rate,
            lambda: 1000.0 + self.ahead,
            lambda: self.began + self.ahead,
        )
        self.sessions = Sessions(client, rate, Isolation(8, lambda: 1000.0 + self.ahead))

    def enter(self, row: Cashier = OLENA) -> AbstractContextManager[Session]:
        return self.sessions.enter(self.integration, row)

    def opened(self, hours_ago: float) -> None:
        """A person has opened olena's shift so long ago; one of over a day is one that Checkbox left open."""
        at = datetime.fromtimestamp(self.began - hours_ago * 3600, UTC)
        self.sandbox.open_shift("olena", at.isoformat())

    def asked(self, endpoint: str) -> int:
        return self.sandbox.requests(endpoint)
