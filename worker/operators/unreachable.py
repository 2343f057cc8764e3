"""That the broker cannot be reached: known to every command, also to those that never speak to it."""

from __future__ import annotations


class BrokerUnreachable(Exception):
    """No connection, or it broke; what was not confirmed was not done."""
