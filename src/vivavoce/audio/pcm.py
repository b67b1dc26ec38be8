"""PCM16 little-endian ↔ ``float32[n]`` in [-1, 1]."""

from __future__ import annotations

import numpy as np

from vivavoce.errors import ClientError
from vivavoce.types import Samples

BYTES_PER_SAMPLE = 2


def count_pcm16(data: bytes) -> int:
    """How many samples ``data`` has. Raises ``ClientError`` when one is cut in half (Realtime reference, section 7)."""
    if len(data) % BYTES_PER_SAMPLE:
        raise ClientError(
            "audio content incomplete: PCM16 needs an even number of bytes.", code="invalid_param", param="audio"
        )
    return len(data) // BYTES_PER_SAMPLE


def decode_pcm16(data: bytes) -> Samples:
    """Samples of ``data``. Raises ``ClientError`` as ``count_pcm16`` does."""
    count_pcm16(data)
    return np.frombuffer(data, "<i2").astype(np.float32) / 32768.0


def encode_pcm16(samples: Samples) -> bytes:
    """Bytes of ``samples``, clipped to the range of 16 bits."""
    return (np.clip(samples, -1.0, 32767 / 32768) * 32768.0).astype("<i2").tobytes()
