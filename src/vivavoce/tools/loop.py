"""The tool loop: a model writes, the server's tools it calls run, and it writes on with what they found.

Calls of one round run at once, each with its deadline; rounds are bounded. Calls of the client's functions end the reply,
as they do without a loop. Once the model has read what strangers wrote, it can call only what has no effects until the user
speaks again: such text may say "call this", and a small model obeys.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from vivavoce.engines.base import LanguageModel
from vivavoce.open_request import answered_until, user_waits
from vivavoce.signatures import estimate_tools
from vivavoce.token_estimates import estimate_tokens
from vivavoce.tools.base import Calling, ServerTool, ToolResult
from vivavoce.tools.guard import Guard
from vivavoce.tools.telling import BROKEN, FILLERS, TIMED_OUT, call_messages, filler, is_quoted, told
from vivavoce.types import (
    ApprovalNeeded,
    GenerationEnd,
    GenerationEvent,
    GenerationOptions,
    Language,
    Message,
    NamedTool,
    ServerToolEnded,
    ServerToolStarted,
    TextDelta,
    Tool,
    ToolCall,
    ToolCallDelta,
)

log = logging.getLogger(__name__)

MOST_CALLS = 8
"""Calls of the server's tools in one round; what a model writes beyond is told to have failed."""

LEAST_ROOM = 64
"""Tokens of a result the model is always told."""

LEAST_REPLY = 256
"""Tokens a reply keeps whatever tools may find: what is left beside the prompt is an estimate, which errs downwards."""

MOST_SHARE = 0.5
"""Of the model's context, for all that tools find in one reply."""


@dataclass(frozen=True, slots=True)
class Filler:
    """Words of ours to be said at once: a tool takes its time."""

    text: str


LoopEvent: TypeAlias = GenerationEvent | ServerToolStarted | ServerToolEnded | ApprovalNeeded | Filler


@dataclass(frozen=True, slots=True)
class ServerSide:
    """What the server does for a reply.

    ``calls`` run before the model writes: the client has allowed them, or they were cut off. ``rounds`` is how often the
    model may call before it must answer; ``filler_ms`` how long a tool may take in silence (``None``: any time), and
    ``fillers`` what is said then, by language.
    ``strangers_may_call`` lifts the limit on calls after strangers' text.
    """

    tools: Sequence[ServerTool]
    calling: Calling
    calls: Sequence[ToolCall] = ()
    rounds: int = 4
    filler_ms: int | None = 700
    fillers: Mapping[Language, str] = field(default_factory=lambda: FILLERS)
    strangers_may_call: bool = False


def with_tools(options: GenerationOptions, tools: Sequence[ServerTool]) -> GenerationOptions:
    """``options`` in which the server's tools are on offer, too, behind the client's functions, which keep their names."""
    taken = {tool.name for tool in options.tools}
    more: dict[str, Tool] = {}
    for tool in tools:
        if tool.tool.name not in taken:
            more.setdefault(tool.tool.name, tool.tool)
    return replace(options, tools=(*options.tools, *more.values()))


