"""``vivavoce bench reasoning``: what thinking while speaking is worth."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.console import Console

from vivavoce.bench.reasoning_questions import sample
from vivavoce.cli.options import ConfigOption, EngineSet, read_config
from vivavoce.thinking import Effort
from vivavoce.types import ThinkingMode

if TYPE_CHECKING:
    from vivavoce.bench.reasoning import Answered
    from vivavoce.engines.base import LanguageModel

ALL_MODES: tuple[ThinkingMode, ...] = ("off", "speak-first", "think-first", "think-before-speak")


def reasoning(
    mode: Annotated[list[str] | None, typer.Option(help=f"Only these modes: {', '.join(ALL_MODES)}.")] = None,
    limit: Annotated[int | None, typer.Option(min=4, help="Only so many questions.")] = None,
    effort: Annotated[str, typer.Option(help="minimal, low, medium or high.")] = "medium",
    segment_tokens: Annotated[int | None, typer.Option(min=8, help="Tokens of a segment of thought.")] = None,
    model: Annotated[str, typer.Option(help="The language model, as the tiers name it.")] = "large",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write every answer to this file.")] = None,
    config: ConfigOption = None,
) -> None:
    """Ask 84 questions in English and Chinese in each mode: right answers, and when the first words come."""
    # The language model's libraries are heavy, and other commands start without them.
    from vivavoce.bench.reasoning import result_table
    from vivavoce.runtime.engines import EngineLoader

    settings = read_config(engines=EngineSet.LOCAL, file=config)
    modes = [name for name in ALL_MODES if mode is None or name in mode]
    if mode is not None and len(modes) != len(set(mode)):
        raise typer.BadParameter(f"the modes are {', '.join(ALL_MODES)}", param_hint="--mode")
    if effort not in settings.thinking.budgets:
        raise typer.BadParameter(f"the efforts are {', '.join(settings.thinking.budgets)}", param_hint="--effort")
    tokens = segment_tokens or settings.thinking.segment_tokens
    engine = EngineLoader(settings).language_model(model)
    results = asyncio.run(_ask_all(engine, modes, limit, cast(Effort, effort), tokens))
    Console().print(result_table(results))
    if json_file is not None:
        rows = [
            {"mode": name, "question": answer.question.text, "expected": answer.question.answer, "answer": answer.answer,
             "thought": answer.thought, "right": answer.right, "first_words_s": round(answer.first_words_s, 2)}
            for name, answers in results.items() for answer in answers
        ]  # fmt: skip
        json_file.write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")


async def _ask_all(
    engine: LanguageModel, modes: Sequence[ThinkingMode], limit: int | None, effort: Effort, segment_tokens: int
) -> dict[ThinkingMode, Sequence[Answered]]:
    from vivavoce.bench.reasoning import ask

    return {
        mode: [await ask(engine, question, mode, effort, segment_tokens) for question in sample(limit)]
        for mode in modes
    }
