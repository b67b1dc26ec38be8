"""The engine: a reply's audio tokens → its sound, by a process of its own, with one of the configured clips as the voice."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import queue
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import Field
from typing_extensions import override

from vivavoce.audio.recordings import read_recording
from vivavoce.audio.silence import trim
from vivavoce.engines.audio_tokens import AudioTokenDecoder, AudioTokenOptions
from vivavoce.engines.base import EngineContext, needs_weights
from vivavoce.engines.settings import EngineSettings
from vivavoce.engines.token2wav.process import ENGINE, ChildModel, DecodingProcess, died_error
from vivavoce.errors import ClientError, EngineError
from vivavoce.extras import missing_extra
from vivavoce.types import Samples

RATE_HZ = 24_000
TOKEN_SAMPLES = 960
"""Of a token: there are 25 a second."""

WEIGHTS = "step-audio-2-token2wav"
FILES = ("flow.yaml", "flow.pt", "hift.pt", "campplus.onnx", "speech_tokenizer_v2_25hz.onnx")

LEAD_SAMPLES = 10 * RATE_HZ
"""Speech that may be in the making, and made and not taken yet; then no more tokens are sent."""

SENT_TOKENS = 25
"""Tokens of one frame, at most."""

_HELD_TOKENS = 16
"""More than what is looked ahead to and faded over: beyond a chunk and these, the process owes speech."""

SILENT_S = 60.0
"""A process that owes speech and says nothing for so long is ended."""

PREPARE_S = 300.0
"""For the first voice's clip, when the server starts."""

MIN_CLIP_S, MAX_FILE_S = 1.0, 60.0

Heard: TypeAlias = Samples | EngineError | None
"""What becomes of a reply: a piece of its sound, that it failed, or that it is whole."""


class Token2WavSettings(EngineSettings):
    """``engines.settings.token2wav``. ``voices``: by name, the file of each reference clip; the first speaks unless another is
    asked for. ``folder``: files of one's own, not the catalogue's.
    """

    voices: dict[str, Path] = Field(min_length=1)
    folder: Path | None = None
    steps: int = Field(default=10, ge=1, le=50)
    """Of the flow: more make it better and slower."""

    chunk_tokens: int = Field(default=25, ge=5, le=100)
    """Tokens of a chunk: fewer make the first sound earlier, and all of it dearer."""

    clip_s: float = Field(default=10.0, ge=MIN_CLIP_S, le=30.0)
    """So much of each clip is used; a second takes 66 MB while its voice is remembered."""

    cached_voices: int = Field(default=2, ge=1)
    """Voices whose clips stay read. Reading one takes as long as speaking for as long."""

    parallel: int = Field(default=2, ge=1)
    """Replies that are made at once; others wait."""


@dataclass(frozen=True, slots=True)
class _Clip:
    samples: Samples
    digest: str


