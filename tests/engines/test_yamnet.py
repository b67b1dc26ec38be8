"""YAMNet with its weights: the published scores, what is remembered, checkpoints that are none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vivavoce.engines.base import EngineContext
from vivavoce.engines.yamnet import load
from vivavoce.engines.yamnet.checkpoint import Checkpoint
from vivavoce.engines.yamnet.perceiver import YamnetPerceiver
from vivavoce.errors import EngineError
from vivavoce.perception.sound_patches import PATCH_HOP, RATE_HZ
from vivavoce.voice_facts import Perceived, PerceiveOptions

NOW = np.arange(24_000) / RATE_HZ
CHIRP = (0.4 * np.sin(2 * np.pi * (200 * NOW + 400 * NOW**2))).astype(np.float32)


class Counting:
    """A network that hears a dog in everything, and counts the patches."""

    def __init__(self) -> None:
        self.heard: list[int] = []

    def run(self, outputs: None, feed: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]) -> list[object]:
        count = len(feed["patches"])
        self.heard.append(count)
        scores = np.zeros((count, 521), np.float32)
        scores[:, 69] = 0.9
        return [scores]


async def perceived(perceiver: YamnetPerceiver, seconds: float, rate_hz: int = RATE_HZ) -> Perceived:
    noise = np.random.default_rng(1).normal(0, 0.1, int(seconds * rate_hz)).astype(np.float32)
    return await perceiver.perceive(noise, rate_hz, None, PerceiveOptions())


async def test_audio_that_grows_is_heard_once() -> None:
    network = Counting()
    perceiver = YamnetPerceiver(network)
    try:
        for seconds in (2.0, 3.0, 4.0, 4.0):
            found = await perceived(perceiver, seconds)
            [dog] = found.sounds
            assert (dog.label, dog.start_ms, dog.end_ms) == ("Dog", 0, round(seconds * 1000))
        patches = 1 + -(-(4 * RATE_HZ - 15_600) // PATCH_HOP)
        assert sum(network.heard) == patches + 2  # the last patch of the first two was filled up with silence
        assert (await perceived(perceiver, 3.0, 8000)).sounds
        assert await perceived(perceiver, 0.05) == Perceived()
        before = len(network.heard)
        await asyncio.gather(*(perceived(perceiver, 20.0) for _ in range(3)))
        assert max(network.heard[before:]) <= 16
    finally:
        perceiver.close()
    with pytest.raises(EngineError, match="closed"):
        await perceived(perceiver, 1.0)


@pytest.mark.real
async def test_scores_are_those_of_the_published_network(weights: Callable[[str], Path]) -> None:
    """A chirp is a synthesizer to it; TensorFlow says 0.7529 for that class of the SavedModel the weights are from."""
    perceiver = load(EngineContext(weights, 1, 4, {}))
    try:
        found = await perceiver.perceive(CHIRP, RATE_HZ, None, PerceiveOptions())
        assert [sound.label for sound in found.sounds] == ["Music"]
        assert found.sounds[0].score == pytest.approx(0.75, abs=0.005)
        assert found.music is not None
        assert found.music.speech < 0.1
        silence = await perceiver.perceive(np.zeros(RATE_HZ, np.float32), RATE_HZ, None, PerceiveOptions())
        assert silence.sounds == ()
    finally:
        perceiver.close()


@pytest.mark.parametrize("index", [b"", b"no table", bytes(200)])
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, index: bytes) -> None:
    (tmp_path / "variables.index").write_bytes(index)
    (tmp_path / "variables.data-00000-of-00001").write_bytes(b"")
    with pytest.raises(ValueError, match="no table"):
        Checkpoint(tmp_path / "variables.index", tmp_path / "variables.data-00000-of-00001")
    with pytest.raises(EngineError, match="yamnet: cannot open the weights"):
        load(EngineContext(lambda _: tmp_path, 1, 4, {}))
