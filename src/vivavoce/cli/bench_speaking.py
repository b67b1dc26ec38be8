"""``vivavoce bench speaking``: are numbers, names and signs said as they should be?"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from vivavoce.bench.speaking import front_ends, read, read_cases, share_table
from vivavoce.cli.options import ConfigOption, EngineSet, read_config
from vivavoce.closing import CloseStack
from vivavoce.types import Language

LeastOption = Annotated[
    float, typer.Option(min=0.0, max=1.0, help="Fail when a language's share of correct readings is lower.")
]


def speaking(
    pairs: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Pairs of your own (TSV).")] = None,
    language: Annotated[Language | None, typer.Option(help="Only pairs of this language.")] = None,
    wrong: Annotated[bool, typer.Option(help="List the pairs that are read incorrectly.")] = True,
    least: LeastOption = 0.0,
    styles: Annotated[
        bool, typer.Option("--styles", help="Measure speaking styles instead, with the real voices.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """The share of written texts that are spoken as they should be, per language and category; or what styles sound like."""
    console = Console()
    if styles:
        asyncio.run(_styles(console, language, config))
        return
    chosen = [
        case
        for case in read_cases(pairs.read_text(encoding="utf-8") if pairs else None)
        if language in (None, case.language)
    ]
    readings = read(chosen, front_ends())
    if wrong:
        for result in readings:
            if not result.right:
                console.print(
                    f"{result.case.language} {result.case.category}: {result.case.written!r} → {result.phonemes}",
                    markup=False,
                )
    console.print(share_table(readings))
    for code in dict.fromkeys(result.case.language for result in readings):
        own = [result.right for result in readings if result.case.language == code]
        if sum(own) / len(own) < least:
            raise typer.Exit(1)


async def _styles(console: Console, language: Language | None, config: Path | None) -> None:
    """Each style by the local voices, written down by the local recogniser: a few minutes a language."""
    # The engines' libraries are heavy, and other commands start without them.
    from vivavoce.bench.speaking_styles import SENTENCES, named_styles, styles_measured, styles_table
    from vivavoce.runtime.engines import EngineLoader

    languages = [name for name in SENTENCES if language in (None, name)]
    if not languages:
        raise typer.BadParameter(f"There are sentences in {', '.join(SENTENCES)}.", param_hint="--language")
    loader = EngineLoader(read_config(engines=EngineSet.LOCAL, file=config))
    async with CloseStack() as stack:
        synthesizer, recognizer = stack.add(loader.synthesizer()), stack.add(loader.recognizer())
        measured = styles_measured(synthesizer, recognizer, languages, named_styles())
        console.print(styles_table([figures async for figures in measured]))
