"""Clauses into a file: overlapped, bounded, and over when nobody listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

import numpy as np
import pytest

from vivavoce.audio.encoding import FileFormat, encode
from vivavoce.audio.recordings import RawFormat, read_recording
from vivavoce.errors import EngineError
from vivavoce.speech.subtitles import Subtitle
from vivavoce.speech.synthesis import (
    PIECES_AHEAD,
    OutputFormat,
    SynthesisEnd,
    SynthesisOptions,
    speak,
    synthesized_file,
)
from vivavoce.text.clauses import Clause
from vivavoce.types import ClauseSpoken, Language, Samples, SpeakOptions, Speech

RATE_HZ = 24_000
TONE = (0.2 * np.sin(np.arange(RATE_HZ) * 2 * np.pi * 300 / RATE_HZ)).astype(np.float32)


class CountingSynthesizer:
    """A second of tone a clause; counts what it was asked for. "fail" fails, "forever" never ends."""

    rate_hz = RATE_HZ
    voices: Mapping[str, frozenset[Language]] = {}

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.closed = 0

    async def speak(self, text: str, options: SpeakOptions) -> AsyncGenerator[Samples, None]:
        self.asked.append(text)
        try:
            await asyncio.sleep(0)
            if text == "fail":
                raise EngineError("counting", "failed")
            if text == "forever":
                await asyncio.Event().wait()
            yield TONE
        finally:
            self.closed += 1

    def close(self) -> None:
        pass


def clauses(*texts: str) -> list[Clause]:
    return [Clause(text, "en", text) for text in texts]


async def test_speech_comes_in_order_with_the_manner_asked_for() -> None:
    synthesizer = CountingSynthesizer()
    manner = SynthesisOptions("a", volume=0.5, pronounce=str.upper)
    pieces = [piece async for piece in speak(clauses("one", "two"), manner, synthesizer)]
    assert [type(piece) for piece in pieces] == [Speech, ClauseSpoken, Speech, ClauseSpoken]
    assert isinstance(pieces[0], Speech)
    assert np.allclose(pieces[0].samples, TONE / 2)
    assert synthesizer.asked == ["ONE", "TWO"]


async def test_the_synthesizer_runs_ahead_and_not_further_than_it_may() -> None:
    synthesizer = CountingSynthesizer()
    async with aclosing(speak(clauses(*["word"] * 100), SynthesisOptions("a"), synthesizer)) as pieces:
        await anext(pieces)
        for _ in range(200):
            await asyncio.sleep(0)
        assert len(synthesizer.asked) == 1, "the first sound comes first"
        await anext(pieces)
        for _ in range(200):
            await asyncio.sleep(0)
        assert 2 <= len(synthesizer.asked) <= PIECES_AHEAD


async def test_closing_stops_the_synthesizer_at_once() -> None:
    synthesizer = CountingSynthesizer()
    async with aclosing(speak(clauses("one", "forever"), SynthesisOptions("a"), synthesizer)) as pieces:
        assert isinstance(await anext(pieces), Speech)
        assert await anext(pieces) == ClauseSpoken(0)
        while len(synthesizer.asked) < 2:  # noqa: ASYNC110 (a few turns of the loop)
            await asyncio.sleep(0)
    assert synthesizer.closed == 2
    assert len(asyncio.all_tasks()) == 1


async def test_a_clause_that_fails_costs_itself_only() -> None:
    synthesizer = CountingSynthesizer()
    pieces = [piece async for piece in speak(clauses("one", "fail", "two", "fail"), SynthesisOptions("a"), synthesizer)]
    spoken = [(piece.index, isinstance(piece, Speech)) for piece in pieces]
    assert spoken == [(0, True), (0, False), (1, False), (2, True), (2, False), (3, False)]
    assert synthesizer.closed == 4


async def test_what_was_made_before_a_synthesizer_broke_is_heard() -> None:
    synthesizer = CountingSynthesizer()
    pieces = speak(clauses("one", "fail", "fail", "two"), SynthesisOptions("a"), synthesizer)
    assert isinstance(await anext(pieces), Speech)
    assert await anext(pieces) == ClauseSpoken(0)
    assert await anext(pieces) == ClauseSpoken(1)
    with pytest.raises(EngineError):
        await anext(pieces)
    assert synthesizer.asked == ["one", "fail", "fail"]


async def test_a_text_of_which_nothing_can_be_spoken_is_an_error() -> None:
    with pytest.raises(EngineError):
        _ = [piece async for piece in speak(clauses("fail"), SynthesisOptions("a"), CountingSynthesizer())]


@pytest.mark.parametrize("format", ["wav", "mp3", "flac", "opus", "pcm", "aac"])
@pytest.mark.parametrize("rate_hz", [8000, 22050, 48000])
async def test_the_file_holds_all_speech(format: FileFormat, rate_hz: int) -> None:
    made = [
        one
        async for one in synthesized_file(
            clauses("one", "two"), SynthesisOptions("a"), CountingSynthesizer(), OutputFormat(format, rate_hz)
        )
    ]
    assert made[-1] == SynthesisEnd(2000)
    data = b"".join(one for one in made if isinstance(one, bytes))
    raw = RawFormat(rate_hz) if format == "pcm" else None
    heard = read_recording(data, rate_hz=RATE_HZ, max_s=10, raw=raw)
    assert len(heard) / RATE_HZ == pytest.approx(2.0, abs=0.3)
    assert np.sqrt(np.mean(heard[4800:-9600] ** 2)) == pytest.approx(0.2 / np.sqrt(2), abs=0.03)


async def test_the_first_bytes_are_few_and_the_rest_follows_in_blocks() -> None:
    made = [
        one
        async for one in synthesized_file(
            clauses("one"), SynthesisOptions("a"), CountingSynthesizer(), OutputFormat("pcm", RATE_HZ)
        )
    ]
    assert [len(one) for one in made if isinstance(one, bytes)] == [7200, 40_800]
    assert made[0] == encode(TONE, "pcm", RATE_HZ)[:7200]


async def test_subtitles_follow_their_audio() -> None:
    output_format = OutputFormat("pcm", RATE_HZ)
    sentences = clauses("Well, ", "yes. ", "And so")
    made = [
        one
        async for one in synthesized_file(
            sentences, SynthesisOptions("a"), CountingSynthesizer(), output_format, subtitles=True
        )
    ]
    told = [one for one in made if isinstance(one, Subtitle)]
    assert [(one.text, one.items[0].start_ms) for one in told] == [("Well, yes.", 0), ("And so", 2000)]
    audio_before = sum(len(one) for one in made[: made.index(told[0])] if isinstance(one, bytes))
    assert audio_before == 2 * 48_000
    assert not [
        one
        async for one in synthesized_file(sentences, SynthesisOptions("a"), CountingSynthesizer(), output_format)
        if isinstance(one, Subtitle)
    ]
