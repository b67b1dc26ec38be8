"""Has the user finished? Everything that tells, weighed into one probability, and how long to wait by it. Pure.

A logistic regression on a few features; which evidence there is chooses the weights (``heads`` in ``end_of_turn.json``), so
that each subset of the evidence gives a calibrated probability. ``end_of_turn.md`` is its card: data, figures, limits.

Silence counts like any other evidence: the longer it lasts, the fewer of this speaker's pauses were so long. The wait is the
silence at which the probability reaches what the ``eagerness`` asks for.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from vivavoce.protocol.session_config import Eagerness
from vivavoce.turns.expected_answer import expected_answer
from vivavoce.turns.unfinished_words import awaits_digits, ending, final_mark
from vivavoce.types import Language

MIN_WAIT_MS = 200
"""No turn ends sooner: shorter gaps are stop consonants and breaths, and people leave each other as much."""

MAX_WAITS_MS: Mapping[Eagerness, int] = {"low": 8000, "medium": 4000, "auto": 4000, "high": 2000}
"""The silence that ends a turn in any case, as OpenAI documents it for ``eagerness``."""

_USUAL_PAUSE_MS = 450.0
"""A pause within a turn of somebody not heard before."""


@dataclass(frozen=True, slots=True)
class PauseEvidence:
    """What is known of a pause when it is scored, ``paused_ms`` after the last voiced sample. What is unknown is ``None``."""

    paused_ms: int
    """Silence so far, in milliseconds."""
    speech_ms: int = 0
    """From the beginning of the turn to the last voiced sample."""
    sound: float | None = None
    """The end-of-turn model's probability that the speaker has finished (``EndOfTurnModel.score``), at the beginning of the
    pause (100 to 200 ms): it takes the silence itself for an end, so that later scores tell less."""
    text: str | None = None
    """The transcript of all that was voiced in the turn, with the recogniser's own punctuation."""
    language: Language = "en"
    """Of ``text``, as the recogniser names it."""
    sentence_end: float | None = None
    """The language model's probability that a sentence-final mark comes next (``LanguageModel.sentence_end``)."""
    question: str | None = None
    """What the assistant said before this turn."""
    typical_pause_ms: int | None = None
    """Median of this speaker's pauses within turns; ``None`` before there was one."""
    longest_pause_ms: int | None = None
    """Longest of them."""


@dataclass(frozen=True, slots=True)
class EndOfTurnWeights:
    """``heads``: weights of the features by evidence (``sound+text``). ``thresholds``: the probability that ends the turn."""

    heads: Mapping[str, Mapping[str, float]]
    thresholds: Mapping[str, float]


def end_probability(evidence: PauseEvidence, weights: EndOfTurnWeights | None = None) -> float:
    """The calibrated probability in [0, 1] that the user has finished, given that they have been silent for ``paused_ms``."""
    weights = weights or shipped_weights()
    head = weights.heads[head_of(evidence)]
    log_odds = _before_the_silence(evidence, head) + head["silence"] * _silence(evidence, evidence.paused_ms)
    return 1.0 / (1.0 + math.exp(-log_odds))


def wait_ms(evidence: PauseEvidence, eagerness: Eagerness, weights: EndOfTurnWeights | None = None) -> int:
    """The silence in milliseconds, counted from the last voiced sample, that ends the turn if nothing new is known by then.

    In [``MIN_WAIT_MS``, ``MAX_WAITS_MS[eagerness]``]. Never longer for a higher eagerness. May be less than ``paused_ms``: then
    the turn is over.
    """
    weights = weights or shipped_weights()
    head = weights.heads[head_of(evidence)]
    threshold = weights.thresholds["medium" if eagerness == "auto" else eagerness]
    missing = math.log(threshold / (1.0 - threshold)) - _before_the_silence(evidence, head)
    silence = _silence_reaching(evidence, missing / head["silence"])
    return round(min(max(silence, MIN_WAIT_MS), MAX_WAITS_MS[eagerness]))


@cache
def shipped_weights() -> EndOfTurnWeights:
    """The weights that come with the package."""
    table = json.loads(files("vivavoce.turns").joinpath("end_of_turn.json").read_text(encoding="utf-8"))
    return EndOfTurnWeights(table["heads"], table["thresholds"])


def head_of(evidence: PauseEvidence) -> str:
    """Which evidence there is: the name of its weights."""
    known = {"sound": evidence.sound, "text": evidence.text, "sentence_end": evidence.sentence_end}
    return "+".join(name for name, value in known.items() if value is not None) or "silence"


def features(evidence: PauseEvidence) -> dict[str, float]:
    """What the model weighs, all but the silence; every feature is there, 0 where its evidence is not."""
    asked = expected_answer(evidence.question)
    values = {
        "bias": 1.0,
        "long_answer": float(asked == "long"),
        "short_answer": float(asked == "short"),
        "speech": min(max(math.log((evidence.speech_ms + 500) / 2500), -1.0), 1.0),
        "sound": 0.0,
        "sentence_end": 0.0,
    }
    if evidence.sound is not None:
        values["sound"] = _logit(evidence.sound, 0.01)
    if evidence.sentence_end is not None:
        values["sentence_end"] = math.log(min(max(evidence.sentence_end, 0.002), 1.0) / 0.1)
    return values | _word_features(evidence)


def silence_feature(evidence: PauseEvidence) -> float:
    """How much the silence so far tells: the negative logarithm of the share of such a speaker's pauses that last longer."""
    return _silence(evidence, evidence.paused_ms)


def _word_features(evidence: PauseEvidence) -> dict[str, float]:
    text, language = evidence.text or "", evidence.language
    end, mark = ending(text, language), final_mark(text)
    known = evidence.text is not None
    return {
        f"ends_{kind}": float(known and end == kind) for kind in ("open", "hesitation", "list", "number", "closed")
    } | {
        "awaits_digits": float(known and awaits_digits(text, language, evidence.question)),
        "mark_question": float(known and mark == "question"),
        "mark_missing": float(known and mark in ("none", "comma")),
        "mark_ellipsis": float(known and mark == "ellipsis"),
    }


def _before_the_silence(evidence: PauseEvidence, head: Mapping[str, float]) -> float:
    return sum(head.get(name, 0.0) * value for name, value in features(evidence).items())


def _silence(evidence: PauseEvidence, paused_ms: float) -> float:
    """Pauses as log-logistic: the share of them that last longer than t is 1 / (1 + (t / usual)²)."""
    return math.log1p((max(paused_ms, 0.0) / _usual_pause_ms(evidence)) ** 2)


def _silence_reaching(evidence: PauseEvidence, value: float) -> float:
    """The inverse of ``_silence``."""
    return _usual_pause_ms(evidence) * math.sqrt(math.expm1(min(max(value, 0.0), 50.0)))


def _usual_pause_ms(evidence: PauseEvidence) -> float:
    """This speaker's usual pause, drawn towards everybody's; one who once paused for long may do so again."""
    typical = evidence.typical_pause_ms or _USUAL_PAUSE_MS
    longest = (evidence.longest_pause_ms or 2 * _USUAL_PAUSE_MS) / 2
    own = min(max(math.sqrt(typical * longest), 150.0), 1500.0)
    return math.sqrt(_USUAL_PAUSE_MS * own)


def _logit(probability: float, margin: float) -> float:
    bounded = min(max(probability, margin), 1.0 - margin)
    return math.log(bounded / (1.0 - bounded))
