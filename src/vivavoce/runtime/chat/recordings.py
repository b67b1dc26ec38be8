"""The recordings of a chat request: from what the client sent to the words said in them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import ceil

from cachetools import TTLCache

from vivavoce.audio.pcm import encode_pcm16
from vivavoce.audio.recordings import RawFormat
from vivavoce.errors import ClientError
from vivavoce.net.fetching import Fetcher
from vivavoce.protocol.base64_text import from_base64
from vivavoce.protocol.chat.messages import AudioPart, ChatMessage, InputAudio, UserMessage
from vivavoce.runtime.chat.memory import Owned
from vivavoce.runtime.engines import Engines
from vivavoce.runtime.long_audio import transcribe_turn
from vivavoce.runtime.recognition import final_transcript
from vivavoce.scheduling import WorkOwner
from vivavoce.sound import MOST_HEARD_S
from vivavoce.types import Samples, TranscribeOptions, Transcript

SEGMENT_S = 25
MAX_SEGMENTS = 30
"""What a request may hold (chat reference, 4.2); it counts, but audio is cut where nobody speaks."""

MAX_FETCHED_BYTES = 10 * 1024 * 1024
FETCH_TIMEOUT_S = 20.0

RAW = RawFormat(24_000)
"""What ``pcm16`` means where a header does not say it."""

_DATA_URL = re.compile(r"data:[^,]{0,200};base64,", re.IGNORECASE)
_WEB_URL = re.compile(r"https?://", re.IGNORECASE)

Place = tuple[int, int]
"""Where a recording is: the number of its message, and of its part there."""


@dataclass(frozen=True, slots=True)
class ChatRecording:
    """One of them, as samples at the recogniser's rate; ``digest`` says what it was made from, and how."""

    digest: str
    samples: Samples


