"""An answer from documents, read along: what contradicts them, or is nowhere in them, is said again once, else left out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TypeAlias

from vivavoce.hosted import HostedEvent
from vivavoce.tools.grounding import HONEST, AnswerCheck, Evidence, evidence_of, has_cjk, owns_up, telling_line
from vivavoce.tools.rendering import in_language, in_turn, name_of, turn_number
from vivavoce.types import (
    GenerationEnd,
    GenerationOptions,
    Language,
    Message,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    ToolResult,
)

Generate: TypeAlias = Callable[[Sequence[Message], GenerationOptions], AsyncGenerator[HostedEvent, None]]

_AGAIN = 'That was wrong: "{fault}" is not what was found. The line that tells: "{line}". Answer from this line, in {language}.'
_NOWHERE = (
    'That was wrong: "{fault}" was neither found nor said. Say in one sentence that it is not known, in {language}.'
)
_QUOTED: Mapping[Language, str] = {
    "en": "The documents say: {line}",
    "zh": "文件里写的是：{line}",
    "ja": "資料にはこうあります。{line}",
}
_UNKNOWN: Mapping[Language, str] = {
    "en": "I can't say for sure: the documents don't tell.",
    "zh": "这个我不能确定，文件里没有写。",
    "ja": "資料に書かれていないため、はっきりとは分かりません。",
}
_UNKNOWN_ON_THE_WEB: Mapping[Language, str] = {
    "en": "I can't say for sure: the pages I found don't tell.",
    "zh": "这个我不能确定，搜到的网页里没有写。",
    "ja": "見つかったページに書かれていないため、はっきりとは分かりません。",
}


def evidence_in(
    prompt: Sequence[Message], results: Sequence[ToolResult], question: str, *, web: bool = False
) -> Evidence:
    """What an answer to ``question`` can rest on: ``results`` of searches (all of the ``web``, or of documents, too) and all
    that was said, but not by the assistant."""
    texts = [message.content for message in prompt if message.role != "assistant"]
    lines = [line for result in results for line in result.lines]
    return evidence_of(texts, lines, question, sure=any(result.sure for result in results), web=web)


async def checked_answer(
    generate: Generate, prompt: Sequence[Message], options: GenerationOptions, evidence: Evidence, language: Language
) -> AsyncGenerator[HostedEvent, None]:
    """What ``generate`` yields for ``prompt``, with only such text as ``evidence`` bears. Raises as it does."""
    check = AnswerCheck(evidence, may_decline=evidence.web)
    async for event in _through(generate(prompt, options), check):
        yield event
    if not check.fault:
        return
    if check.declined and not evidence.sure:
        yield TextDelta(honest(language, prompt))
        return
    told, begun = [*prompt, Message("system", _note(check, language))], check.text.strip()
    again = AnswerCheck(evidence, text=check.text, may_decline=not evidence.sure)
    retried = replace(options, tool_choice="none", continue_last_message=bool(begun))
    async for event in _through(generate([*told, Message("assistant", check.text)] if begun else told, retried), again):
        yield event
    if again.fault:
        yield TextDelta(fallback(evidence, language, again.text))


def honest(language: Language, prompt: Sequence[Message]) -> str:
    """That the documents do not say it, in other words from turn to turn."""
    return in_language(in_turn(HONEST, turn_number(prompt)), language)


async def honest_answer(
    generate: Generate, prompt: Sequence[Message], options: GenerationOptions, language: Language, *, may_call: bool
) -> AsyncGenerator[HostedEvent, None]:
    """An answer where documents were asked for and have nothing: a small model says that there is no such thing, or makes
    one up. Only if it ``may_call`` is it asked, and its words are given on if they own up. Raises as ``generate`` does."""
    words, called = "", False
    if may_call:
        async with aclosing(generate(prompt, options)) as events:
            async for event in events:
                called = called or isinstance(event, ToolCall | ToolCallDelta)
                if isinstance(event, TextDelta) and not called:
                    words += event.text
                else:
                    yield event
    if called:
        return
    yield TextDelta(words if owns_up(words) else honest(language, prompt))
    if not may_call:
        yield GenerationEnd("stop")


def _note(check: AnswerCheck, language: Language) -> str:
    """What the model is told to do better."""
    line = telling_line(check.evidence)
    words = _AGAIN if line else _NOWHERE
    return words.format(fault=check.fault, line=line, language=name_of(language))


def fallback(evidence: Evidence, language: Language, begun: str) -> str:
    """What is said when the model insists: the line itself where it is in the user's language and surely tells, else that it
    is not known; behind ``begun``, which stays a sentence."""
    line = telling_line(evidence)
    told = evidence.sure and has_cjk(line) == (language in ("zh", "ja"))
    unknown = _UNKNOWN_ON_THE_WEB if evidence.web else _UNKNOWN
    words = in_language(_QUOTED, language).format(line=line) if told else in_language(unknown, language)
    if not begun.strip():
        return words
    return f"… {words}" if language not in ("zh", "ja") else f"……{words}"


async def _through(events: AsyncGenerator[HostedEvent, None], check: AnswerCheck) -> AsyncGenerator[HostedEvent, None]:
    """The events as far as the check lets their text through; at a fault generation stops."""
    async with aclosing(events):
        async for event in events:
            if not isinstance(event, TextDelta):
                yield event
                continue
            if words := check.push(event.text):
                yield TextDelta(words)
            if check.fault:
                return
    if words := check.flush():
        yield TextDelta(words)
