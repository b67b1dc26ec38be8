from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from vivavoce.engines.base import EngineContext
from vivavoce.engines.dvector import DVectorVerifier, load
from vivavoce.engines.dvector.features import MelWindows
from vivavoce.errors import EngineError, WeightsError


@pytest.fixture(scope="module")
def verifier(weights: Callable[[str], Path]) -> Iterator[DVectorVerifier]:
    loaded = load(EngineContext(weights=weights, threads=1, capacity=1))
    yield loaded
    loaded.close()


def noise(seconds: float, seed: int = 0) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return (np.random.default_rng(seed).standard_normal(int(16_000 * seconds)) * 0.1).astype(np.float32)


@pytest.mark.parametrize(("seconds", "windows"), [(0.0, 1), (0.1, 1), (0.83, 1), (1.3, 2), (5.0, 11)])
def test_windows_overlap_by_half(seconds: float, windows: int) -> None:
    assert MelWindows()(noise(seconds)).shape == (windows, 80, 40)


def test_windows_see_what_is_there() -> None:
    tone = np.sin(np.arange(16_000) * 2 * np.pi * 1000 / 16_000).astype(np.float32)
    picture = MelWindows()(tone)[0]
    assert len(set(picture.argmax(axis=1))) == 1
    assert picture.max() - picture.min() > 4


@pytest.mark.real
async def test_a_voice_is_a_direction(verifier: DVectorVerifier) -> None:
    voice = await verifier.embed(noise(2))
    assert voice.shape == (256,)
    assert np.linalg.norm(voice) == pytest.approx(1, abs=1e-5)
    assert (await verifier.embed(noise(2))) @ voice == pytest.approx(1, abs=1e-5)


@pytest.mark.real
@pytest.mark.parametrize(
    ("samples", "complaint"),
    [
        (np.zeros((2, 16_000), np.float32), "float32"),
        (np.zeros(16_000, np.float64), "float32"),
        (np.full(16_000, np.nan, np.float32), "not finite"),
    ],
)
async def test_what_is_no_audio_is_refused(verifier: DVectorVerifier, samples: object, complaint: str) -> None:
    with pytest.raises(EngineError, match=complaint):
        await verifier.embed(samples)  # type: ignore[arg-type]


def test_a_broken_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "embedder.int8.onnx").write_bytes(b"nonsense")
    with pytest.raises(EngineError, match="cannot open"):
        load(EngineContext(weights=lambda _: tmp_path, threads=1, capacity=1))


def test_there_is_nothing_to_set() -> None:
    with pytest.raises(ValidationError, match="a\n"):
        load.weights({"a": 1})


def test_missing_weights_say_so() -> None:
    def missing(name: str) -> Path:
        raise WeightsError(name)

    with pytest.raises(WeightsError, match="speaker-dvector"):
        load(EngineContext(weights=missing, threads=1, capacity=1))
