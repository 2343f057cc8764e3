"""What earlier passes over a request left behind; it travels with the message."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pydantic import TypeAdapter, ValidationError


@dataclass(frozen=True, slots=True)
class Search:
    """How far a search for a sale's returns has come."""

    #: The sale's receipt.
    sale: str
    offset: int = 0
    #: Returns that were made at the till.
    found: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AttemptState:
    """Times are seconds since the epoch. If it is lost, that costs a look-up or a repeat, never a receipt."""

    first_seen: float
    #: How often a dead letter of this request was replayed.
    replays: int = 0
    #: Faults met so far.
    faults: int = 0
    #: A ``delayed`` event was published.
    delayed: bool = False
    #: The request may have reached Checkbox before: look up before anything else.
    look_up_first: bool = False
    #: The document has a receipt without a number since then; only the number is waited for.
    posted_at: float | None = None
    #: The receipt that this request posted, and Checkbox accepted.
    posted_id: str | None = None
    #: The receipt that this request posted, and that was refused.
    refused_id: str | None = None
    #: Whether a prepayment was the order's sale when it was posted; None: it was not, as far as is known.
    posted_as_sale: bool | None = None
    #: The prepayment chain whose return this request posted, and how many returns it had before.
    returned_chain: str | None = None
    returns_before: int = 0
    #: When the replay was taken up: its dead letter tells nothing of the last post, which may be on its way.
    replay_taken_up_at: float | None = None
    #: Looks at a receipt that had no number yet.
    looks: int = 0
    #: The rate limiter has reserved a permit of the register for this request.
    has_reserved: bool = False
    #: A return, or a further payment, has been waiting for its sale or chain since then.
    sale_awaited_since: float | None = None
    #: When a receipt was last posted and no answer came: Checkbox may have made it.
    unknown_since: float | None = None
    #: The broker delivered this message before; what that delivery did is not known.
    redelivered: bool = False
    #: An id that Checkbox reports as taken without showing its receipt, and since when.
    hidden_id: str | None = None
    hidden_since: float | None = None
    #: How many sales of the order a return has seen, and since when.
    sales_seen: int = 0
    sales_seen_at: float | None = None
    #: The search of this pass or the last one, and those for other sales of the order.
    search: Search | None = None
    other_searches: tuple[Search, ...] = ()

    @property
    def may_have_posted_at(self) -> float | None:
        """The last moment at which a receipt may have been asked for without an answer."""
        known = [moment for moment in (self.unknown_since, self.replay_taken_up_at) if moment is not None]
        return max(known, default=None)

    @property
    def attempts(self) -> int:
        """Number of the attempt under way, from 1; waits are not attempts."""
        return self.faults + 1

    def search_for(self, sale: str) -> Search:
        """How far the search for this sale's returns has come."""
        return next((one for one in self._searches if one.sale == sale), Search(sale))

    def with_search(self, search: Search) -> AttemptState:
        """With how far this search has come; what the others found is kept."""
        others = tuple(one for one in self._searches if one.sale != search.sale)
        return replace(self, search=search, other_searches=others)

    @property
    def _searches(self) -> tuple[Search, ...]:
        return (*((self.search,) if self.search else ()), *self.other_searches)

    def after_fault(self, unknown_at: float | None = None) -> AttemptState:
        """``unknown_at``: when a receipt was asked for that may have been made."""
        return replace(
            self,
            faults=self.faults + 1,
            look_up_first=True,
            unknown_since=unknown_at or self.unknown_since,
        )

    def taken_up(self, now: float) -> AttemptState:
        """The attempt state at the start of a pass.

        A redelivered message may have posted until just now. A time in the future was written by a clock that
        was ahead, and would be waited for until this one has caught up.
        """
        posted_lately = self.redelivered and self.posted_at is None
        return replace(
            self,
            posted_at=_not_after(self.posted_at, now),
            sale_awaited_since=_not_after(self.sale_awaited_since, now),
            unknown_since=now if posted_lately else _not_after(self.unknown_since, now),
            hidden_since=_not_after(self.hidden_since, now),
            replay_taken_up_at=_not_after(self.replay_taken_up_at or now, now) if self.replays else None,
            sales_seen_at=_not_after(self.sales_seen_at, now),
        )

    def dumped(self) -> str:
        """As it travels in a header."""
        return _ADAPTER.dump_json(self, exclude_defaults=True).decode()

    @classmethod
    def loaded(cls, text: str) -> AttemptState | None:
        """None if the text is not an attempt state of ours."""
        try:
            return _ADAPTER.validate_json(text)
        except ValidationError:
            return None


def _not_after(moment: float | None, now: float) -> float | None:
    return None if moment is None else min(moment, now)


_ADAPTER = TypeAdapter(AttemptState)
