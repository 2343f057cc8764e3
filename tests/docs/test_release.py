"""A release needs its section of the changelog."""

from __future__ import annotations

import pytest

from docs.build.release import section

CHANGELOG = """# Changelog

## [Unreleased]

- not yet

## [0.2.0] - 2026-11-26

- a change

## [0.1.0] - 2026-10-01

- the first
"""


def test_the_section_of_a_version_is_taken() -> None:
    """Up to the next one, or to the end."""
    assert section(CHANGELOG, "0.2.0") == "## [0.2.0] - 2026-11-26\n\n- a change\n"
    assert section(CHANGELOG, "0.1.0").endswith("- the first\n")


def test_a_version_without_a_section_is_not_released() -> None:
    """0.2 is not 0.2.0, and dots are dots."""
    for version in ("0.3.0", "0.2", "0x2.0"):
        with pytest.raises(LookupError, match="Unreleased"):
            section(CHANGELOG, version)
