"""``vivavoce bench reasoning``: what thinking while speaking is worth."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.console import Console

from vivavoce.cli.options import ConfigOption, EngineSet, read_config
from vivavoce.thinking import Effort

if TYPE_CHECKING:
    from vivavoce.engines.base import LanguageModel


def reasoning(
    mode: Annotated[list[str] | None, typer.Option(help="Only this mode; may repeat.")] = None,
    limit: Annotated[int | None, typer.Option(min=4, help="Only so many questions.")] = None,
    minutes: Annotated[float | None, typer.Option(min=0.1, help="Ask nothing more after so long.")] = None,
    effort: Annotated[str, typer.Option(help="minimal, low, medium or high.")] = "medium",
    segment_tokens: Annotated[int | None, typer.Option(min=4, help="Tokens of a segment of thought.")] = None,
    model: Annotated[str, typer.Option(help="The language model, as the tiers name it.")] = "large",
    answers: Annotated[
        Path | None, typer.Option(help="Keep every answer in this file (JSON lines), and go on from those it holds.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Ask 84 questions in English and Chinese in each mode: right answers, and when the first words come."""
    # The language model's libraries are heavy, and other commands start without them.
    from vivavoce.bench.answer_file import AnswerFile
    from vivavoce.bench.reasoning import MODES, Answered, ask, result_table, to_ask
    from vivavoce.runtime.engines import EngineLoader

    settings = read_config(engines=EngineSet.LOCAL, file=config)
    if unknown := set(mode or ()) - set(MODES):
        raise typer.BadParameter(
            f"there is no {', '.join(unknown)}: the modes are {', '.join(MODES)}", param_hint="--mode"
        )
    if effort not in settings.thinking.budgets:
        raise typer.BadParameter(f"the efforts are {', '.join(settings.thinking.budgets)}", param_hint="--effort")
    thinking = replace(settings.thinking.thinking, effort=cast(Effort, effort))
    if segment_tokens is not None:
        thinking = replace(thinking, segment_tokens=segment_tokens)
    file = AnswerFile(Answered, answers)
    asked = list(to_ask([name for name in MODES if mode is None or name in mode], limit, file.answers))
    until_s = time.monotonic() + (minutes * 60 if minutes is not None else float("inf"))

    async def ask_all(engine: LanguageModel) -> None:
        for question, name in asked:
            if time.monotonic() >= until_s:
                break
            file.add(await ask(engine, question, name, replace(thinking, mode=name)))

    if asked:
        asyncio.run(ask_all(EngineLoader(settings).language_model(model)))
    Console().print(result_table(file.answers))
