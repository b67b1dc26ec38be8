"""Smart Turn: the picture it is shown is the one it was trained on, calls queue, what is wrong is refused."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr
from hibari import Hibari
from numpy.typing import NDArray
from pydantic import ValidationError

from vivavoce.engines.base import EndOfTurnModel, EngineContext
from vivavoce.engines.fake import FakeEndOfTurnModel
from vivavoce.engines.registry import installed
from vivavoce.engines.smart_turn import load
from vivavoce.engines.smart_turn.features import TurnFeatures
from vivavoce.engines.smart_turn.model import SmartTurnModel
from vivavoce.errors import EngineError, WeightsError
from vivavoce.types import Samples

RATE_HZ = 16_000
CELLS = ((0, 799), (5, 700), (20, 650), (40, 790), (79, 799), (10, 100))


def chirp(seconds: float) -> Samples:
    t = np.arange(int(RATE_HZ * seconds)) / RATE_HZ
    swept = 0.3 * np.sin(2 * np.pi * (200 * t + 300 * t * t)) * (1 + np.sin(2 * np.pi * 3 * t)) / 2
    return np.asarray(swept, np.float32)


# What pipecat-ai 1.14.0 makes of the same signals (`_whisper_features.py` and `local_smart_turn_v3.py`).
REFERENCES = {
    2.0: (-0.04012297, 0.21485659, (0.515362, -0.081268, 0.273919, -0.081268, -0.027902, -0.081268), 0.0924),
    9.0: (-0.14981990, 0.31070658, (-0.119104, -0.231781, -0.231781, -0.231781, 0.165987, -0.231781), 0.9697),
}


@pytest.mark.parametrize("seconds", REFERENCES)
def test_features_are_those_of_the_reference(seconds: float) -> None:
    mean, deviation, cells, _ = REFERENCES[seconds]
    features = TurnFeatures()(chirp(seconds))
    assert features.shape == (1, 80, 800)
    assert features.dtype == np.float32
    assert features.mean(dtype=np.float64) == pytest.approx(mean, abs=1e-4)
    assert features.std(dtype=np.float64) == pytest.approx(deviation, abs=1e-4)
    assert [features[0, band, frame] for band, frame in CELLS] == pytest.approx(list(cells), abs=1e-4)


def test_only_the_last_eight_seconds_count() -> None:
    features = TurnFeatures()
    assert np.array_equal(features(chirp(9.0)), features(chirp(9.0)[-8 * RATE_HZ :]))


def test_loudness_does_not_count() -> None:
    features = TurnFeatures()
    assert np.abs(features(chirp(2.0)) - features(0.25 * chirp(2.0))).max() < 1e-3


@pytest.mark.parametrize("length", [0, 1, 100])
def test_next_to_nothing_is_still_a_picture(length: int) -> None:
    features = TurnFeatures()(np.zeros(length, np.float32))
    assert np.isfinite(features).all()


class GatedSession:
    """Answers 0.5 once it may; notes the threads it is called on."""

    def __init__(self) -> None:
        self.entered, self.gate = threading.Event(), threading.Event()
        self.threads: list[int] = []

    def run(self, _outputs: None, feed: dict[str, Any]) -> list[NDArray[np.float32]]:
        assert feed["input_features"].shape == (1, 80, 800)
        self.threads.append(threading.get_ident())
        self.entered.set()
        assert self.gate.wait(5)
        return [np.array([[0.5]], np.float32)]


async def test_the_loop_stays_free_and_all_share_one_thread() -> None:
    session = GatedSession()
    scorer = SmartTurnModel(session)
    asked = [asyncio.create_task(scorer.score(chirp(0.5))) for _ in range(3)]
    assert await asyncio.to_thread(session.entered.wait, 5)
    session.gate.set()
    assert await asyncio.gather(*asked) == [0.5] * 3
    assert set(session.threads) == {session.threads[0]}
    assert session.threads[0] != threading.get_ident()
    scorer.close()


async def test_who_gives_up_leaves_the_queue() -> None:
    session = GatedSession()
    scorer = SmartTurnModel(session)
    first = asyncio.create_task(scorer.score(chirp(0.5)))
    assert await asyncio.to_thread(session.entered.wait, 5)
    second = asyncio.create_task(scorer.score(chirp(0.5)))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    session.gate.set()
    assert await first == 0.5
    assert await scorer.score(chirp(0.5)) == 0.5
    assert len(session.threads) == 2
    scorer.close()


async def test_closing_tells_those_who_wait() -> None:
    session = GatedSession()
    scorer = SmartTurnModel(session)
    first = asyncio.create_task(scorer.score(chirp(0.5)))
    assert await asyncio.to_thread(session.entered.wait, 5)
    second = asyncio.create_task(scorer.score(chirp(0.5)))
    await asyncio.sleep(0)
    scorer.close()
    scorer.close()
    with pytest.raises(EngineError, match="closed before"):
        await second
    session.gate.set()
    assert await first == 0.5
    with pytest.raises(EngineError, match="shutdown"):
        await scorer.score(chirp(0.5))


class BrokenSession:
    def run(self, _outputs: None, feed: dict[str, Any]) -> Any:
        raise RuntimeError("out of memory")


async def test_a_failing_model_is_an_engine_error_that_may_pass() -> None:
    scorer = SmartTurnModel(BrokenSession())
    with pytest.raises(EngineError, match="out of memory") as caught:
        await scorer.score(chirp(0.5))
    assert caught.value.retriable
    scorer.close()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.zeros(480, np.int16), "float32"),
        (np.zeros((1, 480), np.float32), "float32"),
        (np.full(480, np.nan, np.float32), "not finite"),
    ],
)
async def test_wrong_samples_are_refused(wrong: Any, message: str) -> None:
    scorer = SmartTurnModel(BrokenSession())
    with pytest.raises(EngineError, match=message):
        await scorer.score(wrong)
    scorer.close()


def context(weights: Callable[[str], Path], **settings: object) -> EngineContext:
    return EngineContext(weights=weights, threads=1, capacity=1, settings=settings)


def test_broken_weights_and_unknown_settings_are_named(tmp_path: Path) -> None:
    (tmp_path / "smart-turn-v3.2-cpu.onnx").write_bytes(b"no model")
    with pytest.raises(EngineError, match=r"smart-turn-v3\.2-cpu\.onnx"):
        load(context(lambda _: tmp_path))
    with pytest.raises(ValidationError, match="threads"):
        load.weights({"threads": 2})


def test_missing_weights_stay_a_weights_error() -> None:
    def missing(name: str) -> Path:
        raise WeightsError(name)

    with pytest.raises(WeightsError, match="smart-turn"):
        load(context(missing))


def test_both_scorers_are_found_by_name() -> None:
    assert {"smart_turn", "fake"} <= installed("turn_scorers").keys()


async def test_the_fake_listens_to_the_tail() -> None:
    scorer: EndOfTurnModel = FakeEndOfTurnModel()
    loud, quiet = np.full(RATE_HZ, 0.5, np.float32), np.zeros(RATE_HZ // 5, np.float32)
    assert await scorer.score(loud) == 0.1
    assert await scorer.score(np.concatenate([loud, quiet])) == 0.99
    assert await scorer.score(loud[:0]) == 0.99


@pytest.mark.real
async def test_the_model_answers_as_in_the_reference(weights: Callable[[str], Path]) -> None:
    scorer = load(context(weights))
    for seconds, (*_, score) in REFERENCES.items():
        # Processors round int8 products differently.
        assert await scorer.score(chirp(seconds)) == pytest.approx(score, abs=0.05)
    scorer.close()


@pytest.mark.real
async def test_a_sentence_broken_off_is_told_from_a_whole_one(weights: Callable[[str], Path]) -> None:
    text = "I would like to book a table for two people tomorrow evening, and after that we want to see a film."
    spoken = np.asarray(soxr.resample(Hibari(threads=1)(text, seed=0), 24_000, RATE_HZ), np.float32)
    pause = np.zeros(160 * RATE_HZ // 1000, np.float32)
    scorer = load(context(weights))
    assert await scorer.score(np.concatenate([spoken, pause])) > 0.7
    for share in (0.5, 0.8):
        assert await scorer.score(np.concatenate([spoken[: int(share * len(spoken))], pause])) < 0.3
    scorer.close()
