"""The chat page, in a real browser without a window."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.commands import lacking

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture
def page(server: str) -> Iterator[Page]:
    """The chat page, open; a request to anywhere else, or an error in its script, fails the test."""
    if CHROMIUM is None:
        lacking("needs Chromium: apt-get install chromium")
    strangers, errors = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=list(QUIET))
        page = browser.new_page()
        page.on("request", lambda request: None if request.url.startswith(server) else strangers.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(server)
        yield page
        browser.close()
    assert [url for url in strangers if not url.startswith("data:")] == []
    assert errors == []


def test_a_question_gets_an_answer_that_grows(page: Page) -> None:
    expect(page.locator("#model")).to_have_text("first")
    page.fill("#question", "hello")
    page.press("#question", "Enter")
    expect(page.locator(".message.user")).to_have_text("hello")
    expect(page.locator(".message.assistant")).not_to_be_empty()
    expect(page.locator("#send")).to_have_text("Send", timeout=60_000)
    assert page.locator(".message.error").count() == 0


def test_what_is_said_is_text_and_never_markup(page: Page) -> None:
    page.fill("#question", "<img src=x onerror=document.title=1><b>bold</b>")
    page.press("#question", "Enter")
    expect(page.locator(".message.user")).to_have_text("<img src=x onerror=document.title=1><b>bold</b>")
    assert page.locator("#messages img, #messages b").count() == 0
    assert page.title() == "Winnow chat"


def test_a_new_chat_starts_empty(page: Page) -> None:
    page.fill("#question", "hello")
    page.press("#question", "Enter")
    expect(page.locator(".message.assistant")).to_have_count(1)
    page.click("#clear")
    expect(page.locator(".message")).to_have_count(0)
