"""Recordings for tests of the endpoints that take files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, BinaryIO, cast

import av
import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.recordings import read_recording
from vivavoce.runtime.decoding import RecordingDecoder
from vivavoce.types import Samples


def loudness(*stretches: tuple[float, float], rate_hz: int = 16_000) -> Samples:
    """Stretches of (duration in s, amplitude): what the fake engines hear is how loud it is."""
    return np.concatenate([np.full(round(duration * rate_hz), level, np.float32) for duration, level in stretches])


TWO_PARTS = ((1.0, 0.0), (2.0, 0.5), (3.0, 0.0), (1.0, 0.5), (1.0, 0.0))
"""8 s in which the fake engines hear ``SAID``."""

SAID = "I heard 2000 milliseconds. I heard 1000 milliseconds."


def wav(channels: Samples | NDArray[np.float32], rate_hz: int = 16_000, layout: str = "mono") -> bytes:
    """A file of ``float32[n]``, or of ``float32[n, channels]``."""
    file = io.BytesIO()
    with av.open(file, "w", format="wav") as output:
        stream = output.add_stream("pcm_s16le", rate=rate_hz, layout=layout)
        assert isinstance(stream, av.AudioStream)
        packed = (np.asarray(channels) * 32767).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(packed, format="s16", layout=layout)
        frame.sample_rate = rate_hz
        frame.pts = 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()


class DecodesHere:
    """A recording decoder without child processes."""

    async def decode(self, source: bytes | BinaryIO | Path, *, max_s: float, **options: Any) -> Samples:
        return read_recording(source, max_s=max_s, **options)


HERE = cast(RecordingDecoder, DecodesHere())
