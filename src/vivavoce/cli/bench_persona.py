"""``vivavoce bench persona``: does the assistant stay who it was told to be?"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from vivavoce.bench.persona.dialogue import play
from vivavoce.bench.persona.report import report, table, transcript
from vivavoce.bench.persona.scoring import GOALS, ScoredPersonaTurn, score
from vivavoce.bench.persona.scripts import PersonaScript, personas
from vivavoce.bench.turn import Target
from vivavoce.cli.bench_dialogues import Stage
from vivavoce.cli.options import ApiKeyOption, ConfigOption, EngineSet, EnginesOption, ModelOption, UrlOption
from vivavoce.client.address import ServerAddress

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
    stage = Stage(console, url, target, engines, config, show)
    scored = asyncio.run(stage.play_all(chosen, _dialogue, transcript))
    console.print(table(scored))
    console.print("[dim]Goals: " + ", ".join(f"{check} {goal}" for check, goal in GOALS.items()) + ".[/]")
    if json_file is not None:
        json_file.write_text(json.dumps(report(scored), ensure_ascii=False, indent=1), encoding="utf-8")


async def _dialogue(
    _server: ServerAddress, target: Target, script: PersonaScript, advance: Callable[[object], None]
) -> list[ScoredPersonaTurn]:
    return score(script, await play(target, script, advance))
