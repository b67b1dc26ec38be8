"""Microphone and loudspeaker, for a conversation by voice. Needs ``pip install 'vivavoce[audio]'``."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import ModuleType
from typing import Any

import numpy as np

from vivavoce.audio.pcm import encode_pcm16
from vivavoce.client.connection import RealtimeClient
from vivavoce.client.events import WIRE_RATE_HZ, ReceivedEvent
from vivavoce.client.streaming import CHUNK_MS, running
from vivavoce.client.turn import OnEvent
from vivavoce.errors import VivavoceError
from vivavoce.extras import install_hint
from vivavoce.types import Samples

_BLOCK_SAMPLES = WIRE_RATE_HZ * CHUNK_MS // 1000
_QUEUED_BLOCKS = 100
_CARD_DELAY_S = 0.3
"""What a sound card may still hold when the last sample has been handed to it."""


class AudioDeviceError(VivavoceError):
    """There is no way to record or play on this machine; the message says what to do."""


def load_sounddevice() -> ModuleType:
    """The ``sounddevice`` module. Raises ``AudioDeviceError`` when it, or PortAudio under it, is not installed."""
    try:
        import sounddevice
    except ImportError as error:
        raise AudioDeviceError(install_hint("audio", "microphone and loudspeaker")) from error
    except OSError as error:
        raise AudioDeviceError(
            f"sounddevice is here, but PortAudio is not ({error}): apt install libportaudio2, or brew install portaudio"
        ) from error
    module: ModuleType = sounddevice
    return module


class PlaybackBuffer:
    """What is still to be played: filled by the conversation, emptied by the sound card's own thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: Samples = np.zeros(0, np.float32)

    def add(self, samples: Samples) -> None:
        """Queue samples behind what is waiting."""
        with self._lock:
            self._waiting = np.concatenate([self._waiting, samples])

    def flush(self) -> None:
        """Forget what is waiting: the user is speaking."""
        with self._lock:
            self._waiting = self._waiting[:0]

    def take(self, count: int) -> Samples:
        """The next ``count`` samples, filled up with silence."""
        with self._lock:
            played, self._waiting = self._waiting[:count], self._waiting[count:]
        return np.pad(played, (0, count - len(played)))


class BlockQueue:
    """Blocks from the microphone's thread to the event loop. When full, the oldest block is dropped."""

    def __init__(self, loop: asyncio.AbstractEventLoop, size: int = _QUEUED_BLOCKS) -> None:
        self._loop = loop
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(size)

    def push_from_thread(self, block: Samples) -> None:
        """Hand over one block, ``float32[n]`` at 24 kHz."""
        self._loop.call_soon_threadsafe(self._enqueue, encode_pcm16(block))

    def _enqueue(self, pcm16: bytes) -> None:
        if self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(pcm16)

    async def get(self) -> bytes:
        """The next block as pcm16."""
        return await self._queue.get()


@asynccontextmanager
async def loudspeaker() -> AsyncIterator[PlaybackBuffer]:
    """Play what is put into the buffer. Raises ``AudioDeviceError``."""
    sounddevice = load_sounddevice()
    buffer = PlaybackBuffer()

    def fill(out: Any, frames: int, _time: object, _status: object) -> None:
        out[:, 0] = buffer.take(frames)

    with _opened(sounddevice, sounddevice.OutputStream, "play", fill):
        yield buffer


def _opened(sounddevice: ModuleType, kind: Any, verb: str, callback: Any) -> Any:
    try:
        return kind(
            samplerate=WIRE_RATE_HZ,
            channels=1,
            dtype="float32",
            blocksize=_BLOCK_SAMPLES,
            latency="low",
            callback=callback,
        )
    except (sounddevice.PortAudioError, ValueError) as error:
        raise AudioDeviceError(f"No device to {verb} with: {error}. `vivavoce doctor` lists what is there.") from error


async def play(samples: Samples) -> None:
    """Play to the end on the default loudspeaker. Raises ``AudioDeviceError``."""
    async with loudspeaker() as buffer:
        buffer.add(samples)
        await asyncio.sleep(len(samples) / WIRE_RATE_HZ + _CARD_DELAY_S)


async def talk_live(client: RealtimeClient, on_event: OnEvent) -> None:
    """Speak and listen until cancelled. When the user starts to speak, what is left of the reply is not played.

    Raises ``AudioDeviceError`` and ``ConnectError``.
    """
    sounddevice = load_sounddevice()
    blocks = BlockQueue(asyncio.get_running_loop())

    def hear(block: Any, _frames: int, _time: object, _status: object) -> None:
        blocks.push_from_thread(block[:, 0].copy())

    async with loudspeaker() as buffer:
        with _opened(sounddevice, sounddevice.InputStream, "record", hear):
            async with running(_send_blocks(client, blocks)):
                while True:
                    event = await client.receive()
                    if event is not None:
                        play_event(event, buffer)
                        on_event(event)


async def _send_blocks(client: RealtimeClient, blocks: BlockQueue) -> None:
    while True:
        await client.append(await blocks.get())


def play_event(event: ReceivedEvent, buffer: PlaybackBuffer) -> None:
    """Play audio as it comes; fall silent when the user speaks."""
    match event.type:
        case "response.audio.delta":
            buffer.add(event.samples)
        case "input_audio_buffer.speech_started":
            buffer.flush()
