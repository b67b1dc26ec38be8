"""``vivavoce bench answers``: does what is told of a voice make the answer fit it?"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from vivavoce.cli.options import ConfigOption, EngineSet, read_config

if TYPE_CHECKING:
    from vivavoce.engines.base import LanguageModel


def answers(
    language: Annotated[list[str] | None, typer.Option(help="Only en or zh.")] = None,
    minutes: Annotated[float | None, typer.Option(min=0.1, help="Ask nothing more after so long.")] = None,
    model: Annotated[str, typer.Option(help="The language model, as the tiers name it.")] = "large",
    kept: Annotated[
        Path | None,
        typer.Option("--answers", help="Keep every answer in this file (JSON lines), and go on from those it holds."),
    ] = None,
    show: Annotated[bool, typer.Option("--transcript", help="Print every answer with its verdict.")] = False,
    config: ConfigOption = None,
) -> None:
    """Twenty neutral sentences, each in the feelings it may be said in: does the answer fit, told of the voice and not?

    And ten plain ones of which a wrong feeling is told: does that do harm?
    """
    # The language model's libraries are heavy, and other commands start without them.
    from vivavoce.bench.answer_file import AnswerFile
    from vivavoce.bench.scenarios.sentences import Answer, ask, result_table, to_ask, transcript
    from vivavoce.runtime.engines import EngineLoader

    settings = read_config(engines=EngineSet.LOCAL, file=config)
    file = AnswerFile(Answer, kept)
    asked = list(to_ask(file.answers, language or ["en", "zh"]))
    until_s = time.monotonic() + (minutes * 60 if minutes is not None else float("inf"))

    async def ask_all(engine: LanguageModel) -> None:
        for sentence, feeling in asked:
            if time.monotonic() >= until_s:
                break
            file.add(await ask(engine, sentence, feeling))

    if asked:
        asyncio.run(ask_all(EngineLoader(settings).language_model(model)))
    console = Console()
    if show:
        console.print(transcript(file.answers), markup=False, highlight=False, soft_wrap=True)
    console.print(result_table(file.answers))
