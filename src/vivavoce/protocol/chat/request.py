"""The body of ``POST /v1/chat/completions`` (chat reference, section 3, and what OpenAI's has beside it)."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, model_validator

from vivavoce.errors import ClientError
from vivavoce.protocol.bodies import Body
from vivavoce.protocol.chat.messages import ChatMessage
from vivavoce.protocol.json_fields import json_schema
from vivavoce.protocol.model_names import default_dialect
from vivavoce.protocol.session_config import ToolChoice
from vivavoce.protocol.speech import VoiceLabel, VoiceReference
from vivavoce.protocol.tool_config import DeclaredTool, WebSearchDeclaration, functions
from vivavoce.protocol.tools import read_tool_choice, read_tools, store_param

AudioFormat: TypeAlias = Literal["wav", "mp3", "flac", "opus", "aac", "pcm", "pcm16"]
"""``pcm`` is StepFun's name for OpenAI's ``pcm16``: 24 kHz, mono, 16 bit, little-endian, without a header."""

MAX_INSTRUCTION_CHARACTERS = 4096
MAX_CHOICES = 5
MAX_STOPS = 16
MAX_TOOLS = 128
MAX_SCHEMA_CHARACTERS = 32_768
"""It is told to the model, too, whose context holds less."""


class AudioOutput(Body):
    """How the answer is spoken."""

    voice: str | VoiceReference | None = None
    format: AudioFormat | None = None
    speed: Annotated[float, Field(ge=0.25, le=4.0, description="How fast (ours).")] = 1.0
    voice_label: Annotated[
        VoiceLabel | None, Field(description="A dialect's words, an emotion or a style, as in text to speech (ours).")
    ] = None
    instruction: Annotated[
        str | None, Field(max_length=MAX_INSTRUCTION_CHARACTERS, description="How to say it (ours).")
    ] = None
    instructions: Annotated[
        str | None, Field(max_length=MAX_INSTRUCTION_CHARACTERS, description="Another name of `instruction`.")
    ] = None

    @property
    def voice_id(self) -> str | None:
        """The voice's name, however it was given."""
        return self.voice.id if isinstance(self.voice, VoiceReference) else self.voice


class StreamOptions(Body):
    """OpenAI's. ``include_usage`` asks for one more chunk, which has the usage and no choices."""

    include_usage: bool = False


class JsonSchema(Body):
    """``schema`` is the JSON Schema the answer has to fit. The answer always fits it, also when not ``strict``."""

    name: Annotated[str, Field(max_length=64)] = ""
    description: str = ""
    schema_: Annotated[dict[str, Any], Field(alias="schema")] = Field(default_factory=dict)
    strict: bool = False


class ResponseFormat(Body):
    """What the text of the answer is."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None

    @model_validator(mode="after")
    def _check_schema_given(self) -> ResponseFormat:
        if self.type == "json_schema" and self.json_schema is None:
            raise ValueError("json_schema is missing")
        return self


class ChatRequest(Body):
    """What to answer, and how. Fields of either platform that are not here are ignored."""

    model: Annotated[str, Field(description="A tier, such as step-audio-2, or a name that means one of them.")]
    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    modalities: Annotated[
        list[Literal["text", "audio"]] | None,
        Field(min_length=1, description="With `audio` the answer is spoken. Default: spoken if `audio` is given."),
    ] = None
    audio: AudioOutput | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    tools: Annotated[list[dict[str, Any]], Field(max_length=MAX_TOOLS)] = Field(default_factory=list)
    tool_choice: Annotated[
        str | dict[str, Any], Field(description="`auto`, `none`, `required`, or a function to call.")
    ] = "auto"
    parallel_tool_calls: bool = True
    web_search_options: Annotated[dict[str, Any], Field(description="The web may be searched (OpenAI).")] | None = None
    response_format: ResponseFormat | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1, description="OpenAI's newer name.")] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.9
    n: Annotated[int, Field(ge=1, le=MAX_CHOICES)] = 1
    stop: str | Annotated[list[str], Field(max_length=MAX_STOPS)] = Field(default_factory=list)
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] = 0.0
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] = 0.0
    logprobs: bool = False
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    reasoning_format: Annotated[
        Literal["general", "deepseek-style"], Field(description="Thinking is `reasoning` or `reasoning_content`.")
    ] = "general"
    reasoning_effort: Annotated[str, Field(max_length=32)] | None = None
    perception: Annotated[
        bool | None, Field(description="How the last message sounds is told in `message.perception` (ours).")
    ] = None

    @property
    def shows_perception(self) -> bool:
        """Whether the client is told how the last message sounds: if it asks, or by default under a model of StepFun's."""
        return default_dialect(self.model) == "stepfun" if self.perception is None else self.perception

    @property
    def speaks(self) -> bool:
        """Whether the answer is spoken."""
        return self.audio is not None if self.modalities is None else "audio" in self.modalities

    @property
    def token_limit(self) -> int | None:
        """The bound of the answer, under either of its names."""
        return self.max_completion_tokens if self.max_completion_tokens is not None else self.max_tokens

    @property
    def stops(self) -> tuple[str, ...]:
        """Where the answer ends; empty strings would end it before it begins."""
        texts = [self.stop] if isinstance(self.stop, str) else self.stop
        return tuple(text for text in texts if text)

    def declared_tools(self) -> tuple[DeclaredTool, ...]:
        """The tools in canonical form. Raises ``ClientError``."""
        tools = tuple(read_tools(self.tools, "tools"))
        names = [tool.name for tool in functions(tools)]
        if len(set(names)) < len(names):
            raise ClientError("Two tools have the same name.", param="tools")
        searches = any(isinstance(tool, WebSearchDeclaration) for tool in tools)
        return tools if self.web_search_options is None or searches else (*tools, WebSearchDeclaration())

    def store_param(self, index: int) -> str:
        """Where the tool of this number names its vector store, or what else declares a tool."""
        return store_param(self.tools, index, "tools") if index < len(self.tools) else "web_search_options"

    @property
    def shows_searches(self) -> bool:
        """Whether searches of the web are shown as calls: so they are to those who declared the tool (StepFun)."""
        return any(tool.get("type") == "web_search" for tool in self.tools)

    def chosen_tool(self) -> ToolChoice:
        """The choice between them in canonical form. Raises ``ClientError``."""
        return read_tool_choice(self.tool_choice, "tool_choice")

    def answer_schema(self) -> dict[str, Any] | None:
        """The JSON Schema the answer must fit, if any. Raises ``ClientError``."""
        format = self.response_format
        if format is None or format.type == "text":
            return None
        if self.speaks:
            raise ClientError(
                "JSON cannot be spoken: ask for it with modalities ['text'].", param="response_format.type"
            )
        if format.json_schema is None:
            return {"type": "object"}
        return checked_schema(format.json_schema.schema_, "response_format.json_schema.schema")


def checked_schema(schema: dict[str, Any], param: str) -> dict[str, Any]:
    """``schema``, if it is a JSON Schema of a size that can be followed. Raises ``ClientError``."""
    if len(json.dumps(schema, ensure_ascii=False)) > MAX_SCHEMA_CHARACTERS:
        raise ClientError(f"A schema may have {MAX_SCHEMA_CHARACTERS} characters.", param=param)
    return json_schema(schema, param, code="invalid_json_schema")
