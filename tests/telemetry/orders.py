"""Orders for runs whose figures are known."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from tests.system.shop import CONTRACT


def order(example: str = "valid/one_line_card", **data: Any) -> bytes:
    """A new order of now, made of an example of the contract."""
    message = json.loads((CONTRACT / f"{example}.json").read_text())
    identity = str(uuid4())
    message.update(id=str(uuid4()), subject=identity, time=datetime.now(UTC).isoformat())
    message["data"]["order"]["uuid"] = identity
    message["data"].update(data)
    return json.dumps(message, ensure_ascii=False).encode()


def request_id(body: bytes) -> str:
    found: str = json.loads(body)["id"]
    return found
