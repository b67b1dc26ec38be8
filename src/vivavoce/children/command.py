"""How child processes are started, and how they ended."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import vivavoce

log = logging.getLogger(__name__)

FROM_OUTSIDE = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
"""Signals others end a process with, first of all a system without memory; a fault of what it reads raises none of them."""


def child_command(module: str, readable: Iterable[Path | str] = ()) -> list[str]:
    """The command that runs a module's ``main`` in a confined process, which may read the files and folders named.

    Not the folder the server was started in, on which Python would look for modules first (``-P``).
    """
    allowed = [f"--readable={Path(path).resolve()}" for path in readable]
    return [sys.executable, "-P", "-m", "vivavoce.children", *allowed, module]


def child_environment() -> dict[str, str]:
    """Nothing of the server's environment: there may be keys in it. Only where this Vivavoce is, and one thread to compute."""
    return {"PYTHONUTF8": "1", "PYTHONPATH": str(Path(vivavoce.__file__).parents[1])}


class ChildDiedError(Exception):
    """A child died of something else than its limits. Whose fault that is shows when its work is tried again.

    ``from_outside``: by a signal that others send.
    """

    def __init__(self, code: int | None) -> None:
        super().__init__("died" if code is None else f"was ended by signal {-code}" if code < 0 else f"ended ({code})")
        self.from_outside = code is not None and -code in FROM_OUTSIDE


class ChildOvertimeError(Exception):
    """A child has computed for longer than its job allowed, or has said nothing for too long; it has been ended."""


def report_confinement(unavailable: Sequence[str]) -> None:
    """Say in the log what child processes are bound by on this system, as the first of them found it."""
    if unavailable:
        log.warning("this system cannot keep child processes from %s", " and from ".join(unavailable))
    else:
        log.info("child processes are kept from the network, other programs and the files of this machine")
