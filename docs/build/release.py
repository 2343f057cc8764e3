"""``make release``: the wheel, the source archive, and the changelog of this version, into dist/.

A version without a section of the changelog is not released.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from worker import __version__

ROOT = Path(__file__).parents[2]
DIST = ROOT / "dist"


def section(changelog: str, version: str) -> str:
    """What the changelog says of a version. Raises ``LookupError``."""
    found = re.search(rf"^## \[{re.escape(version)}\].*?(?=^## \[|\Z)", changelog, re.MULTILINE | re.DOTALL)
    if found is None:
        raise LookupError(
            f"CHANGELOG.md has no section [{version}]: name it after what is under [Unreleased]"
        )
    return found.group().strip() + "\n"


def main() -> int:
    try:
        notes = section((ROOT / "CHANGELOG.md").read_text(), __version__)
    except LookupError as missing:
        print(missing, file=sys.stderr)  # noqa: T201
        return 1
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--directory", str(DIST)], cwd=ROOT, check=True
    )
    (DIST / f"fiscal_worker-{__version__}.md").write_text(notes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
