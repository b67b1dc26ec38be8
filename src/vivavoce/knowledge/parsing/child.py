"""The process documents are read in. ``vivavoce.children`` confines it first, and says how it is spoken with.

A job is ``{"extension", "limits"}`` beside the process's own limits. It is answered by ``{"read": 0.5, "blocks": […]}`` as it
goes on, and by ``{"truncated": true}`` where there is more text than is read of one document.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from typing import Any, BinaryIO

from vivavoce.children.serving import JobErrors, serve
from vivavoce.knowledge.parsing.document_reader import STEP_BLOCKS, read_document
from vivavoce.knowledge.parsing.errors import UnreadableError
from vivavoce.knowledge.parsing.limits import ParsingLimits

BACKGROUND_NICE = 10
MAX_BLOCK_CHARACTERS = 10_000
"""Characters. Longer ones come as several."""

JOB_ERRORS = JobErrors(
    UnreadableError,
    "invalid_file",
    "The document needs more memory than it may have.",
    "The document cannot be read: it is damaged, or not what its name says.",
)


def main(unavailable: Sequence[str]) -> None:
    """Serve until the server has gone."""
    os.nice(BACKGROUND_NICE)
    serve(unavailable, steps, JOB_ERRORS)


def steps(job: dict[str, Any], file: BinaryIO) -> Iterator[tuple[dict[str, Any], None]]:
    """Read one document. Every answer is small: the server has other things to do."""
    limits = ParsingLimits(**job["limits"])
    remaining, previous_share = limits.characters, 0.0
    for share, blocks in read_document(file, job["extension"], limits):
        pieces = [piece for block in blocks for piece in block.in_pieces(MAX_BLOCK_CHARACTERS)]
        for start in range(0, max(1, len(pieces)), STEP_BLOCKS):
            batch = pieces[start : start + STEP_BLOCKS]
            fields = []
            for piece in batch:
                remaining -= len(piece.text)
                if remaining >= 0:
                    fields.append(astuple(piece))
            fraction = (start + len(batch)) / max(1, len(pieces))
            yield {"read": round(previous_share + (share - previous_share) * fraction, 4), "blocks": fields}, None
            if remaining < 0:
                yield {"truncated": True}, None
                return
        previous_share = share
