"""What instructions of one response cost: ``python benchmarks/overrides.py [small|large]``.

A conversation with instructions and ten turns has been read. Then a response comes with instructions of its own, which stand
either behind the conversation or, as a session's do, at the head of the prompt. Prints the median time to the first token and
the tokens that had to be read for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from time import perf_counter

from one_model import run_with_model

from vivavoce.engines.base import LanguageModel
from vivavoce.runtime.reply import read_prompt
from vivavoce.session.default_prompt import system_prompt
from vivavoce.session.prompt_builder import OVERRIDE
from vivavoce.types import GenerationEnd, GenerationOptions, Message, TextDelta

INSTRUCTIONS = (
    "You are the voice of a small hotel by a lake. Breakfast is from seven to ten, the pool closes at nine, dogs are "
    "welcome, and the ferry leaves every hour from the pier in front of the house. Be warm and brief. "
)
TURNS = (
    ("Good morning.", "Good morning, how can I help you?"),
    ("When is breakfast?", "Breakfast is from seven to ten."),
    ("And the pool?", "The pool is open until nine in the evening."),
    ("May I bring my dog?", "Of course, dogs are welcome here."),
    ("How do I get to the other side of the lake?", "Take the ferry; it leaves every hour from our pier."),
)
OVERRIDES = (
    "Answer in French only.",
    "Say goodbye in one short sentence.",
    "Ask the guest for their room number.",
    "Tell the guest that the ferry is late today.",
)


async def measure(model: LanguageModel) -> str:
    """One line for each place of the override: median first token (ms), median of the tokens read for it."""
    history = [Message(role, text) for turn in TURNS for role, text in zip(("user", "assistant"), turn, strict=True)]  # type: ignore[arg-type]
    head = Message("system", system_prompt(INSTRUCTIONS * 3))
    read = (head, *history, Message("user", "Thank you."))
    lines = []
    for place in ("behind the conversation", "at the head"):
        waits, unread = [], []
        for override in OVERRIDES:
            await read_prompt((*read[:-1], Message("user", "")), GenerationOptions(slot=0), model)
            behind = (*read, Message("system", OVERRIDE.format(override)))
            ahead = (Message("system", system_prompt(override)), *read[1:])
            first_ms, tokens = await _first(model, behind if place.startswith("behind") else ahead)
            waits.append(first_ms)
            unread.append(tokens)
        lines.append(f"{place}: first token {median(waits):.0f} ms after reading {median(unread):.0f} tokens")
    return "; ".join(lines)


async def _first(model: LanguageModel, messages: Sequence[Message]) -> tuple[float, int]:
    """Milliseconds to the first token of a reply, and how many tokens of the prompt were not in the cache."""
    started, first_ms = perf_counter(), 0.0
    async for event in model.generate(messages, GenerationOptions(max_tokens=8, temperature=0.0, slot=0)):
        if isinstance(event, TextDelta) and not first_ms:
            first_ms = (perf_counter() - started) * 1000
        elif isinstance(event, GenerationEnd):
            return first_ms, event.input_tokens - event.cached_tokens
    return first_ms, 0


if __name__ == "__main__":
    run_with_model(measure)
