"""Hibari's weights lie in its wheel, so these tests need nothing pulled."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from vivavoce.audio.silence import FLOOR
from vivavoce.engines.base import EngineContext
from vivavoce.engines.hibari import HibariSpeaker, load
from vivavoce.engines.pauses import SENTENCE_MS
from vivavoce.errors import EngineError
from vivavoce.types import Samples, SpeakOptions


def no_weights(name: str) -> Path:
    raise AssertionError(f"asked for {name}")


@pytest.fixture(scope="module")
def speaker() -> Iterator[HibariSpeaker]:
    loaded = load(EngineContext(weights=no_weights, threads=1, capacity=1))
    yield loaded
    loaded.close()


async def speech(speaker: HibariSpeaker, text: str, speed: float = 1.0) -> list[Samples]:
    return [piece async for piece in speaker.speak(text, SpeakOptions("heart", "en", speed))]


async def test_a_sentence_is_one_trimmed_piece_with_its_pause(speaker: HibariSpeaker) -> None:
    [piece] = await speech(speaker, "Sure, I can help with that.")
    audible = np.flatnonzero(np.abs(piece) > FLOOR)
    assert piece.dtype == np.float32
    assert 1.0 < len(piece) / speaker.rate_hz < 3.0
    assert audible[0] < 0.03 * speaker.rate_hz
    assert (len(piece) - audible[-1]) / speaker.rate_hz * 1000 == pytest.approx(SENTENCE_MS, abs=60)


async def test_sentences_come_one_by_one(speaker: HibariSpeaker) -> None:
    assert len(await speech(speaker, "This is one. This is two. And three!")) == 3


async def test_the_same_text_sounds_the_same(speaker: HibariSpeaker) -> None:
    first, second = [(await speech(speaker, "Good morning."))[0] for _ in range(2)]
    assert np.array_equal(first, second)


@pytest.mark.parametrize("text", ["", "...", "😀 ?!", "\n"])
async def test_nothing_to_say_gives_nothing(speaker: HibariSpeaker, text: str) -> None:
    assert await speech(speaker, text) == []


@pytest.mark.parametrize("speed", [0.25, 0.5, 2.0, 4.0])
async def test_speed_changes_the_length(speaker: HibariSpeaker, speed: float) -> None:
    """Before: 4 gave 2.0 times the speed of 1."""
    text = "The weather is nice today, and it will be so tomorrow."
    normal = sum(map(len, await speech(speaker, text)))
    changed = sum(map(len, await speech(speaker, text, speed)))
    assert normal / changed == pytest.approx(speed, rel=0.06)


async def test_text_without_end_is_spoken_in_pieces(speaker: HibariSpeaker) -> None:
    pieces = await speech(speaker, "banana " * 60)
    assert len(pieces) > 1


async def test_other_voices_are_refused_not_downloaded(speaker: HibariSpeaker) -> None:
    with pytest.raises(EngineError, match="no voice 'emma'"):
        await anext(speaker.speak("Hello.", SpeakOptions("emma", "en")))


async def test_cancelling_frees_the_worker(speaker: HibariSpeaker) -> None:
    task = asyncio.create_task(speech(speaker, "This is a long sentence. " * 100))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.wait_for(speech(speaker, "Hello."), 10)


def test_close_twice() -> None:
    loaded = load(EngineContext(weights=no_weights, threads=1, capacity=1))
    loaded.close()
    loaded.close()
