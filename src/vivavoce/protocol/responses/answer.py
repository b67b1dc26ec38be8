"""What ``POST /v1/responses`` answers: a response, as OpenAI's clients read it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, Field

from vivavoce.protocol.chat.completion import CompletionUsage
from vivavoce.protocol.json_fields import Json
from vivavoce.protocol.responses.request import ResponsesRequest
from vivavoce.types import Citation, TokenScore

SECRET_FIELDS = ("authorization", "headers")
"""Of a tool server; never shown again."""


class ResponsesAnswer(BaseModel):
    """A response. ``output`` are its items: messages, calls of functions, searches, reasoning."""

    id: str
    object: Literal["response"] = "response"
    created_at: int
    completed_at: int | None = None
    status: Literal["in_progress", "completed", "incomplete", "failed"]
    background: Literal[False] = False
    error: Json | None = None
    incomplete_details: Json | None = None
    instructions: str | None
    max_output_tokens: int | None
    metadata: dict[str, str]
    model: str
    output: list[Json] = Field(default_factory=list)
    parallel_tool_calls: bool
    previous_response_id: str | None
    reasoning: Json
    safety_identifier: str | None
    service_tier: Literal["default"] = "default"
    store: bool
    temperature: float
    text: Json
    tool_choice: str | Json
    tools: list[Json]
    top_logprobs: int
    top_p: float
    truncation: Literal["auto", "disabled"]
    usage: Json | None = None
    user: str | None


class DeletedResponse(BaseModel):
    """A response is gone."""

    id: str
    object: Literal["response"] = "response"
    deleted: Literal[True] = True


class InputItems(BaseModel):
    """What a request for a response brought; whole, in the order it came, the last first unless ``asc`` is asked for."""

    object: Literal["list"] = "list"
    data: list[Json]
    first_id: str | None
    last_id: str | None
    has_more: bool


def initial_response(request: ResponsesRequest, response_id: str, *, temperature: float, top_p: float) -> Json:
    """A response before anything has come of it."""
    return ResponsesAnswer(
        id=response_id,
        created_at=int(time.time()),
        status="in_progress",
        instructions=request.instructions,
        max_output_tokens=request.max_output_tokens,
        metadata=request.metadata,
        model=request.model,
        parallel_tool_calls=request.parallel_tool_calls,
        previous_response_id=request.previous_response_id,
        reasoning={"effort": (request.reasoning or {}).get("effort"), "summary": None},
        safety_identifier=request.safety_identifier,
        store=request.store,
        temperature=temperature,
        text=request.text.model_dump(by_alias=True, exclude_defaults=True) | {"format": _format(request)},
        tool_choice=request.tool_choice,
        tools=[_tool_object(tool) for tool in request.tools],
        top_logprobs=request.top_logprobs or 0,
        top_p=top_p,
        truncation=request.truncation,
        user=request.user,
    ).model_dump()


def _format(request: ResponsesRequest) -> Json:
    format = request.text.format
    if format.type != "json_schema":
        return {"type": format.type}
    return format.model_dump(by_alias=True)


def _tool_object(tool: Any) -> Json:
    """A tool as it was declared, its secrets left out and what OpenAI's types need added."""
    fields = {key: value for key, value in dict(tool).items() if key not in SECRET_FIELDS}
    if fields.get("type", "function") != "function":
        return fields
    nested = fields.pop("function", None)
    fields |= nested if isinstance(nested, dict) else {}
    return {"type": "function", "description": None, "parameters": {}, "strict": False, **fields}


def usage(spent: CompletionUsage) -> Json:
    """Token counts as Responses name them."""
    return {
        "input_tokens": spent.prompt_tokens,
        "input_tokens_details": {"cached_tokens": spent.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": spent.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": spent.total_tokens,
    }


def cited(sources: Sequence[Citation], text: str) -> list[Json]:
    """What a text rests on: pages of the web, and files. Which words come from which, nobody knows."""
    annotations: list[Json] = []
    for source in sources:
        if source.url is not None:
            page = {"type": "url_citation", "url": source.url, "title": source.title}
            annotations.append({**page, "start_index": 0, "end_index": len(text)})
        elif source.file_id is not None:
            file = {"type": "file_citation", "file_id": source.file_id, "filename": source.title}
            annotations.append({**file, "index": len(text)})
    return annotations


def logprob(score: TokenScore) -> Json:
    """How likely a token was."""
    return {**_logprob(score), "top_logprobs": [_logprob(other) for other in score.others]}


def _logprob(score: TokenScore) -> Json:
    return {"token": score.token, "bytes": list(score.raw), "logprob": score.logprob}
