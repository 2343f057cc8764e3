"""The console in a real Chromium: a person gets from the sign-in to a replay, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import pytest
from selenium.webdriver.common.keys import Keys

from tests.builders import a_body
from tests.cli.letters import numbers, put
from tests.console import axe, chromium
from tests.console.chromium import DESKTOP, PHONE, Browser
from tests.console.conftest import TOKEN
from tests.journal.messages import a_comparison, an_event, issue
from worker.console import visit
from worker.journal.heard import rows_of_event, rows_of_request
from worker.journal.writer import Writer

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


#: Words of a usual length that do not stand on one line.
BROKEN = """
const broken = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const node = walker.currentNode;
  if (!node.parentElement.checkVisibility() || node.parentElement.closest("pre, .skip")) continue;
  for (const word of node.data.matchAll(/[^\\s-]{2,40}/gu)) {
    const range = document.createRange();
    range.setStart(node, word.index);
    range.setEnd(node, word.index + word[0].length);
    const lines = new Set([...range.getClientRects()].map(one => Math.round(one.top)));
    if (lines.size > 1) broken.push(word[0]);
  }
}
return broken;
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.chromium() as one:
        yield one


def check(browser: Browser, language: str = "en") -> None:
    """Readable, named, in order, whole words, and nothing of it comes from elsewhere."""
    browser.until(lambda: browser.run("return document.readyState") == "complete")
    assert browser.run("return document.documentElement.lang") == language
    assert len(browser.all("h1")) == 1
    assert len(browser.all("main")) == 1
    assert browser.run("return document.title") not in ("", None)
    assert browser.run(UNNAMED) == 0
    contrast = browser.run(CONTRAST)
    assert isinstance(contrast, float)
    assert contrast >= 4.5
    assert browser.run(ELSEWHERE) == []
    assert browser.run(TOO_WIDE) is False
    assert browser.run(BROKEN) == []
    if axe.SCRIPT.exists():
        assert axe.violations(browser) == []


#: Words of each page by its address: those of the catalogue, one in each language.
PAGES = {
    "/sign-in": {"uk": "Токен", "ru": "Токен", "en": "Token"},
    "/": {"uk": "На людину чекають", "ru": "Человека ждут", "en": "Waiting for a person"},
    "/letters": {"uk": "Спершу", "ru": "Сначала", "en": "first"},
    "/letters?order=N-2": {"uk": "Повідомлення", "ru": "Сообщение", "en": "Message"},
    "/replay": {"uk": "Буде повторено", "ru": "Будет повторено", "en": "would be replayed"},
    "/discard": {"uk": "назавжди видалено", "ru": "навсегда удалён", "en": "removed for good"},
    "/cashiers": {"uk": "Ще не перевірено", "ru": "Ещё не проверено", "en": "Not checked yet"},
    "/jobs": {"uk": "Зміна", "ru": "Смена", "en": "Shift"},
    "/done": {"uk": "З журналом", "ru": "С журналом", "en": "With a journal"},
    "/nowhere": {"uk": "Такої сторінки", "ru": "Такой страницы", "en": "no such page"},
}


#: Those over the journal.
OF_JOURNAL = {
    "/today": {"uk": "Що потребує уваги", "ru": "Что требует внимания", "en": "What needs a person"},
    "/today?day=2026-11-24": {"uk": "За касирами", "ru": "По кассирам", "en": "By cashier"},
    "/orders": {"uk": "Номер замовлення", "ru": "Номер заказа", "en": "Number of the order"},
    "/orders?q=D": {"uk": "2 замовлення", "ru": "2 заказа", "en": "2 orders"},
    "/orders?q=D-1": {"uk": "Чек видано", "ru": "Чек выдан", "en": "Receipt issued"},
    "/reconciliation": {
        "uk": "Bimp не знає про чек",
        "ru": "Bimp не знает о чеке",
        "en": "Bimp was not told",
    },
}


SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])


@SIZES
def test_each_page_in_each_language(
    amqp_url: str, console: str, browser: Browser, size: tuple[int, int]
) -> None:
    """On a desk and on a phone, light and dark, without a violation that axe knows."""
    put(amqp_url, range(3), code="CASHIER_CREDENTIALS_REJECTED")
    put(amqp_url, [9], code="TOTALS_MISMATCH")
    browser.size(*size)
    browser.sign_in(console, TOKEN)
    browser.open(f"{console}/cashiers")
    browser.press("Shift …")
    browser.until_text("Close the shift")
    shift = {urlsplit(browser.driver.current_url).path: {"uk": "Закрити", "ru": "Закрыть", "en": "Close"}}
    check_each(browser, console, PAGES | shift)


