"""``python benchmarks/overhead.py``: what the server costs without the models."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Annotated

import psutil
import typer
from overhead_measure import KEEPS_UP_MS, FirstDeltas, Listening, cores, first_deltas, listening, write_config
from rich.console import Console
from rich.table import Table

from vivavoce.bench.summary import percentile, spread
from vivavoce.cli.local_server import child_server
from vivavoce.cli.options import EngineSet

SPARE_SESSIONS = 4


def overhead(
    sessions: Annotated[int, typer.Option(min=1, help="Open microphones.")] = 100,
    seconds: Annotated[float, typer.Option(min=3.0, help="How long they are open.")] = 15.0,
    chunk_ms: Annotated[int, typer.Option(min=10, max=500, help="Audio in one frame.")] = 20,
    rounds: Annotated[int, typer.Option(min=1, help="Number of replies to request.")] = 300,
) -> None:
    """With fake engines: from response.create to the first delta; and open microphones on one core, with real VAD.

    Exit code 1 when the server falls behind real time.
    """
    console = Console()
    answered, listening_report = asyncio.run(_measure(console, sessions, seconds, chunk_ms, rounds))
    print_first_deltas(console, answered)
    print_listening(console, listening_report)
    if percentile(listening_report.lags_ms, 95) > KEEPS_UP_MS:
        raise typer.Exit(1)


async def _measure(
    console: Console, sessions: int, seconds: float, chunk_ms: int, rounds: int
) -> tuple[FirstDeltas, Listening]:
    all_cores = sorted(_cores())
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "bench.toml"
        write_config(config, sessions=sessions + SPARE_SESSIONS)
        with cores({all_cores[0]}):
            async with child_server(console, engines=EngineSet.LOCAL, config_file=config) as server:
                with cores(set(all_cores[1:]) or set(all_cores)), console.status("Measuring …"):
                    answered = await first_deltas(server, rounds=rounds)
                    listening_report = await listening(
                        server, _server_process(), sessions=sessions, seconds=seconds, chunk_ms=chunk_ms
                    )
    return answered, listening_report


def _cores() -> set[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))


def _server_process() -> psutil.Process:
    return next(child for child in psutil.Process().children() if "serve" in child.cmdline())


def print_first_deltas(console: Console, answered: FirstDeltas) -> None:
    """From ``response.create`` on."""
    table = Table(title="Milliseconds after response.create, without models")
    table.add_column("")
    for column in ("p50", "p95", "count"):
        table.add_column(column, justify="right")
    for label, values in (("first text", answered.text_ms), ("first audio", answered.audio_ms)):
        figures = spread(values)
        if figures is not None:
            table.add_row(label, f"{figures.p50:.1f}", f"{figures.p95:.1f}", str(figures.count))
    console.print(table)


def print_listening(console: Console, report: Listening) -> None:
    """Open microphones."""
    lags = report.lags_ms
    table = Table(title=f"{report.sessions} open microphones on one core, with voice activity detection")
    for column in ("lag p50 ms", "p95", "worst", "of the core", "sessions it could carry"):
        table.add_column(column, justify="right")
    could = report.sessions / report.busy if report.busy else float("nan")
    table.add_row(
        f"{percentile(lags, 50):.1f}",
        f"{percentile(lags, 95):.1f}",
        f"{max(lags):.0f}",
        f"{report.busy:.0%}",
        f"{could:.0f}",
    )
    console.print(table)
    console.print(
        "[dim]Lag: from sending a frame until the server has processed it, on the client's clock. What it could carry: the "
        "sessions by the core time a second of all their audio took; much lag in spite of little of it means that other "
        f"programs used the core. This process was at most {report.late_ms:.0f} ms late.[/]"
    )


if __name__ == "__main__":
    typer.run(overhead)
