"""`validate` finds before anything is sent what the worker would refuse without asking Checkbox."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer import Typer
from typer.testing import CliRunner

from tests.builders import LEFT_OUT, a_body, a_message
from tests.system.shop import CONTRACT
from worker.cli.validate import validate
from worker.rabbit.message.reading import InvalidMessage, read

EXAMPLES = sorted(CONTRACT.glob("*valid/*.json"))
#: Only Checkbox can tell.
NEEDS_CHECKBOX = ("RETURN_WITHOUT_SALE",)
#: Only the integrations can tell.
NEEDS_INTEGRATIONS = ("UNKNOWN_INTEGRATION", "UNKNOWN_CASHIER", "TAX_RATE_NOT_MAPPED")


def ask(
    *arguments: str, stdin: bytes = b"", integrations: Path | None = CONTRACT / "integrations.yaml"
) -> Result:
    app = Typer()
    app.command()(validate)
    environment = {"FISCAL_INTEGRATIONS_FILE": str(integrations or "missing.yaml")}
    return CliRunner().invoke(app, arguments, input=stdin, env=environment)


def lines(*arguments: str, **options: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ask("--json", *arguments, **options).stdout.splitlines()]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_each_example_ends_as_its_name_says(path: Path) -> None:
    """As far as Checkbox has no say; path and problem are those of the event."""
    code = path.name.split(".")[0]
    accepted = path.parent.name == "valid" or code in NEEDS_CHECKBOX
    result = ask("--json", str(path))
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == (0 if accepted else 1)
    assert {line["code"] for line in found} == {None if accepted else code}
    assert {line["ok"] for line in found} == {accepted}
    if code == "INVALID_MESSAGE":
        with pytest.raises(InvalidMessage) as invalid:
            read(path.read_bytes())
        assert [line["path"] for line in found] == [error["path"] for error in invalid.value.errors]


@pytest.mark.parametrize(
    ("missing", "instead", "pointer"),
    [
        ("data__order__docNumber", "data__order__doc_number", "/data/order/doc_number"),
        (
            "data__order__products__0__amount",
            "data__order__products__0__Amount",
            "/data/order/products/0/Amount",
        ),
        ("data__integration", "data__integraton", "/data/integraton"),
        ("data__payments", "data__payment~s", "/data/payment~0s"),
    ],
)
def test_a_member_that_was_probably_meant_is_named(missing: str, instead: str, pointer: str) -> None:
    """Beside the one that is missing, named almost so."""
    (found,) = lines("-", stdin=a_body(**{missing: LEFT_OUT, instead: "1"}))
    assert found["problem"] == "is missing"
    assert found["didYouMean"] == pointer


def test_a_member_of_another_meaning_is_not_suggested() -> None:
    """`code` is a member of its own, and no spelling of `cost`."""
    (found,) = lines("-", stdin=a_body(data__order__products__0__cost=LEFT_OUT, data__order__date2="x"))
    assert "didYouMean" not in found


def test_a_message_without_an_id_is_explained() -> None:
    """Bimp would wait for its event in vain."""
    (found,) = lines("-", stdin=a_body(id=LEFT_OUT, ID="request-1"))
    assert found["path"] == "/id"
    assert "no event answers" in found["problem"]
    assert found["didYouMean"] == "/ID"


def test_all_files_are_looked_at(tmp_path: Path) -> None:
    """One line for each problem, one for each sound message; people read sentences."""
    file = tmp_path / "orders.jsonl"
    broken = a_message(data__order__archived=True)
    file.write_text("\n".join(json.dumps(message) for message in (a_message(), broken)))
    result = ask(str(file))
    assert result.exit_code == 1
    first, second = result.stdout.splitlines()
    assert first == f"{file}:1: accepted"
    assert second.startswith(f"{file}:2: ORDER_ARCHIVED: ")


def test_a_file_that_cannot_be_read_is_another_exit_code() -> None:
    """A script must not take it for a refused message."""
    assert ask("missing.json").exit_code == 2


def test_without_integrations_the_message_alone_is_checked() -> None:
    """And the command says what it did not look at."""
    result = ask("-", stdin=a_body(data__integration="nobody"), integrations=None)
    assert result.exit_code == 0
    assert "were not looked at: missing.yaml" in result.stderr
    assert ask("-", stdin=a_body(data__integration="nobody")).exit_code == 1


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_without_integrations_each_example_ends_as_far_as_its_message_decides(path: Path) -> None:
    """Currency, sums and the flag of the archive need no integration."""
    code = path.name.split(".")[0]
    accepted = path.parent.name == "valid" or code in NEEDS_CHECKBOX + NEEDS_INTEGRATIONS
    result = ask("--json", str(path), integrations=None)
    found = {json.loads(line)["code"] for line in result.stdout.splitlines()}
    assert found == {None if accepted else code}
    assert result.exit_code == (0 if accepted else 1)


@pytest.mark.parametrize(
    ("paid", "accepted"), [("270.24", True), ("270.20", True), ("270.00", True), ("269.00", False)]
)
def test_without_integrations_cash_may_be_rounded(paid: str, accepted: bool) -> None:
    """In any of the ways that an integration may have."""
    message = {
        "data__order__total": "270.24",
        "data__order__products__0__amount": "270.24",
        "data__order__products__0__discount": "29.76",
        "data__payments": [{"form": "CASH", "amount": paid}],
    }
    (found,) = lines("-", stdin=a_body(**message), integrations=None)
    assert found["code"] == (None if accepted else "TOTALS_MISMATCH")
