"""Telemetry decides nothing: a counter, a span or a log line that fails changes no order's outcome."""

from __future__ import annotations

from contextlib import suppress
from types import TracebackType

from worker.telemetry.logs import logger

_log = logger(__name__)


class Quietly:
    """Ends a block of telemetry at its first error, which is logged where that is possible."""

    __slots__ = ()

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        with suppress(Exception):  # the log itself may be what is broken
            _log.error("telemetry_failed", exc_info=error)
        return True
