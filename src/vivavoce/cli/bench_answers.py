"""``vivavoce bench answers``: does what is told of a voice make the answer fit it?"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace
from rich.console import Console

from vivavoce.cli.options import ConfigOption, EngineSet, read_config

if TYPE_CHECKING:
    from vivavoce.engines.base import LanguageModel
    from vivavoce.intents.feelings import WordsReader


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

    And thirty plain ones of which a wrong feeling is told: does that do harm?
    """
    # The language model's libraries are heavy, and other commands start without them.
    from vivavoce.bench.answer_file import AnswerFile
    from vivavoce.bench.scenarios.sentences import Answer, ask, note_of, result_table, to_ask, transcript
    from vivavoce.intents.classifier import FEELING_HEADS, IntentClassifier, load_heads
    from vivavoce.intents.feelings import WordsReader
    from vivavoce.runtime.engines import EngineLoader

    settings = read_config(engines=EngineSet.LOCAL, file=config)
    file = AnswerFile(Answer, kept)
    asked = list(to_ask(file.answers, language or ["en", "zh"]))
    until_s = time.monotonic() + (minutes * 60 if minutes is not None else float("inf"))

    async def ask_all(engine: LanguageModel, words: WordsReader) -> None:
        for sentence, feeling in asked:
            if time.monotonic() >= until_s:
                break
            note = await note_of(words, sentence, feeling)
            same = next((one for one in file.answers if (one.say, one.note) == (sentence.say, note)), None)
            # Decoding is greedy: the same prompt has the same answer.
            file.add(replace(same, feeling=feeling) if same else await ask(engine, sentence, feeling, note))

    if asked:
        loader = EngineLoader(settings)
        words = WordsReader(IntentClassifier(loader.embedder(), load_heads(FEELING_HEADS)))
        asyncio.run(ask_all(loader.language_model(model), words))
    console = Console()
    if show:
        console.print(transcript(file.answers), markup=False, highlight=False, soft_wrap=True)
    console.print(result_table(file.answers))
