"""docs/asyncapi.json in the eyes of the AsyncAPI project's own parser."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

DOCS = Path(__file__).parents[2] / "docs"
CHECK = Path(__file__).parent / "asyncapi"
DOCUMENT: dict[str, Any] = json.loads((DOCS / "asyncapi.json").read_bytes())

needs_npm = pytest.mark.skipif(not (CHECK / "node_modules").exists(), reason="npm is not installed")


def parse(path: Path) -> subprocess.CompletedProcess[str]:
    command = ["node", str(CHECK / "check.mjs"), str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@needs_npm
def test_the_parser_has_no_objection() -> None:
    """With all that it refers to."""
    done = parse(DOCS / "asyncapi.json")
    assert done.returncode == 0, done.stdout


@needs_npm
def test_the_parser_would_object(tmp_path: Path) -> None:
    """To an operation on a channel that is not there."""
    broken = json.loads(json.dumps(DOCUMENT).replace("#/channels/events", "#/channels/elsewhere"))
    file = tmp_path / "asyncapi.json"
    file.write_text(json.dumps(broken))
    done = parse(file)
    assert done.returncode == 1
    assert "elsewhere" in done.stdout


@needs_npm
def test_the_page_is_the_document_of_now(tmp_path: Path) -> None:
    """`make docs` has nothing to write: each operation and message is on it, with its examples."""
    page = tmp_path / "asyncapi.md"
    command = ["node", str(CHECK / "page.mjs"), str(DOCS / "asyncapi.json"), str(page)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    text = page.read_text("utf-8")
    assert text == (DOCS / "asyncapi.md").read_text("utf-8")
    messages = DOCUMENT["components"]["messages"]
    assert all(name in text for name in (*DOCUMENT["operations"], *messages))
    examples = [one["payload"]["id"] for message in messages.values() for one in message.get("examples", ())]
    assert all(f'"id": "{identity}"' in text for identity in examples)


@pytest.mark.parametrize("name", sorted(DOCUMENT["components"]["messages"].keys() - {"deadLetter"}))
def test_examples_fit_their_schema(name: str) -> None:
    """Each message has at least one."""
    message = DOCUMENT["components"]["messages"][name]
    schema = json.loads((DOCS / message["payload"]["schema"]["$ref"]).read_bytes())
    assert message["examples"]
    for example in message["examples"]:
        jsonschema.validate(example["payload"], schema)
