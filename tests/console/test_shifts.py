"""Cashiers and shifts in the console, beside a running worker: the cure of the 24 hours in one place."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.console import axe, chromium
from tests.console.chromium import DESKTOP, PHONE, Browser
from tests.console.conftest import READ_TOKEN, TOKEN, Visitor, serving
from tests.system.counter import CLOSE, OPEN, SIGN_IN, Counter, ago, counter, write
from worker.console import letter_jobs
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.telemetry import logs

Eventually = Callable[..., Any]
ENDS_SOON = "2026-12-05T10:00:00+02:00"


@pytest.fixture(scope="module")
def running(rabbitmq: PrivateRabbitMQ, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    """A worker whose integration leaves shifts to people."""
    vhost = rabbitmq.new_vhost()
    integrations = write(tmp_path_factory.mktemp("shifts") / "integrations.yaml", environment="test")
    with counter(vhost, integrations, FISCAL_PROCESSES="1") as one:
        yield one
    vhost.delete()


@pytest.fixture
def shop(running: Counter, monkeypatch: pytest.MonkeyPatch) -> Counter:
    """As after the start; the console has the worker's settings."""
    running.sandbox.reset()
    for name in ("FISCAL_RABBITMQ_URL", "FISCAL_CHECKBOX_URL", "FISCAL_INTEGRATIONS_FILE"):
        monkeypatch.setenv(name, running.environment[name])
    monkeypatch.setattr(letter_jobs, "WAIT", 20.0)
    return running


@pytest.fixture
def audit() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def console(shop: Counter, audit: io.StringIO) -> Iterator[str]:
    with serving(TOKEN, logs.apart("json", audit, "console")) as url:
        yield url


@pytest.fixture
def visitor(console: str) -> Iterator[Visitor]:
    with Visitor.of(console) as one:
        one.sign_in()
        yield one


def look(visitor: Visitor, cashier: str, eventually: Eventually) -> str:
    """The page that shows the cashier's shift."""
    csrf = visitor.get("/jobs").text.split('name="csrf" value="')[1].split('"')[0]
    form = {"csrf": csrf, "integration": "shop-main", "cashier": cashier}
    page: str = visitor.post("/shifts", data=form).headers["location"]
    return ended(visitor, page, eventually)


def ended(visitor: Visitor, page: str, eventually: Eventually) -> str:
    """The same page, once its job is over."""
    eventually(lambda: visitor.get(f"/jobs/{page.split('/')[-1]}.json").json()["over"])
    return page


def lines(audit: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in audit.getvalue().splitlines()]


@pytest.mark.skipif(not (chromium.CHROMIUM and chromium.DRIVER), reason="no chromium")
def test_from_the_letter_to_the_receipt(shop: Counter, console: str, audit: io.StringIO) -> None:
    """A shift of 25 hours: seen, closed, the next one opened, the letter sent, without another program."""
    shop.sandbox.close_shift("petro")
    shop.sandbox.open_shift("petro", ago(hours=25))
    shop.order("late", "petro")
    shop.wait_for_letters(1)
    with chromium.chromium() as browser:
        browser.size(*PHONE)
        browser.sign_in(console, TOKEN)
        browser.press("Shift …")
        browser.until_text("25.0 h")
        well(browser)
        browser.press("Close the shift")
        browser.until_text("The shift is closed")
        browser.press("Open a shift")
        browser.until_text("The shift is open")
        browser.until_text("1 letter of this cashier waits")
        well(browser)
        browser.press("Replay …")
        browser.press("Replay 1 letter")
        browser.until_text("1 fiscalized, 0 came back")
    (receipt,) = shop.sandbox.ledger()
    assert receipt["status"] == "DONE"
    told = [(line["event"], line.get("cashier"), line["outcome"]) for line in lines(audit)]
    assert told == [
        ("shift_close_asked", "petro", "closed"),
        ("shift_open_asked", "petro", "opened"),
        ("dead_letters_replayed", None, "1 fiscalized, 0 came back, 0 still waiting"),
    ]


def well(browser: Browser) -> None:
    """Nothing that axe knows is wrong with it."""
    if axe.SCRIPT.exists():
        assert axe.violations(browser) == []


