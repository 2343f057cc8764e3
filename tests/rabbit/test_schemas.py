"""The documents for whoever writes Bimp's side are those of the code, and hold for the examples."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from config.integrations_watch import load
from docs.build.integrations_schema import integrations_schema
from docs.build.schemas import DOCS, files, schema
from tests.builders import LEFT_OUT, a_body, a_message
from worker.rabbit.message.reading import InvalidMessage, read

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
#: A rule that binds two members together, which no JSON Schema can say.
_BEYOND_A_SCHEMA = {"subject_of_another_order"}


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(schema(name), format_checker=Draft202012Validator.FORMAT_CHECKER)


MESSAGE = validator("order_ready_to_fiscalize")
INTEGRATIONS = Draft202012Validator(integrations_schema())


@pytest.mark.parametrize("path", [path for path in files() if path.parent.name == "schemas"], ids=str)
def test_every_schema_is_a_schema(path: Path) -> None:
    """By the dialect that it names."""
    Draft202012Validator.check_schema(json.loads(files()[path]))


@pytest.mark.parametrize("path", sorted((EXAMPLES / "valid").iterdir()), ids=lambda path: path.stem)
def test_every_valid_example_passes_the_schema(path: Path) -> None:
    """What is fiscalized is valid."""
    MESSAGE.validate(json.loads(path.read_bytes()))


@pytest.mark.parametrize("path", sorted((EXAMPLES / "invalid").iterdir()), ids=lambda path: path.stem)
def test_an_invalid_example_passes_the_schema_only_where_it_can_be_read(path: Path) -> None:
    """Other codes than INVALID_MESSAGE are verdicts on valid messages; what is no JSON has no schema."""
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        assert path.name.startswith("INVALID_MESSAGE")
        return
    code, case, _ = path.name.split(".")
    is_valid = code != "INVALID_MESSAGE" or case in _BEYOND_A_SCHEMA
    assert MESSAGE.is_valid(document) == is_valid


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"data__order__total": 270},
        {"data__order__total": "270.000"},
        {"data__order__total": "-1"},
        {"data__order__total": "0.00"},
        {"data__order__total": 0},
        {"data__order__total": "270.001"},
        {"data__order__total": "1e3"},
        {"data__order__total": "1000000000"},
        {"data__order__discount": "-0.00"},
        {"data__order__discount": "-0.01"},
        {"data__order__discount": None},
        {"data__order__products__0__count": "0.0010"},
        {"data__order__products__0__count": "0.0005"},
        {"data__order__products__0__vat": None},
        {"data__order__products__0__vat": {}},
        {"data__order__products__0__vat": {"notAccountable": True}},
        {"data__order__products__0__vat": {"percentRate": 100}},
        {"data__order__products__0__vat": {"percentRate": 101}},
        {"data__order__products__0__vat": LEFT_OUT},
        {"data__operation": None},
        {"data__operation": "RETURN"},
        {"data__operation": "RETURN", "data__returnOf": {}},
        {
            "data__operation": "RETURN",
            "data__returnOf": {"orderUuid": "79052a2b-83b6-5dc7-8201-2c1da846d020"},
        },
        {
            "data__operation": "RETURN",
            "data__returnOf": {"receiptId": "0" * 8 + "-0000-0000-0000-" + "0" * 12},
        },
        {"data__paymentUuid": "FFFFFFFF-ffff-FFFF-ffff-FFFFFFFFFFFF"},
        {"data__paymentUuid": "5d0e8a52-6a0c-4a0e-9a35-0b6a3b0f1c01"},
        {"data__sellAgain": True},
        {"data__sellAgain": 1},
        {"data__order__docNumber": " \t"},
        {"data__order__docNumber": " \t1"},
        {"data__order__products__0__code": "\x00"},
        {"data__order__products__0__name": "\u00a0"},
        {"data__order__products__0__eExciseBarcodes": ["0A1B"]},
        {"data__order__products__0__eExciseBarcodes": "0A1B"},
        {"data__order__date": "2026-11-24T10:15:00"},
        {"data__order__date": "2026-11-24"},
        {"time": "2026-11-24T10:15:00"},
        {"data__buyer": {"email": "x"}},
        {"someday": {}},
    ],
    ids=str,
)
def test_the_schema_and_the_reader_agree(changes: dict[str, Any]) -> None:
    """Whoever checks with the schema before publishing learns what the worker would say."""
    try:
        read(a_body(**changes))
        readable = True
    except InvalidMessage:
        readable = False
    assert MESSAGE.is_valid(a_message(**changes)) == readable


@pytest.mark.parametrize("path", sorted((EXAMPLES / "events").iterdir()), ids=lambda path: path.stem)
def test_every_example_of_an_event_passes_its_schema(path: Path) -> None:
    """Its own and no other's."""
    outcome = path.name.partition(".")[0]
    document = json.loads(path.read_bytes())
    for other in ("succeeded", "failed", "delayed"):
        assert validator(f"fiscalization_{other}").is_valid(document) == (other == outcome)


