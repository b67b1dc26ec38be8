"""Any OpenAI-style ``/chat/completions`` endpoint as a language model.

[engines.language_models.large]
engine = "openai"
settings = { url = "http://10.0.0.5:8000/v1", model = "Qwen/Qwen3-32B", api_key_env = "VLLM_KEY" }
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import replace
from http import HTTPStatus
from time import monotonic
from typing import Any, TypeVar

from typing_extensions import override

from vivavoce.engines.base import EngineContext, LanguageModel, needs_weights
from vivavoce.engines.openai.chat_request import Conventions, chat_body, offered_tools, rendered
from vivavoce.engines.openai.chat_settings import ChatSettings
from vivavoce.engines.openai.chat_stream import ChatReader, NoChunkError, OtherSideError, answered_calls
from vivavoce.engines.openai.discovery import Endpoint, discover
from vivavoce.engines.openai.next_mark import CANDIDATES, OpenTurns, next_mark
from vivavoce.engines.openai.refusals import TooLong, adapted, too_long
from vivavoce.engines.openai.repetition import RepetitionFilter
from vivavoce.engines.openai.thoughts import ThoughtSplitter
from vivavoce.engines.remote.client import Answer, RemoteClient
from vivavoce.engines.remote.errors import RemoteError
from vivavoce.engines.remote.event_stream import EventStreamReader, NoEventError
from vivavoce.engines.shortening import shortened
from vivavoce.signatures import estimate_tools
from vivavoce.text.token_estimates import estimate_tokens
from vivavoce.types import (
    GenerationEnd,
    GenerationEvent,
    GenerationFeature,
    GenerationOptions,
    Message,
    ModelAid,
)

_Item = TypeVar("_Item")
_Model = TypeVar("_Model", bound="OpenAILanguageModel")

log = logging.getLogger(__name__)

ASSUMED_CONTEXT_TOKENS = 8192
"""Where the other side does not say how much its context holds."""

ATTEMPTS = 6
"""How often a request is changed that was refused: a field it does not know, a prompt that is too long."""

REPLY_SHARE = 1 / 8
"""Of the context, kept for the reply where the prompt has to be shortened."""

DISCOVERY_INTERVAL_S = 30.0
"""Between two tries to find out about an endpoint that was away when the engine was loaded."""

MAX_WHOLE_BYTES = 16 * 1024 * 1024
"""Of an answer that comes at once, from a server that does not stream."""


_CANNOT = (
    HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.NOT_IMPLEMENTED,
)  # fmt: skip


class OpenAILanguageModel(LanguageModel):
    """``LanguageModel`` over HTTP. It has no slots of its own: ``capacity`` is what the server may ask of it at once."""

    def __init__(
        self, client: RemoteClient, settings: ChatSettings, *, capacity: int, endpoint: Endpoint | None
    ) -> None:
        self.capacity = capacity
        thinks = settings.thinking == "open" or settings.thinking_tokens > 0
        self.features: frozenset[GenerationFeature] = settings.features | ({"thinking"} if thinks else set())
        self.aids: frozenset[ModelAid] = settings.aids
        self.speculative = settings.prefill
        self._client = client
        self._settings = settings
        self._conventions = Conventions(
            settings.max_tokens_field,
            "request" if settings.continuation == "auto" else settings.continuation,
            settings.system_messages == "first",
        )
        self.context_tokens = settings.context_tokens or ASSUMED_CONTEXT_TOKENS
        self._open_turns: OpenTurns | None = None
        self._discovered = False
        self._discover_at = monotonic() + DISCOVERY_INTERVAL_S
        self._found(endpoint)

    @override
    async def generate(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        """Nothing is asked for a prefill unless ``prefill`` is set. Raises ``RemoteError``, also in the middle of a reply."""
        if not options.max_tokens:
            yield await self._prefilled(messages, options)
            return
        await self._discover()
        async with aclosing(self._client.retried(lambda: self._adapted(messages, options))) as events:
            async for event in events:
                yield event

    @override
    async def count_tokens(self, messages: Sequence[Message], options: GenerationOptions) -> int:
        """An estimate, rather too high: nobody here has that model's tokenizer."""
        return sum(map(estimate_tokens, messages)) + estimate_tools(options)

    @override
    async def sentence_end(self, messages: Sequence[Message], options: GenerationOptions) -> float | None:
        """Asked only where prompts may be sent ahead (``prefill``), of servers that can leave the user's message open."""
        settings, how = self._settings, self._open_turns
        if (
            how is None
            or not settings.prefill
            or not messages
            or messages[-1].role != "user"
            or not messages[-1].content
        ):
            return None
        as_it_is = replace(self._conventions, continuation="trailing")
        options = replace(options, schema=None, logprobs=CANDIDATES)
        body = chat_body(messages, options, settings, as_it_is, lambda message: rendered(message, settings))
        try:
            return await next_mark(self._client, body, how)
        except RemoteError as error:
            if error.status not in _CANNOT:
                raise
            log.info("%s cannot leave a turn of the user open; it is not asked to again", self._client.engine)
            self._open_turns = None
            return None

    async def health(self) -> str | None:
        """Why the other side cannot be used now; ``None``: it answers."""
        return await self._client.health()

    @override
    async def close(self) -> None:
        """Hang up."""
        await self._client.close()

    # ---- one reply

    async def _prefilled(self, messages: Sequence[Message], options: GenerationOptions) -> GenerationEnd:
        """Have the prompt read ahead, where that is welcome. That it fails shows when a reply is asked for."""
        end = GenerationEnd("stop")
        if not self._settings.prefill or not messages[-1].content:
            return end
        first = replace(options, max_tokens=1, tool_choice="auto", logprobs=None, continue_last_message=False)
        try:
            async with aclosing(self._adapted(messages, first)) as events:
                async for event in events:
                    end = event if isinstance(event, GenerationEnd) else end
        except RemoteError as error:
            log.debug("prefill: %s", error)
        return replace(end, reason="stop", output_tokens=0)

    async def _adapted(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        """One reply, asked for in as many ways as it takes until the other side takes the request."""
        for attempts_left in range(ATTEMPTS - 1, -1, -1):
            body = self._body(messages, options)
            try:
                async with aclosing(self._attempt(messages, options, body)) as events:
                    async for event in events:
                        yield event
                return
            except _CalledAnywayError:
                if not attempts_left or not options.tools:
                    raise
                # The first time it is asked for words, tools are told still: what has been read of the prompt stays good.
                tools = () if options.tool_choice == "none" else options.tools
                options = replace(options, tools=tools, tool_choice="none")
            except RemoteError as error:
                if error.status not in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY) or not attempts_left:
                    raise
                if (long := too_long(error.detail)) is not None:
                    messages, options = self._fitting(messages, options, long)
                elif (other := adapted(self._conventions, error.detail, body)) is not None:
                    log.info("%s is asked otherwise from now on: %s", self._client.engine, other)
                    self._conventions = other
                else:
                    raise

    def _body(self, messages: Sequence[Message], options: GenerationOptions) -> dict[str, Any]:
        """The request."""
        settings = self._settings
        return chat_body(messages, options, settings, self._conventions, lambda message: rendered(message, settings))

    def _fitting(
        self, messages: Sequence[Message], options: GenerationOptions, long: TooLong
    ) -> tuple[Sequence[Message], GenerationOptions]:
        """What may fit: first a shorter reply, then a shorter prompt."""
        limit = long.limit or self.context_tokens
        if limit < self.context_tokens and self._settings.context_tokens is None:
            self.context_tokens = limit
        room = max(int(limit * REPLY_SHARE), 1)
        if options.max_tokens > room:
            return messages, replace(options, max_tokens=room)
        tokens = max(long.tokens or 0, int(limit * 1.1))
        log.warning("%s: the prompt is too long (%d tokens of %d); it is shortened", self._client.engine, tokens, limit)
        return shortened(messages, tokens, limit - room), options

    async def _attempt(
        self, messages: Sequence[Message], options: GenerationOptions, body: Mapping[str, Any]
    ) -> AsyncGenerator[GenerationEvent, None]:
        """One request."""
        reader, events = self._reader(messages, options), EventStreamReader()
        wrote = False
        async with self._client.post("chat/completions", json=body) as answer:
            repetition = RepetitionFilter(self._repeatable(messages, options))
            async with aclosing(self._chunks(answer, events, reader)) as chunks:
                async for chunk in chunks:
                    before = reader.progress
                    for event in self._read(repetition.filtered(reader.feed(chunk))):
                        wrote = True
                        yield event
                    if reader.progress > before:
                        answer.progressed()
            if not (reader.complete or events.done):
                raise self._broken("broke off in the middle of its answer" if wrote else "closed without an answer")
            for event in self._read(repetition.filtered(reader.finish())):
                wrote = True
                yield event
            for event in repetition.finish():
                wrote = True
                yield event
            answer.progressed()
        if not wrote:
            self._explain_silence(reader, options)
        yield reader.end(await self.count_tokens(messages, options))

    def _reader(self, messages: Sequence[Message], options: GenerationOptions) -> ChatReader:
        settings = self._settings
        repeats = answered_calls(messages) if "repeats" in settings.aids and options.tool_choice == "auto" else ()
        opened = settings.thinking == "open" and not options.continue_last_message
        return ChatReader(
            {tool.name for tool in offered_tools(options)},
            None if options.tool_choice == "none" else repeats,
            None if settings.thinking == "off" else ThoughtSplitter(opened=opened),
            parallel=options.parallel_tool_calls,
            logprobs=options.logprobs,
            json_answer=options.schema is not None,
        )

    def _repeatable(self, messages: Sequence[Message], options: GenerationOptions) -> str:
        """What the reply may say again, although it has been said: its beginning, where going on is only asked for."""
        asks = options.continue_last_message and self._conventions.continuation == "request"
        return messages[-1].content if asks else ""

    async def _chunks(
        self, answer: Answer, events: EventStreamReader, reader: ChatReader
    ) -> AsyncGenerator[Mapping[str, Any], None]:
        """The chunks of an answer; one that is not streamed is a single chunk. That it breaks off behind its end is no harm."""
        if answer.content_type == "application/json":
            try:
                whole = json.loads(await answer.body(MAX_WHOLE_BYTES))
            except ValueError as error:
                raise self._broken("sent JSON that is none") from error
            yield whole if isinstance(whole, dict) else {}
            return
        try:
            async with aclosing(answer.pieces()) as pieces:
                async for piece in pieces:
                    for event in self._read(events.feed(piece)):
                        yield event
                    if events.done:
                        answer.ends()
            for event in self._read(events.finish()):
                yield event
        except RemoteError:
            if not (reader.complete or events.done):
                raise

    def _read(self, items: Iterable[_Item]) -> Iterator[_Item]:
        """``items``, read from what the other side sent. Raises ``RemoteError`` where that is not what it should be."""
        try:
            yield from items
        except (NoChunkError, NoEventError) as error:
            log.warning("%s: %s", self._client.engine, self._client.harmless(str(error)))
            raise self._broken("sent something that is no chat completion") from error
        except OtherSideError as error:
            log.warning("%s failed: %s", self._client.engine, self._client.harmless(error.detail)[:500])
            raise self._broken("failed in the middle of its answer") from error

    def _explain_silence(self, reader: ChatReader, options: GenerationOptions) -> None:
        """Nothing was written: raise ``RemoteError`` where that is no reply."""
        engine = self._client.engine
        if reader.dropped:
            raise _CalledAnywayError(engine, "calls tools although it must not", retriable=True)
        if reader.not_offered:
            log.warning("%s called %s, which is not on offer", engine, ", ".join(reader.not_offered))
            raise RemoteError(engine, "called a tool that is not on offer", retriable=True)
        if reader.refused:
            raise RemoteError(engine, "refuses what was said (content filter)")

    def _broken(self, message: str) -> RemoteError:
        return RemoteError(self._client.engine, message, away=True, repeatable=True, retriable=True)

    # ---- what the other side is

    async def _discover(self) -> None:
        """Find out about the endpoint, if it was away when the engine was loaded."""
        if self._discovered or monotonic() < self._discover_at or self._client.breaker.is_open(monotonic()):
            return
        self._discover_at = monotonic() + DISCOVERY_INTERVAL_S
        self._found(await discover(self._client))

    def _found(self, endpoint: Endpoint | None) -> None:
        if endpoint is None:
            return
        self._discovered = True
        self._open_turns = endpoint.open_turns
        if self._settings.context_tokens is None:
            self.context_tokens = endpoint.context_tokens or ASSUMED_CONTEXT_TOKENS
        if self._settings.continuation == "auto" and endpoint.continuation is not None:
            self._conventions = replace(self._conventions, continuation=endpoint.continuation)


