"""The bench's findings for people (Rich tables) and for programs (one JSON object)."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from vivavoce.bench.measure import STAGES, TurnMeasure
from vivavoce.bench.summary import LanguageSummary, Spread
from vivavoce.client.playout import AUDIBLE_AMPLITUDE
from vivavoce.client.recording import SPEECH_AMPLITUDE
from vivavoce.errors import VivavoceError

DEFINITION = (
    "voice-to-voice = labelled end of speech to the first audible sample of the reply at the playout position "
    f"(audible: {AUDIBLE_AMPLITUDE:g} of full scale). The label is the manifest's speech_end_ms, or else the last "
    f"sample above {SPEECH_AMPLITUDE:g}; it never comes from voice activity detection. Questions are sent in real time."
)


class BaselineError(VivavoceError):
    """The earlier report to compare with cannot be read."""


@dataclass(frozen=True, slots=True)
class Report:
    """All findings of one bench. ``source`` says where the questions came from; ``mixed_up`` lists questions."""

    source: str
    model: str
    parallel: int
    summaries: Sequence[LanguageSummary]
    measures: Sequence[TurnMeasure]
    mixed_up: Sequence[str]

    @property
    def passed(self) -> bool:
        """Whether every conversation got its own reply."""
        return not self.mixed_up and not any(measure.failure for measure in self.measures)


def print_report(console: Console, report: Report, baseline: Mapping[str, float] | None = None) -> None:
    """Print overview, turn-taking, work in advance, waterfall and what failed.

    ``baseline``: language → earlier voice-to-voice p50 (ms).
    """
    console.print(_overview(report, baseline or {}))
    console.print(_turn_taking(report.summaries))
    console.print(_in_advance(report.summaries))
    for summary in report.summaries:
        if summary.stages and not summary.pause_ms:
            console.print(_waterfall(summary))
    for measure in report.measures:
        if measure.failure:
            console.print(f"[red]failed[/] {_name(measure)}: {measure.failure}")
        elif measure.cut_in:
            console.print(f"[yellow]cut in[/] {_name(measure)}: a reply was heard before the speech had ended")
        if measure.answers > 1:
            console.print(f"[yellow]answered twice[/] {_name(measure)}: {measure.answers} replies were heard")
    for question in report.mixed_up:
        console.print(f"[red]mixed up[/] {question}: its transcript fits another conversation's question better")
    late_ms = max((measure.late_ms for measure in report.measures), default=0.0)
    console.print(f"[dim]{report.source} {DEFINITION} This process was at most {late_ms:.0f} ms behind real time.[/]")


def _name(measure: TurnMeasure) -> str:
    return f"{measure.question} (pause of {measure.pause_ms} ms)" if measure.pause_ms else measure.question


def _overview(report: Report, baseline: Mapping[str, float]) -> Table:
    together = f", {report.parallel} at once" if report.parallel > 1 else ""
    columns = ("", "turns", "failed", "p50 ms", "p95 ms", "endpoint", "underruns", "errors")
    table = _table(f"Voice to voice, {report.model}{together}", columns)
    if baseline:
        table.add_column("p50 then", justify="right")
    for summary in report.summaries:
        if summary.pause_ms:
            continue
        latency = summary.voice_to_voice_ms
        row = [
            summary.language,
            str(summary.turns),
            str(summary.failures),
            *_latencies(summary),
            f"{summary.underruns}, {summary.gap_ms:.0f} ms",
            _rate(summary.error_rate),
        ]
        if baseline:
            row.append(_change(latency, baseline.get(summary.language)))
        table.add_row(*row)
    return table


def _turn_taking(summaries: Sequence[LanguageSummary]) -> Table:
    """Who was cut off, by length of the pause put into the question.

    Errors are followed by the difference in points to the same questions without a pause.
    """
    columns = ("", "pause", "turns", "cut in", "split", "two answers", "p50 ms", "endpoint", "errors")
    table = _table("Turn-taking, by the pause put into the question", columns)
    unpaused = {summary.language: summary.error_rate for summary in summaries if not summary.pause_ms}
    for summary in _by_pause(summaries):
        p50_ms, _, endpoint_ms = _latencies(summary)
        table.add_row(
            *_kind(summary),
            *map(str, (summary.turns, summary.cut_ins, summary.splits, summary.answered_twice)),
            p50_ms,
            endpoint_ms,
            _rate(summary.error_rate) + _more_errors(summary, unpaused.get(summary.language)),
        )
    return table


def _in_advance(summaries: Sequence[LanguageSummary]) -> Table:
    """What the server did before a turn was over, and what it threw away of it."""
    columns = ("", "pause ms", "prepared", "discarded", "withdrawn", "tokens after, p50")
    table = _table("Replies begun in advance, thrown away; prompt tokens read after", columns)
    for summary in _by_pause(summaries):
        tokens = summary.evaluated_tokens
        counts = map(str, (summary.prepared, summary.discarded, summary.withdrawn))
        table.add_row(*_kind(summary), *counts, _ms(tokens.p50 if tokens else None))
    return table


def _by_pause(summaries: Sequence[LanguageSummary]) -> list[LanguageSummary]:
    """Each language's together, those without a pause first."""
    languages = list(dict.fromkeys(summary.language for summary in summaries))
    return sorted(summaries, key=lambda one: (languages.index(one.language), one.pause_ms))


