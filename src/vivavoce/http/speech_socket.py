"""WS ``/v1/realtime/audio``: text in pieces in, speech out (audio reference, section 2).

Two tasks: one reads the client, one speaks. What waits between them is bounded; when it is full, the client is not read.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from functools import partial

from fastapi import APIRouter, WebSocket

from vivavoce.audio.encoding import encode, wav_header
from vivavoce.audio.resample import resample
from vivavoce.engines.base import Synthesizer
from vivavoce.errors import ClientError, EngineError
from vivavoce.http.auth import principal_of
from vivavoce.http.connection import SocketConnection
from vivavoce.http.core import Core
from vivavoce.http.errors import STATUS_OF_CODE
from vivavoce.http.lifecycle import core_of
from vivavoce.http.ongoing import server_stopping
from vivavoce.protocol.speech_events import Create, SpeechTextDelta, SpeechTextDone, TextFlush, read_event
from vivavoce.runtime.slots import take_when_free
from vivavoce.speech.models import speech_model
from vivavoce.speech.sentences import Sentence
from vivavoce.speech.stream import TtsStream, TtsStreamOptions
from vivavoce.speech.subtitles import Subtitler
from vivavoce.speech.synthesis import FileEncoder, OutputFormat, joined, left_undone, speak
from vivavoce.speech.synthesis_request import LANGUAGE, SUPPORTED_LANGUAGES
from vivavoce.text.languages import foreign_language, language_list, partly_unreadable, unreadable
from vivavoce.types import ClauseSpoken, Samples, Speech
from vivavoce.waiting import first_of

log = logging.getLogger(__name__)
router = APIRouter()

IDLE_S = 60.0
"""A client that says nothing for so long, while nothing is spoken, is not there."""

SENTENCES_AHEAD = 32
SLOT_WITHIN_S = 30.0
"""How long a sentence may wait for a place: others speak meanwhile."""

MAX_S = 1800.0
"""Speech of one connection: all of it is sent once more, in one piece, when it is over."""

NORMAL, GOING_AWAY, POLICY_VIOLATION, INTERNAL_ERROR = 1000, 1001, 1008, 1011


@router.websocket("/v1/realtime/audio")
async def realtime_audio(socket: WebSocket) -> None:
    """Streaming text to speech. What cannot be served is refused before the upgrade."""
    core = core_of(socket)
    async with AsyncExitStack() as resources:
        principal = principal_of(socket)
        model = speech_model(socket.query_params.get("model", ""), core.config.tiers.aliases)
        key_over = asyncio.Event()
        begin = partial(core.key_use.begin_session, principal.key, key_over.set)
        resources.callback(await take_when_free(begin, core.slot_freed))
        async with core.request_slots.hold(principal.owner):
            pass  # there is one; it is held while something is spoken, not while nothing is said
        resources.enter_context(core.ongoing.socket())
        await socket.accept()
        stream = TtsStream(model, now_ms=lambda: int(time.time() * 1000))
        await _SpeechConnection(SocketConnection(socket), core, principal.owner, stream, key_over).serve()


class _ConnectionEnded(Exception):  # noqa: N818 (it ends a connection, well or not)
    """The connection is to be closed with this code."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class _SpeechConnection:
    """One connection being served, until ``key_over``."""

    def __init__(
        self,
        connection: SocketConnection,
        core: Core,
        owner: str,
        stream: TtsStream,
        key_over: asyncio.Event,
    ) -> None:
        self._connection = connection
        self._core = core
        self._owner = owner
        self._stream = stream
        self._key_over = key_over
        self._sentences: asyncio.Queue[Sentence | None] = asyncio.Queue(SENTENCES_AHEAD)
        self._busy = False
        self._has_text = False
        self._active_s = time.monotonic()

    async def serve(self) -> None:
        """Until the text is spoken, or the client has gone."""
        works = self._listen(), self._speak(), self._watch(), self._end_with_key(), self._end_with_server()
        try:
            for task in await first_of(*works):
                if not task.cancelled():
                    task.result()
        except _ConnectionEnded as ended:
            await self._connection.close(ended.code, ended.reason)
        except ConnectionError:
            log.debug("the client is gone")

    async def _watch(self) -> None:
        """Ends the connection of a client that has nothing to say."""
        while (left_s := self._active_s + IDLE_S - time.monotonic()) > 0 or self._busy:  # noqa: ASYNC110 (no event)
            await asyncio.sleep(max(left_s, 1.0))
        raise _ConnectionEnded(NORMAL, f"nothing was said for {IDLE_S:g} s")

    async def _end_with_key(self) -> None:
        await self._key_over.wait()
        raise _ConnectionEnded(POLICY_VIOLATION, "the key is no longer valid")

    async def _end_with_server(self) -> None:
        """A stream that was begun may go on as long as the server waits for it."""
        ongoing = self._core.ongoing
        await ongoing.draining.wait()
        if self._has_text:
            await ongoing.stopping.wait()
            await self._connection.send(self._stream.refused(server_stopping(), 503))
        raise _ConnectionEnded(GOING_AWAY, "the server is going down")

    # ---- the client

    async def _listen(self) -> None:
        """Returns when the client has gone."""
        await self._connection.send(self._stream.opened())
        async for frame in self._connection.frames():
            self._active_s = time.monotonic()
            try:
                await self._received(frame)
            except ClientError as error:
                await self._connection.send(self._stream.refused(error, STATUS_OF_CODE.get(error.code, 400)))

    async def _received(self, frame: str | bytes) -> None:
        match read_event(frame, self._stream.session_id):
            case Create() as wanted:
                await self._connection.send(self._stream.create(wanted, await self._voice(wanted.voice_id)))
            case SpeechTextDelta(text=text):
                self._has_text = True
                await self._put(self._stream.text(text))
            case TextFlush():
                answer, sentences = self._stream.flush()
                await self._connection.send(answer)
                await self._put(sentences)
            case SpeechTextDone():
                await self._put([*self._stream.done(), None])

    async def _voice(self, name: str) -> str:
        try:
            return await self._core.voices.resolve(self._owner, name)
        except ClientError as error:
            error.param = "data.voice_id"
            raise

    async def _put(self, sentences: Sequence[Sentence | None]) -> None:
        for sentence in sentences:
            await self._sentences.put(sentence)

    # ---- the voice

    async def _speak(self) -> None:
        synthesizer, resources = self._core.engines.synthesizer, self._core.request_slots
        sentence = await self._sentences.get()
        voice = _SentenceSynthesizer(self._stream.options, self._stream, synthesizer, self._connection)
        try:
            while sentence is not None:
                self._busy = True
                if not await self._refused_unread(sentence, synthesizer):
                    async with resources.hold(self._owner, timeout_s=SLOT_WITHIN_S):
                        await voice.say(sentence)
                self._busy = False
                self._active_s = time.monotonic()
                sentence = await self._sentences.get()
            await voice.finish()
        except (ClientError, EngineError) as error:
            await self._connection.send(self._stream.refused(*_failure(error)))
            raise _ConnectionEnded(INTERNAL_ERROR if isinstance(error, EngineError) else POLICY_VIOLATION) from error
        raise _ConnectionEnded(NORMAL)

    async def _refused_unread(self, sentence: Sentence, synthesizer: Synthesizer) -> bool:
        """Whether the voice has no sounds for the sentence, which the client is told then."""
        languages = synthesizer.voices.get(self._stream.options.synthesis.voice, SUPPORTED_LANGUAGES)
        if not all(unreadable(clause.spoken, languages) for clause in sentence.clauses):
            return False
        message = f"This voice does not read the sentence; it speaks {language_list(languages)}."
        error = ClientError(message, code="unsupported_value", param="data.text")
        await self._connection.send(self._stream.refused(error, 400))
        return True


