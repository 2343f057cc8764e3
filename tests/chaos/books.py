"""The books of a run: what its journal heard, held against Checkbox's shifts by `reconcile`.

At rest nothing may differ. Then faults are planted, and each has to be found, named, and of its kind.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Self
from uuid import UUID, uuid4

import httpx2
from sqlalchemy import Engine, delete, select, update

from tests.chaos.orders import OrderRequest
from tests.chaos.stage import Stage
from tests.journal.process import JournalProcess
from worker.fiscal.kyiv import KYIV
from worker.fiscal.receipt import sale_receipt_id
from worker.journal import database
from worker.journal.tables import OUTCOMES, RECEIPTS, REQUESTS
from worker.rabbit.topology import JOURNAL_QUEUE

[*_FAKETIME] = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
#: Receipts are compared once they are five minutes old: for `reconcile` it is so much later.
_LATER = {"LD_PRELOAD": str(_FAKETIME[0]), "FAKETIME": "+400s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
_PATIENCE = 60.0
#: Orders that faults are planted in.
PLANTED = 4

Finding = tuple[str, str]


class Books:
    """A journal beside a stage; a context manager."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._url = f"sqlite:///{stage.folder / 'journal.db'}"
        self._began = datetime.now(KYIV).date()
        environment = {**stage.environment, "FISCAL_JOURNAL_URL": self._url}
        self.journal = JournalProcess(stage.folder / "journal.log", environment)
        self.figures: dict[str, int | float] = {}

    def __enter__(self) -> Self:
        self.journal.start()
        self._until(lambda depth: depth is not None and depth.consumers)
        return self

    def __exit__(self, *_: object) -> None:
        self.journal.kill()

    def problems(self, sales: Sequence[OrderRequest]) -> Iterator[str]:
        """What `reconcile` finds and should not, and what it should find and does not.

        ``sales`` were asked for once, fiscalized, and not returned: faults are planted in some of them.
        """
        self._until(lambda depth: depth is not None and not depth.messages)
        began = time.monotonic()
        found = self._reconciled()
        self.figures["seconds_of_reconcile"] = round(time.monotonic() - began, 1)
        yield from (f"reconcile found {kind} of {name}, and nothing was planted" for kind, name in found)
        self.journal.kill()
        engine = database.writing(self._url)
        planted = _Planting(self._stage, engine).plant(sales)
        engine.dispose()
        reported = self._reconciled()
        self.figures["faults_planted"] = len(planted)
        self.figures["faults_found"] = len(planted & reported)
        yield from (f"reconcile did not find {kind} of {name}" for kind, name in planted - reported)
        yield from (
            f"reconcile found {kind} of {name} beside what was planted" for kind, name in reported - planted
        )

    def _reconciled(self) -> set[Finding]:
        """What differs: its kind, and the receipt or request."""
        environment = {
            **os.environ,
            **self._stage.environment,
            **_LATER,
            "FISCAL_RABBITMQ_URL": self._stage.broker.url,
            "FISCAL_CHECKBOX_URL": self._stage.sandbox.url,
            "FISCAL_JOURNAL_URL": self._url,
            "FISCAL_RETRY_MAX_AGE": "PT1S",
        }
        command = [sys.executable, "-m", "worker", "reconcile", "--day", self._began.isoformat(), "--json"]
        done = subprocess.run(command, env=environment, capture_output=True, check=False, text=True)
        try:
            *lines, last = [json.loads(line) for line in done.stdout.splitlines()]
        except ValueError:
            return {("nothing", f"the command: exit code {done.returncode}, {done.stderr[-2000:]}")}
        self.figures["shifts_reconciled"] = last["shifts"]
        found = {_named(one) for line in lines for one in line.get("differences", [line])}
        if (done.returncode == 0) is not last["ok"] or last["ok"] is not (not found):
            found.add(("exit code", str(done.returncode)))
        return found

    def _until(self, condition: Any) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not condition(self._stage.broker.queues().get(JOURNAL_QUEUE)):
            if time.monotonic() > deadline:
                raise RuntimeError(f"the journal does not keep up:\n{self.journal.log.read_text()[-3000:]}")
            time.sleep(0.1)


def _named(line: Mapping[str, Any]) -> Finding:
    name = line.get("receiptId") or line.get("requestId") or line.get("reason")
    return str(line["kind"]), str(name)


class _Planting:
    """Tampers with the sandbox's ledger and with the journal."""

    def __init__(self, stage: Stage, engine: Engine) -> None:
        self._stage = stage
        self._engine = engine
        self._ledger = {entry["id"]: entry for entry in stage.sandbox.ledger()}

    def plant(self, sales: Sequence[OrderRequest]) -> set[Finding]:
        """One fault of each kind; receipts are added before the shifts are closed, and lost afterwards."""
        doubled, deleted, changed, swallowed = sales[:PLANTED]
        added = {
            ("foreign_receipt", self._add(doubled, uuid4())),
            ("order_doubled", self._add(doubled, self._next_id(doubled.order))),
        }
        for row in self._stage.rows:
            with suppress(ValueError):  # nobody had opened one
                self._stage.sandbox.close_shift(row.cashier)
        self._stage.sandbox.end_receipt(self._receipt_of(deleted), "GONE")
        return added | {
            ("receipt_missing", self._receipt_of(deleted)),
            ("sum_differs", self._change_sum(changed)),
            ("receipt_untold", self._swallow(swallowed)),
            ("request_unanswered", swallowed.id),
        }

    def _add(self, like: OrderRequest, receipt_id: UUID) -> str:
        """As a person at the till would: with the lines of this sale, and nothing that says whose it is."""
        body = {**self._ledger[self._receipt_of(like)]["body"], "id": str(receipt_id), "context": {}}
        address = f"{self._stage.sandbox.url}/api/v1"
        with httpx2.Client(trust_env=False) as client:
            credentials = {"login": like.row.cashier, "password": like.row.password}
            token = client.post(f"{address}/cashier/signin", json=credentials).json()["access_token"]
            headers = {"Authorization": f"Bearer {token}"}
            client.post(f"{address}/receipts/sell", json=body, headers=headers).raise_for_status()
        self._stage.sandbox.end_receipt(str(receipt_id), "DONE")
        return str(receipt_id)

    def _next_id(self, order: UUID) -> UUID:
        ids = (sale_receipt_id(order, attempt) for attempt in range(10))
        return next(one for one in ids if str(one) not in self._ledger)

    def _receipt_of(self, sale: OrderRequest) -> str:
        ids = (str(sale_receipt_id(sale.order, attempt)) for attempt in range(10))
        return next(one for one in ids if one in self._ledger and self._ledger[one]["status"] == "DONE")

    def _change_sum(self, sale: OrderRequest) -> str:
        receipt = self._receipt_of(sale)
        asked = select(RECEIPTS.c.request).where(RECEIPTS.c.id == UUID(receipt)).scalar_subquery()
        with self._engine.begin() as connection:
            connection.execute(update(REQUESTS).where(REQUESTS.c.key == asked).values(total=sale.total + 100))
        return receipt

    def _swallow(self, sale: OrderRequest) -> str:
        """As if its event had never come."""
        with self._engine.begin() as connection:
            for table in (OUTCOMES, RECEIPTS):
                connection.execute(delete(table).where(table.c.subject == sale.order))
        return self._receipt_of(sale)
