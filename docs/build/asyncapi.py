"""The AsyncAPI 3.0 document: who publishes what, where, for developers of Bimp's side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from worker import __version__
from worker.rabbit.headers import Header
from worker.rabbit.message.kinds import ID_PATTERN
from worker.rabbit.topology import (
    CLOUD_EVENT,
    DEAD_LETTERS,
    DEFAULT_BINDING,
    EVENTS_EXCHANGE,
    EVENTS_QUEUE,
    ORDERS_EXCHANGE,
)

_JSON_SCHEMA = "application/schema+json;version=draft-2020-12"
_BINDING = "0.3.0"
_EXAMPLES = Path(__file__).parents[1] / "examples"
_QUEUE = "fiscalize"
_TEXT = {"type": "string", "maxLength": 256}
_COUNT = {"type": "integer", "minimum": 0}

_EVENTS = {
    "fiscalizationSucceeded": ("succeeded", "The receipt has a fiscal number, never before. Final."),
    "fiscalizationFailed": (
        "failed",
        "The worker has given up; data.code says why. A replay may still succeed.",
    ),
    "fiscalizationDelayed": ("delayed", "Rescheduled after a fault; at most one for each request."),
}
#: Routing keys and summaries.
_NOTICES = {
    "integrationChecked": ("integration.checked", "An integration was checked against Checkbox."),
    "shiftClosed": ("shift.closed", "A shift of a configured cashier or register was seen closed."),
    "shiftReconciled": ("shift.reconciled", "A closed shift was held against the journal."),
}
#: The rule for whoever reads them.
_DEDUPLICATED = "May come twice, after a crash: ignore an event whose id was seen before."
_ORDERS = (
    "valid/one_line_card",
    "valid/cash_with_change",
    "valid/return_of_one_line_card",
    "prepayment/1.advance",
    "prepayment/3.rest",
    "prepayment/4.return",
)
_LETTER_HEADERS = {
    Header.CODE.value: _TEXT,
    Header.DETAIL.value: {"type": "string", "maxLength": 8192, "contentMediaType": "application/json"},
    Header.ORDER.value: _TEXT,
    Header.DOC_NUMBER.value: _TEXT,
    Header.INTEGRATION.value: _TEXT,
    Header.CASHIER.value: _TEXT,
    Header.REQUEST.value: _TEXT,
    Header.ATTEMPTS.value: _COUNT,
    Header.FIRST_SEEN.value: {**_TEXT, "format": "date-time"},
    Header.FAILED_AT.value: {**_TEXT, "format": "date-time"},
    Header.REPLAYS.value: _COUNT,
}


def document() -> dict[str, Any]:
    """The whole document, with the schemas referred to as files beside it."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Fiscal worker",
            "version": __version__,
            "description": "Orders of Bimp become fiscal receipts of Checkbox: exactly one for each order.",
        },
        "defaultContentType": CLOUD_EVENT,
        "servers": {"rabbitmq": _server()},
        "channels": _channels(),
        "operations": _operations(),
        "components": {"messages": _messages()},
    }


def _server() -> dict[str, Any]:
    return {
        "host": "{host}:{port}",
        "protocol": "amqp",
        "protocolVersion": "0.9.1",
        "description": "The RabbitMQ of FISCAL_RABBITMQ_URL; amqps where it is not on the same machine.",
        "variables": {"host": {"default": "127.0.0.1"}, "port": {"default": "5672"}},
    }


def _channels() -> dict[str, Any]:
    return {
        "orders": {
            "address": "order.ready_to_fiscalize.{integration}.{cashier}",
            "description": "Bimp publishes here: persistent, mandatory, confirmed, without expiration.",
            "parameters": {
                "integration": {"description": f"data.integration, {ID_PATTERN}"},
                "cashier": {"description": f"data.cashier, {ID_PATTERN}"},
            },
            "messages": _refs("orderReadyToFiscalize"),
            "bindings": _exchange(ORDERS_EXCHANGE),
        },
        "fiscalize": {
            "address": _QUEUE,
            "description": f"Bound to {ORDERS_EXCHANGE} with {DEFAULT_BINDING}; the worker consumes it.",
            "messages": _refs("orderReadyToFiscalize"),
            "bindings": _queue(_QUEUE),
        },
        "events": {
            "address": "fiscalization.{outcome}",
            "description": "The worker publishes here what came of each request.",
            "parameters": {"outcome": {"enum": ["succeeded", "failed", "delayed"]}},
            "messages": _refs(*_EVENTS),
            "bindings": _exchange(EVENTS_EXCHANGE),
        },
        "bimpEvents": {
            "address": EVENTS_QUEUE,
            "description": f"Bound to {EVENTS_EXCHANGE} with fiscalization.#; Bimp consumes it.",
            "messages": _refs(*_EVENTS),
            "bindings": _queue(EVENTS_QUEUE),
        },
        "notices": {
            "address": "{notice}",
            "description": "For whoever binds a queue of their own; a notice that nobody wants is dropped.",
            "parameters": {"notice": {"enum": [key for key, _ in _NOTICES.values()]}},
            "messages": _refs(*_NOTICES),
            "bindings": _exchange(EVENTS_EXCHANGE),
        },
        "deadLetters": {
            "address": DEAD_LETTERS,
            "description": "Messages that wait for a person. Nothing in it expires.",
            "messages": _refs("deadLetter"),
            "bindings": _queue(DEAD_LETTERS),
        },
    }


