"""How well a language model calls tools.

Turns that want calls, and turns that want none; all tools are on offer in every turn, behind the default persona, but for
those the server itself withholds (``tools/relevance.py``). Greedy, so that the same weights give the same figures.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from time import perf_counter
from typing import Any, Literal, NamedTuple, TypeAlias

import tool_turns_dev as dev
import tool_turns_test as test
from tool_turns import TOOLS, ExpectedCall, Has, ToolTurn

from vivavoce.engines.base import LanguageModel
from vivavoce.session.default_prompt import system_prompt
from vivavoce.tools.catalog import SEARCHES
from vivavoce.tools.relevance import Relevance
from vivavoce.types import GenerationOptions, Message, TextDelta, ToolCall

OPTIONS = GenerationOptions(max_tokens=96, temperature=0.0, slot=0, tools=TOOLS)

OTHERS = tuple(tool for tool in TOOLS if tool.name not in SEARCHES)
"""The server withholds no searches."""

Half: TypeAlias = Literal["dev", "test"]
HALVES: Mapping[Half, tuple[Sequence[ToolTurn], Sequence[ToolTurn]]] = {
    "dev": (dev.REQUESTS, dev.NO_CALLS),
    "test": (test.REQUESTS, test.NO_CALLS),
}


class ToolAnswer(NamedTuple):
    """What a model did in one turn, and when its first event came."""

    text: str
    calls: tuple[ToolCall, ...]
    first_ms: float


@dataclass(frozen=True, slots=True)
class Score:
    """What came of one half: ``right`` of ``requests`` turns; ``false_calls`` of ``others``; ``wrong`` are the failures."""

    half: Half
    requests: int
    right: int
    others: int
    false_calls: int
    first_ms: float
    wrong: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """For a report."""
        return asdict(self)


async def answer(model: LanguageModel, relevance: Relevance | None, said: str) -> ToolAnswer:
    """One turn of a fresh conversation."""
    text, calls, first_ms = "", [], 0.0
    messages = (Message("system", system_prompt("")), Message("user", said))
    asked = perf_counter()
    withheld = await relevance.irrelevant(messages, OTHERS) if relevance is not None else frozenset()
    async for event in model.generate(messages, replace(OPTIONS, withheld=withheld)):
        first_ms = first_ms or (perf_counter() - asked) * 1000
        if isinstance(event, TextDelta):
            text += event.text
        elif isinstance(event, ToolCall):
            calls.append(event)
    return ToolAnswer(text, tuple(calls), first_ms)


def is_right(turn: ToolTurn, answer: ToolAnswer) -> bool:
    """Exactly the calls the turn wants, in any order, with the right arguments and no others; words where it wants none."""
    if len(answer.calls) != len(turn.calls):
        return False
    if not turn.calls:
        return bool(answer.text.strip())
    left = list(answer.calls)
    for wanted in turn.calls:
        found = next((call for call in left if _is(wanted, call)), None)
        if found is None:
            return False
        left.remove(found)
    return True


def _is(wanted: ExpectedCall, call: ToolCall) -> bool:
    return call.name == wanted.tool and agrees(wanted.arguments, json.loads(call.arguments))


def agrees(expected: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    """Whether ``given`` has the expected values; a tuple lists alternatives, case and outer space do not count."""
    return expected.keys() == given.keys() and all(_fits(expected[key], given[key]) for key in expected)


def _fits(expected: Any, value: Any) -> bool:
    if isinstance(expected, Has):
        said = str(value).casefold()
        return all(any(word.casefold() in said for word in group) for group in expected.groups)
    return _plain(value) in {_plain(one) for one in (expected if isinstance(expected, tuple) else (expected,))}


def _plain(value: Any) -> str:
    return json.dumps(value.strip().casefold() if isinstance(value, str) else value)


async def measure(
    model: LanguageModel,
    relevance: Relevance | None,
    half: Half,
    on_turn: Callable[[object], object] = lambda _: None,
) -> Score:
    """Ask everything of one half; ``on_turn`` is called after each turn."""
    requests, others = HALVES[half]
    count: Counter[str] = Counter()
    times, wrong = [], []
    for turn in (*requests, *others):
        got = await answer(model, relevance, turn.said)
        on_turn(turn)
        if turn.calls:
            times.append(got.first_ms)
        good = is_right(turn, got)
        count["right" if turn in requests else "quiet"] += good
        count["false"] += turn in others and bool(got.calls)
        if not good:
            calls = " ".join(f"{call.name}{call.arguments}" for call in got.calls)
            wrong.append(f"{turn.said} → {calls or '-'} | {got.text!r}")
    middle = sorted(times)[len(times) // 2]
    return Score(half, len(requests), count["right"], len(others), count["false"], middle, tuple(wrong))
