"""One conversation, sans-IO: ``Session.receive(session_input, now) -> list[Output]``.

No socket, no sleep, no clock but ``now``. Whoever drives it (a websocket, a test) carries out the outputs and brings back
the engines' answers as inputs. What each kind of input does is told here; what a turn, a response or the playback is, is
written in the files of those names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import assert_never

import msgspec
from msgspec import UNSET

from vivavoce.audio.input_buffer import InputBuffer
from vivavoce.audio.pacing import Pacer
from vivavoce.errors import ClientError
from vivavoce.ids import random_id
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.client_events import AnyClientEvent
from vivavoce.session.audio_backlog import AudioBacklog
from vivavoce.session.barge_in import BargeIn
from vivavoce.session.conversation import Conversation
from vivavoce.session.input_turn import InputTurn
from vivavoce.session.inputs import (
    Connected,
    Disconnected,
    Ended,
    Expiring,
    Notification,
    PartialTranscript,
    PromptEvaluated,
    Recognised,
    RecognitionFailed,
    Refused,
    Replied,
    ReplyBegun,
    ReplyFailed,
    Scored,
    SentenceScored,
    SessionInput,
    SpeechProbabilities,
    TimerFired,
    ToolsListed,
    ToolsNotListed,
)
from vivavoce.session.item_requests import ItemRequests
from vivavoce.session.mcp_servers import SessionMcpServers
from vivavoce.session.memory_budget import MemoryBudget, written_bytes
from vivavoce.session.options import SessionOptions, checked_config
from vivavoce.session.outbox import IdFactory, Outbox
from vivavoce.session.outputs import Output, WakeAt
from vivavoce.session.preparation import ReplyPreparation
from vivavoce.session.prompt_budget import PromptBudget
from vivavoce.session.prompt_builder import PromptBuilder, ResponseRequest
from vivavoce.session.response_controller import ResponseController
from vivavoce.session.status import SessionStatus
from vivavoce.session.transcripts import Transcripts
from vivavoce.session.turn_arbiter import TurnArbiter
from vivavoce.session.turn_audio import TurnAudio
from vivavoce.session.turn_stream import TurnStream
from vivavoce.session.user_transcription import UserTranscription
from vivavoce.session.voice_perception import SessionPerception, included
from vivavoce.session.voice_requests import VoiceRequests
from vivavoce.turns.detector import Started, Stopped, TurnDetector
from vivavoce.types import Transcript

CONFIG = "session"
"""What the session's configuration is counted under, beside its items."""


