"""How well a language model calls tools: ``python -m vivavoce.bench.tools [small|large]``.

Each turn of ``REQUESTS`` wants one call, each of ``SMALL_TALK`` wants none; all tools of ``TOOLS`` are on offer in every
turn, behind the default persona. Greedy, so that the same weights give the same figures. It prints what went wrong and
the two rates.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from time import perf_counter
from typing import Any, NamedTuple

from vivavoce.bench.one_model import run_with_model
from vivavoce.bench.tool_turns import REQUESTS, SMALL_TALK, TOOLS, Request
from vivavoce.engines.base import LanguageModel
from vivavoce.session.persona import system_prompt
from vivavoce.types import GenerationOptions, Message, TextDelta, ToolCall

OPTIONS = GenerationOptions(max_tokens=96, temperature=0.0, slot=0, tools=TOOLS)


class Answer(NamedTuple):
    """What a model did in one turn, and when its first event came."""

    text: str
    calls: tuple[ToolCall, ...]
    first_ms: float


async def answer(model: LanguageModel, said: str) -> Answer:
    """One turn of a fresh conversation."""
    text, calls, first_ms = "", [], 0.0
    asked = perf_counter()
    async for event in model.generate((Message("system", system_prompt("")), Message("user", said)), OPTIONS):
        first_ms = first_ms or (perf_counter() - asked) * 1000
        if isinstance(event, TextDelta):
            text += event.text
        elif isinstance(event, ToolCall):
            calls.append(event)
    return Answer(text, tuple(calls), first_ms)


def is_right(request: Request, answer: Answer) -> bool:
    """Exactly one call, of the right tool, with the right arguments and no others."""
    if len(answer.calls) != 1 or answer.calls[0].name != request.tool:
        return False
    return agrees(request.arguments, json.loads(answer.calls[0].arguments))


def agrees(expected: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    """Whether ``given`` has the expected values; a tuple lists alternatives, case and outer space do not count."""
    return expected.keys() == given.keys() and all(
        _plain(given[key]) in {_plain(value) for value in (values if isinstance(values, tuple) else (values,))}
        for key, values in expected.items()
    )


def _plain(value: Any) -> str:
    return json.dumps(value.strip().casefold() if isinstance(value, str) else value)


async def measure(model: LanguageModel) -> str:
    """Ask everything; print each turn that went wrong; return the line of rates."""
    right = false_calls = 0
    times: list[float] = []
    for request in REQUESTS:
        got = await answer(model, request.said)
        right += (good := is_right(request, got))
        times.append(got.first_ms)
        if not good:
            _report("wrong", request.said, got)
    for said in SMALL_TALK:
        got = await answer(model, said)
        false_calls += bool(got.calls)
        if got.calls or not got.text.strip():
            _report("false call" if got.calls else "silent", said, got)
    return (
        f"right tool and arguments {right}/{len(REQUESTS)}, false calls {false_calls}/{len(SMALL_TALK)}, "
        f"median time to the call {sorted(times)[len(times) // 2]:.0f} ms"
    )


def _report(what: str, said: str, got: Answer) -> None:
    calls = " ".join(f"{call.name}{call.arguments}" for call in got.calls)
    print(f"  {what}: {said} → {calls or '-'} | {got.text!r}")


if __name__ == "__main__":
    run_with_model(measure)
