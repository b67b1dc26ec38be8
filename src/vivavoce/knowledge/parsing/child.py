"""The process documents are read in; ``vivavoce.children`` confines it before it is imported.

It gets orders over the socket it has as its standard input, ``{"ending", "limits"}`` each with an open file, and answers with
lines: ``{"read": 0.5, "blocks": […]}`` as it goes on, and at last ``{"end": true, "truncated": …}`` or ``{"error": code,
"message": …}``. Its memory and its time are limited for each document; what libraries print goes to the error output.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import astuple
from typing import Any, BinaryIO, TextIO

from vivavoce.children.confinement import limit_cpu, limit_memory
from vivavoce.children.orders import receive_order
from vivavoce.knowledge.parsing.errors import UnreadableError
from vivavoce.knowledge.parsing.limits import MIB, ParsingLimits
from vivavoce.knowledge.parsing.reading import STEP_BLOCKS, read_document

TOO_LARGE = "The document needs more memory than it may have."
BACKGROUND_NICE = 10
MOST_BLOCK = 10_000
"""Characters. Longer ones come as several."""

BROKEN = "The document cannot be read: it is damaged, or not what its name says."


def main(_refused: Sequence[str]) -> None:
    """Serve until the server has gone."""
    os.nice(BACKGROUND_NICE)
    channel = socket.socket(fileno=0)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    while (received := receive_order(channel)) is not None:
        order, file = received
        with file:
            answer(file, order["ending"], ParsingLimits(**order["limits"]), answers)


def answer(file: BinaryIO, ending: str, limits: ParsingLimits, answers: TextIO) -> None:
    """Read one document and say what came of it. Whatever a library raises about a strange file is its answer."""
    try:
        limit_cpu(limits.cpu_s)
        limit_memory(limits.memory_mb * MIB)
        _say(answers, end=True, truncated=_read(file, ending, limits, answers))
    except UnreadableError as error:
        _say(answers, error=error.code, message=error.message)
    except (MemoryError, RecursionError):
        limit_memory(None)  # there is none left to say so with
        _say(answers, error="invalid_file", message=TOO_LARGE)
    except Exception as error:  # noqa: BLE001
        # Only the kind of the error: its text may hold words of the document.
        print(f"{type(error).__name__} while reading a .{ending} file", file=sys.stderr)
        _say(answers, error="invalid_file", message=BROKEN)


def _read(file: BinaryIO, ending: str, limits: ParsingLimits, answers: TextIO) -> bool:
    """Whether there is more than is read of one document. Every answer is small: the server has other things to do."""
    left, before = limits.characters, 0.0
    for share, blocks in read_document(file, ending, limits):
        pieces = [piece for block in blocks for piece in block.in_pieces(MOST_BLOCK)]
        for at in range(0, max(1, len(pieces)), STEP_BLOCKS):
            some = pieces[at : at + STEP_BLOCKS]
            kept = []
            for piece in some:
                left -= len(piece.text)
                if left >= 0:
                    kept.append(astuple(piece))
            done = (at + len(some)) / max(1, len(pieces))
            _say(answers, read=round(before + (share - before) * done, 4), blocks=kept)
            if left < 0:
                return True
        before = share
    return False


def _say(answers: TextIO, **words: Any) -> None:
    answers.write(json.dumps(words, ensure_ascii=False) + "\n")
    answers.flush()
