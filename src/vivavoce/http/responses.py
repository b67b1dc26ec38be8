"""``/v1/responses`` (OpenAI): text, functions and the server's tools, by the same road as a chat completion."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from starlette.requests import ClientDisconnect

from vivavoce.errors import ClientError
from vivavoce.http.auth import Caller, Owner
from vivavoce.http.chat import CLIENT_GONE, MAX_BYTES
from vivavoce.http.chat_answers import UsageCounter
from vivavoce.http.chat_runner import ChatRunner
from vivavoce.http.core import Core
from vivavoce.http.disconnects import while_connected
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.event_stream import SendEvent, event, event_stream
from vivavoce.http.lifecycle import core_of
from vivavoce.http.principals import Principal
from vivavoce.http.response_events import ResponseEvents
from vivavoce.ids import random_id
from vivavoce.protocol.bodies import inlined, read_body
from vivavoce.protocol.chat.messages import AssistantMessage, CalledFunction, ChatMessage, PastCall, text_of_content
from vivavoce.protocol.json_fields import Json
from vivavoce.protocol.responses.answer import DeletedResponse, InputItems, ResponsesAnswer, initial_response
from vivavoce.protocol.responses.items import InputMessages, with_transcripts
from vivavoce.protocol.responses.request import SEARCH_RESULTS, ResponsesRequest, param_of
from vivavoce.runtime.chat.memory import ChatMemory
from vivavoce.runtime.chat.reply_request import PreparedRequest
from vivavoce.runtime.chat.stored_responses import StoredResponse
from vivavoce.session.voice_perception import WORDLESS
from vivavoce.tiers import Model, model_of

router = APIRouter(route_class=ReportingRoute, tags=["responses"], max_body_size=MAX_BYTES)

MIN_OUTPUT_TOKENS = 512
"""Tokens an answer should have when the conversation before it may be cut."""

_BODY = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": inlined(ResponsesRequest)}}},
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "model": ResponsesAnswer,
        "description": "The response; with `stream` the events of its making, as server-sent events.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


@router.post("/v1/responses", response_class=Response, responses=_ANSWERS, openapi_extra=_BODY)
async def create_response(request: Request, caller: Caller) -> Response:
    """Answer items of a conversation, which may go on from a stored response."""
    core = core_of(request)
    try:
        body = await asyncio.to_thread(read_body, await request.body(), ResponsesRequest)
        body.require_supported()
        tiers = core.config.tiers
        run = _ResponseRun(core, caller, body, model_of(body.model, tiers.aliases, tiers.default))
        if body.stream:
            return await event_stream(request, run.stream, failed=run.failed)
        response = await while_connected(request.receive, run.response())
    except ClientDisconnect:
        return Response(status_code=CLIENT_GONE)
    return Response(ResponsesAnswer(**response).model_dump_json(), media_type="application/json")


@router.get("/v1/responses/{response_id}")
async def get_response(request: Request, owner: Owner, response_id: str) -> ResponsesAnswer:
    """A response of one's own that was stored."""
    return ResponsesAnswer(**_stored(request, owner, response_id).response)


@router.delete("/v1/responses/{response_id}")
async def delete_response(request: Request, owner: Owner, response_id: str) -> DeletedResponse:
    """Forget a response. What went on from it stays as it is."""
    _stored(request, owner, response_id)
    core = core_of(request)
    core.shared[ChatMemory].responses.forget(owner, response_id)
    return DeletedResponse(id=response_id)


@router.get("/v1/responses/{response_id}/input_items")
async def list_input_items(
    request: Request,
    owner: Owner,
    response_id: str,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    order: Literal["asc", "desc"] = "desc",
    after: Annotated[str | None, Query(max_length=256)] = None,
) -> InputItems:
    """What the request for a response brought."""
    items = list(_stored(request, owner, response_id).input_items)
    items = items if order == "asc" else items[::-1]
    if after is not None:
        at = next((index for index, item in enumerate(items) if item["id"] == after), None)
        if at is None:
            raise ClientError("The list has no such id.", param="after")
        items = items[at + 1 :]
    page = items[:limit]
    first, last = (page[0]["id"], page[-1]["id"]) if page else (None, None)
    return InputItems(data=page, first_id=first, last_id=last, has_more=len(items) > limit)


def _stored(request: Request, owner: str, response_id: str) -> StoredResponse:
    """Raises ``ClientError`` (``response_not_found``)."""
    core = core_of(request)
    stored = core.shared[ChatMemory].responses.find(owner, response_id)
    if stored is None:
        raise ClientError(
            f"There is no response '{response_id[:100]}', or it is not kept any more.", code="response_not_found"
        )
    return stored


