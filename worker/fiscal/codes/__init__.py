"""One catalogue for every code: what is written about it, in each place and language."""

from __future__ import annotations

from collections.abc import Mapping

from worker.fiscal.codes.cashiers import CASHIERS
from worker.fiscal.codes.entry import Entry, Remedy
from worker.fiscal.codes.messages import MESSAGES
from worker.fiscal.codes.prepayments import PREPAYMENTS
from worker.fiscal.codes.receipts import RECEIPTS
from worker.fiscal.languages import N_
from worker.fiscal.outcomes import Code

#: In the order of the contract.
CATALOGUE: Mapping[str, Entry] = {
    code: entries[code]
    for code in Code
    for entries in (MESSAGES, CASHIERS, RECEIPTS, PREPAYMENTS)
    if code in entries
}

#: The advice for any other code.
UNKNOWN = N_("Look at the letter with `dead-letters show`: its code is none of the worker's.")

__all__ = ["CATALOGUE", "UNKNOWN", "Entry", "Remedy"]
