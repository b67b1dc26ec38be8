"""The process recordings are decoded in. ``vivavoce.children`` confines it first, and says how it is spoken with.

A job is ``{"rate_hz", "max_s", "raw", "channel"}`` beside its limits, and is answered by samples as they are decoded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np

from vivavoce.audio.recordings import RawFormat, recording_pieces
from vivavoce.children.serving import JobErrors, serve
from vivavoce.errors import ClientError
from vivavoce.types import Samples

FRAME_SAMPLES = 64 * 1024
"""Of one answer: a few seconds. A codec gives 20 ms at a time, and a frame of its own for each would cost more than it."""

JOB_ERRORS = JobErrors(
    ClientError,
    "invalid_audio",
    "The audio needs more memory to decode than it may have.",
    "The audio is damaged: it cannot be decoded.",
)


def main(unavailable: Sequence[str]) -> None:
    """Serve until the server has gone."""
    serve(unavailable, pieces, JOB_ERRORS)


def pieces(job: dict[str, Any], file: BinaryIO) -> Iterator[tuple[dict[str, Any], Samples]]:
    """Decode one recording; small pieces are gathered."""
    raw = None if job["raw"] is None else RawFormat(*job["raw"])
    waiting, count = list[Samples](), 0
    for piece in recording_pieces(file, rate_hz=job["rate_hz"], max_s=job["max_s"], raw=raw, channel=job["channel"]):
        waiting.append(piece)
        count += len(piece)
        if count >= FRAME_SAMPLES:
            yield {}, np.concatenate(waiting)
            waiting, count = [], 0
    if count:
        yield {}, np.concatenate(waiting)
