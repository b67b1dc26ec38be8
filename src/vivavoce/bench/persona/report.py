"""What the persona bench found, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.table import Table

from vivavoce.bench.persona.scoring import CHECKS, GOALS, ScoredPersonaTurn, as_json

LANGUAGES = ("en", "zh")


def counts(scored: Sequence[ScoredPersonaTurn]) -> dict[str, tuple[int, int]]:
    """For ``turns`` and each check: how many passed, of how many it applied to."""
    result = {"turns": (sum(one.right for one in scored), len(scored))}
    for check in CHECKS:
        own = [one.checks[check] for one in scored if check in one.checks]
        result[check] = (sum(own), len(own))
    return result


def table(scored: Sequence[ScoredPersonaTurn]) -> Table:
    """A row a persona, and totals by language and of all."""
    result = Table("persona", "turns", *CHECKS, padding=(0, 0))
    for name in dict.fromkeys(f"{one.script.persona} ({one.script.language})" for one in scored):
        own = [one for one in scored if f"{one.script.persona} ({one.script.language})" == name]
        result.add_row(name, *(f"{passed}/{of}" if of else "–" for passed, of in counts(own).values()))
    for language in LANGUAGES:
        own = [one for one in scored if one.script.language == language]
        if own:
            result.add_row(f"all, {language}", *_shares(own))
    result.add_row("all", *_shares(scored), style="bold")
    return result


def _shares(scored: Sequence[ScoredPersonaTurn]) -> list[str]:
    return [f"{passed / of:.0%}" if of else "–" for passed, of in counts(scored).values()]


def transcript(scored: Iterable[ScoredPersonaTurn]) -> str:
    """Whole conversations with what was wrong in them."""
    lines: list[str] = []
    for one in scored:
        turn = one.played.turn
        if turn.number == 1:
            lines.append(f"\n=== {one.script.persona} ({one.script.language}): {one.script.instructions}")
        lines.append(f"{turn.number:2} [{turn.kind}] {'RIGHT' if one.right else 'WRONG ' + '; '.join(one.reasons)}")
        for exchange in one.played.exchanges:
            lines += [f"     user: {exchange.said}", f"     assistant: {exchange.answer}"]
    return "\n".join(lines)


def report(scored: Sequence[ScoredPersonaTurn]) -> dict[str, Any]:
    """Everything as plain JSON values."""
    shares = {name: (round(passed / of, 4) if of else None) for name, (passed, of) in counts(scored).items()}
    return {"kind": "persona", "goals": dict(GOALS), "shares": shares, "turns": [as_json(one) for one in scored]}
