"""README and documents: the commands that they name, and a clone of the project to type them in."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
_PROGRAMS = r"(?:make|fiscal-worker|python|docker|rabbitmq\w+|rabbitmq-\w+|npm|pip|pipx|git) "


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def blocks(name: str, language: str) -> list[str]:
    """The fenced blocks of a page in this language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text_of(name), re.DOTALL | re.MULTILINE)


def lines(block: str) -> list[str]:
    """Its commands, also those that go on in the next line."""
    return [line for line in block.replace("\\\n", " ").splitlines() if line]


def typed(name: str) -> list[str]:
    """Each command of the page's fenced blocks."""
    return [line for block in blocks(name, "sh") for line in lines(block)]


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


def mentioned(name: str) -> list[str]:
    """Commands that stand in its sentences and tables."""
    return [span for span in re.findall(r"`([^`\n]+)`", prose(ROOT / name)) if re.match(_PROGRAMS, span)]


@dataclass(frozen=True)
class Clone:
    """A clone of the project as somebody has it who begins, with an empty home."""

    folder: Path
    environment: dict[str, str]

    def type(self, script: str, timeout: float = 200) -> subprocess.CompletedProcess[str]:
        """As in a terminal in its folder."""
        return subprocess.run(
            ["bash", "-euc", script],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )


def clone(folder: Path) -> Clone:
    """What git knows of the project, as it is now.

    `make install` finds its work done: the packages are those of this checkout.
    """
    known = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(known, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    _install(folder)
    home = folder.parent / "home"
    home.mkdir()
    return Clone(folder, {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"})


def _install(folder: Path) -> None:
    venv = folder / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    (packages,) = venv.glob("lib/python*/site-packages")
    ours = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "clone.pth").write_text("\n".join([str(folder), *ours]) + "\n")
    program = venv / "bin" / "fiscal-worker"
    program.write_text(f"#!{venv}/bin/python\nfrom worker.cli import main\nmain()\n")
    program.chmod(0o755)
    (venv / ".installed").touch()
