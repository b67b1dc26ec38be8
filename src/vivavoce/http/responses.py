"""``/v1/responses`` (OpenAI): text, functions and the server's tools, by the same road as a chat completion."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from starlette.requests import ClientDisconnect

from vivavoce.errors import ClientError
from vivavoce.http.answering import Answering
from vivavoce.http.auth import Caller, Owner
from vivavoce.http.chat import CLIENT_GONE, MOST_BYTES
from vivavoce.http.chat_answers import Meter
from vivavoce.http.disconnects import while_connected
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.event_stream import SendEvent, event, event_stream
from vivavoce.http.grants import Grant
from vivavoce.http.response_events import ResponseEvents
from vivavoce.http.serving import Serving
from vivavoce.protocol.bodies import inlined, read_body
from vivavoce.protocol.chat.messages import AssistantMessage, CalledFunction, ChatMessage, PastCall, written
from vivavoce.protocol.reading import Json
from vivavoce.protocol.responses.answer import DeletedResponse, InputItems, ResponseObject, begun
from vivavoce.protocol.responses.items import Conversation, spelt_out
from vivavoce.protocol.responses.request import SEARCH_RESULTS, ResponsesRequest, param_of
from vivavoce.runtime.chat.asking import Asked
from vivavoce.runtime.chat.prompt import WORDLESS
from vivavoce.runtime.chat.stored_responses import StoredResponse
from vivavoce.session.outbox import random_id
from vivavoce.tiers import Model, model_of

router = APIRouter(route_class=ReportingRoute, tags=["responses"], max_body_size=MOST_BYTES)

LEAST_ROOM = 512
"""Tokens an answer should have when the conversation before it may be cut."""

_BODY = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": inlined(ResponsesRequest)}}},
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "model": ResponseObject,
        "description": "The response; with `stream` the events of its making, as server-sent events.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


@router.post("/v1/responses", response_class=Response, responses=_ANSWERS, openapi_extra=_BODY)
async def create_response(request: Request, caller: Caller) -> Response:
    """Answer items of a conversation, which may go on from a stored response."""
    serving: Serving = request.app.state.serving
    try:
        wanted = await asyncio.to_thread(read_body, await request.body(), ResponsesRequest)
        wanted.require_supported()
        tiers = serving.config.tiers
        making = _Making(serving, caller, wanted, model_of(wanted.model, tiers.aliases, tiers.default))
        if wanted.stream:
            return await event_stream(request, making.stream, failed=making.failed)
        response = await while_connected(request, making.whole())
    except ClientDisconnect:
        return Response(status_code=CLIENT_GONE)
    return Response(ResponseObject(**response).model_dump_json(), media_type="application/json")


@router.get("/v1/responses/{response_id}")
async def get_response(request: Request, owner: Owner, response_id: str) -> ResponseObject:
    """A response of one's own that was stored."""
    return ResponseObject(**_stored(request, owner, response_id).response)


@router.delete("/v1/responses/{response_id}")
async def delete_response(request: Request, owner: Owner, response_id: str) -> DeletedResponse:
    """Forget a response. What went on from it stays as it is."""
    _stored(request, owner, response_id)
    serving: Serving = request.app.state.serving
    serving.chats.responses.forget(owner, response_id)
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
    serving: Serving = request.app.state.serving
    stored = serving.chats.responses.find(owner, response_id)
    if stored is None:
        raise ClientError(
            f"There is no response '{response_id[:100]}', or it is not kept any more.", code="response_not_found"
        )
    return stored


