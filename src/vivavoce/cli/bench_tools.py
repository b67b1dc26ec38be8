"""``vivavoce bench tools``: does the language model call the right tool, and none when there is nothing to call?"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from vivavoce.cli.options import ConfigOption, Engines, read_config
from vivavoce.cli.weights import ensure_weights, language_model_weights, weights_of
from vivavoce.closing import CloseStack
from vivavoce.config import Config

if TYPE_CHECKING:
    from vivavoce.bench.tools import Half, Score


def tools(
    language_model: Annotated[
        list[str] | None, typer.Option(help="Which of the configuration's language models; may repeat.")
    ] = None,
    half: Annotated[list[str] | None, typer.Option(help="tuned or held; both unless given.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all figures to this file.")] = None,
    config: ConfigOption = None,
) -> None:
    """Ask for things that need a tool, in many words and two languages, and for things that need none."""
    from vivavoce.bench.tools import HALVES  # what it offers knows the SDK of tool servers: half a second

    settings = read_config(engines=Engines.LOCAL, file=config)
    names = language_model or list(settings.engines.language_models)
    halves = [one for one in HALVES if one in (half or HALVES)]
    if not halves or not set(names) <= set(settings.engines.language_models):
        raise typer.BadParameter("There is no such half, or no such language model.")
    console = Console()
    needed = weights_of(settings, "embedders") + language_model_weights(settings, *names)
    ensure_weights(settings, needed, console)
    scores = {name: asyncio.run(_measure(settings, name, halves, console)) for name in names}
    console.print(_table(scores))
    for name, of_name in scores.items():
        for score in of_name:
            for wrong in score.wrong if score.half == "tuned" else ():
                console.print(f"  {name}: {wrong}", markup=False)
    if json_file is not None:
        told = {name: [score.as_json() for score in of_name] for name, of_name in scores.items()}
        json_file.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")


async def _measure(config: Config, name: str, halves: list[Half], console: Console) -> list[Score]:
    # Engines are heavy to import, and every other command does without them.
    from vivavoce.bench.tools import HALVES, measure
    from vivavoce.runtime.engines import EngineLoader
    from vivavoce.tools.relevance import relevance_of

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
