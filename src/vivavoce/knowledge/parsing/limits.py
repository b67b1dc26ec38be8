"""How much a document may cost before it is refused. Read in the child, so it imports nothing."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ParsingLimits:
    """Bounds of reading one document.

    ``memory_mb`` and ``cpu_s`` are the process's own (kept by the system where it can), ``deadline_s`` is the wait for it.
    ``characters`` is how much text it may give, ``unpacked_mb`` how large an office file may be once it is unpacked.
    """

    memory_mb: int = 1024
    cpu_s: int = 120
    deadline_s: float = 300.0
    characters: int = 10_000_000
    unpacked_mb: int = 512
    pages: int = 5000