@SIZES
def test_each_page_of_the_journal_in_each_language(
    amqp_url: str, console: str, kept: Writer, browser: Browser, size: tuple[int, int]
) -> None:
    """The same."""
    put(amqp_url, [1])
    issue(kept, 1)
    issue(kept, 2, operation="RETURN")
    kept.write(rows_of_event(a_comparison(), 0))
    browser.size(*size)
    browser.sign_in(console, TOKEN)
    browser.open(f"{console}/today")
    browser.until_text("Open shifts")
    check_each(browser, console, OF_JOURNAL)


def check_each(browser: Browser, console: str, pages: Mapping[str, Mapping[str, str]]) -> None:
    for language in ("uk", "ru", "en"):
        browser.open(f"{console}/language?to={language}&back=/jobs")
        browser.dark(language == "ru")
        for path, words in pages.items():
            browser.open(console + path)
            assert words[language].lower() in browser.text.lower()
            check(browser, language)
    browser.dark(False)


def test_from_the_sign_in_to_a_replay(amqp_url: str, console: str, browser: Browser) -> None:
    """Groups, a letter, the dry run, and the replay with its progress."""
    put(amqp_url, range(4))
    put(amqp_url, [9], code="TOTALS_MISMATCH")
    browser.size(*PHONE)
    browser.sign_in(console, TOKEN)
    browser.until_text("Waiting for a person: 5 letters.")
    browser.press("4 letters")
    browser.until_text("oldest first")
    browser.press("N-2")
    browser.until_text("Order N-2")
    assert '"phone": "***"' in browser.text
    browser.open(f"{console}/replay?code=SHIFT_NOT_OPEN")
    browser.press("Replay 4 letters")
    browser.until_text("4 of 4 replayed: 0 fiscalized, 0 came back, 4 still waiting")
    check(browser)
    browser.until_text("Done.")
    assert numbers(amqp_url, "fiscalize") == [0, 1, 2, 3]
    assert numbers(amqp_url) == [9]


def test_a_page_looks_for_news_and_leaves_what_is_typed(
    amqp_url: str, console: str, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A letter that comes is shown; the field, its text and the cursor stay, and so does the page."""
    monkeypatch.setattr(visit, "REFRESH", 0.5)
    put(amqp_url, [1])
    browser.size(*DESKTOP)
    browser.sign_in(console, TOKEN)
    browser.until_text("Waiting for a person: 1 letter.")
    browser.all("#order")[0].send_keys("N-")
    browser.run("window.mark = true")
    put(amqp_url, [2])
    browser.until_text("Waiting for a person: 2 letters.")
    assert browser.run("return document.activeElement.id + document.activeElement.value") == "orderN-"
    assert browser.run("return window.mark") is True


def test_a_history_grows_beside_what_is_typed(
    console: str, kept: Writer, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the journal hears is shown by itself; the search that somebody begins stays."""
    monkeypatch.setattr(visit, "REFRESH", 0.5)
    kept.write(rows_of_request(a_body(id="r1"), 0))
    browser.size(*PHONE)
    browser.sign_in(console, TOKEN)
    browser.open(f"{console}/orders?q=r1")
    browser.until_text("Sale asked for")
    browser.all("#q")[0].send_keys("23")
    kept.write(rows_of_event(an_event(request="r1"), 0))
    browser.until_text("Receipt issued")
    assert browser.run("return document.activeElement.id + document.activeElement.value") == "qr123"


def test_the_keyboard_is_enough(amqp_url: str, console: str, browser: Browser) -> None:
    """The first stop leads past the navigation, and each stop can be seen."""
    put(amqp_url, [1])
    browser.size(*DESKTOP)
    browser.sign_in(console, TOKEN)
    browser.until_text("Waiting for a person")
    stops = []
    for _ in range(16):
        browser.driver.switch_to.active_element.send_keys(Keys.TAB)
        outline = "return getComputedStyle(document.activeElement).outlineStyle"
        assert browser.run(outline) == "solid"
        stops.append(str(browser.run("return document.activeElement.innerText || document.activeElement.id")))
    assert stops[0] == "To the contents"
    assert {"Jobs", "English", "Sign out", "order", "Find", "Runbook"} <= set(stops)


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
