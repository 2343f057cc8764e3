"""Takes the README's pictures of the console: ``python -m tests.console.pictures``."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.cli.letters import put
from tests.console.chromium import PHONE, Browser, chromium
from tests.console.conftest import TOKEN, serving
from tests.journal.messages import CARD, issue
from tests.system.shop import CONTRACT
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.demo.sandbox_process import SandboxProcess
from worker.journal import database
from worker.journal.writer import Writer

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
WIDE = (1280, 800)


def main() -> None:
    configured = CONTRACT / "integrations.yaml"
    with PrivateRabbitMQ() as broker, SandboxProcess(integrations=configured) as checkbox:
        os.environ["FISCAL_RABBITMQ_URL"] = broker.url
        os.environ["FISCAL_CHECKBOX_URL"] = checkbox.url
        os.environ["FISCAL_INTEGRATIONS_FILE"] = str(configured)
        put(broker.url, range(481, 493), code="SHIFT_OPEN_OVER_24H")
        put(broker.url, range(520, 524), code="SHIFT_NOT_OPEN", cashier="petro")
        put(broker.url, [530], code="TOTALS_MISMATCH")
        with serving(TOKEN) as url, chromium() as browser:
            browser.size(*WIDE)
            browser.sign_in(url, TOKEN)
            browser.until_text("17 letters")
            save("overview", browser.picture())
            browser.open(f"{url}/replay?code=SHIFT_OPEN_OVER_24H")
            browser.press("Replay 12 letters")
            browser.until(lambda: browser.run("return document.querySelector('progress').value") > 3)
            save("replay", browser.picture())
            browser.press("Stop")
            browser.until_text("Done.")
            browser.size(*PHONE)
            browser.open(f"{url}/language?to=uk&back=/letters?code=SHIFT_NOT_OPEN")
            browser.until_text("4 запити")
            save("phone", browser.picture())
            books(browser, url)


def books(browser: Browser, url: str) -> None:
    """A day in the journal, and an order of it."""
    with TemporaryDirectory() as folder:
        os.environ["FISCAL_JOURNAL_URL"] = f"sqlite:///{folder}/journal.db"
        engine = database.writing(os.environ["FISCAL_JOURNAL_URL"])
        sell_some(Writer(engine))
        browser.size(*WIDE)
        browser.open(f"{url}/language?to=en&back=/today")
        browser.until_text("Open shifts")
        save("today", browser.picture())
        browser.size(*PHONE)
        browser.open(f"{url}/language?to=uk&back=/orders?q=D-3")
        browser.until_text("Чек видано")
        save("order", browser.picture())
        engine.dispose()


def sell_some(writer: Writer) -> None:
    """By both cashiers, by card and in cash; one comes back, one was put off first."""
    at = (datetime.now(UTC) - timedelta(minutes=1)).isoformat(timespec="seconds")
    cash = [{"form": "CASH", "amount": "270.00"}]
    for number in range(1, 15):
        means = cash if number % 3 == 0 else CARD
        issue(writer, number, means, at, time=at, cashier="petro" if number % 4 == 0 else "olena")
    issue(writer, 15, CARD, at, time=at, operation="RETURN")


def save(name: str, picture: bytes) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"console-{name}.png").write_bytes(picture)


if __name__ == "__main__":
    main()
