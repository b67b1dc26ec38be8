"""How fast a language model reads and writes in this process: ``python benchmarks/generation.py [small|large]``.

It asks short questions in a slot that has read the default persona, as a conversation does, and prints medians. Run it with
``OMP_WAIT_POLICY`` and ``GOMP_SPINCOUNT`` set to compare ways of waiting, alone and beside a busy process.
"""

from __future__ import annotations

from statistics import median
from time import perf_counter

from one_model import run_with_model

from vivavoce.engines.base import LanguageModel
from vivavoce.runtime.reply import read_prompt
from vivavoce.session.default_prompt import system_prompt
from vivavoce.types import GenerationEnd, GenerationOptions, Message, TextDelta

QUESTIONS = (
    "What is the capital of France?",
    "How many days are in a leap year?",
    "Why is the sky blue?",
    "What do cats like to eat?",
    "How do I boil an egg?",
)
ROUNDS = 3


async def measure(model: LanguageModel) -> str:
    """One line of medians: first token (ms), speed (tokens/s), prompt tokens that were not cached."""
    system = Message("system", system_prompt(""))
    options = GenerationOptions(max_tokens=24, temperature=0.0, slot=0)
    await read_prompt((system, Message("user", "")), options, model)
    firsts: list[float] = []
    speeds: list[float] = []
    unread: list[int] = []
    for question in QUESTIONS * ROUNDS:
        arrivals: list[float] = []
        started = perf_counter()
        async for event in model.generate((system, Message("user", question)), options):
            match event:
                case TextDelta():
                    arrivals.append(perf_counter())
                case GenerationEnd():
                    unread.append(event.input_tokens - event.cached_tokens)
        firsts.append((arrivals[0] - started) * 1000)
        if len(arrivals) > 1:
            speeds.append((len(arrivals) - 1) / (arrivals[-1] - arrivals[0]))
    return (
        f"first token {median(firsts):.0f} ms after {median(unread):.0f} unread prompt tokens, "
        f"then {median(speeds):.1f} tokens/s (medians of {len(firsts)})"
    )


if __name__ == "__main__":
    run_with_model(measure)
