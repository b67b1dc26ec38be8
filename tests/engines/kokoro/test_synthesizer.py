from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vivavoce.audio.silence import FLOOR
from vivavoce.engines.kokoro import KokoroSynthesizer
from vivavoce.engines.kokoro.model import MAX_TOKENS
from vivavoce.engines.kokoro.styles import LANGUAGES, read_builtin_voices
from vivavoce.engines.kokoro.synthesizer import own_speed
from vivavoce.errors import EngineError, WeightsError
from vivavoce.types import Samples, SpeakOptions
from vivavoce.voices.presets import PRESETS

pytestmark = pytest.mark.real


@pytest.fixture
def synthesizer(kokoro: KokoroSynthesizer) -> KokoroSynthesizer:
    return kokoro


async def speech(
    synthesizer: KokoroSynthesizer, text: str, voice: str, language: str, speed: float = 1.0
) -> list[Samples]:
    return [piece async for piece in synthesizer.speak(text, SpeakOptions(voice, language, speed))]


@pytest.mark.parametrize(
    ("text", "voice", "language", "least_s", "most_s"),
    [
        ("Good morning.", "am_michael", "en", 0.5, 2.0),
        ("好的，没问题。", "zf_xiaoxiao", "zh", 0.7, 2.5),
        ("好的，没问题。", "zf_xiaoni+zf_xiaoyi", "zh", 0.7, 2.5),
        ("こんにちは。", "am_onyx|jm_kumo", "ja", 0.5, 2.0),
        ("こんにちは。", "jf_alpha", "ja", 0.5, 2.0),
    ],
)
async def test_a_clause_is_spoken_without_padding(
    synthesizer: KokoroSynthesizer, text: str, voice: str, language: str, least_s: float, most_s: float
) -> None:
    [piece] = await speech(synthesizer, text, voice, language)
    audible = np.flatnonzero(np.abs(piece) > FLOOR)
    assert piece.dtype == np.float32
    assert least_s < len(piece) / synthesizer.rate_hz < most_s
    assert audible[0] < 0.05 * synthesizer.rate_hz


async def test_long_text_comes_in_pieces(synthesizer: KokoroSynthesizer) -> None:
    assert (
        len(
            await speech(
                synthesizer, "今天天气很好，我们去公园散步，然后一起回家吃饭，最后看一部电影。", "zm_yunxi", "zh"
            )
        )
        == 2
    )


@pytest.mark.parametrize(
    ("text", "voice", "language"), [("", "af_sky", "en"), ("。。。", "zf_xiaoni", "zh"), ("😀", "jf_alpha", "ja")]
)
async def test_nothing_to_say_gives_nothing(
    synthesizer: KokoroSynthesizer, text: str, voice: str, language: str
) -> None:
    assert await speech(synthesizer, text, voice, language) == []


async def test_faster_is_shorter(synthesizer: KokoroSynthesizer) -> None:
    normal, fast = [
        sum(map(len, await speech(synthesizer, "早上好。", "zf_xiaoyi", "zh", speed))) for speed in (1.0, 2.0)
    ]
    assert fast < 0.75 * normal


@pytest.mark.parametrize(
    ("voice", "language"), [("nobody", "en"), ("af_sky", "zh"), ("ff_siwis", "fr"), ("zf_xiaoni+nobody", "zh")]
)
async def test_a_voice_must_exist_and_speak_the_language(
    synthesizer: KokoroSynthesizer, voice: str, language: str
) -> None:
    with pytest.raises(EngineError, match="no voice"):
        await speech(synthesizer, "Hello.", voice, language)


def test_every_preset_names_voices_there_are(synthesizer: KokoroSynthesizer) -> None:
    for preset in PRESETS.values():
        for language, (engine, name) in preset.synthesizers.items():
            if engine != "hibari":
                assert LANGUAGES[synthesizer._styles.letter(name, language)] == language, preset.id


async def test_cancelling_stops_after_the_piece(synthesizer: KokoroSynthesizer) -> None:
    started = asyncio.Event()

    async def listen() -> None:
        async for _ in synthesizer.speak("你好。" * 200, SpeakOptions("zf_xiaobei", "zh")):
            started.set()

    task = asyncio.create_task(listen())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # None of the other fifty may be running.
    assert await asyncio.wait_for(speech(synthesizer, "好。", "zf_xiaobei", "zh"), 60)


def test_too_long_a_run_is_refused(synthesizer: KokoroSynthesizer) -> None:
    def style(count: int) -> NDArray[np.float32]:
        raise AssertionError("no style is needed")

    model = synthesizer._model
    assert len(model.tokens("a❓b")) == 2
    assert len(model.synthesize("❓", style, 1.0)) == 0
    with pytest.raises(EngineError, match="511 phonemes"):
        model.synthesize("a" * (MAX_TOKENS + 1), style, 1.0)


def test_a_folder_without_voices_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="models pull kokoro-voices"):
        read_builtin_voices(tmp_path)


async def test_a_clause_nobody_waits_for_is_left_in_the_middle(
    synthesizer: KokoroSynthesizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes: list[object] = []
    started = asyncio.Event()
    loop = asyncio.get_running_loop()
    synthesize = synthesizer._model.synthesize

    def watched(*args: Any, **keywords: Any) -> Samples:
        loop.call_soon_threadsafe(started.set)
        try:
            samples = synthesize(*args, **keywords)
        except EngineError as error:
            outcomes.append(error)
            raise
        outcomes.append(samples)
        return samples

    monkeypatch.setattr(synthesizer._model, "synthesize", watched)
    long = "今天天气很好我们去公园散步然后一起回家吃饭"
    task = asyncio.create_task(speech(synthesizer, long, "zm_yunxi", "zh"))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    monkeypatch.undo()
    assert await speech(synthesizer, "好。", "zm_yunxi", "zh"), "the network is free again"
    assert [type(outcome) for outcome in outcomes] == [EngineError]


@pytest.mark.parametrize(("speed", "own"), [(0.25, 0.25), (1.0, 1.0), (1.25, 1.0), (4.0, 1.0)])
def test_the_network_is_asked_for_speeds_it_keeps_to(speed: float, own: float) -> None:
    assert own_speed(speed) == own
