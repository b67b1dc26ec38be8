"""What thinking while speaking is worth, and what it costs: right answers and first clauses, mode by mode."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing
from functools import lru_cache
from statistics import median

import msgspec
from rich.table import Table

from vivavoce.bench.reasoning_questions import ReasoningQuestion, is_right, questions
from vivavoce.bench.session_answers import session_answer
from vivavoce.engines.base import LanguageModel
from vivavoce.runtime.reply import read_prompt
from vivavoce.session.default_prompt import system_prompt
from vivavoce.text.clauses import FIRST_FORCED_REPLY, Clause, ClauseSplitter
from vivavoce.thinking import Thinking
from vivavoce.types import GenerationOptions, Message, SpeechFlush, TextDelta, ThinkingDelta, ThinkingMode

ANSWER_TOKENS = 120
MODES: tuple[ThinkingMode, ...] = ("off", "speak-first", "think-first", "think-before-speak")
KINDS = ("arithmetic", "dates", "logic", "comparison")


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """One answer in one mode: when its first clause was written, which can be spoken then, and its last; both from the end of
    the question. And what was thought."""

    mode: ThinkingMode
    question: str
    answer: str
    thought: str
    first_clause_s: float
    whole_s: float

    @property
    def asked(self) -> ReasoningQuestion:
        """The question with its right answer."""
        return _by_text()[self.question]

    @property
    def right(self) -> bool:
        """Whether what is said at last is the right answer."""
        return is_right(self.asked, self.answer)


@lru_cache(maxsize=1)
def _by_text() -> Mapping[str, ReasoningQuestion]:
    return {question.text: question for question in questions()}


async def ask(model: LanguageModel, question: ReasoningQuestion, mode: ThinkingMode, thinking: Thinking) -> Answered:
    """Ask as a conversation does: its head and the question's words have been read before the turn ends, and the answer is held
    to its manner."""
    messages = (Message("system", system_prompt("")), Message("user", question.text, reply_language=question.language))
    await read_prompt(messages, GenerationOptions(slot=0), model)
    options = GenerationOptions(ANSWER_TOKENS, temperature=0.0, slot=0, thinking=thinking.options(None, "effort"))
    answer, thought, first_clause_s, started = "", "", 0.0, time.perf_counter()
    splitter = ClauseSplitter(question.language, first_forced=FIRST_FORCED_REPLY)
    async with aclosing(session_answer(model, messages, options, question.language)) as events:
        async for event in events:
            clauses: Sequence[Clause] = ()
            match event:
                case TextDelta(text=text):
                    answer += text
                    clauses = splitter.push(text)
                case SpeechFlush() if not first_clause_s:
                    clauses = splitter.flush()
                case ThinkingDelta(text=text):
                    thought += text
            if clauses:
                first_clause_s = first_clause_s or time.perf_counter() - started
    whole_s = time.perf_counter() - started
    return Answered(
        mode=mode,
        question=question.text,
        answer=answer,
        thought=thought,
        first_clause_s=round(first_clause_s or whole_s, 3),
        whole_s=round(whole_s, 3),
    )


def to_ask(
    modes: Sequence[ThinkingMode], limit: int | None, answered: Sequence[Answered]
) -> Iterator[tuple[ReasoningQuestion, ThinkingMode]]:
    """What is still to be asked. Each question in all modes, one after the other: so they share how busy the machine is."""
    done = {(one.mode, one.question) for one in answered}
    for question in questions()[:limit]:
        for mode in modes:
            if (mode, question.text) not in done:
                yield question, mode


def result_table(answered: Sequence[Answered]) -> Table:
    """Accuracy by kind and the delays, a row a mode. Only questions that were asked in all of these modes count."""
    modes = [mode for mode in MODES if any(one.mode == mode for one in answered)]
    asked = [{one.question for one in answered if one.mode == mode} for mode in modes]
    in_all = set[str].intersection(*asked) if asked else set[str]()
    table = Table(
        "mode", "n", "right", *KINDS, "first clause, s (median, p90)", "later than off, s (median)", "whole, s"
    )
    off = {one.question: one.first_clause_s for one in answered if one.mode == "off"}
    for mode in modes:
        own = [one for one in answered if one.mode == mode and one.question in in_all]
        if not own:
            continue
        by_kind = [[one.right for one in own if one.asked.kind == kind] for kind in KINDS]
        first = sorted(one.first_clause_s for one in own)
        later = [one.first_clause_s - off[one.question] for one in own if one.question in off]
        table.add_row(
            mode,
            str(len(own)),
            f"{sum(one.right for one in own)} ({sum(one.right for one in own) / len(own):.0%})",
            *(f"{sum(rights)}/{len(rights)}" for rights in by_kind),
            f"{median(first):.2f}, {first[min(len(first) - 1, round(0.9 * len(first)))]:.2f}",
            f"{median(later):+.2f}" if later else "–",
            f"{median(one.whole_s for one in own):.2f}",
        )
    return table
