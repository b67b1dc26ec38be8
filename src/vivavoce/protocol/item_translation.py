"""Items and content parts as the dialects write them.

GA calls an assistant's parts ``output_text`` and ``output_audio``; StepFun keeps a thought's words in ``thinking``; OpenAI's
types know no thoughts, so its dialects leave them out.
"""

from __future__ import annotations

from typing import Any

import msgspec

from vivavoce.errors import ClientError
from vivavoce.protocol.items import Item, NewItem, Part
from vivavoce.protocol.json_fields import Json, a_list, an_object, checked, read_base64, without_nulls

GA_PART_TYPES = {"text": "output_text", "audio": "output_audio"}
_CANONICAL_PART_TYPES = {name: part for part, name in GA_PART_TYPES.items()}


def read_item(value: Any, param: str) -> NewItem:
    """An item of a client, in any dialect's words. Raises ``ClientError`` naming the part that is wrong."""
    item = without_nulls(an_object(value, param))
    if "content" in item:
        content = a_list(item["content"], f"{param}.content")
        item["content"] = [_part(part, f"{param}.content[{index}]") for index, part in enumerate(content)]
    return checked(item, NewItem, param)


def read_items(value: Any, param: str) -> list[NewItem]:
    """A list of items, such as a response's ``input``."""
    return [read_item(item, f"{param}[{index}]") for index, item in enumerate(a_list(value, param))]


def _part(value: Any, param: str) -> Part:
    part = dict(an_object(value, param))
    kind = part.get("type")
    if kind == "input_image":
        raise ClientError("images are not available on this server", param=f"{param}.type")
    if isinstance(kind, str):
        part["type"] = _CANONICAL_PART_TYPES.get(kind, kind)
    if part.get("audio") is not None:
        part["audio"] = read_base64(part["audio"], f"{param}.audio")
    if kind == "thinking" and "thinking" in part:
        part["text"] = part.pop("thinking")
    return checked(part, Part, param)


def stepfun_item(item: Item) -> Json:
    """StepFun's form; a call that is being written is ``incomplete`` there (Realtime reference, 6.5)."""
    shaped = _cited(item)
    if "content" in shaped:
        shaped["content"] = [stepfun_part(part) for part in item.parts]
    if item.type == "function_call" and item.status == "in_progress":
        shaped["status"] = "incomplete"
    return shaped


def _cited(item: Item) -> Json:
    """The item as it is, but for what only the server knows; of its own calls the sources are shown, where there are any."""
    shaped: Json = msgspec.to_builtins(item, builtin_types=(bytes,))
    for kept_here in ("calls", "fillers"):
        shaped.pop(kept_here, None)
    if "perception" in shaped:
        shaped["metadata"] = {"perception": shaped.pop("perception")}
    citations = [citation for call in item.calls_before for citation in call.citations]
    if citations and item.type == "message":
        cited_objects = [msgspec.to_builtins(citation) for citation in dict.fromkeys(citations)]
        shaped["metadata"] = {
            "citations": [
                {key: value for key, value in cited_object.items() if value} for cited_object in cited_objects
            ],
        }
    return shaped


def stepfun_part(part: Part) -> Json:
    """StepFun's form of a part."""
    shaped: Json = msgspec.to_builtins(part, builtin_types=(bytes,))
    if part.type == "thinking":
        shaped["thinking"] = shaped.pop("text", "")
    return shaped


def beta_item(item: Item) -> Json:
    """The beta's form."""
    shaped = _cited(item)
    if "content" in shaped:
        shaped["content"] = [
            msgspec.to_builtins(part, builtin_types=(bytes,)) for part in item.parts if part.type != "thinking"
        ]
    return shaped


def ga_item(item: Item) -> Json:
    """GA's form."""
    shaped = beta_item(item)
    for part in shaped.get("content", ()):
        part["type"] = GA_PART_TYPES.get(part["type"], part["type"])
    return shaped
