"""``vivavoce bench persona``: does the assistant stay who it was told to be?"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from vivavoce.bench.persona.dialogue import play
from vivavoce.bench.persona.report import report, table, transcript
from vivavoce.bench.persona.scoring import GOALS, ScoredPersonaTurn, score
from vivavoce.bench.persona.scripts import PersonaScript, personas
from vivavoce.bench.turn import Target
from vivavoce.cli.local_server import server_at
from vivavoce.cli.options import ApiKeyOption, ConfigOption, EngineSet, EnginesOption, ModelOption, UrlOption

ANSWER_WITHIN_S = 180.0


def persona(
    name: Annotated[list[str] | None, typer.Option("--persona", help="Only these personas; may repeat.")] = None,
    language: Annotated[list[str] | None, typer.Option(help="Only those that speak en, or zh.")] = None,
    show: Annotated[bool, typer.Option("--transcript", help="Print whole conversations.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write every turn to this file.")] = None,
    url: UrlOption = None,
    model: ModelOption = "step-audio-2",
    api_key: ApiKeyOption = None,
    engines: EnginesOption = EngineSet.LOCAL,
    config: ConfigOption = None,
) -> None:
    """Talk to twelve personas for fifteen turns each: their rule and name, the user's facts, honesty, length, language."""
    chosen = [
        script
        for script in personas()
        if script.persona in (name or [script.persona]) and script.language in (language or [script.language])
    ]
    if not chosen:
        names = ", ".join(f"{script.persona} ({script.language})" for script in personas())
        raise typer.BadParameter(f"No persona fits. There are {names}.")
    console = Console()
    target = Target("", model, api_key=api_key, timeout_s=ANSWER_WITHIN_S)
    scored = asyncio.run(_run(chosen, console, url, target, engines, config, show))
    console.print(table(scored))
    console.print("[dim]Goals: " + ", ".join(f"{check} {goal}" for check, goal in GOALS.items()) + ".[/]")
    if json_file is not None:
        json_file.write_text(json.dumps(report(scored), ensure_ascii=False, indent=1), encoding="utf-8")


async def _run(
    chosen: Sequence[PersonaScript],
    console: Console,
    url: str | None,
    target: Target,
    engines: EngineSet,
    config_file: Path | None,
    show: bool,
) -> list[ScoredPersonaTurn]:
    scored: list[ScoredPersonaTurn] = []
    async with server_at(url, console, engines=engines, config_file=config_file, api_key=target.api_key) as server:
        with Progress(console=console, transient=True) as progress:
            bar = progress.add_task("talking", total=sum(len(script.turns) for script in chosen))
            for script in chosen:
                progress.update(bar, description=script.persona)
                scored += score(script, await play(target.at(server), script, lambda _turn: progress.advance(bar)))
                if show:  # at once: a long run may be ended before its end
                    talk = transcript(scored[-len(script.turns) :])
                    console.print(talk, markup=False, highlight=False, soft_wrap=True)
    return scored
