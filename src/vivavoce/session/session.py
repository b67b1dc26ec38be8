"""One conversation, sans-IO: ``Session.receive(signal, now) -> list[Output]``.

No socket, no sleep, no clock but ``now``. Whoever drives it (a websocket, a test) carries out the outputs and brings back
the engines' answers as signals. Each kind of signal has one method here; what a turn, a response or the playback is, is
written in the files of those names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from msgspec import UNSET

from vivavoce.audio.input_buffer import InputBuffer
from vivavoce.audio.pacing import Pacer
from vivavoce.errors import ClientError
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.client_events import AnyClientEvent
from vivavoce.protocol.items import Item, NewItem
from vivavoce.protocol.session_config import (
    Frozen,
    FunctionChoice,
    ServerChoice,
    SessionConfig,
    SessionPatch,
    TurnDetection,
    can_be_chosen,
    patched,
    told,
)
from vivavoce.protocol.tool_config import server_side
from vivavoce.session.asking import Ask, Prompts
from vivavoce.session.barge_in import BargeIn
from vivavoce.session.conversation import Conversation, id_taken
from vivavoce.session.floor import Floor
from vivavoce.session.hearing import Hearing
from vivavoce.session.item_audio import ItemAudio
from vivavoce.session.known_voices import KnownVoices
from vivavoce.session.memory_budget import MemoryBudget, item_bytes, written_bytes
from vivavoce.session.new_items import accept_input, accept_item, require_call
from vivavoce.session.outbox import IdFactory, Outbox, random_id
from vivavoce.session.prompt_budget import PromptBudget, TextLengths
from vivavoce.session.replying import Replying
from vivavoce.session.signals import (
    Connected,
    Disconnected,
    Ended,
    Expiring,
    Heard,
    Noticed,
    Output,
    Overheard,
    Prefill,
    Recognised,
    RecognitionFailed,
    Refused,
    Replied,
    ReplyFailed,
    Scored,
    Signal,
    Tick,
    ToolsListed,
    ToolsNotListed,
    WakeAt,
)
from vivavoce.session.tool_servers import ToolServers
from vivavoce.turns.backchannel import DEFAULT_POLICY, InterruptionPolicy
from vivavoce.turns.detector import Started, Stopped, TurnDetector
from vivavoce.types import Message, Samples, Transcript

CONFIG = "session"
"""What the session's configuration is counted under, beside its items."""

