"""Whisper with its real weights, on speech the project's own English voice makes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soxr
from hibari import Hibari

from vivavoce.engines.base import EngineContext
from vivavoce.engines.voice import load as load_voice
from vivavoce.engines.whisper import load
from vivavoce.engines.whisper.guard import units
from vivavoce.engines.whisper.recognizer import WhisperRecognizer
from vivavoce.protocol.transcription import recognition_prompt
from vivavoce.types import Language, Samples, TranscribeOptions, Transcript
from vivavoce.voice_facts import PerceiveOptions, SpeechEncoding
from vivavoce.word_errors import count_errors

pytestmark = pytest.mark.real

RATE_HZ = 16_000
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
DIGITS = dict(zip(NAMES, "0123456789", strict=True))


def silence(duration_s: float) -> Samples:
    return np.zeros(int(duration_s * RATE_HZ), np.float32)


def loaded(weights: Callable[[str], Path], **settings: object) -> WhisperRecognizer:
    return load(EngineContext(weights=weights, threads=2, capacity=4, settings=settings))


@pytest.fixture(scope="module")
def recognizer(weights: Callable[[str], Path]) -> Iterator[WhisperRecognizer]:
    engine = loaded(weights)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def say() -> Callable[[str], Samples]:
    voice = Hibari(threads=1)  # adds noise for breath: only a seed makes a text sound the same each time

    def spoken(text: str) -> Samples:
        speech = np.asarray(soxr.resample(voice(text, seed=0), 24_000, RATE_HZ), np.float32)
        return np.concatenate([silence(0.3), speech, silence(0.4)])

    return spoken


async def heard(
    engine: WhisperRecognizer, samples: Samples, language: Language | None = None, prompt: str | None = None
) -> Transcript:
    [only] = [event async for event in engine.transcribe(samples, TranscribeOptions(language, prompt))]
    assert isinstance(only, Transcript)
    return only


def spelled(text: str) -> str:
    """Words joined, digits as digits, so that "5-5", "55" and "five five" are the same."""
    return "".join(DIGITS.get(unit, unit) for unit in units(text))


SENTENCES = (
    "What is the tallest mountain in the world?",
    "Can you tell me a short joke?",
    "Please turn off the lights in the living room.",
    "I would like to book a table for tomorrow evening.",
)

MORE = (
    "How do I boil an egg?",
    "My sister is coming to visit us next week.",
    "The train leaves from platform seven at noon.",
    "He has never been to the sea before.",
    "There is a small shop at the corner of the street.",
    "We painted the kitchen yellow last summer.",
    "The doctor told her to rest for a few days.",
    "I forgot my umbrella on the bus this morning.",
)


@pytest.mark.parametrize("sentence", SENTENCES)
async def test_a_sentence_is_understood_and_its_language_found(
    recognizer: WhisperRecognizer, say: Callable[[str], Samples], sentence: str
) -> None:
    transcript = await heard(recognizer, say(sentence))
    assert units(transcript.text) == units(sentence)
    assert transcript.language == "en"


@pytest.mark.parametrize("word", ["Yes.", "No.", "Hi.", "Okay.", "Stop.", "Thank you."])
async def test_short_words_are_not_taken_for_noise(
    recognizer: WhisperRecognizer, say: Callable[[str], Samples], word: str
) -> None:
    assert units((await heard(recognizer, say(word))).text) == units(word)


@pytest.mark.parametrize(
    "text",
    [
        "five five",
        "eight eight eight, five five five, one two one two",
        "Very, very, very good.",
        "Wait, wait.",
        "I know, I know.",
        "Go, go, go!",
        "The code is nine nine zero zero.",
    ],
)
async def test_real_repetition_is_kept(recognizer: WhisperRecognizer, say: Callable[[str], Samples], text: str) -> None:
    assert spelled((await heard(recognizer, say(text), "en")).text) == spelled(text)


@pytest.mark.parametrize(("text", "least"), [("no, no, no", 3), ("one one two two", 4), ("stop, stop, stop, stop", 3)])
async def test_repetition_the_model_mishears_still_has_its_length(
    recognizer: WhisperRecognizer, say: Callable[[str], Samples], text: str, least: int
) -> None:
    written = (await heard(recognizer, say(text), "en")).text
    assert sum(len(unit) if unit.isdigit() else 1 for unit in units(written)) >= least


@pytest.mark.parametrize(
    ("text", "times", "pause_s"),
    [
        ("How do I boil an egg?", 2, 0.3),
        ("How do I boil an egg?", 4, 0.3),
        ("What is the tallest mountain in the world?", 4, 0.3),
        ("Please turn off the lights.", 4, 0.3),
        ("Can you hear me?", 3, 0.6),
        ("Perfect.", 8, 0.25),
        ("Perfect.", 5, 0.3),
        ("Yes.", 5, 0.3),
        ("No.", 8, 0.3),
    ],
)
async def test_what_is_said_several_times_is_written_as_often(
    recognizer: WhisperRecognizer, say: Callable[[str], Samples], text: str, times: int, pause_s: float
) -> None:
    voiced = np.flatnonzero(np.abs(spoken := say(text)) > 0.01)
    spoken = spoken[voiced[0] - 400 : voiced[-1] + 800]
    samples = np.concatenate([silence(0.3), *(part for _ in range(times) for part in (spoken, silence(pause_s)))])
    [heard_all] = [event async for event in recognizer.transcribe(samples, TranscribeOptions(words=True))]
    assert isinstance(heard_all, Transcript)
    assert units(heard_all.text) == units(text) * times
    # Each time has words where it was said.
    period = len(spoken) / RATE_HZ + pause_s
    middles_s = [(word.start_ms + word.end_ms) / 2000 for word in heard_all.words]
    said_at = {int((middle_s - 0.3) // period) for middle_s in middles_s}
    assert said_at == set(range(times))


async def test_loops_of_too_short_a_context_are_broken(
    weights: Callable[[str], Path], say: Callable[[str], Samples], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = loaded(weights, context_s=1.0, beam_size=1)
    sentences = (*SENTENCES, "What joy there is in living.", "At that high level the air is pure.")
    try:
        guarded = [(await heard(engine, say(text), "en")).text for text in sentences]
        monkeypatch.setattr(engine._listener, "_is_loop", lambda *_: False)
        loose = [(await heard(engine, say(text), "en")).text for text in sentences]
    finally:
        engine.close()
    lengths = [len(units(text)) for text in sentences]
    assert any(len(units(text)) >= 1.5 * length for text, length in zip(loose, lengths, strict=True)), (
        "no loop provoked"
    )
    assert all(len(units(text)) <= length + 2 for text, length in zip(guarded, lengths, strict=True)), guarded


def _noises() -> dict[str, Samples]:
    t = np.arange(3 * RATE_HZ) / RATE_HZ
    noise = np.random.default_rng(7).standard_normal(len(t))
    clicks = np.zeros(len(t))
    clicks[::4000] = 0.8
    noises = {
        "silence": np.zeros(len(t)),
        "dither": 1e-5 * noise,
        "faint noise": 1e-3 * noise,
        "loud noise": 0.1 * noise,
        "hum": 0.1 * np.sin(2 * np.pi * 50 * t) + 0.03 * np.sin(2 * np.pi * 150 * t),
        "clicks": clicks,
        "chime": 0.3 * np.exp(-3 * t) * np.sin(2 * np.pi * 880 * t),
        "a tenth of a second": 0.1 * noise[:1600],
    }
    return {name: sound.astype(np.float32) for name, sound in noises.items()}


@pytest.mark.parametrize("hint", [None, "en", "zh"])
@pytest.mark.parametrize("name", _noises())
async def test_nothing_is_invented(recognizer: WhisperRecognizer, name: str, hint: str | None) -> None:
    assert await heard(recognizer, _noises()[name], hint) == Transcript("", hint or "en")


async def test_a_prompt_biases_spelling(recognizer: WhisperRecognizer, say: Callable[[str], Samples]) -> None:
    samples = say("Please ask Kathryn and Jon about it.")
    assert "Kathryn and Jon" in (await heard(recognizer, samples, "en", "Meeting of Kathryn and Jon.")).text
    assert "Kathryn and Jon" not in (await heard(recognizer, samples, "en")).text


HOTWORDS = (
    "Siobhan", "Vivavoce", "Qualtrax", "Aleksandr", "Klarna", "Tessaly", "Ozempic", "Kubernetes", "Jorvik", "Mikkel",
)  # fmt: skip


async def test_hotwords_are_heard(recognizer: WhisperRecognizer, say: Callable[[str], Samples]) -> None:
    prompt = recognition_prompt("A meeting about the report. " * 50, HOTWORDS)
    without, within = set[str](), set[str]()
    for name in HOTWORDS:
        samples = say(f"Please call {name} tomorrow morning.")
        without |= {name} if name in (await heard(recognizer, samples, "en")).text else set()
        within |= {name} if name in (await heard(recognizer, samples, "en", prompt)).text else set()
    print(f"without hotwords {sorted(without)}, with them {sorted(within)}")
    assert without <= within
    assert len(within) >= len(without) + 4


async def test_a_speech_longer_than_a_window(recognizer: WhisperRecognizer, say: Callable[[str], Samples]) -> None:
    samples = np.concatenate([part for text in (*SENTENCES, *MORE) for part in (say(text), silence(0.3))])
    assert len(samples) > 31 * RATE_HZ
    errors, length = count_errors(" ".join((*SENTENCES, *MORE)), (await heard(recognizer, samples)).text, "en")
    assert errors <= 0.1 * length


async def test_utterances_at_once_are_not_mixed_up(
    recognizer: WhisperRecognizer, say: Callable[[str], Samples]
) -> None:
    transcripts = await asyncio.gather(*(heard(recognizer, say(text)) for text in SENTENCES))
    assert [units(one.text) for one in transcripts] == [units(text) for text in SENTENCES]


async def test_only_configured_languages_are_found(
    weights: Callable[[str], Path], say: Callable[[str], Samples]
) -> None:
    engine = loaded(weights, languages=("zh", "ja"))
    try:
        assert (await heard(engine, say(SENTENCES[0]))).language in ("zh", "ja")
        assert await heard(engine, silence(1.0)) == Transcript("", "zh")
    finally:
        engine.close()


async def test_the_built_in_perceiver_hears_through_the_encoder(
    recognizer: WhisperRecognizer, say: Callable[[str], Samples], weights: Callable[[str], Path]
) -> None:
    perceiver = load_voice(EngineContext(weights=weights, threads=2, capacity=4, settings={}))
    try:
        samples = say(f"{SENTENCES[0]} {SENTENCES[2]}")
        events = [event async for event in recognizer.transcribe(samples, TranscribeOptions(encoding=True))]
        encoding, transcript = events
        assert isinstance(encoding, SpeechEncoding)
        assert isinstance(transcript, Transcript)
        assert encoding.network == perceiver.network
        assert encoding.states.shape == (len(samples) // 320, 512)
        perceived = await perceiver.perceive(samples, RATE_HZ, encoding, PerceiveOptions())
        assert perceived.language is not None
        assert perceived.language.label == "en"
        assert perceived.language.score > 0.8
        assert perceived.prosody is not None
        assert perceived.prosody.f0_hz is not None
        assert perceived.female is not None
        assert perceived.emotion is None or perceived.emotion.score >= 0.9
        nothing = await perceiver.perceive(samples, RATE_HZ, encoding, PerceiveOptions(emotion=False, gender=False))
        assert (nothing.emotion, nothing.female) == (None, None)
        stranger = replace(encoding, network="another")
        assert (await perceiver.perceive(samples, RATE_HZ, stranger, PerceiveOptions())).female is None
    finally:
        perceiver.close()
