"""Random conversations against the pure core: whatever happens, what goes out stays well formed."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from session.driving import VAD, Driven, pcm, speech
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.items import NewItem, Part
from vivavoce.protocol.session_config import ResponseOverrides, SessionPatch, TurnDetectionPatch
from vivavoce.session.signals import Recognised, RecognitionFailed, Replied, ReplyFailed, Send, StartReply, Transcribe
from vivavoce.types import (
    ClauseCut,
    GenerationEnd,
    ReplyEnd,
    Speech,
    TextDelta,
    ToolCall,
    Transcript,
)


class Conversations(RuleBasedStateMachine):
    """A client, a microphone, a recogniser and a reply road that do anything in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.driven = Driven(VAD, audio_lead_ms=500, buffer_ms=5000)
        self.read = 0
        self.clauses: dict[str, int] = {}
        self.ended: set[str] = set()
        self.open: list[tuple[Any, ...]] = []
        self.active: set[str] = set()
        self.event_ids: set[str] = set()
        self.items: list[str] = []

    # ---- the world

    @rule(milliseconds=st.integers(0, 400), probability=st.sampled_from([0.0, 0.9]))
    def hear(self, milliseconds: int, probability: float) -> None:
        self.driven.hear(milliseconds, probability)

    @rule(
        event=st.sampled_from(
            [
                client.AudioCommit(),
                client.AudioClear(),
                client.ResponseCreate(),
                client.ResponseCreate(response=ResponseOverrides(modalities=("text",))),
                client.ResponseCancel(),
                client.AudioAppend(audio=b"\0"),
                client.SessionUpdate(session=SessionPatch(turn_detection=None)),
                client.SessionUpdate(session=SessionPatch(turn_detection=TurnDetectionPatch(type="server_vad"))),
                client.SessionUpdate(session=SessionPatch(voice="v2")),
                client.ItemDelete(item_id="nobody"),
                client.ItemCreate(item=NewItem(role="user", content=(Part(type="input_text", text="hi"),))),
                client.ItemCreate(item=NewItem(role="user", content=(Part(type="input_audio", audio=pcm(100)),))),
                client.ItemCreate(item=NewItem(type="function_call_output", call_id="c", output="o")),
            ]
        )
    )
    def client_says(self, event: Any) -> None:
        self.driven.take(event)

    @precondition(lambda self: self.items)
    @rule(data=st.data(), end_ms=st.integers(-5, 3000))
    def change_an_item(self, data: st.DataObject, end_ms: int) -> None:
        item_id = data.draw(st.sampled_from(self.items))
        if data.draw(st.booleans()):
            self.driven.take(client.ItemDelete(item_id=item_id))
        else:
            self.driven.take(client.ItemTruncate(item_id=item_id, audio_end_ms=end_ms))

    @precondition(lambda self: self.driven.commands(Transcribe))
    @rule(data=st.data(), text=st.sampled_from(["", "hello"]), fails=st.booleans())
    def recognise(self, data: st.DataObject, text: str, fails: bool) -> None:
        work = data.draw(st.sampled_from(self.driven.commands(Transcribe)))
        if fails:
            self.driven.take(RecognitionFailed(work.item_id, work.content_index, "no"))
        else:
            self.driven.take(Recognised(work.item_id, work.content_index, Transcript(text, "en")))

    @precondition(lambda self: self.driven.commands(StartReply))
    @rule(data=st.data(), kind=st.integers(0, 4), milliseconds=st.integers(1, 900))
    def reply(self, data: st.DataObject, kind: int, milliseconds: int) -> None:
        response_id = data.draw(st.sampled_from(self.driven.commands(StartReply))).response_id
        if response_id in self.ended and data.draw(st.booleans()):
            return
        index = self.clauses.get(response_id, 0)
        signals: list[Any] = []
        if kind <= 1:
            self.clauses[response_id] = index + 1
            signals = [TextDelta("some words "), ClauseCut(index, "some words "), Speech(index, speech(milliseconds))]
        elif kind == 2:
            signals = [ToolCall("c", "lamp", "{}")]
        elif response_id not in self.ended:
            self.ended.add(response_id)
            if kind == 3:
                signals = [GenerationEnd("stop"), ReplyEnd()]
            else:
                self.driven.take(ReplyFailed(response_id, "no"))
        self.driven.take(*(Replied(response_id, signal) for signal in signals))

    @rule(seconds=st.floats(0, 3))
    def wait(self, seconds: float) -> None:
        self.driven.wait(seconds)

    # ---- what must hold

    @invariant()
    def the_stream_is_well_formed(self) -> None:
        for output in self.driven.outputs[self.read :]:
            if isinstance(output, Send):
                self._check(output.event)
        self.read = len(self.driven.outputs)
        assert len(self.active) <= 1
        assert [item.id for item in self.driven.session.conversation] == self.items

    def _check(self, event: ev.ServerEvent) -> None:
        assert event.event_id
        assert event.event_id not in self.event_ids
        self.event_ids.add(event.event_id)
        if isinstance(event, ev.ResponseEvent):
            assert event.response_id in self.active, "nothing comes after response.done"
        if isinstance(event, ev.PartEvent) and not isinstance(event, ev.PartAdded):
            assert ("part", event.item_id, event.content_index) in self.open
        match event:
            case ev.ItemCreated():
                place = 0 if event.previous_item_id is None else self.items.index(event.previous_item_id) + 1
                self.items.insert(place, event.item.id)
            case ev.ItemDeleted():
                self.items.remove(event.item_id)
            case ev.ResponseCreated():
                self.active.add(event.response.id)
            case ev.OutputItemAdded():
                self.open.append(("item", event.item.id))
            case ev.PartAdded():
                self.open.append(("part", event.item_id, event.content_index))
            case ev.PartDone():
                self.open.remove(("part", event.item_id, event.content_index))
            case ev.OutputItemDone():
                self.open.remove(("item", event.item.id))
            case ev.ResponseDone():
                assert not self.open
                assert event.response.status != "in_progress"
                self.active.remove(event.response.id)


Conversations.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestConversations = Conversations.TestCase
