"""The answering half of a session: at most one response at a time, its reply, its paced audio."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from vivavoce.audio.pacing import Pacer
from vivavoce.errors import ClientError
from vivavoce.observe.marks import Marks
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.items import Item
from vivavoce.session.conversation import Conversation
from vivavoce.session.inputs import Replied, ReplyFailed
from vivavoce.session.mcp_servers import SessionMcpServers
from vivavoce.session.outbox import Outbox
from vivavoce.session.outputs import StopReply
from vivavoce.session.playback import Playback
from vivavoce.session.prompt_builder import PromptBuilder, ResponseRequest
from vivavoce.session.reply import PausedReply, Reply, reply_work
from vivavoce.session.response import Response, ResponseState, ResponseStep
from vivavoce.session.response_queue import merged
from vivavoce.session.speaking_rate import SpeakingRate
from vivavoce.session.spoken_replies import SpokenReplies, audio_index
from vivavoce.session.usage import PromptAudioCounter, rate_limits
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
    ThinkingEnd,
    ToolCall,
    ToolCallDelta,
)

REACTION_MS = 150
"""Nobody reacts to what they have heard for less than this."""

PLAYED_OUT = (ResponseState.COMPLETED, ResponseState.INCOMPLETE, ResponseState.FAILED)
"""How a response ends whose audio is played to the end of what was sent."""


class ResponseController:
    """Starts, carries, pauses and ends responses."""

    def __init__(
        self,
        outbox: Outbox,
        conversation: Conversation,
        prompts: PromptBuilder,
        mcp_servers: SessionMcpServers,
        *,
        pacer: Callable[[], Pacer],
        report_marks: bool,
    ) -> None:
        self._outbox = outbox
        self._conversation = conversation
        self._prompts = prompts
        self._mcp_servers = mcp_servers
        self._new_pacer = pacer
        self._report_marks = report_marks
        self._reply: Reply | None = None
        self._in_progress: Response | None = None
        self._over = False
        self._prompt_audio = PromptAudioCounter(conversation)
        self.spoken = SpokenReplies(outbox, conversation)
        self.spoke = False
        self._rate = SpeakingRate()

    @property
    def newest(self) -> Response | None:
        """The response in progress, or the last one there was."""
        return self._reply.response if self._reply is not None else None

    @property
    def active(self) -> bool:
        """Whether a response is in progress."""
        return self._in_progress is not None

    @property
    def active_in_conversation(self) -> bool:
        """Whether a response is in progress that becomes part of the history."""
        return self._in_progress is not None and self._in_progress.in_conversation

    @property
    def waiting(self) -> bool:
        """Whether a response waits for a transcript."""
        return self._in_progress is not None and self._in_progress.state is ResponseState.WAITING

    def is_saying(self, item_id: str) -> bool:
        """Whether this item is being spoken, or about to be, by the response in progress."""
        response = self._in_progress
        return response is not None and response.message_id == item_id and response.config.speaks

    def is_replying(self, now: float) -> bool:
        """Whether the user is being replied to: a response of the conversation is made, or what was sent of it is playing."""
        response = self.newest
        if response is None or not response.in_conversation:
            return False
        playback = response.playback
        playing = playback is not None and self._still_playing(response, playback, playback.played_ms(now))
        return playing or (response.active and not self.waiting)

    def is_unheard(self, marks: Marks, at: float) -> bool:
        """Whether the user, at that time (seconds), cannot have reacted to the answer of the turn with these ``marks``: it has
        not begun, or they had heard next to nothing of it. What is written is taken to be read.
        """
        response = self.newest
        if response is None or response.marks is not marks:
            return True
        playback = response.playback
        return not response.written if playback is None else playback.played_ms(at) < REACTION_MS

    def ends_with_question(self, now: float) -> bool:
        """Whether the user has just heard a question to its end."""
        if self._reply is None:
            return False
        playback = self._reply.response.playback
        return self._reply.ends_with_question(playback.played_ms(now) if playback is not None else 0)

    def ended(self) -> bool:
        """Whether a response has ended since this was last asked."""
        over, self._over = self._over, False
        return over and not self.active

    @property
    def queued_ms(self) -> int:
        """Audio made but not sent: the reply pipeline slows down when there is much of it."""
        playback = self._in_progress.playback if self._in_progress is not None else None
        return playback.queued_ms if playback is not None else 0

    # ---- a response's way

    def start(self, request: ResponseRequest, marks: Marks) -> None:
        """Begin a response; ``marks`` are those of the turn it answers. No other may be in progress."""
        format = request.config.output_audio_format
        playback = Playback(self._new_pacer(), format, self._rate) if request.config.speaks else None
        response = Response(
            self._outbox,
            self._conversation if request.in_conversation else None,
            config=request.config,
            playback=playback,
            marks=marks,
            report_marks=self._report_marks,
            metadata=request.metadata,
        )
        self._reply = Reply(response, request)
        self._in_progress = response

    def absorb(self, request: ResponseRequest) -> bool:
        """Let the response that waits for a transcript answer this one too. Whether it can."""
        reply = self._reply
        both = merged(reply.request, request) if reply is not None and self.waiting else None
        if reply is None or both is None:
            return False
        reply.request = both
        return True

    def generate(self, language: Language, languages: Mapping[str, Language]) -> ResponseRequest:
        """All transcripts are there: send the reply on its road. ``language`` was spoken last. Returns what it answers."""
        reply = self._begun_reply()
        prompt = self._prompts.for_request(reply.request, languages)
        reply.response.prompt_usage = self._prompt_audio.measure(reply.request, prompt.messages)
        reply.not_applied = prompt.style.not_applied if reply.request.config.speaks else ()
        reply.response.keeps_thinking = prompt.options.thinking is not None
        hosted, silent_since = self._prompts.hosted(reply.request), reply.response.marks.speech_end
        reply.work = reply_work(reply.response.id, reply.request, prompt, language, hosted, silent_since)
        self._outbox.command(reply.work)
        return reply.request

    def replied(self, result: Replied, now: float) -> None:
        """Take in what the reply pipeline yields. What belongs to a response that has ended is dropped here."""
        reply, response = self._reply, self._in_progress
        if reply is None or response is None or response.id != result.response_id:
            return
        playback = response.playback
        match result.event:
            case TextDelta(text=text, filler=filler):
                response.marks.note("first_token", now)
                response.text(text, filler=filler)
            case ThinkingDelta(text=text):
                response.thinking(text)
            case ThinkingEnd():
                response.thought()
            case ClauseCut(index=index, text=text):
                response.marks.note("first_clause", now)
                if playback is not None:
                    playback.write_clause(reply.clause_offset + index, text)
            case Speech(index=index, samples=samples):
                response.marks.note("first_audio", now)
                if playback is not None:
                    playback.push(reply.clause_offset + index, samples)
            case ClauseSpoken(index=index):
                if playback is not None:
                    playback.clause_done(reply.clause_offset + index)
            case ToolCallDelta(id=call_id):
                if not reply.calls.hold_back(call_id):
                    response.call_delta(result.event)
            case ToolCall(id=call_id):
                if reply.calls.deliver(result.event):
                    response.call(result.event)
                if not response.in_conversation:
                    self._conversation.record_out_of_band_call(response.id, call_id)
            case ServerToolStarted():
                response.server_calls.started(result.event)
            case ServerToolEnded():
                response.server_calls.ended(result.event)
            case ApprovalNeeded(call=call):
                if reply.calls.deliver(call):
                    request_id = response.server_calls.needs_approval(result.event)
                    if response.in_conversation:
                        self._mcp_servers.asked(request_id, call)
            case GenerationEnd():
                response.end = result.event
            case ReplyEnd(not_applied=names):
                response.not_applied = (*reply.not_applied, *names)
                response.happened(ResponseStep.GENERATED)

    def failed(self, result: ReplyFailed) -> None:
        """An engine failed: the response fails, the session lives on."""
        response = self._in_progress
        if response is None or response.id != result.response_id:
            return
        body = ev.ErrorBody(type=result.type, code=result.code, message=result.message)
        details = ev.StatusDetails(type="failed", reason="error", error=body)
        played_text = response.playback.words_sent() if response.playback is not None else None
        self._finish(response, ResponseStep.FAIL, played_text=played_text, details=details)

    def cancel(self, now: float, *, reason: str, played_ms: int | None = None) -> None:
        """Stop the response in progress at once: nothing more is made or sent; what was heard stays.

        ``played_ms`` is how much of its audio that is, where the client has said so.
        """
        response = self._in_progress
        if response is None:
            raise RuntimeError("there is no response to cancel")
        played_text = None
        if response.playback is not None and response.message_id is not None:
            played_ms = (
                response.playback.played_ms(now) if played_ms is None else min(played_ms, response.playback.sent_ms)
            )
            played_text = response.playback.words_until(played_ms)
        self._outbox.command(StopReply(response.id, played_ms))
        details = ev.StatusDetails(type="cancelled", reason=reason)
        self._finish(response, ResponseStep.CANCEL, played_text=played_text, details=details)

    def cut_short(self, error: ClientError) -> None:
        """The session ends: so does a response in progress, with all that was sent of it, and says why."""
        response = self._in_progress
        if response is None:
            return
        self._outbox.command(StopReply(response.id))
        body = ev.ErrorBody(type=error.type, code=error.code, message=error.message)
        played_text = response.playback.words_sent() if response.playback is not None else None
        details = ev.StatusDetails(type="incomplete", reason=error.code, error=body)
        self._finish(response, ResponseStep.CUT_SHORT, played_text=played_text, details=details)

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
        if paused.finished and paused.unplayed.is_nothing:
            return False
        self.start(paused.reply.request, marks)
        if paused.reply.work is not None and (work := paused.resume_in(self._begun_reply())) is not None:
            hosted = self._prompts.hosted(paused.reply.request, continues=bool(paused.written))
            self._outbox.command(replace(work, hosted=hosted))
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
            self.cancel(now, reason="client_cancelled", played_ms=audio_end_ms)
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
        response = self._in_progress
        if response is None:
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
        self._reply.response.happened(ResponseStep.INPUT_READY)
        return self._reply

    def _complete(self, response: Response) -> None:
        if response.playback is not None and not response.playback.silenced and (tail := response.playback.tail()):
            response.audio(tail)
        silenced = response.playback is not None and response.playback.silenced
        played_text = response.playback.words_sent() if response.playback is not None and silenced else None
        if response.end is not None and response.end.reason == "length":
            details = ev.StatusDetails(type="incomplete", reason="max_output_tokens")
            self._finish(response, ResponseStep.CUT_SHORT, played_text=played_text, details=details)
        else:
            self._finish(response, ResponseStep.DRAINED, played_text=played_text)

    def _finish(
        self,
        response: Response,
        event: ResponseStep,
        *,
        played_text: str | None = None,
        details: ev.StatusDetails | None = None,
    ) -> None:
        self._in_progress, self._over = None, True
        self.spoken.remember(response)
        if self._reply is not None:
            self._conversation.forget_out_of_band(self._reply.request.items or ())
        response.finish(event, played_text=played_text, details=details)
        self._outbox.send(rate_limits(self._prompts.budget.context_tokens, response.end))

    def _still_playing(self, response: Response, playback: Playback, position_ms: int) -> bool:
        return (
            response.state in PLAYED_OUT
            and not playback.stopped
            and position_ms < playback.duration_ms
            and response.message_id in self._conversation
        )
