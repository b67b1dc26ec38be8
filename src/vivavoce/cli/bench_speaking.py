"""``vivavoce bench speaking``: are numbers, names and signs said as they should be?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from vivavoce.bench.speaking import front_ends, read, read_pairs, share_table
from vivavoce.types import Language

LeastOption = Annotated[float, typer.Option(min=0.0, max=1.0, help="Fail when a language has a smaller share.")]


def speaking(
    pairs: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Pairs of your own (TSV).")] = None,
    language: Annotated[Language | None, typer.Option(help="Only pairs of this language.")] = None,
    wrong: Annotated[bool, typer.Option(help="List the pairs that are read wrong.")] = True,
    least: LeastOption = 0.0,
) -> None:
    """The share of written texts that are spoken as they should be, per language and category."""
    console = Console()
    chosen = [
        pair
        for pair in read_pairs(pairs.read_text(encoding="utf-8") if pairs else None)
        if language in (None, pair.language)
    ]
    readings = read(chosen, front_ends())
    if wrong:
        for one in readings:
            if not one.right:
                console.print(
                    f"{one.pair.language} {one.pair.category}: {one.pair.written!r} → {one.phonemes}", markup=False
                )
    console.print(share_table(readings))
    for code in dict.fromkeys(one.pair.language for one in readings):
        own = [one.right for one in readings if one.pair.language == code]
        if sum(own) / len(own) < least:
            raise typer.Exit(1)
