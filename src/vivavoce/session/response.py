"""The life of a response. Everything that moves a response from one state to another is in this file's table.

``Response`` also writes the documented sequence of events: what is opened is closed, in order, exactly once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypedDict

import msgspec

from vivavoce.observe.marks import Marks
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.items import Item, ItemStatus, Part, PartType
from vivavoce.protocol.session_config import SessionConfig
from vivavoce.protocol.usage import Usage
from vivavoce.session.conversation import Conversation
from vivavoce.session.outbox import Outbox
from vivavoce.session.output_items import OutputItems
from vivavoce.session.playback import Playback
from vivavoce.session.server_calls import ServerCalls
from vivavoce.session.usage import PromptUsage
from vivavoce.session.voice_perception import included
from vivavoce.types import GenerationEnd, ToolCall, ToolCallDelta

THOUGHTS = "response.thinking"
"""What a client of OpenAI's dialects puts into ``session.include`` to be told thoughts; StepFun's are told them always."""


class ResponseState(Enum):
    """Where a response is. The last four are final."""

    WAITING = "waiting"
    GENERATING = "generating"
    DRAINING = "draining"
    COMPLETED = "completed"
    INCOMPLETE = "incomplete"
    CANCELLED = "cancelled"
    FAILED = "failed"


class ResponseStep(Enum):
    """What can happen to a response."""

    INPUT_READY = "input_ready"
    GENERATED = "generated"
    DRAINED = "drained"
    CUT_SHORT = "cut_short"
    CANCEL = "cancel"
    FAIL = "fail"


RESPONSE_TABLE: dict[tuple[ResponseState, ResponseStep], ResponseState] = {
    (ResponseState.WAITING, ResponseStep.INPUT_READY): ResponseState.GENERATING,
    (ResponseState.WAITING, ResponseStep.CANCEL): ResponseState.CANCELLED,
    (ResponseState.WAITING, ResponseStep.CUT_SHORT): ResponseState.INCOMPLETE,
    (ResponseState.WAITING, ResponseStep.FAIL): ResponseState.FAILED,
    (ResponseState.GENERATING, ResponseStep.GENERATED): ResponseState.DRAINING,
    (ResponseState.GENERATING, ResponseStep.CANCEL): ResponseState.CANCELLED,
    (ResponseState.GENERATING, ResponseStep.CUT_SHORT): ResponseState.INCOMPLETE,
    (ResponseState.GENERATING, ResponseStep.FAIL): ResponseState.FAILED,
    (ResponseState.DRAINING, ResponseStep.DRAINED): ResponseState.COMPLETED,
    (ResponseState.DRAINING, ResponseStep.CUT_SHORT): ResponseState.INCOMPLETE,
    (ResponseState.DRAINING, ResponseStep.CANCEL): ResponseState.CANCELLED,
}
"""Generation ends before the audio has left (``DRAINING``). Any pair not here is a bug."""

STATUS: dict[ResponseState, ev.ResponseStatus] = {
    ResponseState.WAITING: "in_progress",
    ResponseState.GENERATING: "in_progress",
    ResponseState.DRAINING: "in_progress",
    ResponseState.COMPLETED: "completed",
    ResponseState.INCOMPLETE: "incomplete",
    ResponseState.CANCELLED: "cancelled",
    ResponseState.FAILED: "failed",
}


class _PartIds(TypedDict):
    response_id: str
    item_id: str
    output_index: int
    content_index: int
    thoughts_before: int


class _CallIds(TypedDict):
    response_id: str
    output_index: int
    item_id: str
    call_id: str
    name: str


@dataclass(slots=True)
class _OpenPart:
    """A content part being written. ``final`` is what it became; ``None`` while it is open."""

    kind: PartType
    text: str = ""
    final: Part | None = None


@dataclass(slots=True)
class _OpenMessage:
    """The assistant message being written. Its place in ``parts`` is a part's content index."""

    item_id: str
    output_index: int
    parts: list[_OpenPart] = field(default_factory=list)
    fillers: list[str] = field(default_factory=list)

    def open_index(self, kind: PartType) -> int | None:
        """Where the open part of this kind is, if there is one."""
        return next((at for at, part in enumerate(self.parts) if part.kind == kind and part.final is None), None)


@dataclass(slots=True)
class _PartialCall:
    """A function call being written."""

    item: Item
    output_index: int
    arguments: str = ""


