"""JSON as clients send it, in a frame or in a body: bounded in what it costs to parse, its surrogates made whole.

What parsing costs is the number of values, hardly the number of bytes: ten megabytes of base64 take 3 ms, ten megabytes of
``[],[],…`` 700 ms, and whatever complains of each of them seconds; and nothing else runs meanwhile, threads or not. So the
values are counted before (``readable``), which takes milliseconds whatever the text is.

A client that cuts a string between the two halves of an emoji sends ``\\ud83d`` alone. That is valid JSON and no Unicode, and
parsers refuse the whole text for it. The half becomes U+FFFD, as browsers and decoders of UTF-16 have it; pairs stay.
"""

from __future__ import annotations

import re

import msgspec

from vivavoce.errors import ClientError
from vivavoce.protocol.json_fields import Json

_ESCAPES = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair
    rb"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"  # a half
    rb"|\\.",  # anything else: an escaped backslash begins no escape
    re.DOTALL,
)


MAX_VALUES = 8192
"""In a text of some kilobytes: members of objects and arrays, those within others included."""

MAX_VALUES_IN_LARGE_BODY = 20_000
"""In a text that may have megabytes: a conversation, the tools of a session. The costliest takes 40 ms."""

MAX_FRAME_BYTES = 1024 * 1024
"""Bytes of a frame that holds no audio."""

MAX_ESCAPES = 2_000_000
"""Ten megabytes of text in which every character is escaped (``\\u8bed``) have fewer."""

_QUOTES_PER_VALUE = 4
"""A value is one string at most, and has one key at most."""


def parse_object(data: bytes | str, name: str, *, max_values: int = MAX_VALUES) -> Json:
    """The JSON object in ``data``, which is called ``name`` in an error: a frame, a body.

    Raises ``ClientError`` with code ``invalid_json``, or ``request_too_large`` as ``readable`` does.
    """
    text = readable(data, name, max_values=max_values)
    try:
        value = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise ClientError(f"The {name} is not JSON: {error}", code="invalid_json") from error
    except RecursionError as error:
        raise ClientError(f"The {name} is nested too deeply.", code="invalid_json") from error
    if not isinstance(value, dict):
        raise ClientError(f"invalid event format: the {name} must be a JSON object.", code="invalid_json")
    return value


def readable(data: bytes | str, name: str = "body", *, max_values: int = MAX_VALUES) -> bytes:
    """``data`` for a parser: ``without_lone_surrogates``, and known to have no more than ``max_values`` values and
    ``MAX_ESCAPES`` escapes.

    Raises ``ClientError`` (``request_too_large``).
    """
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogatepass")
    if len(data) > MAX_ESCAPES and b"\\" in data and data.count(b"\\") > MAX_ESCAPES:
        raise ClientError(f"The {name} has more than {MAX_ESCAPES} escaped characters.", code="request_too_large")
    if _openings(data) > max_values:  # else there is no need to know which of them are within strings
        outside = _outside_strings(data, max_values * _QUOTES_PER_VALUE)
        if outside is None or _openings(outside) > max_values:
            raise ClientError(f"The {name} has more than {max_values} values.", code="request_too_large")
    return without_lone_surrogates(data)


def _openings(text: bytes) -> int:
    """How many values begin in ``text``, but those that are the first of none."""
    return text.count(b",") + text.count(b"[") + text.count(b"{")


def _outside_strings(text: bytes, max_quotes: int) -> bytes | None:
    """JSON without its strings; ``None`` when it has too many of them to be looked at."""
    unescaped = text.replace(rb"\\", b"").replace(rb"\"", b"") if b"\\" in text else text
    if unescaped.count(b'"') > max_quotes:
        return None
    return b"".join(unescaped.split(b'"')[::2])


def without_lone_surrogates(data: bytes | str) -> bytes:
    """JSON text in UTF-8, each half of a surrogate pair that stands alone replaced by U+FFFD: escaped or not, in keys too.

    What is no UTF-8 for another reason stays as it is, for the parser to refuse.
    """
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogatepass")
    if b"\xed" in data:  # the first byte of every surrogate, and of much Korean
        data = _without_surrogate_bytes(data)
    if b"\\" not in data or (rb"\ud" not in data and rb"\uD" not in data):
        return data
    return _ESCAPES.sub(lambda match: rb"\ufffd" if match.group(1) else match.group(), data)


def _without_surrogate_bytes(data: bytes) -> bytes:
    try:
        text = data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
