"""A real Chromium, driven as a person would."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
DESKTOP, PHONE = (1280, 900), (390, 844)


@contextmanager
def chromium() -> Iterator[Browser]:
    """One browser; its own profile, which is gone afterwards."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    # In a container it is root, and shared memory is small.
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options, Service(DRIVER))
    driver.set_page_load_timeout(60)
    try:
        yield Browser(driver)
    finally:
        driver.quit()


class Browser:
    """What a person sees and does."""

    def __init__(self, driver: WebDriver) -> None:
        self.driver = driver

    def size(self, width: int, height: int) -> None:
        """Of the page itself, as on a device."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def open(self, url: str) -> None:
        self.driver.get(url)

    def sign_in(self, url: str, token: str) -> None:
        self.driver.delete_all_cookies()
        self.open(url)
        self.fill("Token", token)
        self.press("Sign in")
        self.until(lambda: not self.all("input[type=password]"))  # another page would cut it short

    def press(self, text: str) -> None:
        """A button or a link by its words."""
        path = f"//*[self::button or self::a][starts-with(normalize-space(), '{text}')]"
        self.until(lambda: self.driver.find_elements(By.XPATH, path))[0].click()

    def fill(self, label: str, text: str) -> None:
        """A field by its label."""
        path = f"//input[@id=//label[normalize-space()='{label}']/@for]"
        self.driver.find_element(By.XPATH, path).send_keys(text)

    @property
    def text(self) -> str:
        """In one go: a page may be replaced between two questions."""
        return str(self.run("return document.body ? document.body.innerText : ''"))

    def all(self, selector: str) -> list[WebElement]:
        return list(self.driver.find_elements(By.CSS_SELECTOR, selector))

    def run(self, script: str) -> object:
        result: object = self.driver.execute_script(script)
        return result

    def until(self, condition, timeout: float = 30.0):  # type: ignore[no-untyped-def]
        """What the condition gives when it is something true."""
        replaced = [StaleElementReferenceException]
        waiting = WebDriverWait(self.driver, timeout, 0.05, ignored_exceptions=replaced)
        return waiting.until(lambda _: condition())

    def until_text(self, text: str) -> None:
        self.until(lambda: text in self.text)

    def dark(self, wanted: bool) -> None:
        """What the system prefers."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if wanted else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})

    def picture(self) -> bytes:
        return bytes(self.driver.get_screenshot_as_png())