def _failure(error: ClientError | EngineError) -> tuple[ClientError, int]:
    if isinstance(error, ClientError):
        return error, STATUS_OF_CODE.get(error.code, 400)
    log.error("%s", error)
    return ClientError(str(error), code="engine_error", type="server_error"), 503 if error.retriable else 500


class _SentenceSynthesizer:
    """Speaks sentences to a client, and keeps the whole of it."""

    def __init__(
        self, options: TtsStreamOptions, stream: TtsStream, synthesizer: Synthesizer, connection: SocketConnection
    ) -> None:
        self._options = options
        self._stream = stream
        self._synthesizer = synthesizer
        self._connection = connection
        output_format = options.output_format
        self._wav = output_format.format == "wav"  # its header says how long it is: written when that is known
        self._encoder = FileEncoder(
            OutputFormat("pcm", output_format.rate_hz) if self._wav else output_format, synthesizer.rate_hz
        )
        self._subtitler = Subtitler(synthesizer.rate_hz)
        self._audio = bytearray()
        self._announced = 0

    async def say(self, sentence: Sentence) -> None:
        """One sentence, with its frames. Raises ``ClientError`` when it all becomes too long, and ``EngineError``."""
        languages = self._synthesizer.voices.get(self._options.synthesis.voice, SUPPORTED_LANGUAGES)
        text = " ".join(clause.spoken for clause in sentence.clauses)
        by_other_rules = foreign_language(text, languages) or partly_unreadable(text, languages)
        undone = left_undone(sentence.clauses, self._options.synthesis, self._synthesizer)
        not_applied = ((LANGUAGE,) if by_other_rules else ()) + undone
        await self._connection.send(self._stream.sentence_started(sentence, not_applied))
        clause: list[Samples] = []
        async with aclosing(speak(sentence.clauses, self._options.synthesis, self._synthesizer)) as pieces:
            async for piece in pieces:
                match piece:
                    case Speech(samples=samples):
                        clause.append(samples)
                        await self._record(samples)
                    case ClauseSpoken(index=index):
                        await self._end_clause(sentence, index, joined(clause))
                        clause.clear()
        if self._options.joined:
            await self._send(b"", 0, last=True)
        await self._connection.send(self._stream.sentence_ended())
        subtitle = self._subtitler.flush()
        if self._options.subtitles and subtitle is not None:
            await self._connection.send(self._stream.subtitle(replace(subtitle, text=sentence.text)))

    async def finish(self) -> None:
        """All has been said: the end of the file, and the whole of it."""
        end = await self._encoder.finish()
        self._audio += end
        if self._options.joined and end:
            await self._send(end, 0, last=True)
        header = wav_header(self._options.output_format.rate_hz, len(self._audio)) if self._wav else b""
        await self._connection.send(self._stream.ended(header + bytes(self._audio)))

    async def _record(self, samples: Samples) -> None:
        if self._encoder.samples_in + len(samples) > MAX_S * self._synthesizer.rate_hz:
            raise ClientError(f"A connection speaks for at most {MAX_S:g} s.", code="audio_too_long")
        async for data in self._encoder.write(samples):
            self._audio += data
            if self._options.joined:
                await self._send(data, self._encoder.samples_in - self._announced, last=False)
                self._announced = self._encoder.samples_in

    async def _end_clause(self, sentence: Sentence, index: int, samples: Samples) -> None:
        if self._options.subtitles:
            self._subtitler.add(sentence.clauses[index].text, samples)
        if not self._options.joined:
            output_format = self._options.output_format
            resampled = resample(samples, self._synthesizer.rate_hz, output_format.rate_hz)
            file = (
                await asyncio.to_thread(encode, resampled, output_format.format, output_format.rate_hz)
                if len(samples)
                else b""
            )
            await self._send(file, len(samples), last=index == len(sentence.clauses) - 1)

    async def _send(self, data: bytes, samples: int, *, last: bool) -> None:
        duration_ms = samples * 1000 // self._synthesizer.rate_hz
        await self._connection.send(self._stream.audio(data, duration_ms, last=last))
