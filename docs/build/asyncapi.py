"""The AsyncAPI 3.0 document: who publishes what, where, for whoever writes Bimp's side."""

from __future__ import annotations

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
_QUEUE = "fiscalize"
_TEXT = {"type": "string", "maxLength": 256}
_COUNT = {"type": "integer", "minimum": 0}

_EVENTS = {
    "fiscalizationSucceeded": ("fiscalization_succeeded", "The receipt has a fiscal number. Never before."),
    "fiscalizationFailed": ("fiscalization_failed", "The worker has given up; data.code says why."),
    "fiscalizationDelayed": (
        "fiscalization_delayed",
        "Rescheduled after a fault; at most one for each request.",
    ),
}
_NOTICES = {
    "integrationChecked": ("integration_checked", "An integration was checked against Checkbox."),
}
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
        "channels": _channels(),
        "operations": _operations(),
        "components": {"messages": _messages()},
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
        "integrationChecks": {
            "address": "integration.checked",
            "description": "For whoever binds a queue of their own; a notice that nobody wants is dropped.",
            "messages": _refs("integrationChecked"),
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
    published = {"amqp": {"deliveryMode": 2, "mandatory": True, "bindingVersion": _BINDING}}
    return {
        "receiveOrder": {
            "action": "receive",
            "channel": _channel("fiscalize"),
            "messages": [_message_of("fiscalize", "orderReadyToFiscalize")],
            "bindings": {"amqp": {"ack": True, "bindingVersion": _BINDING}},
        },
        **{
            f"send{name[0].upper()}{name[1:]}": {
                "action": "send",
                "channel": _channel("events"),
                "messages": [_message_of("events", name)],
                "bindings": published,
            }
            for name in _EVENTS
        },
        "sendIntegrationChecked": {
            "action": "send",
            "channel": _channel("integrationChecks"),
            "messages": [_message_of("integrationChecks", "integrationChecked")],
            "bindings": {"amqp": {"deliveryMode": 2, "mandatory": False, "bindingVersion": _BINDING}},
        },
        "sendDeadLetter": {
            "action": "send",
            "channel": _channel("deadLetters"),
            "messages": [_message_of("deadLetters", "deadLetter")],
            "bindings": published,
        },
    }


def _messages() -> dict[str, Any]:
    events = {name: _message(file, summary) for name, (file, summary) in (_EVENTS | _NOTICES).items()}
    return {
        "orderReadyToFiscalize": _message("order_ready_to_fiscalize", "An order, or a return, to fiscalize."),
        **events,
        "deadLetter": {
            "summary": "The original message, byte for byte. Headers that cannot be told are left out.",
            "headers": {"type": "object", "properties": _LETTER_HEADERS, "required": [Header.CODE.value]},
            "payload": {"description": "Any bytes: also those that are no JSON."},
        },
    }


def _message(file: str, summary: str) -> dict[str, Any]:
    return {
        "summary": summary,
        "contentType": CLOUD_EVENT,
        "payload": {"schemaFormat": _JSON_SCHEMA, "schema": {"$ref": f"./schemas/{file}.json"}},
    }


def _refs(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/messages/{name}"} for name in names}


def _channel(name: str) -> dict[str, str]:
    return {"$ref": f"#/channels/{name}"}


def _message_of(channel: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/channels/{channel}/messages/{name}"}


def _exchange(name: str) -> dict[str, Any]:
    exchange = {"name": name, "type": "topic", "durable": True, "autoDelete": False}
    return {"amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": _BINDING}}


def _queue(name: str) -> dict[str, Any]:
    queue = {"name": name, "durable": True, "exclusive": False, "autoDelete": False}
    return {"amqp": {"is": "queue", "queue": queue, "bindingVersion": _BINDING}}
