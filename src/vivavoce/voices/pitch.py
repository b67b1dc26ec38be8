"""How high somebody speaks: the median fundamental frequency of what is voiced, by autocorrelation."""

from __future__ import annotations

import numpy as np

from vivavoce.types import Samples

LOWEST_HZ, HIGHEST_HZ = 65.0, 420.0

_FRAME_S, _HOP_S = 0.046, 0.01
_VOICED = 0.55
"""Normalised autocorrelation from which a frame is voiced."""

_LOUD = 0.1
"""Frames quieter than this share of the loud ones (the 95th percentile) are not looked at."""

_SHORTEST_PEAK = 0.9
"""Of peaks nearly as high as the highest, the one of the shortest period counts: the others are its multiples."""

_MIN_FRAMES = 10


def pitch_hz(samples: Samples, rate_hz: int) -> float | None:
    """The median pitch of ``samples`` (``float32[n]``) in Hz; ``None`` when hardly anything is voiced."""
    size, hop = int(_FRAME_S * rate_hz), int(_HOP_S * rate_hz)
    if len(samples) < size:
        return None
    frames = np.lib.stride_tricks.sliding_window_view(samples, size)[::hop]
    frames = frames - frames.mean(axis=1, keepdims=True)
    loudness = np.sqrt((frames**2).mean(axis=1))
    frames = frames[loudness > max(1e-4, _LOUD * float(np.percentile(loudness, 95)))]
    periods = [period for frame in frames if (period := _period(frame, rate_hz)) is not None]
    return rate_hz / float(np.median(periods)) if len(periods) >= _MIN_FRAMES else None


def octaves_apart(first_hz: float | None, second_hz: float | None) -> float:
    """How far two pitches lie apart; nothing where one of them is not known."""
    return 0.0 if first_hz is None or second_hz is None else abs(float(np.log2(first_hz / second_hz)))


def _period(frame: Samples, rate_hz: int) -> float | None:
    """The period of a frame in samples, ``None`` when it has none."""
    spectrum = np.fft.rfft(frame * np.hanning(len(frame)), 2 * len(frame))
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[: len(frame)]
    # A window of n samples overlaps itself the less the longer the lag: dividing by its own correlation undoes that.
    window = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(len(frame)), 2 * len(frame))) ** 2)[: len(frame)]
    shortest, longest = int(rate_hz / HIGHEST_HZ), min(int(rate_hz / LOWEST_HZ), len(frame) * 2 // 3)
    normalised = correlation[: longest + 2] / np.maximum(window[: longest + 2], 1e-9)
    normalised /= max(float(normalised[0]), 1e-12)
    inner = normalised[shortest : longest + 1]
    peaks = np.flatnonzero(
        (inner > normalised[shortest - 1 : longest]) & (inner >= normalised[shortest + 1 : longest + 2])
    )
    if not len(peaks) or inner[peaks].max() < _VOICED:
        return None
    at = peaks[np.argmax(inner[peaks] >= _SHORTEST_PEAK * inner[peaks].max())]
    return float(at + shortest)
