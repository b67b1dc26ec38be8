"""SenseVoice and Paraformer on tiny weights: real loading, real decoding, in a process of their own."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from engines.sherpa.tiny_hearing import HELLO, NIHAO, make_paraformer, make_sense_voice
from vivavoce.engines.base import EngineContext
from vivavoce.engines.sherpa import perceiver, recognizer
from vivavoce.engines.sherpa.hearing import PARAFORMER, SENSE_VOICE, heard
from vivavoce.engines.sherpa.recognizer import SherpaRecognizer, load_paraformer, load_sensevoice
from vivavoce.engines.windows import LONGEST_S
from vivavoce.errors import EngineError, WeightsError
from vivavoce.runtime.perceiving import Perceiving
from vivavoce.types import Samples, TranscribeOptions, Transcript, Word
from vivavoce.voice_facts import PerceiveOptions, SpeechEncoding

pytest.importorskip("sherpa_onnx")

PATIENT_S = 5.0


def noise(length_s: float, level: float = 0.01) -> Samples:
    return (np.random.default_rng(1).standard_normal(int(length_s * 16_000)) * level).astype(np.float32)


QUIET, LOUD = noise(2.0), noise(2.0, 0.3)


def context(**settings: Any) -> EngineContext:
    def no_weights(name: str) -> Path:
        raise WeightsError(name)

    return EngineContext(weights=no_weights, threads=1, capacity=1, settings=settings)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sense_voice(tmp_path_factory.mktemp("sensevoice"))


@pytest.fixture(scope="module")
def loaded(folder: Path) -> Iterator[SherpaRecognizer]:
    engine = load_sensevoice(context(folder=str(folder)))
    yield engine
    engine.close()


async def read(engine: SherpaRecognizer, samples: Samples = QUIET, **options: Any) -> list[SpeechEncoding | Transcript]:
    return [event async for event in engine.transcribe(samples, TranscribeOptions(**options))]


async def test_words_and_their_times(loaded: SherpaRecognizer) -> None:
    assert await read(loaded) == [Transcript("Hello there.", "en")]
    (transcript,) = await read(loaded, words=True)
    assert isinstance(transcript, Transcript)
    assert transcript.words == (Word("Hello", 240, 480), Word(" there.", 480, 1120))


async def test_a_long_utterance_is_read_in_windows(loaded: SherpaRecognizer) -> None:
    (transcript,) = await read(loaded, noise(LONGEST_S + 5.0), words=True)
    assert isinstance(transcript, Transcript)
    assert transcript.text == "Hello there. Hello there."
    assert [word.text for word in transcript.words] == ["Hello", " there.", " Hello", " there."]
    assert 15_000 < transcript.words[2].start_ms < LONGEST_S * 1000


@pytest.mark.parametrize("length_s", [0.0, 0.01, 0.1, 0.5])
async def test_what_is_very_short_is_padded(loaded: SherpaRecognizer, length_s: float) -> None:
    (transcript,) = await read(loaded, noise(length_s))
    assert isinstance(transcript, Transcript)
    assert transcript.text in ("", "Hello", "Hello there.")  # the tiny one speaks into the padding


async def test_silence_is_not_read(loaded: SherpaRecognizer) -> None:
    assert await read(loaded, np.zeros(16_000, np.float32), encoding=True) == [Transcript("", "zh")]
    assert await read(loaded, np.zeros(16_000, np.float32), language="ja") == [Transcript("", "ja")]


async def test_the_language_is_found_out_named_or_set(loaded: SherpaRecognizer, tmp_path: Path) -> None:
    assert await read(loaded, language="zh-CN") == [Transcript("Hello there.", "zh")]
    with pytest.raises(EngineError, match="sensevoice: does not know the language 'de'"):
        await read(loaded, language="de")
    told = load_sensevoice(context(folder=str(make_sense_voice(tmp_path, NIHAO)), language="yue"))
    try:
        encoding, transcript = await read(told, words=True, encoding=True)
    finally:
        told.close()
    assert isinstance(encoding, SpeechEncoding)
    assert encoding.language is not None
    assert encoding.language.label == "yue"
    assert isinstance(transcript, Transcript)
    assert (transcript.text, transcript.language) == ("你好， Luna。", "zh")
    assert [word.text for word in transcript.words] == ["你", "好，", " Luna。"]
    assert "".join(word.text for word in transcript.words) == transcript.text


async def test_nobody_speaks(tmp_path: Path) -> None:
    engine = load_sensevoice(context(folder=str(make_sense_voice(tmp_path, HELLO, language="nospeech"))))
    try:
        assert await read(engine) == [Transcript("", "zh")]
    finally:
        engine.close()


@pytest.mark.parametrize(
    ("samples", "options", "message"),
    [
        (QUIET.astype(np.float64), {}, "float32"),
        (np.full(9000, np.nan, np.float32), {}, "finite"),
        (QUIET, {"translate": True}, "cannot translate"),
    ],
)
async def test_what_it_refuses(loaded: SherpaRecognizer, samples: Samples, options: Any, message: str) -> None:
    with pytest.raises(EngineError, match=f"sensevoice: .*{message}"):
        await read(loaded, samples, **options)


async def test_paraformer(tmp_path: Path) -> None:
    engine = load_paraformer(context(folder=str(make_paraformer(tmp_path / "a"))))
    try:
        (transcript,) = await read(engine, words=True, encoding=True)
        assert isinstance(transcript, Transcript)
        assert (transcript.text, transcript.language) == ("你好 luna", "zh")
        assert transcript.words == (Word("你", 180, 360), Word("好", 360, 540), Word(" luna", 540, 1060))
        assert await read(engine, language="en") == [Transcript("你好 luna", "en")]
        with pytest.raises(EngineError, match="paraformer: does not know the language 'ja'"):
            await read(engine, language="ja")
    finally:
        engine.close()
    timeless = load_paraformer(context(folder=str(make_paraformer(tmp_path / "b", times=False))))
    try:
        assert await read(timeless, words=True) == [Transcript("你好 luna", "zh")]
    finally:
        timeless.close()


def answer(tokens: list[str], text: str, **tags: str) -> dict[str, Any]:
    starts = [0.2 * number for number in range(len(tokens))]
    tags = {"language": "", "emotion": "", "event": "", **tags}
    return {"text": text, "tokens": tokens, "starts_s": starts, **tags}


def test_tokens_become_words() -> None:
    several = heard(SENSE_VOICE, answer(["什么", "？"], "什么？"), 1000)
    assert several.words == (Word("什", 0, 100), Word("么？", 100, 600))
    korean = heard(SENSE_VOICE, answer([" 안녕", "하", " 세요"], "안녕하 세요", language="<|ko|>"), 1000)
    assert [word.text for word in korean.words] == ["안녕하", " 세요"]
    mixed = heard(PARAFORMER, answer(["i", "pho@@", "ne", "很", "好", "用", "ok"], " i phone 很好用 ok"), 2000)
    assert [word.text for word in mixed.words] == ["i", " phone", " 很", "好", "用", " ok"]
    assert heard(SENSE_VOICE, answer(["。"], "。", language="<|zh|>"), 500).text == ""
    other = heard(SENSE_VOICE, answer([" a"], "another text"), 500)
    assert (other.text, other.words) == ("another text", ())
    late = heard(SENSE_VOICE, answer([" a", " b"], "a b"), 100)
    assert all(word.end_ms >= word.start_ms for word in late.words)


# ---- the process


async def test_a_process_that_dies_is_replaced(loaded: SherpaRecognizer) -> None:
    before = loaded._process.pid
    assert before is not None
    os.kill(before, signal.SIGKILL)
    assert await read(loaded) == [Transcript("Hello there.", "en")]
    assert loaded._process.pid != before


async def test_cancelling_leaves_the_next_utterance_its_own_answer(loaded: SherpaRecognizer) -> None:
    first = asyncio.create_task(read(loaded, noise(25.0), words=True))
    await asyncio.sleep(0.02)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await read(loaded) == [Transcript("Hello there.", "en")]


async def test_closing_ends_it(folder: Path) -> None:
    engine = load_sensevoice(context(folder=str(folder)))
    pid = engine._process.pid
    assert pid is not None
    engine.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(EngineError, match="sensevoice: is closed"):
        await read(engine)
    engine.close()


async def test_a_network_that_fails_is_not_silence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """sherpa-onnx prints the error and gives an empty result; a result of SenseVoice has its tags at least."""
    engine = load_sensevoice(context(folder=str(folder)))
    try:
        monkeypatch.setattr(engine._process._process, "ask", lambda request, samples: answer([], ""))
        with pytest.raises(EngineError, match="its network failed"):
            await read(engine)
        monkeypatch.setattr(engine._process._process, "ask", lambda request, samples: {"language": "<|en|>"})
        with pytest.raises(EngineError, match="said something else"):
            await read(engine)
    finally:
        engine.close()


def test_files_that_are_missing_or_wrong(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"model\.int8\.onnx or model\.onnx, tokens\.txt"):
        load_sensevoice(context(folder=str(tmp_path)))
    (tmp_path / "model.onnx").write_bytes(b"no model")
    (tmp_path / "tokens.txt").write_text("a 0\n")
    with pytest.raises(EngineError, match="sensevoice: its process ended"):
        load_sensevoice(context(folder=str(tmp_path)))
    paraformer = make_paraformer(tmp_path / "paraformer")
    with pytest.raises(EngineError, match="sensevoice: its process ended"):
        load_sensevoice(context(folder=str(paraformer)))


def test_the_model_in_full_precision_is_taken_too(tmp_path: Path) -> None:
    load_sensevoice(context(folder=str(make_sense_voice(tmp_path, file="model.onnx")))).close()


def test_weights_and_settings() -> None:
    assert list(load_sensevoice.weights({})) == ["sensevoice-small"]
    assert list(load_paraformer.weights({})) == ["paraformer-zh"]
    assert list(perceiver.load.weights({})) == ["sensevoice-small"]
    assert list(load_sensevoice.weights({"folder": "/x"})) == []
    with pytest.raises(ValidationError, match="language"):
        load_sensevoice.weights({"language": "de"})
    with pytest.raises(ValidationError, match="there is no such setting"):
        load_paraformer.weights({"language": "zh"})


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognizer, "missing_extra", lambda extra, what: f"pip install 'vivavoce[{extra}]'")
    with pytest.raises(EngineError, match=r"vivavoce\[hearing\]"):
        load_sensevoice.weights({})


# ---- the perceiver


@pytest.fixture(scope="module")
def laughing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SherpaRecognizer]:
    """A recogniser that finds laughter in everything."""
    engine = load_sensevoice(
        context(folder=str(make_sense_voice(tmp_path_factory.mktemp("laughing"), event="Laughter")))
    )
    yield engine
    engine.close()


@pytest.fixture
def perceiving(folder: Path) -> Iterator[Callable[..., perceiver.SenseVoicePerceiver]]:
    made: list[perceiver.SenseVoicePerceiver] = []

    def load(**settings: Any) -> perceiver.SenseVoicePerceiver:
        made.append(perceiver.load(context(folder=str(folder), **settings)))
        return made[-1]

    yield load
    for one in made:
        one.close()


async def test_tags_come_with_the_words(
    laughing: SherpaRecognizer, perceiving: Callable[..., perceiver.SenseVoicePerceiver]
) -> None:
    tags = perceiving(score=0.8)
    beside = Perceiving([tags], PATIENT_S)
    options = TranscribeOptions(encoding=True)
    (transcript,) = [event async for event in beside.beside(LOUD, 16_000, laughing.transcribe(LOUD, options))]
    assert isinstance(transcript, Transcript)
    perceived = transcript.perceived
    assert perceived is not None
    assert perceived.emotion is not None
    assert (perceived.emotion.label, perceived.emotion.score) == ("angry", 0.8)
    assert perceived.emotion.source == "sensevoice-small"
    assert [(sound.label, sound.score, sound.end_ms) for sound in perceived.sounds] == [("laughter", 0.8, 2000)]
    assert perceived.language is not None
    assert perceived.language.label == "en"
    assert tags._process.pid is None  # nothing was computed twice


async def test_beside_another_recogniser_it_listens_itself(
    perceiving: Callable[..., perceiver.SenseVoicePerceiver],
) -> None:
    tags = perceiving()
    other = SpeechEncoding("whisper-base", np.zeros((4, 4), np.float32), np.zeros((80, 8), np.float32))
    for encoding in (None, other):
        perceived = await tags.perceive(QUIET, 16_000, encoding, PerceiveOptions())
        assert perceived.emotion is not None
        assert perceived.emotion.label == "neutral"
        assert perceived.sounds == ()
    assert tags._process.pid is not None
    calm = await tags.perceive(LOUD, 16_000, None, PerceiveOptions(emotion=False))
    assert calm.emotion is None
    nothing = await tags.perceive(np.zeros(16_000, np.float32), 16_000, None, PerceiveOptions())
    assert (nothing.emotion, nothing.language) == (None, None)
    with pytest.raises(EngineError, match="hears at 16000 Hz"):
        await tags.perceive(LOUD, 24_000, None, PerceiveOptions())


async def test_alone_it_begins_with_the_utterance(perceiving: Callable[..., perceiver.SenseVoicePerceiver]) -> None:
    tags = perceiving(alone=True)
    assert tags.network is None
    assert tags._process.pid is not None
    assert perceiving().network == "sensevoice"
    assert (await tags.perceive(LOUD, 16_000, None, PerceiveOptions())).emotion is not None


async def test_labels_that_are_none_of_ours_are_not_told(
    perceiving: Callable[..., perceiver.SenseVoicePerceiver],
) -> None:
    empty = np.zeros((0, 0), np.float32)
    tags = {"emotion": "FEARFUL", "event": "Event_UNK"}
    told = await perceiving().perceive(
        LOUD, 16_000, SpeechEncoding("sensevoice", empty, empty, None, tags), PerceiveOptions()
    )
    assert (told.emotion, told.sounds, told.language) == (None, (), None)
    assert told.prosody is not None
