"""The receipt's id is what makes a second receipt impossible."""

from __future__ import annotations

from uuid import UUID

import pytest

from worker.fiscal.order import Operation
from worker.fiscal.receipt import receipt_id

ORDER = UUID("5d0e8a52-6a0c-4a0e-9a35-0b6a3b0f1c01")


@pytest.mark.parametrize(
    ("operation", "attempt", "expected"),
    [
        (Operation.SELL, 0, "2cc28619-5cfe-584d-92db-ef8b49bdcdf8"),
        (Operation.SELL, 1, "4b431240-2f1a-535e-99f5-6a44827c1fcf"),
        (Operation.RETURN, 0, "4b730186-c01b-532c-8a8b-a7efe5c8bf91"),
    ],
)
def test_ids_are_these_for_ever(operation: Operation, attempt: int, expected: str) -> None:
    """A change of these values would give orders that have a receipt a second one."""
    assert str(receipt_id(ORDER, operation, attempt)) == expected


def test_the_case_of_the_orders_uuid_does_not_count() -> None:
    """The same order written in capitals has the same receipt."""
    assert receipt_id(UUID(str(ORDER).upper()), Operation.SELL, 0) == receipt_id(ORDER, Operation.SELL, 0)
