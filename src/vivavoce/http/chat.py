"""``POST /v1/chat/completions``: text and recordings in, text and speech out, by the same road as a conversation's reply."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from vivavoce.http.auth import Caller
from vivavoce.http.chat_answers import UsageCounter, WholeAnswers, shape_of, usage_counter_of
from vivavoce.http.chat_chunks import ChunkedAnswers
from vivavoce.http.chat_runner import ChatRunner
from vivavoce.http.core import Core
from vivavoce.http.cors import NOT_APPLIED_HEADER
from vivavoce.http.disconnects import while_connected
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.event_stream import SendEvent, event_stream
from vivavoce.http.lifecycle import core_of
from vivavoce.http.principals import Principal
from vivavoce.protocol.bodies import inlined, read_body
from vivavoce.protocol.chat.completion import Chunk, Completion
from vivavoce.protocol.chat.request import ChatRequest
from vivavoce.runtime.chat.memory import ChatMemory
from vivavoce.runtime.chat.reply_request import PreparedRequest
from vivavoce.tiers import Model, model_of

MAX_BYTES = 10 * 1024 * 1024
"""A request with its recordings, measured on the wire (chat reference, 4.2)."""

router = APIRouter(route_class=ReportingRoute, tags=["chat"], max_body_size=MAX_BYTES)

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
    core = core_of(request)
    try:
        body = await asyncio.to_thread(read_body, await request.body(), ChatRequest)
        tiers = core.config.tiers
        chat = _Chat(core, caller, body, model_of(body.model, tiers.aliases, tiers.default))
        if body.stream:
            return await event_stream(request, chat.stream)
        return await while_connected(request.receive, chat.whole())
    except ClientDisconnect:
        return Response(status_code=CLIENT_GONE)


class _Chat:
    """One request on its way."""

    def __init__(self, core: Core, caller: Principal, body: ChatRequest, model: Model) -> None:
        self._core = core
        self._owner = caller.owner
        self._body = body
        self._runner = ChatRunner(core, caller, model)
        self._shape = shape_of(body, self._runner.synthesis_hz)

    async def whole(self) -> Response:
        """All in one. Raises ``ClientError`` and ``EngineError``."""
        async with self._runner.slot() as slot:
            prepared = await self._runner.prepare(self._body, slot)
            self._shape = replace(self._shape, perception=self._runner.perception)
            usage_counter = usage_counter_of(prepared, self._shape)
            answers = WholeAnswers(self._shape, usage_counter)
            await self._answer(prepared, answers, usage_counter)
        completion = await answers.completion()
        left_undone = dict.fromkeys(name for answer in answers.answers for name in answer.not_applied)
        headers = {NOT_APPLIED_HEADER: ", ".join(left_undone)} if left_undone else {}
        return Response(completion.model_dump_json(exclude_unset=True), media_type="application/json", headers=headers)

    async def stream(self, send: SendEvent) -> None:
        """In chunks. Raises ``ClientError`` and ``EngineError``."""

        async def send_chunk(chunk: Chunk) -> None:
            await send(f"data: {chunk.model_dump_json(exclude_unset=True)}\n\n")

        options = self._body.stream_options
        async with self._runner.slot() as slot:
            prepared = await self._runner.prepare(self._body, slot)
            self._shape = replace(self._shape, perception=self._runner.perception)
            usage_counter = usage_counter_of(prepared, self._shape)
            answers = ChunkedAnswers(
                self._shape,
                usage_counter,
                send_chunk,
                usage_in_chunks=options is None,
                usage_at_end=options is not None and options.include_usage,
            )
            await self._answer(prepared, answers, usage_counter)
        await answers.close()
        await send("data: [DONE]\n\n")

    async def _answer(
        self, prepared: PreparedRequest, answers: WholeAnswers | ChunkedAnswers, usage_counter: UsageCounter
    ) -> None:
        """All answers. What was spoken can be referred to in later requests."""
        await self._runner.answer(prepared, answers.take, usage_counter)
        for answer in answers.answers:
            if self._shape.format is not None and answer.text:
                self._core.shared[ChatMemory].answers[self._owner, answer.audio_id] = answer.text