class _CalledAnywayError(RemoteError):
    """Nothing but calls came where none may be made."""


def _weights(settings: Mapping[str, Any]) -> Sequence[str]:
    ChatSettings.model_validate(settings)
    return ()


@needs_weights(_weights)
def load(context: EngineContext) -> OpenAILanguageModel:
    """Entry point. Asks the endpoint about itself; one that is away now may be there later.

    Raises ``pydantic.ValidationError`` for settings that do not fit.
    """
    settings = ChatSettings.model_validate(context.settings)
    return loaded(
        context,
        settings,
        lambda client, endpoint: OpenAILanguageModel(client, settings, capacity=context.capacity, endpoint=endpoint),
    )


def loaded(
    context: EngineContext, settings: ChatSettings, make: Callable[[RemoteClient, Endpoint | None], _Model]
) -> _Model:
    """The model that ``make`` makes of connections to it and of what it says of itself; ``None``: it is away."""
    client = RemoteClient(context.name or "openai", settings)
    with ThreadPoolExecutor(1) as thread:
        endpoint = thread.submit(asyncio.run, _discovered(client.engine, settings)).result()
    if endpoint is None:
        log.warning("%s does not answer yet", client.engine)
    model = make(client, endpoint)
    log.info("%s holds %d tokens", client.engine, model.context_tokens)
    return model


async def _discovered(engine: str, settings: ChatSettings) -> Endpoint | None:
    """By connections of its own, which belong to the event loop of this moment."""
    client = RemoteClient(engine, settings)
    try:
        return await discover(client)
    finally:
        await client.close()