def _operations() -> dict[str, Any]:
    return {
        "receiveOrder": {
            **_operation("receive", "orders", "orderReadyToFiscalize"),
            "description": f"Through the queue {_QUEUE}, bound with {DEFAULT_BINDING}.",
            "bindings": {"amqp": {"ack": True, "bindingVersion": _BINDING}},
        },
        "sendOutcome": {
            **_operation("send", "events", *_EVENTS),
            "description": f"Bimp reads them from the queue {EVENTS_QUEUE}. {_DEDUPLICATED}",
            "bindings": _published(mandatory=True),
        },
        "sendNotice": {
            **_operation("send", "notices", *_NOTICES),
            "description": "Bind a queue of your own with the routing keys that you want.",
            "bindings": _published(mandatory=False),
        },
        "sendDeadLetter": {
            **_operation("send", "deadLetters", "deadLetter"),
            "bindings": _published(mandatory=True),
        },
    }


def _operation(action: str, channel: str, *messages: str) -> dict[str, Any]:
    references = [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages]
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "messages": references}


def _published(*, mandatory: bool) -> dict[str, Any]:
    return {"amqp": {"deliveryMode": 2, "mandatory": mandatory, "bindingVersion": _BINDING}}


def _messages() -> dict[str, Any]:
    orders = [_EXAMPLES / f"{name}.json" for name in _ORDERS]
    events = {
        name: _message(
            f"fiscalization_{outcome}",
            summary,
            sorted((_EXAMPLES / "events").glob(f"{outcome}*.json")),
            description=_DEDUPLICATED,
            correlationId={"location": "$message.payload#/data/requestId"},
        )
        for name, (outcome, summary) in _EVENTS.items()
    }
    return {
        "orderReadyToFiscalize": _message(
            "order_ready_to_fiscalize",
            "An order, or a return, to fiscalize.",
            orders,
            description="Publish it again where the broker did not confirm it: it stays one receipt.",
            correlationId={"location": "$message.payload#/id"},
        ),
        **events,
        **{
            name: _message(
                key.replace(".", "_"),
                summary,
                [_EXAMPLES / "notices" / f"{key}.json"],
                description="May come twice, after a takeover: ignore a notice whose id was seen before.",
            )
            for name, (key, summary) in _NOTICES.items()
        },
        "deadLetter": {
            "summary": "The original message, byte for byte. Headers without a value are left out.",
            "headers": {"type": "object", "properties": _LETTER_HEADERS, "required": [Header.CODE.value]},
            "payload": {"description": "Any bytes, also if they are not JSON."},
        },
    }


def _message(file: str, summary: str, examples: Sequence[Path], **others: Any) -> dict[str, Any]:
    return {
        "summary": summary,
        **others,
        "contentType": CLOUD_EVENT,
        "payload": {"schemaFormat": _JSON_SCHEMA, "schema": {"$ref": f"./schemas/{file}.json"}},
        "examples": [{"name": path.stem, "payload": json.loads(path.read_bytes())} for path in examples],
    }


def _refs(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/messages/{name}"} for name in names}


def _exchange(name: str) -> dict[str, Any]:
    exchange = {"name": name, "type": "topic", "durable": True, "autoDelete": False}
    return {"amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": _BINDING}}


def _queue(name: str) -> dict[str, Any]:
    queue = {"name": name, "durable": True, "exclusive": False, "autoDelete": False}
    return {"amqp": {"is": "queue", "queue": queue, "bindingVersion": _BINDING}}
