"""``vivavoce bench service``: can one trust what a business's assistant says and does?"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from vivavoce.bench.http import HttpTarget, http_target
from vivavoce.bench.service.dialogue import Speak, play
from vivavoce.bench.service.report import GOALS, HALVES, LEGEND, report, tables, transcript
from vivavoce.bench.service.scoring import ScoredTurn, score
from vivavoce.bench.service.scripts import ServiceScript, scripts
from vivavoce.bench.service.shelf import shelf
from vivavoce.bench.turn import Target
from vivavoce.cli.bench_dialogues import Stage
from vivavoce.cli.options import ApiKeyOption, ConfigOption, EngineSet, EnginesOption, ModelOption, UrlOption
from vivavoce.client.address import ServerAddress
from vivavoce.tiers import tier
from vivavoce.types import Language, Samples

Way = Literal["voice", "text"]
ANSWER_WITHIN_S = 60.0


def service(
    business: Annotated[list[str] | None, typer.Option(help="Only these businesses; may repeat.")] = None,
    language: Annotated[list[str] | None, typer.Option(help="Only en or zh.")] = None,
    half: Annotated[list[str] | None, typer.Option(help="tuning or held-out; both unless given.")] = None,
    spoken: Annotated[
        bool | None,
        typer.Option("--voice/--text", help="All dialogues by voice, or all by text; else a third by voice."),
    ] = None,
    turns: Annotated[int | None, typer.Option(min=1, help="Only so many turns of each dialogue.")] = None,
    show: Annotated[bool, typer.Option("--transcript", help="Print whole dialogues with their verdicts.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write every turn to this file.")] = None,
    speaker: Annotated[str | None, typer.Option(help="The voice of the callers; else the model's own.")] = None,
    url: UrlOption = None,
    model: ModelOption = "step-audio-2",
    api_key: ApiKeyOption = None,
    engines: EnginesOption = EngineSet.LOCAL,
    config: ConfigOption = None,
) -> None:
    """Play customers of six businesses in English and Chinese: documents, functions with effects, 20 turns each.

    Facts, calls and arguments are checked by code; a turn is right, honest, wrong, invented or harmful.
    """
    chosen = [
        replace(script, turns=script.turns[:turns])
        for script in scripts()
        if script.business in (business or [script.business])
        and script.language in (language or [script.language])
        and script.half in (half or HALVES)
    ]
    if not chosen:
        names = ", ".join(script.name for script in scripts())
        raise typer.BadParameter(f"No dialogue fits. There are {names}.")
    console = Console()
    target = Target("", model, api_key=api_key, timeout_s=ANSWER_WITHIN_S)
    stage = Stage(console, url, target, engines, config, show)
    scored = asyncio.run(stage.play_all(chosen, partial(_dialogue, spoken, speaker), transcript))
    for table in tables(scored):
        console.print(table)
    goals = ", ".join(f"{name.replace('_', ' ')} {goal}" for name, goal in GOALS.items())
    console.print(f"[dim]{LEGEND} Goals: {goals}.[/]")
    if json_file is not None:
        json_file.write_text(json.dumps(report(scored), ensure_ascii=False, indent=1), encoding="utf-8")


async def _dialogue(
    spoken: bool | None,
    speaker: str | None,
    server: ServerAddress,
    target: Target,
    script: ServiceScript,
    advance: Callable[[object], None],
) -> list[ScoredTurn]:
    by_voice = script.spoken if spoken is None else spoken
    voice = (speaker or tier(target.model, {}).default_voice) if by_voice else None
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(shelf(server, script.documents))
        speak: Speak | None = None
        if voice is not None:
            http = await stack.enter_async_context(http_target(server, model=target.model, voice=voice))
            speak = partial(_say, http)
        return score(script, await play(target, script, store, speak, advance))


async def _say(http: HttpTarget, text: str, language: Language) -> Samples:
    _, samples = await http.speech(text, language)
    return samples
