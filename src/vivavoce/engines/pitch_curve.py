"""A curve of the fundamental frequency, moved: for engines that decide on the pitch before they make the sound."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vivavoce.speaking_style import SpeakingStyle

VOICED_HZ = 40.0
"""Below it there is no voice, and nothing to move."""

LOWEST_HZ, HIGHEST_HZ = 55.0, 600.0
"""Where a voice is still one."""


def moved_pitch(curve: NDArray[np.float32], style: SpeakingStyle) -> NDArray[np.float32]:
    """``curve`` (Hz, any shape) as high as ``style`` wants it, and as lively: its distance from its own mean is scaled."""
    if not style.needs:
        return curve
    voiced = curve > VOICED_HZ
    if not voiced.any():
        return curve
    semitones = 12 * np.log2(curve[voiced])
    mean = semitones.mean()
    moved = mean + (semitones - mean) * style.pitch_range + style.pitch_st
    result = curve.copy()
    result[voiced] = np.clip(2 ** (moved / 12), LOWEST_HZ, HIGHEST_HZ)
    return result