REPLY_TOKENS = 512
"""What a reply may be long, unless the client wants less: minutes of speech."""


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What the server decides about a session.

    Rates in Hz; ``context_tokens`` is the language model's slot, ``expires_at`` in seconds of the epoch;
    ``interruption`` says which speech stops a reply for good; ``false_interruption_ms`` is how long the user must have been
    silent, without a word, before an interrupted reply goes on in the middle of their turn. ``own_tools``: the server has
    tools that no client declares; ``frozen`` are fields that its client cannot change; ``most_bytes`` bounds what a client may
    have the conversation keep.
    """

    config: SessionConfig
    turn_detection: TurnDetection
    voices: KnownVoices
    context_tokens: int
    speaker_hz: int = 24_000
    hearing_hz: int = 16_000
    frame_samples: int = 512
    reply_tokens: int = REPLY_TOKENS
    buffer_ms: int = 600_000
    audio_lead_ms: int = 2_000
    false_interruption_ms: int = 2_000
    most_bytes: int = 16 * 1024 * 1024
    interruption: InterruptionPolicy = DEFAULT_POLICY
    lengths: TextLengths = field(default_factory=TextLengths)
    own_tools: bool = False
    frozen: frozenset[Frozen] = frozenset()
    expires_at: int | None = None
    report_marks: bool = False


class Session:
    """The state of one conversation and the rules that change it."""

    def __init__(self, options: SessionOptions, *, new_id: IdFactory = random_id) -> None:
        self.options = options
        self.config = options.config
        self.outbox = Outbox(new_id)
        self.id = new_id("sess")
        self.resume_token: str | None = None
        self.conversation = Conversation(self.outbox, MemoryBudget(options.most_bytes))
        self.conversation.budget.keep(CONFIG, written_bytes(self.config))
        self._buffer = InputBuffer(
            format=self.config.input_audio_format, rate_hz=options.hearing_hz, frame_samples=options.frame_samples
        )
        self._item_audio = ItemAudio(options.hearing_hz)
        detector = TurnDetector(rate_hz=options.hearing_hz, frame_samples=options.frame_samples)
        self.hearing = Hearing(self.outbox, self.conversation, self._buffer, detector, limit_ms=options.buffer_ms)
        self.hearing.detecting = self.config.turn_detection is not None
        budget = PromptBudget(options.context_tokens, options.reply_tokens, options.own_tools, options.lengths)
        self.prompts = Prompts(self.conversation, budget)
        self.tool_servers = ToolServers(self.outbox, self.conversation)
        self.replying = Replying(
            self.outbox,
            self.conversation,
            self.prompts,
            self.tool_servers,
            pacer=lambda: Pacer(rate_hz=options.speaker_hz, lead_ms=options.audio_lead_ms),
            report_marks=options.report_marks,
        )
        self._barge_in = BargeIn(
            self.hearing, self.replying, policy=options.interruption, wait_ms=options.false_interruption_ms
        )
        self.floor = Floor(self.outbox, self.conversation, self.hearing, self.replying, self._barge_in)
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
        self.tool_servers.declared((), self.config.tools)
        self._prefill()
        return self.outbox.drain()

    def receive(self, signal: Signal, now: float) -> list[Output]:
        """Take in one signal at time ``now`` (seconds, monotonic) and say what follows.

        A client's mistake becomes an ``error`` event with its ``event_id``; the session lives on. Nothing follows from what
        comes after ``Ended``.
        """
        if self._over:
            return []
        try:
            _HANDLERS[type(signal)](self, signal, now)
        except ClientError as error:
            error.event_id = error.event_id or getattr(signal, "event_id", None)
            self.outbox.refuse(error)
        wake_at = self._carry_on(now)
        if wake_at is not None:
            self.outbox.command(WakeAt(wake_at))
        return self.outbox.drain()

    def check_append(self, event: client.AudioAppend) -> None:
        """Raises ``ClientError`` when this audio cannot be taken as a whole: ask before it is taken in slices."""
        self.hearing.check_append(event.audio, self.config)

    def decode_ahead(self, event: AnyClientEvent) -> Iterator[None]:
        """Steps to take before ``receive`` gets this event: each decodes a piece of the audio in its items, if it is long."""
        items: tuple[NewItem, ...] = ()
        if isinstance(event, client.ItemCreate):
            items = (event.item,)
        elif isinstance(event, client.ResponseCreate) and event.response.input is not UNSET:
            items = event.response.input
        return self._item_audio.decode_ahead(items, self.config.input_audio_format)

    def _decoded(self, audio: bytes) -> Samples:
        return self._item_audio.decoded(audio, self.config.input_audio_format)

    def _carry_on(self, now: float) -> float | None:
        """Let audio go, and what waits follow what has ended; returns when to be woken (seconds)."""
        if self._over:
            return None
        release_at, over = self.replying.release(now), False
        while self.replying.ended():
            over = True
            self.floor.response_ended(self.config, now)
            release_at = self.replying.release(now)
        if over and not self.replying.active:
            self._prefill()
        times = (release_at, self.floor.wake_at(self.config), self.hearing.wake_at(self.config.turn_detection))
        return min((time for time in times if time is not None), default=None)

    # ---- the client

    def _session_update(self, event: client.SessionUpdate, now: float) -> None:
        config = self._checked(event.session, param="session")
        if config.voice != self.config.voice and self.replying.spoke:
            raise ClientError(
                "The voice cannot change after audio has been sent.", code="cannot_update_voice", param="session.voice"
            )
        if config.kind != self.config.kind and (len(self.conversation) or self.replying.active):
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
        self.tool_servers.declared(before.tools, config.tools)
        self.hearing.detecting = config.turn_detection is not None
        self.floor.reconfigured(before, config, now)
        if rewarm and not self.replying.active:
            self._prefill()

    def _audio_append(self, event: client.AudioAppend, now: float) -> None:
        self.hearing.check_append(event.audio, self.config)
        self.hearing.append(event.audio, self.config, now)

    def _audio_commit(self, event: client.AudioCommit, now: float) -> None:
        if self.config.turn_detection is not None and self._vad_chosen and not event.under_vad:
            raise ClientError("commit when server vad", code="invalid_request")
        self._commit(now, automatic=False)

    def _audio_clear(self, event: client.AudioClear, now: float) -> None:
        self.hearing.clear()
        self.floor.cleared(self.config, now)

    def _item_create(self, event: client.ItemCreate, now: float) -> None:
        item, audio = accept_item(event.item, self.outbox.new_id, decode=self._decoded)
        if self.hearing.current(item.id):
            raise id_taken(item.id)
        if item.type == "mcp_approval_response":
            self._approval_answered(event, item, now)
            return
        if event.item.type == "function_call_output":
            aside = self.conversation.calls_aside(event.item.call_id)
            require_call(event.item.call_id, self.conversation, "item.call_id", aside=aside)
        self._require_no_instructions(item, "item.role")
        self.conversation.budget.require(item_bytes(item), "item")
        self.hearing.require_room(audio.values(), "item.content")
        self.conversation.add(item, after=event.previous_item_id)
        self.floor.item_created(item)
        self.hearing.transcribe_parts(item, audio, self.config)
        self._take_known(now)

    def _approval_answered(self, event: client.ItemCreate, item: Item, now: float) -> None:
        """A tool server may be called, or not; either way the conversation goes on by itself."""
        ask = Ask(self.config)
        self.floor.check_queue(ask)
        call = self.tool_servers.waiting(event.item)
        self.conversation.add(item, after=event.previous_item_id)
        self.tool_servers.answered(event.item)
        self.floor.ask(ask if call is None else replace(ask, calls=(call,)), now)

    def _item_delete(self, event: client.ItemDelete, now: float) -> None:
        self.conversation.delete(event.item_id)
        self.hearing.transcripts.forget(event.item_id)
        self.replying.spoken.forget(event.item_id)
        self.floor.item_deleted(event.item_id, self.config, now)

    def _item_retrieve(self, event: client.ItemRetrieve, now: float) -> None:
        self.outbox.send(ev.ItemRetrieved(item=self.conversation.get(event.item_id)))

    def _item_truncate(self, event: client.ItemTruncate, now: float) -> None:
        item = self.conversation.get(event.item_id, "truncate")
        index = self.replying.audio_index(item)
        if index is None:
            raise ClientError("Only spoken assistant messages can be truncated.", param="item_id")
        if event.content_index not in (0, index):  # 0 for those who are not shown thoughts
            raise ClientError("There is no such audio part.", param="content_index")
        if event.audio_end_ms < 0:
            raise ClientError("'audio_end_ms' must not be negative.", param="audio_end_ms")
        self.floor.truncate(item, event.audio_end_ms, now)

    def _response_create(self, event: client.ResponseCreate, now: float) -> None:
        overrides = event.response
        config = self._checked(overrides, param="response")
        if config.kind == "transcription":
            raise ClientError("A transcription session makes no responses.", param="type")
        session = None if config == self.config else self.config
        ask = Ask(config, overrides.metadata, overrides.conversation == "auto", session=session)
        self.floor.check(ask)
        if overrides.input is not UNSET:
            ask = replace(ask, items=self._own_input(overrides.input))
        self.floor.ask(ask, now)
        self._take_known(now)

    def _response_cancel(self, event: client.ResponseCancel, now: float) -> None:
        self.floor.cancel(event.response_id, now)

    def _output_audio_clear(self, event: client.OutputAudioClear, now: float) -> None:
        self.replying.clear_output(now)
        self.floor.output_cleared()

    def _refused(self, signal: Refused, now: float) -> None:
        raise signal.error

    # ---- the engines

    def _heard(self, signal: Heard, now: float) -> None:
        vad = self.config.turn_detection
        if vad is None:
            return  # switched off while the detector was at work
        before = self.hearing.voiced_until
        for boundary in self.hearing.heard(signal, self.config, vad, now):
            match boundary:
                case Started():
                    self.floor.speech_started(vad, now)
                case Stopped():
                    self._commit(now, automatic=True, stop=boundary)
        if self.hearing.voiced_until > before:
            self._barge_in.voice_heard(now)

    def _scored(self, signal: Scored, now: float) -> None:
        self.hearing.scored(signal)

    def _overheard(self, signal: Overheard, now: float) -> None:
        current = self.hearing.current(signal.item_id)
        known = self.hearing.overheard(signal, self.config)
        if known is not None:
            self._recognised(known, now)
            return
        said = self.hearing.said if current and signal.transcript is not None else None
        if said is not None and self._counts(said, self.hearing.speech_ms, now):
            self.floor.words_said(self.config, now)
            if not self.replying.active:
                self._prefill(said.text)

    def _recognised(self, signal: Recognised, now: float) -> None:
        self.hearing.backlog.ended(signal)
        ignored = False
        if (completed := self.hearing.transcripts.ended_by(signal)) is not None:
            turn, said = completed
            ignored = turn.automatic and not self._counts(said, turn.speech_ms, now)
        ended = self.hearing.transcripts.recognised(signal, now, ignored=ignored)
        if ended is not None:
            self.floor.turn_ended(ended, self.config, now)

    def _recognition_failed(self, signal: RecognitionFailed, now: float) -> None:
        self.hearing.backlog.ended(signal)
        turn = self.hearing.transcripts.failed(signal)
        if turn is not None:
            self.floor.turn_ended(turn, self.config, now)

    def _replied(self, signal: Replied, now: float) -> None:
        self.replying.replied(signal, now)

    def _reply_failed(self, signal: ReplyFailed, now: float) -> None:
        self.replying.failed(signal)

    def _tools_listed(self, signal: ToolsListed, now: float) -> None:
        self.tool_servers.listed(signal)
        if not self.replying.active:
            self._prefill()

    def _tools_not_listed(self, signal: ToolsNotListed, now: float) -> None:
        self.tool_servers.not_listed(signal)

    def _noticed(self, signal: Noticed, now: float) -> None:
        self.floor.notice(signal.text, self.config, now)

    def _tick(self, signal: Tick, now: float) -> None:
        vad = self.config.turn_detection
        stop = self.hearing.tick(vad, now) if vad is not None else None
        if stop is None and self.floor.tick(self.config, now):
            stop = self.hearing.stop_speech()
        if stop is not None:
            self._commit(now, automatic=True, stop=stop)

    def _disconnected(self, signal: Disconnected, now: float) -> None:
        self.hearing.arrival.disconnected()

    def _connected(self, signal: Connected, now: float) -> None:
        self.hearing.arrival.connected(now)

    def _expiring(self, signal: Expiring, now: float) -> None:
        self.replying.tell_limits(
            ev.SessionLimit(expires_at=self.options.expires_at, expires_in_seconds=round(signal.in_s, 3))
        )

    def _ended(self, signal: Ended, now: float) -> None:
        self.replying.cut_short(signal.error)
        if signal.told:
            self.outbox.refuse(signal.error)
        self._over = True

    # ---- inside

    def _commit(self, now: float, *, automatic: bool, stop: Stopped | None = None) -> None:
        self.floor.committed(self.hearing.commit(now, self.config, automatic=automatic, stop=stop), self.config)
        self._take_known(now)

    def _counts(self, said: Transcript, speech_ms: int, now: float) -> bool:
        """Whether words of the user's are a turn, and not only a sign that they listen."""
        vad = self.config.turn_detection
        return self._barge_in.counts(said, speech_ms, vad.interruption if vad is not None else None, now)

    def _take_known(self, now: float) -> None:
        for known in self.hearing.take_known():
            self._recognised(known, now)

    def _own_input(self, given: tuple[NewItem, ...]) -> tuple[str, ...]:
        """The ids of the items of one response only, all or (``ClientError``) none."""
        ids, own = accept_input(given, self.conversation, self.outbox.new_id, decode=self._decoded)
        for item, _ in own:
            self._require_no_instructions(item, "response.input")
        self.conversation.budget.require(sum(item_bytes(item) for item, _ in own), "response.input")
        self.hearing.require_room([samples for _, audio in own for samples in audio.values()], "response.input")
        for item, audio in own:
            self.conversation.put_aside(item)
            self.hearing.transcribe_parts(item, audio, self.config)
        return ids

    def _prefill(self, words: str = "") -> None:
        """Have the language model read what is known of the next prompt: all up to the ``words`` the user is saying."""
        if self.config.kind == "transcription":
            return
        prompt = self.prompts.for_ask(Ask(self.config), self.hearing.transcripts.languages, user_speaks=True)
        messages = (*prompt.messages, Message("user", words))
        self.outbox.command(Prefill(messages, prompt.options, server_side(self.config.tools), prompt.tool_tokens))

    def _require_no_instructions(self, item: Item, param: str) -> None:
        if item.role == "system" and "instructions" in self.options.frozen:
            raise _frozen("instructions", param)

    def _checked(self, patch: SessionPatch, *, param: str) -> SessionConfig:
        config = patched(self.config, patch, self.options.turn_detection)
        for name in sorted(self.options.frozen):
            if getattr(config, name) != getattr(self.config, name):
                raise _frozen(f"'{name}'", f"{param}.{name}")
        self.options.voices.require(config.voice, f"{param}.voice")
        if not config.modalities or "text" not in config.modalities:
            # GA names audio alone; in this dialect words always come along (reference 2.1).
            raise ClientError('\'modalities\' must be ["text"] or ["text", "audio"].', param=f"{param}.modalities")
        choice = config.tool_choice
        if isinstance(choice, FunctionChoice | ServerChoice) and not can_be_chosen(choice, config.tools):
            raise ClientError(f"there is no tool '{told(choice)}' to choose", param=f"{param}.tool_choice")
        if patch.instructions is not UNSET or patch.tools is not UNSET:
            at_fault = "tools" if patch.instructions is UNSET else "instructions"
            self.prompts.budget.require_room(config, f"{param}.{at_fault}")
        return config


