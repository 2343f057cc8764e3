"""A Celery worker with a pool of threads that runs the same use case. What is rescheduled is applied anew."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from celery import Celery
from celery.signals import worker_init

from tests.bench.use_case import THREADS, URL, UseCase
from worker.fiscal.attempt_state import AttemptState
from worker.fiscal.outcomes import Postponed

app = Celery("peer", broker=URL)
app.conf.update(
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    worker_concurrency=THREADS,
    task_ignore_result=True,
    broker_transport_options={"confirm_publish": True},
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
)
_use_case: list[UseCase] = []


@worker_init.connect  # type: ignore[untyped-decorator]
def _begin(**_: Any) -> None:
    _use_case.append(UseCase())


@app.task(name="fiscalize")  # type: ignore[untyped-decorator]
def fiscalize(body: str, kept: dict[str, Any] | None) -> None:
    """A pass."""
    state = AttemptState(**kept) if kept else None
    try:
        _use_case[0].tell(body.encode(), state)
    except Postponed as wait:
        left = wait.state or state
        fiscalize.apply_async((body, asdict(left) if left else None), countdown=wait.after)
