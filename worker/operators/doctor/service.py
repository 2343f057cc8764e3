"""Checkbox itself: does it answer at this address, and do its clock and ours agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime

from worker.checkbox.endpoints import Endpoint
from worker.checkbox.envelope import read_envelope
from worker.checkbox.transport import Transport
from worker.fiscal.outcomes import Unavailable
from worker.http.call import Answer, Timeouts
from worker.operators.doctor.finding import Finding, ok, warning, wrong

_CHECK = "checkbox"
_CLOCK = "clock"
#: Seconds. A shift's age is measured by our clock, but Checkbox's counts.
_SKEW_LIMIT = 60.0


def check_service(url: str, clock: Callable[[], float]) -> Iterator[Finding]:
    """One call without credentials, which every Checkbox refuses in its own words."""
    with Transport(Timeouts(), dict) as transport:
        began = clock()
        try:
            answer = transport.call(Endpoint.CASHIER_ME, url, Endpoint.CASHIER_ME.template, {})
        except Unavailable as fault:
            advice = "check the network, the proxy and the address (FISCAL_CHECKBOX_URL, checkbox_url)"
            yield wrong(_CHECK, url, f"does not answer ({fault.detail['reason']})", advice)
            return
        ended = clock()
    yield _understood(url, answer)
    yield from _skew(url, answer, began, ended)


def _understood(url: str, answer: Answer) -> Finding:
    if answer.status >= 500:
        advice = "wait, and see Checkbox's state page: the worker tries again by itself"
        return wrong(_CHECK, url, f"returns errors (status {answer.status})", advice)
    if read_envelope(answer.body) is None:
        advice = "correct the address (FISCAL_CHECKBOX_URL, checkbox_url), or see which proxy answers instead"
        return wrong(_CHECK, url, f"is not Checkbox (status {answer.status})", advice)
    return ok(_CHECK, url, "answers")


def _skew(url: str, answer: Answer, began: float, ended: float) -> Iterator[Finding]:
    try:
        date = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        yield warning(_CLOCK, url, "sends no Date header", "compare this machine's clock yourself")
        return
    # The header has whole seconds, and the answer was under way for a while.
    skew = (began + ended) / 2 - (date.timestamp() + 0.5)
    seen = f"ours is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} Checkbox's"
    if abs(skew) > _SKEW_LIMIT:
        yield wrong(_CLOCK, url, seen, "set this machine's clock by NTP: a shift's age is measured by it")
    else:
        yield ok(_CLOCK, url, seen if abs(skew) >= 2 else "agrees with Checkbox's")
