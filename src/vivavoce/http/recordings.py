"""Recordings clients send, as the recogniser takes them."""

from __future__ import annotations

from typing import BinaryIO

from vivavoce.audio.recordings import RawFormat
from vivavoce.errors import ClientError
from vivavoce.http.core import Core
from vivavoce.types import Samples

MAX_BYTES = 100 * 1024 * 1024
"""The documented limit of a file (audio reference, section 3.1)."""

HEADERLESS = RawFormat(rate_hz=16_000)
"""What a file without a header holds when nobody says otherwise."""


async def decoded(
    core: Core,
    source: bytes | BinaryIO,
    *,
    raw: RawFormat | None = None,
    channel: int | None = None,
    param: str = "file",
) -> Samples:
    """A recording, or one ``channel`` of it (from 0), at the recogniser's rate.

    Raises ``ClientError`` about ``param`` as ``RecordingDecoder.decode`` does.

    When it is cancelled, nobody reads ``source`` any more.
    """
    rate_hz, most_s = core.engines.recognition.rate_hz, core.config.limits.recording_minutes * 60
    try:
        return await core.engines.decoder.decode(source, rate_hz=rate_hz, max_s=most_s, raw=raw, channel=channel)
    except ClientError as error:
        error.param = error.param or param
        raise
