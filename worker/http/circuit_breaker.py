"""Circuit breakers: a partner that hangs is remembered, so that not every order waits for it in turn.

A circuit opens when several callers met silence and no answer came in between. While it is open, callers that
met silence do not call. After a pause one of them does, as a trial: an answer closes the circuit, silence
doubles the next pause. A caller that has met no silence is a trial at once, since it may be served. Silence
is a fault that took its time: a refusal or a quick fault costs no thread and concerns its order alone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from worker.telemetry.logs import logger

_log = logger(__name__)
#: Seconds after which a fault counts as silence.
SILENCE = 2.0
#: Seconds of the first pause, and of the longest.
_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 60.0
#: Seconds until a caller that came during a trial asks again.
_TRIAL = 2.0


class CircuitOpen(Exception):
    """Nothing was sent."""

    def __init__(self, seconds: float, is_certain: bool) -> None:
        super().__init__("circuit open")
        #: Until the next trial.
        self.seconds = seconds
        #: This caller met silence; otherwise a trial is under way, and may show that it is served.
        self.is_certain = is_certain


@dataclass(frozen=True, slots=True)
class Scope:
    """What a circuit is for, and who calls now; silence for ``threshold`` different callers opens it."""

    kind: str
    name: str
    caller: str
    threshold: int
    #: Whether this caller's silence says anything about others: not where it may never have been served.
    counts: bool = True


class Heard:
    """What came of the calls of a pass; the last one counts."""

    def __init__(self) -> None:
        #: None while nothing was called, or all that came were quick faults.
        self.is_silent: bool | None = None

    def note(self, is_fault: bool, seconds: float) -> None:
        if not is_fault:
            self.is_silent = False
        elif seconds >= SILENCE:
            self.is_silent = True


_heard: ContextVar[Heard | None] = ContextVar("heard", default=None)


class Call:
    """One call under way."""

    def __init__(self) -> None:
        #: The answer is a fault, such as a gateway's 504.
        self.is_fault = False


@contextmanager
def listening(monotonic: Callable[[], float] = time.monotonic) -> Iterator[Call]:
    """Around one call to a partner: the circuits of the pass that makes it learn what came of it."""
    heard, call, began = _heard.get(), Call(), monotonic()
    try:
        yield call
    except Exception:
        call.is_fault = True
        raise
    finally:
        if heard is not None:
            heard.note(call.is_fault, monotonic() - began)


@dataclass(eq=False, slots=True)
class _Circuit:
    #: Callers who met silence since the last answer.
    silent_for: set[str] = field(default_factory=set)
    #: How often in a row it was opened; 0 is closed.
    openings: int = 0
    open_until: float = 0.0
    is_on_trial: bool = False


class CircuitBreakers:
    """All circuits of a process; for any thread."""

    def __init__(self, monotonic: Callable[[], float], trials: int) -> None:
        """``trials`` may be under way at once: threads spent on callers that are known to hang."""
        self._monotonic = monotonic
        self._trials = trials
        self._lock = threading.Lock()
        self._circuits: dict[tuple[str, str], _Circuit] = {}
        self._trials_under_way = 0

    @contextmanager
    def closed(self, scopes: Sequence[Scope]) -> Iterator[Heard]:
        """Around a pass. Raises ``CircuitOpen`` where one of the circuits is open."""
        on_trial = self._admit(scopes)
        heard = Heard()
        token = _heard.set(heard)
        try:
            yield heard
        finally:
            _heard.reset(token)
            self._settle(scopes, on_trial, heard.is_silent)

    def _admit(self, scopes: Sequence[Scope]) -> list[_Circuit]:
        """The circuits that this pass is the trial of."""
        now = self._monotonic()
        with self._lock:
            opened, left, is_certain = self._opened(scopes, now)
            if left > 0:
                raise CircuitOpen(left, is_certain)
            if opened:
                if any(one.is_on_trial for one in opened) or self._trials_under_way >= self._trials:
                    raise CircuitOpen(_TRIAL, is_certain)
                self._trials_under_way += 1
                for circuit in opened:
                    circuit.is_on_trial = True
            return opened

    def _opened(self, scopes: Sequence[Scope], now: float) -> tuple[list[_Circuit], float, bool]:
        """Open circuits, seconds until a trial, and whether silence was met by this caller."""
        opened, left, is_certain = [], 0.0, False
        for scope in scopes:
            circuit = self._circuits.get((scope.kind, scope.name))
            if circuit is None or not circuit.openings:
                continue
            opened.append(circuit)
            if scope.caller in circuit.silent_for:
                left, is_certain = max(left, circuit.open_until - now), True
        return opened, left, is_certain

    def _settle(self, scopes: Sequence[Scope], on_trial: list[_Circuit], is_silent: bool | None) -> None:
        with self._lock:
            if on_trial:
                self._trials_under_way -= 1
            for circuit in on_trial:
                circuit.is_on_trial = False
            for scope in scopes:
                if is_silent:
                    if scope.counts or on_trial:
                        self._silent(scope, on_trial)
                elif is_silent is False:
                    self._answered(scope)

    def _silent(self, scope: Scope, on_trial: list[_Circuit]) -> None:
        circuit = self._circuits.setdefault((scope.kind, scope.name), _Circuit())
        circuit.silent_for.add(scope.caller)
        if len(circuit.silent_for) < scope.threshold or (circuit.openings and circuit not in on_trial):
            return
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(circuit.openings, 10))
        if not circuit.openings:
            _log.warning("circuit_opened", kind=scope.kind, scope=scope.name)
        circuit.openings += 1
        circuit.open_until = self._monotonic() + pause

    def _answered(self, scope: Scope) -> None:
        circuit = self._circuits.pop((scope.kind, scope.name), None)
        if circuit is not None and circuit.openings:
            _log.info("circuit_closed", kind=scope.kind, scope=scope.name)
