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
from vivavoce.engines.base import Speaker
from vivavoce.errors import ClientError, EngineError
from vivavoce.http.auth import grant_of
from vivavoce.http.connection import SocketConnection
from vivavoce.http.errors import STATUS_OF_CODE, error_response
from vivavoce.http.ongoing import server_stopping
from vivavoce.http.serving import Serving
from vivavoce.protocol.speech_events import Create, TextDelta, TextDone, TextFlush, read_event
from vivavoce.runtime.seats import patiently
from vivavoce.speech.models import speech_model
from vivavoce.speech.order import SPOKEN_HERE
from vivavoce.speech.sentences import Sentence
from vivavoce.speech.stream import SpeechStream, Voicing
from vivavoce.speech.subtitles import Subtitler
from vivavoce.speech.synthesis import FileShape, Recorder, joined, speak
from vivavoce.text.languages import named, unreadable
from vivavoce.types import ClauseSpoken, Samples, Speech

log = logging.getLogger(__name__)
router = APIRouter()

IDLE_S = 60.0
"""A client that says nothing for so long, while nothing is spoken, is not there."""

SENTENCES_AHEAD = 32
PLACE_WITHIN_S = 30.0
"""How long a sentence may wait for a place: others speak meanwhile."""

MOST_S = 1800.0
"""Speech of one connection: all of it is sent once more, in one piece, when it is over."""

NORMAL, GOING_AWAY, POLICY_VIOLATION, INTERNAL_ERROR = 1000, 1001, 1008, 1011


@router.websocket("/v1/realtime/audio")
@router.websocket("/step_plan/v1/realtime/audio")
async def realtime_audio(socket: WebSocket) -> None:
    """Streaming text to speech. What cannot be served is refused before the upgrade."""
    serving: Serving = socket.app.state.serving
    async with AsyncExitStack() as places:
        try:
            grant = grant_of(socket)
            model = speech_model(socket.query_params.get("model", ""), serving.config.tiers.aliases)
            _ = serving.engines
            key_over = asyncio.Event()
            begin = partial(serving.key_use.begin_session, grant.key, key_over.set)
            places.callback(await patiently(begin, serving.vacancies))
            async with serving.requests.taken_for(grant.owner):
                pass  # there is one; it is held while something is spoken, not while nothing is said
        except ClientError as error:
            await socket.send_denial_response(error_response(error))
            return
        places.enter_context(serving.ongoing.socket())
        await socket.accept()
        stream = SpeechStream(model, now_ms=lambda: int(time.time() * 1000))
        await _Speaking(SocketConnection(socket), serving, grant.owner, stream, key_over).serve()


