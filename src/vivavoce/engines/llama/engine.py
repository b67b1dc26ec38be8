"""The language model: streaming replies, one slot of cached prompt per live conversation."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Any

from typing_extensions import override

from vivavoce.engines import sentence_end
from vivavoce.engines.base import EngineContext, LanguageModel, needs_weights
from vivavoce.engines.llama.chat import ChunkReader, answer_prompt, chat_request, first_request, sentence_end_request
from vivavoce.engines.llama.grammar import check_schema
from vivavoce.engines.llama.name_map import Naming
from vivavoce.engines.llama.native import ENGINE, NativeServer, find_gguf
from vivavoce.engines.llama.native_call import Ask, NativeCall
from vivavoce.engines.llama.prompt_copies import PromptCopies, prompt_head
from vivavoce.engines.llama.settings import LlamaSettings
from vivavoce.engines.llama.slots import PrefixSlots
from vivavoce.engines.llama.tool_classifier import CANDIDATES, ReplyKind, decided, no_call_threshold, predetermined
from vivavoce.engines.llama.tool_reply import ToolReply
from vivavoce.engines.shortening import MIN_REPLY_TOKENS, shortened
from vivavoce.errors import EngineError
from vivavoce.types import GenerationEvent, GenerationFeature, GenerationOptions, Message, TokenScores

_WARM_UP = (Message("system", "You are a voice."), Message("user", "Hello."))


log = logging.getLogger(__name__)

SHORTENINGS = 3
"""How often a prompt that is too long is shortened before the reply fails."""


class PromptTooLongError(EngineError):
    """A prompt of ``tokens`` does not fit the context."""

    def __init__(self, tokens: int, limit: int) -> None:
        super().__init__(ENGINE, f"the prompt has {tokens} tokens, a conversation holds {limit}")
        self.tokens = tokens


@needs_weights(lambda settings: [LlamaSettings.model_validate(settings).weights])
def load(context: EngineContext) -> LlamaModel:
    """Load the weights named by the settings and warm them up. Blocks for seconds.

    Raises ``WeightsError``, ``EngineError``, or ``pydantic.ValidationError`` for a wrong setting.
    """
    settings = LlamaSettings.model_validate(context.settings)
    gguf = find_gguf(context.weights(settings.weights))
    slots = context.capacity + decision_slots(settings, context.capacity)
    server = NativeServer(gguf, settings, slots=slots, threads=context.threads)
    server.chat(chat_request(_WARM_UP, GenerationOptions(max_tokens=2), settings), lambda _chunk: False)
    return LlamaModel(server, settings, capacity=context.capacity)


def decision_slots(settings: LlamaSettings, capacity: int) -> int:
    """How many slots decide about calls; a conversation needs at most one."""
    return min(settings.decision_slots, capacity)


class LlamaModel(LanguageModel):
    """``LanguageModel`` on llama.cpp. A native call belongs to one slot and runs in one of as many threads.

    Each conversation has a slot for its answers. Whether to call tools is decided in others, from another prompt.
    """

    features: frozenset[GenerationFeature] = frozenset({"schema", "logprobs"})

    def __init__(self, server: NativeServer, settings: LlamaSettings, *, capacity: int) -> None:
        self.capacity = capacity
        self.context_tokens = settings.context_tokens
        self._server = server
        self._settings = settings
        deciding = decision_slots(settings, capacity)
        self._answers = PrefixSlots(capacity)
        self._decisions = PrefixSlots(deciding, first=capacity, long_heads=True)
        self._copies = PromptCopies(settings.copies_mb * 1_000_000, server.saved_bytes, server.delete_saved)
        self._threads = ThreadPoolExecutor(capacity + deciding + 1, thread_name_prefix=ENGINE)  # one more for counting
        self._calls: set[NativeCall] = set()
        self._closed = False

    @override
    async def generate(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        """Raises ``EngineError`` also for a tool whose parameters are no JSON Schema.

        A grammar holds the reply to words or to calls that fit their tools. Which of the two is decided by ``tool_choice``, or
        by what the model's first token would be.
        """
        if options.schema is not None:
            await asyncio.get_running_loop().run_in_executor(self._threads, check_schema, options.schema)
        naming = Naming(options.tools)
        prompt, options = naming.messages(messages), naming.options(options)
        for attempts_left in range(SHORTENINGS, -1, -1):
            try:
                async with aclosing(self._generated(prompt, options)) as events:
                    async for event in events:
                        yield naming.event(event)
                return
            except PromptTooLongError as error:  # comes before any event
                if not attempts_left:
                    raise
                log.warning("%s; it is shortened", error.message)
                max_tokens = self.context_tokens - min(options.max_tokens, MIN_REPLY_TOKENS)
                prompt = shortened(prompt, error.tokens, max_tokens)

    async def _generated(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        """As many native calls as it takes."""
        spent, missing = 0, ""
        while True:
            kind = predetermined(options) if options.max_tokens else "words"
            reply, reader = _tool_reply(messages, options, kind or "calls"), ChunkReader()
            if kind is None and await self._first(messages, options) == "words":
                reply = _tool_reply(messages, options, "words")
            async with aclosing(self._attempt(messages, options, reply, reader, missing)) as events:
                async for event in events:
                    yield event
            end = reader.end(called=reply.called, prefill=options.max_tokens == 0)
            spent += end.output_tokens
            if reply.again is None:
                if not options.max_tokens and options.tools:
                    await self._read_ahead(messages, options)
                yield replace(end, output_tokens=spent)
                return
            if options.tool_choice == reply.again:
                raise EngineError(ENGINE, "the model found no arguments that fit the tool", retriable=True)
            options = replace(options, tool_choice=reply.again, parallel_tool_calls=False)
            missing = reply.missing

    async def _attempt(
        self,
        messages: Sequence[Message],
        options: GenerationOptions,
        reply: ToolReply,
        reader: ChunkReader,
        missing: str,
    ) -> AsyncGenerator[GenerationEvent, None]:
        """One native call for a reply. ``missing``: what the person is to be asked for."""
        prefix = messages[-1].content if options.continue_last_message else None
        prompt = messages if prefix is None else messages[:-1]
        request = chat_request(prompt, options, self._settings, reply.kind, missing=missing)
        ask = None if prefix is None else partial(self._server.continue_message, prefix=prefix)
        if options.aside:
            native = self._chunks(request, self._decisions, messages, ask=ask)
        elif reply.kind == "words":
            native = self._chunks(
                request, self._answers, messages, options.slot, ask=ask, continued_aside=options.continued_aside
            )
        else:
            native = self._chunks(request, self._decisions, _with_names(messages, options))
        async with aclosing(native) as chunks:
            async for chunk in chunks:
                text = reader.text(chunk)
                if options.logprobs is not None and (scores := reader.scores(chunk, options.logprobs)):
                    yield TokenScores(scores)
                if options.max_tokens:
                    for event in reply.feed(text):
                        yield event
                if reply.over:
                    break

    async def _first(self, messages: Sequence[Message], options: GenerationOptions) -> ReplyKind:
        """What the reply is to be, by what the model would begin it with."""
        request, reader = first_request(messages, options, self._settings), ChunkReader()
        native = self._chunks(request, self._decisions, _with_names(messages, options))
        async with aclosing(native) as chunks:
            async for chunk in chunks:
                for score in reader.scores(chunk, CANDIDATES):
                    names = {tool.name for tool in options.tools} - options.withheld
                    return decided(score.others, names, no_call_threshold(messages, options, self._settings.talk))
        return "words"

    async def _read_ahead(self, messages: Sequence[Message], options: GenerationOptions) -> None:
        """Read the prompt of the next decision, too, if that takes nobody's place."""
        if not self._decisions.any_idle:
            return
        request = chat_request(messages, options, self._settings, "calls")
        native = self._chunks(request, self._decisions, _with_names(messages, options))
        async with aclosing(native) as chunks:
            async for _ in chunks:
                pass

    @override
    async def sentence_end(self, messages: Sequence[Message], options: GenerationOptions) -> float | None:
        if not messages or messages[-1].role != "user" or not messages[-1].content:
            return None
        naming, reader = Naming(options.tools), ChunkReader()
        request = sentence_end_request(naming.messages(messages), naming.options(options), self._settings)
        native = self._chunks(request, self._answers, messages, options.slot, ask=self._server.continue_user)
        async with aclosing(native) as chunks:
            async for chunk in chunks:
                for score in reader.scores(chunk, sentence_end.CANDIDATES):
                    return sentence_end.sentence_end_mass(score.others)
        return None

    async def _chunks(
        self,
        request: Mapping[str, Any],
        slots: PrefixSlots,
        messages: Sequence[Message],
        requested_slot: int | None = None,
        *,
        ask: Ask | None = None,
        continued_aside: bool = False,
    ) -> AsyncGenerator[Mapping[str, Any], None]:
        """What one native call sends; ``ask`` is a chat's unless given. What it reads of a head that no copy has is copied, and
        all it has read for a call that is ``continued_aside``.

        Waits for a slot whose last call is still being stopped: one token, or one batch.
        """
        if requested_slot is not None and not 0 <= requested_slot < self.capacity:
            raise EngineError(ENGINE, f"there is no slot {requested_slot}, the slots are 0 to {self.capacity - 1}")
        slot = await slots.idle(requested_slot, messages)
        if self._closed:
            raise EngineError(ENGINE, "the engine is closed")
        before, behind = self._copying(slots, slot, messages, continued_aside=continued_aside)
        call = NativeCall(ask or self._server.chat, {**request, "id_slot": slot}, before=before, behind=behind)
        job = self._threads.submit(call.run)
        slots.occupy(slot, job, messages)
        self._calls.add(call)
        job.add_done_callback(lambda _job: self._calls.discard(call))
        try:
            while (chunk := await call.chunks.get()) is not None:
                yield _checked(chunk)
        finally:
            call.stop()

    def _copying(
        self, slots: PrefixSlots, slot: int, messages: Sequence[Message], *, continued_aside: bool
    ) -> tuple[Callable[[], None] | None, Callable[[], None] | None]:
        """What is to be done before a call that reads ``messages`` in ``slot``, and behind it: see ``_chunks``."""
        cached = slots.cached(slot, messages)
        nearest = self._copies.nearest(messages, cached)
        new = messages if continued_aside else () if nearest is not None or cached else prompt_head(messages)
        reserved = self._copies.reserve(new, once=continued_aside) if new else None
        return (
            None if nearest is None else partial(self._server.restore_slot, slot, nearest),
            None if reserved is None else partial(self._server.save_slot, slot, reserved),
        )

    @override
    async def count_tokens(self, messages: Sequence[Message], options: GenerationOptions) -> int:
        """Length of the prompt, the opening of the reply's turn included, exactly as ``generate`` would read it."""
        loop = asyncio.get_running_loop()
        naming = Naming(options.tools)
        request = answer_prompt(naming.messages(messages), naming.options(options), self._settings)
        return await loop.run_in_executor(self._threads, self._server.count, request)

    @override
    def close(self) -> None:
        """Stop what runs (within one token or batch), then free threads and weights. Idempotent."""
        self._closed = True
        for call in tuple(self._calls):
            call.stop()
        self._threads.shutdown(wait=True)
        self._server.close()


def _with_names(messages: Sequence[Message], options: GenerationOptions) -> Sequence[Message]:
    """What a decision's prompt begins with: the tools, then the conversation."""
    return (Message("system", " ".join(tool.name for tool in options.tools)), *messages)


def _checked(chunk: Mapping[str, Any] | EngineError) -> Mapping[str, Any]:
    """``chunk`` if it is one; otherwise raise the ``EngineError`` it stands for."""
    if isinstance(chunk, EngineError):
        raise chunk
    if (error := chunk.get("error")) is None:
        return chunk
    if error.get("type") == "exceed_context_size_error":
        raise PromptTooLongError(int(error["n_prompt_tokens"]), int(error["n_ctx"]))
    raise EngineError(ENGINE, str(error.get("message", error)))


def _tool_reply(messages: Sequence[Message], options: GenerationOptions, kind: ReplyKind) -> ToolReply:
    try:
        return ToolReply(messages, options, kind)
    except ValueError as error:
        raise EngineError(ENGINE, str(error)) from error
