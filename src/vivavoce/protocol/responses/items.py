"""The items of a Responses request → the messages of a chat. Pure.

A response's own items can be sent back as they came, or referred to by their ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from pydantic import Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from vivavoce.errors import ClientError
from vivavoce.protocol.bodies import Body, refusal
from vivavoce.protocol.chat import messages as chat
from vivavoce.protocol.json_fields import Json, an_object

B = TypeVar("B", bound=Body)

FindItem: TypeAlias = Callable[[str], Json | None]
"""An item of the owner's stored responses, by its id."""


class Text(Body):
    """Text of anybody; ``text`` is what Chat Completions calls its parts."""

    type: Literal["input_text", "output_text", "text"]
    text: str


class UnsupportedPart(Body):
    """What OpenAI's models look at."""

    type: Literal["input_image", "input_file", "computer_screenshot"]

    @model_validator(mode="after")
    def _refuse(self) -> UnsupportedPart:
        raise PydanticCustomError(
            "unsupported_content", "the models of this server take text and speech; images and files are not supported"
        )


Part: TypeAlias = Annotated[Text | chat.AudioPart | chat.RefusalPart | UnsupportedPart, Field(discriminator="type")]


class MessageItem(Body):
    """What somebody said. ``id`` and ``status``, which a response's messages have, are not needed."""

    role: Literal["user", "assistant", "system", "developer"]
    content: str | list[Part]


class CallItem(Body):
    """A function the model called."""

    call_id: Annotated[str, Field(min_length=1, max_length=256)]
    name: Annotated[str, Field(min_length=1, max_length=64)]
    arguments: str = "{}"


class CallOutputItem(Body):
    """What the function gave."""

    call_id: Annotated[str, Field(min_length=1, max_length=256)]
    output: str | list[Part]


class ReferenceItem(Body):
    """An item of an earlier response that was stored."""

    id: Annotated[str, Field(min_length=1, max_length=256)]


IGNORED_ITEMS = frozenset({"reasoning", "web_search_call", "file_search_call", "mcp_call", "mcp_list_tools"})
"""What a response tells of its making. The answer has what came of it, and the model is not told again."""

KINDS = ("message", "function_call", "function_call_output", "item_reference")


