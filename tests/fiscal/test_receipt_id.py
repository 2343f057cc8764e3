"""The receipt's id is what makes a second receipt impossible."""

from __future__ import annotations

from uuid import UUID

import pytest

from worker.fiscal.receipt import return_receipt_id, sale_receipt_id

ORDER = UUID("5d0e8a52-6a0c-4a0e-9a35-0b6a3b0f1c01")
SALE = "2cc28619-5cfe-584d-92db-ef8b49bdcdf8"


@pytest.mark.parametrize(("attempt", "expected"), [(0, SALE), (1, "4b431240-2f1a-535e-99f5-6a44827c1fcf")])
def test_ids_of_sales_are_these_for_ever(attempt: int, expected: str) -> None:
    """A change of these values would give orders that have a receipt a second one."""
    assert str(sale_receipt_id(ORDER, attempt)) == expected


@pytest.mark.parametrize(
    ("place", "expected"),
    [(0, "a79db35f-2dbd-55a0-85e7-05dc77c5c7b4"), (1, "d9e68e83-5523-5633-9bec-4cc88b2181c6")],
)
def test_ids_of_returns_are_these_for_ever(place: int, expected: str) -> None:
    """A change of these values would pay returns out twice."""
    assert str(return_receipt_id(SALE, place)) == expected


def test_the_case_of_an_id_does_not_count() -> None:
    """The same order written in capitals has the same receipt, and the same sale the same returns."""
    assert sale_receipt_id(UUID(str(ORDER).upper()), 0) == sale_receipt_id(ORDER, 0)
    assert return_receipt_id(SALE.upper(), 0) == return_receipt_id(SALE, 0)