class _ResponseRun:
    """One response in the making."""

    def __init__(self, core: Core, caller: Principal, body: ResponsesRequest, model: Model) -> None:
        self._body = body
        self._owner = caller.owner
        self._store = core.shared[ChatMemory].responses
        self._conversation = self._read()
        self._runner = ChatRunner(core, caller, model, keeps_words=True)
        self._events: ResponseEvents | None = None

    async def response(self) -> Json:
        """All in one. Raises ``ClientError`` and ``EngineError``."""

        async def unseen(_event: Json) -> None:
            """Nobody watches."""

        return await self._run(unseen)

    async def stream(self, send: SendEvent) -> None:
        """As events. Raises ``ClientError`` and ``EngineError``."""

        async def emit(wire_event: Json) -> None:
            await send(event(wire_event, name=wire_event["type"]))

        await self._run(emit)

    def failed(self, error: ClientError) -> str:
        """The last event of a stream that fails."""
        if self._events is not None:
            wire_event = self._events.failed(error)
        else:
            wire_event = {"type": "error", "sequence_number": 0, "code": error.code, "message": error.message}
            wire_event["param"] = error.param
        return event(wire_event, name=wire_event["type"])

    def _read(self) -> InputMessages:
        """The conversation with what the request adds. Raises ``ClientError``."""
        body = self._body
        conversation = InputMessages(lambda item_id: self._store.find_item(self._owner, item_id))
        if body.previous_response_id is not None:
            previous = self._store.find(self._owner, body.previous_response_id)
            if previous is None:
                raise ClientError(
                    f"There is no response '{body.previous_response_id[:100]}', or it is not kept any more.",
                    code="previous_response_not_found",
                    param="previous_response_id",
                )
            conversation.recall(previous.messages)
        conversation.read(body.input)
        if not conversation.messages:
            raise ClientError("There is nothing to answer.", code="missing_required_parameter", param="input")
        return conversation

    async def _run(self, emit: Any) -> Json:
        async with self._runner.slot() as slot:
            prepared = await self._prepared(slot)
            usage_counter = UsageCounter(prepared.prompt_tokens, audio_input_ms=prepared.audio_ms)
            options = prepared.request.options
            response = initial_response(
                self._body, random_id("resp"), temperature=options.temperature, top_p=options.top_p
            )
            events = ResponseEvents(response, usage_counter, emit, shows_results=SEARCH_RESULTS in self._body.include)
            await events.begin()
            self._events = events
            with self._own_params():
                await self._runner.answer(prepared, events.take, usage_counter)
            await events.end()
        if self._body.store:
            self._keep(events)
        return response

    async def _prepared(self, slot: int) -> PreparedRequest:
        """The prompt; with ``truncation: auto`` without the oldest turns, as long as it leaves too little to the answer."""
        body = self._body
        room = min(body.max_output_tokens or MIN_OUTPUT_TOKENS, MIN_OUTPUT_TOKENS) if body.truncation == "auto" else 0
        while True:
            try:
                with self._own_params():
                    prepared = await self._runner.prepare(body.as_chat(self._conversation.messages), slot)
            except ClientError as error:
                if room and error.code == "context_length_exceeded" and self._conversation.forget_oldest():
                    continue
                raise
            if prepared.request.options.max_tokens >= room or not self._conversation.forget_oldest():
                return prepared

    @contextmanager
    def _own_params(self) -> Iterator[None]:
        """What is refused of the chat request is said of this one."""
        try:
            yield
        except ClientError as error:
            error.param = param_of(error.param, ["instructions"] * self._shift + self._conversation.places)
            raise

    @property
    def _shift(self) -> int:
        """How many messages of the chat stand before those of the conversation."""
        return 1 if self._body.instructions else 0

    def _keep(self, events: ResponseEvents) -> None:
        """The response and the conversation up to its end, for requests that go on from it."""

        def words(number: int, index: int) -> str:
            return self._runner.transcripts[number + self._shift, index].text or WORDLESS

        messages = (*with_transcripts(self._conversation.messages, words), *_answer(events.response))
        items = _with_ids(self._body.input)
        size = sum(map(_size, messages))
        self._store.put(self._owner, StoredResponse(events.response, items, messages, size))


def _answer(response: Json) -> list[ChatMessage]:
    """The answer as a message of the conversation."""
    text = "\n".join(
        part["text"] for item in response["output"] if item["type"] == "message" for part in item["content"]
    )
    calls = [
        PastCall(id=item["call_id"], function=CalledFunction(name=item["name"], arguments=item["arguments"]))
        for item in response["output"]
        if item["type"] == "function_call" and item["status"] == "completed"
    ]
    return [AssistantMessage(role="assistant", content=text, tool_calls=calls)] if text or calls else []


def _with_ids(input_field: str | list[Any]) -> list[Json]:
    """Input items as they are listed: each has an id and a type."""
    items = [{"role": "user", "content": input_field}] if isinstance(input_field, str) else input_field
    return [_with_id(item) for item in items if item.get("type") != "item_reference"]


def _with_id(item: Json) -> Json:
    listed_item = {"type": "message", **item}
    if listed_item["type"] == "message":
        kind = "output_text" if listed_item["role"] == "assistant" else "input_text"
        if isinstance(listed_item["content"], str):
            listed_item["content"] = [{"type": kind, "text": listed_item["content"]}]
        listed_item.setdefault("status", "completed")
    listed_item["id"] = listed_item.get("id") or random_id("msg" if listed_item["type"] == "message" else "item")
    return listed_item


def _size(message: ChatMessage) -> int:
    """About the bytes a message takes."""
    calls = message.tool_calls if isinstance(message, AssistantMessage) else ()
    return 200 + len(text_of_content(message.content)) + sum(len(call.function.arguments) for call in calls)
