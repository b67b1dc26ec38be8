"""One conversation, sans-IO: ``Session.receive(signal, now) -> list[Output]``.

No socket, no sleep, no clock but ``now``. Whoever drives it (a websocket, a test) carries out the outputs and brings back
the engines' answers as signals. Each kind of signal has one method here; what a turn, a response or the playback is, is
written in the files of those names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from vivavoce.audio.input_buffer import InputBuffer
from vivavoce.audio.pacing import Pacer
from vivavoce.errors import ClientError
from vivavoce.observe.marks import Marks
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.session_config import SessionConfig, SessionPatch, TurnDetection, patched
from vivavoce.session.context import Context
from vivavoce.session.conversation import Conversation
from vivavoce.session.hearing import Hearing
from vivavoce.session.new_items import accept_item
from vivavoce.session.outbox import IdFactory, Outbox, random_id
from vivavoce.session.replying import Replying
from vivavoce.session.signals import (
    Heard,
    Output,
    Prefill,
    Recognised,
    RecognitionFailed,
    Refused,
    Replied,
    ReplyFailed,
    Signal,
    Tick,
)
from vivavoce.session.turn import Turn, TurnState
from vivavoce.turns.detector import Started, Stopped, TurnDetector
from vivavoce.types import Message


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What the server decides about a session. Rates in Hz; ``context_tokens`` is the language model's slot."""

    config: SessionConfig
    turn_detection: TurnDetection
    voices: frozenset[str]
    context_tokens: int
    client_hz: int = 24_000
    hearing_hz: int = 16_000
    frame_samples: int = 512
    reply_tokens: int = 512
    buffer_ms: int = 600_000
    audio_lead_ms: int = 2_000
    report_marks: bool = False


