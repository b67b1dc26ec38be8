"""What the server and a child process say to each other: a line of JSON, then as many samples as it tells."""

from __future__ import annotations

import json
from typing import IO, Any, TypeAlias

import numpy as np

from vivavoce.types import Samples

Frame: TypeAlias = tuple[dict[str, Any], Samples]

MOST_LINE = 8 * 1024 * 1024
"""Of the words of a frame, in bytes; texts are refused long before (``speaker.MOST_CHARACTERS``)."""

MOST_BYTES = 64 * 1024 * 1024
"""Of one frame: ten minutes of audio; a child that says more is not right."""


def write_frame(stream: IO[bytes], words: dict[str, Any], samples: Samples | None = None) -> None:
    """Say ``words``, and ``samples`` with them."""
    sound = b"" if samples is None else np.ascontiguousarray(samples, "<f4").tobytes()
    line = json.dumps({**words, "bytes": len(sound)}, ensure_ascii=False)
    stream.write(line.encode(errors="replace") + b"\n" + sound)
    stream.flush()


def read_frame(stream: IO[bytes]) -> Frame | None:
    """What the other side says next; None when it has gone. Raises ``ValueError`` for what is no frame."""
    line = stream.readline(MOST_LINE)
    if not line.endswith(b"\n"):
        return None
    words: dict[str, Any] = json.loads(line)
    count = words.pop("bytes")
    if not 0 <= count <= MOST_BYTES:
        raise ValueError("a frame is too long")
    sound = stream.read(count)
    return (words, np.frombuffer(sound, "<f4")) if len(sound) == count else None
