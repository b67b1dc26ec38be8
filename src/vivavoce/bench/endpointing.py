"""The endpointing bench: how often a turn is cut off at a pause, against how long its true end is waited for.

Both figures belong together: either alone can be made as good as one likes. So every kind of evidence gets a curve, by the
probability at which it ends turns; a fixed silence is one point. (The measure of LiveKit's ``eot-bench``.)
"""

from __future__ import annotations

import statistics
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rich.table import Table

from vivavoce.bench.endpointing_evidence import SCORED_AT_MS, ScoredPause
from vivavoce.protocol.session_config import Eagerness
from vivavoce.turns.end_of_turn import EndOfTurnWeights, PauseEvidence, shipped_weights, wait_ms

FIXED_MS = (320, 500, 700)
PAUSES_MS = (200, 400, 600, 800)
GOAL_CUT_OFF = 0.05

EVIDENCE: Mapping[str, frozenset[str]] = {
    "silence alone": frozenset(),
    "sound": frozenset({"sound"}),
    "sound, scored again": frozenset({"sound", "again"}),
    "words": frozenset({"text"}),
    "sentence end": frozenset({"sentence_end"}),
    "words + sentence end": frozenset({"text", "sentence_end"}),
    "sound + words": frozenset({"sound", "text"}),
    "all": frozenset({"sound", "text", "sentence_end"}),
}
"""What the turns are ended by; ``again``: a later score of the sound replaces the first.

The question before and the speaker's earlier pauses are always known."""

