"""What shops and cashiers are called, from the configuration."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

from config import settings as configuration
from config.errors import ConfigurationError
from worker.app import read_integrations
from worker.fiscal.integrations import Integration

#: Seconds for which the file is not read again.
_FOR = 5.0
#: Seconds that a page waits for them.
_PATIENCE = 0.2


class Names:
    """An id stands for itself where the configuration has no name, or cannot be read."""

    def __init__(self) -> None:
        self._read_at = -_FOR
        self._integrations: Mapping[str, Integration] = {}
        self._reading = threading.Thread()

    def refresh(self) -> None:
        """Read them anew, where that is long ago. No page waits long for it: Bimp's address may be slow."""
        if time.monotonic() - self._read_at >= _FOR and not self._reading.is_alive():
            self._read_at = time.monotonic()
            self._reading = threading.Thread(target=self._read, name="names", daemon=True)
            self._reading.start()
            self._reading.join(_PATIENCE)

    def _read(self) -> None:
        try:
            self._integrations = read_integrations(configuration.load()).integrations.in_force
        except ConfigurationError:
            return

    @property
    def integrations(self) -> Mapping[str, Integration]:
        """Those in force; none where the configuration cannot be read."""
        return self._integrations

    def shop(self, integration: str) -> str:
        found = self._integrations.get(integration)
        return found.name if found else integration

    def cashier(self, integration: str, cashier: str) -> str:
        shop = self._integrations.get(integration)
        found = shop.cashiers.get(cashier) if shop else None
        return found.name if found else cashier
