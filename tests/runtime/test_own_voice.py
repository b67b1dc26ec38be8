"""Replies that a model speaks itself: whose sound is whose words, and how they mix with what our speakers read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing

import numpy as np
import pytest

from vivavoce.engines.audio_tokens import AudioTokenOptions
from vivavoce.engines.base import SpeechOutput
from vivavoce.engines.fake import FakeAudioTokenDecoder, FakeLanguageModel, FakeSynthesizer
from vivavoce.errors import EngineError
from vivavoce.runtime.decoded_speech import DecodedSpeech
from vivavoce.runtime.own_voice import ClauseEnd, OwnVoice
from vivavoce.runtime.reply import ReplyRequest, reply
from vivavoce.sound import SpokenAudio, SpokenText, SpokenTokens
from vivavoce.text.clauses import Clause
from vivavoce.types import (
    ClauseCut,
    ClauseSpoken,
    GenerationEnd,
    GenerationEvent,
    GenerationOptions,
    Message,
    ReplyEnd,
    ReplyEvent,
    Samples,
    Speech,
    TextDelta,
    ThinkingDelta,
    ThinkingEnd,
)

RATE_HZ = 24_000


def hum(seconds: float, rate_hz: int = RATE_HZ) -> Samples:
    return (0.3 * np.sin(np.arange(round(seconds * rate_hz)) / 10)).astype(np.float32)


def hush(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE_HZ), np.float32)


class Scripted(FakeLanguageModel):
    """Yields what it is told to; ``asked`` is what it was asked."""

    def __init__(self, *events: GenerationEvent, speaks: SpeechOutput = "sound") -> None:
        super().__init__(1)
        self.script = events
        self.speaks = speaks
        self.asked: list[tuple[Sequence[Message], GenerationOptions]] = []
        self.closed = asyncio.Event()

    async def generate(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        self.asked.append((messages, options))
        try:
            for event in self.script:
                await asyncio.sleep(0)
                yield event
            yield GenerationEnd("stop", 7, 3, 5)
        finally:
            self.closed.set()


async def replied(
    model: FakeLanguageModel | DecodedSpeech, voice: str | None = "fake", **fields: object
) -> list[ReplyEvent]:
    events: list[ReplyEvent] = []

    async def emit(event: ReplyEvent) -> None:
        events.append(event)

    request = ReplyRequest((Message("user", "Hello."),), GenerationOptions(), voice)
    for name, value in fields.items():
        object.__setattr__(request, name, value)
    await reply(request, model, FakeSynthesizer(), emit)
    return events


def heard(events: Sequence[ReplyEvent]) -> dict[int, float]:
    """Seconds of sound by clause."""
    lengths: dict[int, float] = {}
    for event in events:
        if isinstance(event, Speech):
            lengths[event.index] = lengths.get(event.index, 0.0) + len(event.samples) / RATE_HZ
    return lengths


def texts(events: Sequence[ReplyEvent]) -> list[str]:
    return [event.text for event in events if isinstance(event, ClauseCut)]


SENTENCES = ("This is the first of them. ", "This is the second one. ", "And this is the last.")


def spoken(sentence: str) -> list[GenerationEvent]:
    """Words ahead of their sound, which is quicker than expected and ends in a pause."""
    words = [SpokenText(word + " ") for word in sentence.split()]
    sound = np.concatenate([hum(len(sentence) * 0.05), hush(0.15)])
    return [*words, *(SpokenAudio(piece, RATE_HZ) for piece in np.array_split(sound, 7))]


async def test_sound_is_played_as_it_comes_and_clauses_end_in_its_pauses() -> None:
    model = Scripted(*(event for sentence in SENTENCES for event in spoken(sentence)))
    events = await replied(model)
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert text == "".join(texts(events)) == "".join(SENTENCES) + " "
    total = sum(len(event.samples) for event in model.script if isinstance(event, SpokenAudio)) / RATE_HZ
    lengths = heard(events)
    assert sum(lengths.values()) == pytest.approx(total)
    assert [event.index for event in events if isinstance(event, ClauseSpoken)] == list(range(len(texts(events))))
    assert [type(event) for event in events[-2:]] == [
        GenerationEnd,
        ReplyEnd,
    ]  # all sound is made where the end is told
    first = next(at for at, event in enumerate(events) if isinstance(event, Speech))
    assert first < max(at for at, event in enumerate(events) if isinstance(event, TextDelta))
    assert model.asked[0][1].voice == "fake"


def test_a_clause_ends_within_a_syllable_of_the_speakers_pause() -> None:
    voice = OwnVoice("en", RATE_HZ)
    sentences = [f"{sentence.strip()} " for sentence in SENTENCES]
    clauses = [clause.text for sentence in sentences for clause in voice.words(sentence)]
    pieces = [piece for sentence in sentences for piece in (hum(len(sentence) * 0.055), hush(0.15))]
    made: list[float] = []
    ends: list[float] = []
    for piece in np.array_split(np.concatenate(pieces), 23):
        for part in voice.sound(piece):
            if isinstance(part, ClauseEnd):
                ends.append(sum(made))
            elif isinstance(part, Clause):
                clauses.append(part.text)
            else:
                made.append(len(part) / RATE_HZ)
    clauses += [last.text for last in voice.finish() if isinstance(last, Clause)]
    assert "".join(clauses) == "".join(sentences)
    pauses = np.cumsum([len(sentence) * 0.055 + 0.15 for sentence in sentences])
    for end in ends:
        assert min(abs(pauses - end)) < 0.15, (end, pauses)
    assert len(ends) == len(clauses) - 1


@pytest.mark.parametrize("seconds_a_character", [0.03, 0.05, 0.08, 0.12])
def test_quick_and_slow_speech_without_a_pause_is_shared_out_in_order(seconds_a_character: float) -> None:
    voice = OwnVoice("en", RATE_HZ)
    text = "One two three four five. Six seven eight nine ten. Eleven twelve thirteen fourteen."
    voice.words(text)
    made = [part for piece in range(20) for part in voice.sound(hum(len(text) * seconds_a_character / 20))]
    made += list(voice.finish())
    samples = sum(len(part) for part in made if isinstance(part, np.ndarray))
    assert samples / RATE_HZ == pytest.approx(len(text) * seconds_a_character, rel=0.01)
    assert sum(isinstance(part, ClauseEnd) for part in made) >= 2


async def test_sound_before_any_word_and_words_without_any_sound() -> None:
    events = await replied(Scripted(SpokenAudio(hum(0.5), RATE_HZ), SpokenText("Hello there.")))
    assert "".join(texts(events)) == "Hello there."
    assert sum(heard(events).values()) == pytest.approx(0.5)
    mute = await replied(Scripted(SpokenText("Hello there, "), SpokenText("you.")))
    assert "".join(texts(mute)) == "Hello there, you."
    assert sum(heard(mute).values()) > 0.5  # our speaker reads it
    assert not heard(await replied(Scripted(SpokenText("Hello.")), voice=None))


async def test_what_is_written_is_read_before_what_is_spoken_behind_it() -> None:
    script = (
        TextDelta("First we."),
        SpokenText("Then it."),
        SpokenAudio(hum(0.7), 16_000),
        TextDelta(" And we again."),
    )
    events = await replied(Scripted(*script))
    cut = texts(events)
    assert "".join(cut) == "First we.Then it. And we again."
    own = cut.index("Then it.")
    order = [event.index for event in events if isinstance(event, Speech | ClauseSpoken)]
    assert order == sorted(order)
    assert heard(events)[own] == pytest.approx(0.7 * RATE_HZ / 16_000, abs=0.02)  # at the rate it is played at
    assert 0 in heard(events)


async def test_thoughts_end_where_words_begin() -> None:
    events = await replied(Scripted(ThinkingDelta("Hm."), SpokenText("Yes."), SpokenAudio(hum(0.2), RATE_HZ)))
    assert [type(event) for event in events[:3]] == [ThinkingDelta, ThinkingEnd, TextDelta]


async def test_a_reply_that_was_cut_goes_on_from_what_was_heard_of_it() -> None:
    model = Scripted(SpokenText("more."), SpokenAudio(hum(0.2), RATE_HZ))
    messages = (Message("user", "Hello."), Message("assistant", "Well, it is far and so on"))
    options = GenerationOptions(continue_last_message=True)
    await replied(model, messages=messages, options=options, prefix=" and so on")
    asked, how = model.asked[0]
    assert (asked[-1].content, how.continue_last_message) == ("Well, it is far", True)
    await replied(model, messages=messages, options=options, prefix="Well, it is far and so on")
    asked, how = model.asked[1]
    assert ([message.role for message in asked], how.continue_last_message) == (["user"], False)


async def test_tokens_without_a_decoder_are_a_failure() -> None:
    with pytest.raises(EngineError, match="no decoder"):
        await replied(Scripted(SpokenTokens((1, 2)), speaks="tokens"))


# ---- tokens


class Decoder(FakeAudioTokenDecoder):
    """Remembers what it was asked, and fails if told to."""

    def __init__(self, fail: bool = False) -> None:
        self.runs: list[Sequence[int]] = []
        self.options: list[AudioTokenOptions] = []
        self.fail = fail
        self.closed = asyncio.Event()

    async def decode(
        self, tokens: AsyncIterator[Sequence[int]], options: AudioTokenOptions
    ) -> AsyncGenerator[Samples, None]:
        self.options.append(options)
        try:
            async for run in tokens:
                self.runs.append(run)
                if self.fail:
                    raise EngineError("token2wav", "lost its voice")
                yield hum(len(run) * 0.04)
        finally:
            self.closed.set()


TOKENS = (SpokenText("It is "), SpokenTokens((1, 2, 3)), SpokenText("far."), SpokenTokens((4,) * 25))


async def test_tokens_become_sound_while_more_are_written() -> None:
    decoder = Decoder()
    model = DecodedSpeech(Scripted(*TOKENS, speaks="tokens"), decoder)
    assert (model.speaks, model.audio_turns) == ("sound", 0)
    events = await replied(model)
    assert decoder.runs == [(1, 2, 3), (4,) * 25]
    assert sum(heard(events).values()) == pytest.approx(28 * 0.04)
    assert "".join(texts(events)) == "It is far."
    assert isinstance(events[-2], GenerationEnd)
    assert decoder.options == [AudioTokenOptions("fake")]
    await replied(DecodedSpeech(Scripted(*TOKENS, speaks="tokens"), decoder), voice="nobody")
    assert decoder.options[-1] == AudioTokenOptions(None)  # its first voice


async def test_a_reply_in_words_asks_nothing_of_the_decoder() -> None:
    decoder = Decoder()
    await replied(DecodedSpeech(Scripted(TextDelta("It is far."), speaks="tokens"), decoder))
    await replied(DecodedSpeech(Scripted(SpokenText("It is far."), speaks="tokens"), decoder), voice=None)
    assert not decoder.options


class Failing(Scripted):
    async def generate(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        yield SpokenText("It is ")
        yield SpokenTokens((1,))
        raise EngineError("mini", "broke off")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DecodedSpeech(Scripted(*TOKENS, speaks="tokens"), Decoder(fail=True)), "token2wav: lost its voice"),
        (lambda: DecodedSpeech(Failing(speaks="tokens"), Decoder()), "mini: broke off"),
    ],
)
async def test_failures_of_either_end_the_reply(make: Callable[[], DecodedSpeech], message: str) -> None:
    with pytest.raises(EngineError, match=message):
        async with asyncio.timeout(5):
            await replied(make())


async def test_leaving_a_reply_closes_model_and_decoder() -> None:
    decoder = Decoder()
    model = Scripted(*TOKENS * 50, speaks="tokens")
    async with aclosing(DecodedSpeech(model, decoder).generate((), GenerationOptions(voice="fake"))) as events:
        async for event in events:
            if isinstance(event, SpokenAudio):
                break
    async with asyncio.timeout(2):
        await model.closed.wait()
        await decoder.closed.wait()
