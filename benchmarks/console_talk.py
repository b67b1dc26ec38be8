"""A long conversation in the console, by voice with the real models: ``PYTHONPATH=tests python benchmarks/console_talk.py``.

Chromium's microphone plays spoken questions over and over, with pauses in which they are answered. Every reply is measured: how
long after the question it is to be heard, and how far its highlighted words end from its sound; every minute the memory
of the page (after a garbage collection) and of the server. Growth is the last fifth of the time beside the first.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from playwright.sync_api import CDPSession, Page, sync_playwright
from rich.console import Console
from rich.table import Table

from clients.speaking import spoken
from console.browsing import LOUD, console, launched, wav_file

QUESTIONS = (
    "What is the capital of Italy?",
    "How many legs does a spider have?",
    "Which colour is a lemon?",
    "What is three plus four?",
    "Name one animal that can fly.",
    "Is the sun hot or cold?",
)
GAP_S = 13.0
"""Silence behind each question: time for a short answer on a slow machine."""

SAMPLES = """
// Every 50 ms how much of the newest reply is highlighted, and how much is still ahead.
window.highlighted = [];
setInterval(() => {
  const bubbles = document.querySelectorAll('[data-testid="bubble-assistant"]');
  const bubble = bubbles[bubbles.length - 1];
  if (!bubble) return;
  const said = bubble.querySelector('[data-testid="said"]')?.textContent.length ?? 0;
  window.highlighted.push([performance.now(), bubbles.length, said, bubble.querySelector(".ahead")?.textContent.length ?? 0]);
}, 50);
"""


@dataclass(frozen=True, slots=True)
class ReplyTimes:
    """One reply: when it was first to be heard, how long after the question's end, and how much later than its sound its
    highlighted words ended (``None``: it was interrupted)."""

    at_s: float
    delay_ms: float
    drift_ms: float | None


@dataclass(frozen=True, slots=True)
class Memory:
    """Megabytes at a time: the page's objects, the server with its child processes."""

    at_s: float
    page_mb: float
    server_mb: float


@contextmanager
def server(port: int) -> Iterator[tuple[str, psutil.Process]]:
    """A server with the real models; its address and its process."""
    command = [sys.executable, "-m", "vivavoce", "serve", "--port", str(port), "--log-level", "warning"]
    process = subprocess.Popen(command)
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(240):
            time.sleep(0.5)
            try:
                if httpx.get(f"{address}/readyz").status_code == 200:
                    break
            except httpx.TransportError:
                continue
        yield address, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


def recording(folder: Path) -> Path:
    """All questions, each with its gap."""
    gap = bytes(int(GAP_S * 24_000) * 2)
    return wav_file(folder / "questions.wav", b"".join(spoken(question) + gap for question in QUESTIONS))


def memory(page: Page, devtools: CDPSession, process: psutil.Process, at_s: float) -> Memory:
    """Of the page after a garbage collection, and of the server."""
    devtools.send("HeapProfiler.collectGarbage")
    used = page.evaluate("performance.memory.usedJSHeapSize") / 2**20
    servers = (process, *process.children(recursive=True))
    return Memory(at_s, used, sum(one.memory_info().rss for one in servers) / 2**20)


def taken(page: Page, began: float) -> list[ReplyTimes]:
    """The replies that have ended since the last call; what was recorded of them is let go."""
    recorded = page.evaluate(
        """() => {
        const found = { played: window.played, arrived: window.arrived, highlighted: window.highlighted };
        window.played = []; window.arrived = []; window.highlighted = [];
        return { ...found, now: performance.now() };
    }"""
    )
    loud = [at for at, level in recorded["played"] if level > LOUD]
    stops = [at for at, kind in recorded["arrived"] if kind == "input_audio_buffer.speech_stopped"]
    starts = [at for at, kind in recorded["arrived"] if kind == "input_audio_buffer.speech_started"]
    offset_s = time.monotonic() - began - recorded["now"] / 1000
    replies: list[ReplyTimes] = []
    for number, stop in enumerate(stops):
        until = stops[number + 1] if number + 1 < len(stops) else recorded["now"]
        heard = [at for at in loud if stop < at < until]
        if not heard:
            continue
        interrupted = any(heard[0] < start < heard[-1] + 200 for start in starts)
        drift = None if interrupted else _highlight_end(recorded["highlighted"], heard[0], until) - heard[-1]
        replies.append(ReplyTimes(heard[0] / 1000 + offset_s, heard[0] - stop, drift))
    return replies


def _highlight_end(samples: Sequence[Sequence[float]], first: float, until: float) -> float:
    """When the last word of the reply that is heard from ``first`` on was highlighted."""
    within = [sample for sample in samples if first - 500 < sample[0] < until]
    bubble = max(sample[1] for sample in within)
    ahead = [sample[0] for sample in within if sample[1] == bubble and sample[3] > 0]
    return max(ahead, default=first)


def talk(address: str, process: psutil.Process, minutes: float) -> tuple[list[ReplyTimes], list[Memory]]:
    """The conversation."""
    replies, memories = list[ReplyTimes](), list[Memory]()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = recording(Path(folder))
        with launched(playwright, path, loop=True) as browser, console(browser, address) as page:
            page.evaluate(SAMPLES)
            devtools = page.context.new_cdp_session(page)
            began = time.monotonic()
            page.get_by_test_id("orb").click()
            length_s = path.stat().st_size / 48_000
            while (at_s := time.monotonic() - began) < minutes * 60:
                page.wait_for_timeout(min(length_s, minutes * 60 - at_s) * 1000)
                replies += taken(page, began)
                memories.append(memory(page, devtools, process, time.monotonic() - began))
                print(f"{memories[-1].at_s / 60:5.1f} min  {len(replies)} replies  {memories[-1]}", flush=True)
            page.get_by_test_id("orb").click()
    return replies, memories


def report(replies: Sequence[ReplyTimes], memories: Sequence[Memory], minutes: float, screen: Console) -> None:
    """The first fifth beside the last."""
    fifth_s = minutes * 60 / 5
    table = Table("", "first fifth", "last fifth", "all", title=f"{minutes:g} minutes, {len(replies)} replies")
    rows = {
        "question → heard, ms, median": [(one.at_s, one.delay_ms) for one in replies],
        "highlighted words end after the sound, ms, median": [
            (one.at_s, one.drift_ms) for one in replies if one.drift_ms is not None
        ],
        "page, MB": [(one.at_s, one.page_mb) for one in memories],
        "server, MB": [(one.at_s, one.server_mb) for one in memories],
    }
    for name, values in rows.items():
        early = [value for at_s, value in values if at_s <= fifth_s]
        late = [value for at_s, value in values if at_s > minutes * 60 - fifth_s]
        columns = (early, late, [value for _, value in values])
        table.add_row(name, *(f"{statistics.median(column):.1f}" if column else "–" for column in columns))
    screen.print(table)
    screen.print(f"interrupted: {sum(one.drift_ms is None for one in replies)}")


def main() -> None:
    """The entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--port", type=int, default=8190)
    options = parser.parse_args()
    with server(options.port) as (address, process):
        replies, memories = talk(address, process, options.minutes)
    report(replies, memories, options.minutes, Console())


if __name__ == "__main__":
    main()
