"""``/v1/weights``: what is here, and a pull that goes on by itself."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import httpx
import pytest

from running import RunningServer
from vivavoce.errors import WeightsError
from vivavoce.models.background_pull import BackgroundPulls
from vivavoce.models.catalogue import WeightEntry, load_catalogue
from vivavoce.models.progress import PullProgress

ENTRY = load_catalogue().entry("silero-vad")


@dataclass
class Source:
    """Gives half of an entry, and waits."""

    go_on: threading.Event = field(default_factory=threading.Event)
    half: threading.Event = field(default_factory=threading.Event)
    failure: str | None = None
    pulled: int = 0

    def pull(self, entry: WeightEntry, progress: PullProgress) -> None:
        self.pulled += 1
        progress.begin(entry, 100)
        progress.at(50, "a shelf")
        self.half.set()
        assert self.go_on.wait(10)
        if self.failure:
            raise WeightsError(self.failure)
        progress.end(entry)


def test_the_catalogue_is_listed(server: RunningServer) -> None:
    listed = {entry["name"]: entry for entry in httpx.get(f"{server.http}/v1/weights").json()["data"]}
    assert set(listed) == {entry.name for entry in load_catalogue().weights}
    assert listed["silero-vad"]["size_bytes"] == ENTRY.size_bytes
    assert listed["silero-vad"]["pull"] is None


def test_what_there_is_not_cannot_be_pulled(server: RunningServer) -> None:
    answer = httpx.post(f"{server.http}/v1/weights/nothing/pull")
    assert (answer.status_code, answer.json()["error"]["param"]) == (404, "name")


def test_a_pull_tells_how_far_it_is_and_runs_once() -> None:
    source = Source()
    pulls = BackgroundPulls(source.pull)
    pulls.start(ENTRY)
    assert source.half.wait(10)
    assert pulls.start(ENTRY) == pulls.state(ENTRY.name)
    state = pulls.state(ENTRY.name)
    assert state is not None
    assert (state.done_bytes, state.total_bytes, state.place, state.running) == (50, 100, "a shelf", True)
    source.go_on.set()
    _until_over(pulls)
    assert pulls.state(ENTRY.name) is None
    assert source.pulled == 1


def test_a_pull_that_failed_says_why_and_can_be_tried_again() -> None:
    source = Source(failure="no source has it")
    source.go_on.set()
    pulls = BackgroundPulls(source.pull)
    pulls.start(ENTRY)
    _until_over(pulls)
    state = pulls.state(ENTRY.name)
    assert state is not None
    assert state.error == "no source has it"
    source.failure = None
    pulls.start(ENTRY)
    _until_over(pulls)
    assert pulls.state(ENTRY.name) is None


def _until_over(pulls: BackgroundPulls) -> None:
    deadline = time.monotonic() + 10
    while (state := pulls.state(ENTRY.name)) is not None and state.running:
        if time.monotonic() > deadline:
            pytest.fail("the pull did not end")
        time.sleep(0.01)
