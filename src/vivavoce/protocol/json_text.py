"""JSON as clients send it, in a frame or in a body: text whose surrogates may have lost their other half.

A client that cuts a string between the two halves of an emoji sends ``\\ud83d`` alone. That is valid JSON and no Unicode, and
parsers refuse the whole text for it. The half becomes U+FFFD, as browsers and decoders of UTF-16 have it; pairs stay.
"""

from __future__ import annotations

import re

import msgspec

from vivavoce.errors import ClientError
from vivavoce.protocol.reading import Json

_ESCAPES = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair
    rb"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"  # a half
    rb"|\\.",  # anything else: an escaped backslash begins no escape
    re.DOTALL,
)


def parse_object(data: bytes | str, what: str) -> Json:
    """The JSON object in ``data``, which is called ``what`` in an error: a frame, a body.

    Raises ``ClientError`` with code ``invalid_json``.
    """
    try:
        value = msgspec.json.decode(without_lone_surrogates(data))
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise ClientError(f"The {what} is not JSON: {error}", code="invalid_json") from error
    except RecursionError as error:
        raise ClientError(f"The {what} is nested too deeply.", code="invalid_json") from error
    if not isinstance(value, dict):
        raise ClientError(f"invalid event format: the {what} must be a JSON object.", code="invalid_json")
    return value


def without_lone_surrogates(data: bytes | str) -> bytes:
    """JSON text in UTF-8, each half of a surrogate pair that stands alone replaced by U+FFFD: escaped or not, in keys too.

    What is no UTF-8 for another reason stays as it is, for the parser to refuse.
    """
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogatepass")
    if b"\xed" in data:  # the first byte of every surrogate, and of much Korean
        data = _whole_characters(data)
    if b"\\u" not in data:
        return data
    return _ESCAPES.sub(lambda match: rb"\ufffd" if match.group(1) else match.group(), data)


def _whole_characters(data: bytes) -> bytes:
    try:
        text = data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
