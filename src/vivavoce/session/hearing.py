"""The listening half of a session: buffer, voice activity, turns, transcripts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypedDict

import msgspec

from vivavoce.audio.input_buffer import InputBuffer
from vivavoce.errors import ClientError
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.items import Item, Part
from vivavoce.protocol.session_config import TurnDetection
from vivavoce.session.conversation import Conversation
from vivavoce.session.outbox import Outbox
from vivavoce.session.signals import Heard, Listen, Recognised, RecognitionFailed, Transcribe
from vivavoce.session.turn import Turn, TurnEvent, TurnState
from vivavoce.turns.detector import Boundary, Started, Stopped, TurnDetector
from vivavoce.types import Language, Samples, Transcript

KEEP_MS = 1_000
"""Silence kept beside the prefix padding, so that a client may lengthen the padding at any time."""


class _Ids(TypedDict):
    item_id: str
    content_index: int


class Hearing:
    """Hears the user. It announces what it hears; whether to answer is the session's business."""

    def __init__(
        self, outbox: Outbox, conversation: Conversation, buffer: InputBuffer, detector: TurnDetector, *, limit_ms: int
    ) -> None:
        self._outbox = outbox
        self._conversation = conversation
        self._buffer = buffer
        self._detector = detector
        self._limit_ms = limit_ms
        self._turn = self._new_turn()
        self._pending: dict[tuple[str, int], Turn] = {}
        self.language: Language = "en"
        self.languages: dict[str, Language] = {}

    @property
    def speaking(self) -> bool:
        """Whether the user is speaking, as far as we can tell."""
        return self._turn.state is TurnState.SPEAKING

    @property
    def transcribing(self) -> bool:
        """Whether a transcript is still to come."""
        return bool(self._pending)

    # ---- audio

    def append(self, pcm: bytes, vad: TurnDetection | None) -> None:
        """More audio. Raises ``ClientError`` on half a sample, or when an uncommitted buffer is full."""
        if vad is None and self._buffer.duration_ms >= self._limit_ms:
            raise ClientError(
                f"The input audio buffer holds {self._limit_ms // 1000} s; commit or clear it first.",
                code="input_audio_buffer_full",
                param="audio",
            )
        self._buffer.append(pcm)
        if vad is not None and (frames := self._buffer.take_frames()) is not None:
            self._outbox.command(Listen(frames))

    def heard(self, signal: Heard, vad: TurnDetection) -> Iterator[Boundary]:
        """Announce where speech starts, and yield each boundary for the session to act on."""
        boundaries = self._detector.hear(
            signal.position,
            signal.probabilities,
            threshold=vad.threshold,
            silence_duration_ms=vad.silence_duration_ms,
        )
        for boundary in boundaries:
            match boundary:
                case Started(position=position):
                    self._speech_started(position, vad)
                case Stopped():
                    self._speech_stopped(boundary)
            yield boundary
        if not self.speaking:
            self._buffer.forget(self._buffer.end - self._buffer.to_samples(vad.prefix_padding_ms + KEEP_MS))
        elif self._buffer.duration_ms >= self._limit_ms:
            self._detector.reset()
            boundary = Stopped(self._buffer.end, self._buffer.end)
            self._speech_stopped(boundary)
            yield boundary

    def commit(self, now: float, *, automatic: bool, stop: Stopped | None = None) -> Turn:
        """Make a user item of the turn and have it transcribed. Raises ``ClientError`` if there is no audio."""
        start = max(self._turn.start, self._buffer.start)
        end = self._buffer.end if stop is None else stop.position
        samples = self._buffer.slice(start, end)
        if not len(samples):
            raise ClientError(
                "append is not called: the input audio buffer is empty.", code="input_audio_buffer_commit_empty"
            )
        turn = self._turn
        turn.automatic = automatic
        turn.marks.endpoint = now
        turn.marks.speech_end = now if stop is None else now - (end - stop.voiced_until) / self._buffer.rate_hz
        self._outbox.send(ev.AudioCommitted(previous_item_id=self._conversation.last_id, item_id=turn.item_id))
        self._conversation.add(Item(id=turn.item_id, role="user", content=(Part(type="input_audio", transcript=None),)))
        self._transcribe(turn, 0, samples)
        self._buffer.forget(end)
        self._detector.reset()
        self._turn = self._new_turn()
        return turn

    def clear(self) -> None:
        """Forget the audio not committed yet."""
        self._turn.happened(TurnEvent.CLEARED)
        self._buffer.clear()
        self._detector.reset()
        self._turn = self._new_turn()
        self._outbox.send(ev.AudioCleared())

    def transcribe_parts(self, item: Item, audio: dict[int, Samples]) -> None:
        """Recognise the audio parts of an item the client made; keys are content indexes."""
        for index, samples in audio.items():
            self._transcribe(Turn(item.id), index, samples)

    # ---- transcripts

    def recognised(self, signal: Recognised, now: float) -> Turn | None:
        """Take in a transcript; returns the turn it ends, or ``None`` if there is more to come.

        An utterance without words leaves no item behind when the detector, not the client, committed it.
        """
        if not isinstance(signal.event, Transcript):
            self._outbox.send(ev.TranscriptionDelta(**_ids(signal), delta=signal.event.text))
            return None
        turn = self._pending.pop((signal.item_id, signal.content_index), None)
        if turn is None:
            return None
        text = signal.event.text
        turn.marks.note("transcript", now)
        turn.happened(TurnEvent.WORDS if text else TurnEvent.NO_WORDS)
        if text:
            self.language = self.languages[signal.item_id] = signal.event.language
        if signal.item_id in self._conversation:
            self._set_transcript(signal.item_id, signal.content_index, text)
            self._outbox.send(ev.TranscriptionCompleted(**_ids(signal), transcript=text))
            if not text and turn.automatic:
                self._conversation.delete(signal.item_id)
        return turn

    def failed(self, signal: RecognitionFailed) -> Turn | None:
        """The recogniser failed: tell the client; the item stays, without words."""
        turn = self._pending.pop((signal.item_id, signal.content_index), None)
        if turn is None:
            return None
        turn.happened(TurnEvent.RECOGNITION_FAILED)
        body = ev.ErrorBody(type="server_error", code="transcription_failed", message=signal.message)
        self._outbox.send(ev.TranscriptionFailed(**_ids(signal), error=body))
        return turn

    # ---- inside

    def _new_turn(self) -> Turn:
        return Turn(self._outbox.new_id("msg"), start=self._buffer.start)

    def _speech_started(self, position: int, vad: TurnDetection) -> None:
        self._turn.happened(TurnEvent.SPEECH_STARTED)
        padded = position - self._buffer.to_samples(vad.prefix_padding_ms)
        self._turn.start = max(padded, self._buffer.start, 0)
        start_ms = self._buffer.to_ms(self._turn.start)
        self._outbox.send(ev.SpeechStarted(audio_start_ms=start_ms, item_id=self._turn.item_id))

    def _speech_stopped(self, boundary: Stopped) -> None:
        end_ms = self._buffer.to_ms(boundary.position)
        self._outbox.send(ev.SpeechStopped(audio_end_ms=end_ms, item_id=self._turn.item_id))

    def _transcribe(self, turn: Turn, content_index: int, samples: Samples) -> None:
        turn.happened(TurnEvent.COMMITTED)
        self._pending[turn.item_id, content_index] = turn
        self._outbox.command(Transcribe(turn.item_id, content_index, samples))

    def _set_transcript(self, item_id: str, index: int, text: str) -> None:
        item = self._conversation.get(item_id)
        parts = list(item.parts)
        parts[index] = msgspec.structs.replace(parts[index], transcript=text)
        self._conversation.replace(msgspec.structs.replace(item, content=tuple(parts)))


def _ids(signal: Recognised | RecognitionFailed) -> _Ids:
    return {"item_id": signal.item_id, "content_index": signal.content_index}