class Response:
    """One response: its state, its output, the events that tell of it.

    ``playback`` is ``None`` for a text-only response, ``conversation`` for one out of band: its items enter no history.
    ``written`` holds the words of the reply so far, heard or not; ``prompt_usage`` is what its prompt was made of;
    ``keeps_thinking``: thoughts go on beside its words. ``not_applied`` names what the voice could not do.
    """

    def __init__(
        self,
        outbox: Outbox,
        conversation: Conversation | None,
        *,
        config: SessionConfig,
        playback: Playback | None,
        marks: Marks,
        report_marks: bool,
        metadata: Mapping[str, Any] | msgspec.UnsetType | None = msgspec.UNSET,
    ) -> None:
        self.id = outbox.new_id("resp")
        self.config = config
        self.playback = playback
        self.marks = marks
        self.end: GenerationEnd | None = None
        self.message_id: str | None = None
        self.keeps_thinking = False
        self.not_applied: tuple[str, ...] = ()
        self.written = ""
        self.prompt_usage = PromptUsage()
        self._pieces = 0
        self._outbox = outbox
        self._conversation = conversation
        self._report_marks = report_marks
        self._tells_thoughts = THOUGHTS in included(config)
        self._state = ResponseState.WAITING
        self._output = OutputItems(self.id, outbox, conversation)
        self._message: _OpenMessage | None = None
        self._calls: dict[str, _PartialCall] = {}
        self._metadata = metadata
        self._kind: PartType = "text" if playback is None else "audio"
        self.server_calls = ServerCalls(outbox, conversation, self._output)
        outbox.send(ev.ResponseCreated(response=self._object("in_progress")))

    @property
    def state(self) -> ResponseState:
        """The current state; only ``happened`` changes it."""
        return self._state

    @property
    def active(self) -> bool:
        """Whether it is still being made or spoken."""
        return STATUS[self._state] == "in_progress"

    def happened(self, event: ResponseStep) -> ResponseState:
        """Move along the table. Raises ``KeyError`` on a transition that does not exist."""
        self._state = RESPONSE_TABLE[self._state, event]
        return self._state

    @property
    def in_conversation(self) -> bool:
        """Whether what it says becomes part of the history."""
        return self._conversation is not None

    @property
    def audio_index(self) -> int:
        """The content index of the message's audio, or the one it will have: thoughts come before it."""
        parts = self._message.parts if self._message is not None else []
        return next((index for index, part in enumerate(parts) if part.kind == "audio"), len(parts))

    # ---- content

    def thinking(self, delta: str) -> None:
        """More of what the model thinks, in a part of its own: before the reply, or beside it."""
        message, index = self._part("thinking")
        message.parts[index].text += delta
        ids, requested = self._part_ids(message, index), self._tells_thoughts
        self._outbox.send(ev.ResponseThinkingDelta(**ids, delta=delta, requested=requested))

    def thought(self) -> None:
        """All is thought."""
        if self._message is not None and (index := self._message.open_index("thinking")) is not None:
            self._close_part(self._message, index, self._message.parts[index].text)

    def text(self, delta: str, *, filler: bool = False) -> None:
        """More of the reply's words. Thoughts before them are over, unless it is still being thought (``keeps_thinking``).
        ``filler``: words of the server's that fill silence."""
        message, index = self._reply_part()
        if filler:
            message.fillers.append(delta.strip())
        message.parts[index].text += delta
        self.written += delta
        self._pieces += 1
        ids = self._part_ids(message, index)
        if self.playback is None:
            self._outbox.send(ev.ResponseTextDelta(**ids, delta=delta))
        else:
            self._outbox.send(ev.AudioTranscriptDelta(**ids, delta=delta))

    def audio(self, audio: bytes) -> None:
        """A piece of audio that leaves now, in the client's format."""
        message, index = self._reply_part()
        self._outbox.send(ev.AudioDelta(**self._part_ids(message, index), delta=audio))

    def call_delta(self, delta: ToolCallDelta) -> None:
        """More of a function call for the client; the first delta of an id begins its output item."""
        call = self._calls.get(delta.id) or self._open_call(delta.id, delta.name)
        call.arguments += delta.arguments
        self._outbox.send(ev.ArgumentsDelta(**self._call_ids(call), delta=delta.arguments))

    def call(self, call: ToolCall) -> None:
        """A function call is whole."""
        written = self._calls[call.id].arguments if call.id in self._calls else ""
        if rest := call.arguments.removeprefix(written):
            self.call_delta(ToolCallDelta(call.id, call.name, rest))
        self._close_call(self._calls.pop(call.id), "completed")

    def _open_call(self, call_id: str, name: str) -> _PartialCall:
        item = Item(
            id=self._outbox.new_id("item"), type="function_call", status="in_progress",
            call_id=call_id, name=name, arguments="",
        )  # fmt: skip
        call = self._calls[call_id] = _PartialCall(item, self._output.add(item))
        return call

    def _close_call(self, call: _PartialCall, status: ItemStatus) -> None:
        if status == "completed":
            self._outbox.send(ev.ArgumentsDone(**self._call_ids(call), arguments=call.arguments))
        calls = self.server_calls.take() if status == "completed" else msgspec.UNSET
        done = msgspec.structs.replace(call.item, status=status, arguments=call.arguments, calls=calls)
        self._output.finish(call.output_index, done)

    def _call_ids(self, call: _PartialCall) -> _CallIds:
        return {
            "response_id": self.id,
            "output_index": call.output_index,
            "item_id": call.item.id,
            "call_id": str(call.item.call_id),
            "name": str(call.item.name),
        }

    def finish(
        self, event: ResponseStep, *, played_text: str | None = None, details: ev.StatusDetails | None = None
    ) -> None:
        """Close everything that is open and end the response.

        ``played_text`` replaces the words of an interrupted reply by those that can have been heard.
        """
        state = self.happened(event)
        self.server_calls.cut()
        if self._message is not None:
            whole = state is ResponseState.COMPLETED
            self._close_message(self._message, "completed" if whole else "incomplete", played_text)
        for call in self._calls.values():
            self._close_call(call, "incomplete")
        self._calls.clear()
        self._outbox.send(ev.ResponseDone(response=self._object(STATUS[state], details)))

    def _object(self, status: ev.ResponseStatus, details: ev.StatusDetails | None = None) -> ev.ResponseObject:
        over = status != "in_progress"
        return ev.ResponseObject(
            id=self.id,
            status=status,
            config=self.config,
            conversation_id=self._conversation.id if self._conversation is not None else None,
            status_details=details,
            output=tuple(self._output.items),
            usage=self._usage() if over else None,
            metadata=self._metadata,
            marks=self.marks.reported() if over and self._report_marks else msgspec.UNSET,
            not_applied=self.not_applied if over and self.not_applied else msgspec.UNSET,
        )

    def _usage(self) -> Usage:
        """Of a reply that was cut before its end it is known about what was prompted, and what was said in pieces of about a
        token."""
        end = self.end or GenerationEnd("stop", self.prompt_usage.text_tokens, output_tokens=self._pieces)
        return Usage(
            input_text=end.input_tokens,
            cached_text=end.cached_tokens,
            output_text=end.output_tokens,
            input_audio_ms=self.prompt_usage.input_audio_ms,
            cached_audio_ms=self.prompt_usage.cached_audio_ms,
            output_audio_ms=self.playback.delivered_ms if self.playback is not None else 0,
        )

    # ---- the assistant message

    def _open_message(self) -> _OpenMessage:
        """Announce the item, in the order the official demo needs: item added, item created, then its parts."""
        item = Item(id=self._outbox.new_id("msg"), status="in_progress", role="assistant", content=())
        message = _OpenMessage(item.id, self._output.add_message(item))
        self._message, self.message_id = message, item.id
        return message

    def _reply_part(self) -> tuple[_OpenMessage, int]:
        message = self._message or self._open_message()
        if (
            not self.keeps_thinking
            and message.open_index(self._kind) is None
            and (thought := message.open_index("thinking")) is not None
        ):
            self._close_part(message, thought, message.parts[thought].text)
        return self._part(self._kind)

    def _part(self, kind: PartType) -> tuple[_OpenMessage, int]:
        """The open part of this kind, opened if it is not."""
        message = self._message or self._open_message()
        index = message.open_index(kind)
        if index is None:
            index = len(message.parts)
            message.parts.append(_OpenPart(kind))
            empty = Part(type="audio", audio=b"", transcript="") if kind == "audio" else Part(type=kind, text="")
            self._outbox.send(ev.PartAdded(**self._part_ids(message, index), part=empty))
        return message, index

    def _close_part(self, message: _OpenMessage, index: int, words: str) -> None:
        ids = self._part_ids(message, index)
        part = message.parts[index]
        match part.kind:
            case "audio":
                part.final = Part(type="audio", transcript=words)
                self._outbox.send(ev.AudioDone(**ids))
                self._outbox.send(ev.AudioTranscriptDone(**ids, transcript=words))
            case "thinking":
                part.final = Part(type="thinking", text=words)
                self._outbox.send(ev.ThinkingDone(**ids, thinking=words, requested=self._tells_thoughts))
            case _:
                part.final = Part(type="text", text=words)
                self._outbox.send(ev.ResponseTextDone(**ids, text=words))
        self._outbox.send(ev.PartDone(**ids, part=part.final))

    def _close_message(self, message: _OpenMessage, status: ItemStatus, played_text: str | None) -> None:
        for index, part in enumerate(message.parts):
            if part.final is None:
                self._close_part(
                    message, index, played_text if played_text is not None and part.kind == "audio" else part.text
                )
        content = tuple(part.final for part in message.parts if part.final is not None)
        self._message = None
        item = Item(
            id=message.item_id, status=status, role="assistant", content=content,
            calls=self.server_calls.take(), fillers=tuple(message.fillers) or msgspec.UNSET,
        )  # fmt: skip
        self._output.finish(message.output_index, item)

    def _part_ids(self, message: _OpenMessage, index: int) -> _PartIds:
        return {
            "response_id": self.id,
            "item_id": message.item_id,
            "output_index": message.output_index,
            "content_index": index,
            "thoughts_before": sum(part.kind == "thinking" for part in message.parts[:index]),
        }
