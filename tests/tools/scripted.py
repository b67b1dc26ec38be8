"""Models that say what they are told to, round by round, and tools that do as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

from vivavoce.engines.fake import FakeLanguageModel, FakeSynthesizer
from vivavoce.runtime.reply import ReplyRequest, reply
from vivavoce.tools.base import CallContext, Effects, ServerTool, ToolResult
from vivavoce.tools.tool_run import ToolRun
from vivavoce.types import (
    GenerationEnd,
    GenerationEvent,
    GenerationOptions,
    Message,
    ReplyEvent,
    TextDelta,
    Tool,
    ToolCall,
    ToolCallDelta,
)

ANY = {"type": "object"}


class Scripted(FakeLanguageModel):
    """Each generation yields the next of ``rounds``: strings are words, calls are calls; the last round is repeated."""

    def __init__(self, *rounds: Sequence[str | ToolCall]) -> None:
        super().__init__(1)
        self.rounds = list(rounds)
        self.asked: list[tuple[tuple[Message, ...], GenerationOptions]] = []

    async def generate(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        self.asked.append((tuple(messages), options))
        called = False
        for said in self.rounds.pop(0) if len(self.rounds) > 1 else self.rounds[0]:
            await asyncio.sleep(0)
            if isinstance(said, str):
                yield TextDelta(said)
            else:
                called = True
                yield ToolCallDelta(said.id, said.name, said.arguments)
                yield said
        yield GenerationEnd("tool_calls" if called else "stop", input_tokens=10, cached_tokens=4, output_tokens=3)


class Lookup(ServerTool):
    """Finds ``text`` once it is let; ``called`` are the arguments, ``cancelled`` says that it was stopped."""

    kind = "builtin"

    def __init__(
        self, name: str = "look_up", text: str = "It is 42.", *, effects: Effects = "sends", trusted: bool = False
    ) -> None:
        self.tool = Tool(name, "Looks things up.", ANY)
        self.timeout_s = 5.0
        self.effects = effects
        self.text = text
        self.trusted = trusted
        self.leave = asyncio.Event()
        self.leave.set()
        self.called: list[Mapping[str, Any]] = []
        self.callings: list[CallContext] = []
        self.running = asyncio.Event()
        self.cancelled = False

    async def run(self, arguments: Mapping[str, Any], context: CallContext) -> ToolResult:
        self.called.append(arguments)
        self.callings.append(context)
        self.running.set()
        try:
            await self.leave.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if self.text == "raise":
            raise RuntimeError("a bug")
        return ToolResult(self.text, trusted=self.trusted)


def call(name: str, arguments: str = "{}", id: str | None = None) -> ToolCall:
    return ToolCall(id or f"call_{name}", name, arguments)


def request(
    *tools: ServerTool, functions: Sequence[str] = (), voice: str | None = "fake", language: str = "en", **server: Any
) -> ReplyRequest:
    options = GenerationOptions(tools=tuple(Tool(name, "", ANY) for name in functions))
    messages = (Message("system", "Be brief."), Message("user", "What is the answer?"))
    context = CallContext("me", language=language)
    return ReplyRequest(messages, options, voice, language, server_tools=ToolRun(tools, context, **server))


async def replied(model: FakeLanguageModel, asked: ReplyRequest) -> list[ReplyEvent]:
    events: list[ReplyEvent] = []

    async def emit(event: ReplyEvent) -> None:
        events.append(event)

    async with asyncio.timeout(10):
        await reply(asked, model, FakeSynthesizer(), emit)
    return events


def said(events: Sequence[ReplyEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))
