"""The document of the sandbox tells what there is."""

from __future__ import annotations

from pathlib import Path

from starlette.routing import Route

from docs.build.sandbox_table import endpoints_table
from tests.sandbox.driver import DOCUMENT, Checkbox
from worker.sandbox.control import control_routes

FILE = Path(__file__).parents[2] / "docs" / "sandbox.md"


def test_the_table_of_endpoints_has_all_of_them() -> None:
    """A row for each operation of Checkbox's document."""
    assert endpoints_table().count("\n") == len(DOCUMENT.operations) + 2


def test_every_control_request_is_described() -> None:
    """Whatever may be asked under /sandbox stands in the document."""
    text = FILE.read_text("utf-8")
    for route in control_routes(Checkbox().state, lambda _: None):
        assert isinstance(route, Route)
        assert route.path.replace("{receipt_id}", "{id}") in text
