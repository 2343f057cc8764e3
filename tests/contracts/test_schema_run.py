"""Schemathesis drives the sandbox by Checkbox's document: whatever it makes up is answered as documented.

Deviations that are left alone: unknown query parameters and headers are ignored, as FastAPI does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.contracts.openapi import FILE, OpenApi
from worker.demo.sandbox_process import SandboxProcess

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)
#: It would make the sandbox call addresses that are made up.
LEFT_OUT = {"POST /api/v1/webhook"}
KEY = "test-c0001"
SCHEMA = schemathesis.openapi.from_dict(json.loads(FILE.read_text("utf-8")))
SETTINGS = settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    # The document knows no 409 of a busy register.
    options = {"done_after": 0, "throttle": False, "busy_status": 400}
    with SandboxProcess(cashiers=1, options=options) as process:
        yield process


@pytest.fixture(scope="module")
def token(sandbox: SandboxProcess) -> str:
    body = {"login": "c0001", "password": "secret-c0001"}
    with httpx2.Client(trust_env=False) as client:
        answer = client.post(f"{sandbox.url}/api/v1/cashier/signin", json=body)
    access_token: str = answer.json()["access_token"]
    return access_token


@pytest.mark.parametrize("operation", sorted(OpenApi.load().operations - LEFT_OUT))
def test_every_answer_is_documented(operation: str, sandbox: SandboxProcess, token: str) -> None:
    """To sound and to senseless requests alike: a documented status, type and body."""
    method, path = operation.split(" ")
    headers = {"authorization": f"Bearer {token}", "x-license-key": KEY, "user-agent": "schema run"}
    if path.endswith("/signout"):
        del headers["authorization"]

    def run(case: Any) -> None:
        case.call_and_validate(base_url=sandbox.url, headers=headers, checks=list(CHECKS))

    for mode in GenerationMode:
        if mode is GenerationMode.NEGATIVE and path == "/status":
            continue  # it has nothing that could be wrong
        SETTINGS(given(case=SCHEMA[path][method].as_strategy(generation_mode=mode))(run))()
