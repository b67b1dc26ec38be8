"""How much later the first audio of an answer comes when documents are searched for it.

The same questions, the same model and speaker, the same minute: once with the retrieval tool on offer, once without. It is
searched, as in a conversation, where the documents surely tell or else the model decides to; other replies are left out of both
columns.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from vivavoce.bench.retrieval.corpus import Question
from vivavoce.engines.base import LanguageModel, Speaker
from vivavoce.runtime.reply import ReplyRequest, read_prompt, reply
from vivavoce.session.persona import system_prompt
from vivavoce.tools.base import NO_EVIDENCE, Calling
from vivavoce.tools.loop import ServerSide, with_tools
from vivavoce.tools.retrieval import RetrievalTool
from vivavoce.types import GenerationOptions, Message, NamedTool, ReplyEvent, ServerToolEnded, ServerToolStarted, Speech

VOICE = "qingchunshaonv"
EACH_LANGUAGE = 6
ANSWER_TOKENS = 100


@dataclass(slots=True)
class Marks:
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
class Heard:
    """One question, asked with and without the tool."""

    question: Question
    searched: Marks
    plain: Marks

    @property
    def counts(self) -> bool:
        """Whether it was searched for, and both were answered aloud."""
        return None not in (self.searched.found_ms, self.searched.audio_ms, self.plain.audio_ms)


def asked_aloud(questions: Sequence[Question]) -> list[Question]:
    """Some of those to tune with that have an answer and stand alone, as many of each language."""
    chosen = [one for one in questions if one.half == "tuned" and one.file is not None and one.before is None]
    return [one for language in ("en", "zh") for one in _of(language, chosen)[:EACH_LANGUAGE]]


async def listen(
    questions: Sequence[Question],
    tool: RetrievalTool,
    model: LanguageModel,
    speaker: Speaker,
    advance: Callable[[], None],
) -> list[Heard]:
    """Ask ``questions`` both ways, one after the other."""
    heard = []
    for question in questions:
        plain = await _first_audio(question, None, model, speaker)
        heard.append(Heard(question, await _first_audio(question, tool, model, speaker), plain))
        advance()
    return heard


async def _first_audio(question: Question, tool: RetrievalTool | None, model: LanguageModel, speaker: Speaker) -> Marks:
    options = GenerationOptions(max_tokens=ANSWER_TOKENS, temperature=0.0, slot=0)
    system = Message("system", system_prompt())
    asked = Message("user", question.ask, reply_language=question.language)
    tools = [] if tool is None else [tool]
    # A conversation has read its head before the user has finished speaking.
    await read_prompt((system, Message("user", "")), with_tools(options, tools), model)
    server = ServerSide(tools, Calling("" if tool is None else tool.owner, (asked,), question.language))
    request = ReplyRequest((system, asked), options, VOICE, question.language, server=server)
    marks, spoken = Marks(), asyncio.Event()
    if tool is not None and await tool.evidence((asked,)) != NO_EVIDENCE:
        request = replace(request, options=replace(options, tool_choice=NamedTool(tool.tool.name)))

    async def emit(event: ReplyEvent) -> None:
        marks.see(event)
        if marks.audio_ms is not None:
            spoken.set()

    answering = asyncio.create_task(reply(request, model, speaker, emit))
    hearing = asyncio.create_task(spoken.wait())
    await asyncio.wait((answering, hearing), return_when=asyncio.FIRST_COMPLETED)
    for task in (answering, hearing):
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    return marks


def _of(language: str, questions: Sequence[Question]) -> list[Question]:
    return [one for one in questions if one.language == language]
