"""Silero: speech is told from everything else, streams are independent, wrong frames are refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr
from hibari import Hibari
from pydantic import ValidationError

from vivavoce.engines.base import EngineContext
from vivavoce.engines.silero import CONTEXT_SAMPLES, FRAME_SAMPLES, SileroDetector, SileroStream, load
from vivavoce.errors import EngineError, WeightsError
from vivavoce.types import Samples


class CountingSession:
    """Answers with the mean of what it was fed; adds one to the state."""

    def __init__(self) -> None:
        self.fed: list[Samples] = []

    def run(self, _outputs: None, feed: dict[str, Any]) -> tuple[Any, Any]:
        self.fed.append(feed["input"].copy())
        return np.array([[feed["input"].mean()]]), feed["state"] + 1.0


def frame(value: float) -> Samples:
    return np.full(FRAME_SAMPLES, value, np.float32)


def test_a_frame_comes_behind_the_end_of_the_one_before() -> None:
    session = CountingSession()
    stream = SileroDetector(session).open()
    stream.probability(frame(0.25))
    stream.probability(frame(0.5))
    first, second = session.fed
    assert first.shape == second.shape == (1, CONTEXT_SAMPLES + FRAME_SAMPLES)
    assert not first[0, :CONTEXT_SAMPLES].any()
    assert (second[0, :CONTEXT_SAMPLES] == 0.25).all()
    assert (second[0, CONTEXT_SAMPLES:] == 0.5).all()


def test_reset_forgets_context_and_state() -> None:
    session = CountingSession()
    stream = SileroStream(session)
    before = stream.probability(frame(0.5))
    stream.probability(frame(0.5))
    stream.reset()
    assert stream.probability(frame(0.5)) == before
    assert (session.fed[2] == session.fed[0]).all()


@pytest.mark.parametrize(
    "wrong", [np.zeros(480, np.float32), np.zeros(FRAME_SAMPLES, np.int16), np.zeros((1, FRAME_SAMPLES), np.float32)]
)
def test_wrong_frames_are_refused(wrong: Any) -> None:
    with pytest.raises(EngineError, match=r"a frame is float32\[512\]"):
        SileroStream(CountingSession()).probability(wrong)


def test_samples_that_are_no_numbers_do_not_spoil_the_stream() -> None:
    stream = SileroStream(CountingSession())
    with pytest.raises(EngineError, match="not finite"):
        stream.probability(frame(float("nan")))
    assert stream.probability(frame(0.0)) == 0.0


def context(weights: Callable[[str], Path], **settings: object) -> EngineContext:
    return EngineContext(weights=weights, threads=1, capacity=1, settings=settings)


def test_broken_weights_and_unknown_settings_are_named(tmp_path: Path) -> None:
    (tmp_path / "silero_vad.onnx").write_bytes(b"no model")
    with pytest.raises(EngineError, match=r"silero_vad\.onnx"):
        load(context(lambda _: tmp_path))
    with pytest.raises(ValidationError, match="threshold"):
        load.weights({"threshold": 0.5})


def test_missing_weights_stay_a_weights_error() -> None:
    def missing(name: str) -> Path:
        raise WeightsError(name)

    with pytest.raises(WeightsError, match="silero-vad"):
        load(context(missing))


@pytest.fixture(scope="module")
def detector(weights: Callable[[str], Path]) -> SileroDetector:
    return load(context(weights))


@pytest.fixture(scope="module")
def sentence() -> Samples:
    spoken = soxr.resample(Hibari(threads=1)("The quick brown fox jumps over the lazy dog.", seed=0), 24_000, 16_000)
    return np.asarray(spoken, np.float32)


def probabilities(stream: SileroStream, samples: Samples) -> list[float]:
    whole = samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES]
    return [stream.probability(part) for part in whole.reshape(-1, FRAME_SAMPLES)]


@pytest.mark.real
def test_speech_is_heard_in_quiet_and_in_noise(detector: SileroDetector, sentence: Samples) -> None:
    noise = np.random.default_rng(0).standard_normal(len(sentence)).astype(np.float32)
    for level in (0.0, 0.3 * float(sentence.std())):
        heard = probabilities(detector.open(), sentence + np.float32(level) * noise)
        assert np.mean(np.array(heard) > 0.5) > 0.7


def _sounds() -> dict[str, Samples]:
    t = np.arange(3 * 16_000) / 16_000
    noise = np.random.default_rng(1).standard_normal(len(t))
    clicks = np.zeros(len(t))
    clicks[::4000] = 0.8
    sounds = {
        "silence": np.zeros(len(t)),
        "white noise": 0.1 * noise,
        "hum": 0.1 * np.sin(2 * np.pi * 50 * t) + 0.03 * np.sin(2 * np.pi * 150 * t),
        "clicks": clicks,
        "chime": 0.3 * np.exp(-3 * t) * np.sin(2 * np.pi * 880 * t),
    }
    return {name: sound.astype(np.float32) for name, sound in sounds.items()}


@pytest.mark.real
@pytest.mark.parametrize("name", _sounds())
def test_what_is_no_speech_is_not_heard(detector: SileroDetector, name: str) -> None:
    assert max(probabilities(detector.open(), _sounds()[name])) < 0.5


@pytest.mark.real
def test_streams_do_not_mix(detector: SileroDetector, sentence: Samples) -> None:
    alone = probabilities(detector.open(), sentence)
    first, second = detector.open(), detector.open()
    together: list[float] = []
    for at in range(0, len(sentence) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        second.probability(frame(0.1))
        together.append(first.probability(sentence[at : at + FRAME_SAMPLES]))
    assert together == pytest.approx(alone)


@pytest.mark.real
def test_a_frame_takes_a_fraction_of_its_length(detector: SileroDetector, sentence: Samples) -> None:
    stream, times = detector.open(), []
    for _ in range(200):
        start = time.perf_counter()
        stream.probability(sentence[:FRAME_SAMPLES])
        times.append(time.perf_counter() - start)
    # A frame lasts 32 ms; about 0.1 ms is usual. The bound leaves room for a machine that is busy.
    assert float(np.median(times)) < 0.016


@pytest.mark.real
def test_streams_heard_at_once_are_heard_as_alone(detector: SileroDetector, sentence: Samples) -> None:
    shifts = (0, 7, 40)
    whole = [np.roll(sentence, shift * FRAME_SAMPLES) for shift in shifts]
    alone = [probabilities(detector.open(), samples) for samples in whole]
    streams = [detector.open() for _ in shifts]
    together: list[list[float]] = [[] for _ in shifts]
    for at in range(0, len(sentence) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        # Each second time the last one is heard by itself: a stream may come in any company.
        some = streams[: 2 if at // FRAME_SAMPLES % 2 else 3]
        heard = detector.probabilities(some, [samples[at : at + FRAME_SAMPLES] for samples in whole[: len(some)]])
        if len(some) == 2:
            heard += detector.probabilities(streams[2:], [whole[2][at : at + FRAME_SAMPLES]])
        for one, probability in zip(together, heard, strict=True):
            one.append(probability)
    for one, expected in zip(together, alone, strict=True):
        assert one == pytest.approx(expected, abs=1e-3)


class RowSession:
    """Answers for each row with the mean of what it was fed plus its state; adds one to the state."""

    def run(self, _outputs: None, feed: dict[str, Any]) -> tuple[Any, Any]:
        return feed["input"].mean(axis=1, keepdims=True) + feed["state"][0, :, :1], feed["state"] + 1.0


def test_one_spoilt_frame_among_several_moves_no_stream() -> None:
    detector = SileroDetector(RowSession())
    first, second = detector.open(), detector.open()
    assert detector.probabilities([first, second], [frame(0.0), frame(0.0)]) == [0.0, 0.0]
    with pytest.raises(EngineError, match="not finite"):
        detector.probabilities([first, second], [frame(0.0), frame(float("nan"))])
    assert first.probability(frame(0.0)) == 1.0
    assert detector.probabilities([second, first], [frame(0.0), frame(0.0)]) == [1.0, 2.0]