class Session:
    """The state of one conversation and the rules that change it. ``status`` is how it stands since the last ``receive``."""

    def __init__(
        self, options: SessionOptions, *, new_id: IdFactory = random_id, new_token: Callable[[str], str] | None = None
    ) -> None:
        """``new_token`` makes of the session's id what a client resumes it with, where it may."""
        self.options = options
        self.config = options.config
        self.outbox = Outbox(new_id)
        self.id = new_id("sess")
        self.resume_token = None if new_token is None else new_token(self.id)
        self.status = SessionStatus()
        audio = TurnAudio(options.audio_turns, options.hearing_hz)
        self.conversation = Conversation(self.outbox, MemoryBudget(options.most_bytes), audio)
        self.conversation.budget.keep(CONFIG, written_bytes(self.config))
        self._buffer = InputBuffer(
            format=self.config.input_audio_format, rate_hz=options.hearing_hz, frame_samples=options.frame_samples
        )
        detector = TurnDetector(rate_hz=options.hearing_hz, frame_samples=options.frame_samples)
        self.transcripts = Transcripts(self.outbox, self.conversation)
        self.hearing = SessionPerception(
            by_default=options.perceives,
            announced=options.announces_perception,
            instruct=options.instructs_by_perception,
            style=options.speaks_by_perception,
        )
        self.voice_requests = VoiceRequests()
        backlog = AudioBacklog(options.hearing_hz, options.buffer_ms / 1000)
        self.transcription = UserTranscription(self.outbox, self._buffer, self.transcripts, backlog, self.hearing)
        stream = TurnStream(self.outbox, self._buffer, wanted=options.hosted)
        self.input_turn = InputTurn(
            self.outbox, self.conversation, detector, self.transcription, stream, limit_ms=options.buffer_ms
        )
        self.input_turn.detect(on=self.config.turn_detection is not None)
        budget = PromptBudget(
            options.context_tokens,
            options.reply_tokens,
            options.own_tools,
            options.lengths,
            options.name,
            told_origin=options.hosted or options.answers_unread,
        )
        self.prompts = PromptBuilder(
            self.conversation,
            budget,
            self.hearing,
            options.thinking,
            voice_requests=self.voice_requests,
            hosted=options.hosted,
            controls_of=options.controls_of,
        )
        self.mcp_servers = SessionMcpServers(self.outbox, self.conversation)
        self.responses = ResponseController(
            self.outbox,
            self.conversation,
            self.prompts,
            self.mcp_servers,
            pacer=lambda: Pacer(rate_hz=options.synthesis_hz, lead_ms=options.audio_lead_ms),
            report_marks=options.report_marks,
        )
        self._barge_in = BargeIn(
            self.input_turn, self.responses, policy=options.interruption, wait_ms=options.false_interruption_ms
        )
        self.arbiter = TurnArbiter(
            self.outbox,
            self.conversation,
            self.input_turn,
            self.transcripts,
            self.responses,
            self._barge_in,
            reopen_ms=options.reopen_ms,
        )
        self._items = ItemRequests(
            self.outbox,
            self.conversation,
            self.input_turn,
            self.transcription,
            self.responses,
            self.mcp_servers,
            self.arbiter,
            options=options,
            voice_requests=self.voice_requests,
        )
        heard = self.conversation.audio if options.answers_unread else TurnAudio()
        self._preparation = ReplyPreparation(self.outbox, self.prompts, self.transcripts, heard)
        self._vad_chosen = False
        self._over = False

    def open(self) -> list[Output]:
        """What happens as soon as the connection stands."""
        self.outbox.send(
            ev.SessionCreated(
                session_id=self.id,
                session=self.config,
                expires_at=self.options.expires_at,
                conversation_id=self.conversation.id,
                resume_token=self.resume_token,
            )
        )
        self.mcp_servers.declared((), self.config.tools)
        self._preparation.prefill(self.config)
        return self.outbox.drain()

    def receive(self, session_input: SessionInput, now: float) -> list[Output]:
        """Take in one input at time ``now`` (seconds, monotonic) and say what follows.

        A client's mistake becomes an ``error`` event with its ``event_id``; the session lives on. Nothing follows from what
        comes after ``Ended``.
        """
        if self._over:
            return []
        try:
            self._take(session_input, now)
        except ClientError as error:
            error.event_id = error.event_id or getattr(session_input, "event_id", None)
            self.outbox.refuse(error)
        wake_at = self._carry_on(now)
        if wake_at is not None:
            self.outbox.command(WakeAt(wake_at))
        self.status = self._status()
        return self.outbox.drain()

    def check_append(self, event: client.AudioAppend) -> None:
        """Raises ``ClientError`` when this audio cannot be taken as a whole: ask before it is taken in slices."""
        self.input_turn.check_append(event.audio, self.config)

    def decode_ahead(self, event: AnyClientEvent) -> Iterator[None]:
        """Steps to take before ``receive`` gets this event: each decodes a piece of the audio in its items, if it is long."""
        return self._items.decode_ahead(event, self.config)

    def _take(self, session_input: SessionInput, now: float) -> None:
        match session_input:
            case client.ClientEvent():
                self._take_event(session_input, now)
            case SpeechProbabilities():
                self._on_speech_probabilities(session_input, now)
            case Replied():
                self.responses.replied(session_input, now)
            case TimerFired():
                self._tick(now)
            case PartialTranscript():
                self._partially_transcribed(session_input, now)
            case Recognised():
                self._recognised(session_input, now)
            case RecognitionFailed():
                self._recognition_failed(session_input, now)
            case Scored() | SentenceScored():
                self.input_turn.scored(session_input)
            case ReplyFailed():
                self.responses.failed(session_input)
            case ReplyBegun() | PromptEvaluated():
                self._preparation.measured(session_input, self.responses.newest)
            case ToolsListed():
                self._tools_listed(session_input)
            case ToolsNotListed():
                self.mcp_servers.not_listed(session_input)
            case Notification():
                self.arbiter.notice(session_input.text, self.config, now)
            case Connected():
                self.input_turn.arrival.connected(now)
            case Disconnected():
                self.input_turn.arrival.disconnected()
            case Expiring():
                self._expiring(session_input)
            case Ended():
                self._ended(session_input)
            case Refused():
                raise session_input.error
            case _:
                assert_never(session_input)

    def _take_event(self, event: AnyClientEvent, now: float) -> None:
        match event:
            case client.AudioAppend():
                self.input_turn.check_append(event.audio, self.config)
                self.input_turn.append(event.audio, self.config, now)
            case client.AudioCommit():
                self._audio_commit(event, now)
            case client.AudioClear():
                self.input_turn.clear()
                self.arbiter.cleared(self.config, now)
            case client.SessionUpdate():
                self._session_update(event, now)
            case client.ItemCreate():
                self._items.create(event, self.config, now)
                self._take_ready(now)
            case client.ItemDelete():
                self._items.delete(event, self.config, now)
            case client.ItemRetrieve():
                self.outbox.send(ev.ItemRetrieved(item=self.conversation.get(event.item_id)))
            case client.ItemTruncate():
                self._items.truncate(event, now)
            case client.ResponseCreate():
                self._response_create(event, now)
            case client.ResponseCancel():
                self.arbiter.cancel(event.response_id, now)
            case client.OutputAudioClear():
                self.responses.clear_output(now)
                self.arbiter.output_cleared()
            case _:
                assert_never(event)

    def _carry_on(self, now: float) -> float | None:
        """Let audio go, and what waits follow what has ended; returns when to be woken (seconds)."""
        if self._over:
            return None
        if self.responses.active:
            self._preparation.answered()
        elif not (self.input_turn.speaking or self.transcripts):
            self._preparation.drop()
        release_at, over = self.responses.release(now), False
        while self.responses.ended():
            over = True
            self.arbiter.response_ended(self.config, now)
            release_at = self.responses.release(now)
        if over and not self.responses.active:
            self._preparation.prefill(self.config)
        times = (release_at, self.arbiter.wake_at(self.config), self.input_turn.wake_at(self.config.turn_detection))
        return min((time for time in times if time is not None), default=None)

    def _status(self) -> SessionStatus:
        answering, transcribing = self.responses.active, bool(self.transcripts)
        return SessionStatus(
            interactive=answering or self.input_turn.interactive,
            quiet=not answering and not transcribing,
            queued_ms=self.responses.queued_ms if answering else 0,
        )

    # ---- the client

    def _session_update(self, event: client.SessionUpdate, now: float) -> None:
        config = checked_config(self.config, event.session, self.options, self.prompts.budget, "session")
        if config.voice != self.config.voice and self.responses.spoke:
            raise ClientError(
                "The voice cannot change after audio has been sent.", code="cannot_update_voice", param="session.voice"
            )
        if config.kind != self.config.kind and (len(self.conversation) or self.responses.active):
            raise ClientError("The kind of a session cannot change once it has items.", param="session.type")
        budget, config_bytes = self.conversation.budget, written_bytes(config)
        budget.require(config_bytes - budget.kept(CONFIG), "session")
        budget.keep(CONFIG, config_bytes)
        if config.input_audio_format != self.config.input_audio_format:
            self._buffer.set_format(config.input_audio_format)
        self._vad_chosen = self._vad_chosen or event.session.turn_detection is not UNSET
        rewarm = (config.instructions, config.tools) != (self.config.instructions, self.config.tools)
        before, self.config = self.config, config
        self.outbox.send(ev.SessionUpdated(session_id=self.id, session=config, expires_at=self.options.expires_at))
        self.mcp_servers.declared(before.tools, config.tools)
        self.input_turn.detect(on=config.turn_detection is not None)
        self.arbiter.reconfigured(before, config, now)
        if rewarm and not self.responses.active:
            self._preparation.prefill(self.config)

    def _audio_commit(self, event: client.AudioCommit, now: float) -> None:
        if self.config.turn_detection is not None and self._vad_chosen and not event.under_vad:
            raise ClientError("commit when server vad", code="invalid_request")
        self._commit(now, automatic=False)

    def _response_create(self, event: client.ResponseCreate, now: float) -> None:
        overrides = event.response
        config = checked_config(self.config, overrides, self.options, self.prompts.budget, "response")
        if config.kind == "transcription":
            raise ClientError("A transcription session makes no responses.", param="type")
        session = None if config == self.config else self.config
        request = ResponseRequest(config, overrides.metadata, overrides.conversation == "auto", session=session)
        self.arbiter.check(request)
        if overrides.input is not UNSET:
            request = replace(request, items=self._items.for_response(overrides.input, self.config))
        self.arbiter.respond(request, now)
        self._take_ready(now)
        if self.responses.waiting and request.in_conversation:
            self._preparation.prepare_unread(request, self.conversation.last_id, self.transcripts.language, now)

    # ---- the engines

    def _on_speech_probabilities(self, result: SpeechProbabilities, now: float) -> None:
        vad = self.config.turn_detection
        if vad is None:
            return  # switched off while the detector was at work
        before = self.input_turn.voiced_until
        for boundary in self.input_turn.on_speech_probabilities(result, self.config, vad, now):
            match boundary:
                case Started():
                    self.arbiter.speech_started(vad, now)
                case Stopped():
                    self._commit(now, automatic=True, stop=boundary)
        if self.input_turn.voiced_until > before:
            self._barge_in.voice_detected(now)
            self._preparation.drop()

    def _partially_transcribed(self, result: PartialTranscript, now: float) -> None:
        current = self.input_turn.current(result.item_id)
        recognised = self.input_turn.partially_transcribed(result, self.config)
        if recognised is not None:
            self._recognised(recognised, now)
            return
        transcript = self.transcription.transcript if current and result.transcript is not None else None
        if transcript is not None and self._is_user_turn(transcript, self.input_turn.speech_ms, now):
            self.arbiter.words_said(self.config, now)
            if self.input_turn.all_transcribed and self.arbiter.answers_next(self.config):
                self._preparation.prepare(self.input_turn, transcript, self.config, now)
            elif not self.responses.active:
                self._preparation.prefill(self.config, result.item_id, transcript)

    def _recognised(self, result: Recognised, now: float) -> None:
        self.transcription.backlog.ended(result)
        ignored = False
        completed = self.transcripts.ended_by(result)
        if completed is not None:
            turn, transcript = completed
            ignored = turn.automatic and not self._is_user_turn(transcript, turn.speech_ms, now)
        ended = self.transcripts.recognised(result, now, ignored=ignored)
        if completed is not None and not ignored:
            self.voice_requests.take(completed[1].text)
            self._perceived(result.item_id, completed[1])
        if ended is not None:
            self.arbiter.turn_ended(ended, self.config, now)

    def _perceived(self, item_id: str, transcript: Transcript) -> None:
        """How a turn sounds: the client may be told, and the reply is made with it."""
        item = self.conversation.find(item_id)
        facts = self.hearing.heard(item_id, transcript, included(self.config)) if item is not None else None
        if item is None or facts is None:
            return
        if self.hearing.told(self.config):
            self.conversation.replace(msgspec.structs.replace(item, perception=facts))
        requested = self.hearing.requested(self.config)
        self.outbox.send(ev.VoicePerception(item_id=item_id, facts=facts, requested=requested))

    def _recognition_failed(self, result: RecognitionFailed, now: float) -> None:
        self.transcription.backlog.ended(result)
        turn = self.transcripts.failed(result)
        if turn is not None:
            self.arbiter.turn_ended(turn, self.config, now)

    def _tools_listed(self, result: ToolsListed) -> None:
        self.mcp_servers.listed(result)
        if not self.responses.active:
            self._preparation.prefill(self.config)

    def _tick(self, now: float) -> None:
        vad = self.config.turn_detection
        stop = self.input_turn.tick(vad, now) if vad is not None else None
        if stop is None and self.arbiter.tick(self.config, now):
            stop = self.input_turn.stop_speech()
        if stop is not None:
            self._commit(now, automatic=True, stop=stop)

    def _expiring(self, expiring: Expiring) -> None:
        self.responses.tell_limits(
            ev.SessionLimit(expires_at=self.options.expires_at, expires_in_seconds=round(expiring.in_s, 3))
        )

    def _ended(self, ended: Ended) -> None:
        self.responses.cut_short(ended.error)
        if ended.send_error:
            self.outbox.refuse(ended.error)
        self._over = True

    # ---- inside

    def _commit(self, now: float, *, automatic: bool, stop: Stopped | None = None) -> None:
        answered = automatic and self.arbiter.answers_next(self.config)
        language = self.transcription.language
        turn = self.input_turn.commit(now, self.config, automatic=automatic, stop=stop)
        self.arbiter.committed(turn, self.config)
        self._take_ready(now)
        if answered and self.transcripts:
            self._preparation.prepare_unread(ResponseRequest(self.config), turn.item_id, language, now)

    def _is_user_turn(self, transcript: Transcript, speech_ms: int, now: float) -> bool:
        """Whether words of the user's are a turn, and not only a sign that they listen."""
        vad = self.config.turn_detection
        return self._barge_in.is_user_turn(transcript, speech_ms, vad.interruption if vad is not None else None, now)

    def _take_ready(self, now: float) -> None:
        for transcript in self.transcription.take_ready():
            self._recognised(transcript, now)
