"""Events as the worker publishes them, for journals of tests."""

from __future__ import annotations

import copy
import json
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from tests.builders import AN_ORDER
from tests.system.shop import CONTRACT

EXAMPLES = CONTRACT / "events"


def an_event(outcome: str = "succeeded", request: str = "request-1", **changes: Any) -> bytes:
    """The example of this outcome, as the answer to the message of ``tests.builders``.

    ``changes`` are members of ``data``, such as ``receipt__id``; ``time`` is the event's own.
    """
    event: dict[str, Any] = copy.deepcopy(json.loads((EXAMPLES / f"{outcome}.json").read_text()))
    data = event["data"]
    order = str(changes.pop("order", AN_ORDER))
    event |= {"subject": order, "id": str(uuid5(NAMESPACE_URL, f"{request} {outcome}"))}
    event["time"] = changes.pop("time", event["time"])
    data |= {"requestId": request, "requestSource": "/companies/000001398"}
    data |= {"integration": "shop-main", "cashier": "olena"}
    data["order"] = {"uuid": order, "docNumber": changes.pop("docNumber", "ЗП-000482")}
    for path, value in changes.items():
        *parents, name = path.split("__")
        place = data
        for step in parents:
            place = place[step]
        place[name] = value
    return json.dumps(event).encode()
