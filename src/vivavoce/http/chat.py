"""``POST /v1/chat/completions``: text and recordings in, text and speech out, by the same road as a conversation's reply."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from vivavoce.errors import ClientError
from vivavoce.http.auth import Caller, wrong_key
from vivavoce.http.chat_answers import Meter, WholeAnswers, shape_of
from vivavoce.http.chat_chunks import ChunkedAnswers
from vivavoce.http.disconnects import while_connected
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.event_stream import SendEvent, event_stream
from vivavoce.http.grants import Grant
from vivavoce.http.places import conversation_place
from vivavoce.http.serving import Serving
from vivavoce.protocol.bodies import inlined, read_body
from vivavoce.protocol.chat.completion import Chunk, Completion
from vivavoce.protocol.chat.request import ChatRequest
from vivavoce.runtime.chat.asking import Asked, ask
from vivavoce.runtime.chat.hearing import Listener
from vivavoce.runtime.chat.prompt import prompt_of
from vivavoce.tiers import Model, model_of
from vivavoce.tools.offering import SessionTools, bounds_of

router = APIRouter(route_class=ReportingRoute, tags=["chat"])

MOST_BYTES = 10 * 1024 * 1024
"""A request with its recordings, measured on the wire (chat reference, 4.2)."""

CLIENT_GONE = 499
"""nginx's status for a client that has hung up; nobody sees it."""

_BODY = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": inlined(ChatRequest)}}},
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "model": Completion,
        "description": "The answer; with `stream` chunks of it, as server-sent events.",
        "content": {"text/event-stream": {"schema": inlined(Chunk)}},
    }
}


@router.post("/v1/chat/completions", response_class=Response, responses=_ANSWERS, openapi_extra=_BODY)
async def create_completion(request: Request, caller: Caller) -> Response:
    """Answer messages. Fields of StepFun's platform and of OpenAI's are understood alike."""
    serving: Serving = request.app.state.serving
    try:
        data = await received(request)
        wanted = await asyncio.to_thread(read_body, data, ChatRequest)
        tiers = serving.config.tiers
        chat = _Chat(serving, caller, wanted, model_of(wanted.model, tiers.aliases, tiers.default))
        if wanted.stream:
            return await event_stream(request, chat.stream)
        return await while_connected(request, chat.whole())
    except ClientDisconnect:
        return Response(status_code=CLIENT_GONE)


class _Chat:
    """One request on its way."""

    def __init__(self, serving: Serving, caller: Grant, wanted: ChatRequest, model: Model) -> None:
        self._serving = serving
        self._owner = caller.owner
        self._key = caller.key
        self._wanted = wanted
        self._tier = model.tier
        self._engines = serving.engines
        self._model = self._engines.language_models[model.tier.language_model]
        self._shape = shape_of(wanted, self._engines.speaker.rate_hz)

    async def whole(self) -> Response:
        """All in one. Raises ``ClientError`` and ``EngineError``."""
        async with self._place() as seat:
            asked = await self._asked(seat)
            meter = Meter(asked.prompt_tokens)
            answers = WholeAnswers(self._shape, meter)
            await self._answer(asked, answers, meter)
        completion = await answers.completion()
        return Response(completion.model_dump_json(exclude_unset=True), media_type="application/json")

    async def stream(self, send: SendEvent) -> None:
        """In chunks. Raises ``ClientError`` and ``EngineError``."""

        async def send_chunk(chunk: Chunk) -> None:
            await send(f"data: {chunk.model_dump_json(exclude_unset=True)}\n\n")

        options = self._wanted.stream_options
        async with self._place() as seat:
            asked = await self._asked(seat)
            meter = Meter(asked.prompt_tokens)
            answers = ChunkedAnswers(
                self._shape,
                meter,
                send_chunk,
                usage_in_chunks=options is None,
                usage_at_end=options is not None and options.include_usage,
            )
            await self._answer(asked, answers, meter)
        await answers.close()
        await send("data: [DONE]\n\n")

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[int]:
        """A place of the conversations, for as long as the key is good. Raises ``RateLimitError`` and ``ClientError``."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(None) as valid:
                place = await conversation_place(
                    self._serving, self._owner, self._key, lambda: valid.reschedule(loop.time())
                )
                try:
                    yield place.seat
                finally:
                    place.give_back()
        except TimeoutError:
            if not valid.expired():
                raise
            raise wrong_key() from None

    async def _answer(self, asked: Asked, answers: WholeAnswers | ChunkedAnswers, meter: Meter) -> None:
        """All answers; what they cost is counted, also when they fail or nobody waits for them any more."""
        try:
            await asked.answer(self._model, self._engines.speaker, answers.take)
        finally:
            self._serving.key_use.spend(self._key, meter.usage.total_tokens)
        for answer in answers.answers:
            if self._shape.format is not None and answer.text:
                self._serving.chats.answers.put(self._owner, answer.audio_id, answer.text)

    async def _asked(self, seat: int) -> Asked:
        """Listen, and make the prompt. Raises ``ClientError`` and ``EngineError``."""
        memory, fetches = self._serving.chats, self._serving.config.net.fetch_audio
        voice = await self._voice()
        listener = Listener(self._engines, memory.transcripts, self._owner, self._serving.fetcher if fetches else None)
        heard = await listener.words(self._wanted.messages)
        prompt = prompt_of(
            self._wanted.messages,
            heard,
            lambda audio_id: memory.answers.find(self._owner, audio_id),
            spoken=self._wanted.speaks,
        )
        tools = SessionTools(self._serving.tools, self._owner, bounds_of(self._model))
        return await ask(self._wanted, prompt, self._model, tools, slot=seat, voice=voice)

    async def _voice(self) -> str | None:
        """Whose voice the answer has. Raises ``ClientError``."""
        if not self._wanted.speaks:
            return None
        audio = self._wanted.audio
        named = audio.voice_id if audio is not None else None
        try:
            return await self._serving.voices.usable(self._owner, named or self._tier.default_voice, self._tier)
        except ClientError as error:
            error.param = "audio.voice"
            raise


async def received(request: Request) -> bytes:
    """The body. Raises ``ClientError`` as soon as it is too large, and ``ClientDisconnect``."""
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > MOST_BYTES:
            raise ClientError(
                f"A request may have {MOST_BYTES // 1024**2} MB, its audio included.", code="request_too_large"
            )
    return bytes(data)
