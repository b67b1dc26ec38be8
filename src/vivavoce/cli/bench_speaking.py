"""``vivavoce bench speaking``: are numbers, names and signs said as they should be?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from vivavoce.bench.speaking import front_ends, read, read_cases, share_table
from vivavoce.types import Language

LeastOption = Annotated[
    float, typer.Option(min=0.0, max=1.0, help="Fail when a language's share of correct readings is lower.")
]


def speaking(
    pairs: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Pairs of your own (TSV).")] = None,
    language: Annotated[Language | None, typer.Option(help="Only pairs of this language.")] = None,
    wrong: Annotated[bool, typer.Option(help="List the pairs that are read incorrectly.")] = True,
    least: LeastOption = 0.0,
) -> None:
    """The share of written texts that are spoken as they should be, per language and category."""
    console = Console()
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
