"""The listening half of a session: buffer, voice activity, turns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from vivavoce.audio.formats import duration_ms
from vivavoce.audio.input_buffer import InputBuffer
from vivavoce.errors import ClientError
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.items import Item, Part
from vivavoce.protocol.session_config import SessionConfig, TurnDetection
from vivavoce.scripts import joined
from vivavoce.session.arrival import Arrival
from vivavoce.session.audio_backlog import AudioBacklog
from vivavoce.session.conversation import Conversation
from vivavoce.session.endpointing import Endpointing
from vivavoce.session.outbox import Outbox
from vivavoce.session.overhearing import Overhearing, Reading
from vivavoce.session.signals import (
    FinishReading,
    Heard,
    Listen,
    Overhear,
    Overheard,
    Recognised,
    Scored,
    ScoreTurn,
    Transcribe,
)
from vivavoce.session.transcripts import Expected, Transcripts
from vivavoce.session.turn import Turn, TurnEvent, TurnState
from vivavoce.turns.detector import MIN_SPEECH_MS, Boundary, Started, Stopped, TurnDetector
from vivavoce.turns.loudness import audible
from vivavoce.types import Samples, Transcript

KEEP_MS = 1_000
"""Silence kept beside the prefix padding, so that a client may lengthen the padding at any time."""

LIVE_BACKLOG_S = 30.0
"""With more audio than that before it, a turn is none of somebody who is speaking."""


@dataclass(frozen=True, slots=True)
class _Late:
    """The ``reading`` that was on its way when its turn was committed; ``work`` is what is done without it."""

    reading: Reading
    work: Transcribe


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
        self._late: _Late | None = None
        self._taken_until = 0
        self._heard_until = 0
        self._ended_by_detector = False
        self.arrival = Arrival()
        self._known: list[Recognised] = []
        self.detecting = True
        self.transcripts = Transcripts(outbox, conversation)
        self.backlog = AudioBacklog(buffer.rate_hz, limit_ms / 1000)
        self._begin_turn()

    @property
    def speaking(self) -> bool:
        """Whether the user is speaking, as far as we can tell: not without ``detecting`` it."""
        return self.detecting and self._turn.state is TurnState.SPEAKING

    @property
    def attends(self) -> bool:
        """Whether the user is speaking, as far as anybody can tell, or waits for the transcript of what they have said."""
        talks = self.speaking or (not self.detecting and self._buffer.duration_ms > 0)
        return talks or self.transcripts.of_turns

    @property
    def voiced_until(self) -> int:
        """The sample up to which there was voice in what is being said."""
        return self._detector.voiced_until

    @property
    def speech_ms(self) -> int:
        """How long the user has been speaking in this turn."""
        return self._speech_ms(self.voiced_until)

    @property
    def all_read(self) -> bool:
        """Whether there is a reading that leaves out nothing of what is being said."""
        reading = self._overhearing.covering(self.voiced_until)
        return reading is not None and reading.transcript is not None

    @property
    def said(self) -> Transcript | None:
        """All that is understood of what is being said, as far as it has been read."""
        return self._overhearing.said

    def current(self, item_id: str) -> bool:
        """Whether this will be the item of the audio not committed yet."""
        return item_id == self._turn.item_id

    @property
    def _turn_start(self) -> int:
        """The first sample of the turn that is still kept."""
        return max(self._turn.start, self._buffer.start)

    # ---- audio

    def check_append(self, audio: bytes, config: SessionConfig) -> None:
        """Raises ``ClientError`` when ``audio`` ends within a sample, the buffer has no room for all of it, or too much audio
        waits for its transcript.
        """
        kept_ms, more_ms = self._buffer.duration_ms, duration_ms(audio, config.input_audio_format)
        if config.turn_detection is None and kept_ms + more_ms > self._limit_ms:
            raise ClientError(
                f"The input audio buffer holds {kept_ms / 1000:g} s of at most {self._limit_ms / 1000:g} s: "
                f"{more_ms / 1000:g} s more do not fit. Commit or clear it first.",
                code="input_audio_buffer_full",
                param="audio",
            )
        self.backlog.require((kept_ms + more_ms) / 1000, "audio")

    def append(self, audio: bytes, config: SessionConfig, now: float) -> None:
        """More audio, which ``check_append`` has let pass."""
        decoded_s = self._buffer.append(audio) / self._buffer.rate_hz
        # What has come, as far as its bytes tell: resampling holds a little back. Ogg tells only when it is decoded.
        self.arrival.came(duration_ms(audio, config.input_audio_format) / 1000 or decoded_s, now)
        if config.turn_detection is None:
            self._overhear(self._buffer.end, config)
        elif (frames := self._buffer.take_frames()) is not None:
            self._outbox.command(Listen(frames))

    def heard(self, signal: Heard, config: SessionConfig, vad: TurnDetection, now: float) -> Iterator[Boundary]:
        """Announce where speech starts and stops, and yield each boundary for the session to act on."""
        self._heard_until = max(
            self._heard_until, signal.position + len(signal.probabilities) * self._detector.frame_samples
        )
        position, probabilities = self._still_here(signal)
        boundaries = self._detector.hear(
            position,
            probabilities,
            threshold=vad.threshold,
            silence_ms=lambda: self._endpointing.silence_ms(self.voiced_until, vad),
        )
        for boundary in boundaries:
            match boundary:
                case Started(position=position):
                    self._speech_started(position, vad)
                case Stopped():
                    self._speech_stopped(boundary)
            yield boundary
        if not self.speaking:
            heard_until = position + len(probabilities) * self._detector.frame_samples
            self._buffer.forget(heard_until - self._buffer.to_samples(vad.prefix_padding_ms + KEEP_MS))
        elif self._buffer.duration_ms >= self._limit_ms:
            self._detector.reset()
            boundary = Stopped(self._buffer.end, self._buffer.end)
            self._speech_stopped(boundary)
            yield boundary
        else:
            self._overhear(self._detector.voiced_until, config)
            self._score(vad, now)

    def wake_at(self, vad: TurnDetection | None) -> float | None:
        """When ``tick`` has something to do (seconds), if no audio comes until then."""
        if vad is None or not self._detects_all():
            return None
        pause = self.voiced_until, self._buffer.end, vad
        times = (self._endpointing.scores_at(*pause), self._endpointing.ends_at(*pause))
        return min((time for time in times if time is not None), default=None)

    def tick(self, vad: TurnDetection, now: float) -> Stopped | None:
        """Time has passed: where no audio comes in the midst of a turn, the clock tells how long the pause is.

        Returns the end of the turn, announced, if it is over.
        """
        due_at = self.wake_at(vad)
        if due_at is None or now < due_at:
            return None
        self._score(vad, now)
        voiced_until = self.voiced_until
        ends_at = self._endpointing.ends_at(voiced_until, self._buffer.end, vad)
        if ends_at is None or now < ends_at:
            return None
        self._buffer.finish()
        self._detector.reset()
        boundary = Stopped(self._buffer.end, voiced_until)
        self._speech_stopped(boundary)
        return boundary

    def commit(self, now: float, config: SessionConfig, *, automatic: bool, stop: Stopped | None = None) -> Turn:
        """Make a user item of the turn and have it transcribed. Raises ``ClientError`` if there is nothing to commit.

        That is no audio, or none but the silence after a turn the detector has ended: the client was late. A reading that
        left nothing out is the transcript: one that is there is in ``take_known``, one on its way comes through ``overheard``.
        """
        if not automatic and self._is_silence_after_a_turn(config):
            raise _nothing_to_commit()
        if not automatic:
            self._buffer.finish()
        start = self._turn_start
        end = self._buffer.end if stop is None else stop.position
        samples = self._buffer.slice(start, end)
        if not len(samples):
            raise _nothing_to_commit()
        turn = self._turn
        turn.automatic = self._ended_by_detector = automatic
        turn.speech_ms = self._speech_ms(self.voiced_until if stop is None else stop.voiced_until)
        turn.marks.endpoint = now
        turn.marks.speech_end = now
        if stop is not None:
            turn.marks.speech_end -= self._endpointing.speech_ended_s(stop.voiced_until, end, now)
        self._outbox.send(ev.AudioCommitted(previous_item_id=self._conversation.last_id, item_id=turn.item_id))
        self._conversation.add(Item(id=turn.item_id, role="user", content=(Part(type="input_audio", transcript=None),)))
        turn.happened(TurnEvent.COMMITTED)
        self._expect(turn, 0, samples, config, self._overhearing)
        unread = self._buffer.slice(max(start, self._overhearing.settled_until), end)
        reading = None if stop is None else self._overhearing.covering(stop.voiced_until)
        if config.transcription is not None and config.transcription.full_rerun_on_commit:
            self.transcripts.is_whole(turn.item_id)
            self._transcribe(turn, 0, samples, config)
        elif reading is None:
            self._transcribe(turn, 0, unread, config)
        elif reading.transcript is None:
            self._late = _Late(reading, Transcribe(turn.item_id, 0, unread, *_hints(config)))
            self._outbox.command(FinishReading(turn.item_id, reading.until))
        else:
            self.transcripts.is_whole(turn.item_id)
            self._known.append(Recognised(turn.item_id, 0, reading.transcript))
        self._take_until(end)
        return turn

    def clear(self) -> None:
        """Forget the audio not committed yet."""
        self._turn.happened(TurnEvent.CLEARED)
        self._ended_by_detector = False
        self._buffer.finish()
        self._take_until(self._buffer.end)
        self._outbox.send(ev.AudioCleared())

    def stop_speech(self) -> Stopped:
        """What is being said is over, however short the silence: announced, to be committed."""
        boundary = Stopped(self._buffer.end, self.voiced_until)
        self._speech_stopped(boundary)
        return boundary

    def transcribe_parts(self, item: Item, audio: dict[int, Samples], config: SessionConfig) -> None:
        """Recognise the audio parts of an item the client made; keys are content indexes."""
        for index, samples in audio.items():
            turn = Turn(item.id, heard=False)
            turn.happened(TurnEvent.COMMITTED)
            self._expect(turn, index, samples, config)
            self._transcribe(turn, index, samples, config)

    def require_room(self, audio: Iterable[Samples], param: str) -> None:
        """Raises ``ClientError`` when the audio parts of items have to wait behind too much."""
        more_s = sum(map(len, audio)) / self._buffer.rate_hz
        if more_s and self.backlog.seconds:
            self.backlog.require(more_s, param)

    def scored(self, signal: Scored) -> None:
        """How finished the speaker sounded; too late if they have gone on."""
        if signal.item_id == self._turn.item_id:
            self._endpointing.scored(signal.voiced_until, signal.probability)

    def newest_ms(self, seconds: float) -> tuple[int, int]:
        """Start and end of the newest ``seconds`` of audio, in milliseconds since the session began."""
        end = self._buffer.end
        return self._buffer.to_ms(max(end - round(seconds * self._buffer.rate_hz), 0)), self._buffer.to_ms(end)

    # ---- words

    def overheard(self, signal: Overheard, config: SessionConfig) -> Recognised | None:
        """Take a reading in: tell the words that are certain now, or return it if its turn has ended with it.

        What is not of the turn being spoken (``current``) or awaited comes too late and is nothing.
        """
        late = self._late
        if late is not None and (signal.item_id, signal.until) == (late.work.item_id, late.reading.until):
            self._late = None
            if signal.transcript is not None:
                self.transcripts.is_whole(signal.item_id)
                text = joined(late.reading.before, signal.transcript.text)
                return Recognised(signal.item_id, 0, Transcript(text, signal.transcript.language))
            self._read(late.work)
        elif self.current(signal.item_id):
            delta = self._overhearing.overheard(signal.until, signal.transcript)
            if delta:
                self._outbox.send(
                    ev.TranscriptionDelta(
                        item_id=signal.item_id, content_index=0, delta=delta, text=self._overhearing.told,
                        start_ms=self._buffer.to_ms(self._turn_start), end_ms=self._buffer.to_ms(self._buffer.end),
                        requested=config.transcription is not None,
                    )
                )  # fmt: skip
        return None

    def take_known(self) -> list[Recognised]:
        """The transcripts that were there when their audio was committed; each once."""
        known, self._known = self._known, []
        return known

    # ---- inside

    def _still_here(self, signal: Heard) -> tuple[int, Sequence[float]]:
        """The frames whose audio has not been committed or cleared meanwhile, and where they begin."""
        late = -((signal.position - self._taken_until) // self._detector.frame_samples)
        gone = min(max(late, 0), len(signal.probabilities))
        return signal.position + gone * self._detector.frame_samples, signal.probabilities[gone:]

    def _speech_ms(self, voiced_until: int) -> int:
        start = self._turn.voiced_from
        return 0 if start is None else self._buffer.to_ms(max(voiced_until - start, 0))

    def _is_silence_after_a_turn(self, config: SessionConfig) -> bool:
        """Whether the detector has ended a turn, and has heard all that came since, but no voice in it."""
        unheard_ms = self._buffer.to_ms(self._buffer.end - self._heard_until)
        silent = self._turn.state is TurnState.LISTENING and unheard_ms < MIN_SPEECH_MS
        return config.turn_detection is not None and self._ended_by_detector and silent

    def _take_until(self, end: int) -> None:
        """The audio up to sample ``end`` is spent; what follows is another turn's."""
        self._taken_until = end
        self._buffer.forget(end)
        self._detector.reset()
        self._begin_turn()

    def _begin_turn(self) -> None:
        self._turn = Turn(self._outbox.new_id("msg"), start=self._buffer.start)
        self._overhearing = Overhearing(self._buffer.rate_hz)
        self._endpointing = Endpointing(self.arrival, self._buffer.rate_hz)

    def _overhear(self, voiced_until: int, config: SessionConfig) -> None:
        """Have what was said so far read, where that is of use."""
        start = max(self._turn_start, self._overhearing.settled_until)
        end = self._buffer.end
        if self._late is None and self._overhearing.wanted(start, voiced_until, end):
            self._overhearing.asked(start, voiced_until, end)
            samples = self._buffer.slice(start, end)
            self._outbox.command(Overhear(self._turn.item_id, end, samples, *_hints(config)))

    def _detects_all(self) -> bool:
        """Whether the user speaks, and the detector knows all that has come."""
        return self.speaking and self._heard_until >= self._buffer.framed

    def _score(self, vad: TurnDetection, now: float) -> None:
        """In a pause, ask whether the speaker sounds finished, where the wait depends on it."""
        end = self._buffer.end
        if vad.type == "semantic_vad" and self._endpointing.wanted(self.voiced_until, end, now):
            samples = self._buffer.slice(self._turn_start, end)
            self._outbox.command(ScoreTurn(self._turn.item_id, self.voiced_until, samples))

    def _expect(
        self, turn: Turn, index: int, samples: Samples, config: SessionConfig, heard: Overhearing | None = None
    ) -> None:
        expected = Expected(
            turn,
            index,
            len(samples) / self._buffer.rate_hz,
            config.transcription is not None,
            start_ms=self._buffer.to_ms(turn.start),
        )
        if heard is not None:
            expected.settled, expected.told = heard.settled, heard.told
        self.transcripts.expect(expected)

    def _transcribe(self, turn: Turn, index: int, samples: Samples, config: SessionConfig) -> None:
        if audible(samples, self._buffer.rate_hz):
            live = turn.heard and self.backlog.seconds <= LIVE_BACKLOG_S
            self._read(Transcribe(turn.item_id, index, samples, *_hints(config), live=live))
        else:
            self._known.append(Recognised(turn.item_id, index, Transcript("", "en")))

    def _read(self, work: Transcribe) -> None:
        self.backlog.begun(work)
        self._outbox.command(work)

    def _speech_started(self, position: int, vad: TurnDetection) -> None:
        self._turn.happened(TurnEvent.SPEECH_STARTED)
        self._turn.voiced_from = position
        padded = position - self._buffer.to_samples(vad.prefix_padding_ms)
        self._turn.start = max(padded, self._buffer.start, 0)
        start_ms = self._buffer.to_ms(self._turn.start)
        self._outbox.send(ev.SpeechStarted(audio_start_ms=start_ms, item_id=self._turn.item_id))

    def _speech_stopped(self, boundary: Stopped) -> None:
        start_ms, end_ms = self._buffer.to_ms(self._turn.start), self._buffer.to_ms(boundary.position)
        self._outbox.send(ev.SpeechStopped(audio_start_ms=start_ms, audio_end_ms=end_ms, item_id=self._turn.item_id))


def _nothing_to_commit() -> ClientError:
    return ClientError("append is not called: the input audio buffer is empty.", code="input_audio_buffer_commit_empty")


def _hints(config: SessionConfig) -> tuple[str | None, str | None]:
    """The language and the words the client told to expect."""
    wanted = config.transcription
    return (wanted.language, wanted.prompt) if wanted is not None else (None, None)
