"""What a source is: it fetches one file into a folder, or says why not.

A source only moves bytes; whether they are right is decided afterwards by the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, TypeVar

from vivavoce.errors import VivavoceError
from vivavoce.models.catalogue import WeightEntry, WeightFile

CHUNK_BYTES = 1 << 20
REACH_S = 5.0
"""How long a source may take to answer at all before it is given up."""

SpecT = TypeVar("SpecT", contravariant=True)


class SourceError(VivavoceError):
    """This source cannot give this file; the next source is asked. The message is the reason."""


class SourceUnreachableError(SourceError):
    """This source cannot be reached at all; it is not asked again in this run."""


@dataclass(frozen=True, slots=True)
class DownloadJob:
    """One file to fetch.

    The bytes go to ``target``; ``folder`` is for whatever else the source must keep (downloaded packages). What is left
    in either is found again when a broken pull is repeated, and removed when the entry is whole. ``report`` takes the
    bytes of the file had so far.
    """

    entry: WeightEntry
    file: WeightFile
    folder: Path
    target: Path
    report: Callable[[int], None]

    def write(self, chunks: Iterable[bytes], *, offset: int = 0) -> int:
        """Write ``chunks`` to ``target`` from ``offset`` on, dropping what lay behind it; returns the new length.

        Raises ``SourceError`` as soon as there are more bytes than the file has.
        """
        with self.target.open("r+b" if offset else "wb") as stream:
            stream.seek(offset)
            stream.truncate()
            for chunk in chunks:
                offset += len(chunk)
                if offset > self.file.size_bytes:
                    raise SourceError(f"gives more than the {self.file.size_bytes} bytes the file has")
                stream.write(chunk)
                self.report(offset)
        return offset


class Source(Protocol[SpecT]):
    """A kind of place to fetch from."""

    def fetch(self, spec: SpecT, job: DownloadJob) -> None:
        """Put the file's bytes at ``job.target``. Raises ``SourceError`` or ``SourceUnreachableError``."""


def chunks_of(stream: IO[bytes]) -> Iterator[bytes]:
    """The rest of ``stream`` in pieces that fit in memory."""
    while chunk := stream.read(CHUNK_BYTES):
        yield chunk
