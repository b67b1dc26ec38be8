"""``python benchmarks/tool_calls.py``: does the language model call the right tool, and none when there is nothing to call?"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from tool_calls_measure import HALVES, Half, Score, measure

from vivavoce.cli.options import ConfigOption, EngineSet, read_config
from vivavoce.cli.weights import ensure_weights, language_model_weights, weights_of
from vivavoce.closing import CloseStack
from vivavoce.config import Config
from vivavoce.runtime.engines import EngineLoader
from vivavoce.tools.relevance import relevance_of


def tools(
    language_model: Annotated[
        list[str] | None, typer.Option(help="Which of the configuration's language models; may repeat.")
    ] = None,
    half: Annotated[list[str] | None, typer.Option(help="dev or test; both unless given.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all figures to this file.")] = None,
    config: ConfigOption = None,
) -> None:
    """Ask for things that need a tool, in many words and two languages, and for things that need none."""

    settings = read_config(engines=EngineSet.LOCAL, file=config)
    names = language_model or list(settings.engines.language_models)
    halves = [name_of_half for name_of_half in HALVES if name_of_half in (half or HALVES)]
    if not halves or not set(names) <= set(settings.engines.language_models):
        raise typer.BadParameter("There is no such half, or no such language model.")
    console = Console()
    needed = weights_of(settings, "embedders") + language_model_weights(settings, *names)
    ensure_weights(settings, needed, console)
    scores = {name: asyncio.run(_measure(settings, name, halves, console)) for name in names}
    console.print(_table(scores))
    for name, of_name in scores.items():
        for score in of_name:
            for wrong in score.wrong if score.half == "dev" else ():
                console.print(f"  {name}: {wrong}", markup=False)
    if json_file is not None:
        report = {name: [score.as_json() for score in of_name] for name, of_name in scores.items()}
        json_file.write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")


async def _measure(config: Config, name: str, halves: list[Half], console: Console) -> list[Score]:

    loader = EngineLoader(config)
    async with CloseStack() as stack:
        model = stack.add(await asyncio.to_thread(loader.language_model, name))
        embedder = stack.add(await asyncio.to_thread(loader.embedder))
        relevance = relevance_of(embedder, config.tools.relevance)
        with Progress(console=console, transient=True) as progress:
            bar = progress.add_task(name, total=sum(len(turns) for half in halves for turns in HALVES[half]))
            return [await measure(model, relevance, half, lambda _turn: progress.advance(bar)) for half in halves]


def _table(scores: dict[str, list[Score]]) -> Table:
    table = Table("model", "turns", "right tool and arguments", "false calls", "first event, median ms")
    for name, of_name in scores.items():
        for score in of_name:
            table.add_row(
                name,
                score.half,
                f"{score.right}/{score.requests} = {score.right / score.requests:.0%}",
                f"{score.false_calls}/{score.others} = {score.false_calls / score.others:.0%}",
                f"{score.first_ms:.0f}",
            )
    return table


if __name__ == "__main__":
    typer.run(tools)
