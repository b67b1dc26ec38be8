"""Weights of the end-of-turn model out of scored pauses: a penalised logistic regression for each set of evidence."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from vivavoce.bench.endpointing import PAUSES_MS, known_at, outcome
from vivavoce.bench.endpointing_evidence import SCORED_AT_MS, ScoredPause
from vivavoce.protocol.session_config import Eagerness
from vivavoce.turns.end_of_turn import (
    EndOfTurnWeights,
    PauseEvidence,
    end_probability,
    features,
    head_of,
    silence_feature,
)

Floats = NDArray[np.float64]

SUBSETS = tuple(
    frozenset(name for name, bit in (("sound", 1), ("text", 2), ("sentence_end", 4)) if number & bit)
    for number in range(8)
)
DRAWS = 8
"""Lengths drawn for each pause, and speakers with them."""

MOMENTS_MS = (100, 200, 300, 450, 600, 800, 1000, 1400, 2000, 3000)
ENGINE_MS = 50.0
"""What every engine is taken to need: how busy the machine was tells nothing of what the answers mean."""

PENALTY = 1.0
PENALTIES: Mapping[str, float] = {"bias": 0.01, "speech": 25.0, "short_answer": 10.0, "long_answer": 3.0}
"""How long a turn is, and what was asked, depend on who wrote the turns as well: these weights have to be small."""
SIGNS: Mapping[str, int] = {
    "silence": 1,
    "sound": 1,
    "sentence_end": 1,
    "ends_open": -1,
    "ends_hesitation": -1,
    "ends_list": -1,
    "ends_number": -1,
    "ends_closed": 1,
    "awaits_digits": -1,
    "mark_question": 1,
    "mark_missing": -1,
    "mark_ellipsis": -1,
    "long_answer": -1,
    "short_answer": 1,
}
"""What may only speak for the end, or against it: a weight of the other sign is noise, and becomes 0."""

LEAST_SILENCE = 0.5
"""Weight of the silence at least, so that every wait ends."""

CUT_OFF_RATES: Mapping[Eagerness, float] = {"high": 0.15, "medium": 0.08, "low": 0.03}
"""False cut-offs each eagerness may cost, by cross-validation over turns; on held-out ones they are about half as many. Most
are healed: a turn is reopened when its user goes on before the answer is heard."""

FOLDS = 5

_FIRST_MS = SCORED_AT_MS[0] + ENGINE_MS


@dataclass(frozen=True, slots=True)
class Sample:
    """What is known at a moment of a pause, whose turn it is, and whether it was the end. ``weight``: a share of its pause."""

    evidence: PauseEvidence
    turn: str
    final: bool
    weight: float


def samples_of(pauses: Sequence[ScoredPause], subset: Collection[str]) -> list[Sample]:
    """Moments of ``pauses``, whose lengths are drawn: log-normal, as long as those of one speaker are.

    Of each pause within a turn those before it was over.
    """
    rng = np.random.default_rng(3)
    made: list[Sample] = []
    for pause in pauses:
        quick = _prompt(pause)
        for _ in range(DRAWS):
            pace = math.exp(rng.normal(0, 0.35))
            lengths = np.clip(450 * pace * np.exp(rng.normal(0, 0.5, 5)), 120, 4000)
            earlier = [round(length) for length in lengths[1 : 1 + max(0, int(rng.integers(-2, 5)))]]
            moments = [at for at in MOMENTS_MS if pause.final or at < lengths[0]]
            for at in moments:
                evidence = known_at(quick, max(at, _FIRST_MS), subset, earlier)
                known = head_of(evidence)
                if known == (
                    "+".join(name for name in ("sound", "text", "sentence_end") if name in subset) or "silence"
                ):
                    made.append(
                        Sample(replace(evidence, paused_ms=at), pause.turn, pause.final, 1 / DRAWS / len(MOMENTS_MS))
                    )
    return made


def _prompt(pause: ScoredPause) -> ScoredPause:
    """``pause`` as engines of ``ENGINE_MS`` would have scored it."""
    return replace(pause, sound_cost_ms=ENGINE_MS, text_cost_ms=ENGINE_MS, sentence_end_cost_ms=0.0)


def fitted_head(samples: Sequence[Sample]) -> dict[str, float]:
    """The weights that explain ``samples`` best, none of the wrong sign."""
    rows = [{**features(sample.evidence), "silence": silence_feature(sample.evidence)} for sample in samples]
    names = [name for name in rows[0] if any(row[name] for row in rows)]
    matrix = np.array([[row[name] for name in names] for row in rows])
    labels = np.array([float(sample.final) for sample in samples])
    shares = (
        np.array([sample.weight for sample in samples]) * len(MOMENTS_MS) / 2
    )  # moments of a pause are not independent
    while True:
        weights = dict(zip(names, _newton(matrix, labels, shares, names), strict=True))
        wrong = [name for name, weight in weights.items() if SIGNS.get(name, 0) * weight < 0 and name != "silence"]
        if not wrong:
            break
        keep = [index for index, name in enumerate(names) if name not in wrong]
        matrix, names = matrix[:, keep], [names[index] for index in keep]
    weights["silence"] = max(weights["silence"], LEAST_SILENCE)
    return {name: round(float(weight), 4) for name, weight in weights.items()}


def _newton(matrix: Floats, labels: Floats, shares: Floats, names: Sequence[str]) -> Floats:
    penalty = np.diag([PENALTIES.get(name, PENALTY) for name in names])
    weights = np.zeros(len(names))
    for _ in range(50):
        probability = 1 / (1 + np.exp(-np.clip(matrix @ weights, -30, 30)))
        gradient = matrix.T @ (shares * (probability - labels)) + penalty @ weights
        curvature = (matrix * (shares * probability * (1 - probability))[:, None]).T @ matrix + penalty
        step = np.linalg.solve(curvature, gradient)
        weights = weights - step
        if np.abs(step).max() < 1e-6:
            break
    return weights


def fitted_heads(pauses: Sequence[ScoredPause]) -> dict[str, dict[str, float]]:
    """A head for every set of evidence."""
    heads = {}
    for subset in SUBSETS:
        samples = samples_of(pauses, subset)
        heads[head_of(samples[0].evidence)] = fitted_head(samples)
    return heads


def fitted_weights(pauses: Sequence[ScoredPause]) -> EndOfTurnWeights:
    """Heads of all ``pauses``, and thresholds by cross-validation over turns."""
    turns = sorted({pause.turn for pause in pauses})
    fold = {turn: index % FOLDS for index, turn in enumerate(np.random.default_rng(1).permutation(turns))}
    parts = []
    for number in range(FOLDS):
        heads = fitted_heads([pause for pause in pauses if fold[pause.turn] != number])
        parts.append((heads, [pause for pause in pauses if fold[pause.turn] == number]))
    thresholds: dict[str, float] = {}
    for eagerness, rate in CUT_OFF_RATES.items():
        thresholds[eagerness] = next(
            (
                threshold
                for threshold in np.round(np.arange(0.5, 0.999, 0.01), 3)
                if _cut_off_rate(parts, threshold) <= rate
            ),
            0.995,
        )
    return EndOfTurnWeights(fitted_heads(pauses), {name: float(value) for name, value in thresholds.items()})


def _cut_off_rate(
    parts: Sequence[tuple[Mapping[str, Mapping[str, float]], Sequence[ScoredPause]]], threshold: float
) -> float:
    made = [
        outcome(
            [_prompt(pause) for pause in members if not pause.final],
            PAUSES_MS,
            ("sound", "text", "sentence_end"),
            "medium",
            EndOfTurnWeights(heads, {"medium": float(threshold)}),
        )
        for heads, members in parts
    ]
    return sum(one.cut_off for one in made) / sum(one.pauses for one in made)


def report(
    weights: EndOfTurnWeights, train: Sequence[ScoredPause], held_out: Sequence[ScoredPause], console: Console
) -> None:
    """How well each head tells, and whether its probabilities are true, on what it was not fitted on."""
    console.print(f"{len(train)} pauses fitted on, {len(held_out)} held out; thresholds {dict(weights.thresholds)}")
    table = Table(title="held out")
    for column in ("evidence", "AUC at the first score", "Brier", "calibration error", "AUC fitted on"):
        table.add_column(column, justify="left" if column == "evidence" else "right")
    for subset in SUBSETS:
        samples, first = samples_of(held_out, subset), _first(held_out, subset)
        scores = np.array([end_probability(sample.evidence, weights) for sample in samples])
        labels = np.array([float(sample.final) for sample in samples])
        table.add_row(
            head_of(samples[0].evidence),
            f"{_auc(first, weights):.3f}",
            f"{np.mean((scores - labels) ** 2):.3f}",
            f"{calibration_error(scores, labels):.3f}",
            f"{_auc(_first(train, subset), weights):.3f}",
        )
    console.print(table)
    samples = samples_of(held_out, SUBSETS[-1])
    scores = np.array([end_probability(sample.evidence, weights) for sample in samples])
    labels = np.array([float(sample.final) for sample in samples])
    bins = Table(title="all evidence, held out: what was said and what was true")
    for column in ("said", "true", "moments"):
        bins.add_column(column, justify="right")
    for low in np.arange(0, 1, 0.1):
        inside = (scores >= low) & (scores < low + 0.1 + 1e-9)
        if inside.any():
            bins.add_row(f"{scores[inside].mean():.2f}", f"{labels[inside].mean():.2f}", str(int(inside.sum())))
    console.print(bins)


def _first(pauses: Sequence[ScoredPause], subset: Collection[str]) -> list[Sample]:
    return [Sample(known_at(_prompt(pause), _FIRST_MS, subset), pause.turn, pause.final, 1.0) for pause in pauses]


def _auc(samples: Sequence[Sample], weights: EndOfTurnWeights) -> float:
    ends = [end_probability(sample.evidence, weights) for sample in samples if sample.final]
    inner = [end_probability(sample.evidence, weights) for sample in samples if not sample.final]
    return float(np.mean([(end > other) + 0.5 * (end == other) for end in ends for other in inner]))


def calibration_error(scores: Floats, labels: Floats, bins: int = 10) -> float:
    """Expected calibration error: how far said and true lie apart, in ``bins`` of equal width, weighted by their size."""
    index = np.minimum((scores * bins).astype(int), bins - 1)
    return float(
        sum(abs(scores[index == one].sum() - labels[index == one].sum()) for one in range(bins)) / max(len(scores), 1)
    )
