"""The sums of a shift against its Z-report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from worker.checkbox.shift_answers import ZReport
from worker.fiscal.outcomes import IssuedReceipt
from worker.journal.reconciliation.difference import Difference, Kind
from worker.journal.reconciliation.kept import KeptReceipt

#: Differences of one shift for which it is tried out which of them the Z-report was made before.
_TRIED = 12


@dataclass(frozen=True, slots=True)
class Change:
    """What one difference would add to a Z-report that was made before it came about."""

    is_return: bool
    money: int
    count: int


@dataclass(frozen=True, slots=True)
class Turnover:
    """Money in kopiykas, before cash is rounded, and numbers of receipts."""

    sales: int = 0
    returns: int = 0
    sales_count: int = 0
    returns_count: int = 0

    @classmethod
    def of_published(cls, receipts: Iterable[KeptReceipt]) -> Turnover:
        return cls().with_all(Change(one.is_return, one.published, 1) for one in receipts)

    @classmethod
    def of_issued(cls, receipts: Iterable[IssuedReceipt]) -> Turnover:
        return cls().with_all(Change(one.is_return, one.total, 1) for one in receipts)

    @classmethod
    def of_report(cls, report: ZReport) -> Turnover:
        return cls(
            report.sales - report.sales_rounding,
            report.returns - report.returns_rounding,
            report.sales_count,
            report.returns_count,
        )

    def with_all(self, changes: Iterable[Change]) -> Turnover:
        """With each of these added."""
        sales, returns, sales_count, returns_count = (
            self.sales,
            self.returns,
            self.sales_count,
            self.returns_count,
        )
        for one in changes:
            if one.is_return:
                returns, returns_count = returns + one.money, returns_count + one.count
            else:
                sales, sales_count = sales + one.money, sales_count + one.count
        return Turnover(sales, returns, sales_count, returns_count)


def shift_differences(report: ZReport, seen: Turnover, changes: Sequence[Change]) -> list[Difference]:
    """What is left between what is ``seen`` and the Z-report.

    A receipt that was lost or changed after the shift was closed is in the report as it was: nothing is left
    where some of the ``changes``, which are reported on their own, make up for it.
    """
    reported = Turnover.of_report(report)
    reachable = {seen}
    for change in changes[:_TRIED]:
        reachable |= {one.with_all([change]) for one in reachable}
    if reported in reachable:
        return []
    found = []
    if (seen.sales, seen.sales_count) != (reported.sales, reported.sales_count):
        reason = f"sales: {seen.sales_count} receipts, and {reported.sales_count} in the Z-report"
        found.append(Difference(Kind.SHIFT_DIFFERS, ours=seen.sales, checkbox=reported.sales, reason=reason))
    if (seen.returns, seen.returns_count) != (reported.returns, reported.returns_count):
        reason = f"returns: {seen.returns_count} receipts, and {reported.returns_count} in the Z-report"
        found.append(
            Difference(Kind.SHIFT_DIFFERS, ours=seen.returns, checkbox=reported.returns, reason=reason)
        )
    return found
