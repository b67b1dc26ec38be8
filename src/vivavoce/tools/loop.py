"""The tool loop: a model writes, the server's tools it calls run, and it writes on with what they found.

Calls of one round run at once, each with its deadline; rounds are bounded. Calls of the client's functions end the reply,
as they do without a loop. Once the model has read untrusted content, it can call only what has no effects until the user
speaks again: such text may say "call this", and a small model obeys.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeAlias

from vivavoce.hosted import HostedEvent
from vivavoce.pending_request import answered_until, has_unanswered_user_message, last_user_text
from vivavoce.signatures import estimate_tools
from vivavoce.text.token_estimates import estimate_tokens
from vivavoce.tools.base import ServerTool, ToolResult
from vivavoce.tools.call_guard import CallGuard, Refusal
from vivavoce.tools.confirmations import names_arguments, question_in_words
from vivavoce.tools.prompt_leak_filter import PromptLeakFilter
from vivavoce.tools.provenance import parsed
from vivavoce.tools.rendering import BROKEN, TIMED_OUT, call_messages, is_quoted, render, with_nothing_found
from vivavoce.tools.round import Round, summed, whole, within_reach
from vivavoce.tools.searched import SEARCHES, Searched
from vivavoce.tools.silence import Filler, SilenceWatch
from vivavoce.tools.tool_run import ToolRun, with_tools
from vivavoce.types import (
    ApprovalNeeded,
    GenerationEnd,
    GenerationOptions,
    Language,
    Message,
    ServerToolEnded,
    ServerToolStarted,
    TextDelta,
    ToolCall,
    ToolChoice,
)

log = logging.getLogger(__name__)

MAX_CALLS = 8
"""Calls of the server's tools in one round; what a model writes beyond is told to have failed."""

MIN_RESULT_TOKENS = 64
"""Tokens of a result the model is always told."""

MIN_REPLY_TOKENS = 256
"""Tokens a reply keeps whatever tools may find: what is left beside the prompt is an estimate, which errs downwards."""

MAX_RESULT_SHARE = 0.5
"""Of the model's context, for all that tools find in one reply."""


class ReplyModel(Protocol):
    """What the loop asks: a language model, or what writes and speaks at once."""

    context_tokens: int

    def generate(self, messages: Sequence[Message], options: GenerationOptions) -> AsyncGenerator[HostedEvent, None]:
        """One round, as ``LanguageModel.generate``."""


LoopEvent: TypeAlias = HostedEvent | ServerToolStarted | ServerToolEnded | ApprovalNeeded | Filler


