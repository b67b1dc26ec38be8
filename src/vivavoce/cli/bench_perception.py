"""``vivavoce bench perception``: how far what is heard can be trusted, and whether questions about it are answered from it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from vivavoce.cli.local_server import server_at
from vivavoce.cli.options import ApiKeyOption, ConfigOption, EngineSet, ModelOption, UrlOption, read_config

if TYPE_CHECKING:
    from vivavoce.bench.sound_asking import AskedQuestion

PATIENCE_S = 1.0
"""Nobody waits here: nothing shall be missing because this machine is busy."""

DataArgument = Annotated[
    Path,
    typer.Argument(
        exists=True,
        file_okay=False,
        help="A folder with manifest.jsonl, emotion/ (EMO-DB), english/, mandarin/, sounds/, noise/ and rooms/.",
    ),
]


def perception(
    data: DataArgument,
    cache: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Keep what is computed here.")
    ] = None,
    ask: Annotated[
        bool, typer.Option("--ask", help="Ask a server about recordings instead, and judge its answers by code.")
    ] = False,
    written: Annotated[
        bool,
        typer.Option("--written", help="Judge the answers as they are written for the language model, without one."),
    ] = False,
    latency: Annotated[bool, typer.Option("--latency", help="Only what listening adds to a turn.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write every answer to this file.")] = None,
    url: UrlOption = None,
    model: ModelOption = "step-audio-2",
    api_key: ApiKeyOption = None,
    config: ConfigOption = None,
) -> None:
    """Emotion with speakers left out, clean and in unseen noise; abstention, arousal, gender, language; added latency.

    About ten minutes the first time.
    """
    console = Console()
    if ask or written:
        asked = _written(data, config) if written else _ask(data, console, url, model, api_key, config)
        report = asyncio.run(_report(asked, console))
        if json_file is not None:
            json_file.write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")
        return
    if not latency:
        _classifiers(data, cache, console)
    _turns(data, config, console)


def _classifiers(data: Path, cache: Path | None, console: Console) -> None:
    # The recogniser's libraries are heavy, and other commands start without them.
    from vivavoce.bench.perception import (
        answered_table,
        arousal_auc,
        coverage_table,
        gender_recalls,
        material,
        recall_table,
    )

    found = material(data, cache)
    console.print(recall_table(found))
    console.print(coverage_table(found))
    console.print(answered_table(found))
    console.print(f"Arousal by pitch, relative to the speaker's neutral clips: AUC {arousal_auc(found):.3f}")
    clip, speaker = gender_recalls(data, found)
    console.print(f"Gender: unweighted recall {clip:.2f} per clip, {speaker:.0%} of speakers over all their clips")


def _turns(data: Path, config: Path | None, console: Console) -> None:
    from vivavoce.bench.perception import heard
    from vivavoce.bench.perception_cost import listening_memory_mb
    from vivavoce.runtime.engines import EngineLoader

    loader = EngineLoader(read_config(engines=EngineSet.LOCAL, file=config))
    recognizer = loader.recognizer()
    perceivers, memory_mb = listening_memory_mb(loader)
    turn = asyncio.run(heard(data, recognizer, perceivers))
    console.print(f"Language: {turn.languages_right} of {turn.clips} right")
    console.print(
        f"A turn is read in {turn.plain_ms:.0f} ms (median), with all of it listened to in {turn.whole_ms:.0f} ms "
        f"({turn.whole_ms - turn.plain_ms:+.0f} ms), with what partial transcripts had not heard in {turn.live_ms:.0f} ms "
        f"({turn.live_ms - turn.plain_ms:+.0f} ms; of each turn against itself, median {turn.added_ms:+.0f} ms); "
        f"perceived in time: {turn.perceived} of {turn.clips}"
    )
    console.print(f"Processor time of the perceivers for all of a turn: {turn.processor_ms:.1f} ms (median)")
    console.print(f"Loaded for it: {memory_mb:.0f} MB; switched off: nothing")


async def _ask(
    data: Path, console: Console, url: str | None, model: str, api_key: str | None, config: Path | None
) -> AsyncIterator[AskedQuestion]:
    from vivavoce.bench.http import http_target
    from vivavoce.bench.sound_asking import ask_all
    from vivavoce.bench.sound_questions import sound_questions

    async with (
        server_at(url, console, engines=EngineSet.LOCAL, config_file=config, api_key=api_key) as server,
        http_target(server, model=model, voice="") as target,
    ):
        async for one in ask_all(target, sound_questions(data)):
            yield one


async def _written(data: Path, config: Path | None) -> AsyncIterator[AskedQuestion]:
    from vivavoce.bench.sound_questions import sound_questions
    from vivavoce.bench.sound_writing import written_answers
    from vivavoce.runtime.engines import EngineLoader
    from vivavoce.runtime.perceiving import Perceiving
    from vivavoce.runtime.recognition import Recognition

    loader = EngineLoader(read_config(engines=EngineSet.LOCAL, file=config))
    perceiving = Perceiving(loader.perceivers(), PATIENCE_S)
    async for one in written_answers(Recognition(loader.recognizer(), perceiving=perceiving), sound_questions(data)):
        yield one


async def _report(asked: AsyncIterator[AskedQuestion], console: Console) -> list[dict[str, Any]]:
    """The table is printed; what comes is every answer."""
    from vivavoce.bench.sound_asking import verdict_table

    answered: list[AskedQuestion] = []
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("asking")
        async for one in asked:
            answered.append(one)
            progress.update(bar, advance=1)
    console.print(verdict_table(answered))
    return [
        {"topic": one.question.topic, "question": one.question.text, "answer": one.answer, "verdict": one.verdict,
         "perception": one.perception}
        for one in answered
    ]  # fmt: skip
