"""Engines that answer at once and always the same: for protocol tests, and for the tests of those who build on Vivavoce.

``vivavoce serve --engines fake`` runs the whole server on them, without weights:

* speech is whatever is louder than a whisper (RMS above ``LOUD``);
* an utterance is transcribed as ``I heard 1200 milliseconds.``, silence as nothing; its words all last equally long;
* the reply repeats what the user (or a tool) said last: ``You said: …``, word by word, going on with one that has begun;
* a message ``call NAME {…}`` calls that tool, unless it is what a tool said; ``say WORDS and call NAME {…}`` says them first;
  where a call is required (or one tool is named) it is called without being asked, with the least its schema takes;
* JSON is the least its schema takes; every token is as likely as not; a reply ends before a stop;
* the voice is a tone of 50 ms a character; with ``fake_clone`` among the speakers, one of the pitch of a clip;
* texts that share words are alike; a character of Chinese counts as a word;
* a speaker has finished (0.99) unless the last ``TAIL_MS`` are loud (0.1);
* a voice is its pitch: two of the same pitch are the same speaker, a third apart they are strangers.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import zlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivavoce.engines.base import EngineContext
from vivavoce.errors import EngineError
from vivavoce.types import (
    Confidence,
    EmbedOptions,
    FinishReason,
    GenerationEnd,
    GenerationEvent,
    GenerationFeature,
    GenerationOptions,
    Language,
    Message,
    NamedTool,
    Samples,
    Sex,
    SpeakOptions,
    TextDelta,
    Token,
    TokenScore,
    TokenScores,
    ToolCall,
    ToolCallDelta,
    TranscribeOptions,
    Transcript,
    TranscriptDelta,
    Vectors,
    Word,
)

LOUD = 0.02
CHARACTER_MS = 50
TAIL_MS = 100
FAILURE = "please fail"
"""A message (or a clause) that holds these words makes the engine fail, so that failures can be tested."""

_CALL = re.compile(r"call (\w+) (\{.*\})", re.DOTALL)
_FIRST = re.compile(r"say (.+?) and call ", re.DOTALL)
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")


class FakeSpeechStream:
    """Loudness instead of a model."""

    def probability(self, frame: Samples) -> float:
        """1 for a loud frame, else 0."""
        return float(np.sqrt(np.mean(frame**2)) > LOUD)

    def reset(self) -> None:
        """Nothing is remembered."""


class FakeSpeechDetector:
    """Voice activity by loudness."""

    rate_hz = 16_000
    frame_samples = 512

    def open(self) -> FakeSpeechStream:
        """A stream."""
        return FakeSpeechStream()

    def probabilities(self, streams: Sequence[FakeSpeechStream], frames: Sequence[Samples]) -> list[float]:
        """One after the other."""
        return [stream.probability(frame) for stream, frame in zip(streams, frames, strict=True)]

    def close(self) -> None:
        """Nothing to free."""


class FakeRecognizer:
    """Says how long the utterance was."""

    rate_hz = 16_000

    async def transcribe(
        self, samples: Samples, options: TranscribeOptions
    ) -> AsyncGenerator[TranscriptDelta | Transcript, None]:
        """The duration of the loud part in words; nothing for silence. A prompt with ``FAILURE`` in it fails."""
        await asyncio.sleep(0)
        if options.prompt is not None and FAILURE in options.prompt:
            raise EngineError("fake", "was asked to fail")
        loud = np.flatnonzero(np.abs(samples) > LOUD)
        duration_ms = round((loud[-1] - loud[0]) / self.rate_hz * 10) * 100 if len(loud) else 0
        spoken = "en" if options.translate else options.language or "en"
        if not duration_ms:
            yield Transcript("", spoken)
            return
        text = f"I heard {duration_ms} milliseconds."
        if not options.words:
            yield Transcript(text, spoken)
            return
        yield Transcript(
            text,
            spoken,
            words=_evenly(text, int(loud[0]) * 1000 // self.rate_hz, int(loud[-1]) * 1000 // self.rate_hz),
            tokens=tuple(
                Token(number, word.encode(), -0.5) for number, word in enumerate(re.findall(r" ?[^ ]+", text))
            ),
            confidence=Confidence(log_probability=-0.5, no_speech=0.0, compression=1.0),
        )

    def close(self) -> None:
        """Nothing to free."""


def _evenly(text: str, start_ms: int, end_ms: int) -> tuple[Word, ...]:
    """The words of ``text``, each for as long as the others."""
    words = re.findall(r" ?[^ ]+", text)
    edges = [start_ms + (end_ms - start_ms) * number // len(words) for number in range(len(words) + 1)]
    return tuple(Word(word, *edges[number : number + 2]) for number, word in enumerate(words))


class FakeLanguageModel:
    """Repeats what it was told."""

    context_tokens = 4096
    features: frozenset[GenerationFeature] = frozenset({"schema", "logprobs"})

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity

    async def generate(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        """``You said: …``, a word at a time; or a call of a tool, in two pieces, if one is asked for by name."""
        await asyncio.sleep(0)
        begun = messages[-1].content if options.goes_on else ""
        said = _said_last(messages)
        tokens = await self.count_tokens(messages, options)
        if FAILURE in said and options.max_tokens:
            raise EngineError("fake", "failed because it was asked to")
        if options.max_tokens and (call := _chosen_call(said, options, told=messages[-1].role == "tool")):
            if first := _FIRST.match(said):
                yield TextDelta(first[1])
            half = len(call.arguments) // 2
            yield ToolCallDelta(call.id, call.name, call.arguments[:half])
            yield ToolCallDelta(call.id, call.name, call.arguments[half:])
            yield call
            yield GenerationEnd("tool_calls", input_tokens=tokens, output_tokens=1)
            return
        text = f"You said: {said}" if options.schema is None else json.dumps(_least(options.schema))
        stops = [at for stop in options.stop if (at := text.find(stop)) >= 0]
        words = re.findall(r"\s*\S+", text[: min(stops, default=None)].removeprefix(begun))
        for word in words[: options.max_tokens]:
            await asyncio.sleep(0)
            if options.logprobs is not None:
                yield TokenScores((_score(word, options.logprobs),))
            yield TextDelta(word)
        reason: FinishReason = "length" if 0 < options.max_tokens < len(words) else "stop"
        spent = min(options.max_tokens, len(words))
        yield GenerationEnd(reason, input_tokens=tokens, cached_tokens=tokens, output_tokens=spent)

    async def count_tokens(self, messages: Sequence[Message], options: GenerationOptions) -> int:
        """A token a word."""
        return sum(len(message.content.split()) for message in messages)

    def close(self) -> None:
        """Nothing to free."""


def _said_last(messages: Sequence[Message]) -> str:
    """What the user or a tool said last; instructions only where nobody has said anything."""
    for roles in (("user", "tool"), ("system",)):
        for message in reversed(messages):
            if message.role in roles:
                return message.content
    return ""


def _score(token: str, others: int) -> TokenScore:
    """As likely as not; the others are the same in capitals, less likely one after the other."""
    less = (TokenScore(token.upper(), token.upper().encode(), math.log(0.5) - n) for n in range(1, others))
    same = TokenScore(token, token.encode(), math.log(0.5))
    return replace(same, others=(same, *less) if others else ())


def _chosen_call(said: str, options: GenerationOptions, *, told: bool) -> ToolCall | None:
    """The call asked for by name, if the choice allows it; else the one the choice demands."""
    choice = options.tool_choice
    allowed = {
        tool.name: tool
        for tool in options.tools
        if tool.name not in options.withheld and (not isinstance(choice, NamedTool) or tool.name == choice.name)
    }
    if choice == "none" or not allowed:
        return None
    asked = None if told else _CALL.search(said)
    if asked and asked[1] in allowed:
        return ToolCall(f"call_{asked[1]}", asked[1], asked[2])
    if choice == "auto":
        return None
    tool = next(iter(allowed.values()))
    return ToolCall(f"call_{tool.name}", tool.name, json.dumps(_least({"type": "object", **tool.parameters})))


def _least(schema: Mapping[str, Any]) -> Any:
    """A small value of the common kinds of JSON Schema: type, enum, const, minimum, required properties."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type", "null"):
        case "object":
            properties = schema.get("properties", {})
            return {name: _least(properties.get(name, {})) for name in schema.get("required", ())}
        case "string":
            return "fake"
        case "integer" | "number":
            return schema.get("minimum", 0)
        case "boolean":
            return True
        case "array":
            return [_least(schema.get("items", {}))] * schema.get("minItems", 0)
        case _:
            return None


