"""The events are those of the contract's examples, member for member."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from worker.fiscal.order import Operation
from worker.fiscal.outcomes import Code
from worker.fiscal.sentences import Outcome, failed
from worker.rabbit.event_models import Delayed, Event, Failed, Succeeded
from worker.rabbit.events import event_id
from worker.rabbit.message.reading import RequestIdentity

RETURNED = "failed.returned_before"
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "events"
MODELS: list[tuple[str, type[Event]]] = [("succeeded", Succeeded), ("failed", Failed), ("delayed", Delayed)]


def example(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_bytes())
    return document


@pytest.mark.parametrize(("name", "model"), [*MODELS, (RETURNED, Failed)])
def test_an_event_has_the_members_of_its_example(name: str, model: type[Event]) -> None:
    """No member more, none less, none of another name."""
    event = model.model_validate(example(name))
    assert json.loads(event.body()) == example(name)
    outcome = name.partition(".")[0]
    assert (event.outcome, event.routing_key) == (Outcome(outcome), f"fiscalization.{outcome}")


def test_the_sentences_are_those_of_the_examples() -> None:
    """People have read these."""
    for name in ("failed", RETURNED):
        data = example(name)["data"]
        operation = Operation(data["operation"])
        assert failed(Code(data["code"]), operation, data["detail"], data["receiptMade"]) == data["message"]


def test_a_body_is_compact_utf_8() -> None:
    """Ukrainian is not escaped, and no space is spent."""
    body = Succeeded.model_validate(example("succeeded")).body()
    assert "Замовлення фіскалізовано".encode() in body
    assert b'","' in body
    assert b'": ' not in body


def test_what_cannot_be_told_is_null_and_the_subject_left_out() -> None:
    """An invalid message may tell no more than its id."""
    document = example("failed")
    untold = ("requestSource", "integration", "cashier", "operation")
    document["data"] |= dict.fromkeys(untold) | {"order": {"uuid": None, "docNumber": None}}
    del document["subject"]
    assert json.loads(Failed.model_validate(document).body()) == document


def test_half_a_character_in_a_partners_words_keeps_no_event_back() -> None:
    """UTF-8 cannot carry it; a question mark stands for it."""
    document = example("failed")
    document["data"]["detail"] = {"words": "a\ud83d"}
    assert json.loads(Failed.model_validate(document).body())["data"]["detail"] == {"words": "a?"}


def test_success_without_a_fiscal_number_is_no_event() -> None:
    """Never before: not even by mistake."""
    document = example("succeeded")
    for number in ("", None):
        document["data"]["receipt"]["fiscalCode"] = number
        with pytest.raises(ValidationError):
            Succeeded.model_validate(document)


def test_an_id_is_the_same_for_the_same_outcome_of_the_same_request_and_replay() -> None:
    """Published twice after a crash, an event can be told to be one; after a replay it is another."""
    known = RequestIdentity(request_id="request-1", source="/companies/000001398")
    first = event_id(known, Outcome.FAILED, 0)
    assert first == event_id(known, Outcome.FAILED, 0)
    others = {
        event_id(known, Outcome.SUCCEEDED, 0),
        event_id(known, Outcome.DELAYED, 0),
        event_id(known, Outcome.FAILED, 1),
        event_id(RequestIdentity(request_id="request-1", source="/companies/2"), Outcome.FAILED, 0),
        event_id(RequestIdentity(request_id="request-1"), Outcome.FAILED, 0),
        event_id(RequestIdentity(request_id="request-1", source="null"), Outcome.FAILED, 0),
    }
    assert len(others | {first}) == 7


def test_source_and_id_never_run_together() -> None:
    """Where one ends and the other begins counts."""
    assert event_id(RequestIdentity(request_id="b/c", source="a"), Outcome.FAILED, 0) != event_id(
        RequestIdentity(request_id="c", source="a/b"), Outcome.FAILED, 0
    )