_THRESHOLDS = tuple(1 / (1 + 2.718281828 ** (-log_odds / 4)) for log_odds in range(-16, 33))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule makes of pauses: how many were cut off, of how many, and how long each true end was waited for."""

    cut_off: int
    pauses: int
    waits_ms: tuple[float, ...]

    @property
    def cut_off_rate(self) -> float:
        """The share of the pauses within turns at which the turn was ended."""
        return self.cut_off / self.pauses if self.pauses else 0.0

    @property
    def median_wait_ms(self) -> float:
        """Added latency at the true ends."""
        return statistics.median(self.waits_ms) if self.waits_ms else 0.0

    @property
    def mean_wait_ms(self) -> float:
        """Added latency at the true ends."""
        return statistics.fmean(self.waits_ms) if self.waits_ms else 0.0

    @property
    def p90_wait_ms(self) -> float:
        """Added latency at the true ends, of nine in ten not exceeded."""
        return sorted(self.waits_ms)[int(0.9 * (len(self.waits_ms) - 1))] if self.waits_ms else 0.0


def known_at(
    pause: ScoredPause, at_ms: float, evidence: Collection[str], earlier_ms: Sequence[int] = ()
) -> PauseEvidence:
    """What is known ``at_ms`` into a pause, if only ``evidence`` is asked for: engines answer when they are done.

    ``earlier_ms``: the speaker's pauses within turns so far.
    """
    text_at = SCORED_AT_MS[0] + pause.text_cost_ms
    sounds = [
        sound
        for scored_at, sound in zip(SCORED_AT_MS, pause.sounds, strict=True)
        if scored_at + pause.sound_cost_ms <= at_ms
    ]
    known = PauseEvidence(
        paused_ms=round(at_ms),
        speech_ms=pause.speech_ms,
        language=pause.text_language,
        question=pause.question,
        typical_pause_ms=round(statistics.median(earlier_ms)) if earlier_ms else None,
        longest_pause_ms=max(earlier_ms, default=None),
    )
    if "sound" in evidence and sounds:
        known = replace(known, sound=sounds[-1] if "again" in evidence else sounds[0])
    if "text" in evidence and text_at <= at_ms:
        known = replace(known, text=pause.text)
    if "sentence_end" in evidence and text_at + pause.sentence_end_cost_ms <= at_ms:
        known = replace(known, sentence_end=pause.sentence_end)
    return known


def ends_after_ms(
    pause: ScoredPause,
    evidence: Collection[str],
    eagerness: Eagerness,
    weights: EndOfTurnWeights,
    earlier_ms: Sequence[int] = (),
) -> float:
    """The silence after which the turn ends if nobody speaks: the wait is reckoned again whenever more is known."""
    text_at = SCORED_AT_MS[0] + pause.text_cost_ms
    times = {0.0}
    if "sound" in evidence:
        times |= {scored_at + pause.sound_cost_ms for scored_at in SCORED_AT_MS}
    if "text" in evidence:
        times.add(text_at)
    if "sentence_end" in evidence:
        times.add(text_at + pause.sentence_end_cost_ms)
    moments = sorted(times)
    for moment, following in zip(moments, [*moments[1:], float("inf")], strict=True):
        wait = wait_ms(known_at(pause, moment, evidence, earlier_ms), eagerness, weights)
        if max(wait, moment) < following:
            return max(wait, moment)
    raise AssertionError("the last moment has no end")


def outcome(
    pauses: Sequence[ScoredPause],
    lengths_ms: Sequence[int],
    evidence: Collection[str] | int,
    eagerness: Eagerness = "medium",
    weights: EndOfTurnWeights | None = None,
) -> Outcome:
    """What becomes of ``pauses``, each within a turn at each of ``lengths_ms``. ``evidence`` may be a fixed silence instead."""
    cut_off, inner, waits = 0, 0, list[float]()
    for pause in pauses:
        for length_ms in lengths_ms:
            earlier = [length_ms] * pause.number
            if isinstance(evidence, int):
                ends_ms: float = evidence
            else:
                ends_ms = ends_after_ms(pause, evidence, eagerness, weights or shipped_weights(), earlier)
            if pause.final:
                waits.append(ends_ms)
            else:
                inner += 1
                cut_off += ends_ms < length_ms
    return Outcome(cut_off, inner, tuple(waits))


def curve(
    pauses: Sequence[ScoredPause],
    lengths_ms: Sequence[int],
    evidence: Collection[str],
    weights: EndOfTurnWeights | None = None,
) -> Iterator[tuple[float, Outcome]]:
    """The outcome for each threshold of the probability, the most eager first."""
    heads = (weights or shipped_weights()).heads
    for threshold in _THRESHOLDS:
        yield threshold, outcome(pauses, lengths_ms, evidence, "medium", EndOfTurnWeights(heads, {"medium": threshold}))


def best_within(points: Iterator[tuple[float, Outcome]], cut_off_rate: float) -> Outcome | None:
    """The outcome with the shortest median wait among those that cut off no more than ``cut_off_rate``."""
    within = [made for _, made in points if made.cut_off_rate <= cut_off_rate]
    return min(within, key=lambda made: made.mean_wait_ms, default=None)


def curve_table(
    pauses: Sequence[ScoredPause], lengths_ms: Sequence[int], weights: EndOfTurnWeights | None = None
) -> Table:
    """Added latency at 2, 5 and 10 % of false cut-offs, for each evidence."""
    rates = (0.02, GOAL_CUT_OFF, 0.1)
    table = Table(title="added latency at the true end (mean / median) by false cut-offs allowed")
    table.add_column("evidence")
    for rate in rates:
        table.add_column(f"≤ {rate:.0%}", justify="right")
    for name, evidence in EVIDENCE.items():
        points = list(curve(pauses, lengths_ms, evidence, weights))
        found = [best_within(iter(points), rate) for rate in rates]
        table.add_row(
            name, *(f"{one.mean_wait_ms:.0f} / {one.median_wait_ms:.0f} ms" if one else "never" for one in found)
        )
    return table


def rule_table(
    pauses: Sequence[ScoredPause], lengths_ms: Sequence[int], weights: EndOfTurnWeights | None = None
) -> Table:
    """False cut-offs and added latency of what a server can be set to, in all and by language."""
    rules: dict[str, tuple[Collection[str] | int, Eagerness]] = {
        **{f"{fixed_ms} ms": (fixed_ms, "medium") for fixed_ms in FIXED_MS},
        **{f"eagerness {eagerness}": (EVIDENCE["all"], eagerness) for eagerness in ("high", "medium", "low")},
    }
    table = Table(title="rules")
    for column in ("group", "rule", "cut off", "mean wait", "median wait", "p90 wait"):
        table.add_column(column, justify="left" if column in {"group", "rule"} else "right")
    groups = ["all", *dict.fromkeys(pause.language for pause in pauses)]
    for group in groups:
        members = [pause for pause in pauses if group in ("all", pause.language)]
        for name, (evidence, eagerness) in rules.items():
            made = outcome(members, lengths_ms, evidence, eagerness, weights)
            waits = (made.mean_wait_ms, made.median_wait_ms, made.p90_wait_ms)
            share = f"{made.cut_off} of {made.pauses} ({made.cut_off_rate:.1%})"
            table.add_row(group, name, share, *(f"{wait:.0f} ms" for wait in waits))
    return table
