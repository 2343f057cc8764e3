"""Every assumption has another side, so that the worker can be tested with it."""

from __future__ import annotations

from dataclasses import fields

from tests.sandbox.assumptions import OTHER_SIDES
from worker.sandbox.options import Options

#: These are no assumptions, but the sandbox's pace.
PACE = {
    "done_after", "open_after", "close_after", "latency", "throttle", "rate", "pause",
    "webhook_timeout", "webhook_retry_first", "webhook_retry_longest", "webhook_retry_for",
}  # fmt: skip


def test_every_assumption_has_another_side() -> None:
    """Each fits its option, and is not the default."""
    assert set(OTHER_SIDES) == {field.name for field in fields(Options)} - PACE
    default = Options()
    for name, values in OTHER_SIDES.items():
        assert values
        for value in values:
            assert getattr(default.with_changes({name: value}), name) == value != getattr(default, name)
