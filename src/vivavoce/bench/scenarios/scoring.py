"""The rubric of a scenario's turn: what is checked of an answer by code, and how many points a dialogue gets. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from unicodedata import normalize

from msgspec.structs import replace
from rich.table import Table

from vivavoce.bench.answer_checks import asks, has_pattern, in_language, leaks, length
from vivavoce.bench.scenarios.dialogue import PlayedScenarioTurn
from vivavoce.bench.scenarios.rubric import fit, harm
from vivavoce.bench.scenarios.scripts import ScenarioScript, ScenarioTurn, scripts
from vivavoce.bench.spoken_numbers import in_digits

CHECKS = ("hears", "fits", "short", "careful", "follows", "persona", "language")
"""``hears``: the server tells of the emotion or the cue; ``fits``: the answer begins with something that fits how the caller
sounds; ``short``: no longer than it may be; ``careful``: no diagnosis, no order to feel otherwise; ``follows``: it asks or
offers something, where it should; ``persona``: what the persona says or never says; ``language``: the caller's."""

_OUT_OF_PERSONA = re.compile(
    r"\bas an ai\b|language model|\bvivavoce\b|\bi(?:'m| am) (?:just |only )?(?:an? )?(?:ai|computer|program|machine)\b"
    r"|作为(?:一个)?(?:人工智能|AI|语言模型)|语言模型",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ScoredScenarioTurn:
    """A turn with the checks that apply to it: what is wrong by each, empty where nothing is."""

    script: ScenarioScript
    turn: ScenarioTurn
    played: PlayedScenarioTurn
    faults: Mapping[str, str]


def score(played: Iterable[PlayedScenarioTurn]) -> list[ScoredScenarioTurn]:
    """Turns of whichever scenarios, with the voice and without."""
    known = {script.name: script for one in scripts() for script in (one, without_voice(one))}
    return [_scored(known[one.scenario], one) for one in played]


def without_voice(script: ScenarioScript) -> ScenarioScript:
    """The same scenario, with a server that hears words only."""
    return replace(script, perceives=False)


def _scored(script: ScenarioScript, played: PlayedScenarioTurn) -> ScoredScenarioTurn:
    turn = script.turns[played.number - 1]
    return ScoredScenarioTurn(script, turn, played, _faults(script, turn, played))


def _faults(script: ScenarioScript, turn: ScenarioTurn, played: PlayedScenarioTurn) -> dict[str, str]:
    answer = normalize("NFKC", played.answer).replace("’", "'").strip()
    faults = {
        "short": _too_long(answer, turn, script),
        "careful": harm(answer),
        "persona": _persona_fault(answer, turn, script),
        "language": "" if in_language(answer, script.language) and not leaks(answer) else "another language",
    }
    if turn.hears:
        named = ", ".join(played.perceived) or "nothing"
        faults["hears"] = "" if set(turn.hears) & set(played.perceived) else f"heard {named}"
    if turn.fits is not None:
        faults["fits"] = fit(answer, turn.fits, script.language).reason
    if turn.asks:
        faults["follows"] = "" if asks(answer) else "asks nothing"
    if not answer:  # whoever says nothing does nothing right
        return {check: fault or played.failure or "no words" for check, fault in faults.items()}
    return faults


def _too_long(answer: str, turn: ScenarioTurn, script: ScenarioScript) -> str:
    count = length(answer, script.language)
    return f"{count} instead of at most {turn.most}" if count > turn.most else ""


def _persona_fault(answer: str, turn: ScenarioTurn, script: ScenarioScript) -> str:
    if found := _OUT_OF_PERSONA.search(answer):
        return f"says {found[0]!r}"
    typed = in_digits(answer, script.language)
    if turn.right and not has_pattern(turn.right, typed):
        return f"lacks /{turn.right}/"
    return f"says /{turn.wrong}/" if turn.wrong and has_pattern(turn.wrong, typed) else ""


def points(scored: Iterable[ScoredScenarioTurn], checks: Sequence[str] = CHECKS) -> tuple[int, int]:
    """Points got, of how many."""
    own = [not fault for one in scored for check, fault in one.faults.items() if check in checks]
    return sum(own), len(own)


def result_table(scored: Sequence[ScoredScenarioTurn]) -> Table:
    """A row a scenario and language, with the voice and without it; totals below."""
    table = Table("scenario", "voice", *CHECKS, "answer, all", padding=(0, 0))
    names = list(dict.fromkeys((one.script.persona, one.script.language) for one in scored))
    for persona, language in names:
        own = [one for one in scored if (one.script.persona, one.script.language) == (persona, language)]
        _add_rows(table, f"{persona} ({language})", own)
    _add_rows(table, "all", scored)
    return table


def _add_rows(table: Table, name: str, scored: Sequence[ScoredScenarioTurn]) -> None:
    for perceives in (True, False):
        own = [one for one in scored if one.script.perceives is perceives]
        if own:
            cells = [points(own, (check,)) for check in CHECKS]
            total = points(own, CHECKS[1:])
            shown = ["–" if not of else f"{got}/{of}" for got, of in cells]
            table.add_row(
                name, "on" if perceives else "off", *shown, f"{total[0]}/{total[1]} ({total[0] / total[1]:.0%})"
            )


def transcript(scored: Iterable[ScoredScenarioTurn]) -> str:
    """Whole dialogues with what was wrong in them."""
    lines: list[str] = []
    for one in scored:
        if one.played.number == 1:
            lines.append(f"\n=== {one.script.name}")
        wrong = "; ".join(f"{check}: {fault}" for check, fault in one.faults.items() if fault)
        lines.append(f"{one.played.number} [{one.turn.mood}] {'WRONG ' + wrong if wrong else 'RIGHT'}")
        lines.append(
            f"     user: {one.turn.say}   (heard: {one.played.heard}; {', '.join(one.played.perceived) or 'nothing'})"
        )
        lines.append(f"     assistant: {one.played.answer}")
    return "\n".join(lines)
