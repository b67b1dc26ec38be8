"""The server of ``soak.py``: `vivavoce serve`, which on SIGUSR1 writes how many tasks it has to the file SOAK_TASKS.

Tasks cannot be counted from outside, and the server has no address that tells them.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from pathlib import Path

from vivavoce.cli import app


def write_count(_signal: int, _frame: object) -> None:
    """Collect what is no longer reachable, then write down how many tasks are not done."""
    gc.collect()
    count = sum(isinstance(found, asyncio.Task) and not found.done() for found in gc.get_objects())
    file = Path(os.environ["SOAK_TASKS"])
    file.with_suffix(".new").write_text(str(count))
    file.with_suffix(".new").replace(file)


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, write_count)
    app()
