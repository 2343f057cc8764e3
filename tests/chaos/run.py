"""A run: orders and faults at once, then rest, one replay, the verdict, and the books."""

from __future__ import annotations

import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos import orders
from tests.chaos.books import Books
from tests.chaos.chains import Chaining, broken, chains
from tests.chaos.havoc import Havoc
from tests.chaos.returns import Returned, Returning, returns_of
from tests.chaos.stage import Stage, product_of
from tests.chaos.verdict import Evidence, done_of, over_rate, repeats, violations
from worker.demo.rabbitmq import PrivateRabbitMQ

#: What Checkbox does wrong; ``created_for`` and ``offline`` are a few, the others a share of the calls.
CHECKBOX_FAULTS: Mapping[str, Mapping[str, Any]] = {
    "drop_after_commit": {"probability": 0.05, "endpoint": "POST /receipts/sell"},
    **{
        f"drop_after_commit_{name}": {"kind": "drop_after_commit", "probability": 0.1, "endpoint": endpoint}
        for name, endpoint in (
            ("of_an_advance", "POST /prepayment-receipts"),
            ("of_further_money", "POST /prepayment-receipts/{relation_id}"),
            ("of_a_chains_return", "POST /prepayment-receipts/{relation_id}/return"),
        )
    },
    "drop_before_commit": {"probability": 0.02},
    "null_body": {"probability": 0.03},
    "truncated_json": {"probability": 0.02},
    "html_503": {"probability": 0.02},
    "rate_limited": {"probability": 0.01},
    "rate_limited_with_retry_after": {"kind": "rate_limited", "probability": 0.01, "retry_after": "1"},
    "error_receipt": {"probability": 0.01},
    "created_for": {"probability": 0.02, "count": 5},
}


