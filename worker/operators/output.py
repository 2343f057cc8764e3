"""What commands print: results on stdout, everything said about them on stderr.

With ``--json`` stdout carries JSON lines and nothing else. Colours follow the terminal and ``NO_COLOR``.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text


def json_line(value: Mapping[str, Any]) -> None:
    """One JSON object on a line of stdout."""
    sys.stdout.write(json_text(value) + "\n")


def json_text(value: Any) -> str:
    """JSON on one line, with escapes for what steers a terminal, ends a line or is half a character."""
    line = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return line if line.isprintable() else "".join(map(_escaped, line))


def _escaped(character: str) -> str:
    is_shown = character.isprintable() or unicodedata.category(character) == "Zs"
    return character if is_shown else json.dumps(character)[1:-1]


def note(text: str) -> None:
    """A sentence for the person at the terminal, on stderr."""
    sys.stderr.write(printable(text) + "\n")
    sys.stderr.flush()


def printable(text: str) -> str:
    """Without characters that steer a terminal: messages come from elsewhere."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of fixed width, in terminal cells, so that rows can be printed as they come."""

    title: str
    width: int
    style: str = ""


class Table:
    """Rows that are printed at once. Cells are cut to their width on a terminal, and whole anywhere else."""

    def __init__(self, *columns: Column) -> None:
        self._columns = columns
        self._console = Console()
        self._began = False

    def row(self, *cells: object) -> None:
        if not self._began:
            self._began = True
            self._print([column.title for column in self._columns], header=True)
        self._print(["" if cell is None else str(cell) for cell in cells])

    def _print(self, cells: Sequence[str], *, header: bool = False) -> None:
        if not self._console.is_terminal:
            padded = map(_padded, cells, [column.width for column in self._columns])
            sys.stdout.write("  ".join(padded).rstrip() + "\n")
            return
        line = Text(no_wrap=True, overflow="ellipsis")
        for cell, column in zip(cells, self._columns, strict=True):
            style = "bold" if header else column.style
            line.append(set_cell_size(_one_line(cell), column.width) + "  ", style)
        self._console.print(line, crop=True, highlight=False)


def _padded(text: str, width: int) -> str:
    line = _one_line(text)
    return line + " " * max(0, width - cell_len(line))


def _one_line(text: str) -> str:
    return printable(text).replace("\n", " ").replace("\t", " ")


class Bar:
    """A progress bar under way."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def at(self, completed: int) -> None:
        self._progress.update(self._task, completed=completed)


@contextmanager
def progress(label: str, total: int, *, shown: bool = True) -> Iterator[Bar]:
    """A bar on stderr, where that is a terminal."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        redirect_stdout=sys.stdout.isatty(),
        disable=not (shown and console.is_terminal),
    )
    with bar:
        yield Bar(bar, bar.add_task(label, total=total))
