"""What ``POST /v1/responses`` answers: a response, as OpenAI's clients read it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, Field

from vivavoce.protocol.chat.completion import Usage
from vivavoce.protocol.reading import Json
from vivavoce.protocol.responses.request import ResponsesRequest
from vivavoce.types import Citation, TokenScore

SECRET_FIELDS = ("authorization", "headers")
"""Of a tool server; never shown again."""


class ResponseObject(BaseModel):
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


def begun(wanted: ResponsesRequest, response_id: str, *, temperature: float, top_p: float) -> Json:
    """A response before anything has come of it."""
    return ResponseObject(
        id=response_id,
        created_at=int(time.time()),
        status="in_progress",
        instructions=wanted.instructions,
        max_output_tokens=wanted.max_output_tokens,
        metadata=wanted.metadata,
        model=wanted.model,
        parallel_tool_calls=wanted.parallel_tool_calls,
        previous_response_id=wanted.previous_response_id,
        reasoning={"effort": (wanted.reasoning or {}).get("effort"), "summary": None},
        safety_identifier=wanted.safety_identifier,
        store=wanted.store,
        temperature=temperature,
        text=wanted.text.model_dump(by_alias=True, exclude_defaults=True) | {"format": _format(wanted)},
        tool_choice=wanted.tool_choice,
        tools=[_shown_tool(tool) for tool in wanted.tools],
        top_logprobs=wanted.top_logprobs or 0,
        top_p=top_p,
        truncation=wanted.truncation,
        user=wanted.user,
    ).model_dump()


def _format(wanted: ResponsesRequest) -> Json:
    format = wanted.text.format
    if format.type != "json_schema":
        return {"type": format.type}
    return format.model_dump(by_alias=True)


def _shown_tool(tool: Any) -> Json:
    """A tool as it was declared, its secrets left out and what OpenAI's types need added."""
    shown = {key: value for key, value in dict(tool).items() if key not in SECRET_FIELDS}
    if shown.get("type", "function") != "function":
        return shown
    nested = shown.pop("function", None)
    shown |= nested if isinstance(nested, dict) else {}
    return {"type": "function", "description": None, "parameters": {}, "strict": False, **shown}


def usage(spent: Usage) -> Json:
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
    shown: list[Json] = []
    for source in sources:
        if source.url is not None:
            page = {"type": "url_citation", "url": source.url, "title": source.title}
            shown.append({**page, "start_index": 0, "end_index": len(text)})
        elif source.file_id is not None:
            file = {"type": "file_citation", "file_id": source.file_id, "filename": source.title}
            shown.append({**file, "index": len(text)})
    return shown


def logprob(score: TokenScore) -> Json:
    """How likely a token was."""
    return {**_one(score), "top_logprobs": [_one(other) for other in score.others]}


def _one(score: TokenScore) -> Json:
    return {"token": score.token, "bytes": list(score.raw), "logprob": score.logprob}
