"""The body of ``POST /v1/responses`` (OpenAI), and the chat request it makes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from typing_extensions import override

from vivavoce.errors import ClientError
from vivavoce.protocol.bodies import Body
from vivavoce.protocol.chat.messages import ChatMessage, SystemMessage
from vivavoce.protocol.chat.request import MAX_TOOLS, ChatRequest, checked_schema
from vivavoce.protocol.responses.tools import Tools
from vivavoce.protocol.session_config import ToolChoice
from vivavoce.protocol.tool_config import DeclaredTool

MAX_METADATA = 16
LOGPROBS = "message.output_text.logprobs"
SEARCH_RESULTS = "file_search_call.results"
"""Values of ``include`` that add something; others are for what is not here."""


class TextFormat(Body):
    """What the text of the answer is; a schema's fields are beside its type."""

    type: Literal["text", "json_object", "json_schema"] = "text"
    name: Annotated[str, Field(max_length=64)] = ""
    description: str = ""
    schema_: Annotated[dict[str, Any], Field(alias="schema")] = Field(default_factory=dict)
    strict: bool = False

    @model_validator(mode="after")
    def _check_schema_given(self) -> TextFormat:
        if self.type == "json_schema" and "schema_" not in self.model_fields_set:
            raise ValueError("a json_schema needs its schema")
        return self


class TextConfig(Body):
    """How the text is written; ``verbosity`` is ignored."""

    format: TextFormat = Field(default_factory=TextFormat)


class ResponsesRequest(Body):
    """What to answer, and how. Fields that are not here are ignored."""

    model: Annotated[str, Field(description="A tier, such as step-audio-2, or a name that means one of them.")]
    input: Annotated[
        str | list[Any], Field(description="Text, or items: messages, calls and their outputs, references to items.")
    ] = Field(default_factory=list)
    instructions: Annotated[str | None, Field(description="Replace the default system prompt; not carried over.")] = (
        None
    )
    previous_response_id: Annotated[
        str | None, Field(max_length=256, description="A stored response to go on from.")
    ] = None
    store: Annotated[bool, Field(description="Whether the response can be had again and gone on from.")] = True
    stream: bool = False
    tools: Annotated[list[Any], Field(max_length=MAX_TOOLS)] = Field(default_factory=list)
    tool_choice: str | dict[str, Any] = "auto"
    parallel_tool_calls: bool = True
    text: TextConfig = Field(default_factory=TextConfig)
    max_output_tokens: Annotated[int | None, Field(ge=1)] = None
    temperature: Annotated[float | None, Field(ge=0, le=2)] = None
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.9
    include: Annotated[list[str], Field(max_length=32)] = Field(default_factory=list)
    top_logprobs: Annotated[int | None, Field(ge=0, le=20)] = None
    metadata: Annotated[dict[str, str], Field(max_length=MAX_METADATA)] = Field(default_factory=dict)
    truncation: Annotated[
        Literal["auto", "disabled"], Field(description="`auto`: a conversation too long loses its beginning.")
    ] = "disabled"
    reasoning: dict[str, Any] | None = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    background: Annotated[bool, Field(description="Only `false`.")] = False
    conversation: Annotated[Any, Field(description="Refused: use previous_response_id.")] = None
    prompt: Annotated[Any, Field(description="Refused: there are no stored prompts.")] = None

    def require_supported(self) -> None:
        """Raises ``ClientError`` for what changes the answer's way and is not here."""
        for name, is_given, instead in (
            ("background", self.background, "the answer is waited for, or streamed"),
            ("conversation", self.conversation is not None, "go on with 'previous_response_id'"),
            ("prompt", self.prompt is not None, "send 'instructions' and 'input'"),
        ):
            if is_given:
                raise ClientError(f"'{name}' is not available here: {instead}.", code="unsupported_value", param=name)

    @property
    def logprobs(self) -> bool:
        """Whether the probabilities of tokens are wanted."""
        return LOGPROBS in self.include

    def as_chat(self, messages: Sequence[ChatMessage]) -> ResponsesChat:
        """The chat request that is answered: ``messages`` without the instructions."""
        instructions = [SystemMessage(role="system", content=self.instructions)] if self.instructions else []
        return ResponsesChat(
            model=self.model,
            messages=[*instructions, *messages],
            source_request=self,
            parallel_tool_calls=self.parallel_tool_calls,
            max_completion_tokens=self.max_output_tokens,
            temperature=self.temperature,
            logprobs=self.logprobs,
            top_logprobs=self.top_logprobs if self.logprobs else None,
            top_p=self.top_p,
        )


class ResponsesChat(ChatRequest):
    """A chat request whose tools and schema are written as Responses have them, and are refused in their places."""

    source_request: ResponsesRequest

    @override
    def declared_tools(self) -> tuple[DeclaredTool, ...]:
        return self._tools.declared

    @override
    def store_param(self, index: int) -> str:
        return self._tools.params[index]

    @override
    def chosen_tool(self) -> ToolChoice:
        return self._tools.choice

    @override
    def answer_schema(self) -> dict[str, Any] | None:
        format = self.source_request.text.format
        if format.type == "text":
            return None
        return (
            {"type": "object"} if format.type == "json_object" else checked_schema(format.schema_, "text.format.schema")
        )

    @cached_property
    def _tools(self) -> Tools:
        return Tools.read(self.source_request.tools, self.source_request.tool_choice)


_MESSAGE = re.compile(r"messages\[(\d+)\](.*)")
_PARAMS = {
    "messages": "input",
    "response_format": "text.format",
    "response_format.json_schema.schema": "text.format.schema",
    "logprobs": "include",
}


def param_of(param: str | None, places: Sequence[str]) -> str | None:
    """Where a Responses request has what a chat request has at ``param``; ``places`` are those of its messages."""
    if param is None:
        return None
    message = _MESSAGE.fullmatch(param)
    if message is not None and int(message[1]) < len(places):
        return places[int(message[1])] + message[2]
    return _PARAMS.get(param, param)
