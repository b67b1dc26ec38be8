"""Refinements over HTTP with the fake engines, held where a test wants to look: progress, ends and waits."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from running import RunningServer, holding, running, talking
from vivavoce.config import load_config
from vivavoce.engines.base import VectorSynthesizer
from voicing import RATE_HZ, file_of, hum

PLANNED = 24
BEFORE_THE_SEARCH = 3
"""Two fresh sentences to judge by, and the one that is searched with."""


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running(load_config({"voices": {"refine_evaluations": PLANNED}}, profile="fake")) as started:
        yield started


@pytest.fixture
def client(server: RunningServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{server.http}/v1/audio", timeout=60) as made:
        yield made


class Held:
    """Lets ``allowed`` offline syntheses through; the next ones wait, and are counted when they are stopped."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.allowed = BEFORE_THE_SEARCH + 5
        self.finished = 0
        self.stopped = 0
        self.waiting = threading.Event()
        self.was_stopped = threading.Event()

    async def synthesize_offline(self, text: str, vectors: Any) -> Any:
        try:
            while self.finished >= self.allowed:
                self.waiting.set()
                await asyncio.sleep(0.005)
        except asyncio.CancelledError:
            self.stopped += 1
            self.was_stopped.set()
            raise
        self.finished += 1
        return await self._real(text, vectors)


@pytest.fixture
def held(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Held]]:
    """Holds offline syntheses from when it is called."""
    [synthesizer] = [
        one for one in server.core.engines.synthesizer.synthesizers.values() if isinstance(one, VectorSynthesizer)
    ]
    made: list[Held] = []

    def hold() -> Held:
        made.append(Held(synthesizer.synthesize_offline))
        monkeypatch.setattr(synthesizer, "synthesize_offline", made[-1].synthesize_offline)
        return made[-1]

    yield hold
    for one in made:
        one.allowed = 1_000_000


