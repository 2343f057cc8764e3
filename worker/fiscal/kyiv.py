"""The zone in which days are counted: labels, rates and shifts go by the day in Kyiv."""

from __future__ import annotations

from zoneinfo import ZoneInfo

KYIV = ZoneInfo("Europe/Kyiv")