@pytest.mark.parametrize("path", sorted((EXAMPLES / "notices").iterdir()), ids=lambda path: path.stem)
def test_every_example_of_a_notice_passes_its_schema(path: Path) -> None:
    document = json.loads(path.read_bytes())
    validator(path.stem.replace(".", "_")).validate(document)
    assert not validator("fiscalization_failed").is_valid(document)


def test_an_event_without_subject_passes_and_one_with_null_does_not() -> None:
    """What cannot be told is null, but the subject is left out."""
    document = json.loads((EXAMPLES / "events" / "failed.json").read_bytes())
    document["subject"] = None
    assert not validator("fiscalization_failed").is_valid(document)
    del document["subject"]
    assert validator("fiscalization_failed").is_valid(document)


def asyncapi() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(files()[Path("asyncapi.json")])
    return document


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            if name == "$ref":
                yield item
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def test_the_asyncapi_document_refers_only_to_what_is_there() -> None:
    """Inside the document by pointer, to schemas by file."""
    document = asyncapi()
    for reference in references(document):
        if reference.startswith("./"):
            assert (DOCS / reference).is_file()
            continue
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
        assert place


def test_the_asyncapi_document_has_the_structure_of_version_3() -> None:
    """Operations act on channels with messages of those channels; channels name their AMQP object."""
    document = asyncapi()
    assert document["asyncapi"] == "3.0.0"
    assert set(document["info"]) >= {"title", "version"}
    for name, operation in document["operations"].items():
        assert operation["action"] in {"send", "receive"}
        channel = operation["channel"]["$ref"]
        assert all(message["$ref"].startswith(f"{channel}/messages/") for message in operation["messages"]), (
            name
        )
    for channel in document["channels"].values():
        binding = channel["bindings"]["amqp"]
        assert binding["is"] in {"queue", "routingKey"}
        assert binding["exchange" if binding["is"] == "routingKey" else "queue"]["durable"] is True


def test_the_asyncapi_document_has_the_objects_of_the_contract() -> None:
    """Exchanges, queues, routing keys and the headers of a dead letter."""
    document = asyncapi()
    addresses = {channel["address"] for channel in document["channels"].values()}
    assert addresses == {
        "order.ready_to_fiscalize.{integration}.{cashier}",
        "fiscalize",
        "fiscalization.{outcome}",
        "bimp.fiscal.events",
        "{notice}",
        "fiscalize.dead_letters",
    }
    exchanges = {
        binding["exchange"]["name"]
        for channel in document["channels"].values()
        if "exchange" in (binding := channel["bindings"]["amqp"])
    }
    assert exchanges == {"bimp.orders", "bimp.fiscal"}
    headers = document["components"]["messages"]["deadLetter"]["headers"]["properties"]
    assert set(headers) == {
        f"x-fiscal-{name}"
        for name in (
            "code",
            "detail",
            "order",
            "docnumber",
            "integration",
            "cashier",
            "request",
            "attempts",
            "first-seen",
            "failed-at",
            "replays",
        )
    }


def test_the_documents_example_is_read_and_passes_its_schema(tmp_path: Path) -> None:
    """What the page for Bimp's developers shows is what the worker takes."""
    text = (DOCS / "integrations-document.md").read_text("utf-8")
    example = text.partition("```json\n")[2].partition("```")[0]
    INTEGRATIONS.validate(json.loads(example))
    (tmp_path / "integrations.json").write_text(example)
    version = load(tmp_path / "integrations.json", "https://api.checkbox.ua", {})
    assert (version.problems, version.warnings) == ({}, ())
    assert list(version.integrations.in_force["shop-main"].cashiers) == ["olena", "petro"]


@pytest.mark.parametrize(
    ("row", "is_valid"),
    [
        ('{"id": "a"}', True),
        ('{"id": "A"}', False),
        ('{"id": "a", "colour": "red"}', False),
        ('{"id": "a", "company": "1/2"}', False),
        ('{"id": "a", "cashiers": {}}', False),
        ('{"id": "a", "cashiers": [{"id": "b", "login": "l", "password": "p", "pin_code": null}]}', True),
        ('{"id": "a", "cashiers": [{"id": "b", "login": "l"}]}', False),
        ('{"id": "a", "cashiers": [{"id": "b", "pin_code": "1"}]}', False),
        ('{"id": "a", "tax_rates": [{"rate": 20, "code": 1}, {"rate": "7.00", "code": "2"}]}', True),
        ('{"id": "a", "tax_rates": [{"rate": 120, "code": 1}]}', False),
        ('{"id": "a", "tax_rates": [{"rate": 20}]}', False),
    ],
)
def test_schema_and_reader_agree_on_a_row(tmp_path: Path, row: str, is_valid: bool) -> None:
    """What the schema refuses is a mistake to the worker, and the reverse."""
    text = f'{{"integrations": [{row}]}}'
    (tmp_path / "integrations.json").write_text(text)
    version = load(tmp_path / "integrations.json", "https://api.checkbox.ua", {})
    assert INTEGRATIONS.is_valid(json.loads(text)) is is_valid
    assert (version.problems == {}) is is_valid
