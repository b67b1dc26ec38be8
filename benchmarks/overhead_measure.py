"""The overhead bench: what the server itself costs, without the models.

Two questions, both asked of a server with fake engines: how long is the way from ``response.create`` to the first delta, and
how many open microphones does one core carry? For the second the voice activity detection is the real one, because it runs
for everybody all the time, and the server has one core to itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import psutil
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket

from vivavoce.audio.pcm import encode_pcm16
from vivavoce.client.address import ServerAddress
from vivavoce.client.connection import MAX_FRAME_BYTES, RealtimeClient, connect, realtime_url
from vivavoce.client.events import WIRE_RATE_HZ
from vivavoce.client.streaming import at_deadlines
from vivavoce.closing import CloseStack

KEEPS_UP_MS = 100.0
"""A server whose p95 lag is below this has not fallen behind: what it has not heard yet is a few frames."""

PROBES_PER_S = 2
PROBE = '{"type":"conversation.item.retrieve","item_id":"-","event_id":"%s"}'
LAST_PROBE = "probe_last"
ANSWERS_WITHIN_S = 60.0

ROOM_AMPLITUDE = 0.003
"""The noise of a quiet room: nobody speaks."""

CONFIG = """log_level = "warning"
[limits]
sessions = {sessions}
[engines]
speech_detector = "silero"
recognizer = "fake"
turn_scorer = "fake"
speakers = ["fake"]
[engines.language_models.large]
engine = "fake"
[engines.language_models.small]
engine = "fake"
"""


@dataclass(frozen=True, slots=True)
class FirstDeltas:
    """Milliseconds from sending ``response.create`` to the first text and the first audio."""

    text_ms: Sequence[float]
    audio_ms: Sequence[float]


@dataclass(slots=True)
class Listening:
    """Many open microphones. ``lags_ms``: how long a frame waited until the server had heard it and all before it.

    ``busy`` is the core time the server needed for a second of all their audio, ``late_ms`` how far this process was behind
    real time at worst.
    """

    sessions: int
    lags_ms: list[float] = field(default_factory=list)
    busy: float = 0.0
    late_ms: float = 0.0


def write_config(path: Path, *, sessions: int) -> None:
    """A server's settings: fake engines but for voice activity, and room for these sessions."""
    path.write_text(CONFIG.format(sessions=sessions), "utf-8")


@contextmanager
def cores(own: set[int]) -> Iterator[None]:
    """What is started in the block runs on these cores. Does nothing where a system has no such thing."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, own)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


# ---- from response.create to the first delta


async def first_deltas(server: ServerAddress, *, rounds: int) -> FirstDeltas:
    """Ask for short spoken replies in one conversation. Raises ``ConnectError``."""
    text_ms, audio_ms = [], []
    async with connect(server.url, api_key=server.api_key, tls=server.tls) as client:
        await client.update_session({"turn_detection": None})
        for _ in range(rounds):
            text, audio = await _first_delta(client)
            text_ms.append(text)
            audio_ms.append(audio)
    return FirstDeltas(text_ms, audio_ms)


async def _first_delta(client: RealtimeClient) -> tuple[float, float]:
    content = [{"type": "input_text", "text": "hello"}]
    await client.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
    await client.wait_for("conversation.item.created")
    asked_s = time.perf_counter()
    await client.send("response.create")
    text = await client.wait_for("response.audio_transcript.delta")
    audio = await client.wait_for("response.audio.delta")
    done = await client.wait_for("response.done")
    for item in done.nested("response")["output"]:  # the prompt stays short
        await client.send("conversation.item.delete", item_id=item["id"])
        await client.wait_for("conversation.item.deleted")
    return (text.arrived_s - asked_s) * 1000.0, (audio.arrived_s - asked_s) * 1000.0


# ---- open microphones


async def listening(
    server: ServerAddress, process: psutil.Process, *, sessions: int, seconds: float, chunk_ms: int
) -> Listening:
    """Hold ``sessions`` microphones open for ``seconds``. The first second does not count."""
    result = Listening(sessions)
    frames = _room_frames(chunk_ms)
    async with CloseStack() as stack:
        sockets = [stack.add(await _open(server)) for _ in range(sessions)]
        origin_s = time.perf_counter() + 0.2
        busy_s = _cpu_s(process)
        await asyncio.gather(
            *(
                _listen(socket, frames, origin_s + chunk_ms / 1000 * slot / sessions, seconds, chunk_ms, result)
                for slot, socket in enumerate(sockets)
            )
        )
        result.busy = (_cpu_s(process) - busy_s) / seconds
    return result


async def _open(server: ServerAddress) -> ClientConnection:
    socket = await open_socket(
        realtime_url(server.url, model="step-audio-2"),
        additional_headers={"Authorization": f"Bearer {server.api_key}"},
        compression=None,
        max_size=MAX_FRAME_BYTES,
        ping_interval=None,
        proxy=None,
    )
    await socket.recv()
    return socket


def _room_frames(chunk_ms: int) -> list[str]:
    """A second of a quiet room, ready to be sent."""
    size = WIRE_RATE_HZ * chunk_ms // 1000
    noise = np.random.default_rng(7).normal(0.0, ROOM_AMPLITUDE, size * (1000 // chunk_ms)).astype(np.float32)
    chunks = (encode_pcm16(noise[at : at + size]) for at in range(0, len(noise), size))
    return [
        json.dumps({"type": "input_audio_buffer.append", "audio": b64encode(chunk).decode("ascii")}) for chunk in chunks
    ]


async def _listen(
    socket: ClientConnection,
    frames: Sequence[str],
    origin_s: float,
    seconds: float,
    chunk_ms: int,
    listening: Listening,
) -> None:
    """One microphone. Now and then it asks for an item there is not: the answer comes when all before it is heard."""
    sent_at: dict[str, float] = {}
    reading = asyncio.create_task(_take_answers(socket, sent_at, listening))
    every = max(1000 // chunk_ms // PROBES_PER_S, 1)
    try:
        numbered = enumerate(islice(cycle(frames), round(seconds * 1000 / chunk_ms)))
        async for (number, frame), late_s in at_deadlines(numbered, origin_s=origin_s, period_s=chunk_ms / 1000):
            listening.late_ms = max(listening.late_ms, late_s * 1000.0)
            asked_now = number * chunk_ms >= 1000 and number % every == 0
            if asked_now:
                sent_at[f"probe_{number}"] = time.perf_counter()
            await socket.send(frame)
            if asked_now:
                await socket.send(PROBE % f"probe_{number}")
        await socket.send(PROBE % LAST_PROBE)
        await asyncio.wait_for(reading, ANSWERS_WITHIN_S)
    finally:
        reading.cancel()


async def _take_answers(socket: ClientConnection, sent_at: dict[str, float], listening: Listening) -> None:
    async for frame in socket:
        arrived_s = time.perf_counter()
        probe = json.loads(frame).get("error", {}).get("event_id")
        if probe == LAST_PROBE:
            return
        if probe in sent_at:
            listening.lags_ms.append((arrived_s - sent_at.pop(probe)) * 1000.0)


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
