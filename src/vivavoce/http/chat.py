"""``POST /v1/chat/completions``: text and recordings in, text and speech out, by the same road as a conversation's reply."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from vivavoce.http.answering import Answering
from vivavoce.http.auth import Caller
from vivavoce.http.chat_answers import Meter, WholeAnswers, meter_of, shape_of
from vivavoce.http.chat_chunks import ChunkedAnswers
from vivavoce.http.disconnects import while_connected
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.event_stream import SendEvent, event_stream
from vivavoce.http.grants import Grant
from vivavoce.http.serving import Serving
from vivavoce.protocol.bodies import inlined, read_body
from vivavoce.protocol.chat.completion import Chunk, Completion
from vivavoce.protocol.chat.request import ChatRequest
from vivavoce.runtime.chat.asking import Asked
from vivavoce.tiers import Model, model_of

MOST_BYTES = 10 * 1024 * 1024
"""A request with its recordings, measured on the wire (chat reference, 4.2)."""

router = APIRouter(route_class=ReportingRoute, tags=["chat"], max_body_size=MOST_BYTES)

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
@router.post("/step_plan/v1/chat/completions", include_in_schema=False, response_class=Response)
async def create_completion(request: Request, caller: Caller) -> Response:
    """Answer messages. Fields of StepFun's platform and of OpenAI's are understood alike."""
    serving: Serving = request.app.state.serving
    try:
        wanted = await asyncio.to_thread(read_body, await request.body(), ChatRequest)
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
        self._wanted = wanted
        self._answering = Answering(serving, caller, model)
        self._shape = shape_of(wanted, self._answering.speaker_hz)

    async def whole(self) -> Response:
        """All in one. Raises ``ClientError`` and ``EngineError``."""
        async with self._answering.place() as seat:
            asked = await self._answering.asked(self._wanted, seat)
            meter = meter_of(asked, self._shape)
            answers = WholeAnswers(self._shape, meter)
            await self._answer(asked, answers, meter)
        completion = await answers.completion()
        return Response(completion.model_dump_json(exclude_unset=True), media_type="application/json")

    async def stream(self, send: SendEvent) -> None:
        """In chunks. Raises ``ClientError`` and ``EngineError``."""

        async def send_chunk(chunk: Chunk) -> None:
            await send(f"data: {chunk.model_dump_json(exclude_unset=True)}\n\n")

        options = self._wanted.stream_options
        async with self._answering.place() as seat:
            asked = await self._answering.asked(self._wanted, seat)
            meter = meter_of(asked, self._shape)
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

    async def _answer(self, asked: Asked, answers: WholeAnswers | ChunkedAnswers, meter: Meter) -> None:
        """All answers. What was spoken can be referred to in later requests."""
        await self._answering.answer(asked, answers.take, meter)
        for answer in answers.answers:
            if self._shape.format is not None and answer.text:
                self._serving.chats.answers.put(self._owner, answer.audio_id, answer.text)
