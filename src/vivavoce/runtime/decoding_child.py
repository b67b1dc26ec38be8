"""The process recordings are decoded in; ``vivavoce.children`` confines it before it is imported.

Orders come over the socket it has as its standard input, each with an open file: ``{"rate_hz", "most_s", "raw", "channel",
"cpu_s", "memory_bytes"}``. Answers are frames on standard output: samples as they are decoded, then ``{"end": true}`` or
``{"error": message, "code": code}``. What libraries print goes nowhere.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np

from vivavoce.audio.recordings import RawFormat, recording_pieces
from vivavoce.children.confinement import limit_cpu, limit_memory
from vivavoce.children.frames import write_frame
from vivavoce.children.orders import receive_order
from vivavoce.errors import ClientError
from vivavoce.types import Samples

FRAME_SAMPLES = 64 * 1024
"""Of one answer: a few seconds. A codec gives 20 ms at a time, and a frame of its own for each would cost more than it."""

TOO_MUCH_MEMORY = "The audio needs more memory to decode than it may have."
BROKEN = "The audio is damaged: it cannot be decoded."


def main(refused: Sequence[str]) -> None:
    """Serve until the server has gone; ``refused`` is said first."""
    channel = socket.socket(fileno=0)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        write_frame(answers, {"refused": list(refused)})
        while (order := receive_order(channel)) is not None:
            answer(*order, answers)
    except BrokenPipeError:
        os._exit(0)  # the server has gone


def answer(order: dict[str, Any], file: BinaryIO, answers: BinaryIO) -> None:
    """Decode one recording and say what came of it. Whatever a library raises about a strange file is its answer."""
    frames = _Frames(answers)
    try:
        limit_cpu(order["cpu_s"])
        limit_memory(order["memory_bytes"])
        raw = None if order["raw"] is None else RawFormat(*order["raw"])
        with file:
            for piece in recording_pieces(
                file, rate_hz=order["rate_hz"], most_s=order["most_s"], raw=raw, channel=order["channel"]
            ):
                frames.add(piece)
        frames.flush()
        write_frame(answers, {"end": True})
    except ClientError as error:
        write_frame(answers, {"error": error.message, "code": error.code})
    except MemoryError:
        limit_memory(None)  # there is none left to say so with
        write_frame(answers, {"error": TOO_MUCH_MEMORY, "code": "invalid_audio"})
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001
        print(f"{type(error).__name__} while decoding a recording", file=sys.stderr)
        write_frame(answers, {"error": BROKEN, "code": "invalid_audio"})


class _Frames:
    """Gathers small pieces into frames."""

    def __init__(self, answers: BinaryIO) -> None:
        self._answers = answers
        self._waiting: list[Samples] = []
        self._count = 0

    def add(self, piece: Samples) -> None:
        self._waiting.append(piece)
        self._count += len(piece)
        if self._count >= FRAME_SAMPLES:
            self.flush()

    def flush(self) -> None:
        if self._count:
            write_frame(self._answers, {}, np.concatenate(self._waiting))
        self._waiting, self._count = [], 0