class FakeSpeaker:
    """Hums: a tone of ``CHARACTER_MS`` a character. A voice is two numbers: its pitch in Hz, and one nobody hears."""

    rate_hz = 24_000
    levelled = True
    network = "fake"

    def __init__(self) -> None:
        self.voices: Mapping[str, frozenset[Language]] = {"fake": _LANGUAGES}
        self.stock = {
            name: np.array([[hz, number]], np.float32) for number, (name, hz) in enumerate(FAKE_VOICES_HZ.items())
        }
        self._own: dict[str, float] = {}

    async def speak(self, text: str, options: SpeakOptions) -> AsyncGenerator[Samples, None]:
        """A second of tone at a time."""
        if FAILURE in text:
            raise EngineError("fake", "failed because it was asked to")
        tone = _hum(text, self._own.get(options.voice, 220.0), self.rate_hz, options.speed)
        for at in range(0, len(tone), self.rate_hz):
            await asyncio.sleep(0)
            yield tone[at : at + self.rate_hz]

    def mix(self, recipe: Mapping[str, int]) -> NDArray[np.float16]:
        """The mean pitch."""
        parts = sum(recipe.values())
        return np.asarray(sum(self.stock[name] * count for name, count in recipe.items()) / parts, np.float16)

    def add_voice(self, name: str, vectors: NDArray[np.float16], sex: Sex) -> frozenset[Language]:
        """A voice of this pitch."""
        self._own[name] = float(vectors[0, 0])
        return _LANGUAGES

    def remove_voice(self, name: str) -> None:
        """Forget it."""
        self._own.pop(name, None)

    async def rehearse(self, text: str, vectors: NDArray[np.float16]) -> Samples:
        """A tone of this pitch."""
        await asyncio.sleep(0)
        return _hum(text, float(vectors[0, 0]), self.rate_hz, 1.0)

    def end_rehearsals(self) -> None:
        """Nothing to free."""

    def close(self) -> None:
        """Nothing to free."""


