"""Shifts, as a shop meets them: people's, and the worker's."""

from __future__ import annotations

import time
from pathlib import Path

from tests.system.counter import CASHIERS, CLOSE, OPEN, SELL, Counter, ago, counter, write
from worker.demo.vhost import VirtualHost

RU = "Смена открыта более 24 часов назад, для продолжения работы закройте действующую смену и откройте новую"


def test_shifts_of_people(vhost: VirtualHost, tmp_path: Path) -> None:
    """None, too old by age, too old by Checkbox's word: told, and gone when people have acted."""
    integrations = write(tmp_path / "integrations.yaml")
    with counter(vhost, integrations, FISCAL_PROCESSES="1") as shop:
        assert shop.code(shop.order("sold")) == "succeeded"
        for cashier in CASHIERS:
            shop.sandbox.close_shift(cashier)
        assert shop.code(shop.order("none")) == "SHIFT_NOT_OPEN"

        shop.sandbox.open_shift("petro", ago(hours=25))
        event = shop.outcome(shop.order("by-age", "petro"))
        assert event["data"]["message"]["ru"] == RU
        assert event["data"]["detail"]["ageHours"] == 25.0
        assert event["data"]["detail"]["openedAt"].endswith("Z")

        _refused_by_words(shop, "ivan", over_24h_code=None, over_24h_status=400)
        _refused_by_words(shop, "maria", over_24h_code="shift.opened_over_24h", over_24h_status=409)
        _a_receipt_wins(shop)

        for cashier in ("petro", "ivan", "maria"):
            shop.sandbox.close_shift(cashier)
        for cashier in CASHIERS:
            shop.sandbox.open_shift(cashier)
        time.sleep(5)  # what is known of a shift holds back other orders for so long, and no longer
        shop.until(lambda: len(shop.letters) == 6)
        assert shop.replay() == 6
        shop.until(lambda: len(shop.events) == 6, timeout=8)
        assert {event["routing_key"] for event in shop.events} == {"fiscalization.succeeded"}
        assert len(shop.sandbox.ledger()) == 7


def _refused_by_words(shop: Counter, cashier: str, **form: object) -> None:
    """Checkbox's clock is ahead of the worker's: it refuses the sale, once, and is believed for the next."""
    shop.sandbox.set_options(force_close_at_24h=False, **form)
    shop.sandbox.open_shift(cashier, ago(hours=23, minutes=50))
    shop.sandbox.advance(900)
    asked = shop.sandbox.requests(SELL)
    for number in range(2):
        assert shop.code(shop.order(f"{cashier}-{number}", cashier)) == "SHIFT_OPEN_OVER_24H"
        assert shop.sandbox.requests(SELL) == asked + 1


def _a_receipt_wins(shop: Counter) -> None:
    """The order that was sold before is told as sold, whatever the shift is like now."""
    receipt = shop.outcome("sold")["data"]["receipt"]
    order = shop.outcome("sold")["subject"]
    name = shop.order("again", subject=order, data__order__uuid=order)
    event = shop.outcome(name)
    assert event["routing_key"] == "fiscalization.succeeded"
    assert event["data"]["alreadyFiscalized"] is True
    assert event["data"]["receipt"]["id"] == receipt["id"]


def test_twenty_orders_at_once_open_one_shift(vhost: VirtualHost, tmp_path: Path) -> None:
    """Two processes ask, and the slower one takes what there is. A refusal is told with its words."""
    integrations = write(tmp_path / "integrations.yaml", shifts="auto")
    with counter(vhost, integrations, FISCAL_PROCESSES="2") as shop:
        names = [shop.order(f"order-{number}") for number in range(20)]
        assert {shop.code(name) for name in names} == {"succeeded"}
        assert shop.accepted(OPEN) == 1
        assert len({entry["shift_id"] for entry in shop.sandbox.ledger()}) == 1

        shop.sandbox.fault("refuse_shift", cashier="petro", words="Сертифікат відкликано")
        event = shop.outcome(shop.order("refused", "petro"))
        assert event["data"]["code"] == "SHIFT_NOT_OPEN"
        assert event["data"]["detail"]["reason"] == "Сертифікат відкликано"


def test_an_old_shift_is_rolled_over_without_an_order_lost_or_refused(
    vhost: VirtualHost, tmp_path: Path
) -> None:
    """Past 23 hours: closed, one opened, and all that waited sold in the new one."""
    integrations = write(tmp_path / "integrations.yaml", shifts="auto")
    with counter(vhost, integrations, FISCAL_PROCESSES="2") as shop:
        old = shop.sandbox.open_shift("olena", ago(hours=23, seconds=18))
        names = [shop.order(f"order-{number}") for number in range(10)]
        assert {shop.code(name) for name in names} == {"succeeded"}
        assert all(entry["shift_id"] != old["id"] for entry in shop.sandbox.ledger())
        assert (shop.accepted(CLOSE), shop.accepted(OPEN)) == (1, 1)
        assert shop.sandbox.requests("GET /receipts/search") >= 1
        assert [event["routing_key"] for event in shop.events] == ["fiscalization.succeeded"] * 10


def test_a_shift_nobody_sells_in_is_closed_in_time(vhost: VirtualHost, tmp_path: Path) -> None:
    """By one of three processes, also after all were restarted; nobody opens a new one."""
    integrations = write(tmp_path / "integrations.yaml", shifts="auto")
    with counter(vhost, integrations, FISCAL_PROCESSES="3") as shop:
        shop.sandbox.open_shift("olena", ago(hours=23, seconds=15))
        shop.until(lambda: shop.accepted(CLOSE) == 1)
        shop.worker.kill()
        shop.sandbox.open_shift("petro", ago(hours=23, seconds=15))
        shop.worker.start()
        shop.until(lambda: shop.accepted(CLOSE) == 2)
        assert shop.sandbox.requests(OPEN) == 0
        signed_in = shop.sandbox.counters()["sign_ins"]
        assert max(signed_in.values()) <= 2


def test_another_cashiers_shift_on_the_register(vhost: VirtualHost, tmp_path: Path) -> None:
    """Two cashiers at one register: who comes second is told, in both forms of Checkbox's words."""
    cashiers = [
        {"id": name, "login": name, "password": f"{name}-secret", "license_key": "test-one"}
        for name in CASHIERS
    ]
    integrations = write(tmp_path / "integrations.yaml", shifts="auto", cashiers=cashiers)
    with counter(vhost, integrations, FISCAL_PROCESSES="1") as shop:
        assert shop.code(shop.order("first")) == "succeeded"
        for cashier, code, status in (("petro", None, 400), ("ivan", "cash_register.busy", 409)):
            shop.sandbox.set_options(register_busy_code=code, busy_status=status)
            asked = shop.sandbox.requests(OPEN)
            for number in range(2):
                assert shop.code(shop.order(f"{cashier}-{number}", cashier)) == "REGISTER_BUSY"
                assert shop.sandbox.requests(OPEN) == asked + 1
