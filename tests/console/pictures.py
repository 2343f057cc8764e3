"""Takes the README's pictures of the console: ``python -m tests.console.pictures``."""

from __future__ import annotations

import os
from pathlib import Path

from tests.cli.letters import put
from tests.console.chromium import PHONE, chromium
from tests.console.conftest import TOKEN, serving
from tests.system.shop import CONTRACT
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.demo.sandbox_process import SandboxProcess

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


def save(name: str, picture: bytes) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"console-{name}.png").write_bytes(picture)


if __name__ == "__main__":
    main()
