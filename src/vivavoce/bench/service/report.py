"""What the service bench found: shares by half, business, language and kind, and whole dialogues to read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rich.table import Table

from vivavoce.bench.service.scoring import VERDICTS, ScoredTurn, as_json
from vivavoce.bench.service.scripts import KINDS
from vivavoce.bench.summary import spread

LEGEND = (
    "hon.: owns up although there is an answer; inv.: invented; harm.: harmful; r+h: right or honest; args: turns with "
    "invented arguments; contra.: contradicted by the documents; text, sound: seconds to the first, p50/p95."
)
HALVES = ("tuning", "held-out")
GOALS: Mapping[str, str] = {
    "right_or_honest": "≥ 90 %",
    "harmful": "0",
    "invented_arguments": "0",
    "contradicted": "≤ 2 %",
}


def totals(scored: Sequence[ScoredTurn]) -> dict[str, Any]:
    """Counts and shares of these turns, and when the first words and sounds came (ms)."""
    count = len(scored)
    by_verdict: dict[str, int] = {verdict: sum(one.verdict == verdict for one in scored) for verdict in VERDICTS}
    contradicted = sum(one.contradicted for one in scored)
    firsts = [one.played.exchanges[0] for one in scored if one.played.exchanges]
    text, sound = (
        spread(exchange.first_text_ms for exchange in firsts),
        spread(exchange.first_audible_ms for exchange in firsts),
    )
    return {
        "turns": count,
        **by_verdict,
        "right_or_honest": _share(by_verdict["right"] + by_verdict["honest"], count),
        "invented_arguments": sum(one.invented_argument for one in scored),
        "contradicted": _share(contradicted, count),
        "first_text_ms": (round(text.p50), round(text.p95)) if text else None,
        "first_audible_ms": (round(sound.p50), round(sound.p95)) if sound else None,
    }


def tables(scored: Sequence[ScoredTurn]) -> list[Table]:
    """For the terminal: by half, by dialogue, by kind; each half's kinds on their own."""
    halves = [half for half in HALVES if any(one.script.half == half for one in scored)]
    result = [_table("half", ((half, [one for one in scored if one.script.half == half]) for half in halves))]
    result.append(_table("dialogue", _groups(scored, lambda one: f"{one.script.name} ({one.script.half})")))
    for half in halves:
        own = [one for one in scored if one.script.half == half]
        by_kind = ((kind, [one for one in own if one.played.turn.kind == kind]) for kind in KINDS)
        result.append(_table(f"kind, {half}", ((kind, turns) for kind, turns in by_kind if turns)))
    return result


def transcript(scored: Iterable[ScoredTurn]) -> str:
    """Whole dialogues with their verdicts."""
    lines: list[str] = []
    for one in scored:
        turn = one.played.turn
        if turn.number == 1:
            lines.append(f"\n=== {one.script.name} ===")
        lines.append(
            f"{turn.number:2} [{turn.kind}] {one.verdict.upper()}{': ' if one.reasons else ''}{'; '.join(one.reasons)}"
        )
        for exchange in one.played.exchanges:
            heard = f"   (heard: {exchange.heard})" if exchange.heard else ""
            lines.append(f"     user: {exchange.said}{heard}")
            lines += [
                f"     call: {call.name} {json.dumps(call.arguments, ensure_ascii=False)} → "
                f"{json.dumps(call.result, ensure_ascii=False)}"
                for call in exchange.calls
            ]
            lines.append(f"     assistant ({_ms(exchange.first_text_ms)}): {exchange.answer}")
    return "\n".join(lines)


def report(scored: Sequence[ScoredTurn]) -> dict[str, Any]:
    """Everything as plain JSON values."""
    return {
        "kind": "service",
        "goals": dict(GOALS),
        **{half: totals([one for one in scored if one.script.half == half]) for half in HALVES},
        "turns": [as_json(one) for one in scored],
    }


def _groups(
    scored: Sequence[ScoredTurn], key: Callable[[ScoredTurn], str]
) -> Iterable[tuple[str, Sequence[ScoredTurn]]]:
    return ((name, [one for one in scored if key(one) == name]) for name in dict.fromkeys(map(key, scored)))


COLUMNS = ("turns", "right", "hon.", "wrong", "inv.", "harm.", "r+h", "args", "contra.", "text", "sound")


def _table(title: str, groups: Iterable[tuple[str, Sequence[ScoredTurn]]]) -> Table:
    table = Table(title, *COLUMNS, padding=(0, 0))
    for name, turns in groups:
        of = totals(turns)
        counts = (str(of[key] or "–") for key in ("turns", *VERDICTS))
        shares = (_percent(of["right_or_honest"]), str(of["invented_arguments"] or "–"), _percent(of["contradicted"]))
        table.add_row(name, *counts, *shares, _spread(of["first_text_ms"]), _spread(of["first_audible_ms"]))
    return table


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def _spread(of: tuple[int, int] | None) -> str:
    return "–" if of is None else f"{of[0] / 1000:.1f}/{of[1] / 1000:.1f}"


def _ms(value: float | None) -> str:
    return "no words" if value is None else f"{value:.0f} ms"