@dataclass(slots=True)
class ToolLoop:
    """One reply's loop. ``speaks``: whether it is heard, so that silence is to be filled. ``reads_along``: words can be kept
    back, because nobody has spoken them yet.

    What has to be read before it is said is asked for in words, and read out by our speakers, whatever the model could say
    for itself: sound that has left cannot be taken back.
    """

    model: ReplyModel
    server_tools: ToolRun
    speaks: bool
    reads_along: bool = True
    _tools: dict[str, ServerTool] = field(default_factory=dict)
    _limited: bool = False
    _has_results: bool = False
    _exhausted: bool = False
    _silence: SilenceWatch | None = None
    _searched: Searched = field(default_factory=Searched)

    async def events(self, messages: Sequence[Message], options: GenerationOptions) -> AsyncGenerator[LoopEvent, None]:
        """What one generation yields, over all rounds; exactly one ``GenerationEnd``, last. Raises ``EngineError``."""
        own = [tool.tool for tool in self.server_tools.tools]
        functions = {tool.name for tool in options.tools if tool not in own}
        self._tools = {
            tool.tool.name: tool for tool in reversed(self.server_tools.tools) if tool.tool.name not in functions
        }
        options = self._with_reply_limit(messages, within_reach(with_tools(options, self.server_tools.tools)))
        prompt, spent = list(messages), GenerationEnd("stop")
        guard = self.server_tools.guard
        if guard is not None and (known := guard.confirmed or guard.proposed) is not None:
            async for call_event in self._known_call(guard, known, prompt, options):
                yield call_event
            return
        options = self._begun(prompt, options)
        if self.server_tools.begun:
            yield TextDelta(self.server_tools.begun)
        if self.server_tools.calls:
            told = list(prompt)
            async for outcome in self._work(prompt, "", self.server_tools.calls, options):
                yield outcome
            options = self._after_calls(options)
            if self._has_only_searched_in_vain() and self._decides(self._allowed(options, 1)):
                prompt = with_nothing_found(told, self.server_tools.context.language)
        if self.server_tools.note and not (self.server_tools.begun or self._searched.sure):
            # Behind what was found, which the next turn has to find where it was read.
            prompt.append(Message("system", self.server_tools.note, hint=True))
        for rounds_left in range(self.server_tools.rounds, -1, -1):
            allowed = self._allowed(options, rounds_left)
            round_ = Round(self._tools, allowed, holds_calls=guard is not None)
            async for event in self._generated(prompt, allowed, round_):
                yield event
            spent = summed(spent, round_.end)
            if (refused := self._refused(round_, prompt)) is not None:
                async for refusal_event in self._refuse(prompt, round_.text, refused, options):
                    yield (
                        refusal_event if not isinstance(refusal_event, GenerationEnd) else summed(spent, refusal_event)
                    )
                return
            waiting = [call for call in round_.calls if self._tools[call.name].needs_approval]
            for call in waiting:
                yield self._approval(call)
            calls = [call for call in round_.calls if call not in waiting]
            if calls:
                async for outcome in self._work(prompt, round_.text, calls, options):
                    yield outcome
            for call in round_.functions:
                for call_event in whole(call) if guard is not None else (call,):
                    yield call_event
            if round_.functions or waiting or not (calls or round_.mute):
                yield replace(spent, reason="tool_calls" if round_.functions or waiting else round_.end.reason)
                return
            may_call = calls and not self._exhausted
            choice: ToolChoice = "auto" if may_call else "none"
            options = replace(options, continue_last_message=False, tool_choice=choice, likely_call=False)
        yield spent

    # ---- inside

    async def _known_call(
        self, guard: CallGuard, call: ToolCall, prompt: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[HostedEvent, None]:
        """A call of the client's that the model need not write; it is refused as the model's are."""
        if (refusal := guard.refusal(call, prompt)) is not None:
            async for event in self._refuse(prompt, "", (call, refusal), options):
                yield event
            return
        for call_event in whole(call):
            yield call_event
        yield GenerationEnd("tool_calls")

    def _begun(self, prompt: list[Message], options: GenerationOptions) -> GenerationOptions:
        """The reply begins as it has to, and goes on in words."""
        if not self.server_tools.begun:
            return options
        if self.server_tools.note:
            prompt.append(Message("system", self.server_tools.note, hint=True))
        prompt.append(Message("assistant", self.server_tools.begun))
        return replace(options, continue_last_message=True, tool_choice="none")

    def _after_calls(self, options: GenerationOptions) -> GenerationOptions:
        """Where a search has surely told, or has told something and nothing else was asked for, nothing more is called: that is
        decided in a prompt of its own, whose reading takes seconds."""
        told = self._searched.sure or (self.server_tools.asks_documents and self._has_results)
        return replace(options, continue_last_message=False, tool_choice="none" if told else options.tool_choice)

    def _has_only_searched_in_vain(self) -> bool:
        kinds = {self._tools[call.name].kind for call in self.server_tools.calls if call.name in self._tools}
        return not self._has_results and kinds <= SEARCHES

    def _approval(self, call: ToolCall) -> ApprovalNeeded:
        tool = self._tools[call.name]
        return ApprovalNeeded(call, tool.label or "", tool.original_name or call.name)

    async def _generated(
        self, prompt: Sequence[Message], allowed: GenerationOptions, round_: Round
    ) -> AsyncGenerator[HostedEvent | Filler, None]:
        """One generation, as far as it is given on at once; what rests on untrusted content is read along with."""
        leak_filter = self._leak_filter(prompt) if self.reads_along else None
        if leak_filter is not None:
            allowed = replace(allowed, voice=None)
        async with aclosing(self._answers(prompt, allowed)) as events:
            async for event in events:
                if not isinstance(event, Filler) and not round_.add(event):
                    continue
                if leak_filter is None or not isinstance(event, TextDelta):
                    yield event
                elif words := leak_filter.push(event.text):
                    yield TextDelta(words)
                if leak_filter is not None and leak_filter.leaking:
                    yield TextDelta(leak_filter.refusal(self.server_tools.context.language))
                    return
        if leak_filter is not None and (words := leak_filter.flush()):
            yield TextDelta(words)
        if leak_filter is not None and leak_filter.leaking:
            yield TextDelta(leak_filter.refusal(self.server_tools.context.language))

    def _answers(
        self, prompt: Sequence[Message], allowed: GenerationOptions
    ) -> AsyncGenerator[HostedEvent | Filler, None]:
        """What the model yields; where tools have worked for it, silence is filled, and where documents were searched, it is
        held to what was found."""
        decides = self._decides(allowed)
        events = self._searched.answer(
            self.model.generate,
            prompt,
            allowed,
            self.server_tools,
            _question(self.server_tools.context.messages),
            silent=not self._has_results,
            may_call=decides,
        )
        if self._silence is None and decides:
            self._silence_watch(self.server_tools.waiting)
        return events if self._silence is None else self._silence.until_words(events)

    def _decides(self, allowed: GenerationOptions) -> bool:
        """Whether it is the model's to call or not, which takes it a prompt of its own."""
        offered = {tool.name for tool in allowed.tools} - allowed.withheld
        return bool(offered) and allowed.tool_choice == "auto" and not allowed.continue_last_message

    def _silence_watch(self, words: Mapping[Language, str]) -> SilenceWatch:
        """Of this reply, with what is said in it from now on; one that is not spoken has nothing to fill."""
        run = self.server_tools
        if self._silence is None:
            self._silence = SilenceWatch(run.filler_ms if self.speaks else None, "", run.turn_over)
        self._silence.words = words.get(run.context.language, "")
        return self._silence

    def _refused(self, round_: Round, prompt: Sequence[Message]) -> tuple[ToolCall, Refusal] | None:
        """The first call that must not be made, if no other is made; one beside others is dropped, and made again later if it
        is still wanted."""
        guard = self.server_tools.guard
        if guard is None:
            return None
        round_.functions = [guard.said(call, prompt) for call in round_.functions]
        round_.calls = [guard.said(call, prompt) for call in round_.calls]
        refusals = [(call, guard.refusal(call, prompt)) for call in (*round_.functions, *round_.calls)]
        refused = [(call, refusal) for call, refusal in refusals if refusal is not None]
        dropped = [call for call, _ in refused]
        round_.functions = [call for call in round_.functions if call not in dropped]
        round_.calls = [call for call in round_.calls if call not in dropped]
        return refused[0] if refused and not (round_.functions or round_.calls) else None

    async def _refuse(
        self, prompt: Sequence[Message], text: str, refused: tuple[ToolCall, Refusal], options: GenerationOptions
    ) -> AsyncGenerator[HostedEvent, None]:
        """The model asks the user instead. A question that a yes answers is given on when it names what will be done; else one
        of ours is asked."""
        call, refusal = refused
        if refusal.question:
            yield TextDelta(refusal.question)
            yield GenerationEnd("stop")
            return
        told = [*prompt, *call_messages(text, [(call, refusal.text)])]
        round_ = Round((), replace(options, continue_last_message=False, tool_choice="none", voice=None))
        async with aclosing(self.model.generate(told, round_.allowed)) as events:
            async for event in events:
                if round_.add(event) and not refusal.confirms:
                    yield event
        if refusal.confirms:
            question = round_.text.strip()
            if not names_arguments(question, parsed(call.arguments)):
                about = next((tool.description for tool in options.tools if tool.name == call.name), "")
                question = question_in_words(call, self.server_tools.context.language, about)
            self.server_tools.confirmations.ask(self.server_tools.context.owner, question, call)
            yield TextDelta(question)
        yield replace(round_.end, reason="stop")

    def _leak_filter(self, prompt: Sequence[Message]) -> PromptLeakFilter | None:
        """Who reads along, if untrusted content is in the conversation."""
        if self.server_tools.calls_after_untrusted or not (self._limited or any(map(is_quoted, prompt))):
            return None
        return PromptLeakFilter(prompt)

    def _allowed(self, options: GenerationOptions, rounds_left: int) -> GenerationOptions:
        """What may be called in this round. All tools stay told, so that the prompt's head stays cached."""
        if not rounds_left:
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
        results: dict[str, ServerToolEnded] = {}
        room = self._result_tokens(prompt, options) // len(calls)
        for call in calls:
            tool = self._tools.get(call.name)
            kind, label, name = (tool.kind, tool.label, tool.original_name) if tool else ("", None, "")
            yield ServerToolStarted(call, kind, label, name or call.name)
        tasks = {asyncio.create_task(self._run(call, prompt, number)): call for number, call in enumerate(calls)}
        try:
            async for event in self._outcomes(tasks, room, _question(prompt)):
                if isinstance(event, ServerToolEnded):
                    results[event.call.id] = event
                yield event
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self._searched.add(results.values())
        if not self.server_tools.calls_after_untrusted:
            self._limited = self._limited or not all(ended.result.trusted for ended in results.values())
        if prompt[-1].role == "assistant":  # the beginning of this very reply
            text = f"{prompt.pop().content} {text}"
        self._append_results(prompt, text, [results[call.id] for call in calls])

    def _append_results(self, prompt: list[Message], text: str, ended: Sequence[ServerToolEnded]) -> None:
        """Put what was found into ``prompt``. That one tool found nothing is told only if no other found anything: small models
        would say just that. Where nothing is left to tell, nothing more is looked up."""
        with_content = [call_end for call_end in ended if not call_end.result.empty]
        self._exhausted = self._has_results and not with_content and not text.strip()
        self._has_results = self._has_results or bool(with_content)
        if not self._exhausted:
            prompt += call_messages(text, [(call_end.call, call_end.rendered) for call_end in with_content or ended])

    async def _outcomes(
        self, tasks: dict[asyncio.Task[ToolResult], ToolCall], room: int, question: str
    ) -> AsyncGenerator[ServerToolEnded | Filler, None]:
        pending, silence = set(tasks), self._silence_watch(self.server_tools.fillers)
        while pending:
            done = await silence.ended(pending)
            pending -= done
            if not done:
                yield silence.filler()
            for task in done:
                call = tasks[task]
                tool = self._tools.get(call.name)
                kind, label, name = (tool.kind, tool.label, tool.original_name) if tool else ("", None, "")
                result = task.result()
                yield ServerToolEnded(
                    call,
                    kind,
                    result,
                    render(result, room, question, self.server_tools.context.language),
                    label,
                    name or call.name,
                )

    async def _run(self, call: ToolCall, prompt: Sequence[Message], number: int) -> ToolResult:
        """Never raises but for cancellation: whatever goes wrong is a result that says so."""
        tool = self._tools.get(call.name)
        if tool is None or number >= MAX_CALLS:
            return _failed(BROKEN)
        try:
            arguments: Any = json.loads(call.arguments or "{}")
            leak_filter = self._leak_filter(prompt) if tool.effects != "none" else None
            if not isinstance(arguments, dict) or (
                leak_filter is not None and leak_filter.holds_secret(json.dumps(arguments, ensure_ascii=False))
            ):
                return _failed(BROKEN)
            if self.server_tools.turn_over is not None and tool.effects != "none":
                await self.server_tools.turn_over.wait()
            async with asyncio.timeout(tool.timeout_s):
                result = await tool.run(arguments, replace(self.server_tools.context, messages=tuple(prompt)))
        except TimeoutError:
            log.warning("tool %r took more than %.1f s", call.name, tool.timeout_s)
            return _failed(TIMED_OUT)
        except Exception:
            log.exception("tool %r failed", call.name)
            return _failed(BROKEN)
        return result if isinstance(result, ToolResult) else _failed(BROKEN)

    def _result_tokens(self, prompt: Sequence[Message], options: GenerationOptions) -> int:
        """Tokens that results may take: what the context has left beside prompt, tools and reply."""
        share = int(self.model.context_tokens * MAX_RESULT_SHARE)
        return max(min(self._tokens_left(prompt, options) - options.max_tokens, share), MIN_RESULT_TOKENS)

    def _with_reply_limit(self, messages: Sequence[Message], options: GenerationOptions) -> GenerationOptions:
        """A reply that may fill the whole context leaves half of what is left to what tools find."""
        limit = max(MIN_REPLY_TOKENS, self._tokens_left(messages, options) // 2)
        return replace(options, max_tokens=min(options.max_tokens, limit))

    def _tokens_left(self, prompt: Sequence[Message], options: GenerationOptions) -> int:
        return self.model.context_tokens - sum(map(estimate_tokens, prompt)) - estimate_tools(options)


def _question(prompt: Sequence[Message]) -> str:
    """What the user said last, unless it has been answered and instructions came after it: then these say what is wanted."""
    if not has_unanswered_user_message(prompt) and any(
        message.role == "system" for message in prompt[answered_until(prompt) :]
    ):
        return ""
    return last_user_text(prompt)


def _failed(text: str) -> ToolResult:
    return ToolResult(text, failed=True, trusted=True)
