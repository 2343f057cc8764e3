"""Requests, events and notices for journals of tests."""

from __future__ import annotations

import copy
import json
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from tests.builders import AN_ORDER, a_body
from tests.system.shop import CONTRACT
from worker.journal.heard import rows_of_event, rows_of_request
from worker.journal.writer import Writer

EXAMPLES = CONTRACT / "events"
NOW = 1_800_000_000_000
CARD = [{"form": "CASHLESS", "label": "Картка", "amount": "270.00"}]


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


def a_comparison(**changes: Any) -> bytes:
    """The example of ``shift.reconciled``; ``shift`` is its id, ``closed`` its end."""
    notice: dict[str, Any] = json.loads((CONTRACT / "notices" / "shift.reconciled.json").read_text())
    notice["time"] = changes.pop("time", notice["time"])
    data = notice["data"]
    data["shift"]["id"] = changes.pop("shift", data["shift"]["id"])
    data["shift"]["closedAt"] = changes.pop("closed", data["shift"]["closedAt"])
    data |= changes
    data["ok"] = changes.get("ok", not data["differences"])
    return json.dumps(notice, ensure_ascii=False).encode()


def issue(
    writer: Writer, number: int, payments: Any = CARD, at: str = "2026-11-24T10:20:07Z", **event: Any
) -> None:
    """An order of 270.00 and its receipt."""
    order = f"00000000-0000-4000-8000-{number:012}"
    changes: dict[str, Any] = {
        "data__payments": payments,
        "data__order__docNumber": f"D-{number}",
        "time": at,
    }
    if event.get("operation") == "RETURN":
        sale = "00000000-0000-4000-8000-000000009999"
        changes |= {"data__operation": "RETURN", "data__returnOf": {"orderUuid": sale}}
    writer.write(
        rows_of_request(a_body(id=f"r{number}", subject=order, data__order__uuid=order, **changes), NOW)
    )
    receipt = f"00000000-0000-4000-9000-{number:012}"
    members = {
        "receipt__id": receipt,
        "receipt__total": "270.00",
        "receipt__fiscalDate": at,
        "docNumber": f"D-{number}",
        **event,
    }
    writer.write(rows_of_event(an_event(request=f"r{number}", order=order, **members), NOW))
