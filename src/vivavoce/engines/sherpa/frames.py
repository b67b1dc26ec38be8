"""What the server and the process that clones say to each other: a line of JSON, then as many samples as it tells."""

from __future__ import annotations

import json
from typing import IO, Any

import numpy as np

from vivavoce.types import Samples

MOST_BYTES = 64 * 1024 * 1024
"""Of one frame: ten minutes of audio; a child that says more is not right."""


def write_frame(stream: IO[bytes], words: dict[str, Any], samples: Samples | None = None) -> None:
    """Say ``words``, and ``samples`` with them."""
    sound = b"" if samples is None else np.ascontiguousarray(samples, "<f4").tobytes()
    stream.write(json.dumps({**words, "bytes": len(sound)}).encode() + b"\n" + sound)
    stream.flush()


def read_frame(stream: IO[bytes]) -> tuple[dict[str, Any], Samples] | None:
    """What the other side says next; None when it has gone. Raises ``ValueError`` for what is no frame."""
    line = stream.readline(65536)
    if not line.endswith(b"\n"):
        return None
    words: dict[str, Any] = json.loads(line)
    count = words.pop("bytes")
    if not 0 <= count <= MOST_BYTES:
        raise ValueError("a frame is too long")
    sound = stream.read(count)
    return (words, np.frombuffer(sound, "<f4")) if len(sound) == count else None
