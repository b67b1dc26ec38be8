"""How loud speech is (ITU-R BS.1770), and a limiter that keeps peaks below full scale."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vivavoce.types import Samples

TARGET_LUFS = -20.0
"""The loudness of every voice: that of conversation on headphones and phones, with room for peaks."""

CEILING = 10 ** (-2.0 / 20)
"""The highest value a limited signal has, between samples, too: resamplers and lossy codecs add up to a decibel."""

_HARMLESS = 10 ** (-5.0 / 20)
"""Where no sample is higher, nothing between samples of speech reaches the ceiling."""

_LOOK_AHEAD = 64
"""Samples before and behind a peak in which the limiter turns down and up again: 2.7 ms at 24 kHz."""

_NEAR = 8
"""Samples around a loud one between which a peak may be."""

_SPARSE = 0.05
"""Above this share of samples near loud ones all are looked at between at once, which is quicker then."""

_TAPS = 64
_OVERSAMPLED = 4
_MARGIN = 512
"""Zeros around what is oversampled, so that its end is not taken for what precedes its beginning."""

_BLOCK_S, _STEP_S = 0.4, 0.1
_SILENT_LUFS, _RELATIVE_LU = -70.0, -10.0
_OFFSET = -0.691


def _interpolators() -> NDArray[np.float32]:
    """``float32[taps, 3]``: weights of the samples around a gap for the values at a quarter, half and three quarters of it."""
    distance = np.arange(_TAPS)[:, None] - (_TAPS // 2 - 1) - np.array([0.25, 0.5, 0.75])
    weights = np.sinc(distance) * np.i0(6.0 * np.sqrt(np.maximum(0.0, 1 - (distance / (_TAPS / 2)) ** 2))) / np.i0(6.0)
    return np.asarray(weights / weights.sum(axis=0), np.float32)


_BETWEEN = _interpolators()


def loudness(samples: Samples, rate_hz: int) -> float:
    """Integrated loudness of mono ``float32[n]`` in LUFS, gated; minus infinity when there is nothing to hear."""
    if len(samples) < 2 or not np.any(samples):
        return -math.inf
    power = _weighted(samples, rate_hz) ** 2
    block, step = max(1, min(len(power), round(_BLOCK_S * rate_hz))), max(1, round(_STEP_S * rate_hz))
    sums = np.concatenate(([0.0], np.cumsum(power, dtype=np.float64)))
    starts = np.arange(0, len(power) - block + 1, step)
    energy = (sums[starts + block] - sums[starts]) / block
    audible = energy[_lufs(energy) > _SILENT_LUFS]
    if not len(audible):
        return -math.inf
    gate = 10 * math.log10(float(audible.mean())) + _OFFSET + _RELATIVE_LU
    return 10 * math.log10(float(audible[_lufs(audible) > gate].mean())) + _OFFSET


def limited(samples: Samples) -> Samples:
    """``samples`` turned down around every peak above ``CEILING``, as a whole and smoothly; the rest is as it was.

    Blocking: a millisecond for seconds of speech with such peaks.
    """
    loud = np.flatnonzero(np.abs(samples) > _HARMLESS)
    if not len(loud):
        return samples
    peaks = _peaks_around(samples, loud)
    over = np.flatnonzero(peaks > CEILING)
    if not len(over):
        return samples
    turned_down = samples.copy()
    for group in np.split(over, np.flatnonzero(np.diff(over) > 4 * _LOOK_AHEAD) + 1):
        span = slice(max(0, int(group[0]) - 2 * _LOOK_AHEAD), int(group[-1]) + 2 * _LOOK_AHEAD + 1)
        turned_down[span] *= _gain(peaks[span]).astype(np.float32)
    return turned_down


def _gain(peaks: NDArray[np.float32]) -> NDArray[np.float64]:
    """The least gain within reach of a sample, averaged over that reach: never above what the sample needs."""
    needed = np.minimum(1.0, CEILING / np.maximum(peaks, CEILING))
    least = np.pad(needed, 2 * _LOOK_AHEAD, constant_values=1.0)
    reach = 1
    while reach < 2 * _LOOK_AHEAD + 1:
        step = min(reach, 2 * _LOOK_AHEAD + 1 - reach)
        least = np.minimum(least[: len(least) - step], least[step:])
        reach += step
    window = np.hanning(2 * _LOOK_AHEAD + 3)[1:-1]
    return np.convolve(least, window / window.sum(), mode="valid")


def _peaks_around(samples: Samples, loud: NDArray[np.intp]) -> NDArray[np.float32]:
    """``float32[n]``: the highest value beside a sample, between samples, too, where there are ``loud`` ones nearby."""
    near = np.zeros(len(samples) + 2 * _NEAR, bool)
    for shift in range(2 * _NEAR + 1):
        near[loud + shift] = True
    at = np.flatnonzero(near[_NEAR:-_NEAR])
    if len(at) > _SPARSE * len(samples):
        return _peaks(samples).astype(np.float32)
    padded = np.pad(samples, _TAPS // 2)
    between = padded[at[:, None] + np.arange(1, _TAPS + 1)] @ _BETWEEN
    peaks = np.abs(samples)
    highest = np.zeros(len(samples) + 1, np.float32)
    highest[at + 1] = np.abs(between).max(axis=1)
    return np.asarray(np.maximum(peaks, np.maximum(highest[1:], highest[:-1])), np.float32)


def true_peak(samples: Samples) -> float:
    """The highest value of the signal between samples, too: it is looked at four times as often."""
    return float(_peaks(samples).max()) if len(samples) else 0.0


def _peaks(samples: Samples) -> NDArray[np.float64]:
    """``float64[n]``: the highest value from a sample to the next."""
    length = 1024 * -(-(len(samples) + 2 * _MARGIN) // 1024)
    padded = np.zeros(length)
    padded[_MARGIN : _MARGIN + len(samples)] = samples
    between = np.fft.irfft(np.fft.rfft(padded), _OVERSAMPLED * length) * _OVERSAMPLED
    highest = np.abs(between).reshape(length, _OVERSAMPLED).max(axis=1)
    around = np.maximum(highest, np.roll(highest, 1))
    return np.asarray(around[_MARGIN : _MARGIN + len(samples)])


def _lufs(energy: NDArray[np.float64]) -> NDArray[np.float64]:
    return 10 * np.log10(np.maximum(energy, 1e-12)) + _OFFSET


def _weighted(samples: Samples, rate_hz: int) -> NDArray[np.float64]:
    """The K-weighted signal: filtered in the frequency domain, padded so that its end does not ring into its beginning."""
    size = 1 << (len(samples) + rate_hz // 4 - 1).bit_length()
    spectrum = np.fft.rfft(samples.astype(np.float64), size)
    return np.asarray(np.fft.irfft(spectrum * _k_weighting(size, rate_hz), size)[: len(samples)])


@lru_cache(32)
def _k_weighting(size: int, rate_hz: int) -> NDArray[np.complex128]:
    """The response of the two filters of BS.1770 at the frequencies of an FFT: a high shelf and a high pass."""
    delay = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    return _shelf(delay, rate_hz) * _high_pass(delay, rate_hz)


def _shelf(z: NDArray[np.complex128], rate_hz: int) -> NDArray[np.complex128]:
    gain, quality = 10 ** (3.999843853973347 / 20), 0.7071752369554196
    k = math.tan(math.pi * 1681.974450955533 / rate_hz)
    at_high, between = gain, gain**0.4996667741545416
    top = at_high + between * k / quality + k * k
    middle = 2 * (k * k - at_high)
    low = at_high - between * k / quality + k * k
    return np.asarray(
        (top + middle * z + low * z**2)
        / (1 + k / quality + k * k + 2 * (k * k - 1) * z + (1 - k / quality + k * k) * z**2)
    )


def _high_pass(z: NDArray[np.complex128], rate_hz: int) -> NDArray[np.complex128]:
    quality = 0.5003270373238773
    k = math.tan(math.pi * 38.13547087602444 / rate_hz)
    a0 = 1 + k / quality + k * k
    return np.asarray((1 - 2 * z + z**2) / (1 + 2 * (k * k - 1) / a0 * z + (1 - k / quality + k * k) / a0 * z**2))
