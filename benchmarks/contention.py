"""Short turns while another conversation waits for a long transcript: ``python benchmarks/contention.py``."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from contention_measure import Contention, run_contention
from contention_report import print_contention
from rich.console import Console

from vivavoce.bench.turn import Target
from vivavoce.cli.bench_questions import QuestionChoice, questions_of
from vivavoce.cli.local_server import server_at
from vivavoce.cli.options import ApiKeyOption, ConfigOption, EngineSet, EnginesOption, ModelOption, UrlOption


def contention(
    manifest: Annotated[
        Path | None, typer.Option(exists=True, help="JSON lines of recordings to speak: file, language.")
    ] = None,
    language: Annotated[str, typer.Option(help="Only questions in this language: en, zh …")] = "en",
    files: Annotated[str, typer.Option(help="Only the manifest's files of this pattern, such as 'english/*'.")] = "*",
    seconds: Annotated[float, typer.Option(min=1.0, help="How long the long turn is.")] = 208.0,
    url: UrlOption = None,
    model: ModelOption = "step-audio-2",
    api_key: ApiKeyOption = None,
    engines: EnginesOption = EngineSet.LOCAL,
    config: ConfigOption = None,
) -> None:
    """Speak short turns while another conversation waits for the transcript of a long one, and without it."""
    console = Console()
    choice = QuestionChoice(manifest, language, files, None, 1, 1)
    print_contention(
        console, asyncio.run(_contend(choice, console, url, Target("", model, None, api_key), seconds, engines, config))
    )


async def _contend(
    choice: QuestionChoice,
    console: Console,
    url: str | None,
    target: Target,
    seconds: float,
    engines: EngineSet,
    config_file: Path | None,
) -> Contention:
    questions, _ = await questions_of(choice, console, engines, config_file)
    async with server_at(url, console, engines=engines, config_file=config_file, api_key=target.api_key) as server:
        with console.status("Measuring …"):
            return await run_contention(target.at(server), questions, seconds=seconds)


if __name__ == "__main__":
    typer.run(contention)
