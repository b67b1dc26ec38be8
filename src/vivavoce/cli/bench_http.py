"""``vivavoce bench http``: how quick the HTTP endpoints are."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from vivavoce.bench.http import (
    DEFINITION,
    PARAGRAPHS,
    RATE_HZ,
    HttpReport,
    http_target,
    recording_of,
    run_http,
)
from vivavoce.bench.summary import Spread
from vivavoce.cli.local_server import server_at
from vivavoce.cli.options import ApiKeyOption, ConfigOption, EngineSet, EnginesOption, ModelOption, UrlOption
from vivavoce.client.recording import read_audio
from vivavoce.tiers import tier

KINDS = ("speech", "transcription", "chat")


def http(
    kind: Annotated[list[str] | None, typer.Option(help=f"Only one of {', '.join(KINDS)}; may repeat.")] = None,
    language: Annotated[list[str] | None, typer.Option(help="Only one of en, zh; may repeat.")] = None,
    runs: Annotated[int, typer.Option(min=1, help="Requests of each kind.")] = 10,
    file: Annotated[
        Path | None, typer.Option(exists=True, help="Transcribe this recording, in the first language asked for.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=1.0, help="Length of the recording made when no file is given.")] = 60.0,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the whole report to this file.")] = None,
    url: UrlOption = None,
    model: ModelOption = "step-audio-2",
    voice: Annotated[str | None, typer.Option(help="The voice that speaks; else the model's own.")] = None,
    api_key: ApiKeyOption = None,
    engines: EnginesOption = EngineSet.LOCAL,
    config: ConfigOption = None,
) -> None:
    """Time speech, transcriptions and spoken chats over HTTP: first byte of sound, and work by length of audio."""
    kinds, languages = kind or list(KINDS), language or list(PARAGRAPHS)
    if not set(kinds) <= set(KINDS) or not set(languages) <= set(PARAGRAPHS):
        raise typer.BadParameter(f"There are {', '.join(KINDS)}, in {', '.join(PARAGRAPHS)}.")
    console = Console()
    own_recordings = {languages[0]: read_audio(file, rate_hz=RATE_HZ)} if file else {}

    async def measured() -> HttpReport:
        async with (
            server_at(url, console, engines=engines, config_file=config, api_key=api_key) as server,
            http_target(server, model=model, voice=voice or tier(model, {}).default_voice) as target,
        ):
            recordings = dict(own_recordings)
            for code in languages if "transcription" in kinds and not own_recordings else ():
                recordings[code] = await recording_of(target, code, seconds)
            with Progress(console=console, transient=True) as progress:
                bar = progress.add_task("asking", total=len(kinds) * len(languages) * runs)
                return await run_http(
                    target,
                    model=model,
                    languages=languages,
                    kinds=kinds,
                    runs=runs,
                    recordings=recordings,
                    on_measure=lambda _measure: progress.advance(bar),
                )

    report = asyncio.run(measured())
    console.print(table(report))
    console.print(f"[dim]{DEFINITION}[/]")
    if json_file is not None:
        json_file.write_text(json.dumps(report.as_json(), ensure_ascii=False, indent=1) + "\n", "utf-8")


def table(report: HttpReport) -> Table:
    """The report for people."""
    result_table = Table(title=f"HTTP, {report.model}")
    result_table.add_column("", no_wrap=True)
    for column in ("requests", "first byte p50 ms", "p95", "real-time factor p50", "p95"):
        result_table.add_column(column, justify="right")
    for line in report.lines:
        count = line.factor.count if line.factor else 0
        result_table.add_row(
            f"{line.what}, {line.language}", str(count), *_cells(line.first_ms, 0), *_cells(line.factor, 3)
        )
    return result_table


def _cells(figures: Spread | None, digits: int) -> tuple[str, str]:
    return ("–", "–") if figures is None else (f"{figures.p50:.{digits}f}", f"{figures.p95:.{digits}f}")
