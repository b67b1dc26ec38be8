"""Soak: many clients, cut off at random, and afterwards everything back to where it was.

    python benchmarks/soak.py                          # ten minutes, 25 clients, fake engines
    python benchmarks/soak.py --minutes 60
    python benchmarks/soak.py --engines local --clients 6

It starts a server of its own with two owners. Every client does one thing after the other (conversations by voice and by
text, chat, speech, transcription, files, vector stores) and is cut off in the middle of about every third: its connection is
reset, or it hangs up without a word, or it stops reading and stays. Before and after, with nobody connected, the server's
memory, open files, threads, tasks, child processes, places and rows are compared. It ends with 1 when one of them is not
back, or when the server failed at something.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

from soak_clients import KEYS, Counts, Crowd
from soak_measure import Figures, Server, judged, table

SETTLED_WITHIN_S = 120.0
TRIMMED_WITHIN_S = 65.0
"""A server that nobody talks to gives free memory back once a minute."""

WARM_SHARE = 0.15
"""Of the time, before anything is compared: libraries keep what they needed once."""


SAMPLES = 12
"""How often memory is printed while all are at work."""


def rows_of(database: Path) -> Counter[str]:
    """How many rows there are in each table."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        return Counter(
            {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for (name,) in names.fetchall()}
        )


async def settled(server: Server, crowd: Crowd, baseline: Figures | None) -> Figures:
    """What the server takes with nobody connected: once it is as it was, or does not change any more.

    It is tidied again and again, because an upload may have arrived whole just when its client was cut off.
    """
    await asyncio.sleep(TRIMMED_WITHIN_S)
    deadline = time.monotonic() + SETTLED_WITHIN_S
    while True:
        await crowd.tidy()
        await asyncio.sleep(5)
        now = await server.figures(rows_of(server.database).total())
        calm = now.places == 0 if baseline is None else not judged(baseline, now)
        if calm or time.monotonic() > deadline:
            return now


async def soak(options: argparse.Namespace, folder: Path) -> bool:
    """Whether all is back to where it was."""
    counts, seconds = Counts(), options.minutes * 60
    sessions = options.sessions or (12 if options.engines == "fake" else 4)
    async with Server.started(folder, options.engines, sessions, KEYS) as server:
        crowd = Crowd(server.port, options.clients, counts, options.engines, options.pause)
        await crowd.busy(seconds * WARM_SHARE)
        before = await settled(server, crowd, None)
        print(f"warm after {counts.started} things begun: {before.memory_mb:.0f} MB", flush=True)
        rows = rows_of(server.database)
        for _ in range(SAMPLES):
            await crowd.busy(seconds * (1 - WARM_SHARE) / SAMPLES)
            print(f"{counts.started} things begun: {server.memory_mb():.0f} MB", flush=True)
        after = await settled(server, crowd, before)
        more_rows = rows_of(server.database) - rows
    wrong = judged(before, after)
    print(table(before, after, wrong))
    if more_rows:
        print("more rows:", dict(more_rows))
    print(counts)
    for failure, times in counts.failures.most_common(20):
        print(f"failed {times} times: {failure}")
    return not wrong and not counts.failures


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--clients", type=int, default=25)
    parser.add_argument("--engines", choices=("fake", "local"), default="fake")
    parser.add_argument("--sessions", type=int, default=0, help="conversations at once; 12 with fake engines, else 4")
    parser.add_argument("--pause", type=float, default=0.5, help="seconds at most between two things of one client")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vivavoce-soak-") as folder:
        well = asyncio.run(soak(options, Path(folder)))
        if not well:
            print((Path(folder) / "log").read_text()[-4000:])
    print("all is back to where it was" if well else "NOT all is back to where it was, or something failed")
    sys.exit(not well)


if __name__ == "__main__":
    main()
