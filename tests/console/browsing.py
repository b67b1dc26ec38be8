"""A browser for the tests of the console: Chromium with a microphone that plays a recording."""

from __future__ import annotations

import os
import shutil
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

expect.set_options(timeout=8_000)

ROOT = Path(__file__).parents[2]

RECORDER = """
// What reaches the loudspeaker, as [time, loudness] of each 256 samples; and when each event arrived.
window.played = []; window.arrived = []; window.sockets = [];
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (target, ...rest) {
  if (target instanceof AudioDestinationNode) {
    const tap = this.context.createScriptProcessor(256, 1, 1);
    tap.onaudioprocess = ({ inputBuffer }) => {
      const samples = inputBuffer.getChannelData(0);
      let sum = 0;
      for (const x of samples) sum += x * x;
      window.played.push([performance.now(), Math.sqrt(sum / samples.length)]);
    };
    connect.call(this, tap);
    connect.call(tap, this.context.destination);
  }
  return connect.call(this, target, ...rest);
};
const Socket = window.WebSocket;
window.WebSocket = class extends Socket {
  constructor(...parameters) {
    super(...parameters);
    window.sockets.push(this);
    this.addEventListener("message", ({ data }) => window.arrived.push([performance.now(), JSON.parse(data).type]));
  }
};
"""

LOUD = 0.003
"""Of a block of samples: speech is played."""


def chromium() -> str | None:
    """Where Chromium is: ``CHROMIUM``, or as the system has it."""
    named = os.environ.get("CHROMIUM")
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return named or next(filter(None, found), None)


@contextmanager
def launched(playwright: Playwright, recording: Path | None = None, *, loop: bool = False) -> Iterator[Browser]:
    """Chromium; ``recording`` is what its microphone hears each time it is switched on, once, or over and over (``loop``)."""
    options = ["--no-sandbox", "--use-fake-device-for-media-stream", "--autoplay-policy=no-user-gesture-required"]
    if recording is not None:
        file = str(recording) if loop else f"{recording}%noloop"
        options += ["--use-fake-ui-for-media-stream", f"--use-file-for-fake-audio-capture={file}"]
    browser = playwright.chromium.launch(executable_path=chromium(), args=options)
    try:
        yield browser
    finally:
        browser.close()


@contextmanager
def console(browser: Browser, address: str, **context: Any) -> Iterator[Page]:
    """The page of a server. What the page complains of (errors, violations of its security policy) fails the test."""
    opened: BrowserContext = browser.new_context(
        **{"locale": "en-US", "viewport": {"width": 1280, "height": 860}, **context}
    )
    complaints: list[str] = []
    page = opened.new_page()
    page.add_init_script(RECORDER)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    try:
        page.goto(address)
        expect(page.get_by_test_id("orb")).to_be_visible()
        yield page
    finally:
        if not page.is_closed():
            page.goto("about:blank")  # the page is left, not killed: it gives its place back
        opened.close()
    # a browser reports every refused connection by itself
    assert [
        text for text in complaints if "WebSocket connection" not in text and "Failed to load resource" not in text
    ] == []


def until(holds: Callable[[], object], within_s: float = 10.0) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def wav_file(path: Path, pcm: bytes) -> Path:
    """PCM16 at 24 kHz as a file."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 24_000, 0, "NONE", ""))
        file.writeframes(pcm)
    return path


def say(page: Page, text: str) -> None:
    """Type a message."""
    page.get_by_test_id("text").fill(text)
    page.get_by_test_id("text").press("Enter")


def loud_ms(page: Page) -> float:
    """How long something was to be heard."""
    blocks = page.evaluate(f"window.played.filter(([, level]) => level > {LOUD}).length")
    return float(blocks) * 256 / 24
