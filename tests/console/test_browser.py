"""The console in a real Chromium: a person gets from the sign-in to a replay, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.letters import numbers, put
from tests.console import chromium
from tests.console.chromium import DESKTOP, PHONE, Browser
from tests.console.conftest import TOKEN
from worker.demo.sandbox_process import SandboxProcess

pytestmark = pytest.mark.skipif(
    not (chromium.CHROMIUM and chromium.DRIVER), reason="chromium and chromedriver are not installed"
)

#: Ratio of luminances between the text of each element and what is behind it, the least of all.
CONTRAST = """
const light = text => {
  const [r, g, b] = text.match(/[\\d.]+/g).map(Number).map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = element => {
  for (let one = element; one; one = one.parentElement) {
    const color = getComputedStyle(one).backgroundColor;
    if (!color.startsWith("rgba(0, 0, 0, 0)")) return color;
  }
  return "rgb(255, 255, 255)";
};
return Math.min(...[...document.querySelectorAll("body *")].filter(e => e.innerText).map(e => {
  const [low, high] = [light(getComputedStyle(e).color), light(behind(e))].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}));
"""
ELSEWHERE = """
const names = performance.getEntriesByType("resource").map(one => one.name);
return names.filter(name => !name.startsWith(location.origin));
"""
#: Whether the page has to be scrolled sideways.
TOO_WIDE = "const { scrollWidth, clientWidth } = document.documentElement; return scrollWidth > clientWidth;"
UNNAMED = """
return [...document.querySelectorAll("input:not([type=hidden]), button, a, progress")]
  .filter(e => !(e.innerText || e.ariaLabel || (e.labels && e.labels.length))).length;
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.chromium() as one:
        yield one


def check(browser: Browser) -> None:
    """Readable, named, in order, and nothing of it comes from elsewhere."""
    browser.until(lambda: browser.run("return document.readyState") == "complete")
    assert browser.run("return document.documentElement.lang") == "en"
    assert len(browser.all("h1")) == 1
    assert len(browser.all("main")) == 1
    assert browser.run("return document.title") not in ("", None)
    assert browser.run(UNNAMED) == 0
    contrast = browser.run(CONTRAST)
    assert isinstance(contrast, float)
    assert contrast >= 4.5
    assert browser.run(ELSEWHERE) == []
    assert browser.run(TOO_WIDE) is False


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_from_the_sign_in_to_a_replay(
    amqp_url: str, console: str, browser: Browser, size: tuple[int, int]
) -> None:
    """Groups, a letter, the dry run, and the replay with its progress; each page can be read."""
    put(amqp_url, range(4))
    put(amqp_url, [9], code="TOTALS_MISMATCH")
    browser.size(*size)
    browser.open(console)
    check(browser)
    browser.sign_in(console, TOKEN)
    browser.until_text("Waiting for a person: 5 letters.")
    check(browser)
    browser.press("4 letters")
    browser.until_text("Of code SHIFT_NOT_OPEN, integration shop-main, cashier olena: 4 letters.")
    check(browser)
    browser.press("N-2")
    browser.until_text("Order N-2")
    assert '"phone": "***"' in browser.text
    check(browser)
    browser.open(f"{console}/replay?code=SHIFT_NOT_OPEN")
    browser.until_text("4 letters would be replayed")
    check(browser)
    browser.press("Replay 4 letters")
    browser.until(lambda: browser.all("progress"))
    check(browser)
    browser.until_text("4 of 4 replayed")
    browser.until_text("Done.")
    assert numbers(amqp_url, "fiscalize") == [0, 1, 2, 3]
    assert numbers(amqp_url) == [9]


def test_progress_moves_without_loading_the_page_anew(amqp_url: str, console: str, browser: Browser) -> None:
    """A mark that is made in the page stays while the figures change; Stop ends the replay."""
    put(amqp_url, range(60))
    browser.size(*DESKTOP)
    browser.sign_in(console, TOKEN)
    browser.press("Replay …")
    browser.press("Replay 60 letters")
    browser.until(lambda: browser.all("progress"))
    browser.run("window.mark = true")
    first = browser.all("#status")[0].text
    browser.until(lambda: browser.all("#status")[0].text != first)
    assert browser.run("return window.mark") is True
    browser.press("Stop")
    browser.until_text("Done.")
    assert len(numbers(amqp_url, "fiscalize")) < 60


def test_cashiers_and_shifts(console: str, browser: Browser, checkbox: SandboxProcess) -> None:
    """A look at the cashiers names the one without a shift; on a phone each finding is a card."""
    checkbox.close_shift("petro")
    browser.size(*PHONE)
    browser.sign_in(console, TOKEN)
    browser.press("Cashiers and shifts")
    check(browser)
    browser.press("Look now")
    browser.until_text("3 of 3 cashiers looked at")
    browser.until_text("have the cashier open a shift in Checkbox")
    check(browser)
    assert "petro-secret" not in browser.text


def test_a_message_cannot_run_a_script(amqp_url: str, console: str, browser: Browser) -> None:
    """What a letter says is shown as it is written."""
    attack = "<img src=x onerror='document.title=1'>"
    put(amqp_url, [1], docnumber=attack, cashier=attack)
    browser.size(*DESKTOP)
    browser.sign_in(console, TOKEN)
    browser.press("1 letter")
    browser.until_text(attack)
    assert browser.all("img") == []
    assert browser.run("return document.title") != "1"
