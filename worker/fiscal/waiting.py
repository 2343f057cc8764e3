"""A request that needs the receipt of another one, which may be on its way."""

from __future__ import annotations

from dataclasses import replace

from worker.fiscal.issuing import LOOK_AFTER, Issuing
from worker.fiscal.outcomes import Postponed, Rejected, Verdict
from worker.fiscal.reasons import Wait


def awaiting(issuing: Issuing, reason: Wait, refusal: Rejected) -> Verdict:
    """A wait for a sale or chain; the refusal where ``return_wait`` seconds have passed.

    It may be among those that wait for the register: only after them the wait begins.
    """
    since, shared = issuing.state.sale_awaited_since, issuing.dependencies
    if since is not None:
        is_over = issuing.since(since) >= shared.return_wait
        return refusal if is_over else Postponed(LOOK_AFTER, reason)
    wait = issuing.when_permitted(reason)
    issuing.state = replace(issuing.state, sale_awaited_since=shared.clock() + wait.after)
    wait.after = max(wait.after, LOOK_AFTER)
    return wait
