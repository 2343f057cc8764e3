"""The one way in which a wrong configuration is told."""

from __future__ import annotations


class ConfigurationError(Exception):
    """The configuration cannot be used; each line names a place, what is wrong and what is allowed.

    No line holds a secret value.
    """

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines
