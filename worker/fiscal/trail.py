"""What earlier passes over a request left behind; it travels with the message."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Trail:
    """Times are seconds since the epoch. A lost trail costs a look-up or a repeat, never a second receipt."""

    first_seen: float
    #: How often a dead letter of this request was replayed.
    replays: int = 0
    #: Faults met so far.
    faults: int = 0
    #: A ``delayed`` event was published.
    delayed: bool = False
    #: The request may have reached Checkbox before: look up before anything else.
    look_up_first: bool = False
    #: The receipt was posted at this time and accepted; only its number is waited for.
    posted_at: float | None = None
    #: Which receipt id of the order is being worked on; the ones before were seen in ERROR.
    receipt_attempt: int = 0
    #: Looks at a receipt that had no number yet.
    looks: int = 0
    #: A turn of the register was promised to this request.
    has_turn: bool = False
    #: A return has been waiting for its sale since then.
    sale_awaited_since: float | None = None
    #: Since then Checkbox may have made the receipt, and no look-up has been answered.
    unknown_since: float | None = None
    #: This very message was delivered before, and what came of that is not known.
    redelivered: bool = False

    @property
    def attempts(self) -> int:
        """The attempt that is under way, counted from 1; waiting is none."""
        return self.faults + 1

    def after_fault(self, unknown_at: float | None = None) -> Trail:
        """``unknown_at``: when a receipt was asked for that may have been made."""
        return replace(
            self,
            faults=self.faults + 1,
            look_up_first=True,
            unknown_since=self.unknown_since or unknown_at,
        )