class Session:
    """The state of one conversation and the rules that change it."""

    def __init__(self, options: SessionOptions, *, new_id: IdFactory = random_id) -> None:
        self.options = options
        self.config = options.config
        self.outbox = Outbox(new_id)
        self.id = new_id("sess")
        self.conversation = Conversation(self.outbox)
        buffer = InputBuffer(
            client_hz=options.client_hz, rate_hz=options.hearing_hz, frame_samples=options.frame_samples
        )
        detector = TurnDetector(rate_hz=options.hearing_hz, frame_samples=options.frame_samples)
        self.hearing = Hearing(self.outbox, self.conversation, buffer, detector, limit_ms=options.buffer_ms)
        self.replying = Replying(
            self.outbox,
            self.conversation,
            Context(options.context_tokens - options.reply_tokens),
            pacer=lambda: Pacer(rate_hz=options.client_hz, lead_ms=options.audio_lead_ms),
            reply_tokens=options.reply_tokens,
            report_marks=options.report_marks,
        )
        self._vad_chosen = False
        self._newest: Turn | None = None
        self._unanswered: Turn | None = None
        self._handlers: dict[type, Callable[[Any, float], None]] = {
            client.SessionUpdate: self._session_update,
            client.AudioAppend: self._audio_append,
            client.AudioCommit: self._audio_commit,
            client.AudioClear: self._audio_clear,
            client.ItemCreate: self._item_create,
            client.ItemDelete: self._item_delete,
            client.ItemTruncate: self._item_truncate,
            client.ResponseCreate: self._response_create,
            client.ResponseCancel: self._response_cancel,
            Refused: self._refused,
            Heard: self._heard,
            Recognised: self._recognised,
            RecognitionFailed: self._recognition_failed,
            Replied: self._replied,
            ReplyFailed: self._reply_failed,
            Tick: self._tick,
        }

    def open(self) -> list[Output]:
        """What happens as soon as the connection stands."""
        self.outbox.send(ev.SessionCreated(session_id=self.id, session=self.config))
        self._prefill()
        return self.outbox.drain()

    def receive(self, signal: Signal, now: float) -> list[Output]:
        """Take in one signal at time ``now`` (seconds, monotonic) and say what follows.

        A client's mistake becomes an ``error`` event with its ``event_id``; the session lives on.
        """
        try:
            self._handlers[type(signal)](signal, now)
        except ClientError as error:
            error.event_id = error.event_id or getattr(signal, "event_id", None)
            self.outbox.refuse(error)
        self.replying.release(now)
        if self.replying.ended():
            self._prefill()
        return self.outbox.drain()

    # ---- the client

    def _session_update(self, event: client.SessionUpdate, now: float) -> None:
        config = self._checked(event.session, param="session")
        if config.voice != self.config.voice and self.replying.spoke:
            raise ClientError(
                "The voice cannot change after audio has been sent.", code="cannot_update_voice", param="session.voice"
            )
        self._vad_chosen = self._vad_chosen or event.session.turn_detection is not msgspec.UNSET
        rewarm = (config.instructions, config.tools) != (self.config.instructions, self.config.tools)
        self.config = config
        self.outbox.send(ev.SessionUpdated(session_id=self.id, session=config))
        if rewarm and not self.replying.active:
            self._prefill()

    def _audio_append(self, event: client.AudioAppend, now: float) -> None:
        self.hearing.append(event.audio, self.config.turn_detection)

    def _audio_commit(self, event: client.AudioCommit, now: float) -> None:
        if self.config.turn_detection is not None and self._vad_chosen:
            raise ClientError("commit when server vad", code="invalid_request")
        self._newest = self.hearing.commit(now, automatic=False)

    def _audio_clear(self, event: client.AudioClear, now: float) -> None:
        self.hearing.clear()

    def _item_create(self, event: client.ItemCreate, now: float) -> None:
        item, audio = accept_item(
            event.item, self.outbox.new_id, client_hz=self.options.client_hz, rate_hz=self.options.hearing_hz
        )
        self.conversation.add(item, after=event.previous_item_id)
        self.hearing.transcribe_parts(item, audio)

    def _item_delete(self, event: client.ItemDelete, now: float) -> None:
        self.conversation.delete(event.item_id)

    def _item_truncate(self, event: client.ItemTruncate, now: float) -> None:
        item = self.conversation.get(event.item_id)
        spoken = self.replying.spoken.get(event.item_id)
        if spoken is None or item.role != "assistant":
            raise ClientError("Only spoken assistant messages can be truncated.", param="item_id")
        if event.content_index != 0:
            raise ClientError("There is no such content part.", param="content_index")
        if event.audio_end_ms < 0:
            raise ClientError("'audio_end_ms' must not be negative.", param="audio_end_ms")
        # Clients often count a little more than they got; an end beyond our audio means all of it.
        self.replying.truncate(item, min(event.audio_end_ms, spoken.duration_ms))

    def _response_create(self, event: client.ResponseCreate, now: float) -> None:
        config = self._checked(event.response, param="response")
        self._start_response(config, self._newest, now, event.response.metadata)

    def _response_cancel(self, event: client.ResponseCancel, now: float) -> None:
        self.replying.cancel(now, reason="client_cancelled", response_id=event.response_id)

    def _refused(self, signal: Refused, now: float) -> None:
        raise signal.error

    # ---- the engines

    def _heard(self, signal: Heard, now: float) -> None:
        vad = self.config.turn_detection
        if vad is None:
            return  # switched off while the detector was at work
        for boundary in self.hearing.heard(signal, vad):
            match boundary:
                case Started():
                    self.replying.interrupt(now)
                case Stopped():
                    self._newest = self.hearing.commit(now, automatic=True, stop=boundary)

    def _recognised(self, signal: Recognised, now: float) -> None:
        turn = self.hearing.recognised(signal, now)
        if turn is not None:
            self._turn_ended(turn, now)

    def _recognition_failed(self, signal: RecognitionFailed, now: float) -> None:
        turn = self.hearing.failed(signal)
        if turn is not None:
            self._turn_ended(turn, now)

    def _replied(self, signal: Replied, now: float) -> None:
        self.replying.replied(signal, now)

    def _reply_failed(self, signal: ReplyFailed, now: float) -> None:
        self.replying.failed(signal)

    def _tick(self, signal: Tick, now: float) -> None:
        """Time alone releases audio, which ``receive`` does after every signal."""

    # ---- turns and responses

    def _turn_ended(self, turn: Turn, now: float) -> None:
        """A transcript is final: an automatic turn with words is answered, unless the user has begun to speak again."""
        if turn.automatic and turn.state is TurnState.TRANSCRIBED:
            self._unanswered = turn
        if self.hearing.transcribing:
            return
        if self.replying.waiting:
            self._generate(now)
        elif self._unanswered is not None and not self.hearing.speaking and not self.replying.active:
            self._start_response(self.config, self._unanswered, now)

    def _start_response(
        self,
        config: SessionConfig,
        turn: Turn | None,
        now: float,
        metadata: Mapping[str, Any] | msgspec.UnsetType = msgspec.UNSET,
    ) -> None:
        marks = turn.marks if turn is not None else Marks()
        marks.note("endpoint", now)
        self.replying.start(config, marks, metadata)
        self._newest = self._unanswered = None
        if not self.hearing.transcribing:
            self._generate(now)

    def _generate(self, now: float) -> None:
        self.replying.generate(self.hearing.language, self.hearing.languages)

    def _prefill(self) -> None:
        """All that is known of the next prompt, up to the words the user is about to say."""
        messages, options = self.replying.prompt(self.config, self.hearing.languages)
        self.outbox.command(Prefill((*messages, Message("user", "")), options))

    def _checked(self, patch: SessionPatch, *, param: str) -> SessionConfig:
        config = patched(self.config, patch, self.options.turn_detection)
        if config.voice not in self.options.voices:
            raise ClientError(f"voice '{config.voice}' is not valid", param=f"{param}.voice")
        if not config.modalities or "text" not in config.modalities:
            # GA names audio alone; in this dialect words always come along (reference 2.1).
            raise ClientError('\'modalities\' must be ["text"] or ["text", "audio"].', param=f"{param}.modalities")
        return config