class FakeCloningSpeaker:
    """Hums with the pitch of a clip, in English and Chinese only."""

    rate_hz = 24_000
    levelled = True
    clones = frozenset({"en", "zh"})

    def __init__(self) -> None:
        self.voices: Mapping[str, frozenset[Language]] = {}
        self._own: dict[str, float] = {}

    async def speak(self, text: str, options: SpeakOptions) -> AsyncGenerator[Samples, None]:
        """A tone."""
        if options.voice not in self._own or options.language not in self.clones:
            raise EngineError("fake_clone", f"there is no voice '{options.voice}' for language '{options.language}'")
        await asyncio.sleep(0)
        yield _hum(text, self._own[options.voice], self.rate_hz, options.speed)

    async def add_clone(self, name: str, clip: Samples, rate_hz: int, transcript: str) -> None:
        """The strongest frequency of ``clip`` becomes a voice."""
        await asyncio.sleep(0)
        self._own[name] = _strongest_hz(clip, rate_hz)

    def remove_voice(self, name: str) -> None:
        """Forget it."""
        self._own.pop(name, None)

    def close(self) -> None:
        """Nothing to free."""


FAKE_VOICES_HZ: Mapping[str, float] = {"ff_high": 250.0, "ff_middle": 200.0, "fm_middle": 150.0, "fm_low": 100.0}
"""What the fake's voices for users are mixed from."""

