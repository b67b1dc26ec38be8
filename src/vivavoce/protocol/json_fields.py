"""Reading what a client wrote: each value is checked where the client put it, so that a refusal names the client's own path.

``msgspec`` checks against the canonical types; what is checked here needs no second look when the event is converted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeAlias, TypeVar

import msgspec
import msgspec.inspect
from cachetools import LRUCache, cached
from jsonschema import Draft202012Validator, SchemaError
from jsonschema.validators import validator_for

from vivavoce.digests import text_digest
from vivavoce.errors import ClientError
from vivavoce.protocol.base64_text import from_base64

Json: TypeAlias = dict[str, Any]

Reader: TypeAlias = Callable[[Any, str], Any]
"""A value and its path on the wire → the canonical value. Raises ``ClientError`` with that path as ``param``."""

MAX_DEPTH = 64
"""How deep the free-form objects of a client (JSON Schema, metadata) may nest: they are echoed, and encoding recurses."""

MAX_MESSAGE = 300
"""How much of a complaint is told: it may quote what the client sent, and that may be megabytes."""

T = TypeVar("T")

_AT = re.compile(r" - at `(?:key`? in `?)?\$\.?([^`]*)`$")
_NOT_ONE_OF = "Invalid enum value"
_MISSING = re.compile(r"missing required field `(\w+)`")


def checked(value: Any, type: type[T] | Any, param: str = "") -> T:
    """``value`` as a canonical type. Raises ``ClientError`` whose ``param`` is ``param`` and the path of the bad field."""
    try:
        converted: T = msgspec.convert(value, type)
    except msgspec.ValidationError as error:
        message = str(error)
        at, missing = _AT.search(message), _MISSING.search(message)
        path = f"{param}.{at.group(1) if at else ''}".replace(".[", "[").strip(".")
        if missing is not None:
            path = f"{path}.{missing.group(1)}".strip(".")
        message_text = _AT.sub("", message)[:MAX_MESSAGE]
        if message.startswith(_NOT_ONE_OF):
            message_text += _choices(type, at.group(1) if at else "")
        raise ClientError(
            f"invalid event format: {message_text}",
            code="invalid_value" if missing is None else "missing_required_parameter",
            param=path or None,
        ) from error
    return converted


def _choices(type: Any, path: str) -> str:
    """What there is to choose from where ``path`` leads within ``type``, as the end of a refusal; empty if it is not clear."""
    inspected = msgspec.inspect.type_info(type)
    for step in path.replace("[", ".[").strip(".").split(".") if path else ():
        options = inspected.types if isinstance(inspected, msgspec.inspect.UnionType) else (inspected,)
        within = (_within(option, step) for option in options)
        inspected = next((inner for inner in within if inner is not None), msgspec.inspect.AnyType())
    options = inspected.types if isinstance(inspected, msgspec.inspect.UnionType) else (inspected,)
    values = [value for member in options if isinstance(member, msgspec.inspect.LiteralType) for value in member.values]
    others = [
        member for member in options if not isinstance(member, msgspec.inspect.LiteralType | msgspec.inspect.NoneType)
    ]
    return f"; it can be {', '.join(map(str, values))}" if values and not others else ""


def _within(type: msgspec.inspect.Type, step: str) -> msgspec.inspect.Type | None:
    """The type of a field, or of an element."""
    if isinstance(type, msgspec.inspect.StructType):
        return next((field.type for field in type.fields if field.encode_name == step), None)
    if step.startswith("[") and isinstance(type, msgspec.inspect.ListType | msgspec.inspect.VarTupleType):
        return type.item_type
    return None


def of_type(type: Any) -> Reader:
    """A reader for a value that has the same shape on the wire as inside."""
    return lambda value, param: checked(value, type, param)


def an_object(value: Any, param: str) -> Json:
    """``value``, if it is a JSON object. Raises ``ClientError``."""
    if not isinstance(value, dict):
        raise ClientError(f"'{param}' must be an object.", param=param)
    return value


def a_list(value: Any, param: str) -> list[Any]:
    """``value``, if it is a JSON array. Raises ``ClientError``."""
    if not isinstance(value, list):
        raise ClientError(f"'{param}' must be an array.", param=param)
    return value


def read_base64(value: Any, param: str) -> bytes:
    """Binary data. Raises ``ClientError``."""
    text: str = checked(value, str, param)
    try:
        return from_base64(text)
    except ValueError as error:
        raise ClientError(f"'{param}' is not base64: {str(error)[:MAX_MESSAGE]}", param=param) from error


def without_nulls(value: Json) -> Json:
    """Typed clients send ``null`` for what they leave alone."""
    return {key: field for key, field in value.items() if field is not None}


def free_form(value: Any, param: str) -> Any:
    """Any JSON that is kept as it is. Raises ``ClientError`` when it nests deeper than ``MAX_DEPTH``."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return value
    raise ClientError(f"'{param}' is nested too deeply.", param=param)


def json_schema(value: Json, param: str, *, code: str) -> Json:
    """``value``, if it is a JSON Schema. Raises ``ClientError`` (``code``)."""
    free_form(value, param)
    if complaint := schema_complaint(json.dumps(value, ensure_ascii=False)):
        raise ClientError(f"This is no JSON Schema: {complaint}", code=code, param=param)
    return value


@cached(LRUCache[bytes, str](1024), key=text_digest, lock=Lock())
def schema_complaint(schema_json: str) -> str:
    """What is wrong with a JSON Schema (written as JSON), if anything.

    Clients send the same ones again and again, and it takes a while.
    """
    schema = json.loads(schema_json)
    try:
        validator_for(schema, Draft202012Validator).check_schema(schema)
    except SchemaError as error:
        return str(error.message[:MAX_MESSAGE])
    except Exception:  # noqa: BLE001 (the library raises many things: of a "$schema" that is no address, of circles, …)
        return "it cannot be read"
    return ""


@dataclass(frozen=True, slots=True)
class Field:
    """Where a canonical field is on the wire and how it is read.

    ``path`` is dotted; ``also`` lists older names of the same. ``null`` means "off" if ``nullable``, else "leave it alone".
    """

    path: str
    read: Reader
    nullable: bool = False
    also: tuple[str, ...] = ()


def read_fields(
    source: Json, param: str, fields: Mapping[str, Field], elsewhere: Mapping[str, Field] | None = None
) -> Json:
    """The canonical fields that ``source`` (found at ``param``) has; what it has beside them is tolerated.

    ``elsewhere`` says where other dialects have theirs: what is there counts if there is nothing in its own place.
    """
    read: Json = {}
    for name, field in (*(elsewhere or {}).items(), *fields.items()):
        for path in (field.path, *field.also):
            value = _value_at(source, path, param)
            if value is None and field.nullable:
                read[name] = None
            elif value is not None and value is not msgspec.UNSET:
                read[name] = field.read(value, f"{param}.{path}")
    return read


def _value_at(source: Json, path: str, param: str) -> Any:
    """The value at a dotted path, ``UNSET`` if the way there ends early (``null`` objects on it count as missing)."""
    *way, last = path.split(".")
    for step in way:
        inner = source.get(step)
        if inner is None:
            return msgspec.UNSET
        param = f"{param}.{step}"
        source = an_object(inner, param)
    return source.get(last, msgspec.UNSET)
