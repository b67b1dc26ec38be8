"""The questions a bench asks: those of a manifest, or some that the project's own synthesizers make."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console

from vivavoce.bench.pauses import paused
from vivavoce.bench.questions import OWN_QUESTIONS, Question, read_manifest, synthesise_questions
from vivavoce.cli.options import EngineSet, read_config
from vivavoce.cli.weights import ensure_weights, weights_of
from vivavoce.closing import CloseStack
from vivavoce.config import Config
from vivavoce.tiers import TIERS
from vivavoce.types import Language


@dataclass(frozen=True, slots=True)
class QuestionChoice:
    """Which questions to ask, how often, and with pauses of which lengths besides."""

    manifest: Path | None
    language: Language | None
    files: str
    limit: int | None
    runs: int
    parallel: int
    pauses_ms: tuple[int, ...] = ()


async def questions_of(
    choice: QuestionChoice, console: Console, engines: EngineSet, config_file: Path | None
) -> tuple[list[Question], str]:
    """The questions to ask, and a sentence on where they come from. Without a manifest the project's synthesizers make them."""
    questions, source = await _without_pauses(choice, console, engines, config_file)
    return paused(questions, choice.pauses_ms), source


async def _without_pauses(
    choice: QuestionChoice, console: Console, engines: EngineSet, config_file: Path | None
) -> tuple[list[Question], str]:
    if choice.manifest is not None:
        questions = read_manifest(choice.manifest, language=choice.language, files=choice.files, limit=choice.limit)
        return questions, f"{len(questions)} recordings of {choice.manifest.name}."
    languages = [language for language in OWN_QUESTIONS if choice.language in (None, language)]
    if not languages:
        raise typer.BadParameter(f"There are own questions in {', '.join(OWN_QUESTIONS)} only; give a --manifest.")
    config = read_config(engines=engines, file=config_file)
    ensure_weights(config, weights_of(config, "speakers"), console)
    with console.status("Making questions with the project's own voices …"):
        questions = await _speak_questions(config, languages, choice.limit)
    return questions, f"{len(questions)} questions synthesised by Vivavoce's own speakers, no human recordings."


async def _speak_questions(config: Config, languages: Sequence[Language], limit: int | None) -> list[Question]:
    # Engines are heavy to import, and only this way of making questions needs them.
    from vivavoce.runtime.engines import EngineLoader

    async with CloseStack() as stack:
        synthesizer = stack.add(await asyncio.to_thread(EngineLoader(config).synthesizer))
        return await synthesise_questions(
            synthesizer, voice=TIERS["step-audio-2"].default_voice, languages=languages, limit=limit
        )