_LANGUAGES = frozenset({"en", "zh", "ja"})


def _hum(text: str, pitch_hz: float, rate_hz: int, speed: float) -> Samples:
    count = int(len(text) * CHARACTER_MS * rate_hz / 1000 / speed)
    return (0.1 * np.sin(np.arange(count) * 2 * np.pi * pitch_hz / rate_hz)).astype(np.float32)


def _strongest_hz(samples: Samples, rate_hz: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples))
    frequencies = np.fft.rfftfreq(len(samples), 1 / rate_hz)
    heard = (frequencies > 50) & (frequencies < 1000)
    return float(frequencies[heard][int(np.argmax(spectrum[heard]))])


class FakeTurnScorer:
    """The speaker has finished when it is quiet."""

    rate_hz = 16_000
    window_s = 8.0

    async def score(self, samples: Samples) -> float:
        """0.1 when the RMS of the last ``TAIL_MS`` is above ``LOUD``, else 0.99; nothing at all is quiet."""
        await asyncio.sleep(0)
        tail = samples[-TAIL_MS * self.rate_hz // 1000 :]
        return 0.1 if len(tail) and np.sqrt(np.mean(tail**2)) > LOUD else 0.99

    def close(self) -> None:
        """Nothing to free."""


class FakeSpeakerVerifier:
    """Knows a voice by the strongest frequency in it."""

    rate_hz = 16_000
    network = "fake"
    least_s = 0.8

    async def embed(self, samples: Samples) -> NDArray[np.float32]:
        """Where the strongest frequency below 1 kHz lies, as a direction: a third makes a right angle."""
        await asyncio.sleep(0)
        strongest = _strongest_hz(samples, self.rate_hz)
        angle = np.clip(np.log2(strongest / 50) / np.log2(20), 0, 1) * np.pi / 2 * 13
        return np.array([np.cos(angle), np.sin(angle)], np.float32)

    def close(self) -> None:
        """Nothing to free."""


class FakeEmbedder:
    """Counts words, each at a place its checksum chooses: texts that share words point the same way."""

    name = "fake"
    dimensions = 256

    async def embed(self, texts: Sequence[str], options: EmbedOptions) -> Vectors:
        """Questions and passages alike; a text without words points nowhere in particular."""
        await asyncio.sleep(0)
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            if FAILURE in text:
                raise EngineError("fake", "failed because it was asked to")
            for word in _WORD.findall(text.lower()) or [""]:
                vector[zlib.crc32(word.encode()) % self.dimensions] += 1
            vector /= np.linalg.norm(vector)
        return vectors

    def close(self) -> None:
        """Nothing to free."""


def load_speech_detector(context: EngineContext) -> FakeSpeechDetector:
    """Entry point."""
    return FakeSpeechDetector()


def load_recognizer(context: EngineContext) -> FakeRecognizer:
    """Entry point."""
    return FakeRecognizer()


def load_language_model(context: EngineContext) -> FakeLanguageModel:
    """Entry point."""
    return FakeLanguageModel(context.capacity)


def load_speaker(context: EngineContext) -> FakeSpeaker:
    """Entry point."""
    return FakeSpeaker()


def load_cloning_speaker(context: EngineContext) -> FakeCloningSpeaker:
    """Entry point."""
    return FakeCloningSpeaker()


def load_turn_scorer(context: EngineContext) -> FakeTurnScorer:
    """Entry point."""
    return FakeTurnScorer()


def load_speaker_verifier(context: EngineContext) -> FakeSpeakerVerifier:
    """Entry point."""
    return FakeSpeakerVerifier()


def load_embedder(context: EngineContext) -> FakeEmbedder:
    """Entry point."""
    return FakeEmbedder()
