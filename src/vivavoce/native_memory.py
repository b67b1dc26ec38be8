"""Memory that native libraries have given back to the C library, and that library not to the system."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache


@cache
def _malloc_trim() -> Callable[[int], int] | None:
    """glibc's; other C libraries have none."""
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)


def trim() -> None:
    """Give free pages back to the system, where there is glibc (malloc_trim(3)). Blocking: some milliseconds.

    glibc keeps an arena a few threads, and in each what codecs and parsers have freed between what is still in use: after
    some ten thousand requests that is tens of megabytes.
    """
    if (malloc_trim := _malloc_trim()) is not None:
        malloc_trim(0)
