"""What the recogniser is to read of the user's audio: while they speak, when a turn is committed, and in items."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vivavoce.audio.input_buffer import InputBuffer
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.items import Item
from vivavoce.protocol.languages import requested_language
from vivavoce.protocol.session_config import SessionConfig
from vivavoce.session.audio_backlog import AudioBacklog
from vivavoce.session.inputs import PartialTranscript, Recognised
from vivavoce.session.outbox import Outbox
from vivavoce.session.outputs import AwaitPartialTranscript, Transcribe, TranscribePartially
from vivavoce.session.partial_transcription import PartialRequest, PartialTranscription
from vivavoce.session.transcripts import PendingTranscript, Transcripts
from vivavoce.session.turn import Turn, TurnEvent
from vivavoce.session.voice_perception import SessionPerception
from vivavoce.turns.loudness import audible
from vivavoce.types import Language, Samples, Transcript

LIVE_BACKLOG_S = 30.0
"""With more audio than that before it, a turn is none of somebody who is speaking."""


@dataclass(frozen=True, slots=True)
class _LatePartial:
    """The partial transcript that was on its way when its turn was committed; ``work`` is what is done without it."""

    request: PartialRequest
    work: Transcribe


class UserTranscription:
    """Has the user's audio read. Positions are samples of ``buffer``; what comes of it is in ``transcripts``."""

    def __init__(
        self,
        outbox: Outbox,
        buffer: InputBuffer,
        transcripts: Transcripts,
        backlog: AudioBacklog,
        hearing: SessionPerception,
    ) -> None:
        self.hearing = hearing
        self._outbox = outbox
        self._buffer = buffer
        self.transcripts = transcripts
        self.backlog = backlog
        self._late: _LatePartial | None = None
        self._ready: list[Recognised] = []
        self._partial = PartialTranscription(buffer.rate_hz)

    @property
    def transcript(self) -> Transcript | None:
        """All that is understood of what is being said, as far as it has been read."""
        return self._partial.transcript

    @property
    def language(self) -> Language:
        """What is being spoken, as far as is known."""
        so_far = self.transcript
        return self.transcripts.language if so_far is None else so_far.language

    def covers(self, voiced_until: int) -> bool:
        """Whether there is a partial transcript that leaves out nothing that was said until ``voiced_until``."""
        request = self._partial.covering(voiced_until)
        return request is not None and request.transcript is not None

    # ---- a turn

    def begin_turn(self) -> None:
        """What is read from now on is of a new turn."""
        self._partial = PartialTranscription(self._buffer.rate_hz)

    def transcribe_so_far(self, turn: Turn, turn_start: int, voiced_until: int, config: SessionConfig) -> None:
        """Have what was said so far read, where that is of use."""
        start = max(turn_start, self._partial.stable_until)
        end = self._buffer.end
        if self._late is None and self._partial.is_due(start, voiced_until, end):
            self._partial.requested(start, voiced_until, end)
            samples = self._buffer.slice(start, end)
            self._outbox.command(TranscribePartially(turn.item_id, end, samples, *self._hints(config)))

    def partially_transcribed(
        self, result: PartialTranscript, turn: Turn, turn_start: int, config: SessionConfig
    ) -> Recognised | None:
        """Take a partial transcript in: tell the words that are certain now, or return it if its turn has ended with it.

        What is not of the ``turn`` being spoken or awaited comes too late and is nothing.
        """
        late = self._late
        if late is not None and (result.item_id, result.until) == (late.work.item_id, late.request.until):
            self._late = None
            if result.transcript is not None:
                self.transcripts.is_whole(result.item_id)
                return Recognised(result.item_id, 0, late.request.before.followed_by(result.transcript))
            self._request(late.work)
        elif result.item_id == turn.item_id:
            delta = self._partial.partially_transcribed(result.until, result.transcript)
            if delta:
                self._outbox.send(
                    ev.TranscriptionDelta(
                        item_id=result.item_id, content_index=0, delta=delta, text=self._partial.sent_text,
                        start_ms=self._buffer.to_ms(turn_start), end_ms=self._buffer.to_ms(self._buffer.end),
                        requested=config.transcription is not None,
                    )
                )  # fmt: skip
        return None

    def commit(self, turn: Turn, start: int, end: int, voiced_until: int | None, config: SessionConfig) -> None:
        """Have a committed turn transcribed; ``voiced_until`` is where its voice ended, if the detector has ended it.

        A partial transcript that left nothing out is the transcript: one that is there is in ``take_ready``, one on its way
        comes through ``partially_transcribed``.
        """
        samples = self._buffer.slice(start, end)
        self._add_pending(turn, 0, samples, config, self._partial)
        remaining = self._buffer.slice(max(start, self._partial.stable_until), end)
        request = None if voiced_until is None else self._partial.covering(voiced_until)
        if config.transcription is not None and config.transcription.full_rerun_on_commit:
            self.transcripts.is_whole(turn.item_id)
            self._transcribe(turn, 0, samples, config)
        elif request is None:
            self._transcribe(turn, 0, remaining, config)
        elif request.transcript is None:
            self._late = _LatePartial(request, Transcribe(turn.item_id, 0, remaining, *self._hints(config)))
            self._outbox.command(AwaitPartialTranscript(turn.item_id, request.until))
        else:
            self.transcripts.is_whole(turn.item_id)
            self._ready.append(Recognised(turn.item_id, 0, request.transcript))

    def take_ready(self) -> list[Recognised]:
        """The transcripts that were there when their audio was committed; each once."""
        ready, self._ready = self._ready, []
        return ready

    # ---- items

    def require_room(self, audio: Iterable[Samples], param: str) -> None:
        """Raises ``ClientError`` when the audio parts of items have to wait behind too much."""
        more_s = sum(map(len, audio)) / self._buffer.rate_hz
        if more_s and self.backlog.seconds:
            self.backlog.require(more_s, param)

    def transcribe_parts(self, item: Item, audio: dict[int, Samples], config: SessionConfig) -> None:
        """Recognise the audio parts of an item the client made; keys are content indexes."""
        for index, samples in audio.items():
            turn = Turn(item.id, spoken=False)
            turn.happened(TurnEvent.COMMITTED)
            self._add_pending(turn, index, samples, config)
            self._transcribe(turn, index, samples, config)

    # ---- inside

    def _add_pending(
        self,
        turn: Turn,
        index: int,
        samples: Samples,
        config: SessionConfig,
        partial: PartialTranscription | None = None,
    ) -> None:
        pending = PendingTranscript(
            turn,
            index,
            len(samples) / self._buffer.rate_hz,
            config.transcription is not None,
            itn=config.transcription is not None and config.transcription.enable_itn,
            start_ms=self._buffer.to_ms(turn.start),
        )
        if partial is not None:
            pending.stable_prefix, pending.sent_text = partial.stable_prefix, partial.sent_text
        self.transcripts.add_pending(pending)

    def _transcribe(self, turn: Turn, index: int, samples: Samples, config: SessionConfig) -> None:
        if audible(samples, self._buffer.rate_hz):
            live = turn.spoken and self.backlog.seconds <= LIVE_BACKLOG_S
            self._request(Transcribe(turn.item_id, index, samples, *self._hints(config), live=live))
        else:
            self._ready.append(Recognised(turn.item_id, index, Transcript("", "en")))

    def _request(self, work: Transcribe) -> None:
        self.backlog.begun(work)
        self._outbox.command(work)

    def _hints(self, config: SessionConfig) -> tuple[Language | None, str | None, bool]:
        """The language and the words the client told to expect, and whether to listen for more than words."""
        transcription, perceive = config.transcription, self.hearing.wanted(config)
        if transcription is None:
            return None, None, perceive
        return requested_language(transcription.language), transcription.prompt, perceive
