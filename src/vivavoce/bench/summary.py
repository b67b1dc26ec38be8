"""Many turns in few figures: percentiles per language, error rates, mixed-up transcripts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vivavoce.bench.measure import STAGES, TurnMeasure
from vivavoce.types import Language

ErrorCounts = Callable[[str, str, Language], tuple[int, int]]
"""(spoken, understood, language) → (errors, length) in words, or in characters for languages written without spaces."""

_ANOTHERS_QUESTION = 0.5
"""A transcript with fewer errors than this against a question is that question, however badly heard."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and 95th percentile of some figures, and how many there were."""

    p50: float
    p95: float
    count: int


@dataclass(frozen=True, slots=True)
class LanguageSummary:
    """What the turns in one language came to, whose questions had a pause of ``pause_ms`` put into them (0: none).

    ``cut_ins``, ``splits`` and ``answered_twice`` count turns: a reply was heard before the speech had ended, the turn was
    ended before it had, more than one reply was heard. ``withdrawn``, ``prepared`` and ``discarded`` count replies.
    ``error_rate`` is ``None`` when no text is known.
    """

    language: Language
    pause_ms: int
    turns: int
    failures: int
    cut_ins: int
    splits: int
    answered_twice: int
    withdrawn: int
    prepared: int
    discarded: int
    evaluated_tokens: Spread | None
    underruns: int
    gap_ms: float
    error_rate: float | None
    voice_to_voice_ms: Spread | None
    leading_silence_ms: Spread | None
    stages: Mapping[str, Spread]


def percentile(values: Sequence[float], q: float) -> float:
    """The ``q``-th percentile, 0 … 100, interpolated linearly between the two nearest values.

    Raises ``ValueError`` when there are no values.
    """
    if not len(values):
        raise ValueError("There is no percentile of nothing.")
    return float(np.percentile(np.asarray(values, dtype=np.float64), q))


def spread(values: Iterable[float | None]) -> Spread | None:
    """Median and p95 of the values that are there; ``None`` when none is."""
    measured = [value for value in values if value is not None]
    return Spread(percentile(measured, 50), percentile(measured, 95), len(measured)) if measured else None


def summarise(measures: Sequence[TurnMeasure], count_errors: ErrorCounts) -> list[LanguageSummary]:
    """One summary per language and length of the pauses, in order of appearance.

    Turns that failed or were cut into stay out of the latencies.
    """
    kinds = dict.fromkeys((measure.language, measure.pause_ms) for measure in measures)
    return [
        _summary(
            language, pause_ms, [m for m in measures if (m.language, m.pause_ms) == (language, pause_ms)], count_errors
        )
        for language, pause_ms in kinds
    ]


def _summary(
    language: Language, pause_ms: int, measures: Sequence[TurnMeasure], count_errors: ErrorCounts
) -> LanguageSummary:
    good = [measure for measure in measures if measure.timed]
    stages = {stage: spread(measure.stages.get(stage) for measure in good) for stage, _ in STAGES}
    return LanguageSummary(
        language=language,
        pause_ms=pause_ms,
        turns=len(measures),
        failures=sum(bool(measure.failure) for measure in measures),
        cut_ins=sum(measure.cut_in for measure in measures),
        splits=sum(measure.splits > 0 for measure in measures),
        answered_twice=sum(measure.answers > 1 for measure in measures),
        withdrawn=sum(measure.withdrawn for measure in measures),
        prepared=sum(measure.prepared for measure in measures),
        discarded=sum(measure.discarded for measure in measures),
        evaluated_tokens=spread(measure.evaluated_tokens for measure in measures),
        underruns=sum(measure.underruns for measure in good),
        gap_ms=sum(measure.gap_ms for measure in good),
        error_rate=error_rate(measures, count_errors),
        voice_to_voice_ms=spread(measure.voice_to_voice_ms for measure in good),
        leading_silence_ms=spread(measure.leading_silence_ms for measure in good),
        stages={stage: figures for stage, figures in stages.items() if figures is not None},
    )


def error_rate(measures: Iterable[TurnMeasure], count_errors: ErrorCounts) -> float | None:
    """Errors over all words (or characters) whose text is known; ``None`` when none is."""
    counts = [count_errors(m.asked, m.heard, m.language) for m in measures if m.asked]
    length = sum(length for _, length in counts)
    return sum(errors for errors, _ in counts) / length if length else None


def mixed_up(measures: Sequence[TurnMeasure], count_errors: ErrorCounts) -> list[TurnMeasure]:
    """Of turns held at the same time, those whose transcript is another one's question rather than their own."""
    return [measure for measure in measures if measure.asked and _fits_another(measure, measures, count_errors)]


def _fits_another(measure: TurnMeasure, measures: Sequence[TurnMeasure], count_errors: ErrorCounts) -> bool:
    def distance(asked: str) -> float:
        errors, length = count_errors(asked, measure.heard, measure.language)
        return errors / max(length, 1)

    own_distance = distance(measure.asked or "")
    others = {other.asked for other in measures if other.asked and other.asked != measure.asked}
    return any(distance(other) < min(own_distance, _ANOTHERS_QUESTION) for other in others)
