"""A client that believes what it is told, and complains when it cannot be."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from vivavoce.protocol import server_events as ev
from vivavoce.protocol.items import Item
from vivavoce.session.session import Session


@dataclass
class Mirror:
    """The conversation as the events tell it. ``apply`` asserts that each event may come where it comes."""

    items: dict[str, Item] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    event_ids: set[str] = field(default_factory=set)
    responses: set[str] = field(default_factory=set)
    active: str | None = None
    open: list[tuple[object, ...]] = field(default_factory=list)
    truncated: dict[str, str] = field(default_factory=dict)
    told: dict[tuple[str, int], str] = field(default_factory=dict)
    written: dict[tuple[str, int], str] = field(default_factory=dict)
    spoken: dict[str, str] = field(default_factory=dict)
    speech_ms: int = 0
    speaking_since_ms: int | None = None
    audio_bytes: int = 0
    errors: int = 0

    def apply(self, event: ev.ServerEvent) -> None:
        assert event.event_id
        assert event.event_id not in self.event_ids
        self.event_ids.add(event.event_id)
        match event:
            case ev.Error():
                self.errors += 1
                assert event.error.message
            case ev.ResponseCreated() | ev.ResponseDone() | ev.ResponseEvent():
                self._response(event)
            case ev.SpeechStarted() | ev.SpeechStopped() | ev.AudioCommitted() | ev.AudioCleared():
                self._speech(event)
            case _:
                self._item(event)

    def agrees(self, session: Session) -> None:
        """What the client knows is what the server remembers, in order and content."""
        known = list(session.conversation)
        assert [item.id for item in known] == self.order
        for item in known:
            mine = self.items[item.id]
            if item.id in self.truncated:
                assert self.truncated[item.id].startswith(_audio_words(item))
                assert _without_words(item) == _without_words(mine)
            else:
                assert item == mine
        assert (self.active is not None) == session.responses.active

    # ---- inside

    def _item(self, event: ev.ServerEvent) -> None:
        match event:
            case ev.ItemCreated():
                assert event.item.id not in self.items
                place = 0 if event.previous_item_id is None else self.order.index(event.previous_item_id) + 1
                self.order.insert(place, event.item.id)
                self.items[event.item.id] = event.item
                self.truncated.pop(event.item.id, None)
            case ev.ItemDone():
                before = self.items[event.item.id]
                assert before.status == "in_progress" or before == event.item
                self.items[event.item.id] = event.item
            case ev.ItemDeleted():
                self.order.remove(event.item_id)
                del self.items[event.item_id]
                self.told = {key: text for key, text in self.told.items() if key[0] != event.item_id}
            case ev.ItemTruncated():
                item = self.items[event.item_id]
                if item.id in self.spoken:
                    assert item.parts[event.content_index].type == "audio"
                else:
                    assert all(part.type == "thinking" for part in item.parts)
                self.truncated[item.id] = self.spoken.get(item.id, "")
            case ev.TranscriptionDelta():
                key = (event.item_id, event.content_index)
                assert event.delta
                self.told[key] = self.told.get(key, "") + event.delta
                assert event.text == self.told[key]
            case ev.TranscriptionCompleted():
                item = self.items[event.item_id]
                parts = list(item.parts)
                parts[event.content_index] = msgspec.structs.replace(
                    parts[event.content_index], transcript=event.transcript
                )
                self.items[item.id] = msgspec.structs.replace(item, content=tuple(parts))
            case ev.TranscriptionFailed():
                assert event.item_id in self.items

    def _speech(self, event: ev.ServerEvent) -> None:
        match event:
            case ev.SpeechStarted():
                assert self.speaking_since_ms is None
                assert event.audio_start_ms >= self.speech_ms
                self.speaking_since_ms = event.audio_start_ms
            case ev.SpeechStopped():
                assert self.speaking_since_ms is not None
                assert event.audio_end_ms >= self.speaking_since_ms
                self.speech_ms, self.speaking_since_ms = event.audio_end_ms, None
            case ev.AudioCommitted() | ev.AudioCleared():
                self.speaking_since_ms = None

    def _response(self, event: ev.ServerEvent) -> None:
        match event:
            case ev.ResponseCreated():
                assert self.active is None, "one response at a time"
                assert event.response.id not in self.responses
                self.responses.add(event.response.id)
                self.active, self.audio_bytes = event.response.id, 0
                self.written.clear()
            case ev.ResponseDone():
                assert event.response.id == self.active
                assert not self.open, "what was opened is closed"
                assert event.response.status != "in_progress"
                self.active = None
            case ev.ResponseEvent():
                assert event.response_id == self.active, "nothing comes after response.done"
                self._output(event)

    def _output(self, event: ev.ResponseEvent) -> None:
        match event:
            case ev.OutputItemAdded():
                self.open.append(("item", event.item.id))
            case ev.OutputItemDone():
                self.open.remove(("item", event.item.id))
                for at, part in enumerate(event.item.parts):
                    if part.type == "audio":
                        self.spoken[event.item.id] = self.written[event.item.id, at]
                        assert self.spoken[event.item.id].startswith(part.words), "heard is a part of written"
            case ev.PartAdded():
                self.open.append(("part", event.item_id, event.content_index))
                self.written[event.item_id, event.content_index] = ""
            case ev.PartDone():
                self.open.remove(("part", event.item_id, event.content_index))
            case ev.PartEvent():
                assert ("part", event.item_id, event.content_index) in self.open
                if isinstance(event, ev.AudioTranscriptDelta):
                    self.written[event.item_id, event.content_index] += event.delta
                if isinstance(event, ev.AudioDelta):
                    assert event.delta
                    self.audio_bytes += len(event.delta)


def _audio_words(item: Item) -> str:
    return next((part.words for part in item.parts if part.type == "audio"), "")


def _without_words(item: Item) -> Item:
    parts = tuple(
        msgspec.structs.replace(part, transcript=None) if part.type == "audio" else part for part in item.parts
    )
    return msgspec.structs.replace(item, content=parts)