class _Over(Exception):  # noqa: N818 (it ends a connection, well or not)
    """The connection is to be closed with this code."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class _Speaking:
    """One connection being served, until ``key_over``."""

    def __init__(
        self,
        connection: SocketConnection,
        serving: Serving,
        owner: str,
        stream: SpeechStream,
        key_over: asyncio.Event,
    ) -> None:
        self._connection = connection
        self._serving = serving
        self._owner = owner
        self._stream = stream
        self._key_over = key_over
        self._sentences: asyncio.Queue[Sentence | None] = asyncio.Queue(SENTENCES_AHEAD)
        self._busy = False
        self._begun = False
        self._active_s = time.monotonic()

    async def serve(self) -> None:
        """Until the text is spoken, or the client has gone."""
        works = self._listen(), self._speak(), self._watch(), self._end_with_key(), self._end_with_server()
        tasks = [asyncio.ensure_future(work) for work in works]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except _Over as over:
            await self._connection.close(over.code, over.reason)
        except ConnectionError:
            log.debug("the client is gone")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _watch(self) -> None:
        """Ends the connection of a client that has nothing to say."""
        while (left_s := self._active_s + IDLE_S - time.monotonic()) > 0 or self._busy:  # noqa: ASYNC110 (no event)
            await asyncio.sleep(max(left_s, 1.0))
        raise _Over(NORMAL, f"nothing was said for {IDLE_S:g} s")

    async def _end_with_key(self) -> None:
        await self._key_over.wait()
        raise _Over(POLICY_VIOLATION, "the key is no longer valid")

    async def _end_with_server(self) -> None:
        """A stream that was begun may go on as long as the server waits for it."""
        ongoing = self._serving.ongoing
        await ongoing.draining.wait()
        if self._begun:
            await ongoing.stopping.wait()
            await self._connection.send(self._stream.refused(server_stopping(), 503))
        raise _Over(GOING_AWAY, "the server is going down")

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
            case TextDelta(text=text):
                self._begun = True
                await self._put(self._stream.text(text))
            case TextFlush():
                answer, sentences = self._stream.flush()
                await self._connection.send(answer)
                await self._put(sentences)
            case TextDone():
                await self._put([*self._stream.done(), None])

    async def _voice(self, name: str) -> str:
        try:
            return await self._serving.voices.usable(self._owner, name)
        except ClientError as error:
            error.param = "data.voice_id"
            raise

    async def _put(self, sentences: Sequence[Sentence | None]) -> None:
        for sentence in sentences:
            await self._sentences.put(sentence)

    # ---- the voice

    async def _speak(self) -> None:
        speaker, places = self._serving.engines.speaker, self._serving.requests
        sentence = await self._sentences.get()
        voice = _Voice(self._stream.voicing, self._stream, speaker, self._connection)
        try:
            while sentence is not None:
                self._busy = True
                if not await self._refused_unread(sentence, speaker):
                    async with places.taken_for(self._owner, patience_s=PLACE_WITHIN_S):
                        await voice.say(sentence)
                self._busy = False
                self._active_s = time.monotonic()
                sentence = await self._sentences.get()
            await voice.finish()
        except (ClientError, EngineError) as error:
            await self._connection.send(self._stream.refused(*_failure(error)))
            raise _Over(INTERNAL_ERROR if isinstance(error, EngineError) else POLICY_VIOLATION) from error
        raise _Over(NORMAL)

    async def _refused_unread(self, sentence: Sentence, speaker: Speaker) -> bool:
        """Whether the voice has no sounds for the sentence, which the client is told then."""
        languages = speaker.voices.get(self._stream.voicing.manner.voice, SPOKEN_HERE)
        if not all(unreadable(clause.spoken, languages) for clause in sentence.clauses):
            return False
        message = f"This voice does not read the sentence; it speaks {named(languages)}."
        error = ClientError(message, code="unsupported_value", param="data.text")
        await self._connection.send(self._stream.refused(error, 400))
        return True


def _failure(error: ClientError | EngineError) -> tuple[ClientError, int]:
    if isinstance(error, ClientError):
        return error, STATUS_OF_CODE.get(error.code, 400)
    log.error("%s", error)
    return ClientError(str(error), code="engine_error", type="server_error"), 503 if error.retriable else 500


class _Voice:
    """Speaks sentences to a client, and keeps the whole of it."""

    def __init__(self, voicing: Voicing, stream: SpeechStream, speaker: Speaker, connection: SocketConnection) -> None:
        self._voicing = voicing
        self._stream = stream
        self._speaker = speaker
        self._connection = connection
        shape = voicing.shape
        self._wav = shape.format == "wav"  # its header says how long it is: written when that is known
        self._recorder = Recorder(FileShape("pcm", shape.rate_hz) if self._wav else shape, speaker.rate_hz)
        self._subtitler = Subtitler(speaker.rate_hz)
        self._whole = bytearray()
        self._told = 0

    async def say(self, sentence: Sentence) -> None:
        """One sentence, with its frames. Raises ``ClientError`` when it all becomes too long, and ``EngineError``."""
        await self._connection.send(self._stream.sentence_begun(sentence))
        clause: list[Samples] = []
        async with aclosing(speak(sentence.clauses, self._voicing.manner, self._speaker)) as pieces:
            async for piece in pieces:
                match piece:
                    case Speech(samples=samples):
                        clause.append(samples)
                        await self._record(samples)
                    case ClauseSpoken(index=index):
                        await self._end_clause(sentence, index, joined(clause))
                        clause.clear()
        if self._voicing.joined:
            await self._send(b"", 0, last=True)
        await self._connection.send(self._stream.sentence_ended())
        subtitle = self._subtitler.flush()
        if self._voicing.subtitles and subtitle is not None:
            await self._connection.send(self._stream.subtitle(replace(subtitle, text=sentence.text)))

    async def finish(self) -> None:
        """All has been said: the end of the file, and the whole of it."""
        end = await self._recorder.finish()
        self._whole += end
        if self._voicing.joined and end:
            await self._send(end, 0, last=True)
        header = wav_header(self._voicing.shape.rate_hz, len(self._whole)) if self._wav else b""
        await self._connection.send(self._stream.ended(header + bytes(self._whole)))

    async def _record(self, samples: Samples) -> None:
        if self._recorder.taken + len(samples) > MOST_S * self._speaker.rate_hz:
            raise ClientError(f"A connection speaks for at most {MOST_S:g} s.", code="audio_too_long")
        async for data in self._recorder.write(samples):
            self._whole += data
            if self._voicing.joined:
                await self._send(data, self._recorder.taken - self._told, last=False)
                self._told = self._recorder.taken

    async def _end_clause(self, sentence: Sentence, index: int, samples: Samples) -> None:
        if self._voicing.subtitles:
            self._subtitler.add(sentence.clauses[index].text, samples)
        if not self._voicing.joined:
            shape = self._voicing.shape
            resampled = resample(samples, self._speaker.rate_hz, shape.rate_hz)
            file = await asyncio.to_thread(encode, resampled, shape.format, shape.rate_hz) if len(samples) else b""
            await self._send(file, len(samples), last=index == len(sentence.clauses) - 1)

    async def _send(self, data: bytes, samples: int, *, last: bool) -> None:
        duration_ms = samples * 1000 // self._speaker.rate_hz
        await self._connection.send(self._stream.audio(data, duration_ms, last=last))
