"""A perceiver beside the recogniser: in time, late, failing, cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence

import numpy as np
import pytest
from typing_extensions import override

from vivavoce.engines.base import Perceiver, Recognizer
from vivavoce.engines.fake import FakeRecognizer, FakeSpeechDetector
from vivavoce.engines.fake.embedder import FakeEmbedder
from vivavoce.errors import EngineError
from vivavoce.intents.classifier import FEELING_HEADS, IntentClassifier, load_heads
from vivavoce.intents.feelings import WordsReader
from vivavoce.runtime.long_audio import transcribe_turn
from vivavoce.runtime.perceiving import Perceiving
from vivavoce.runtime.recognition import Recognition, final_transcript
from vivavoce.runtime.vad_batcher import VadBatcher
from vivavoce.scheduling import Ticket, Urgency
from vivavoce.types import Samples, TranscribeOptions, Transcript, TranscriptDelta
from vivavoce.voice_facts import Emotion, Labelled, Perceived, PerceiveOptions, Sound, SpeechEncoding

DOG = Sound(label="Dog", score=0.8, start_ms=0, end_ms=960)
LOUD = np.full(16_000, 0.5, np.float32)
ENCODING = SpeechEncoding("net", np.zeros((50, 4), np.float32), np.zeros((80, 100), np.float32))


class Encoding(Recognizer):
    """Hands its encoding over, where it is asked to, and needs a moment for the words."""

    rate_hz = 16_000

    @override
    async def transcribe(
        self, samples: Samples, options: TranscribeOptions
    ) -> AsyncGenerator[SpeechEncoding | TranscriptDelta | Transcript, None]:
        if options.encoding:
            yield ENCODING
        await asyncio.sleep(0.03)
        async for event in FakeRecognizer().transcribe(samples, options):
            yield event

    @override
    def close(self) -> None:
        pass


class Listening(Perceiver):
    """Takes ``takes_s``; keeps the encodings it got."""

    def __init__(self, takes_s: float = 0.0, *, network: str | None = "net", fails: bool = False) -> None:
        self.network = network
        self.heard: list[SpeechEncoding | None] = []
        self.ended = 0
        self._takes_s, self._fails = takes_s, fails

    @override
    async def perceive(
        self, samples: Samples, rate_hz: int, encoding: SpeechEncoding | None, options: PerceiveOptions
    ) -> Perceived:
        self.heard.append(encoding)
        try:
            await asyncio.sleep(self._takes_s)
        finally:
            self.ended += 1
        if self._fails:
            raise EngineError("listening", "failed")
        return Perceived(language=Labelled(label="en", score=0.9))

    @override
    def close(self) -> None:
        pass


async def transcript(perceiver: Perceiver, *, encoding: bool = True, patience_s: float = 0.005) -> Transcript:
    recognition = Recognition(Encoding(), perceiving=Perceiving([perceiver], patience_s))
    options = TranscribeOptions(encoding=encoding)
    return await final_transcript(recognition.transcript(LOUD, options, Ticket(Urgency.LIVE, object())))


@pytest.mark.parametrize(("network", "encoding"), [("net", ENCODING), (None, None)])
async def test_a_transcript_has_what_was_heard_while_it_was_made(
    network: str | None, encoding: SpeechEncoding | None
) -> None:
    perceiver = Listening(0.01, network=network)
    heard = await transcript(perceiver)
    assert heard.text
    assert heard.perceived == Perceived(language=Labelled(label="en", score=0.9))
    assert perceiver.heard == [encoding]


async def test_nobody_waits_long_for_what_is_late() -> None:
    perceiver = Listening(30)
    async with asyncio.timeout(5):
        heard = await transcript(perceiver)
    assert heard.text
    assert heard.perceived is None
    await asyncio.sleep(0)
    assert perceiver.ended == 1


async def test_a_perceiver_that_fails_costs_no_words() -> None:
    heard = await transcript(Listening(fails=True))
    assert heard.text
    assert heard.perceived is None


class Feeling(Perceiver):
    """Hears somebody sad, as sure as it is told to be."""

    network = None

    def __init__(self, score: float) -> None:
        self._score = score

    @override
    async def perceive(
        self, samples: Samples, rate_hz: int, encoding: SpeechEncoding | None, options: PerceiveOptions
    ) -> Perceived:
        return Perceived(emotion=Emotion(label="sad", score=self._score, scores={}, source="test"))

    @override
    def close(self) -> None:
        pass


class Reading(IntentClassifier):
    """Finds good news in everything, after ``takes_s``; counts what it was asked."""

    def __init__(self, takes_s: float = 0.0) -> None:
        super().__init__(FakeEmbedder(), load_heads(FEELING_HEADS))
        self.asked: list[str] = []
        self._takes_s = takes_s

    @override
    async def probabilities(self, texts: Sequence[str]) -> list[Mapping[str, float]] | None:
        self.asked += texts
        await asyncio.sleep(self._takes_s)
        return [{"good": 0.9, "bad": 0.0, "plain": 0.0, "open": 0.0} for _ in texts]


@pytest.mark.parametrize(("score", "takes_s", "told"), [(0.95, 0.0, "good"), (0.5, 0.0, None), (0.95, 30.0, None)])
async def test_the_words_are_read_where_an_emotion_is_sure(score: float, takes_s: float, told: str | None) -> None:
    reading = Reading(takes_s)
    perceiving = Perceiving([Feeling(score)], 0.05, words=WordsReader(reading))
    recognition = Recognition(Encoding(), perceiving=perceiving)
    ticket = Ticket(Urgency.LIVE, object())
    async with asyncio.timeout(5):
        heard = await final_transcript(recognition.transcript(LOUD, TranscribeOptions(encoding=True), ticket))
    assert heard.perceived is not None
    assert heard.perceived.words_tell == told
    assert bool(reading.asked) == (score > 0.9)


class Sounding(Listening):
    """Hears a dog, and no language."""

    @override
    async def perceive(
        self, samples: Samples, rate_hz: int, encoding: SpeechEncoding | None, options: PerceiveOptions
    ) -> Perceived:
        await super().perceive(samples, rate_hz, encoding, options)
        return Perceived(sounds=(DOG,))


async def listened(*perceivers: Perceiver, recognizer: Recognizer | None = None, samples: Samples = LOUD) -> Transcript:
    recognition = Recognition(recognizer or Encoding(), perceiving=Perceiving(perceivers, 0.05))
    events = recognition.transcript(samples, TranscribeOptions(encoding=True), Ticket(Urgency.LIVE, object()))
    return await final_transcript(events)


async def test_what_several_hear_is_put_together_and_one_that_is_late_or_fails_is_left_out() -> None:
    voice = Perceived(language=Labelled(label="en", score=0.9))
    heard = await listened(Sounding(network=None), Listening())
    assert heard.perceived == Perceived(sounds=(DOG,), language=voice.language)
    assert (await listened(Sounding(30, network=None), Listening())).perceived == voice
    assert (await listened(Sounding(network=None), Listening(fails=True))).perceived == Perceived(sounds=(DOG,))


class Silent(Encoding):
    """Hears no words."""

    @override
    async def transcribe(
        self, samples: Samples, options: TranscribeOptions
    ) -> AsyncGenerator[SpeechEncoding | TranscriptDelta | Transcript, None]:
        yield Transcript("", "en")


async def test_what_has_no_words_is_waited_for_longer() -> None:
    assert (await listened(Sounding(0.3, network=None), recognizer=Silent())).perceived == Perceived(sounds=(DOG,))


async def test_a_turn_that_is_read_in_pieces_is_listened_to_as_a_whole() -> None:
    perceiver = Sounding(network=None)
    recognition = Recognition(Encoding(), perceiving=Perceiving([perceiver], 0.05))
    samples = np.tile(LOUD, 30)
    vad, options = VadBatcher(FakeSpeechDetector()), TranscribeOptions(encoding=True)
    heard = await final_transcript(transcribe_turn(recognition, vad, samples, options, object()))
    assert heard.text
    assert heard.perceived == Perceived(sounds=(DOG,))
    assert len(perceiver.heard) == 1


async def test_nothing_is_done_where_nobody_asks() -> None:
    perceiver = Listening()
    heard = await transcript(perceiver, encoding=False)
    assert heard.perceived is None
    assert perceiver.heard == []
