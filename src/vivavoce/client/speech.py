"""Speech from a running server, over HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import numpy as np

from vivavoce.audio.pcm import decode_pcm16
from vivavoce.client.address import ServerAddress
from vivavoce.client.connection import http_url, is_loopback_url, refusal, unreachable
from vivavoce.client.events import WIRE_RATE_HZ
from vivavoce.types import Samples

MODEL = "tts-1"
"""A name every server of this kind has; its speeds are the widest (0.25 to 4)."""

MAX_CHARACTERS = 4096
"""Of one request (audio reference, section 1.1)."""

_SILENT_S = 120.0
"""How long a server may say nothing; on a busy one a request waits for its turn."""


async def speech(server: ServerAddress, text: str, *, voice: str, speed: float = 1.0) -> Samples:
    """``text`` spoken by the server: ``float32[n]`` at 24 kHz.

    Raises ``ConnectError`` with the server's words when it refuses.
    """
    headers = {"Authorization": f"Bearer {server.api_key}"} if server.api_key else {}
    url = f"{http_url(server.url)}/v1/audio/speech"
    async with httpx.AsyncClient(
        headers=headers, timeout=_SILENT_S, verify=server.tls or True, trust_env=not is_loopback_url(url)
    ) as client:
        pieces = [await _synthesize(client, url, piece, voice, speed) for piece in pieces_of(text)]
    return np.concatenate(pieces)


async def _synthesize(client: httpx.AsyncClient, url: str, text: str, voice: str, speed: float) -> Samples:
    body = {
        "model": MODEL, "input": text, "voice": voice, "speed": speed,
        "response_format": "pcm", "sample_rate": WIRE_RATE_HZ,
    }  # fmt: skip
    try:
        answer = await client.post(url, json=body)
    except httpx.HTTPError as error:
        raise unreachable(url, error) from error
    if answer.is_error:
        raise refusal(url, answer.status_code, answer.content)
    return decode_pcm16(answer.content)


def pieces_of(text: str, max_characters: int = MAX_CHARACTERS) -> Iterator[str]:
    """The text in pieces a request can have, cut after sentences, else between words."""
    for piece in re.findall(
        rf"(?s).{{1,{max_characters}}}(?:(?<=[.!?。！？\n])|$)|.{{1,{max_characters}}}(?:(?<=\s)|$)|.{{1,{max_characters}}}",
        text,
    ):
        if piece.strip():
            yield piece
