"""axe-core, which finds what keeps people from using a page: it comes by the lock in ``axe/``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.console.chromium import Browser

SCRIPT = Path(__file__).parent / "axe" / "node_modules" / "axe-core" / "axe.min.js"


def violations(browser: Browser) -> list[dict[str, Any]]:
    """Each with the elements that it concerns; the rules of WCAG 2.2 AA and best practices."""
    browser.driver.execute_script(SCRIPT.read_text("utf-8"))
    found = browser.driver.execute_async_script(
        "const done = arguments[0]; axe.run(document).then(result => done(result.violations));"
    )
    return [
        {"rule": one["id"], "help": one["help"], "where": [node["html"][:120] for node in one["nodes"]]}
        for one in found
    ]
