"""Orders of a shop whose worker runs, for commands that are asked about them."""

from __future__ import annotations

from uuid import uuid4

from tests.builders import a_body
from tests.system.shop import Shop


def sell(shop: Shop, number: int) -> str:
    """Publish the order ``D-<number>``; its uuid."""
    order = str(uuid4())
    shop.publish(
        a_body(
            id=f"request-{number}",
            subject=order,
            data__order__uuid=order,
            data__order__docNumber=f"D-{number}",
        )
    )
    return order
