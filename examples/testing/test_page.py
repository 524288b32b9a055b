"""A test of a web page in a browser, with Playwright. The page and its stream come from the same server."""
import shutil
from pathlib import Path

import pytest
from server import Server

playwright = pytest.importorskip("playwright.sync_api")

FEED = """@resume
@open
retry: 500
id: 1
data: one

@pause two
id: 2
data: two

@pause three
id: 3
data: three

@hang
"""


@pytest.fixture
def server():
    server = Server("--only", "--static", str(Path(__file__).with_name("page")))
    server.drive("PUT", "scripts/feed", FEED)
    yield server
    server.stop()


@pytest.fixture
def page():
    with playwright.sync_playwright() as browsers:
        # Without Chromium in PATH, the one that `playwright install` installs.
        with browsers.chromium.launch(executable_path=shutil.which("chromium")) as browser:
            yield browser.new_page()


def test_a_page_that_loses_its_stream_recovers(server, page):
    page.goto(f"{server.origin}/")
    items, state = page.locator("#feed li"), page.locator("#state")
    playwright.expect(items).to_have_text(["one"])
    server.drive("POST", "go/two")
    playwright.expect(items).to_have_text(["one", "two"])
    server.drive("POST", "drop/feed")
    playwright.expect(state).to_have_text("reconnecting")
    playwright.expect(state).to_have_text("connected")
    server.drive("POST", "go/three")
    playwright.expect(items).to_have_text(["one", "two", "three"])
