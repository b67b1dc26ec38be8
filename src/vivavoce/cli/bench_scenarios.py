"""``vivavoce bench scenarios``: does the assistant answer to the voice?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from vivavoce.bench.answer_file import AnswerFile
from vivavoce.bench.http import http_target
from vivavoce.bench.scenarios.dialogue import Caller, PlayedScenarioTurn, play
from vivavoce.bench.scenarios.scoring import ScoredScenarioTurn, result_table, score, transcript, without_voice
from vivavoce.bench.scenarios.scripts import ScenarioScript, scripts
from vivavoce.bench.turn import Target
from vivavoce.cli.bench_dialogues import Stage
from vivavoce.cli.options import ApiKeyOption, ConfigOption, EngineSet, EnginesOption, UrlOption
from vivavoce.client.address import ServerAddress
from vivavoce.types import Samples

ANSWER_WITHIN_S = 60.0


def scenarios(
    name: Annotated[list[str] | None, typer.Option("--persona", help="Only these personas; may repeat.")] = None,
    language: Annotated[list[str] | None, typer.Option(help="Only en, zh, or de (recordings).")] = None,
    voice: Annotated[
        bool | None, typer.Option("--voice/--words", help="Only with the voice heard, or only words.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="A folder with emotion/ (EMO-DB), for its recordings."),
    ] = None,
    minutes: Annotated[float | None, typer.Option(min=0.1, help="Begin no dialogue after so long.")] = None,
    answers: Annotated[
        Path | None, typer.Option(help="Keep every turn in this file (JSON lines), and go on from those it holds.")
    ] = None,
    show: Annotated[
        bool, typer.Option("--transcript", help="Print whole dialogues with what is wrong in them.")
    ] = False,
    url: UrlOption = None,
    api_key: ApiKeyOption = None,
    engines: EnginesOption = EngineSet.LOCAL,
    config: ConfigOption = None,
) -> None:
    """Call five personas in English and Chinese, sad, angry, tired, hurried or hesitant: what is heard, and how it is answered.

    Each dialogue twice: with the voice heard (step-audio-2), and by the same language model without it (step-1o-audio).
    """
    chosen = [
        script
        for one in scripts()
        for script in (one, without_voice(one))
        if script.persona in (name or [script.persona])
        and script.language in (language or [script.language])
        and voice in (None, script.perceives)
        and (data is not None or not script.recordings)
    ]
    if not chosen:
        raise typer.BadParameter(f"No scenario fits. There are {', '.join(script.name for script in scripts())}.")
    console, file = Console(), AnswerFile(PlayedScenarioTurn, answers)
    done = {one.scenario for one in file.answers}
    chosen = [script for script in chosen if script.name not in done]
    until_s = time.monotonic() + (minutes * 60 if minutes is not None else float("inf"))
    if chosen:
        stage = Stage(console, url, Target("", api_key=api_key, timeout_s=ANSWER_WITHIN_S), engines, config, show)
        asyncio.run(stage.play_all(chosen, partial(_dialogue, file, data, until_s), transcript))
    console.print(result_table(score(file.answers)))


async def _dialogue(
    file: AnswerFile[PlayedScenarioTurn],
    data: Path | None,
    until_s: float,
    server: ServerAddress,
    target: Target,
    script: ScenarioScript,
    advance: Callable[[object], None],
) -> list[ScoredScenarioTurn]:
    if time.monotonic() >= until_s:
        return []
    async with http_target(server, model=target.model, voice=script.caller) as http:

        async def speak(text: str, script: ScenarioScript) -> Samples:
            _, samples = await http.speech(text, script.spoken)
            return samples

        played = await play(target, script, Caller(speak, data), advance)
    for one in played:
        file.add(one)
    return score(played)
