"""The answering half of a session: at most one response, its reply, its paced audio."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from vivavoce.audio.pacing import Pacer
from vivavoce.audio.pcm import encode_pcm16
from vivavoce.errors import ClientError
from vivavoce.observe.marks import Marks
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.items import Item, Part
from vivavoce.protocol.session_config import SessionConfig
from vivavoce.session.context import Context
from vivavoce.session.conversation import Conversation
from vivavoce.session.outbox import Outbox
from vivavoce.session.playback import Playback
from vivavoce.session.response import Response, ResponseEvent, ResponseState
from vivavoce.session.signals import Replied, ReplyFailed, StartReply, StopReply, WakeAt
from vivavoce.types import (
    ClauseCut,
    GenerationEnd,
    GenerationOptions,
    Language,
    Message,
    Speech,
    TextDelta,
    Tool,
    ToolCall,
)

REMEMBERED_REPLIES = 64
"""How many spoken replies can still be truncated by the client."""


class Replying:
    """Starts, carries and ends responses."""

    def __init__(
        self,
        outbox: Outbox,
        conversation: Conversation,
        context: Context,
        *,
        pacer: Callable[[], Pacer],
        reply_tokens: int,
        report_marks: bool,
    ) -> None:
        self._outbox = outbox
        self._conversation = conversation
        self._context = context
        self._new_pacer = pacer
        self._reply_tokens = reply_tokens
        self._report_marks = report_marks
        self._response: Response | None = None
        self.config: SessionConfig
        self.spoken: OrderedDict[str, Playback] = OrderedDict()
        self.spoke = False
        self._was_active = False

    @property
    def active(self) -> bool:
        """Whether a response is in progress."""
        return self._response is not None and self._response.active

    @property
    def waiting(self) -> bool:
        """Whether a response waits for a transcript."""
        return self._response is not None and self._response.state is ResponseState.WAITING

    def ended(self) -> bool:
        """Whether a response has ended since this was last asked."""
        ended, self._was_active = self._was_active and not self.active, self.active
        return ended

    @property
    def queued_ms(self) -> int:
        """Audio made but not sent: the reply road slows down when there is much of it."""
        playback = self._response.playback if self._response else None
        return playback.pacer.queued_ms if playback and self.active else 0

    # ---- a response's way

    def start(
        self, config: SessionConfig, marks: Marks, metadata: Mapping[str, Any] | msgspec.UnsetType = msgspec.UNSET
    ) -> None:
        """Begin a response with ``config``; ``marks`` are those of the turn it answers.

        Raises ``ClientError`` while another is in progress.
        """
        if self.active:
            raise ClientError("ongoing response already exists", code="conversation_already_has_active_response")
        self.config = config
        self._response = Response(
            self._outbox,
            self._conversation,
            playback=Playback(self._new_pacer()) if config.speaks else None,
            marks=marks,
            report_marks=self._report_marks,
            metadata=metadata,
        )

    def prompt(
        self, config: SessionConfig, languages: Mapping[str, Language]
    ) -> tuple[tuple[Message, ...], GenerationOptions]:
        """What the language model gets now."""
        limit = self._reply_tokens if config.max_output_tokens == "inf" else config.max_output_tokens
        tools = tuple(Tool(tool.name, tool.description, tool.parameters) for tool in config.tools)
        options = GenerationOptions(
            max_tokens=min(limit, self._reply_tokens),
            temperature=config.temperature,
            tools=() if config.tool_choice == "none" else tools,
        )
        return self._context.messages(config.instructions, self._conversation, languages), options

    def generate(self, language: Language, languages: Mapping[str, Language]) -> None:
        """All transcripts are there: send the reply on its road. ``language`` was spoken last."""
        response = self._active_response()
        response.happened(ResponseEvent.INPUT_READY)
        messages, options = self.prompt(self.config, languages)
        voice = self.config.voice if self.config.speaks else None
        self._outbox.command(StartReply(response.id, messages, options, voice, language))

    def replied(self, signal: Replied, now: float) -> None:
        """Take in what the reply road yields. What belongs to a response that has ended is dropped here."""
        response = self._response
        if response is None or response.id != signal.response_id or not response.active:
            return
        match signal.event:
            case TextDelta(text=text):
                response.marks.note("first_token", now)
                response.text(text)
            case ClauseCut(text=text):
                response.marks.note("first_clause", now)
                if response.playback is not None:
                    response.playback.add_clause(text)
            case Speech(index=index, samples=samples):
                response.marks.note("first_audio", now)
                if response.playback is not None:
                    response.playback.push(index, encode_pcm16(samples), len(samples))
            case ToolCall():
                response.call(signal.event)
            case GenerationEnd():
                response.end = signal.event
                response.happened(ResponseEvent.GENERATED)

    def failed(self, signal: ReplyFailed) -> None:
        """An engine failed: the response fails, the session lives on."""
        response = self._response
        if response is None or response.id != signal.response_id or not response.active:
            return
        body = ev.ErrorBody(type="server_error", code="engine_error", message=signal.message)
        details = ev.StatusDetails(type="failed", reason="error", error=body)
        self._remember(response)
        response.finish(ResponseEvent.FAIL, details=details)

    def cancel(self, now: float, *, reason: str, response_id: str | None = None) -> None:
        """Stop at once: nothing more is made or sent; what was heard stays. Raises ``ClientError`` if there is nothing."""
        response = self._response
        if response is None or not response.active or response_id not in (None, response.id):
            raise ClientError("no ongoing response to cancel", code="response_cancel_not_active")
        self._outbox.command(StopReply(response.id))
        heard = None
        if response.playback is not None and response.message_id is not None:
            heard = response.playback.words_until(response.playback.played_ms(now))
        self._remember(response)
        response.finish(ResponseEvent.CANCEL, heard=heard, details=ev.StatusDetails(type="cancelled", reason=reason))

    def interrupt(self, now: float) -> None:
        """The user speaks: stop the reply, or, when all of it has been sent, forget what is still to be played."""
        if self.active:
            self.cancel(now, reason="turn_detected")
            return
        response = self._response
        if response is None or response.state is not ResponseState.COMPLETED or response.playback is None:
            return
        played_ms, message_id = response.playback.played_ms(now), response.message_id
        if played_ms < response.playback.duration_ms and message_id is not None and message_id in self._conversation:
            self.truncate(self._conversation.get(message_id), played_ms)

    def truncate(self, item: Item, audio_end_ms: int) -> None:
        """Keep of a spoken item only the words of its first ``audio_end_ms`` milliseconds, and say so."""
        words = self.spoken[item.id].words_until(audio_end_ms)
        part = Part(type="audio", transcript=words)
        self._conversation.replace(msgspec.structs.replace(item, content=(part,)))
        self._outbox.send(ev.ItemTruncated(item_id=item.id, content_index=0, audio_end_ms=audio_end_ms))

    def release(self, now: float) -> None:
        """Let the audio go that may go, end the response when all has gone, and ask to be woken for the rest."""
        response = self._response
        if response is None or not response.active:
            return
        if response.playback is not None:
            for pcm in response.playback.pacer.release(now):
                response.marks.note("first_sent", now)
                self.spoke = True
                response.audio(pcm)
        if response.state is ResponseState.DRAINING and (response.playback is None or response.playback.pacer.empty):
            self._complete(response)
        elif response.playback is not None:
            at = response.playback.pacer.next_release(now)
            if at is not None:
                self._outbox.command(WakeAt(at))

    # ---- inside

    def _complete(self, response: Response) -> None:
        self._remember(response)
        if response.end is not None and response.end.reason == "length":
            details = ev.StatusDetails(type="incomplete", reason="max_output_tokens")
            response.finish(ResponseEvent.CUT_SHORT, details=details)
        else:
            response.finish(ResponseEvent.DRAINED)

    def _remember(self, response: Response) -> None:
        if response.playback is None or response.message_id is None:
            return
        self.spoken[response.message_id] = response.playback
        while len(self.spoken) > REMEMBERED_REPLIES:
            self.spoken.popitem(last=False)

    def _active_response(self) -> Response:
        if self._response is None:
            raise RuntimeError("no response has been started")
        return self._response
