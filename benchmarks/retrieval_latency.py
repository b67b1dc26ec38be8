"""How much later the first audio of an answer comes when documents are searched for it.

The same questions, the same model and synthesizer, the same minute: once with the retrieval tool on offer, once without. It is
searched, as in a conversation, where the documents surely tell or else the model decides to; other replies are left out of both
columns.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from retrieval_corpus import CorpusQuestion
from retrieval_measure import searched_first

from vivavoce.engines.base import LanguageModel, Synthesizer
from vivavoce.runtime.reply import ReplyRequest, read_prompt, reply
from vivavoce.session.default_prompt import system_prompt
from vivavoce.tools.base import CallContext
from vivavoce.tools.retrieval import RetrievalTool
from vivavoce.tools.tool_run import ToolRun, with_tools
from vivavoce.types import GenerationOptions, Message, ReplyEvent, ServerToolEnded, ServerToolStarted, Speech, ToolCall
from vivavoce.waiting import first_of

VOICE = "qingchunshaonv"
EACH_LANGUAGE = 6
ANSWER_TOKENS = 100


@dataclass(slots=True)
class TurnTimes:
    """Milliseconds from the question to the call of the tool, to what it found, and to the first audio."""

    began: float = field(default_factory=time.perf_counter)
    called_ms: float | None = None
    found_ms: float | None = None
    audio_ms: float | None = None

    def see(self, event: ReplyEvent) -> None:
        """Note an event's time, if it is the first of its kind."""
        now_ms = (time.perf_counter() - self.began) * 1000
        if isinstance(event, ServerToolStarted) and self.called_ms is None:
            self.called_ms = now_ms
        elif isinstance(event, ServerToolEnded) and self.found_ms is None:
            self.found_ms = now_ms
        elif isinstance(event, Speech) and len(event.samples) and self.audio_ms is None:
            self.audio_ms = now_ms


@dataclass(frozen=True, slots=True)
class SpokenQuestion:
    """One question, asked with and without the tool."""

    question: CorpusQuestion
    searched: TurnTimes
    plain: TurnTimes

    @property
    def counts(self) -> bool:
        """Whether it was searched for, and both were answered aloud."""
        return None not in (self.searched.found_ms, self.searched.audio_ms, self.plain.audio_ms)


def asked_aloud(questions: Sequence[CorpusQuestion]) -> list[CorpusQuestion]:
    """Some of those to tune with that have an answer and stand alone, as many of each language."""
    chosen = [one for one in questions if one.half == "dev" and one.file is not None and one.before is None]
    return [one for language in ("en", "zh") for one in _of(language, chosen)[:EACH_LANGUAGE]]


async def listen(
    questions: Sequence[CorpusQuestion],
    tool: RetrievalTool,
    model: LanguageModel,
    synthesizer: Synthesizer,
    advance: Callable[[], None],
) -> list[SpokenQuestion]:
    """Ask ``questions`` both ways, one after the other."""
    spoken = []
    for question in questions:
        plain = await _first_audio(question, None, model, synthesizer)
        spoken.append(SpokenQuestion(question, await _first_audio(question, tool, model, synthesizer), plain))
        advance()
    return spoken


async def _first_audio(
    question: CorpusQuestion, tool: RetrievalTool | None, model: LanguageModel, synthesizer: Synthesizer
) -> TurnTimes:
    options = GenerationOptions(max_tokens=ANSWER_TOKENS, temperature=0.0, slot=0)
    system = Message("system", system_prompt())
    user_message = Message("user", question.ask, reply_language=question.language)
    tools = [] if tool is None else [tool]
    # A conversation has read its head before the user has finished speaking.
    await read_prompt((system, Message("user", "")), with_tools(options, tools), model)
    server_tools = ToolRun(tools, CallContext("" if tool is None else tool.owner, (user_message,), question.language))
    request = ReplyRequest((system, user_message), options, VOICE, question.language, server_tools=server_tools)
    marks, spoken = TurnTimes(), asyncio.Event()
    if tool is not None and await searched_first(tool, (user_message,)):
        arguments = json.dumps({"query": question.ask}, ensure_ascii=False)
        calls = (ToolCall("call_1", tool.tool.name, arguments),)
        request = replace(request, server_tools=replace(server_tools, calls=calls))

    async def emit(event: ReplyEvent) -> None:
        marks.see(event)
        if marks.audio_ms is not None:
            spoken.set()

    answering, _ = await first_of(reply(request, model, synthesizer, emit), spoken.wait())
    if not answering.cancelled():
        answering.result()
    return marks


def _of(language: str, questions: Sequence[CorpusQuestion]) -> list[CorpusQuestion]:
    return [one for one in questions if one.language == language]