class RecordingReader:
    """Finds out what was said. ``fetcher`` is there if the server fetches recordings by URL.
    ``perceive``: more than words is listened for.

    ``audio_ms`` is how much audio there was. The recordings of the newest ``heard_turns`` messages that have any are ``heard``
    by the model, as PCM16, if they are not too long; with ``unread`` they are not transcribed as well.
    """

    def __init__(
        self,
        engines: Engines,
        transcripts: TTLCache[Owned, Transcript],
        owner: str,
        fetcher: Fetcher | None,
        *,
        perceive: bool = False,
        heard_turns: int = 0,
        unread: bool = False,
    ) -> None:
        self._perceive = perceive
        self._heard_turns = heard_turns
        self._unread = unread
        self.heard: Mapping[Place, bytes] = {}
        self._engines = engines
        self._transcripts = transcripts
        self._owner = owner
        self._fetcher = fetcher
        self.audio_ms = 0

    async def transcripts(self, messages: Sequence[ChatMessage]) -> Mapping[Place, Transcript]:
        """The transcript of every recording that is to be read. All are decoded before the first is heard, so that a bad one is
        known at once.

        Raises ``ClientError`` with the recording's ``param``, and ``EngineError``.
        """
        recordings = await self.recordings(messages)
        self.audio_ms = sum(len(recording.samples) for recording in recordings.values()) * 1000 // self.rate_hz
        self.heard = {place: encode_pcm16(recordings[place].samples) for place in self._to_hear(recordings)}
        if self._unread:
            recordings = {place: recording for place, recording in recordings.items() if place not in self.heard}
        uncached = [
            recording for recording in recordings.values() if (self._owner, recording.digest) not in self._transcripts
        ]
        live = len(uncached) <= 1  # many at once are not what somebody has just said
        return {place: await self._transcribe(recording, live=live) for place, recording in recordings.items()}

    async def recordings(self, messages: Sequence[ChatMessage]) -> Mapping[Place, ChatRecording]:
        """Every recording, decoded. Raises ``ClientError`` with the recording's ``param``."""
        recordings: dict[Place, ChatRecording] = {}
        segments_left = MAX_SEGMENTS
        for place, part in _audio_parts(messages):
            recordings[place] = await self._recording(part.input_audio, place, segments_left)
            segments_left -= ceil(len(recordings[place].samples) / (SEGMENT_S * self.rate_hz))
        return recordings

    def _to_hear(self, recordings: Mapping[Place, ChatRecording]) -> list[Place]:
        """Those that the model hears: of the newest messages, whole ones."""
        places: list[Place] = []
        left = MOST_HEARD_S * self.rate_hz
        for turn in sorted({number for number, _ in recordings}, reverse=True)[: self._heard_turns]:
            of_turn = [place for place in recordings if place[0] == turn]
            left -= sum(len(recordings[place].samples) for place in of_turn)
            if left < 0:
                break
            places += of_turn
        return places

    @property
    def rate_hz(self) -> int:
        """Of samples."""
        return self._engines.recognition.rate_hz

    async def _recording(self, audio: InputAudio, place: Place, segments_left: int) -> ChatRecording:
        param = f"messages[{place[0]}].content[{place[1]}].input_audio.data"
        try:
            return await self._decode(await self._bytes(audio, param), audio.format, segments_left)
        except ClientError as error:
            if error.code == "audio_too_long":
                error.message = f"The audio of a request is at most {MAX_SEGMENTS} segments of {SEGMENT_S} s."
            error.param = param
            raise

    async def _bytes(self, audio: InputAudio, param: str) -> str | bytes:
        """Base64 as it is, or what is at a URL."""
        if not _WEB_URL.match(audio.data):
            return audio.data
        if self._fetcher is None:
            raise ClientError("This server does not fetch audio by URL; send it as base64.", code="url_not_allowed")
        fetched = await self._fetcher.fetch(
            audio.data, max_bytes=MAX_FETCHED_BYTES, timeout_s=FETCH_TIMEOUT_S, param=param
        )
        return fetched.content

    async def _decode(self, data: str | bytes, format: str | None, segments_left: int) -> ChatRecording:
        content = data if isinstance(data, bytes) else await asyncio.to_thread(_encoded_audio, data)
        raw = RAW if format in ("pcm", "pcm16") else None
        max_s = max(segments_left, 0) * SEGMENT_S
        if not max_s:
            raise ClientError("There are too many.", code="audio_too_long")
        samples = await self._engines.decoder.decode(content, rate_hz=self.rate_hz, max_s=max_s, raw=raw)
        digest = (await asyncio.to_thread(sha256, content)).hexdigest()
        # The same bytes are another recording when they are taken for headerless PCM.
        return ChatRecording(f"{digest}{' raw' if raw else ''}{' perceived' if self._perceive else ''}", samples)

    async def _transcribe(self, recording: ChatRecording, *, live: bool) -> Transcript:
        cached = self._transcripts.get((self._owner, recording.digest))
        if cached is not None:
            return cached
        events = transcribe_turn(
            self._engines.recognition,
            self._engines.vad,
            recording.samples,
            TranscribeOptions(encoding=self._perceive),
            WorkOwner(self._owner, self),
            live=live,
        )
        self._transcripts[self._owner, recording.digest] = transcript = await final_transcript(events)
        return transcript


def _audio_parts(messages: Sequence[ChatMessage]) -> list[tuple[Place, AudioPart]]:
    return [
        ((number, index), part)
        for number, message in enumerate(messages)
        if isinstance(message, UserMessage) and not isinstance(message.content, str)
        for index, part in enumerate(message.content)
        if isinstance(part, AudioPart)
    ]


def _encoded_audio(data: str) -> bytes:
    """Of a data URL, or bare. Raises ``ClientError``."""
    start = _DATA_URL.match(data)
    if start is None and data[:5].lower() == "data:":
        raise ClientError("A data URL of audio is 'data:audio/…;base64,…'.", code="invalid_audio")
    try:
        return from_base64(data[start.end() if start else 0 :])
    except ValueError as error:
        raise ClientError("The audio is not valid base64.", code="invalid_audio") from error
