"""What is refused before a process is started; no PyTorch is needed for it."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from vivavoce.engines.base import EngineContext
from vivavoce.engines.token2wav import decoder
from vivavoce.engines.token2wav.decoder import FILES, WEIGHTS, load
from vivavoce.errors import EngineError


def context(**settings: object) -> EngineContext:
    def no_weights(name: str) -> Path:
        raise AssertionError(name)

    return EngineContext(weights=no_weights, threads=1, capacity=1, settings=settings)


@pytest.fixture(autouse=True)
def _libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if they were installed."""
    monkeypatch.setattr(decoder, "missing_extra", lambda extra, what: None)


def recording(path: Path, seconds: float, loudness: float = 0.3) -> Path:
    samples = loudness * np.sin(np.arange(int(16_000 * seconds)) * 0.05)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", "NONE"))
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "voices"),
        ({"voices": {}}, "voices"),
        ({"voices": {"me": "me.wav"}, "chunk_tokens": 4}, "chunk_tokens"),
        ({"voices": {"me": "me.wav"}, "stepz": 4}, "did you mean 'steps'"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        load(context(**settings))


def test_the_files_of_ones_own_need_no_weights() -> None:
    voices = {"voices": {"me": "me.wav"}}
    assert list(load.weights(voices)) == [WEIGHTS]
    assert list(load.weights({**voices, "folder": "mine"})) == []


def test_a_corrupt_clip_is_named(tmp_path: Path) -> None:
    path = tmp_path / "me.wav"
    path.write_bytes(b"RIFF, and nothing else")
    with pytest.raises(EngineError, match=r"the clip of voice 'me' cannot be used: .*me.wav"):
        load(context(folder=str(tmp_path), voices={"me": str(path)}))


def test_a_clip_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"the clip of voice 'me' cannot be used: .*gone.wav"):
        load(context(folder=str(tmp_path), voices={"me": str(tmp_path / "gone.wav")}))


@pytest.mark.parametrize(("seconds", "loudness"), [(0.5, 0.3), (3.0, 0.0)])
def test_a_clip_with_too_little_sound_is_named(tmp_path: Path, seconds: float, loudness: float) -> None:
    path = recording(tmp_path / "me.wav", seconds, loudness)
    with pytest.raises(EngineError, match=r"the clip of voice 'me' has less than 1 s of sound"):
        load(context(folder=str(tmp_path), voices={"me": str(path)}))


def test_missing_files_are_named_all_at_once(tmp_path: Path) -> None:
    path = recording(tmp_path / "me.wav", 2.0)
    with pytest.raises(EngineError, match=f"not in .*: {', '.join(FILES)}"):
        load(context(folder=str(tmp_path), voices={"me": str(path)}))


def test_without_the_libraries_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder, "missing_extra", lambda extra, what: f"install {extra} for {what}")
    with pytest.raises(EngineError, match="install token2wav for decoding audio tokens"):
        load.weights({"voices": {"me": "me.wav"}})
