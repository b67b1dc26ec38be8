"""What the server and a child process say to each other: a line of JSON, then as many bytes of samples as it tells."""

from __future__ import annotations

import json
from typing import IO, Any, TypeAlias

import numpy as np

from vivavoce.types import Samples

Frame: TypeAlias = tuple[dict[str, Any], Samples]

MAX_HEADER_BYTES = 8 * 1024 * 1024
"""Of a frame's header, in bytes: 64 blocks of a document of 10 000 characters, each up to six bytes in JSON."""

MAX_BODY_BYTES = 64 * 1024 * 1024
"""Of one frame: ten minutes of audio; a child that says more is not right."""


def write_frame(stream: IO[bytes], header: dict[str, Any], samples: Samples | None = None) -> None:
    """Send ``header``, and ``samples`` with them."""
    sound = b"" if samples is None else np.ascontiguousarray(samples, "<f4").tobytes()
    line = json.dumps({**header, "bytes": len(sound)}, ensure_ascii=False)
    stream.write(line.encode(errors="replace") + b"\n" + sound)
    stream.flush()


def read_frame(stream: IO[bytes]) -> Frame | None:
    """What the other side says next; None when it has gone. Raises ``ValueError`` for what is no frame."""
    line = stream.readline(MAX_HEADER_BYTES)
    if not line.endswith(b"\n"):
        return None
    header: dict[str, Any] = json.loads(line)
    count = header.pop("bytes")
    if not 0 <= count <= MAX_BODY_BYTES:
        raise ValueError("a frame is too long")
    sound = stream.read(count)
    return (header, np.frombuffer(sound, "<f4")) if len(sound) == count else None
