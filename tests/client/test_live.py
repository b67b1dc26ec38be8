from __future__ import annotations

import asyncio
import base64
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripted_server import Script, scripted_server, tone
from vivavoce.audio.pcm import encode_pcm16
from vivavoce.client.connection import connect
from vivavoce.client.events import ReceivedEvent
from vivavoce.client.live import (
    AudioDeviceError,
    BlockQueue,
    PlaybackBuffer,
    load_sounddevice,
    play,
    play_event,
    talk_live,
)


@given(st.lists(st.integers(0, 50)), st.lists(st.integers(1, 50), min_size=1))
def test_the_buffer_gives_back_what_went_in_then_silence(adds: list[int], takes: list[int]) -> None:
    buffer = PlaybackBuffer()
    expected = np.arange(1, sum(adds) + 1, dtype=np.float32)
    at = 0
    for count in adds:
        buffer.add(expected[at : at + count])
        at += count
    taken = np.concatenate([buffer.take(count) for count in takes])
    assert len(taken) == sum(takes)
    padded = np.pad(expected, (0, max(0, len(taken) - len(expected))))
    np.testing.assert_array_equal(taken, padded[: len(taken)])


def test_the_user_speaking_silences_the_reply_at_once() -> None:
    buffer = PlaybackBuffer()
    audio = base64.b64encode(encode_pcm16(np.full(100, 0.5, np.float32))).decode()
    play_event(ReceivedEvent("response.audio.delta", 0.0, {"delta": audio}), buffer)
    assert buffer.take(10).max() == pytest.approx(0.5, abs=0.001)
    play_event(ReceivedEvent("input_audio_buffer.speech_started", 0.0, {}), buffer)
    assert not buffer.take(200).any()
    play_event(ReceivedEvent("response.audio.delta", 0.0, {"delta": audio}), buffer)
    assert buffer.take(10).any()


async def test_the_microphone_queue_drops_its_oldest_block_when_full() -> None:
    blocks = BlockQueue(asyncio.get_running_loop(), size=2)
    for level in (0.1, 0.2, 0.3):
        await asyncio.to_thread(blocks.push_from_thread, np.full(2, level, np.float32))
    await asyncio.sleep(0.01)
    assert [await blocks.get() for _ in range(2)] == [
        encode_pcm16(np.full(2, level, np.float32)) for level in (0.2, 0.3)
    ]


def test_without_the_package_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(AudioDeviceError, match=r"vivavoce\[audio\]"):
        load_sounddevice()


def test_with_the_package_it_is_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = ModuleType("sounddevice")
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    assert load_sounddevice() is fake


class FakeCard:
    """A sound card: speaks 200 ms of tone and then silence, and keeps what it was given to play."""

    def __init__(self) -> None:
        self.played: list[np.ndarray[Any, np.dtype[np.float32]]] = []
        self.module = ModuleType("sounddevice")
        self.module.__dict__.update(
            PortAudioError=RuntimeError,
            OutputStream=lambda **options: self.running(self.pull, options),
            InputStream=lambda **options: self.running(self.push, options),
        )

    def pull(self, callback: Any, _block: int, size: int) -> None:
        out = np.zeros((size, 1), np.float32)
        callback(out, size, None, None)
        self.played.append(out[:, 0].copy())

    def push(self, callback: Any, block: int, size: int) -> None:
        heard = tone(20) if block < 10 else np.zeros(size, np.float32)
        callback(heard.reshape(-1, 1), size, None, None)

    @contextmanager
    def running(self, work: Callable[[Any, int, int], None], options: dict[str, Any]) -> Iterator[None]:
        stop = threading.Event()

        def loop() -> None:
            block = 0
            while not stop.wait(0.005):
                work(options["callback"], block, options["blocksize"])
                block += 1

        thread = threading.Thread(target=loop)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    @property
    def loud_samples(self) -> int:
        return int((np.abs(np.concatenate(self.played)) > 0).sum())


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> FakeCard:
    fake = FakeCard()
    monkeypatch.setitem(sys.modules, "sounddevice", fake.module)
    return fake


async def test_a_live_conversation_is_heard_and_played(card: FakeCard) -> None:
    seen: list[str] = []
    done = asyncio.Event()

    def listen(event: ReceivedEvent) -> None:
        seen.append(event.type)
        if event.type == "response.done":
            done.set()

    async with scripted_server(Script()) as url, connect(url) as client:
        talking = asyncio.create_task(talk_live(client, listen))
        await asyncio.wait_for(done.wait(), 10)
        await asyncio.sleep(0.2)
        talking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await talking
    assert "input_audio_buffer.speech_started" in seen
    assert card.loud_samples == pytest.approx(2880, abs=20)


async def test_a_reply_is_played_to_its_end(card: FakeCard) -> None:
    await play(tone(100))
    assert card.loud_samples == pytest.approx(2400, abs=20)


async def test_a_card_that_does_not_open_is_said(card: FakeCard) -> None:
    def refuse(**_options: object) -> None:
        raise RuntimeError("no such device")

    card.module.__dict__["OutputStream"] = refuse
    with pytest.raises(AudioDeviceError, match="no such device"):
        await play(tone(10))