def test_a_closing_is_stopped_before_it_is_asked_for(
    shop: Counter, visitor: Visitor, eventually: Eventually, audit: io.StringIO
) -> None:
    """It waits for a receipt without a number; after the stop nothing is asked of Checkbox."""
    shop.sandbox.fault("created_for", seconds=600)
    shop.order("unfinished", "olena")
    eventually(lambda: shop.sandbox.ledger())
    page = look(visitor, "olena", eventually)
    text = visitor.get(page).text
    assert "<dt>receipts without a number</dt><dd>1</dd>" in text
    job = visitor.submit(page).headers["location"]
    assert "up to 2 minutes" in visitor.get(job).text
    assert visitor.submit(page).headers["location"] == job  # it is under way
    assert visitor.submit(job).headers["location"] == job  # Stop is its last form
    ended(visitor, job, eventually)
    assert "stopped; what Checkbox was asked for goes on" in visitor.get(job).text
    assert shop.sandbox.requests(CLOSE) == 0
    assert [(line["event"], line["outcome"]) for line in lines(audit)] == [("shift_close_asked", "failed")]
    shop.sandbox.clear_faults()


def test_only_the_shift_that_was_shown_is_closed(
    shop: Counter, visitor: Visitor, eventually: Eventually
) -> None:
    """One that was opened meanwhile stays open, and no sign-in of ours is left."""
    shop.sandbox.put_cashier("maria", password="maria-secret")
    page = look(visitor, "maria", eventually)
    shop.sandbox.close_shift("maria")
    shop.sandbox.open_shift("maria")
    job = ended(visitor, visitor.submit(page).headers["location"], eventually)
    assert "The shift was closed already" in visitor.get(job).text
    assert shop.sandbox.requests(CLOSE) == 0
    again = ended(visitor, visitor.submit(job).headers["location"], eventually)
    assert "A shift was open already" in visitor.get(again).text
    assert shop.sandbox.requests(OPEN) == 0


def test_what_checkbox_says_is_shown(shop: Counter, visitor: Visitor, eventually: Eventually) -> None:
    """Of a refusal its words; of a row that is not there, that it is not. A reader sees it too."""
    shop.sandbox.close_shift("ivan")
    shop.sandbox.put_cashier("ivan", can_open_shift=False)
    page = look(visitor, "ivan", eventually)
    assert "none is open" in visitor.get(page).text
    job = ended(visitor, visitor.submit(page).headers["location"], eventually)
    assert "Підпис касира недоступний" in visitor.get(job).text
    assert "not in the integrations" in visitor.get(look(visitor, "nobody", eventually)).text
    with Visitor.of(str(visitor.base_url).rstrip("/")) as reader:
        reader.sign_in(READ_TOKEN)
        assert "none is open" in reader.get(page).text
        assert 'action="/shifts' not in reader.get(page).text


@pytest.mark.skipif(not (chromium.CHROMIUM and chromium.DRIVER), reason="no chromium")
def test_the_findings_of_the_checks(shop: Counter, console: str) -> None:
    """A key that ends, a shift that is long open: the workers look when asked, with the tokens they have."""
    shop.sandbox.put_cashier("maria", certificate_end=ENDS_SOON)
    shop.sandbox.close_shift("ivan")
    shop.sandbox.close_shift("petro")
    shop.sandbox.open_shift("petro", ago(hours=22))
    with chromium.chromium() as browser:
        browser.size(*DESKTOP)
        browser.sign_in(console, TOKEN)
        browser.open(f"{console}/cashiers")
        browser.press("Check now")
        browser.until_text("being checked now")
        browser.until_text("maria: the cashier's key ends on 05.12.2026")
        signed_in = shop.sandbox.requests(SIGN_IN)
        for language, words in (
            ("uk", ("зміну відкрито 22.0 год тому", "немає відкритої")),
            ("ru", ("смена открыта 22.0 ч назад", "нет открытой")),
            ("en", ("the shift was opened 22.0 h ago", "none is open", "22.0 h")),
        ):
            for size in (DESKTOP, PHONE):
                browser.size(*size)
                browser.open(f"{console}/language?to={language}&back=/cashiers")
                assert [word for word in words if word not in browser.text] == []
                well(browser)
        assert shop.sandbox.requests(SIGN_IN) == signed_in
        assert "secret" not in browser.text
