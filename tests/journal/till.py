"""A till: orders that are fiscalized at a sandbox, and heard by a journal, or not."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from pydantic import SecretStr
from sqlalchemy import Engine

from tests.builders import a_body, an_integration
from tests.checkbox.desk import OLENA
from tests.checkbox.passes import Passes
from worker.checkbox.client import CheckboxClient
from worker.demo.sandbox_process import SandboxProcess
from worker.fiscal.attempt_state import AttemptState
from worker.fiscal.chain import chain_id
from worker.fiscal.context import context_of
from worker.fiscal.integrations import CashRounding, Integration
from worker.fiscal.kyiv import KYIV
from worker.fiscal.order import Request
from worker.fiscal.outcomes import Fiscalized, IssuedReceipt
from worker.fiscal.planner import plan
from worker.fiscal.ports import Shift
from worker.fiscal.receipt import return_receipt_id, sale_receipt_id
from worker.journal.heard import rows_of_event, rows_of_request
from worker.journal.reconciliation.day import reconcile_day
from worker.journal.reconciliation.shift import ShiftReport
from worker.journal.writer import Writer
from worker.rabbit.events import Events
from worker.rabbit.message.reading import RequestIdentity, read

KEY = SecretStr("test-olena")
NUMBERS = count(1)


class Till:
    """Olena's, at the register of a licence key that her row may name."""

    def __init__(
        self,
        sandbox: SandboxProcess,
        client: CheckboxClient,
        engine: Engine,
        with_key: bool,
        ahead: float = 0.0,
    ) -> None:
        """``ahead`` are seconds by which the sandbox's clock is moved on before the shift is opened."""
        self.ahead = 0.0
        self.sandbox, self.client, self.engine = sandbox, client, engine
        sandbox.reset()
        sandbox.put_cashier(
            "olena", password="olena-secret", pin_code="4711", license_key=KEY.get_secret_value()
        )
        self.cashier = replace(OLENA, id="olena", license_key=KEY if with_key else None)
        self.integration = an_integration(
            checkbox_url=sandbox.url, cashiers={"olena": self.cashier}, prepayments=True
        )
        #: Beside its own, those that share the register.
        self.others: list[Integration] = []
        self.advance(ahead)
        self.shift = self.open()
        self.writer = Writer(engine)
        self.events = Events(time.time)

    def sell(
        self,
        order: UUID | None = None,
        *,
        attempt: int = 0,
        told: bool = True,
        heard: bool = True,
        **changes: Any,
    ) -> IssuedReceipt:
        """An order of 270.00; ``heard`` and ``told`` say what the journal hears of it."""
        order = order or uuid4()
        number = next(NUMBERS)
        members = {"subject": str(order), "data__order__uuid": str(order), **changes}
        names = {"id": f"request-{number}", "data__order__docNumber": f"D-{number}"}
        body = a_body(**{**names, **members})
        return self._issue(body, sale_receipt_id(order, attempt), told=told, heard=heard)

    def give_back(self, sale: IssuedReceipt, order: UUID, *, told: bool = True) -> IssuedReceipt:
        """The whole order, by a document of its own."""
        document, number = uuid4(), next(NUMBERS)
        body = a_body(
            id=f"request-{number}",
            subject=str(document),
            data__order__uuid=str(document),
            data__order__docNumber=f"B-{number}",
            data__operation="RETURN",
            data__returnOf={"orderUuid": str(order)},
        )
        return self._issue(body, return_receipt_id(sale.id, 0), told=told, sale=sale)

    def sell_as_a_stranger(self) -> IssuedReceipt:
        """A person at the till: no order of ours, and an id of Checkbox's."""
        return self._issue(a_body(id=str(uuid4())), uuid4(), told=False, heard=False, context={"x": 1})

    def advance(self, seconds: float) -> None:
        """Move the sandbox's clock on, and the time of ``reports``; a token may not outlive that."""
        self.sandbox.advance(seconds)
        self.ahead += seconds
        self.token = self.client.sign_in(self.sandbox.url, self.cashier)

    def now(self) -> float:
        return time.time() + self.ahead

    def open(self) -> Shift:
        return self.client.open_shift(self.sandbox.url, self.token, KEY, uuid4())

    def pay(self, order: UUID, operation: str, amount: str | None = None, **changes: Any) -> Fiscalized:
        """Prepayments of the order, or their return, through the worker's passes; heard and told."""
        document = order if amount else uuid4()
        members = {
            "id": f"request-{next(NUMBERS)}",
            "subject": str(document),
            "data__order__uuid": str(document),
            "data__operation": operation,
            **({"data__payments": [{"form": "CASHLESS", "amount": amount}]} if amount else {}),
            **(
                {"data__paymentUuid": str(uuid4())}
                if amount
                else {"data__returnOf": {"orderUuid": str(order)}}
            ),
        }
        body = a_body(**{**members, **changes})
        self.hear(body)
        request = read(body)
        done = Passes(self.client, self.integration).done(request)
        self.tell(request, done)
        return done

    def tell(self, request: Request, done: Fiscalized) -> None:
        """The journal hears the event."""
        state = AttemptState(first_seen=time.time())
        event = self.events.succeeded(RequestIdentity.of(request), state, done, request.order.total)
        self.writer.write(rows_of_event(event.body, int(time.time() * 1000)))

    def pay_unseen(
        self,
        order: UUID,
        receipt_id: UUID,
        amount: str,
        *,
        told: bool = True,
        heard: bool = True,
        **changes: Any,
    ) -> str:
        """Money into the order's chain, or the first of it: as if nobody had looked before."""
        named = {"subject": str(order), "data__order__uuid": str(order), "data__operation": "AFTERPAYMENT"}
        payments = {
            "data__payments": [{"form": "CASHLESS", "amount": amount}],
            "id": f"request-{next(NUMBERS)}",
        }
        body = a_body(**{"data__paymentUuid": str(uuid4()), **named, **payments, **changes})
        if heard:
            self.hear(body)
        request, chains, at = read(body), self.client.chains, (self.sandbox.url, self.token)
        receipt, relation_id = plan(request, self.integration, time.time()).receipt, chain_id(order, 0)
        if chains.read(*at, relation_id) is None:
            context = context_of(request, AttemptState(first_seen=time.time()))
            chains.open(*at, relation_id, receipt_id, receipt, context)
        else:
            chains.pay(*at, relation_id, receipt_id, receipt)
        if told:
            issued, relation = self.client.receipt(*at, receipt_id), chains.read(*at, relation_id)
            self.tell(request, Fiscalized(issued, False, self.sandbox.url, relation=relation))
        return str(receipt_id)

    def close(self) -> None:
        self.sandbox.close_shift("olena")

    def reconcile(self, later: float = 400.0) -> ShiftReport:
        """The shift's report, as it comes out so many seconds from now."""
        (report,) = self.reports(later)
        return report

    def reports(self, later: float = 400.0, day: date | None = None) -> list[ShiftReport]:
        """Of today, or of yesterday where the shift was closed by then."""
        integrations = {one.id: one for one in (self.integration, *self.others)}
        now = self.now() + later
        today = datetime.fromtimestamp(self.now(), KYIV).date()
        for asked in [day] if day else [today, today - timedelta(days=1)]:
            if reports := list(reconcile_day(self.engine, self.client, integrations, asked, now)):
                return reports
        return []

    def hear(self, body: bytes) -> None:
        self.writer.write(rows_of_request(body, int(time.time() * 1000)))

    def _issue(
        self,
        body: bytes,
        receipt_id: UUID,
        *,
        told: bool = True,
        heard: bool = True,
        sale: IssuedReceipt | None = None,
        context: dict[str, str | int] | None = None,
    ) -> IssuedReceipt:
        if heard:
            self.hear(body)
        request = read(body)
        trail = AttemptState(first_seen=time.time())
        receipt = plan(request, self.integration, trail.first_seen).receipt
        if sale is not None:
            receipt = replace(
                receipt, related_receipt_id=UUID(sale.id), related_receipt_created_at=sale.created_at
            )
        context = context or context_of(request, trail)
        self.client.sell(self.sandbox.url, self.token, receipt_id, receipt, context)
        issued = self.client.receipt(self.sandbox.url, self.token, receipt_id)
        assert issued is not None
        if told:
            self.tell(request, Fiscalized(issued, already=False, checkbox_url=self.sandbox.url))
        return issued

    def round_cash(self) -> None:
        self.integration = replace(self.integration, cash_rounding=CashRounding.ROUND_50)
