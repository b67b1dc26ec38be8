"""Asks the questions: is the right passage among the first, and does the model answer from it, or say that it cannot?"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from retrieval_corpus import CorpusQuestion

from vivavoce.conduct.manner import manner_of
from vivavoce.conduct.model import PersonaModel
from vivavoce.engines.base import LanguageModel
from vivavoce.intents.classifier import IntentClassifier, load_heads
from vivavoce.intents.turn import turn_intent
from vivavoce.session.default_prompt import system_prompt
from vivavoce.tools.base import CallContext
from vivavoce.tools.checked_answer import checked_answer, evidence_in
from vivavoce.tools.rendering import call_messages, render
from vivavoce.tools.retrieval import RetrievalTool
from vivavoce.types import GenerationOptions, Message, TextDelta, Tool, ToolCall

FIRST = 3
ROOM_TOKENS = 2000
ANSWER_TOKENS = 100
MEANWHILE = {"zh": "好的，请稍等。"}

REFUSALS = re.compile(
    r"n['’]t (?:say|mention|know|have|specif|provide|include|find|contain|list|state|give|tell|see|offer|any)"
    r"|\bnot (?:say|mention|know|specif|provid|includ|find|contain|list|stat|giv|availab|there|found|in the|have|sure|any)"
    r"|no (?:information|mention|details|answer|such|data|record|specific)|cannot|can't|could ?n[o']t|unable|unfortunately"
    r"|\bsorry\b|do not|does not|did not"
    r"|没有(?:提|说|相关|找|关于|具体|这|写|记|任何|列|给|明|在|信息|包)|未(?:提|说|找|包|给|列|明|能|提供)|无法|不知道|找不到|抱歉|不清楚|不确定"
    r"|并没有|并未|没说|没提|查不到|不存在|没有.{0,12}(?:信息|说明|资料|记录|规定|内容|提到|提及|线路|班车)",
    re.IGNORECASE,
)
"""How an honest "it does not say" sounds. A question that has an answer is not judged by this."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search gave. ``rank`` counts from 1, 0 for not among the first ``FIRST``. ``unasked``: a conversation would search
    without asking the model."""

    question: CorpusQuestion
    rank: int
    similarity: float
    search_ms: float
    unasked: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """What the model said. ``right``: the answer, or, where there is none, that there is none. ``honest``: it said that it
    could not find it, whether or not it was there. ``first_ms`` is from the question to the first word of the answer."""

    question: CorpusQuestion
    text: str
    right: bool
    honest: bool
    first_ms: float


async def find(tool: RetrievalTool, question: CorpusQuestion) -> Found:
    """Search for one question, without the limit of what is near enough."""
    began = time.perf_counter()
    hits = await tool.ranked(question.ask, _messages(question), FIRST)
    spent_ms = (time.perf_counter() - began) * 1000
    files = [(hit.filename, hit.passage.text) for hit in hits]
    right = [file == question.file and question.evidence in text for file, text in files]
    similarity = max((hit.similarity for hit in hits), default=0.0)
    unasked = await searched_first(tool, _messages(question))
    return Found(question, right.index(True) + 1 if any(right) else 0, similarity, spent_ms, unasked)


async def searched_first(tool: RetrievalTool, messages: Sequence[Message]) -> bool:
    """Whether the server searches before the model writes."""
    classifier = IntentClassifier(tool.knowledge.embedder, load_heads())
    return await tool.arguments_in_advance(messages, await turn_intent(classifier, messages)) is not None


async def answer(tool: RetrievalTool, model: LanguageModel, question: CorpusQuestion) -> Answered:
    """The model's answer, as the tool loop would have it: with the call made and its result told."""
    messages = _messages(question)
    began = time.perf_counter()
    result = await tool.run({"query": question.ask}, CallContext(tool.owner, messages, question.language))
    call = ToolCall("call_1", tool.tool.name, "{}")
    found = render(result, ROOM_TOKENS, question.ask, question.language)
    prompt = [Message("system", system_prompt()), *messages, *call_messages("", [(call, found)])]
    options = GenerationOptions(
        max_tokens=ANSWER_TOKENS, temperature=0.0, tools=_tools(tool), tool_choice="none", slot=0
    )
    text, first_ms = "", 0.0
    evidence = evidence_in(prompt, [result], question.ask)
    answering = PersonaModel(model, manner_of(prompt, question.language))
    async with aclosing(checked_answer(answering.generate, prompt, options, evidence, question.language)) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                first_ms = first_ms or (time.perf_counter() - began) * 1000
                text += event.text
    honest = REFUSALS.search(text) is not None
    right = any(pattern.search(text) for pattern in question.answers) if question.file else honest
    return Answered(question, text.strip(), right, honest, first_ms)


async def every(
    questions: Sequence[CorpusQuestion], tool: RetrievalTool, model: LanguageModel | None, advance: Callable[[], None]
) -> tuple[list[Found], list[Answered]]:
    """Both for all questions; without a model only the search."""
    found, answered = [], []
    for question in questions:
        found.append(await find(tool, question))
        if model is not None:
            answered.append(await answer(tool, model, question))
        advance()
    return found, answered


def _tools(tool: RetrievalTool) -> tuple[Tool, ...]:
    return (tool.tool,)


def _messages(question: CorpusQuestion) -> tuple[Message, ...]:
    user_message = Message("user", question.ask, reply_language=question.language)
    if question.before is None:
        return (user_message,)
    meanwhile = MEANWHILE.get(question.language, "Sure, one moment.")
    return Message("user", question.before), Message("assistant", meanwhile), user_message
