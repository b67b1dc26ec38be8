"""Package clients are run as commands, so that the user's own mirrors, proxies and credentials hold."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

PROBE_S = 15.0
"""The longest a client may take to say whether its registry answers; its own network timeout is shorter."""
DOWNLOAD_S = 3600.0


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What a command left: ``code`` is 0 when it did its work."""

    code: int
    errors: str


class Runner(Protocol):
    """Runs a command in ``folder``; tests pass their own."""

    def __call__(self, command: Sequence[str], *, folder: Path, limit_s: float) -> CommandResult:
        """Wait for the end of the command, ``limit_s`` at most."""


def run(command: Sequence[str], *, folder: Path, limit_s: float) -> CommandResult:
    """Run ``command`` in ``folder``. One that takes longer than ``limit_s`` is ended and counts as failed."""
    try:
        ended = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit_s, check=False
        )
    except subprocess.TimeoutExpired:
        return CommandResult(1, f"no answer within {limit_s:g} s")
    return CommandResult(ended.returncode, ended.stderr)


def last_error(errors: str) -> str:
    """The line of a client's complaints that says most: the last one marked as an error, or the last one at all."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    marked = [line for line in lines if line.lower().startswith("error")]
    return (marked or lines or ["no reason given"])[-1]