def _kind(summary: LanguageSummary) -> tuple[str, str]:
    return summary.language, str(summary.pause_ms) if summary.pause_ms else "none"


def _more_errors(summary: LanguageSummary, unpaused_rate: float | None) -> str:
    """By how many points the error rate is higher than without a pause."""
    if not summary.pause_ms or summary.error_rate is None or unpaused_rate is None:
        return ""
    return f" ({(summary.error_rate - unpaused_rate) * 100:+.1f})"


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title)
    for column in columns:
        table.add_column(column, justify="right" if column else "left")
    return table


def _latencies(summary: LanguageSummary) -> tuple[str, str, str]:
    latency, endpoint = summary.voice_to_voice_ms, summary.stages.get("endpoint")
    return (
        _ms(latency.p50 if latency else None),
        _ms(latency.p95 if latency else None),
        _ms(endpoint.p50 if endpoint else None),
    )


def _rate(rate: float | None) -> str:
    return "–" if rate is None else f"{rate:.1%}"


def _waterfall(summary: LanguageSummary) -> Table:
    table = Table(title=f"{summary.language}: milliseconds after the end of speech")
    table.add_column("stage")
    for column in ("p50", "p95", "step (p50)"):
        table.add_column(column, justify="right")
    before = 0.0
    for stage, what in STAGES:
        figures = summary.stages.get(stage)
        if figures is not None:
            table.add_row(what, _ms(figures.p50), _ms(figures.p95), f"{figures.p50 - before:+.0f}")
            before = figures.p50
    return table


def turn_waterfall(stages: Mapping[str, float]) -> Table:
    """The waterfall of a single turn."""
    table = Table(title="Milliseconds after the end of speech")
    table.add_column("stage")
    table.add_column("at", justify="right")
    table.add_column("step", justify="right")
    before = 0.0
    for stage, what in STAGES:
        if stage in stages:
            table.add_row(what, _ms(stages[stage]), f"{stages[stage] - before:+.0f}")
            before = stages[stage]
    return table


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}"


def _change(now: Spread | None, before_ms: float | None) -> str:
    return "–" if now is None or before_ms is None else f"{before_ms:.0f} ({now.p50 - before_ms:+.0f})"


def report_json(report: Report) -> dict[str, Any]:
    """The whole report as plain JSON values; ``voice_to_voice_ms`` of each turn is ``null`` when it failed."""
    return {
        "kind": "turn",
        "definition": DEFINITION,
        "source": report.source,
        "model": report.model,
        "parallel": report.parallel,
        "machine": {"platform": platform.platform(), "python": platform.python_version(), "cpus": os.cpu_count()},
        "summaries": [asdict(summary) for summary in report.summaries],
        "turns": [asdict(one) | {"voice_to_voice_ms": one.voice_to_voice_ms} for one in report.measures],
        "mixed_up": list(report.mixed_up),
    }


def write_report(path: Path, report: Report) -> None:
    """Write the report as JSON."""
    path.write_text(json.dumps(report_json(report), ensure_ascii=False, indent=1) + "\n", "utf-8")


def read_baseline(path: Path) -> dict[str, float]:
    """Voice-to-voice p50 in ms per language of an earlier report. Raises ``BaselineError``."""
    try:
        summaries = json.loads(path.read_text("utf-8"))["summaries"]
        return {
            one["language"]: one["voice_to_voice_ms"]["p50"]
            for one in summaries
            if one["voice_to_voice_ms"] and not one.get("pause_ms")
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BaselineError(f"{path} is not an earlier report of `vivavoce bench turn --json`: {error!r}.") from error
