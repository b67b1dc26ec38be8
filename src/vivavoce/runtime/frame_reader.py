"""A client's frames on their way into its session: parsed, looked up, and in pieces that hold up nobody else."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

import msgspec

from vivavoce.errors import ClientError
from vivavoce.protocol.client_events import AnyClientEvent, AudioAppend
from vivavoce.protocol.translator import Translator
from vivavoce.runtime.lookups import Lookups
from vivavoce.runtime.session_end import ignore
from vivavoce.runtime.vad_batcher import VadBatcher
from vivavoce.session.inputs import Refused, SessionInput, SpeechProbabilities
from vivavoce.session.outputs import Listen
from vivavoce.session.session import Session

APPEND_SLICE_BYTES = 96_000
"""Two seconds of PCM16 at 24 kHz: longer appends are taken in slices, so that no other session waits for them."""

LARGE_FRAME = 256 * 1024
"""Frames of this size and more are parsed off the event loop."""


class FrameReader:
    """Reads the frames of one session's client, one at a time. ``receive`` gets what they say, in order."""

    def __init__(
        self,
        session: Session,
        translator: Translator,
        lookups: Lookups,
        vad: VadBatcher,
        receive: Callable[[SessionInput], None],
    ) -> None:
        self._session = session
        self._translator = translator
        self._lookups = lookups
        self._vad = vad
        self._speech = vad.detector.open()
        self._receive = receive
        self._unscored: deque[Listen] = deque()

    def listen(self, command: Listen) -> None:
        """Tell the session of the speech in these frames before anything else of its client's."""
        self._unscored.append(command)

    async def read(self, frame: str | bytes) -> None:
        """Have the session take one frame, and what is heard in its audio. Raises ``EngineError`` of the detector's."""
        try:
            if len(frame) >= LARGE_FRAME:
                event = await asyncio.to_thread(self._translator.decode, frame)
            else:
                event = self._translator.decode(frame)
        except ClientError as error:
            self._receive(Refused(error))
            return
        refusal = await self._lookups.refusal(event, frame)
        if refusal is not None:
            self._receive(Refused(refusal))
            return
        for _ in self._session.decode_ahead(event):
            await asyncio.sleep(0)
        slices = self._sliced(event)
        for piece in slices:
            self._receive(piece)
            while self._unscored:
                await self._detect_speech(self._unscored.popleft())
            if len(slices) > 1:
                await asyncio.sleep(0)

    def close(self) -> None:
        """The conversation is over: nothing here holds it any more."""
        self._receive = ignore

    def _sliced(self, event: AnyClientEvent) -> Sequence[SessionInput]:
        """The event, a long append in slices; as every event, it is taken whole or refused with one error."""
        if not isinstance(event, AudioAppend) or len(event.audio) <= APPEND_SLICE_BYTES:
            return [event]
        try:
            self._session.check_append(event)
        except ClientError as error:
            error.event_id = event.event_id
            return [Refused(error)]
        return [
            msgspec.structs.replace(event, audio=event.audio[start : start + APPEND_SLICE_BYTES])
            for start in range(0, len(event.audio), APPEND_SLICE_BYTES)
        ]

    async def _detect_speech(self, command: Listen) -> None:
        probabilities = [await self._vad.probability(self._speech, frame) for frame in command.frames.frames]
        self._receive(SpeechProbabilities(command.frames.position, probabilities))
