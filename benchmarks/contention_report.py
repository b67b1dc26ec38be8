"""The contention bench in a table."""

from __future__ import annotations

from collections.abc import Sequence

from contention_measure import Contention, ShortTurn
from rich.console import Console
from rich.table import Table

from vivavoce.bench.summary import percentile


def print_contention(console: Console, result: Contention) -> None:
    """Both, side by side."""
    table = Table(title=f"Short turns beside {result.spoken_s:g} s of speech, transcribed in {result.long_s:.1f} s")
    for column in ("", "turns", "first words p50 ms", "in time", "transcript p50 ms", "worst"):
        table.add_column(column, justify="right" if column else "left")
    table.add_row("alone", *_figures(result.alone))
    table.add_row("beside it", *_figures(result.beside))
    console.print(table)
    console.print(
        "[dim]First words: after the turn began, where they came before it was over. Transcript: after its last sound.[/]"
    )


def _figures(turns: Sequence[ShortTurn]) -> tuple[str, ...]:
    if not turns:
        return ("0", "–", "–", "–", "–")
    partial = [turn.partial_ms for turn in turns if turn.partial_ms is not None]
    final = [turn.final_ms for turn in turns]
    return (
        str(len(turns)),
        f"{percentile(partial, 50):.0f}" if partial else "–",
        f"{len(partial)} of {len(turns)}",
        f"{percentile(final, 50):.0f}",
        f"{max(final):.0f}",
    )