def voice_of(client: httpx.Client, pitch_hz: float) -> str:
    answer = client.post(
        "/voices", files={"file": ("a.wav", file_of(hum(pitch_hz)))}, data={"name": f"{time.monotonic()}"}
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def until(client: httpx.Client, voice: str, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        job: dict[str, Any] = client.get(f"/voices/{voice}/refine").json()
        if reached(job):
            return job
        time.sleep(0.02)
    raise AssertionError(job)


def ended(job: dict[str, Any]) -> bool:
    return job["status"] not in ("queued", "running")


def test_progress_is_told_and_an_end_in_the_middle_keeps_the_match(
    client: httpx.Client, held: Callable[[], Held]
) -> None:
    voice = voice_of(client, 228)
    before = client.get(f"/voices/{voice}").json()
    held()
    begun = client.post(f"/voices/{voice}/refine").json()
    assert begun["evaluations"] == {"done": 0, "planned": PLANNED}
    job = until(client, voice, lambda job: job["evaluations"]["done"] == 5)
    assert (job["status"], job["id"]) == ("running", begun["id"])
    assert client.delete(f"/voices/{voice}/refine").json()["status"] == "cancelled"
    job = client.get(f"/voices/{voice}/refine").json()
    assert (job["status"], job["kept"], job["evaluations"]["done"]) == ("cancelled", False, 5)
    assert client.get(f"/voices/{voice}").json() == before


def test_a_call_stops_it_and_it_goes_on_afterwards(
    server: RunningServer, client: httpx.Client, held: Callable[[], Held]
) -> None:
    voice = voice_of(client, 228)
    hold = held()
    client.post(f"/voices/{voice}/refine")
    assert hold.waiting.wait(10)
    with holding(server.core.request_slots):
        deadline = time.monotonic() + 10
        while not hold.stopped and time.monotonic() < deadline:
            time.sleep(0.01)
        assert hold.stopped == 1
        hold.allowed = 1_000_000
        time.sleep(0.3)  # three looks at whether somebody is served
        assert client.get(f"/voices/{voice}/refine").json()["evaluations"]["done"] == 5
    job = until(client, voice, ended)
    assert (job["status"], job["evaluations"]["done"]) == ("completed", PLANNED)


def test_a_live_conversation_stops_it_until_it_is_over(
    server: RunningServer, client: httpx.Client, held: Callable[[], Held]
) -> None:
    voice = voice_of(client, 228)
    hold = held()
    client.post(f"/voices/{voice}/refine")
    assert hold.waiting.wait(10)

    async def talk() -> None:
        async with talking(server) as talker:
            await talker.until("session.created")
            assert await asyncio.to_thread(hold.was_stopped.wait, 10)
            hold.allowed = 1_000_000
            for text in ("Hello.", "And again."):
                await talker.say(text)
                await talker.send(type="response.create")
                events = await talker.until("response.done")
                assert any(event["type"] == "response.audio.delta" for event in events)
            assert (hold.stopped, hold.finished) == (1, BEFORE_THE_SEARCH + 5)

    asyncio.run(talk())
    job = until(client, voice, ended)
    assert (job["status"], job["evaluations"]["done"]) == ("completed", PLANNED)


def test_one_is_refined_at_a_time(client: httpx.Client, held: Callable[[], Held]) -> None:
    first, second = voice_of(client, 228), voice_of(client, 150)
    hold = held()
    client.post(f"/voices/{first}/refine")
    assert hold.waiting.wait(10)
    client.post(f"/voices/{second}/refine")
    assert client.get(f"/voices/{second}/refine").json()["status"] == "queued"
    client.delete(f"/voices/{first}/refine")
    until(client, second, lambda job: job["status"] == "running" or ended(job))
    hold.allowed = 1_000_000
    assert until(client, second, ended)["status"] == "completed"


def test_a_voice_that_is_deleted_ends_its_refinement(client: httpx.Client, held: Callable[[], Held]) -> None:
    voice = voice_of(client, 228)
    hold = held()
    client.post(f"/voices/{voice}/refine")
    assert hold.waiting.wait(10)
    assert client.delete(f"/voices/{voice}").json()["deleted"] is True
    assert hold.stopped == 1
    assert client.get(f"/voices/{voice}/refine").status_code == 404


def test_a_gain_is_kept_and_spoken_with(client: httpx.Client) -> None:
    voice = voice_of(client, 272)  # higher than every built-in voice: no blend reaches it
    before = client.get(f"/voices/{voice}").json()
    assert spoken_hz(client, voice) < 260
    client.post(f"/voices/{voice}/refine")
    job = until(client, voice, ended)
    assert (job["status"], job["kept"], job["reason"]) == ("completed", True, None)
    assert job["score_after"] > job["score_before"] + 0.1
    after = client.get(f"/voices/{voice}").json()
    assert after["refined"] is True
    assert after["similarity"]["cosine"] > before["similarity"]["cosine"] + 0.1
    assert spoken_hz(client, voice) == pytest.approx(272, abs=4)


def test_without_a_gain_the_match_stays(client: httpx.Client) -> None:
    voice = voice_of(client, 200)  # a built-in voice: there is nothing to gain
    before = client.get(f"/voices/{voice}").json()
    client.post(f"/voices/{voice}/refine")
    job = until(client, voice, ended)
    assert (job["status"], job["kept"]) == ("completed", False)
    assert "did not sound nearer" in job["reason"]
    assert client.get(f"/voices/{voice}").json() == before
    assert spoken_hz(client, voice) == pytest.approx(200, abs=4)


def spoken_hz(client: httpx.Client, voice: str) -> float:
    wanted = {"model": "step-tts-2", "input": "Hello there, this is me.", "voice": voice, "response_format": "pcm"}
    answer = client.post("/speech", json=wanted)
    assert answer.status_code == 200, answer.text
    samples = np.frombuffer(answer.content, "<i2").astype(float)
    strongest = int(np.argmax(np.abs(np.fft.rfft(samples))))
    return float(np.fft.rfftfreq(len(samples), 1 / RATE_HZ)[strongest])
