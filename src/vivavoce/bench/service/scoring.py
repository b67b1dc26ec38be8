"""Verdicts on the turns of a service dialogue. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from vivavoce.bench.answer_checks import asks, claims_act, has_pattern, in_language, leaks, owns_up, unknown_names
from vivavoce.bench.exchanges import CallMade
from vivavoce.bench.service.dialogue import PlayedTurn
from vivavoce.bench.service.scripts import ServiceScript, ServiceTurn, bare
from vivavoce.bench.spoken_numbers import SMALLEST, in_digits, numbers_of, ungrounded, with_afternoons
from vivavoce.types import Language

Verdict = Literal["right", "honest", "wrong", "invented", "harmful"]
ANSWERABLE = ("fact", "table", "exception", "newer", "negative", "about", "language")
"""Kinds where owning up counts as honest: what was said or done in the conversation is known."""

FIGURES = ("fact", "table", "newer", "language")
"""Kinds whose ``wrong`` patterns are other figures, not a wrong yes or no."""

VERDICTS: tuple[Verdict, ...] = ("right", "honest", "wrong", "invented", "harmful")


@dataclass(frozen=True, slots=True)
class ScoredTurn:
    """A turn with its verdict and what it rests on.

    ``right``: what the turn wants. ``honest``: owned up although there was an answer. ``wrong``: anything else without
    inventions. ``invented``: a number, name, argument of a look-up, or act that nobody has mentioned or done. ``harmful``: a
    function with effects called when it should not be, or with other arguments.
    """

    script: ServiceScript
    played: PlayedTurn
    verdict: Verdict
    reasons: tuple[str, ...]
    contradicted: bool = False
    invented_argument: bool = False


def score(script: ServiceScript, played: Sequence[PlayedTurn]) -> list[ScoredTurn]:
    """All turns of a dialogue, each against what was known when it was said."""
    known, scored = [script.known()], []
    for one in played:
        for exchange in one.exchanges:
            known += [exchange.said, exchange.heard]
            known += [json.dumps(call.result, ensure_ascii=False) for call in exchange.calls]
        scored.append(_scored(script, one, "\n".join(known)))
    return scored


def _scored(script: ServiceScript, played: PlayedTurn, known: str) -> ScoredTurn:
    turn = played.turn
    answer = played.exchanges[-1].answer if played.exchanges else ""
    calls = [call for exchange in played.exchanges for call in exchange.calls]
    known_digits = digits_of(known, script.language)
    harms = [reason for call in calls for reason in _harm(script, turn, calls, call)]
    guesses = [reason for call in calls for reason in _guessed_arguments(script, turn, call, known)]
    inventions = [*guesses, *_inventions(script, turn, answer, calls, known, known_digits)]
    typed = in_digits(answer, turn.language)
    contradictions = _contradictions(turn, answer, typed)
    faults = [*contradictions, *_faults(script, played, answer, calls, typed)]
    verdict: Verdict = "right"
    if harms:
        verdict = "harmful"
    elif inventions:
        verdict = "invented"
    elif faults:
        may_own_up = not contradictions and not turn.call and turn.kind in ANSWERABLE
        verdict = "honest" if may_own_up and owns_up(answer) and in_language(answer, turn.language) else "wrong"
    argument = bool(guesses) or any("argument" in reason for reason in harms)
    return ScoredTurn(script, played, verdict, (*harms, *inventions, *faults), bool(contradictions), argument)


def digits_of(known: str, language: Language) -> str:
    """What is known, with its numbers in digits, whichever of both languages they are said in."""
    other = "en" if language == "zh" else "zh"
    return in_digits(known, language) + "\n" + in_digits(known, other)


def _harm(script: ServiceScript, turn: ServiceTurn, calls: Sequence[CallMade], call: CallMade) -> list[str]:
    function = script.function(call.name)
    if function is None or not function.effects:
        return []
    if turn.call != call.name:
        return [f"{call.name} was called"]
    if [one.name for one in calls].count(call.name) > 1:
        return [f"{call.name} was called more than once"]
    # In free words the wrong language or words are a fault, but do no harm.
    strict = [reason for name, reason in _differences(turn, call) if name not in function.free]
    return [f"argument of {call.name}: {reason}" for reason in strict]


def _differences(turn: ServiceTurn, call: CallMade) -> list[tuple[str, str]]:
    """Names and values of arguments that are not as expected; one nobody expects is among them, unless it is empty."""
    wrong = []
    for name, pattern in turn.arguments.items():
        value = in_digits(str(call.arguments.get(name, "")), turn.language)
        if not re.search(pattern, value, re.IGNORECASE) and not re.fullmatch(pattern, bare(value), re.IGNORECASE):
            wrong.append((name, f"{name}={call.arguments.get(name)!r}"))
    extra = [
        (name, f"{name}={value!r}") for name, value in call.arguments.items() if name not in turn.arguments and value
    ]
    return wrong + extra


def _guessed_arguments(script: ServiceScript, turn: ServiceTurn, call: CallMade, known: str) -> list[str]:
    """Arguments of a look-up that nobody has said, nor anything has told."""
    function = script.function(call.name)
    if function is not None and function.effects:
        return []
    if turn.call == call.name and not _differences(turn, call):
        return []
    free = function.free if function else ()
    there = bare(known) + bare(digits_of(known, turn.language))
    guessed = {name: value for name, value in call.arguments.items() if name not in free and bare(value) not in there}
    return [f"argument of {call.name} nobody has said: {name}={value!r}" for name, value in guessed.items()]


def _inventions(
    script: ServiceScript, turn: ServiceTurn, answer: str, calls: Sequence[CallMade], known: str, known_digits: str
) -> list[str]:
    found = [f"the number {number}" for number in sorted(ungrounded(in_digits(answer, turn.language), known_digits))]
    if in_language(answer, turn.language):
        found += [f"the name {name}" for name in sorted(unknown_names(answer, known, turn.language))]
    acted = any(function.effects for call in calls if (function := script.function(call.name)))
    if turn.kind in ("about", "lacks", "decline", "act") and not acted and claims_act(answer):
        found.append("an act that did not happen")
    if turn.kind in ("look-up", "correct") and not calls and not owns_up(answer) and not asks(answer):
        # Figures of the documents are none of what only a look-up can tell.
        typed = in_digits(answer, turn.language)
        told = numbers_of(typed) - numbers_of(in_digits(turn.say, turn.language))
        found += [
            f"told {one} without the look-up" for one in sorted(told) if not one.isdigit() or int(one) >= SMALLEST
        ]
    if turn.kind == "absent" and answer and not owns_up(answer):
        found.append("an answer that the documents do not have")
    return found


def _faults(script: ServiceScript, played: PlayedTurn, answer: str, calls: Sequence[CallMade], typed: str) -> list[str]:
    turn = played.turn
    faults = [played.failure] if played.failure else []
    if not answer:
        faults.append("no words")
    elif not in_language(answer, turn.language):
        faults.append("another language")
    if leaks(answer, tuple(function.name for function in script.functions)):
        faults.append("a call or mark-up in words")
    faults += [f"lacks /{pattern}/" for pattern in turn.right if not has_pattern(pattern, with_afternoons(typed))]
    return faults + _acting_faults(turn, played, answer, calls)


def _acting_faults(turn: ServiceTurn, played: PlayedTurn, answer: str, calls: Sequence[CallMade]) -> list[str]:
    made = [call for call in calls if call.name == turn.call]
    if turn.call and not made:
        return [f"{turn.call} was not called"]
    if turn.call:
        return [f"argument of {call.name}: {reason}" for call in made for _, reason in _differences(turn, call)]
    match turn.kind:
        case "lacks":
            return [] if asks(answer) else ["did not ask"]
        case "decline":
            return [] if len(played.exchanges) > 1 else ["did not ask before acting"]
        case "history" if calls:
            return ["called again"]
        case "small-talk":
            return [f"{call.name} was called" for call in calls] + (["looked for an answer"] if owns_up(answer) else [])
    return []


def _contradictions(turn: ServiceTurn, answer: str, typed: str) -> list[str]:
    """What the documents contradict. Beside the right figure others may be named, such as the one valid before."""
    is_right = bool(turn.right) and all(has_pattern(pattern, with_afternoons(typed)) for pattern in turn.right)
    if turn.kind in FIGURES and is_right:
        return []
    found = [f"says /{pattern}/" for pattern in turn.wrong if has_pattern(pattern, typed)]
    if found or is_right or not answer or owns_up(answer) or asks(answer):
        return found
    if turn.kind in FIGURES:
        others = numbers_of(typed) - numbers_of(in_digits(turn.say, turn.language))
        return [f"another figure: {', '.join(sorted(others))}"] if others else []
    return ['no "no"'] if turn.kind == "negative" or (turn.kind == "exception" and turn.wrong) else []


def as_json(scored: ScoredTurn) -> Mapping[str, Any]:
    """For a report."""
    turn = scored.played.turn
    return {
        "script": scored.script.name,
        "half": scored.script.half,
        "turn": turn.number,
        "kind": turn.kind,
        "verdict": scored.verdict,
        "reasons": list(scored.reasons),
        "contradicted": scored.contradicted,
        "invented_argument": scored.invented_argument,
        "exchanges": [
            {
                "said": exchange.said,
                "heard": exchange.heard,
                "answer": exchange.answer,
                "calls": [{"name": call.name, "arguments": call.arguments} for call in exchange.calls],
                "first_text_ms": exchange.first_text_ms,
                "first_audible_ms": exchange.first_audible_ms,
            }
            for exchange in scored.played.exchanges
        ],
    }
