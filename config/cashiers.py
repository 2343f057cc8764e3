"""The cashier rows of an integration: how each signs in, and which register is his."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

from pydantic import SecretStr

from config.secret_references import Secrets
from config.values import shown
from config.yaml_fields import Fields
from worker.fiscal.integrations import Cashier, ShiftPolicy

KEYS = ("id", "name", "employee", "login", "password", "pin_code", "license_key")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def read_cashier(fields: Fields, shifts: ShiftPolicy, secrets: Secrets) -> Cashier:
    """The cashier; what is wrong is noted in ``fields``."""
    _check_sign_in(fields)
    _check_register(fields, shifts)
    identifier = fields.identifier()
    return Cashier(
        id=identifier,
        name=fields.text("name") or identifier,
        employee=fields.parsed("employee", _employee, None),
        login=fields.parsed("login", secrets.resolve, None),
        password=fields.parsed("password", _secret(secrets.resolve), None),
        pin_code=fields.parsed("pin_code", _secret(secrets.resolve), None),
        license_key=fields.parsed("license_key", _secret(lambda text: _header(secrets.resolve(text))), None),
    )


def _check_sign_in(fields: Fields) -> None:
    if fields.has("login") and fields.has("pin_code"):
        fields.fail("pin_code", "stands beside login; allowed is one of the two")
    elif fields.has("login") and not fields.has("password"):
        fields.fail("password", "is missing; login needs it")
    elif fields.has("password") and not fields.has("login"):
        fields.fail("login", "is missing; password needs it")
    elif not fields.has("login") and not fields.has("pin_code"):
        fields.fail("login", "is missing; allowed is login with password, or pin_code with license_key")


def _check_register(fields: Fields, shifts: ShiftPolicy) -> None:
    if fields.has("license_key"):
        return
    if fields.has("pin_code"):
        fields.fail("license_key", "is missing; pin_code needs it")
    elif shifts is ShiftPolicy.AUTO:
        fields.fail("license_key", "is missing; shifts: auto opens and closes shifts with it")


def _employee(text: str) -> UUID:
    if not _UUID.fullmatch(text):
        raise ValueError(f"{shown(text)} is not a UUID; allowed is 8-4-4-4-12 hexadecimal digits")
    return UUID(text)


def _secret(read: Callable[[str], str]) -> Callable[[str], SecretStr]:
    return lambda text: SecretStr(read(text))


def _header(license_key: str) -> str:
    if not re.fullmatch(r"[\x21-\x7e]+", license_key):
        raise ValueError("cannot be sent in an HTTP header; allowed are visible ASCII characters")
    return license_key
