"""Points in time, in seconds since the epoch."""

from __future__ import annotations

from datetime import UTC, datetime

#: Seconds.
DAY = 86400.0


def rfc3339(seconds: float) -> str:
    """An instant as text: UTC, whole seconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
