"""The answering half of a session: at most one response at a time, its reply, its paced audio."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vivavoce.audio.pacing import Pacer
from vivavoce.errors import ClientError
from vivavoce.observe.marks import Marks
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.items import Item
from vivavoce.protocol.tool_config import server_side
from vivavoce.session.asking import Ask, Prompts
from vivavoce.session.conversation import Conversation
from vivavoce.session.outbox import Outbox
from vivavoce.session.playback import Playback
from vivavoce.session.reply import PausedReply, Reply
from vivavoce.session.response import Response, ResponseEvent, ResponseState
from vivavoce.session.response_queue import merged
from vivavoce.session.signals import Replied, ReplyFailed, StartReply, StopReply
from vivavoce.session.spoken_replies import SpokenReplies, audio_index
from vivavoce.session.tool_servers import ToolServers
from vivavoce.session.usage import AudioMeter, rate_limits
from vivavoce.types import (
    ApprovalNeeded,
    ClauseCut,
    ClauseSpoken,
    GenerationEnd,
    Language,
    ReplyEnd,
    ServerToolEnded,
    ServerToolStarted,
    Speech,
    TextDelta,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
)

PLAYED_OUT = (ResponseState.COMPLETED, ResponseState.INCOMPLETE, ResponseState.FAILED)
"""How a response ends whose audio is played to the end of what was sent."""


class Replying:
    """Starts, carries, pauses and ends responses."""

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
        self._reply: Reply | None = None
        self._over = False
        self._audio = AudioMeter(conversation)
        self.spoken = SpokenReplies(outbox, conversation)
        self.spoke = False

    @property
    def newest(self) -> Response | None:
        """The response in progress, or the last one there was."""
        return self._reply.response if self._reply is not None else None

    @property
    def active(self) -> bool:
        """Whether a response is in progress."""
        return self.newest is not None and self.newest.active

    @property
    def active_in_conversation(self) -> bool:
        """Whether a response is in progress that becomes part of the history."""
        return self.newest is not None and self.newest.active and self.newest.in_conversation

    @property
    def waiting(self) -> bool:
        """Whether a response waits for a transcript."""
        return self.newest is not None and self.newest.state is ResponseState.WAITING

    def is_saying(self, item_id: str) -> bool:
        """Whether this item is being spoken, or about to be, by the response in progress."""
        response = self.newest
        return response is not None and response.active and response.message_id == item_id and response.config.speaks

    def being_heard(self, now: float) -> bool:
        """Whether the user is being replied to: a response of the conversation is made, or what was sent of it is playing."""
        response = self.newest
        if response is None or not response.in_conversation:
            return False
        playback = response.playback
        playing = playback is not None and self._still_playing(response, playback, playback.played_ms(now))
        return playing or (response.active and not self.waiting)

    def has_just_asked(self, now: float) -> bool:
        """Whether the user has just heard a question to its end."""
        if self._reply is None:
            return False
        playback = self._reply.response.playback
        return self._reply.has_just_asked(playback.played_ms(now) if playback is not None else 0)

    def ended(self) -> bool:
        """Whether a response has ended since this was last asked."""
        over, self._over = self._over, False
        return over and not self.active

    @property
    def queued_ms(self) -> int:
        """Audio made but not sent: the reply road slows down when there is much of it."""
        playback = self.newest.playback if self.newest else None
        return playback.queued_ms if playback and self.active else 0

    # ---- a response's way

    def start(self, ask: Ask, marks: Marks) -> None:
        """Begin a response; ``marks`` are those of the turn it answers. No other may be in progress."""
        playback = Playback(self._new_pacer(), ask.config.output_audio_format) if ask.config.speaks else None
        response = Response(
            self._outbox,
            self._conversation if ask.in_conversation else None,
            config=ask.config,
            playback=playback,
            marks=marks,
            report_marks=self._report_marks,
            metadata=ask.metadata,
        )
        self._reply = Reply(response, ask)

    def absorb(self, ask: Ask) -> bool:
        """Let the response that waits for a transcript answer this one too. Whether it can."""
        reply = self._reply
        both = merged(reply.ask, ask) if reply is not None and self.waiting else None
        if reply is None or both is None:
            return False
        reply.ask = both
        return True

    def generate(self, language: Language, languages: Mapping[str, Language]) -> Ask:
        """All transcripts are there: send the reply on its road. ``language`` was spoken last. Returns what it answers."""
        reply = self._begun_reply()
        prompt = self._prompts.for_ask(reply.ask, languages)
        reply.response.prompted = self._audio.measure(reply.ask, prompt.messages)
        reply.work = StartReply(
            reply.response.id,
            prompt.messages,
            prompt.options,
            reply.ask.voice,
            language,
            tool_tokens=prompt.tool_tokens,
            speed=reply.ask.config.speed,
            tools=server_side(reply.ask.config.tools),
            calls=reply.ask.calls,
        )
        self._outbox.command(reply.work)
        return reply.ask

    def replied(self, signal: Replied, now: float) -> None:
        """Take in what the reply road yields. What belongs to a response that has ended is dropped here."""
        reply = self._reply
        if reply is None or reply.response.id != signal.response_id or not reply.response.active:
            return
        response, playback = reply.response, reply.response.playback
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
                    playback.push(reply.clauses_before + index, samples)
            case ClauseSpoken(index=index):
                if playback is not None:
                    playback.clause_done(reply.clauses_before + index)
            case ToolCallDelta(id=call_id):
                if not reply.calls.hold_back(call_id):
                    response.call_delta(signal.event)
            case ToolCall(id=call_id):
                if reply.calls.hand_over(signal.event):
                    response.call(signal.event)
                if not response.in_conversation:
                    self._conversation.called_aside(response.id, call_id)
            case ServerToolStarted():
                response.server_calls.started(signal.event)
            case ServerToolEnded():
                response.server_calls.ended(signal.event)
            case ApprovalNeeded(call=call):
                if reply.calls.hand_over(call):
                    request_id = response.server_calls.needs_approval(signal.event)
                    if response.in_conversation:
                        self._tool_servers.asked(request_id, call)
            case GenerationEnd():
                response.end = signal.event
            case ReplyEnd():
                response.happened(ResponseEvent.GENERATED)

    def failed(self, signal: ReplyFailed) -> None:
        """An engine failed: the response fails, the session lives on."""
        response = self.newest
        if response is None or response.id != signal.response_id or not response.active:
            return
        body = ev.ErrorBody(type=signal.type, code=signal.code, message=signal.message)
        details = ev.StatusDetails(type="failed", reason="error", error=body)
        heard = response.playback.words_sent() if response.playback is not None else None
        self._finish(response, ResponseEvent.FAIL, heard=heard, details=details)

    def cancel(self, now: float, *, reason: str, heard_ms: int | None = None) -> None:
        """Stop the response in progress at once: nothing more is made or sent; what was heard stays.

        ``heard_ms`` is how much of its audio that is, where the client has said so.
        """
        response = self.newest
        if response is None or not response.active:
            raise RuntimeError("there is no response to cancel")
        self._outbox.command(StopReply(response.id))
        heard = None
        if response.playback is not None and response.message_id is not None:
            heard_ms = (
                response.playback.played_ms(now) if heard_ms is None else min(heard_ms, response.playback.sent_ms)
            )
            heard = response.playback.words_until(heard_ms)
        details = ev.StatusDetails(type="cancelled", reason=reason)
        self._finish(response, ResponseEvent.CANCEL, heard=heard, details=details)

    def cut_short(self, error: ClientError) -> None:
        """The session ends: so does a response in progress, with all that was sent of it, and says why."""
        response = self.newest
        if response is None or not response.active:
            return
        self._outbox.command(StopReply(response.id))
        body = ev.ErrorBody(type=error.type, code=error.code, message=error.message)
        heard = response.playback.words_sent() if response.playback is not None else None
        details = ev.StatusDetails(type="incomplete", reason=error.code, error=body)
        self._finish(response, ResponseEvent.CUT_SHORT, heard=heard, details=details)

    def tell_limits(self, session: ev.SessionLimit) -> None:
        """Tell what is left of the limits, the session's own time above all."""
        end = self.newest.end if self.newest is not None else None
        self._outbox.send(rate_limits(self._prompts.budget.context_tokens, end, session))

    # ---- the user speaks

    def pause(self, now: float) -> PausedReply | None:
        """The user speaks: stop what they hear, or, when all of it has been sent, forget what is still to be played.

        What is only written goes on: it is in nobody's way. Returns what can be ``resume``d, if anything.
        """
        reply = self._reply
        if reply is None or reply.response.playback is None or not reply.response.in_conversation:
            return None
        response, playback = reply.response, reply.response.playback
        position_ms = playback.played_ms(now)
        if response.active:
            self.cancel(now, reason="turn_detected")
            if response.message_id is not None and response.message_id not in self._conversation:
                return None  # the client has deleted it
        elif self._still_playing(response, playback, position_ms):
            self.spoken.truncate(self._conversation.get(str(response.message_id)), position_ms)
        else:
            return None
        if playback.silenced:
            return None
        playback.paused = True
        return PausedReply(reply, playback, position_ms)

    def interrupt(self, now: float) -> None:
        """The user has said something: a response in progress ends for good, unless it waits for these very words."""
        if self.active_in_conversation and not self.waiting:
            self.cancel(now, reason="turn_detected")

    def resume(self, paused: PausedReply, marks: Marks) -> bool:
        """Say in a new response what was not heard of a paused reply, from where it was cut.

        What is to be written yet goes on from the prompt the reply began with, whatever was said since; one that had no
        prompt yet is ``waiting``. Returns whether there was anything to go on with.
        """
        if paused.finished and paused.unheard.is_nothing:
            return False
        self.start(paused.reply.ask, marks)
        if paused.reply.work is not None and (work := paused.go_on_in(self._begun_reply())) is not None:
            self._outbox.command(work)
        return True

    # ---- what was said

    def audio_index(self, item: Item) -> int | None:
        """Where the audio of an item is that was, or is being, spoken; ``None`` if the client cannot truncate it."""
        if self.newest is not None and self.is_saying(item.id):
            return self.newest.audio_index
        index = audio_index(item)
        return index if self.spoken.get(item.id) is not None and index < len(item.parts) else None

    def truncate(self, item: Item, audio_end_ms: int, now: float) -> None:
        """Keep of a spoken item only the words of its first ``audio_end_ms`` milliseconds, and say so.

        A reply in progress ends there. An end beyond what was sent means all of that: clients count a little more than
        they got.
        """
        if self.is_saying(item.id):
            self.cancel(now, reason="client_cancelled", heard_ms=audio_end_ms)
        self.spoken.truncate(self._conversation.get(item.id), audio_end_ms)

    def clear_output(self, now: float) -> None:
        """Forget what was made and not sent, or sent and not played. Raises ``ClientError`` if there is nothing."""
        response = self.newest
        if response is None or response.playback is None:
            raise ClientError("there is no output audio to clear", code="output_audio_buffer_empty")
        if response.active:
            response.playback.silence(now)
        elif not response.playback.stopped and self.spoken.get(response.message_id or "") is response.playback:
            item = self._conversation.get(str(response.message_id))
            if self.audio_index(item) is not None:
                self.spoken.truncate(item, response.playback.played_ms(now))
        self._outbox.send(ev.OutputAudioCleared(response_id=response.id))

    def release(self, now: float) -> float | None:
        """Let the audio go that may go and end the response when all has gone; returns when to ask again (seconds)."""
        response = self.newest
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

    def _begun_reply(self) -> Reply:
        if self._reply is None:
            raise RuntimeError("no response has been started")
        self._reply.response.happened(ResponseEvent.INPUT_READY)
        return self._reply

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
        self.spoken.remember(response)
        if self._reply is not None:
            self._conversation.forget_aside(self._reply.ask.items or ())
        response.finish(event, heard=heard, details=details)
        self._outbox.send(rate_limits(self._prompts.budget.context_tokens, response.end))

    def _still_playing(self, response: Response, playback: Playback, position_ms: int) -> bool:
        return (
            response.state in PLAYED_OUT
            and not playback.stopped
            and position_ms < playback.duration_ms
            and response.message_id in self._conversation
        )