#: A replay may post a chain's return again where one of its receipts was refused.
OPTIONS = {"refused_return": "unchanged"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked of a run. Seconds."""

    orders: int = 2000
    #: Orders that are paid in parts, for each that is sold: 20 % of all.
    chains: float = 0.25
    cashiers: int = 50
    seed: int = 1
    processes: int = 2
    queue_type: str = "quorum"
    left_out: Collection[str] = ()
    #: How long a receipt that the tax service forgets stays without a number.
    created_for: float = 60.0
    #: Orders come evenly over this time.
    over: float = 40.0
    #: Between two tricks, at least and at most.
    pause: tuple[float, float] = (1.5, 4.0)
    at_most: float = 300.0
    rate: int = 2


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    plan: Plan
    violations: list[str] = field(default_factory=list)
    figures: dict[str, int | float] = field(default_factory=dict)


def run(plan: Plan, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Play it and judge it."""
    began = time.monotonic()
    rows = orders.rows(plan.cashiers)
    requests = list(orders.requests(plan.orders, rows, random.Random(plan.seed)))
    settings = {"FISCAL_PROCESSES": str(plan.processes), "FISCAL_QUEUE_TYPE": plan.queue_type}
    outcome = Outcome(plan)
    with (
        tempfile.TemporaryDirectory(prefix="fiscal-chaos-") as folder,
        PrivateRabbitMQ() as node,
        Stage(node, rows, Path(folder), settings, OPTIONS, seed=plan.seed) as stage,
        Books(stage) as books,
    ):
        node.flush()
        generator = random.Random(plan.seed)
        havoc = Havoc(stage, node, stage.worker(), books.journal, generator, plan.left_out, plan.pause)
        havoc.worker.start()
        play = _Play(plan, stage, havoc, requests, say)
        evidence = play.evidence()
        outcome.violations = [*havoc.problems, *play.problems, *violations(evidence)]
        outcome.violations += books.problems(evidence.sold_once)
        outcome.figures = _figures(evidence, play, havoc) | books.figures
        outcome.figures["duration_seconds"] = round(time.monotonic() - began, 1)
        if outcome.violations:
            kept = Path(tempfile.gettempdir()) / f"fiscal-chaos-seed-{plan.seed}.log"
            kept.write_text("\n".join([*havoc.timeline, havoc.worker.log.read_text()]))
            say(f"the worker's log is kept in {kept}")
    return outcome


class _Play:
    def __init__(
        self,
        plan: Plan,
        stage: Stage,
        havoc: Havoc,
        requests: list[orders.OrderRequest],
        say: Callable[[str], None],
    ) -> None:
        self._plan = plan
        self._stage = stage
        self._havoc = havoc
        self._requests = requests
        self._say = say
        self._asked = {request.id for request in requests}
        self._returned: list[Returned] = list(returns_of(requests))
        self._returning = Returning(self._returned, stage.bimp.publish)
        generator = random.Random(f"chains {plan.seed}")
        self.chained = chains(round(plan.orders * plan.chains), stage.rows, generator)
        heard = stage.bimp.heard
        self._chaining = Chaining(
            self.chained, stage.bimp.publish, lambda request_id: heard.of(request_id, "succeeded")
        )
        self.faults: Counter[str] = Counter()
        self.problems: list[str] = []
        self.seconds: dict[str, float] = {}

    def evidence(self) -> Evidence:
        self._trouble()
        self._rest()
        letters = self._stage.letters()
        done_before = Counter(product_of(entry) for entry in done_of(self._ledger(of_chains=False)))
        self._say(f"{sum(done_before.values())} receipts; {len(letters)} dead letters are replayed")
        sent = self._stage.replay()
        if sent < len(letters):  # more may have come since the look
            self.problems.append(f"{sent} of {len(letters)} dead letters were replayed")
        self._rest(lambda: self._stage.bimp.heard.succeeded | self._stage.bimp.heard.refused)
        if self._returning.left:
            self.problems.append(f"{self._returning.left} orders were never told as sold")
        if self._chaining.left:
            self.problems.append(f"{self._chaining.left} chains did not come to their end")
        self._havoc.note_metrics()
        left = self._stage.letters()
        heard = self._stage.bimp.heard
        self.problems += broken(self.chained, self._ledger(of_chains=True), heard, left)
        return Evidence(
            self._requests,
            self._returned,
            self._ledger(of_chains=False),
            heard,
            letters,
            done_before,
            left,
            self._stage.waiting(),
            self._plan.rate,
            {request.id for one in self.chained for request in one.requests},
        )

    def _ledger(self, *, of_chains: bool) -> list[Mapping[str, Any]]:
        return [
            entry for entry in self._stage.sandbox.ledger() if (entry["relation_id"] is not None) is of_chains
        ]

    def _trouble(self) -> None:
        began = time.monotonic()
        for kind, settings in CHECKBOX_FAULTS.items():
            if kind in self._plan.left_out:
                continue
            more = {"seconds": self._plan.created_for} if kind == "created_for" else {}
            self._stage.sandbox.fault(**{"kind": kind, **settings, **more})
        publisher = threading.Thread(
            target=self._publish, args=(len(self._requests) / self._plan.over,), daemon=True
        )
        publisher.start()
        self._havoc.until(
            lambda: len(self._stage.bimp.heard.ended) >= 0.9 * len(self._asked), self._plan.at_most
        )
        publisher.join()
        self._stage.sandbox.clear_faults()
        self._havoc.calm()
        self.faults.update(self._stage.sandbox.counters()["faults"])
        self.seconds["trouble"] = time.monotonic() - began
        asked = self._all_asked()
        self._say(
            f"{len(asked & self._stage.bimp.heard.ended)} of {len(asked)} requests are answered "
            f"after {self.seconds['trouble']:.0f} s of faults"
        )

    def _publish(self, per_second: float) -> None:
        """The orders, and between them the returns of those that were sold by then."""
        due = time.monotonic()
        for number, request in enumerate(self._requests, start=1):
            self._stage.bimp.publish([request])
            self._returning.go_on(self._stage.bimp.heard.succeeded)
            self._chaining.begin(number / len(self._requests))
            self._chaining.go_on(self._stage.bimp.heard.succeeded)
            due += 1 / per_second
            time.sleep(max(0.0, due - time.monotonic()))

    def _all_asked(self) -> set[str]:
        return self._asked | self._returning.asked | self._chaining.asked

    def _rest(self, answered: Callable[[], set[str]] | None = None) -> None:
        """Until all are answered, the returns of what was sold too, and nothing is on its way any more."""
        answered = answered or (lambda: self._stage.bimp.heard.ended)
        began = time.monotonic()
        while True:
            self._returning.go_on(self._stage.bimp.heard.succeeded)
            self._chaining.go_on(self._stage.bimp.heard.succeeded)
            expected = self._all_asked()
            if expected <= answered() and not any(self._stage.waiting().values()):
                return
            if time.monotonic() - began > self._plan.at_most:
                missing = sorted(expected - answered())
                self.problems.append(
                    f"no rest within {self._plan.at_most:.0f} s: {len(missing)} unanswered, {missing[:5]}, "
                    f"on their way: {self._stage.waiting()}"
                )
                return
            time.sleep(0.25)


def _figures(evidence: Evidence, play: _Play, havoc: Havoc) -> dict[str, int | float]:
    statuses = Counter(entry["status"] for entry in evidence.ledger)
    heard = evidence.heard
    kinds = ("succeeded", "failed", "delayed")
    events = {kind: sum(len(heard.of(request, kind)) for request in heard.requests) for kind in kinds}
    return {
        "orders": len({request.product for request in evidence.requests}),
        "requests": len(evidence.requests),
        "orders_returned": len(evidence.returned),
        "chains": len(play.chained),
        "returns_made": len([entry for entry in done_of(evidence.ledger) if entry["type"] == "RETURN"]),
        "returns_refused": len(heard.refused),
        "receipts_done": statuses["DONE"],
        "receipts_error": statuses["ERROR"],
        "dead_letters_replayed": len(evidence.letters),
        **{f"events_{kind}": count for kind, count in events.items()},
        **{f"repeated_{kind}": repeats(heard, kind) for kind in kinds},
        "already_fiscalized": sum(
            any(event["data"]["alreadyFiscalized"] for event in evidence.heard.of(request.id, "succeeded"))
            for request in evidence.all_requests
        ),
        **{kind: havoc.done[kind] for kind in sorted(havoc.done)},
        **{f"checkbox_{kind}": count for kind, count in sorted(play.faults.items())},
        "duplicates_refused_by_checkbox": int(havoc.stage.sandbox.counters()["duplicates_refused"]),
        "duplicates_prevented_by_worker": havoc.duplicates_prevented,
        "registers_paused_for_their_rate": sum(havoc.stage.sandbox.counters()["throttled"].values()),
        "moments_over_the_rate": len(over_rate(evidence.ledger, evidence.rate)),
        "published_again_by_bimp": havoc.stage.bimp.published_again,
        "seconds_of_faults": round(play.seconds["trouble"], 1),
    }
