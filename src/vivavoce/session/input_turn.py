"""The listening half of a session: buffer, voice activity, turns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from vivavoce.audio.formats import duration_ms
from vivavoce.errors import ClientError
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.items import Item, Part
from vivavoce.protocol.session_config import SessionConfig, TurnDetection
from vivavoce.session.arrival import Arrival
from vivavoce.session.conversation import Conversation
from vivavoce.session.endpointing import Endpointing
from vivavoce.session.inputs import PartialTranscript, Recognised, Scored, SentenceScored, SpeechProbabilities
from vivavoce.session.outbox import Outbox
from vivavoce.session.outputs import Listen, ScoreTurn
from vivavoce.session.speaker_pauses import SpeakerPauses
from vivavoce.session.turn import Turn, TurnEvent, TurnState
from vivavoce.session.turn_stream import TurnStream
from vivavoce.session.user_transcription import UserTranscription
from vivavoce.turns.detector import MIN_SPEECH_MS, Boundary, Started, Stopped, TurnDetector
from vivavoce.turns.loudness import frame_levels

KEEP_MS = 1_000
"""Silence kept beside the prefix padding, so that a client may lengthen the padding at any time."""


class InputTurn:
    """Hears the user. It announces what it hears; whether to answer is the session's business."""

    def __init__(
        self,
        outbox: Outbox,
        conversation: Conversation,
        detector: TurnDetector,
        transcription: UserTranscription,
        stream: TurnStream,
        *,
        limit_ms: int,
    ) -> None:
        self._outbox = outbox
        self._conversation = conversation
        self._buffer = stream.buffer
        self._detector = detector
        self._transcription = transcription
        self.stream = stream
        self._limit_ms = limit_ms
        self._taken_until = 0
        self._scored_until = 0
        self._ended_by_detector = False
        self._pauses = SpeakerPauses()
        self.arrival = Arrival()
        self._detecting = True
        self._begin_turn()

    @property
    def speaking(self) -> bool:
        """Whether the user is speaking, as far as we can tell: not without detecting it."""
        return self._detecting and self._turn.state is TurnState.SPEAKING

    def detect(self, *, on: bool) -> None:
        """Whether it is detected when the user speaks."""
        self._detecting = on

    @property
    def interactive(self) -> bool:
        """Whether the user is speaking, as far as anybody can tell, or waits for the transcript of what they have said."""
        talks = self.speaking or (not self._detecting and self._buffer.duration_ms > 0)
        return talks or self._transcription.transcripts.of_turns

    @property
    def voiced_until(self) -> int:
        """The sample up to which there was voice in what is being said."""
        return self._detector.voiced_until

    @property
    def speech_ms(self) -> int:
        """How long the user has been speaking in this turn."""
        return self._speech_ms(self.voiced_until)

    @property
    def all_transcribed(self) -> bool:
        """Whether there is a partial transcript that leaves out nothing of what is being said."""
        return self._transcription.covers(self.voiced_until)

    @property
    def item_id(self) -> str:
        """The id of the item that the audio not committed yet will be."""
        return self._turn.item_id

    def started_at(self, now: float, after: Turn) -> float:
        """When the user began to say what they are saying (seconds); they are heard a moment later.

        Audio that comes faster than it is spoken was spoken so long after the turn before as there are samples between.
        """
        start = self._turn.voiced_from if self._turn.voiced_from is not None else self._buffer.end
        by_clock = now - (self._buffer.end - start) / self._buffer.rate_hz
        by_samples = (after.marks.endpoint or 0.0) + (start - after.end) / self._buffer.rate_hz
        return max(by_clock, by_samples)

    def reopen(self, turn: Turn) -> None:
        """The user goes on with ``turn``, which had been taken to be over: that was a pause of theirs."""
        self._conversation.continue_turn(self._turn.item_id, turn.item_id)
        if turn.voiced_until is not None and self._turn.voiced_from is not None:
            self._pauses.add(self._buffer.to_ms(self._turn.voiced_from - turn.voiced_until))

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
        kept_ms, more_ms = self._buffer.received_ms, duration_ms(audio, config.input_audio_format)
        if config.turn_detection is None and kept_ms + more_ms > self._limit_ms:
            raise ClientError(
                f"The input audio buffer holds {kept_ms / 1000:g} s of at most {self._limit_ms / 1000:g} s: "
                f"{more_ms / 1000:g} s more do not fit. Commit or clear it first.",
                code="input_audio_buffer_full",
                param="audio",
            )
        self._transcription.backlog.require((kept_ms + more_ms) / 1000, "audio")

    def append(self, audio: bytes, config: SessionConfig, now: float) -> None:
        """More audio, which ``check_append`` has let pass."""
        decoded_s = self._buffer.append(audio) / self._buffer.rate_hz
        # What has come, as far as its bytes tell: resampling holds a little back. Ogg tells only when it is decoded.
        self.arrival.came(duration_ms(audio, config.input_audio_format) / 1000 or decoded_s, now)
        if config.turn_detection is None:
            self._transcription.transcribe_so_far(self._turn, self._turn_start, self._buffer.end, config)
            self.stream.follow(self._turn.item_id, self._turn_start, self._buffer.end, config)
        elif (frames := self._buffer.take_frames()) is not None:
            self._outbox.command(Listen(frames))

    def on_speech_probabilities(
        self, result: SpeechProbabilities, config: SessionConfig, vad: TurnDetection, now: float
    ) -> Iterator[Boundary]:
        """Announce where speech starts and stops, and yield each boundary for the session to act on."""
        self._scored_until = max(
            self._scored_until, result.position + len(result.probabilities) * self._detector.frame_samples
        )
        position, probabilities = self._still_here(result)
        boundaries = self._detector.hear(
            position,
            probabilities,
            threshold=vad.threshold,
            silence_ms=lambda: self._endpointing.silence_ms(self.voiced_until, self.speech_ms, vad),
            resumed=self._resumed,
            levels=self._levels(position, len(probabilities)) if vad.fixed_silence_ms is None else None,
        )
        for boundary in boundaries:
            match boundary:
                case Started(position=position):
                    self._speech_started(position, vad)
                case Stopped():
                    self._speech_stopped(boundary)
            yield boundary
        if not self.speaking:
            scored_until = position + len(probabilities) * self._detector.frame_samples
            self._buffer.forget(scored_until - self._buffer.to_samples(vad.prefix_padding_ms + KEEP_MS))
        elif self._buffer.duration_ms >= self._limit_ms:
            self._detector.reset()
            boundary = Stopped(self._buffer.end, self._buffer.end)
            self._speech_stopped(boundary)
            yield boundary
        else:
            self._transcription.transcribe_so_far(self._turn, self._turn_start, self.voiced_until, config)
            self.stream.follow(self._turn.item_id, self._turn_start, self._scored_until, config)
            self._score(vad, now)

    def wake_at(self, vad: TurnDetection | None) -> float | None:
        """When ``tick`` has something to do (seconds), if no audio comes until then."""
        if vad is None or not self._detects_all():
            return None
        pause = self.voiced_until, self._buffer.end
        times = (
            self._endpointing.scores_at(*pause, vad),
            self._endpointing.ends_at(*pause, self.speech_ms, vad),
        )
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
        ends_at = self._endpointing.ends_at(voiced_until, self._buffer.end, self.speech_ms, vad)
        if ends_at is None or now < ends_at:
            return None
        self._buffer.finish()
        self._detector.reset()
        boundary = Stopped(self._buffer.end, voiced_until)
        self._speech_stopped(boundary)
        return boundary

    def commit(self, now: float, config: SessionConfig, *, automatic: bool, stop: Stopped | None = None) -> Turn:
        """Make a user item of the turn and have it transcribed. Raises ``ClientError`` if there is nothing to commit.

        That is no audio, or none but the silence after a turn the detector has ended: the client was late.
        """
        if not automatic and self._is_silence_after_a_turn(config):
            raise _nothing_to_commit()
        if not automatic:
            self._buffer.finish()
        start = self._turn_start
        end = self._buffer.end if stop is None else stop.position
        if end <= start:
            raise _nothing_to_commit()
        turn = self._turn
        turn.automatic = self._ended_by_detector = automatic
        turn.voiced_until, turn.end = (None if stop is None else stop.voiced_until), end
        turn.speech_ms = self._speech_ms(self.voiced_until if stop is None else stop.voiced_until)
        turn.marks.endpoint = now
        turn.marks.speech_end = now
        if stop is not None:
            turn.marks.speech_end -= self._endpointing.paused_ms(stop.voiced_until, end, now) / 1000
        self._outbox.send(ev.AudioCommitted(previous_item_id=self._conversation.last_id, item_id=turn.item_id))
        self._conversation.add(Item(id=turn.item_id, role="user", content=(Part(type="input_audio", transcript=None),)))
        turn.happened(TurnEvent.COMMITTED)
        self.stream.end(turn.item_id, start, end, config)
        self._transcription.commit(turn, start, end, None if stop is None else stop.voiced_until, config)
        self._take_until(end)
        return turn

    def clear(self) -> None:
        """Forget the audio not committed yet."""
        self._turn.happened(TurnEvent.CLEARED)
        self.stream.drop(self._turn.item_id)
        self._ended_by_detector = False
        self._buffer.finish()
        self._take_until(self._buffer.end)
        self._outbox.send(ev.AudioCleared())

    def stop_speech(self) -> Stopped:
        """What is being said is over, however short the silence: announced, to be committed."""
        boundary = Stopped(self._buffer.end, self.voiced_until)
        self._speech_stopped(boundary)
        return boundary

    def scored(self, result: Scored | SentenceScored) -> None:
        """How finished the speaker sounded, or their words are; too late if they have gone on."""
        if result.item_id != self._turn.item_id:
            return
        match result:
            case Scored():
                self._endpointing.sound_scored(result.voiced_until, result.probability)
            case SentenceScored():
                self._endpointing.sentence_scored(result.voiced_until, result.probability)

    def ends_in_ms(self, vad: TurnDetection, now: float) -> float:
        """How much longer the pause has to last to end the turn, as far as is known now."""
        voiced_until = self.voiced_until
        needed_ms = self._endpointing.needed_ms(voiced_until, self.speech_ms, vad)
        return needed_ms - self._endpointing.paused_ms(voiced_until, self._buffer.end, now)

    def newest_ms(self, seconds: float) -> tuple[int, int]:
        """Start and end of the newest ``seconds`` of audio, in milliseconds since the session began."""
        end = self._buffer.end
        return self._buffer.to_ms(max(end - round(seconds * self._buffer.rate_hz), 0)), self._buffer.to_ms(end)

    def partially_transcribed(self, result: PartialTranscript, config: SessionConfig) -> Recognised | None:
        """Take a partial transcript in: tell the words that are certain now, or return it if its turn has ended with it."""
        recognised = self._transcription.partially_transcribed(result, self._turn, self._turn_start, config)
        transcript = self._transcription.transcript
        if self.current(result.item_id) and self.all_transcribed and transcript is not None:
            self._endpointing.transcribed(self.voiced_until, transcript)
        return recognised

    # ---- inside

    def _still_here(self, result: SpeechProbabilities) -> tuple[int, Sequence[float]]:
        """The frames whose audio has not been committed or cleared meanwhile, and where they begin."""
        late = -((result.position - self._taken_until) // self._detector.frame_samples)
        gone = min(max(late, 0), len(result.probabilities))
        return result.position + gone * self._detector.frame_samples, result.probabilities[gone:]

    def _levels(self, position: int, frames: int) -> list[float] | None:
        """How loud so many frames from ``position`` on are; ``None`` where they are not kept any more."""
        size = self._detector.frame_samples
        levels = frame_levels(self._buffer.slice(position, position + frames * size), size)
        return levels if len(levels) == frames else None

    def _resumed(self, paused_until: int, voiced_from: int) -> None:
        """The speaker has gone on after a pause."""
        self._pauses.add(self._buffer.to_ms(voiced_from - paused_until))

    def _speech_ms(self, voiced_until: int) -> int:
        start = self._turn.voiced_from
        return 0 if start is None else self._buffer.to_ms(max(voiced_until - start, 0))

    def _is_silence_after_a_turn(self, config: SessionConfig) -> bool:
        """Whether the detector has ended a turn, and has heard all that came since, but no voice in it."""
        unscored_ms = self._buffer.to_ms(self._buffer.end - self._scored_until)
        silent = self._turn.state is TurnState.LISTENING and unscored_ms < MIN_SPEECH_MS
        return config.turn_detection is not None and self._ended_by_detector and silent

    def _take_until(self, end: int) -> None:
        """The audio up to sample ``end`` is spent; what follows is another turn's."""
        self._taken_until = end
        self._buffer.forget(end)
        self._detector.reset()
        self._begin_turn()

    def _begin_turn(self) -> None:
        self._turn = Turn(self._outbox.new_id("msg"), start=self._buffer.start)
        self._transcription.begin_turn()
        question = partial(self._conversation.last_words, "assistant")
        self._endpointing = Endpointing(self.arrival, self._buffer.rate_hz, self._pauses, question)

    def _detects_all(self) -> bool:
        """Whether the user speaks, and the detector knows all that has come."""
        return self.speaking and self._scored_until >= self._buffer.framed

    def _score(self, vad: TurnDetection, now: float) -> None:
        """In a pause, ask whether the speaker sounds finished, where the wait depends on it."""
        end = self._buffer.end
        if vad.fixed_silence_ms is None and self._endpointing.scoring_due(self.voiced_until, end, now):
            samples = self._buffer.slice(self._turn_start, end)
            self._outbox.command(ScoreTurn(self._turn.item_id, self.voiced_until, samples))

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
