"""The events of a reply → a response, and the events OpenAI's stream tells of its making."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from vivavoce.errors import ClientError
from vivavoce.http.chat_answers import UsageCounter
from vivavoce.ids import random_id
from vivavoce.protocol.json_fields import Json
from vivavoce.protocol.responses.answer import cited, logprob, usage
from vivavoce.types import (
    Citation,
    GenerationEnd,
    ReplyEvent,
    ServerToolEnded,
    ServerToolStarted,
    TextDelta,
    ThinkingDelta,
    TokenScores,
    ToolCall,
    ToolCallDelta,
)

Emit = Callable[[Json], Awaitable[None]]
"""Takes an event, which changes afterwards: it is written at once."""

_SEARCHES = {"web_search": "web_search_call", "retrieval": "file_search_call"}


class ResponseEvents:
    """Makes ``response`` out of a reply. ``shows_results``: searches of documents tell what they found."""

    def __init__(self, response: Json, usage_counter: UsageCounter, emit: Emit, *, shows_results: bool = False) -> None:
        self.response = response
        self._usage_counter = usage_counter
        self._emit_event = emit
        self._shows_results = shows_results
        self._number = 0
        self._places: dict[str, int] = {}
        self._open: Json | None = None
        self._calls: dict[str, Json] = {}
        self._sources: dict[str, Citation] = {}
        self._scores: list[Json] = []
        self._reason = "stop"

    @property
    def calls(self) -> list[Json]:
        """The functions the client is to call."""
        return [item for item in self.response["output"] if item["type"] == "function_call"]

    async def begin(self) -> None:
        """Before the first event of the reply."""
        await self._emit("response.created", response=self.response)
        await self._emit("response.in_progress", response=self.response)

    async def take(self, _number: int, event: ReplyEvent) -> None:
        """The next event of the reply."""
        self._usage_counter.take(event)
        match event:
            case TextDelta(text=text) if text:
                await self._write("message", "output_text", text)
            case ThinkingDelta(text=text) if text:
                await self._write("reasoning", "reasoning_text", text)
            case TokenScores(tokens=tokens):
                self._scores += map(logprob, tokens)
            case ToolCallDelta():
                await self._call_more(event)
            case ToolCall():
                await self._call_done(event)
            case ServerToolStarted():
                await self._server_tool_started(event)
            case ServerToolEnded():
                await self._server_tool_ended(event)
            case GenerationEnd(reason=reason):
                self._reason = reason

    async def end(self) -> None:
        """After the last event of the reply."""
        cut = self._reason == "length"
        await self._close("incomplete" if cut else "completed")
        for item in [item for item in self.calls if item["status"] == "in_progress"]:
            await self._finish_call(item, "incomplete" if cut else "completed")
        self.response["status"] = "incomplete" if cut else "completed"
        self.response["incomplete_details"] = {"reason": "max_output_tokens"} if cut else None
        self.response["completed_at"] = None if cut else int(time.time())
        self.response["usage"] = usage(self._usage_counter.usage)
        await self._emit(f"response.{self.response['status']}", response=self.response)

    def failed(self, error: ClientError) -> Json:
        """The event of a failure in the midst of it."""
        self.response["status"] = "failed"
        code = "invalid_prompt" if error.type == "invalid_request_error" else "server_error"
        self.response["error"] = {"code": code, "message": error.message}
        self.response["usage"] = usage(self._usage_counter.usage)
        return self._event("response.failed", response=self.response)

    # ---- text

    async def _write(self, kind: str, part_kind: str, text: str) -> None:
        """More text of a message, or of what is thought before it."""
        if self._open is None or self._open["type"] != kind:
            await self._close("completed")
            await self._open_text(kind, part_kind)
        item = self._open
        assert item is not None
        part = item["content"][0]
        part["text"] += text
        scores, self._scores = self._scores, []
        more: Json = {"logprobs": scores} if kind == "message" else {}
        if scores and kind == "message":
            part["logprobs"] += scores
        await self._emit(f"response.{part_kind}.delta", **self._at(item), content_index=0, delta=text, **more)

    async def _open_text(self, kind: str, part_kind: str) -> None:
        item: Json
        part: Json
        if kind == "message":
            item = {"id": random_id("msg"), "type": kind, "status": "in_progress", "role": "assistant", "content": []}
            part = {"type": part_kind, "annotations": [], "logprobs": [], "text": ""}
        else:
            item = {"id": random_id("rs"), "type": kind, "status": "in_progress", "summary": [], "content": []}
            part = {"type": part_kind, "text": ""}
        await self._add(item)
        item["content"].append(part)
        self._open = item
        await self._emit("response.content_part.added", **self._at(item), content_index=0, part=part)

    async def _close(self, status: str) -> None:
        """The open text, if there is one, is complete."""
        item, self._open = self._open, None
        if item is None:
            return
        part = item["content"][0]
        if item["type"] == "message":
            part["annotations"] = cited(list(self._sources.values()), part["text"])
            for index, annotation in enumerate(part["annotations"]):
                at = {**self._at(item), "content_index": 0, "annotation_index": index}
                await self._emit("response.output_text.annotation.added", **at, annotation=annotation)
        more = {"logprobs": part["logprobs"]} if item["type"] == "message" else {}
        await self._emit(f"response.{part['type']}.done", **self._at(item), content_index=0, text=part["text"], **more)
        await self._emit("response.content_part.done", **self._at(item), content_index=0, part=part)
        await self._done(item, status)

    # ---- calls of the client's functions

    async def _call(self, event: ToolCall | ToolCallDelta) -> Json:
        """The item of a call, which its first event opens."""
        if event.id not in self._calls:
            await self._close("completed")
            item = {"id": random_id("fc"), "type": "function_call", "status": "in_progress", "call_id": event.id}
            self._calls[event.id] = item | {"name": event.name, "arguments": ""}
            await self._add(self._calls[event.id])
        return self._calls[event.id]

    async def _call_more(self, event: ToolCallDelta) -> None:
        item = await self._call(event)
        if event.arguments:
            item["arguments"] += event.arguments
            await self._emit("response.function_call_arguments.delta", **self._at(item), delta=event.arguments)

    async def _call_done(self, event: ToolCall) -> None:
        item = await self._call(event)
        if not item["arguments"] and event.arguments:
            await self._emit("response.function_call_arguments.delta", **self._at(item), delta=event.arguments)
        item["arguments"] = event.arguments
        await self._finish_call(item, "completed")

    async def _finish_call(self, item: Json, status: str) -> None:
        call_fields = {"name": item["name"], "arguments": item["arguments"]}
        await self._emit("response.function_call_arguments.done", **self._at(item), **call_fields)
        await self._done(item, status)

    # ---- the server's tools

    async def _server_tool_started(self, event: ServerToolStarted) -> None:
        item = _server_item(event)
        if item is None:
            return
        await self._close("completed")
        self._calls[event.call.id] = item
        await self._add(item)
        await self._emit(f"response.{item['type']}.in_progress", **self._at(item))
        if item["type"] == "mcp_call":
            at, arguments = self._at(item), item["arguments"]
            await self._emit("response.mcp_call_arguments.delta", **at, delta=arguments)
            await self._emit("response.mcp_call_arguments.done", **at, arguments=arguments)
        else:
            await self._emit(f"response.{item['type']}.searching", **self._at(item))

    async def _server_tool_ended(self, event: ServerToolEnded) -> None:
        self._sources |= {source.url or source.file_id or "": source for source in event.result.citations}
        item = self._calls.get(event.call.id)
        if item is None:
            return
        failed = event.result.failed
        if item["type"] == "mcp_call":
            item["error" if failed else "output"] = event.result.text
        elif item["type"] == "file_search_call" and self._shows_results:
            item["results"] = [_passage(passage) for passage in event.result.payload.get("results", ())]
        outcome = "failed" if failed and item["type"] == "mcp_call" else "completed"
        await self._emit(f"response.{item['type']}.{outcome}", **self._at(item))
        await self._done(item, "failed" if failed else "completed")

    # ---- events

    async def _add(self, item: Json) -> None:
        self._places[item["id"]] = len(self.response["output"])
        self.response["output"].append(item)
        await self._emit("response.output_item.added", output_index=self._places[item["id"]], item=item)

    async def _done(self, item: Json, status: str) -> None:
        item["status"] = status
        await self._emit("response.output_item.done", output_index=self._places[item["id"]], item=item)

    def _at(self, item: Json) -> Json:
        return {"item_id": item["id"], "output_index": self._places[item["id"]]}

    async def _emit(self, type: str, **fields: Any) -> None:
        await self._emit_event(self._event(type, **fields))

    def _event(self, type: str, **fields: Any) -> Json:
        event = {"type": type, "sequence_number": self._number, **fields}
        self._number += 1
        return event


def _server_item(event: ServerToolStarted) -> Json | None:
    """The item of a call of the server's; those of tools no client declares are its own business."""
    if event.label is not None:
        item = {"id": random_id("mcp"), "type": "mcp_call", "status": "in_progress", "server_label": event.label}
        arguments = event.call.arguments
        return item | {"name": event.original_name, "arguments": arguments, "output": None, "error": None}
    kind = _SEARCHES.get(event.kind)
    if kind is None:
        return None
    query = _query(event.call)
    if kind == "web_search_call":
        return {
            "id": random_id("ws"),
            "type": kind,
            "status": "in_progress",
            "action": {"type": "search", "query": query},
        }
    return {"id": random_id("fs"), "type": kind, "status": "in_progress", "queries": [query], "results": None}


def _query(call: ToolCall) -> str:
    try:
        arguments = json.loads(call.arguments or "{}")
    except ValueError:
        return ""
    return str(arguments.get("query") or "") if isinstance(arguments, dict) else ""


def _passage(result: Any) -> Json:
    """A passage that was found."""
    return {key: result.get(key) for key in ("file_id", "filename", "score", "text")} | {"attributes": {}}
