"""Browsers and servers for the tests of the console."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from clients.speaking import spoken
from console.browsing import chromium, launched, wav_file
from running import RunningServer, running
from vivavoce.config import load_config
from vivavoce.http.console import console_files

NO_BROWSER = "NO BROWSER, SO THE CONSOLE IS NOT TESTED: apt-get install chromium, or set CHROMIUM"
NOT_BUILT = "THE CONSOLE IS NOT BUILT, SO IT IS NOT TESTED: python console/build.py"


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """One for a module: while it runs there can be no other event loop in this thread."""
    if chromium() is None:
        pytest.skip(NO_BROWSER)
    if not console_files():
        pytest.skip(NOT_BUILT)
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A spoken question."""
    return wav_file(
        tmp_path_factory.mktemp("microphone") / "question.wav",
        spoken("How many days are in a leap year?") + bytes(96_000),
    )


@pytest.fixture(scope="module")
def browser(playwright: Playwright, recording: Path) -> Iterator[Browser]:
    """Its microphone hears ``recording``."""
    with launched(playwright, recording) as started:
        yield started


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """Fake engines: what is tested is the page."""
    settings = {"limits": {"sessions": 8}, "knowledge": {"least_similarity": 0.1}}
    with running(load_config(settings, profile="fake")) as started:
        yield started
