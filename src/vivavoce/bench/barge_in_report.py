"""The barge-in bench's findings for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from vivavoce.bench.barge_in import BargeInRun
from vivavoce.bench.summary import spread
from vivavoce.turns.detector import MIN_SPEECH_MS


@dataclass(frozen=True, slots=True)
class BargeInReport:
    """Many interruptions."""

    measures: Sequence[BargeInRun]

    @property
    def good(self) -> list[BargeInRun]:
        """Those that went well; the figures are theirs."""
        return [one for one in self.measures if not one.failure]

    @property
    def passed(self) -> bool:
        """Whether all went well and no transcript is more than a word off."""
        return len(self.good) == len(self.measures) and all(abs(one.difference) <= 1 for one in self.good)


def print_barge_in(console: Console, report: BargeInReport) -> None:
    """Print the figures, each transcript that is off, and what failed."""
    table = Table(title="Barge-in: milliseconds after the first audible sample of the user's speech")
    table.add_column("")
    for column in ("p50", "p95", "count"):
        table.add_column(column, justify="right")
    for what, values in (
        ("speech_started has arrived", [one.notified_ms for one in report.good]),
        ("the last audio has arrived", [one.last_audio_ms for one in report.good]),
    ):
        figures = spread(values)
        if figures is not None:
            table.add_row(what, f"{figures.p50:.0f}", f"{figures.p95:.0f}", str(figures.count))
    console.print(table)
    exact = sum(one.difference == 0 for one in report.good)
    off = sum(abs(one.difference) > 1 for one in report.good)
    console.print(f"The transcript kept matches what was played: {exact} exactly, {off} off by more than a word.")
    for one in report.measures:
        if one.failure:
            console.print(f"[red]failed[/] after {one.delay_s:g} s: {one.failure}")
        elif one.difference:
            console.print(f"after {one.delay_s:g} s: {one.words_kept} words kept, {one.words_heard} heard")
    late_ms = max((one.late_ms for one in report.measures), default=0.0)
    console.print(
        f"[dim]Of the speech the server waits for {MIN_SPEECH_MS} ms, so that a click interrupts nobody. "
        f"This process was at most {late_ms:.0f} ms behind real time.[/]"
    )
