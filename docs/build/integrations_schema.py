"""The JSON Schema of the document with integrations, for whoever writes it.

It describes what the worker reads without complaint; the worker judges each row by itself, and lists do not
say that an id may come once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from config.cashiers import KEYS as CASHIER_KEYS
from config.integrations import KEYS
from config.yaml_fields import ID_PATTERN
from worker.fiscal.integrations import CashRounding, Environment, ShiftPolicy


def _object(members: Mapping[str, Any], keys: tuple[str, ...], required: tuple[str, ...]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "properties": {key: members[key] for key in keys},
        "additionalProperties": False,
    }


def _texts(*members: str) -> dict[str, Any]:
    return {"required": list(members), "properties": {name: {"type": "string"} for name in members}}


_TEXT = {"type": ["string", "null"], "minLength": 1}
_SECRET = {
    **_TEXT,
    "description": "The secret itself. In a file also env:NAME or file:/path; from an address never.",
}
_ID = {"type": "string", "pattern": f"^{ID_PATTERN}$"}
_CASHIER: Mapping[str, Any] = {
    "id": {**_ID, "description": "data.cashier of a message; once in the integration."},
    "name": {**_TEXT, "description": "For people; the id where it is left out."},
    "employee": {"type": ["string", "null"], "format": "uuid", "description": "The employee in Bimp."},
    "login": {**_SECRET, "description": "With password; or pin_code with license_key."},
    "password": _SECRET,
    "pin_code": {**_SECRET, "description": "A text: 0123 has four digits."},
    "license_key": {
        **_SECRET,
        "pattern": "^[!-~]+$",
        "description": "The register; needed with pin_code and with shifts: auto.",
    },
}
_RATE: Mapping[str, Any] = {
    "rate": {
        "description": "The percent in Bimp, or not_accountable; once in the table.",
        "anyOf": [
            {"type": "number", "minimum": 0, "maximum": 100},
            {"type": "string", "pattern": r"^([0-9]{1,3}(\.[0-9]{1,2}0*)?|not_accountable)$"},
        ],
    },
    "code": {
        "description": "The code of the tax in Checkbox, which each organization has of its own.",
        "anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": "^[1-9][0-9]{0,8}$"}],
    },
}
_INTEGRATION: Mapping[str, Any] = {
    "id": {**_ID, "description": "data.integration of a message; once in all documents."},
    "name": {**_TEXT, "description": "For people; the id where it is left out."},
    "company": {
        "type": ["string", "null"],
        "pattern": r"^[^\s/]+$",
        "description": "The only company whose messages may use it, as in their source.",
    },
    "environment": {"enum": [*Environment, None], "default": "live"},
    "prepayments": {"type": ["boolean", "null"], "default": False},
    "checkbox_url": {
        "type": ["string", "null"],
        "description": "In a file only: overrides FISCAL_CHECKBOX_URL.",
    },
    "cash_rounding": {"enum": [*CashRounding, None], "default": "none"},
    "shifts": {
        "enum": [*ShiftPolicy, None],
        "default": "manual",
        "description": "manual: people open and close them in Checkbox; auto: the worker does.",
    },
    "rollover_after": {
        "type": ["string", "null"],
        "format": "duration",
        "default": "PT23H",
        "description": "auto only: a shift of this age is closed; from PT1H to under PT24H.",
    },
    "cashiers": {
        "type": ["array", "null"],
        "items": {
            **_object(_CASHIER, CASHIER_KEYS, ("id",)),
            "oneOf": [_texts("login", "password"), _texts("pin_code", "license_key")],
        },
    },
    "tax_rates": {
        "type": ["array", "null"],
        "items": _object(_RATE, ("rate", "code"), ("rate", "code")),
    },
}


def integrations_schema() -> dict[str, Any]:
    """Of the whole document, in draft 2020-12."""
    integration = _object(_INTEGRATION, KEYS, ("id",))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "description": "Integrations, their cashiers and tax rates. Each row is judged by itself.",
        "type": "object",
        "required": ["integrations"],
        "properties": {"integrations": {"type": "array", "items": integration}},
    }
