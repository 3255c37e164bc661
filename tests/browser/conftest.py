"""The page in a real browser: headless Chromium, driven through its own driver.

Where one of them is missing the tests are skipped, and say so; with the environment
variable ``PARASPEC_BROWSER=required`` they fail instead.
"""

import os
import shutil

import pytest
from tests import made_up

FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
OFFLINE = {
    "offline": True,
    "latency": 0,
    "downloadThroughput": 0,
    "uploadThroughput": 0,
}


REQUIRED = os.environ.get("PARASPEC_BROWSER") == "required"
PROGRAMS = ("chromium", "chromedriver")

if REQUIRED:
    import selenium  # noqa: F401  (the tests would skip without it)


@pytest.fixture(scope="session")
def browser():
    """A browser without a network."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        reason = f"no {missing[0]} (apt-get install chromium chromium-driver)"
        pytest.fail(reason) if REQUIRED else pytest.skip(reason)
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    for flag in FLAGS:
        options.add_argument(flag)
    options.binary_location = shutil.which("chromium")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, Service(shutil.which("chromedriver")))
    driver.execute_cdp_cmd("Network.enable", {})
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", OFFLINE)
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def address(browser, tmp_path_factory):
    """File address of the made-up study's page."""
    root = made_up.made_up(tmp_path_factory.getbasetemp())
    path = tmp_path_factory.mktemp("browser") / "report.html"
    path.write_text(made_up.page_of(root), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def opened(browser, address):
    """Open the page at a fragment, afresh, in a window of some width."""

    def open_page(fragment="", width=1280):
        size = {"width": width, "height": 900, "deviceScaleFactor": 1}
        size["mobile"] = width < 700
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.get("about:blank")
        browser.get(address + fragment)
        return browser

    return open_page
