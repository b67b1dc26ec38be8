"""Recordings clients send, as the recogniser takes them."""

from __future__ import annotations

from typing import BinaryIO

from vivavoce.audio.recordings import RawFormat
from vivavoce.errors import ClientError
from vivavoce.http.serving import Serving
from vivavoce.transcription.languages import language_code
from vivavoce.types import Language, Samples

MOST_BYTES = 100 * 1024 * 1024
"""The documented limit of a file (audio reference, section 3.1)."""

HEADERLESS = RawFormat(rate_hz=16_000)
"""What a file without a header holds when nobody says otherwise."""


async def decoded(
    serving: Serving, source: bytes | BinaryIO, *, raw: RawFormat | None = None, param: str = "file"
) -> Samples:
    """A recording at the recogniser's rate. Raises ``ClientError`` about ``param`` as ``RecordingDecoder.decode`` does.

    When it is cancelled, nobody reads ``source`` any more.
    """
    rate_hz, most_s = serving.engines.recognition.rate_hz, serving.config.limits.recording_minutes * 60
    try:
        return await serving.engines.decoder.decode(source, rate_hz=rate_hz, most_s=most_s, raw=raw)
    except ClientError as error:
        error.param = error.param or param
        raise


def understood_language(given: str | None, param: str = "language") -> Language | None:
    """The code of the language a client names. Raises ``ClientError`` for one nobody knows."""
    if given is None or not given.strip() or given.strip().lower() == "auto":
        return None
    code = language_code(given)
    if code is None:
        raise ClientError("The language is not known: an ISO 639-1 code is wanted, such as en or zh.", param=param)
    return code


def spelling(prompt: str | None, hotwords: list[str]) -> str | None:
    """A prompt that has the recogniser spell these words as they are."""
    listed = f"{', '.join(hotwords)}." if hotwords else None
    return " ".join(part for part in (listed, prompt) if part) or None
