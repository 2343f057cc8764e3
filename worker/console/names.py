"""What shops and cashiers are called, from the configuration."""

from __future__ import annotations

import time
from collections.abc import Mapping

from config import integrations as integrations_file
from config import settings as configuration
from config.errors import ConfigurationError
from worker.fiscal.integrations import Integration

#: Seconds for which the file is not read again.
_FOR = 5.0


class Names:
    """An id stands for itself where the configuration has no name, or cannot be read."""

    def __init__(self) -> None:
        self._read_at = -_FOR
        self._integrations: Mapping[str, Integration] = {}

    def refresh(self) -> None:
        """Read them anew, where that is long ago."""
        if time.monotonic() - self._read_at < _FOR:
            return
        self._read_at = time.monotonic()
        try:
            settings = configuration.load()
            self._integrations = integrations_file.load(
                settings.integrations_file, settings.checkbox_url, configuration.environment()
            ).integrations
        except ConfigurationError:
            return

    def shop(self, integration: str) -> str:
        found = self._integrations.get(integration)
        return found.name if found else integration

    def cashier(self, integration: str, cashier: str) -> str:
        shop = self._integrations.get(integration)
        found = shop.cashiers.get(cashier) if shop else None
        return found.name if found else cashier