@dataclass
class InputMessages:
    """Messages as they are read. ``places`` says of each where the client wrote it: ``input[2]``."""

    find: FindItem
    messages: list[chat.ChatMessage] = field(default_factory=list)
    places: list[str] = field(default_factory=list)

    def recall(self, messages: Iterable[chat.ChatMessage]) -> None:
        """Messages of earlier requests."""
        for message in messages:
            self._add(message, "previous_response_id")

    def read(self, items: str | Sequence[Any], param: str = "input") -> None:
        """What a request brings. Raises ``ClientError``."""
        if isinstance(items, str):
            self._add(chat.UserMessage(role="user", content=items), param)
            return
        for index, item in enumerate(items):
            self._item(an_object(item, f"{param}[{index}]"), f"{param}[{index}]")

    def forget_oldest(self) -> bool:
        """Leave out the oldest turns, an eighth of the messages at least; whether there was one that may go.

        Instructions stay, and so does the last turn of the user's.
        """
        turns = [number for number, message in enumerate(self.messages) if isinstance(message, chat.UserMessage)]
        min_dropped = len(self.messages) // 8
        cut = next((number for number in turns[1:] if number >= min_dropped), turns[-1] if len(turns) > 1 else 0)
        numbers_kept = [
            number
            for number, message in enumerate(self.messages)
            if number >= cut or isinstance(message, chat.SystemMessage)
        ]
        shorter = len(numbers_kept) < len(self.messages)
        self.messages = [self.messages[number] for number in numbers_kept]
        self.places = [self.places[number] for number in numbers_kept]
        return shorter

    def _item(self, item: Json, param: str) -> None:
        match item.get("type") or ("item_reference" if "role" not in item and "id" in item else "message"):
            case "message":
                self._message(_read(MessageItem, item, param), param)
            case "function_call":
                self._call(_read(CallItem, item, param), param)
            case "function_call_output":
                self._output(_read(CallOutputItem, item, param), param)
            case "item_reference":
                self._referred(_read(ReferenceItem, item, param).id, param)
            case str(kind) if kind in IGNORED_ITEMS:
                pass
            case kind:
                raise ClientError(
                    f"Items of type '{str(kind)[:100]}' are not known here; there are {', '.join(KINDS)}.",
                    param=f"{param}.type",
                )

    def _message(self, item: MessageItem, param: str) -> None:
        match item.role:
            case "assistant":
                self._add(
                    chat.AssistantMessage(role="assistant", content=_text(item.content, f"{param}.content")), param
                )
            case "user":
                self._add(chat.UserMessage(role="user", content=_user_parts(item.content)), param)
            case role:
                self._add(chat.SystemMessage(role=role, content=_text(item.content, f"{param}.content")), param)

    def _call(self, item: CallItem, param: str) -> None:
        """A call belongs to the message before it, as it does in a chat."""
        function = _read(chat.CalledFunction, {"name": item.name, "arguments": item.arguments}, param)
        call = chat.PastCall(id=item.call_id, function=function)
        last = self.messages[-1] if self.messages else None
        if isinstance(last, chat.AssistantMessage):
            self.messages[-1] = last.model_copy(update={"tool_calls": [*last.tool_calls, call]})
        else:
            self._add(chat.AssistantMessage(role="assistant", tool_calls=[call]), param)

    def _output(self, item: CallOutputItem, param: str) -> None:
        call_ids = {
            call.id
            for message in self.messages
            if isinstance(message, chat.AssistantMessage)
            for call in message.tool_calls
        }
        if item.call_id not in call_ids:
            raise ClientError(
                f"There is no call '{item.call_id[:100]}' before its output.",
                code="invalid_tool_call_id",
                param=f"{param}.call_id",
            )
        output = _text(item.output, f"{param}.output")
        self._add(chat.ToolMessage(role="tool", tool_call_id=item.call_id, content=output), param)

    def _referred(self, item_id: str, param: str) -> None:
        item = self.find(item_id)
        if item is None:
            raise ClientError(
                f"There is no item '{item_id[:100]}', or it is not kept any more; send the item itself.",
                code="item_not_found",
                param=f"{param}.id",
            )
        self._item(item, param)

    def _add(self, message: chat.ChatMessage, place: str) -> None:
        self.messages.append(message)
        self.places.append(place)


def with_transcripts(
    messages: Sequence[chat.ChatMessage], words: Callable[[int, int], str]
) -> tuple[chat.ChatMessage, ...]:
    """``messages`` with the words of recordings in their place: ``words`` gives them by message and part."""
    result: list[chat.ChatMessage] = []
    for number, message in enumerate(messages):
        if isinstance(message, chat.UserMessage) and not isinstance(message.content, str):
            parts = [
                chat.TextPart(type="text", text=words(number, index)) if isinstance(part, chat.AudioPart) else part
                for index, part in enumerate(message.content)
            ]
            result.append(message.model_copy(update={"content": parts}))
        else:
            result.append(message)
    return tuple(result)


def _user_parts(content: str | list[Part]) -> str | list[chat.UserPart]:
    if isinstance(content, str):
        return content
    return [
        part if isinstance(part, chat.AudioPart) else chat.TextPart(type="text", text=_words(part)) for part in content
    ]


def _text(content: str | list[Part], param: str) -> str:
    """Content that is text only. Raises ``ClientError``."""
    if isinstance(content, str):
        return content
    for index, part in enumerate(content):
        if isinstance(part, chat.AudioPart):
            raise ClientError(
                "Audio is accepted in user messages only.", code="unsupported_content", param=f"{param}[{index}]"
            )
    return "\n".join(map(_words, content))


def _words(part: Part) -> str:
    return part.text if isinstance(part, Text | chat.RefusalPart) else ""


def _read(kind: type[B], value: Json, param: str) -> B:
    """Raises ``ClientError`` with the whole path."""
    try:
        return kind.model_validate(value)
    except ValidationError as failure:
        error = refusal(failure.errors(include_url=False, include_context=False), value)
        within = f"{param}.{error.param}" if error.param else param
        error.message = error.message.replace(f"'{error.param}'", f"'{within}'", 1)
        error.param = within
        raise error from failure
