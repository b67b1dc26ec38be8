"""Channels joined so that none cancels another."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from vivavoce.audio.downmix import Downmix
from vivavoce.audio.ogg import OggOpusDecoder
from vivavoce.types import Samples

RATE_HZ = 16_000


def voice(seed: int, seconds: float = 2.0) -> Samples:
    """Noise that comes and goes."""
    count = int(seconds * RATE_HZ)
    swell = np.abs(np.sin(np.arange(count) * 2 * np.pi * 2 / RATE_HZ + seed))
    return (0.2 * swell * np.random.default_rng(seed).standard_normal(count)).astype(np.float32)


def mixed(*channels: Samples, piece: int = 320) -> Samples:
    downmix = Downmix(RATE_HZ)
    packed: NDArray[np.float32] = np.stack(channels, axis=1)
    return np.concatenate([downmix(packed[at : at + piece]) for at in range(0, len(packed), piece)])


def rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))


ONE, OTHER = voice(1), voice(2)


@pytest.mark.parametrize("piece", [1, 320, 32_000])
def test_the_negative_of_a_channel_is_inverted(piece: int) -> None:
    heard = mixed(ONE[:8000], -ONE[:8000], piece=piece)
    assert rms(heard) == pytest.approx(rms(ONE[:8000]), rel=0.01) if piece > 1 else len(heard) == 8000


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_quieter_negative_is_inverted(share: float) -> None:
    assert rms(mixed(ONE, -share * ONE)) == pytest.approx(rms(ONE) * (1 + share) / 2, rel=0.01)


@pytest.mark.parametrize("channels", [(ONE, ONE), (ONE, OTHER), (ONE, 0 * ONE), (ONE,), (ONE, OTHER, voice(3))])
def test_other_channels_are_joined_by_their_mean(channels: tuple[Samples, ...]) -> None:
    assert np.allclose(mixed(*channels), np.mean(channels, axis=0), atol=1e-6)


def test_one_opposed_channel_of_six_is_inverted() -> None:
    assert rms(mixed(ONE, ONE, -ONE, ONE, ONE, ONE)) == pytest.approx(rms(ONE), rel=0.01)


def test_hum_in_opposition_does_not_invert_speech() -> None:
    hum = (0.5 * np.sin(np.arange(len(ONE)) * 2 * np.pi * 50 / RATE_HZ)).astype(np.float32)
    assert np.allclose(mixed(ONE + hum, ONE - hum), ONE, atol=1e-6)


def test_a_channel_that_becomes_opposed_is_noticed() -> None:
    heard = mixed(np.concatenate([ONE, ONE]), np.concatenate([ONE, -ONE]))
    assert rms(heard[: len(ONE)]) == pytest.approx(rms(ONE), rel=0.01)
    assert rms(heard[len(ONE) + RATE_HZ :]) == pytest.approx(rms(ONE[RATE_HZ:]), rel=0.05)


def test_inverting_does_not_depend_on_which_channel_is_the_louder() -> None:
    first = np.concatenate([ONE, 0.3 * ONE])
    second = np.concatenate([-0.3 * ONE, -ONE])
    heard = mixed(first, second)
    assert rms(heard) == pytest.approx(rms(np.concatenate([ONE, ONE])) * 0.65, rel=0.01)
    assert float(np.dot(heard[: len(ONE)], ONE)) * float(np.dot(heard[len(ONE) :], ONE)) > 0


def test_a_stream_of_opus_is_joined_the_same_way() -> None:

    file = io.BytesIO()
    with av.open(file, "w", format="ogg") as output:
        stream = output.add_stream("libopus", rate=48_000, layout="stereo")
        assert isinstance(stream, av.AudioStream)
        tone = (0.3 * np.sin(np.arange(96_000) * 2 * np.pi * 440 / 48_000)).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(
            np.stack([tone, -tone], axis=1).reshape(1, -1), format="flt", layout="stereo"
        )
        frame.sample_rate, frame.pts = 48_000, 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    heard = OggOpusDecoder(RATE_HZ).push(file.getvalue())
    assert rms(heard[8000:24_000]) == pytest.approx(rms(tone), rel=0.1)