class _Reply:
    """One reply, on the event loop: what has been heard of it, and how far its tokens are ahead of what was taken."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[Heard | Exception] = asyncio.Queue()
        self.ahead_samples = 0
        self.all_sent = False
        self._taken = asyncio.Event()

    async def sends(self, tokens: int) -> None:
        """Wait until so many more may be sent."""
        while self.ahead_samples > LEAD_SAMPLES:
            self._taken.clear()
            await self._taken.wait()
        self.ahead_samples += tokens * TOKEN_SAMPLES

    def takes(self, samples: int) -> None:
        """So many were handed on."""
        self.ahead_samples -= samples
        self._taken.set()


class Token2WavDecoder(AudioTokenDecoder):
    """Decodes up to ``parallel`` replies at once in one process; it is started again when it has ended."""

    rate_hz = RATE_HZ

    def __init__(self, model: ChildModel, clips: Mapping[str, Samples], parallel: int) -> None:
        self._clips = {
            name: _Clip(samples, hashlib.sha256(samples.tobytes()).hexdigest()) for name, samples in clips.items()
        }
        self._process = DecodingProcess(model, self._hears, self._fails)
        self._owed_samples = (model.chunk_tokens + _HELD_TOKENS) * TOKEN_SAMPLES
        self._slots = asyncio.Semaphore(parallel)
        self._numbers = itertools.count()
        self._replies: dict[int, Callable[[Heard], object]] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=ENGINE)
        self._closed = False

    @property
    @override
    def voices(self) -> Collection[str]:
        """Those that have clips."""
        return tuple(self._clips)

    def prepare(self) -> None:
        """Start the process and have it read the first voice's clip, blocking. Raises ``EngineError``."""
        heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
        number = next(self._numbers)
        self._replies[number] = heard.put
        try:
            self._begin(number, next(iter(self._clips.values())))
            self._process.say({"number": number, "last": True})
            answer = heard.get(timeout=PREPARE_S)
        except queue.Empty:
            answer = EngineError(ENGINE, f"its process did not read a clip within {PREPARE_S:.0f} s")
        finally:
            del self._replies[number]
        if isinstance(answer, EngineError):
            raise answer

    @override
    async def decode(
        self, tokens: AsyncIterator[Sequence[int]], options: AudioTokenOptions
    ) -> AsyncGenerator[Samples, None]:
        name = next(iter(self._clips)) if options.voice is None else options.voice
        if name not in self._clips:
            raise EngineError(ENGINE, f"there is no voice '{name}', only {', '.join(self._clips)}")
        async with self._slots:
            if self._closed:
                raise EngineError(ENGINE, "is closed")
            number, reply, loop = next(self._numbers), _Reply(), asyncio.get_running_loop()
            self._replies[number] = lambda heard: loop.call_soon_threadsafe(reply.heard.put_nowait, heard)
            feeding = asyncio.create_task(self._feed(number, reply, tokens, self._clips[name]))
            whole = False
            try:
                while (heard := await self._next(reply)) is not None:
                    if isinstance(heard, Exception):
                        raise heard
                    reply.takes(len(heard))
                    yield heard
                whole = True
            finally:
                del self._replies[number]
                feeding.cancel()
                if not whole:
                    with suppress(RuntimeError):  # closed
                        self._thread.submit(self._stop, number)
                await asyncio.wait({feeding})

    async def _next(self, reply: _Reply) -> Heard | Exception:
        """What is heard of a reply next. A process that owes something and says nothing is ended, which is heard, too."""
        while True:
            try:
                async with asyncio.timeout(SILENT_S):
                    return await reply.heard.get()
            except TimeoutError:
                if reply.all_sent or reply.ahead_samples > self._owed_samples:
                    self._process.kill()

    async def _feed(self, number: int, reply: _Reply, tokens: AsyncIterator[Sequence[int]], clip: _Clip) -> None:
        """Begin the reply, and send its tokens as they come, not too far ahead. They are closed at the end."""
        try:
            await self._in_thread(self._begin, number, clip)
            async for run in tokens:
                for start in range(0, len(run), SENT_TOKENS):
                    sent = [int(token) for token in run[start : start + SENT_TOKENS]]
                    await reply.sends(len(sent))
                    await self._in_thread(self._process.say, {"number": number, "tokens": sent})
            await self._in_thread(self._process.say, {"number": number, "last": True})
            reply.all_sent = True
        except Exception as error:  # noqa: BLE001 - raised where the reply is read
            reply.heard.put_nowait(error)
        finally:
            if isinstance(tokens, AsyncGenerator):
                await tokens.aclose()

    async def _in_thread(self, work: Callable[..., None], *arguments: Any) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    def _begin(self, number: int, clip: _Clip) -> None:
        self._process.start()
        self._process.say({"number": number, "voice": clip.digest}, clip.samples)

    def _stop(self, number: int) -> None:
        with suppress(EngineError):
            self._process.say({"number": number, "stop": True})

    def _hears(self, header: dict[str, Any], samples: Samples) -> None:
        """By the thread that reads what the process says."""
        heard: Heard = samples
        if "error" in header:
            heard = EngineError(ENGINE, header["error"])
        elif "end" in header:
            heard = None
        self._tell(header["number"], heard)

    def _fails(self) -> None:
        """By the same thread: the process has ended."""
        for number in list(self._replies):
            self._tell(number, died_error())

    def _tell(self, number: int, heard: Heard) -> None:
        if tell := self._replies.get(number):
            with suppress(RuntimeError):  # its loop has ended
                tell(heard)

    @override
    def close(self) -> None:
        """End the process, whatever it does."""
        self._closed = True
        with closing(self._process):
            self._process.interrupt()
            for number in list(self._replies):
                self._tell(number, EngineError(ENGINE, "is closed"))
            self._thread.shutdown(wait=True, cancel_futures=True)


def _weights(settings: Mapping[str, Any]) -> Sequence[str]:
    _require_libraries()  # before anything is pulled
    return [WEIGHTS] if Token2WavSettings.model_validate(settings).folder is None else []


@needs_weights(_weights)
def load(context: EngineContext) -> Token2WavDecoder:
    """Entry point: the decoder, its process started and its first voice read. Raises ``EngineError``."""
    settings = Token2WavSettings.model_validate(context.settings)
    _require_libraries()
    clips = {name: _clip(name, path.expanduser(), settings.clip_s) for name, path in settings.voices.items()}
    folder = context.weights(WEIGHTS) if settings.folder is None else settings.folder.expanduser()
    if missing := [name for name in FILES if not (folder / name).is_file()]:
        raise EngineError(ENGINE, f"not in {folder}: {', '.join(missing)}")
    files = {name: folder / name for name in FILES}
    model = ChildModel(files, context.threads, settings.steps, settings.chunk_tokens, settings.cached_voices)
    decoder = Token2WavDecoder(model, clips, settings.parallel)
    try:
        decoder.prepare()
    except EngineError as error:
        decoder.close()
        raise EngineError(ENGINE, f"{error.message} (files in {folder})") from error
    return decoder


def _require_libraries() -> None:
    if missing := missing_extra("token2wav", "decoding audio tokens"):
        raise EngineError(ENGINE, missing)


def _clip(name: str, path: Path, clip_s: float) -> Samples:
    """The clip of a voice, ``float32[n]`` at 24 kHz, without the silence around it. Raises ``EngineError``."""
    try:
        samples = trim(read_recording(path, rate_hz=RATE_HZ, max_s=MAX_FILE_S), RATE_HZ)[: int(clip_s * RATE_HZ)]
    except (ClientError, OSError) as error:
        raise EngineError(ENGINE, f"the clip of voice '{name}' cannot be used: {error} ({path})") from error
    if len(samples) < MIN_CLIP_S * RATE_HZ:
        raise EngineError(ENGINE, f"the clip of voice '{name}' has less than {MIN_CLIP_S:.0f} s of sound ({path})")
    return samples
