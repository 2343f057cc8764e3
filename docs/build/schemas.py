"""The contract in machine-readable form: JSON Schemas and an AsyncAPI document, generated from the models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from docs.build.asyncapi import document
from docs.build.integrations_schema import integrations_schema
from worker.rabbit.event_models import Delayed, Event, Failed, Succeeded
from worker.rabbit.message.models import WireMessage
from worker.rabbit.notices import IntegrationChecked
from worker.rabbit.shift_notices import ShiftClosed, ShiftReconciled

DOCS = Path(__file__).resolve().parents[2] / "docs"

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_MODELS: Mapping[str, tuple[type[BaseModel], Literal["validation", "serialization"]]] = {
    "order_ready_to_fiscalize": (WireMessage, "validation"),
    "fiscalization_succeeded": (Succeeded, "serialization"),
    "fiscalization_failed": (Failed, "serialization"),
    "fiscalization_delayed": (Delayed, "serialization"),
    "integration_checked": (IntegrationChecked, "serialization"),
    "shift_closed": (ShiftClosed, "serialization"),
    "shift_reconciled": (ShiftReconciled, "serialization"),
}


#: Members of the event of a prepayment alone.
_OF_PREPAYMENTS = frozenset({"receipts", "prepayment"})


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of a message or an event."""
    model, mode = _MODELS[name]
    generated = {"$schema": _DIALECT, **_without_titles(model.model_json_schema(by_alias=True, mode=mode))}
    if issubclass(model, Event):
        # What an event leaves out; all other members are there, null where they cannot be told.
        generated["required"].remove("subject")
        of_success = generated["$defs"].get("SucceededData", {}).get("required", [])
        for name in _OF_PREPAYMENTS & set(of_success):
            of_success.remove(name)
        generated["properties"]["subject"] = _only_text(generated["properties"]["subject"])
    return generated


def _without_titles(value: Any) -> Any:
    """pydantic makes a title of every name, which says nothing."""
    if isinstance(value, list):
        return [_without_titles(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _without_titles(item) for key, item in value.items() if key != "title"}


def _only_text(nullable: Mapping[str, Any]) -> dict[str, Any]:
    text = next(option for option in nullable["anyOf"] if option["type"] == "string")
    return {"description": nullable["description"], **text}


def files() -> dict[Path, str]:
    """Every generated file, by its path under ``docs``."""
    written = {Path("schemas") / f"{name}.json": schema(name) for name in _MODELS}
    written[Path("schemas") / "integrations_document.json"] = integrations_schema()
    written[Path("asyncapi.json")] = document()
    return {path: json.dumps(value, ensure_ascii=False, indent=2) + "\n" for path, value in written.items()}
