"""How fast a language model reads and writes in this process: ``python benchmarks/generation.py [small|large]``.

It asks short questions in a slot that has read the default persona, as a conversation does, and then questions about a page,
whose answers quote it, and prints medians; then how long instructions take to read, and how long in another slot, which goes
on from a copy. Run it with ``OMP_WAIT_POLICY`` and ``GOMP_SPINCOUNT`` set to compare ways of waiting, alone and beside a busy
process.
"""

from __future__ import annotations

from collections.abc import Sequence
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


PAGE = (
    "Parcels up to 2 kg cost 4 euros and 90 cents within the country and arrive after three working days. Parcels "
    "to the islands take two days more and cost 3 euros extra. Damaged parcels have to be reported within seven "
    "days, with a photo. The office in Mill Lane is open from Tuesday to Saturday between 9:30 and 18:00; on the "
    "day before a holiday it closes at 14:00."
)
QUOTING = (
    "What do parcels within the country cost, and when do they arrive?",
    "What about parcels to the islands?",
    "What do I do about a damaged parcel?",
    "When is the office in Mill Lane open?",
)


async def measure(model: LanguageModel) -> str:
    """A line of medians for chat, one for answers that quote, and one for instructions that are read twice."""
    chat = await _measured(model, system_prompt(""), QUESTIONS)
    quoting = await _measured(model, f"{system_prompt('')}\n\nAnswer in the words of this page: {PAGE}", QUOTING)
    return f"chat: {chat}\nquoting: {quoting}\ninstructions: {await _read_twice(model)}"


async def _read_twice(model: LanguageModel) -> str:
    """Milliseconds in a slot that has read nothing like it, and in the next."""
    messages = (Message("system", "\n".join([PAGE] * 4)), Message("user", ""))
    taken_ms: list[float] = []
    for slot in (0, 1):
        started = perf_counter()
        await read_prompt(messages, GenerationOptions(slot=slot), model)
        taken_ms.append((perf_counter() - started) * 1000)
    tokens = await model.count_tokens(messages, GenerationOptions())
    return f"{tokens} tokens read in {taken_ms[0]:.0f} ms, in another slot in {taken_ms[1]:.0f} ms"


async def _measured(model: LanguageModel, instructions: str, questions: Sequence[str]) -> str:
    """First token (ms), speed (tokens/s), prompt tokens that were not cached."""
    system = Message("system", instructions)
    options = GenerationOptions(max_tokens=40, temperature=0.0, slot=0)
    await read_prompt((system, Message("user", "")), options, model)
    firsts: list[float] = []
    speeds: list[float] = []
    unread: list[int] = []
    for question in tuple(questions) * ROUNDS:
        first_at, started = 0.0, perf_counter()
        async for event in model.generate((system, Message("user", question)), options):
            match event:
                case TextDelta():
                    first_at = first_at or perf_counter()
                case GenerationEnd(output_tokens=written):
                    unread.append(event.input_tokens - event.cached_tokens)
                    if written > 1:
                        speeds.append((written - 1) / (perf_counter() - first_at))
        firsts.append((first_at - started) * 1000)
    return (
        f"first token {median(firsts):.0f} ms after {median(unread):.0f} unread prompt tokens, "
        f"then {median(speeds):.1f} tokens/s (medians of {len(firsts)})"
    )


if __name__ == "__main__":
    run_with_model(measure)
