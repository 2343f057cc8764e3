"""Whatever the planner plans is a body that Checkbox's document allows."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

from hypothesis import given, settings
from jsonschema import Draft202012Validator

from tests.builders import FIRST_SEEN, an_integration
from tests.fiscal.generated_orders import SEEDS, cases
from worker.checkbox.wire import sell_body
from worker.fiscal.planner import plan

OPENAPI = json.loads((Path(__file__).parents[1] / "data" / "checkbox" / "openapi.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(
    {"$ref": "#/components/schemas/ReceiptSellPayload", "components": OPENAPI["components"]}
)


@settings(max_examples=5)
@given(SEEDS)
def test_every_planned_receipt_passes_the_document_of_checkbox(seed: int) -> None:
    """The body of every order that adds up is valid by ReceiptSellPayload."""
    for case in cases(seed, 10):
        receipt = plan(case.request, an_integration(cash_rounding=case.rounding), FIRST_SEEN).receipt
        VALIDATOR.validate(json.loads(sell_body(UUID(int=1), receipt, {"request": "r"})))
