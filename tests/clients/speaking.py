"""Spoken questions of our own making, so that nobody needs recordings to run these tests; and ears for the answers."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import numpy as np
from hibari import Hibari

from running import RunningServer, Talker
from vivavoce.audio.encoding import encode
from vivavoce.audio.pcm import decode_pcm16, encode_pcm16

RATE_HZ = 24_000


def spoken(text: str) -> bytes:
    """English speech as PCM16 at 24 kHz, between half a second and a second of silence."""
    speech = np.asarray(Hibari(threads=1)(text, seed=1), np.float32)
    return encode_pcm16(np.concatenate([np.zeros(12_000, np.float32), speech, np.zeros(24_000, np.float32)]))


def understood(server: RunningServer, pcm: bytes) -> str:
    """What the recogniser makes of the answer's audio."""
    samples = decode_pcm16(pcm)
    answer = httpx.post(
        f"{server.http}/v1/audio/transcriptions",
        data={"model": "whisper-1", "language": "en", "response_format": "text"},
        files={"file": ("answer.wav", encode(samples, "wav", RATE_HZ))},
        timeout=120,
    )
    assert answer.status_code == 200, answer.text
    return answer.text.lower()


async def to_the_end(talker: Talker) -> list[dict[str, Any]]:
    """Events up to ``response.done``, on however slow a machine."""
    events: list[dict[str, Any]] = []
    async with asyncio.timeout(300):
        while not events or events[-1]["type"] != "response.done":
            events.append(json.loads(await talker.socket.recv()))
    return events
