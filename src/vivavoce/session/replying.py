"""The answering half of a session: at most one response at a time, its reply, its paced audio."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace

import msgspec

from vivavoce.audio.pacing import Pacer
from vivavoce.errors import ClientError
from vivavoce.observe.marks import Marks
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.items import Item, Part
from vivavoce.protocol.session_config import SessionConfig
from vivavoce.protocol.tool_config import server_side
from vivavoce.session.asking import Ask, Prompts
from vivavoce.session.conversation import Conversation
from vivavoce.session.interruption import Interruption
from vivavoce.session.outbox import Outbox
from vivavoce.session.playback import Playback
from vivavoce.session.response import Response, ResponseEvent, ResponseState
from vivavoce.session.signals import Replied, ReplyFailed, StartReply, StopReply
from vivavoce.session.tool_servers import ToolServers
from vivavoce.session.usage import AudioMeter, rate_limits
from vivavoce.types import (
    ApprovalNeeded,
    ClauseCut,
    ClauseSpoken,
    GenerationEnd,
    Language,
    Message,
    ReplyEnd,
    ServerToolEnded,
    ServerToolStarted,
    Speech,
    TextDelta,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
)

REMEMBERED_REPLIES = 64
"""How many spoken replies can still be truncated by the client."""


PLAYED_OUT = (ResponseState.COMPLETED, ResponseState.INCOMPLETE, ResponseState.FAILED)
"""How a response ends whose audio is played to the end of what was sent."""


class Replying:
    """Starts, carries and ends responses."""

    def __init__(
        self,
        outbox: Outbox,
        conversation: Conversation,
        prompts: Prompts,
        tool_servers: ToolServers,
        *,
        pacer: Callable[[], Pacer],
        report_marks: bool,
    ) -> None:
        self._outbox = outbox
        self._conversation = conversation
        self._prompts = prompts
        self._tool_servers = tool_servers
        self._new_pacer = pacer
        self._report_marks = report_marks
        self._response: Response | None = None
        self._ask: Ask
        self._clauses_before = 0
        self._over = False
        self._work: StartReply | None = None
        self._before = ""
        self._audio = AudioMeter(conversation)
        self.interruption: Interruption | None = None
        self.spoken: OrderedDict[str, Playback] = OrderedDict()
        self.spoke = False

    @property
    def active(self) -> bool:
        """Whether a response is in progress."""
        return self._response is not None and self._response.active

    @property
    def active_in_conversation(self) -> bool:
        """Whether a response is in progress that becomes part of the history."""
        return self._response is not None and self._response.active and self._response.in_conversation

    @property
    def in_conversation(self) -> bool:
        """Whether the newest response becomes, or has become, part of the history."""
        return self._response is not None and self._response.in_conversation

    @property
    def waiting(self) -> bool:
        """Whether a response waits for a transcript."""
        return self._response is not None and self._response.state is ResponseState.WAITING

    def ended(self) -> bool:
        """Whether a response has ended since this was last asked."""
        over, self._over = self._over, False
        return over and not self.active

    @property
    def queued_ms(self) -> int:
        """Audio made but not sent: the reply road slows down when there is much of it."""
        playback = self._response.playback if self._response else None
        return playback.queued_ms if playback and self.active else 0

    @property
    def heard_at(self) -> float | None:
        """When the last reply will have been heard (seconds); ``None`` for one not spoken, or stopped."""
        response = self._response
        if response is None or response.state not in PLAYED_OUT or response.playback is None:
            return None
        return response.playback.played_at()

    # ---- a response's way

    def start(self, ask: Ask, marks: Marks) -> None:
        """Begin a response; ``marks`` are those of the turn it answers. No other may be in progress."""
        self._ask = ask
        self._clauses_before = 0
        self._work = None
        self._before = ""
        if ask.in_conversation:
            self.interruption = None
        playback = Playback(self._new_pacer(), ask.config.output_audio_format) if ask.config.speaks else None
        self._response = Response(
            self._outbox,
            self._conversation if ask.in_conversation else None,
            config=ask.config,
            playback=playback,
            marks=marks,
            report_marks=self._report_marks,
            metadata=ask.metadata,
        )

    def generate(self, language: Language, languages: Mapping[str, Language]) -> None:
        """All transcripts are there: send the reply on its road. ``language`` was spoken last."""
        messages, options = self._prompts.for_ask(self._ask, languages)
        response = self._new_road()
        response.audio_in = self._audio.measure(self._ask, messages)
        self._work = StartReply(
            response.id,
            messages,
            options,
            self._ask.voice,
            language,
            speed=self._ask.config.speed,
            tools=server_side(self._ask.config.tools),
            calls=self._ask.calls,
        )
        self._outbox.command(self._work)

    def replied(self, signal: Replied, now: float) -> None:
        """Take in what the reply road yields. What belongs to a response that has ended is dropped here."""
        response = self._response
        if response is None or response.id != signal.response_id or not response.active:
            return
        playback = response.playback
        match signal.event:
            case TextDelta(text=text):
                response.marks.note("first_token", now)
                response.text(text)
            case ThinkingDelta(text=text):
                response.thinking(text)
            case ClauseCut(text=text):
                response.marks.note("first_clause", now)
                if playback is not None:
                    playback.add_clause(text)
            case Speech(index=index, samples=samples):
                response.marks.note("first_audio", now)
                if playback is not None:
                    playback.push(self._clauses_before + index, samples)
            case ClauseSpoken(index=index):
                if playback is not None:
                    playback.clause_done(self._clauses_before + index)
            case ToolCallDelta():
                response.call_delta(signal.event)
            case ToolCall(id=call_id):
                response.call(signal.event)
                if not response.in_conversation:
                    self._conversation.called_aside(response.id, call_id)
            case ServerToolStarted():
                response.server_calls.started(signal.event)
            case ServerToolEnded():
                response.server_calls.ended(signal.event)
            case ApprovalNeeded():
                request_id = response.server_calls.needs_approval(signal.event)
                if response.in_conversation:
                    self._tool_servers.asked(request_id, signal.event.call)
            case GenerationEnd():
                response.end = signal.event
            case ReplyEnd():
                response.happened(ResponseEvent.GENERATED)

    def failed(self, signal: ReplyFailed) -> None:
        """An engine failed: the response fails, the session lives on."""
        response = self._response
        if response is None or response.id != signal.response_id or not response.active:
            return
        body = ev.ErrorBody(type="server_error", code="engine_error", message=signal.message)
        details = ev.StatusDetails(type="failed", reason="error", error=body)
        heard = response.playback.words_sent() if response.playback is not None else None
        self._finish(response, ResponseEvent.FAIL, heard=heard, details=details)

    def cancel(self, now: float, *, reason: str, response_id: str | None = None) -> None:
        """Stop at once: nothing more is made or sent; what was heard stays. Raises ``ClientError`` if there is nothing."""
        response = self._response
        if response is None or not response.active or response_id not in (None, response.id):
            raise ClientError("no ongoing response to cancel", code="response_cancel_not_active")
        self._outbox.command(StopReply(response.id))
        heard = None
        if response.playback is not None and response.message_id is not None:
            heard = response.playback.words_played(now)
        details = ev.StatusDetails(type="cancelled", reason=reason)
        self._finish(response, ResponseEvent.CANCEL, heard=heard, details=details)

    def cut_short(self, error: ClientError) -> None:
        """The session ends: so does a response in progress, with all that was sent of it, and says why."""
        response = self._response
        if response is None or not response.active:
            return
        self._outbox.command(StopReply(response.id))
        body = ev.ErrorBody(type=error.type, code=error.code, message=error.message)
        heard = response.playback.words_sent() if response.playback is not None else None
        details = ev.StatusDetails(type="incomplete", reason=error.code, error=body)
        self._finish(response, ResponseEvent.CUT_SHORT, heard=heard, details=details)

    def tell_limits(self, session: ev.SessionLimit) -> None:
        """Tell what is left of the limits, the session's own time above all."""
        end = self._response.end if self._response is not None else None
        self._outbox.send(rate_limits(self._prompts.context_tokens, end, session))

    # ---- interruption

    def interrupt(self, now: float, deadline: float) -> None:
        """The user speaks: stop the reply, or, when all of it has been sent, forget what is still to be played.

        What was not heard is kept until it is known whether they mean it: see ``go_on``.
        """
        response = self._response
        if self.interruption is not None:
            self.interruption.deadline = deadline
        if response is None or not response.in_conversation:
            return
        playback, position_ms = response.playback, 0
        if playback is not None:
            position_ms = playback.played_ms(now)
        if response.active:
            self.cancel(now, reason="turn_detected")
            if response.message_id is not None and response.message_id not in self._conversation:
                return  # the client has deleted it
        elif playback is None or not self._still_playing(response, position_ms):
            return
        else:
            self.truncate(self._conversation.get(str(response.message_id)), position_ms)
        if playback is not None and not playback.silenced:
            self.interruption = Interruption(
                response, playback, position_ms, deadline, self._ask, self._work, self._before
            )

    def go_on(self, language: Language, languages: Mapping[str, Language]) -> bool:
        """It was no interruption: a new response says what was not heard, from where the reply was cut.

        What is to be written yet goes on from the prompt the reply began with, whatever was said since. Returns
        whether there was anything to go on with.
        """
        cut, self.interruption = self.interruption, None
        if cut is None:
            return False
        rest = cut.unheard
        if cut.finished and not rest.clauses and not rest.text:
            return False
        self.start(cut.ask, Marks())
        if cut.work is None:
            self.generate(language, languages)
            return True
        self._work, self._before = cut.whole_work(), cut.heard
        response = self._new_road()
        playback = response.playback
        if playback is None:
            raise RuntimeError("only spoken replies can be interrupted")
        for index, (text, pcm) in enumerate(rest.clauses):
            if text:
                response.text(text)
            playback.add_clause(text)
            if pcm:
                playback.push_pcm(index, pcm)
            playback.clause_done(index)
        self._clauses_before = len(rest.clauses)
        response.audio_in = cut.response.audio_in.again(prompted=not cut.finished)
        if cut.finished:
            response.end = GenerationEnd("stop")
            if not rest.text:
                response.happened(ResponseEvent.GENERATED)
                return True
        work = replace(
            self._work, response_id=response.id, voice=self._ask.voice, speed=self._ask.config.speed, begun=rest.text
        )
        if cut.finished:
            work = replace(work, messages=(), calls=())
        elif cut.written:
            said = Message("assistant", cut.written)
            work = replace(work, messages=(*work.messages, said), options=replace(work.options, goes_on=True))
        self._outbox.command(work)
        return True

    def reconfigured(self, old: SessionConfig, new: SessionConfig) -> None:
        """The session has changed: so does what is still to be said of a reply that was cut."""
        if self.interruption is None:
            return
        if new.speaks and new.kind == "realtime":
            self.interruption.reconfigured(old, new)
        else:
            self.interruption = None

    # ---- what was said

    def truncate(self, item: Item, audio_end_ms: int) -> None:
        """Keep of a spoken item only the words of its first ``audio_end_ms`` milliseconds, and say so."""
        index = audio_index(item)
        if index is None:
            return  # it has thoughts only
        playback = self.spoken[item.id]
        playback.stopped = True
        words = playback.words_until(audio_end_ms)
        parts = tuple(Part(type="audio", transcript=words) if part.type == "audio" else part for part in item.parts)
        self._conversation.replace(msgspec.structs.replace(item, content=parts))
        self._outbox.send(
            ev.ItemTruncated(item_id=item.id, content_index=index, audio_end_ms=audio_end_ms, thoughts_before=index)
        )
        if self.interruption is not None and self.interruption.response.message_id == item.id:
            self.interruption.position_ms = audio_end_ms

    def forget(self, item_id: str) -> None:
        """The item is gone: it cannot be truncated, and a reply that was cut does not go on."""
        self.spoken.pop(item_id, None)
        if self.interruption is not None and self.interruption.response.message_id == item_id:
            self.interruption = None

    def clear_output(self, now: float) -> None:
        """Forget what was made and not sent, or sent and not played. Raises ``ClientError`` if there is nothing."""
        response = self._response
        if response is None or response.playback is None:
            raise ClientError("there is no output audio to clear", code="output_audio_buffer_empty")
        self.interruption = None
        if response.active:
            response.playback.silence(now)
        elif not response.playback.stopped and response.message_id in self._conversation:
            self.truncate(self._conversation.get(str(response.message_id)), response.playback.played_ms(now))
        self._outbox.send(ev.OutputAudioCleared(response_id=response.id))

    def release(self, now: float) -> float | None:
        """Let the audio go that may go and end the response when all has gone; returns when to ask again (seconds)."""
        response = self._response
        if response is None or not response.active:
            return None
        playback = response.playback
        for audio in playback.release(now) if playback is not None else ():
            response.marks.note("first_sent", now)
            self.spoke = True
            response.audio(audio)
        if response.state is ResponseState.DRAINING and (playback is None or playback.all_sent):
            self._complete(response)
            return None
        return playback.next_release(now) if playback is not None else None

    # ---- inside

    def _new_road(self) -> Response:
        if self._response is None:
            raise RuntimeError("no response has been started")
        self._response.happened(ResponseEvent.INPUT_READY)
        return self._response

    def _complete(self, response: Response) -> None:
        if response.playback is not None and not response.playback.silenced and (tail := response.playback.tail()):
            response.audio(tail)
        silenced = response.playback is not None and response.playback.silenced
        heard = response.playback.words_sent() if response.playback is not None and silenced else None
        if response.end is not None and response.end.reason == "length":
            details = ev.StatusDetails(type="incomplete", reason="max_output_tokens")
            self._finish(response, ResponseEvent.CUT_SHORT, heard=heard, details=details)
        else:
            self._finish(response, ResponseEvent.DRAINED, heard=heard)

    def _finish(
        self,
        response: Response,
        event: ResponseEvent,
        *,
        heard: str | None = None,
        details: ev.StatusDetails | None = None,
    ) -> None:
        self._over = True
        self._remember(response)
        self._conversation.forget_aside(self._ask.items or ())
        response.finish(event, heard=heard, details=details)
        self._outbox.send(rate_limits(self._prompts.context_tokens, response.end))

    def _still_playing(self, response: Response, position_ms: int) -> bool:
        playback = response.playback
        return (
            response.state in PLAYED_OUT
            and playback is not None
            and not playback.stopped
            and position_ms < playback.duration_ms
            and response.message_id in self._conversation
        )

    def _remember(self, response: Response) -> None:
        """Words and positions stay for a while, audio only of the newest."""
        if response.playback is None or response.message_id is None:
            return
        for playback in self.spoken.values():
            if self.interruption is None or playback is not self.interruption.playback:
                playback.forget_audio()
        if response.message_id in self._conversation:
            self.spoken[response.message_id] = response.playback
        while len(self.spoken) > REMEMBERED_REPLIES:
            self.spoken.popitem(last=False)


def audio_index(item: Item) -> int | None:
    """Which part of a spoken item is the audio, if any; thoughts may come before it."""
    return next((index for index, part in enumerate(item.parts) if part.type == "audio"), None)
