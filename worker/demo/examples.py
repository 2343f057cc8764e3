"""The examples of messages, each with what comes of it: docs/examples, which a wheel carries along."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from worker.rabbit.message.reading import RequestIdentity, identify

_IN_WHEEL = Path(__file__).parent / "examples"
FOLDER = _IN_WHEEL if _IN_WHEEL.is_dir() else Path(__file__).parents[2] / "docs" / "examples"
#: The integrations that the examples name.
INTEGRATIONS = FOLDER / "integrations.yaml"


@dataclass(frozen=True, slots=True)
class Example:
    """A message, and what the contract says comes of it."""

    name: str
    body: bytes
    expected: str
    #: The example whose outcome it waits for.
    after: str | None = None

    @property
    def known(self) -> RequestIdentity:
        return identify(self.body)


def examples() -> Iterator[Example]:
    """A return comes after its sale; the name of an invalid example begins with its code."""
    for path in sorted((FOLDER / "valid").glob("*.json")):
        sale = path.stem.removeprefix("return_of_")
        yield Example(path.stem, path.read_bytes(), "succeeded", sale if sale != path.stem else None)
    for path in sorted((FOLDER / "invalid").glob("*.json")):
        yield Example(path.stem, path.read_bytes(), path.name.split(".")[0])
    yield from _chain()


def _chain() -> Iterator[Example]:
    """One after the other, by their numbers; the refused one after the second."""
    paths = sorted((FOLDER / "prepayment").glob("*.json"))
    paths.sort(key=lambda path: path.name if path.name[0].isdigit() else "2.z")
    before = None
    for path in paths:
        expected = "succeeded" if path.name[0].isdigit() else path.name.split(".")[1]
        yield Example(path.stem, path.read_bytes(), expected, before)
        before = path.stem
