"""G.711 ↔ ``float32[n]`` in [-1, 1]: the 8-bit companding of the telephone network (ITU-T G.711), by lookup tables.

The decoder's levels follow from the standard's formula. The encoder picks the nearest level, which is what the
standard's decision values say: each of them lies halfway between two levels. Levels are on the 16-bit linear scale.
"""

from __future__ import annotations

from functools import cache
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vivavoce.types import Samples

Law: TypeAlias = Literal["ulaw", "alaw"]

FULL_SCALE = 32768
"""The amplitude 1.0 on the 16-bit linear scale."""


def decode_g711(data: bytes, law: Law) -> Samples:
    """Samples of ``data``, one a byte. Every byte is a sample, so nothing can be malformed."""
    table = (levels(law) / FULL_SCALE).astype(np.float32)
    return np.asarray(table[np.frombuffer(data, np.uint8)])


def encode_g711(samples: Samples, law: Law) -> bytes:
    """Bytes of ``samples``, one a sample, clipped to the range of 16 bits."""
    linear = np.clip(np.rint(samples * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int32)
    return _codes(law)[linear + FULL_SCALE].tobytes()


@cache
def levels(law: Law) -> NDArray[np.int32]:
    """``int32[256]``: the 16-bit linear level of every code."""
    return _ulaw_levels() if law == "ulaw" else _alaw_levels()


def _ulaw_levels() -> NDArray[np.int32]:
    """All bits are inverted on the line; magnitudes are biased by 33 (132 on our scale) so that segments double."""
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    segment, step = (code >> 4) & 7, code & 15
    magnitude = (((step << 3) + 132) << segment) - 132
    return np.where(code & 0x80, -magnitude, magnitude)


def _alaw_levels() -> NDArray[np.int32]:
    """Even bits are inverted on the line; the two lowest segments have the same step."""
    code = np.arange(256, dtype=np.int32) ^ 0x55
    segment, step = (code >> 4) & 7, code & 15
    magnitude = np.where(segment == 0, (step << 4) + 8, ((step << 4) + 264) << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude)


@cache
def _codes(law: Law) -> NDArray[np.uint8]:
    """``uint8[65536]``: the code of the level nearest to every 16-bit value, from -32768 up.

    µ-law has two codes for zero; silence is written as the positive one (all ones on the line).
    """
    all_levels = levels(law)
    # Of equal levels the last is kept as the positive zero: µ-law 0xFF follows 0x7F.
    code_of = {int(level): code for code, level in enumerate(all_levels)}
    known_values = np.array(sorted(code_of), np.int32)
    values = np.arange(-FULL_SCALE, FULL_SCALE, dtype=np.int32)
    above = np.clip(np.searchsorted(known_values, values), 1, len(known_values) - 1)
    nearest = np.where(
        values - known_values[above - 1] < known_values[above] - values, known_values[above - 1], known_values[above]
    )
    return np.array([code_of[int(level)] for level in nearest], np.uint8)
