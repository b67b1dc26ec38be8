"""Hibari's weights lie in its wheel, so these tests need nothing pulled."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from vivavoce.audio.silence import FLOOR
from vivavoce.engines.base import EngineContext
from vivavoce.engines.hibari import HibariSynthesizer, load
from vivavoce.engines.pauses import SENTENCE_MS
from vivavoce.errors import EngineError
from vivavoce.types import Samples, SpeakOptions


def no_weights(name: str) -> Path:
    raise AssertionError(f"asked for {name}")


@pytest.fixture(scope="module")
def synthesizer() -> Iterator[HibariSynthesizer]:
    loaded = load(EngineContext(weights=no_weights, threads=1, capacity=1))
    yield loaded
    loaded.close()


async def speech(synthesizer: HibariSynthesizer, text: str, speed: float = 1.0) -> list[Samples]:
    return [piece async for piece in synthesizer.speak(text, SpeakOptions("heart", "en", speed))]


async def test_a_sentence_is_one_trimmed_piece_with_its_pause(synthesizer: HibariSynthesizer) -> None:
    [piece] = await speech(synthesizer, "Sure, I can help with that.")
    audible = np.flatnonzero(np.abs(piece) > FLOOR)
    assert piece.dtype == np.float32
    assert 1.0 < len(piece) / synthesizer.rate_hz < 3.0
    assert audible[0] < 0.03 * synthesizer.rate_hz
    assert (len(piece) - audible[-1]) / synthesizer.rate_hz * 1000 == pytest.approx(SENTENCE_MS, abs=60)


async def test_sentences_come_one_by_one(synthesizer: HibariSynthesizer) -> None:
    assert len(await speech(synthesizer, "This is one. This is two. And three!")) == 3


async def test_the_same_text_sounds_the_same(synthesizer: HibariSynthesizer) -> None:
    first, second = [(await speech(synthesizer, "Good morning."))[0] for _ in range(2)]
    assert np.array_equal(first, second)


@pytest.mark.parametrize("text", ["", "...", "😀 ?!", "\n"])
async def test_nothing_to_say_gives_nothing(synthesizer: HibariSynthesizer, text: str) -> None:
    assert await speech(synthesizer, text) == []


@pytest.mark.parametrize("speed", [0.25, 0.5, 2.0, 4.0])
async def test_speed_changes_the_length(synthesizer: HibariSynthesizer, speed: float) -> None:
    """Before: 4 gave 2.0 times the speed of 1."""
    text = "The weather is nice today, and it will be so tomorrow."
    normal = sum(map(len, await speech(synthesizer, text)))
    changed = sum(map(len, await speech(synthesizer, text, speed)))
    assert normal / changed == pytest.approx(speed, rel=0.06)


async def test_text_without_end_is_spoken_in_pieces(synthesizer: HibariSynthesizer) -> None:
    pieces = await speech(synthesizer, "banana " * 60)
    assert len(pieces) > 1


async def test_other_voices_are_refused_not_downloaded(synthesizer: HibariSynthesizer) -> None:
    with pytest.raises(EngineError, match="no voice 'emma'"):
        await anext(synthesizer.speak("Hello.", SpeakOptions("emma", "en")))


async def test_cancelling_frees_the_worker(synthesizer: HibariSynthesizer) -> None:
    task = asyncio.create_task(speech(synthesizer, "This is a long sentence. " * 100))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.wait_for(speech(synthesizer, "Hello."), 10)


def test_close_twice() -> None:
    loaded = load(EngineContext(weights=no_weights, threads=1, capacity=1))
    loaded.close()
    loaded.close()