def _frozen(what: str, param: str) -> ClientError:
    return ClientError(f"Whoever opened this session has settled its {what}.", code="field_frozen", param=param)


_HANDLERS: Mapping[type, Callable[[Session, Any, float], None]] = {
    client.SessionUpdate: Session._session_update,
    client.AudioAppend: Session._audio_append,
    client.AudioCommit: Session._audio_commit,
    client.AudioClear: Session._audio_clear,
    client.ItemCreate: Session._item_create,
    client.ItemDelete: Session._item_delete,
    client.ItemRetrieve: Session._item_retrieve,
    client.ItemTruncate: Session._item_truncate,
    client.ResponseCreate: Session._response_create,
    client.ResponseCancel: Session._response_cancel,
    client.OutputAudioClear: Session._output_audio_clear,
    Refused: Session._refused,
    Heard: Session._heard,
    Scored: Session._scored,
    Overheard: Session._overheard,
    Recognised: Session._recognised,
    RecognitionFailed: Session._recognition_failed,
    Replied: Session._replied,
    ReplyFailed: Session._reply_failed,
    ToolsListed: Session._tools_listed,
    ToolsNotListed: Session._tools_not_listed,
    Noticed: Session._noticed,
    Tick: Session._tick,
    Disconnected: Session._disconnected,
    Connected: Session._connected,
    Expiring: Session._expiring,
    Ended: Session._ended,
}
"""A table of functions, not of a session's methods: those would hold the session, and all it keeps, in a cycle."""