class _Making:
    """One response in the making."""

    def __init__(self, serving: Serving, caller: Grant, wanted: ResponsesRequest, model: Model) -> None:
        self._wanted = wanted
        self._owner = caller.owner
        self._store = serving.chats.responses
        self._conversation = self._read()
        self._answering = Answering(serving, caller, model)
        self._events: ResponseEvents | None = None

    async def whole(self) -> Json:
        """All in one. Raises ``ClientError`` and ``EngineError``."""

        async def unseen(_event: Json) -> None:
            """Nobody watches."""

        return await self._make(unseen)

    async def stream(self, send: SendEvent) -> None:
        """As events. Raises ``ClientError`` and ``EngineError``."""

        async def emit(made: Json) -> None:
            await send(event(made, name=made["type"]))

        await self._make(emit)

    def failed(self, error: ClientError) -> str:
        """The last event of a stream that fails."""
        if self._events is not None:
            made = self._events.failed(error)
        else:
            made = {"type": "error", "sequence_number": 0, "code": error.code, "message": error.message}
            made["param"] = error.param
        return event(made, name=made["type"])

    def _read(self) -> Conversation:
        """The conversation with what the request adds. Raises ``ClientError``."""
        wanted = self._wanted
        conversation = Conversation(lambda item_id: self._store.find_item(self._owner, item_id))
        if wanted.previous_response_id is not None:
            before = self._store.find(self._owner, wanted.previous_response_id)
            if before is None:
                raise ClientError(
                    f"There is no response '{wanted.previous_response_id[:100]}', or it is not kept any more.",
                    code="previous_response_not_found",
                    param="previous_response_id",
                )
            conversation.recall(before.messages)
        conversation.read(wanted.input)
        if not conversation.messages:
            raise ClientError("There is nothing to answer.", code="missing_required_parameter", param="input")
        return conversation

    async def _make(self, emit: Any) -> Json:
        async with self._answering.place() as seat:
            asked = await self._asked(seat)
            meter = Meter(asked.prompt_tokens, heard_ms=asked.heard_ms)
            options = asked.request.options
            response = begun(self._wanted, random_id("resp"), temperature=options.temperature, top_p=options.top_p)
            events = ResponseEvents(response, meter, emit, shows_results=SEARCH_RESULTS in self._wanted.include)
            await events.begin()
            self._events = events
            with self._own_params():
                await self._answering.answer(asked, events.take, meter)
            await events.end()
        if self._wanted.store:
            self._keep(events)
        return response

    async def _asked(self, seat: int) -> Asked:
        """The prompt; with ``truncation: auto`` without the oldest turns, as long as it leaves too little to the answer."""
        wanted = self._wanted
        room = min(wanted.max_output_tokens or LEAST_ROOM, LEAST_ROOM) if wanted.truncation == "auto" else 0
        while True:
            try:
                with self._own_params():
                    asked = await self._answering.asked(wanted.as_chat(self._conversation.messages), seat)
            except ClientError as error:
                if room and error.code == "context_length_exceeded" and self._conversation.forget_oldest():
                    continue
                raise
            if asked.request.options.max_tokens >= room or not self._conversation.forget_oldest():
                return asked

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
        return 1 if self._wanted.instructions else 0

    def _keep(self, events: ResponseEvents) -> None:
        """The response and the conversation up to its end, for requests that go on from it."""

        def words(number: int, index: int) -> str:
            return self._answering.heard[number + self._shift, index].text or WORDLESS

        messages = (*spelt_out(self._conversation.messages, words), *_answer(events.response))
        items = _with_ids(self._wanted.input)
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


def _with_ids(given: str | list[Any]) -> list[Json]:
    """Input items as they are listed: each has an id and a type."""
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    return [_with_id(item) for item in items if item.get("type") != "item_reference"]


def _with_id(item: Json) -> Json:
    shown = {"type": "message", **item}
    if shown["type"] == "message":
        kind = "output_text" if shown["role"] == "assistant" else "input_text"
        if isinstance(shown["content"], str):
            shown["content"] = [{"type": kind, "text": shown["content"]}]
        shown.setdefault("status", "completed")
    shown["id"] = shown.get("id") or random_id("msg" if shown["type"] == "message" else "item")
    return shown


def _size(message: ChatMessage) -> int:
    """About the bytes a message takes."""
    calls = message.tool_calls if isinstance(message, AssistantMessage) else ()
    return 200 + len(written(message.content)) + sum(len(call.function.arguments) for call in calls)
