"""Compares one shift: what the journal heard of it, and what Checkbox has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from uuid import UUID

from worker.checkbox.shift_finder import NotAsked
from worker.fiscal.outcomes import IssuedReceipt
from worker.journal.reconciliation.books import Books, issued_at, numbered
from worker.journal.reconciliation.difference import Difference, Kind
from worker.journal.reconciliation.doubles import doubles
from worker.journal.reconciliation.kept import Kept, KeptReceipt, KeptRequest
from worker.journal.reconciliation.sums import Change, Turnover, shift_differences

#: Seconds. Younger receipts may be known to one side and not yet to the other.
SETTLED = 300.0


class Comparison:
    """One shift. Raises what the database raises."""

    def __init__(self, kept: Kept, books: Books, now: float) -> None:
        self._kept = kept
        self._books = books
        self._settled = now - SETTLED
        self._until = books.shift.closed_at or now
        self._changes: list[Change] = []
        #: Whether all receipts were old enough to be compared.
        self.is_settled = True

    def differences(self) -> list[Difference]:
        """All of them, in the order of the kinds."""
        shift = self._books.shift
        published = self._kept.of_shift(shift.id, shift.opened_at, self._until, self._books.rows)
        try:
            listed = {one.receipt.id: one for one in self._books.receipts()}
        except NotAsked as reason:
            return self._by_report_alone(published, str(reason))
        issued = numbered(listed)
        try:
            return self._compared(published, issued)
        except NotAsked as reason:
            return [Difference(Kind.NOT_COMPARED, reason=str(reason))]

    def _by_report_alone(self, published: list[KeptReceipt], reason: str) -> list[Difference]:
        """A Z-report that agrees is enough; where it does not, nobody knows which receipt it is."""
        report = self._books.shift.z_report
        is_settled = all(one.fiscal_at <= self._settled and not one.offline for one in published)
        if (
            report is None
            or not is_settled
            or shift_differences(report, Turnover.of_published(published), [])
        ):
            return [Difference(Kind.NOT_COMPARED, reason=reason)]
        return []

    def _compared(self, published: list[KeptReceipt], issued: dict[str, IssuedReceipt]) -> list[Difference]:
        young = [one for one in issued.values() if issued_at(one) > self._settled]
        young_published = {one.id for one in published if one.fiscal_at > self._settled}
        issued = {key: one for key, one in issued.items() if issued_at(one) <= self._settled}
        issued = {key: one for key, one in issued.items() if key not in young_published}
        published = [
            one for one in published if one.id not in young_published | {receipt.id for receipt in young}
        ]
        missing = self._missing(published, issued)
        known = {one.id: one for one in published} | self._kept.by_id(issued)
        untold = {key: one for key, one in issued.items() if key not in known}
        owners = self._owners(untold)
        doubled = doubles(self._kept, self._books, known, issued, owners)
        seen = {one.receipt_id for one in doubled}
        found = [
            *doubled,
            *(one for one in missing if one.receipt_id not in seen),
            *self._sums(known, issued, seen),
            *self._untold(untold, owners, seen),
        ]
        self.is_settled = not (young or young_published)
        if self.is_settled:
            found += self._shift(issued, published)
        return found

    def _missing(self, published: list[KeptReceipt], issued: dict[str, IssuedReceipt]) -> list[Difference]:
        """What the list does not show is read by id: it may be another shift's, or the list be short."""
        found = []
        for one in published:
            if one.id in issued:
                continue
            receipt = self._books.look_up(one.id)
            if receipt is not None and receipt.is_numbered:
                if receipt.shift_id in (None, self._books.shift.id):
                    issued[one.id] = receipt
                continue
            reason = None if receipt is None else receipt.error or receipt.status
            found.append(_of(Kind.RECEIPT_MISSING, one, None, reason))
            self._changes.append(Change(one.is_return, one.total, 1))
        return found

    def _sums(
        self, known: dict[str, KeptReceipt], issued: dict[str, IssuedReceipt], seen: set[str | None]
    ) -> Iterator[Difference]:
        for key, receipt in issued.items():
            if key not in known or key in seen:
                continue
            one = self._with_returned(known[key], receipt)
            if one.fits(receipt.total):
                continue
            yield _of(Kind.SUM_DIFFERS, one, receipt.total)
            self._changes.append(Change(one.is_return, one.total - receipt.total, 0))

    def _with_returned(self, one: KeptReceipt, receipt: IssuedReceipt) -> KeptReceipt:
        """A chain's return comes to what the receipt did that it returns, as the journal or Checkbox has it.

        The short form of the search does not say which that is: it is read by id.
        """
        if not (one.is_of_chain and one.is_return):
            return one
        whole = receipt if receipt.related_receipt_id else self._books.look_up(receipt.id)
        payment = whole.related_receipt_id if whole else None
        if payment is None:
            return one
        kept = self._kept.by_id([payment]).get(payment)
        if kept is not None:
            return replace(one, returned=kept.published)
        issued = self._books.look_up(payment)
        return one if issued is None else replace(one, returned=issued.total)

    def _untold(
        self, untold: dict[str, IssuedReceipt], owners: dict[str, KeptRequest], seen: set[str | None]
    ) -> Iterator[Difference]:
        for kind in (Kind.RECEIPT_UNTOLD, Kind.FOREIGN_RECEIPT):
            for key, receipt in untold.items():
                owner = owners.get(key)
                if key in seen or (owner is not None) != (kind is Kind.RECEIPT_UNTOLD):
                    continue
                yield Difference(
                    kind,
                    order=owner.order if owner else None,
                    doc_number=owner.doc_number if owner else None,
                    receipt_id=key,
                    checkbox=receipt.total,
                    integration=owner.integration if owner else None,
                )

    def _owners(self, untold: dict[str, IssuedReceipt]) -> dict[str, KeptRequest]:
        """Whose the receipts are that no event named; those of strangers are left out."""
        if not untold:
            return {}
        integrations = {integration for integration, _ in self._books.rows}
        opened_at = self._books.shift.opened_at
        chains = {one.relation_id for one in untold.values() if one.relation_id}
        derived = self._kept.derived({*untold, *chains}, opened_at, self._until, integrations)
        found = {}
        for key, receipt in untold.items():
            by_chain = derived.get(receipt.relation_id) if receipt.relation_id else None
            owner = derived.get(key) or by_chain or self._owner_by_content(receipt)
            if owner is not None:
                found[key] = owner
        return found

    def _owner_by_content(self, listed: IssuedReceipt) -> KeptRequest | None:
        """The short form of the search has no context: it is read by id."""
        receipt = listed if listed.context else self._books.look_up(listed.id) or listed
        for name, ask in (("request", self._kept.request), ("document", self._kept.order)):
            key = _uuid(receipt.context.get(name))
            if key is not None and (owner := ask(key)) is not None:
                return owner
        relation = receipt.relation_id
        return self._kept.of_relation(relation, issued_at(receipt)) if relation else None

    def _shift(self, issued: dict[str, IssuedReceipt], published: Iterable[KeptReceipt]) -> list[Difference]:
        report = self._books.shift.z_report
        if report is None:
            return []
        return shift_differences(report, Turnover.of_issued(issued.values()), self._changes)


def _of(kind: Kind, one: KeptReceipt, checkbox: int | None, reason: str | None = None) -> Difference:
    return Difference(
        kind,
        order=one.order,
        doc_number=one.doc_number,
        receipt_id=one.id,
        ours=one.total,
        checkbox=checkbox,
        reason=reason,
        integration=one.integration,
    )


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