@dataclass(slots=True)
class ToolLoop:
    """One reply's loop. ``speaks``: whether it is heard, so that silence is to be filled."""

    model: LanguageModel
    server: ServerSide
    speaks: bool
    _tools: dict[str, ServerTool] = field(default_factory=dict)
    _limited: bool = False
    _found: bool = False
    _exhausted: bool = False
    _filled: bool = False

    async def events(self, messages: Sequence[Message], options: GenerationOptions) -> AsyncGenerator[LoopEvent, None]:
        """What one generation yields, over all rounds; exactly one ``GenerationEnd``, last. Raises ``EngineError``."""
        own = [tool.tool for tool in self.server.tools]
        functions = {tool.name for tool in options.tools if tool not in own}
        self._tools = {tool.tool.name: tool for tool in reversed(self.server.tools) if tool.tool.name not in functions}
        options = self._with_room(messages, _within_reach(with_tools(options, self.server.tools)))
        prompt, spent = list(messages), GenerationEnd("stop")
        if self.server.calls:
            async for outcome in self._work(prompt, "", self.server.calls, options):
                yield outcome
            options = replace(options, goes_on=False)
        for left in range(self.server.rounds, -1, -1):
            allowed = self._allowed(options, left)
            written = _Round(self._tools, allowed)
            async for event in self._written(prompt, allowed, written):
                yield event
            spent = _sum(spent, written.end)
            waiting = [call for call in written.calls if self._tools[call.name].needs_approval]
            for call in waiting:
                tool = self._tools[call.name]
                yield ApprovalNeeded(call, tool.label or "", tool.shown_name or call.name)
            calls = [call for call in written.calls if call not in waiting]
            if calls:
                async for outcome in self._work(prompt, written.text, calls, options):
                    yield outcome
            for call in written.functions:
                yield call
            if written.functions or waiting or not (calls or written.mute):
                yield replace(spent, reason="tool_calls" if written.functions or waiting else written.end.reason)
                return
            more = calls and not self._exhausted
            options = replace(options, goes_on=False, tool_choice="auto" if more else "none")
        yield spent

    # ---- inside

    async def _written(
        self, prompt: Sequence[Message], allowed: GenerationOptions, written: _Round
    ) -> AsyncGenerator[GenerationEvent, None]:
        """One generation, as far as it is given on at once; what rests on strangers' text is read along with."""
        guard = self._guard(prompt)
        async with aclosing(self.model.generate(prompt, allowed)) as events:
            async for event in events:
                if not written.takes(event):
                    continue
                if guard is None or not isinstance(event, TextDelta):
                    yield event
                elif words := guard.passes(event.text):
                    yield TextDelta(words)
                if guard is not None and guard.leaking:
                    yield TextDelta(guard.refusal(self.server.calling.language))
                    return
        if guard is not None and (words := guard.rest()):
            yield TextDelta(words)
        if guard is not None and guard.leaking:
            yield TextDelta(guard.refusal(self.server.calling.language))

    def _guard(self, prompt: Sequence[Message]) -> Guard | None:
        """Who reads along, if strangers' text is in the conversation."""
        if self.server.strangers_may_call or not (self._limited or any(map(is_quoted, prompt))):
            return None
        return Guard(prompt)

    def _allowed(self, options: GenerationOptions, left: int) -> GenerationOptions:
        """What may be called in this round. All tools stay told, so that the prompt's head stays cached."""
        if not left:
            return replace(options, tool_choice="none")
        if not self._limited or options.tool_choice == "none":
            return options
        harmless = {name for name, tool in self._tools.items() if tool.effects == "none"}
        withheld = frozenset(tool.name for tool in options.tools) - harmless | (options.withheld & options.transient)
        return replace(options, withheld=withheld, tool_choice="auto" if harmless else "none")

    async def _work(
        self, prompt: list[Message], text: str, calls: Sequence[ToolCall], options: GenerationOptions
    ) -> AsyncGenerator[ServerToolStarted | ServerToolEnded | Filler, None]:
        """Run ``calls`` at once and put what they find into ``prompt``."""
        found: dict[str, ServerToolEnded] = {}
        room = self._room(prompt, options) // len(calls)
        for call in calls:
            tool = self._tools.get(call.name)
            kind, label, shown = (tool.kind, tool.label, tool.shown_name) if tool else ("", None, "")
            yield ServerToolStarted(call, kind, label, shown or call.name)
        tasks = {asyncio.create_task(self._run(call, prompt, number)): call for number, call in enumerate(calls)}
        try:
            async for event in self._outcomes(tasks, room, _question(prompt)):
                if isinstance(event, ServerToolEnded):
                    found[event.call.id] = event
                yield event
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if not self.server.strangers_may_call:
            self._limited = self._limited or not all(ended.result.trusted for ended in found.values())
        if prompt[-1].role == "assistant":  # the beginning of this very reply
            text = f"{prompt.pop().content} {text}"
        self._tell(prompt, text, [found[call.id] for call in calls])

    def _tell(self, prompt: list[Message], text: str, ended: Sequence[ServerToolEnded]) -> None:
        """Put what was found into ``prompt``. That one tool found nothing is told only if no other found anything: small models
        would say just that. Where nothing is left to tell, nothing more is looked up."""
        telling = [one for one in ended if not one.result.empty]
        self._exhausted = self._found and not telling and not text.strip()
        self._found = self._found or bool(telling)
        if not self._exhausted:
            prompt += call_messages(text, [(one.call, one.told) for one in telling or ended])

    async def _outcomes(
        self, tasks: dict[asyncio.Task[ToolResult], ToolCall], room: int, question: str
    ) -> AsyncGenerator[ServerToolEnded | Filler, None]:
        pending, loop = set(tasks), asyncio.get_running_loop()
        silent_until = loop.time() + (self.server.filler_ms or 0) / 1000
        while pending:
            patient = self._filled or not self.speaks or self.server.filler_ms is None
            patience = None if patient else max(silent_until - loop.time(), 0.0)
            done, pending = await asyncio.wait(pending, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                self._filled = True
                if words := filler(self.server.fillers.get(self.server.calling.language, "")):
                    yield Filler(words)
            for task in done:
                call = tasks[task]
                tool = self._tools.get(call.name)
                kind, label, shown = (tool.kind, tool.label, tool.shown_name) if tool else ("", None, "")
                result = task.result()
                yield ServerToolEnded(call, kind, result, told(result, room, question), label, shown or call.name)

    async def _run(self, call: ToolCall, prompt: Sequence[Message], number: int) -> ToolResult:
        """Never raises but for cancellation: whatever goes wrong is a result that says so."""
        tool = self._tools.get(call.name)
        if tool is None or number >= MOST_CALLS:
            return _failed(BROKEN)
        try:
            arguments: Any = json.loads(call.arguments or "{}")
            guard = self._guard(prompt) if tool.effects != "none" else None
            if not isinstance(arguments, dict) or (
                guard is not None and guard.tells(json.dumps(arguments, ensure_ascii=False))
            ):
                return _failed(BROKEN)
            async with asyncio.timeout(tool.timeout_s):
                result = await tool.run(arguments, replace(self.server.calling, messages=tuple(prompt)))
        except TimeoutError:
            log.warning("tool %r took more than %.1f s", call.name, tool.timeout_s)
            return _failed(TIMED_OUT)
        except Exception:
            log.exception("tool %r failed", call.name)
            return _failed(BROKEN)
        return result if isinstance(result, ToolResult) else _failed(BROKEN)

    def _room(self, prompt: Sequence[Message], options: GenerationOptions) -> int:
        """Tokens that results may take: what the context has left beside prompt, tools and reply."""
        most = int(self.model.context_tokens * MOST_SHARE)
        return max(min(self._left(prompt, options) - options.max_tokens, most), LEAST_ROOM)

    def _with_room(self, messages: Sequence[Message], options: GenerationOptions) -> GenerationOptions:
        """A reply that may fill the whole context leaves half of what is left to what tools find."""
        most = max(LEAST_REPLY, self._left(messages, options) // 2)
        return replace(options, max_tokens=min(options.max_tokens, most))

    def _left(self, prompt: Sequence[Message], options: GenerationOptions) -> int:
        return self.model.context_tokens - sum(map(estimate_tokens, prompt)) - estimate_tools(options)


class _Round:
    """What one generation wrote, sorted: words to give on at once, calls for the server, calls for the client.

    Calls that are not allowed are dropped, whatever the engine thinks of it.
    """

    def __init__(self, tools: Collection[str], allowed: GenerationOptions) -> None:
        self._tools = tools
        self._withheld = allowed.withheld
        self._none = allowed.tool_choice == "none"
        self._dropped = False
        self.text = ""
        self.calls: list[ToolCall] = []
        self.functions: list[ToolCall] = []
        self.end = GenerationEnd("stop")

    @property
    def mute(self) -> bool:
        """Whether all there was to it were calls that had to be dropped."""
        return self._dropped and not (self.text.strip() or self.calls or self.functions)

    def takes(self, event: GenerationEvent) -> bool:
        """Take in an event; whether it is given on now. Whole calls of functions wait for what the server's tools find."""
        match event:
            case TextDelta(text=text):
                self.text += text
            case ToolCallDelta(name=name) | ToolCall(name=name) if self._none or name in self._withheld:
                self._dropped = True
                return False
            case ToolCallDelta(name=name):
                return name not in self._tools
            case ToolCall(name=name):
                (self.calls if name in self._tools else self.functions).append(event)
                return False
            case GenerationEnd():
                self.end = event
                return False
        return True


def _question(prompt: Sequence[Message]) -> str:
    """What the user said last, unless it has been answered and instructions came after it: then these say what is wanted."""
    if not user_waits(prompt) and any(message.role == "system" for message in prompt[answered_until(prompt) :]):
        return ""
    return next((message.content for message in reversed(prompt) if message.role == "user"), "")


def _within_reach(options: GenerationOptions) -> GenerationOptions:
    """A demand for a tool that is not there (its server cannot be reached) is none."""
    choice = options.tool_choice
    if isinstance(choice, NamedTool) and choice.name not in {tool.name for tool in options.tools}:
        return replace(options, tool_choice="auto")
    return options


def _failed(text: str) -> ToolResult:
    return ToolResult(text, failed=True, trusted=True)


def _sum(before: GenerationEnd, end: GenerationEnd) -> GenerationEnd:
    return replace(
        end,
        input_tokens=before.input_tokens + end.input_tokens,
        cached_tokens=before.cached_tokens + end.cached_tokens,
        output_tokens=before.output_tokens + end.output_tokens,
    )
