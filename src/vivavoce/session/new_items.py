"""Items a client creates: checked, given ids, their audio taken out for the recogniser (Realtime reference, 3.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from vivavoce.errors import ClientError
from vivavoce.protocol.items import Item, NewItem, Part, PartType
from vivavoce.session.conversation import Conversation
from vivavoce.session.item_audio import is_unread
from vivavoce.session.outbox import IdFactory
from vivavoce.types import Samples

PARTS_OF_ROLE = {
    "system": {"input_text"},
    "user": {"input_text", "input_audio"},
    "assistant": {"text", "input_text", "audio", "thinking"},
}
"""Which content parts each role may hold. Seeded replies come as ``text``; some clients send ``input_text``, or what they were
shown of a spoken reply: thoughts, and ``audio`` with its transcript, of which the words are kept."""


def accept_item(
    new: NewItem, new_id: IdFactory, *, decode: Callable[[bytes], Samples], param: str = "item"
) -> tuple[Item, dict[int, Samples]]:
    """The item, and its audio by content index (``float32[n]``), without the bytes.

    ``decode`` makes samples of that audio and may raise ``ClientError``; ``param`` is where the item stands in the event.

    Raises ``ClientError`` with ``param`` when the item is not one a client may create.
    """
    match new.type:
        case "message":
            return _message(new, new_id, decode, param)
        case "function_call":
            fields: dict[str, Any] = {"call_id": new.call_id, "name": new.name, "arguments": new.arguments}
        case "function_call_output":
            fields = {"call_id": new.call_id, "output": new.output}
        case "mcp_approval_response":
            fields = {"approval_request_id": new.approval_request_id, "approve": new.approve}
        case "item_reference":
            raise ClientError("A reference cannot be an item of the conversation.", param=f"{param}.type")
    values: dict[str, Any] = {}
    for name, value in fields.items():
        if value is None:
            raise ClientError(
                f"A {new.type} needs '{name}'.", code="missing_required_parameter", param=f"{param}.{name}"
            )
        values[name] = value
    if new.type == "mcp_approval_response":
        values["reason"] = new.reason
    return msgspec.structs.replace(Item(id=new.id or new_id("item"), type=new.type), **values), {}


def accept_input(
    items: tuple[NewItem, ...],
    conversation: Conversation,
    new_id: IdFactory,
    *,
    decode: Callable[[bytes], Samples],
) -> tuple[tuple[str, ...], list[tuple[Item, dict[int, Samples]]]]:
    """The input of one response: the ids of its items in order, and those that are new, as ``accept_item`` gives them.

    A reference stands for an item of the conversation. The others get ids of ours: theirs may be those of other items, and
    nobody is ever told of these. Raises ``ClientError``.
    """
    ids, own = [], []
    for index, new in enumerate(items):
        param = f"response.input[{index}]"
        if new.type == "item_reference":
            if new.id is None or new.id not in conversation:
                raise ClientError(f"cannot find item '{new.id}'", code="item_not_found", param=f"{param}.id")
            ids.append(new.id)
            continue
        item, audio = accept_item(msgspec.structs.replace(new, id=None), new_id, decode=decode, param=param)
        if new.type == "function_call_output":
            calls = (item for item in conversation if item.type == "function_call")
            require_call(new.call_id, (*calls, *items[:index]), f"{param}.call_id")
        own.append((item, audio))
        ids.append(item.id)
    return tuple(ids), own


def require_call(call_id: str | None, items: Iterable[Item | NewItem], param: str, *, out_of_band: int = 0) -> None:
    """Whether ``items`` hold a function call of this id that has no output yet. Raises ``ClientError`` if they do not.

    A call counts from its first delta on, before its response is done: official clients answer that early (Realtime
    reference, section 11). Where a model gave several calls one id, each may be answered; ``out_of_band`` is how many of them
    were made out of band. The code is OpenAI's.
    """
    of_id = [item.type for item in items if item.call_id == call_id]
    calls = of_id.count("function_call") + out_of_band
    if of_id.count("function_call_output") >= calls:
        fault = "has an output already" if calls else "not found in conversation"
        raise ClientError(f"Tool call ID '{call_id}' {fault}.", code="invalid_tool_call_id", param=param)


def _message(
    new: NewItem, new_id: IdFactory, decode: Callable[[bytes], Samples], param: str
) -> tuple[Item, dict[int, Samples]]:
    if new.role is None:
        raise ClientError("A message needs a 'role'.", code="missing_required_parameter", param=f"{param}.role")
    if not new.content:
        raise ClientError("A message needs 'content'.", code="missing_required_parameter", param=f"{param}.content")
    audio: dict[int, Samples] = {}
    parts: list[Part] = []
    for index, part in enumerate(new.content):
        at = f"{param}.content[{index}]"
        if part.type not in PARTS_OF_ROLE[new.role]:
            raise ClientError(f"Messages of role '{new.role}' cannot hold '{part.type}'.", param=f"{at}.type")
        if part.type == "input_audio":
            part, samples = _audio_part(part, at, decode)
            if samples is not None:
                audio[index] = samples
        else:
            kind: PartType = "text" if new.role == "assistant" and part.type != "thinking" else part.type
            part = Part(type=kind, text=_given_words(part, at))
        parts.append(part)
    return Item(id=new.id or new_id("msg"), role=new.role, content=tuple(parts)), audio


def _given_words(part: Part, param: str) -> str:
    """What a part says in writing. Raises ``ClientError`` when it does not say it."""
    name = "transcript" if part.type == "audio" else "text"
    words = getattr(part, name)
    if not isinstance(words, str):
        raise ClientError(f"'{part.type}' needs '{name}'.", code="missing_required_parameter", param=f"{param}.{name}")
    return words


def _audio_part(part: Part, param: str, decode: Callable[[bytes], Samples]) -> tuple[Part, Samples | None]:
    """Audio that comes with its transcript need not be recognised."""
    if not is_unread(part):
        return Part(type="input_audio", transcript=part.transcript), None
    if not part.audio:
        raise ClientError("'input_audio' needs 'audio'.", code="missing_required_parameter", param=f"{param}.audio")
    try:
        samples = decode(part.audio)
    except ClientError as error:
        error.param = f"{param}.audio"
        raise
    return Part(type="input_audio", transcript=None), samples
