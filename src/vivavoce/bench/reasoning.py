"""What thinking while speaking is worth, and what it costs: right answers and first words, mode by mode."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from statistics import median

from rich.table import Table

from vivavoce.bench.reasoning_questions import ReasoningQuestion, is_right
from vivavoce.engines.base import LanguageModel
from vivavoce.runtime.reasoning import ReasoningModel
from vivavoce.runtime.reply import read_prompt
from vivavoce.session.default_prompt import system_prompt
from vivavoce.thinking import Effort, Thinking
from vivavoce.types import GenerationOptions, Message, TextDelta, ThinkingDelta, ThinkingMode

ANSWER_TOKENS = 120


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer: when its first words came, how many tokens were thought before and after them."""

    question: ReasoningQuestion
    answer: str
    right: bool
    first_words_s: float
    whole_s: float
    thought: str


async def ask(
    model: LanguageModel, question: ReasoningQuestion, mode: ThinkingMode, effort: Effort, segment_tokens: int
) -> Answered:
    """Ask as a conversation does: its head and the question's words have been read before the turn ends."""
    messages = (Message("system", system_prompt("")), Message("user", question.text, reply_language=question.language))
    await read_prompt(messages, GenerationOptions(slot=0), model)
    thinking = Thinking(mode, effort, segment_tokens).options(None, "effort")
    options = GenerationOptions(ANSWER_TOKENS, temperature=0.0, slot=0, thinking=thinking)
    answer, thought, first_words_s, started = "", "", 0.0, time.perf_counter()
    async with aclosing(ReasoningModel(model).generate(messages, options)) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                first_words_s = first_words_s or time.perf_counter() - started
                answer += event.text
            elif isinstance(event, ThinkingDelta):
                thought += event.text
    whole_s = time.perf_counter() - started
    return Answered(question, answer, is_right(question, answer), first_words_s, whole_s, thought)


def result_table(results: dict[ThinkingMode, Sequence[Answered]]) -> Table:
    """Accuracy by kind and the delays, a row a mode."""
    kinds = ("arithmetic", "dates", "logic", "comparison")
    table = Table("mode", "n", "right", *kinds, "first words, s", "whole, s")
    for mode, answers in results.items():
        if not answers:
            continue
        own = [[answer.right for answer in answers if answer.question.kind == kind] for kind in kinds]
        table.add_row(
            mode,
            str(len(answers)),
            f"{sum(answer.right for answer in answers) / len(answers):.0%}",
            *(f"{sum(rights)}/{len(rights)}" for rights in own),
            f"{median(answer.first_words_s for answer in answers):.2f}",
            f"{median(answer.whole_s for answer in answers):.2f}",
        )
    return table
