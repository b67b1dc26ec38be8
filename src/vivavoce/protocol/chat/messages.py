"""The messages of a chat request (chat reference, section 4; OpenAI's forms beside StepFun's)."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from vivavoce.protocol.bodies import Body


class TextPart(Body):
    """Text."""

    type: Literal["text"]
    text: str


class RefusalPart(Body):
    """What an assistant said instead of an answer (OpenAI)."""

    type: Literal["refusal"]
    refusal: str

    @property
    def text(self) -> str:
        """The words."""
        return self.refusal


class InputAudio(Body):
    """``data``: a data URL (StepFun), bare base64 (OpenAI), or an http(s) URL where the server fetches those.

    What format it has is told by its content; ``format`` is not needed.
    """

    data: str
    format: Annotated[str, Field(max_length=32)] | None = None


class AudioPart(Body):
    """A recording of speech."""

    type: Literal["input_audio"]
    input_audio: InputAudio


class UnseenPart(Body):
    """What StepFun's and OpenAI's larger models look at."""

    type: Literal["image_url", "video_url", "file"]

    @model_validator(mode="after")
    def _refuse(self) -> UnseenPart:
        raise PydanticCustomError(
            "unsupported_content",
            "the models of this server take text and speech; images, videos and files are not supported",
        )


UserPart: TypeAlias = Annotated[TextPart | AudioPart | UnseenPart, Field(discriminator="type")]
AssistantPart: TypeAlias = Annotated[TextPart | RefusalPart, Field(discriminator="type")]


class SystemMessage(Body):
    """Instructions. Those that come first replace the default system prompt."""

    role: Literal["system", "developer"]
    content: str | list[TextPart]


class UserMessage(Body):
    """What the user wrote or said. ``human`` is what StepFun's own vLLM calls the role."""

    role: Literal["user", "human"]
    content: str | list[UserPart]


class CalledFunction(Body):
    """``arguments`` is a JSON object as text; as an object it is understood, too."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    arguments: str = "{}"

    @field_validator("arguments", mode="before")
    @classmethod
    def _an_object(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return json.dumps(value, ensure_ascii=False)
        if isinstance(value, str):
            try:
                if value and not isinstance(json.loads(value), dict):
                    raise ValueError("arguments must be a JSON object")
            except (json.JSONDecodeError, RecursionError) as error:
                raise ValueError("arguments must be a JSON object as text") from error
            return value or "{}"
        return value


class PastCall(Body):
    """A call of the assistant's, as it was returned. Those of other types ran on the server and are part of the answer."""

    id: Annotated[str, Field(min_length=1, max_length=256)]
    type: str = "function"
    function: CalledFunction


class PastAudio(Body):
    """A spoken answer: by the ``id`` it was returned with (OpenAI), or with its ``transcript`` as it was returned."""

    id: Annotated[str, Field(max_length=256)] | None = None
    transcript: str | None = None


class PastSpeech(Body):
    """A spoken answer as StepFun's own vLLM returns it."""

    tts_text: str = ""


class AssistantMessage(Body):
    """An earlier answer: its text, or the transcript of its speech, the calls it made, and what was thought for it."""

    role: Literal["assistant"]
    content: str | list[AssistantPart] | None = None
    audio: PastAudio | None = None
    tts_content: PastSpeech | None = None
    tool_calls: list[PastCall] = Field(default_factory=list)
    reasoning: str | None = None
    reasoning_content: str | None = None


class ToolMessage(Body):
    """What came of a call. ``input`` is what StepFun's own vLLM calls the role."""

    role: Literal["tool", "input"]
    tool_call_id: Annotated[str, Field(min_length=1, max_length=256)]
    content: str | list[TextPart]


ChatMessage: TypeAlias = Annotated[
    SystemMessage | UserMessage | AssistantMessage | ToolMessage, Field(discriminator="role")
]


def text_of_content(content: str | list[Any] | None) -> str:
    """The text of a message's content; what is no text is left out."""
    if content is None or isinstance(content, str):
        return content or ""
    return "\n".join(part.text for part in content if isinstance(part, TextPart | RefusalPart))
