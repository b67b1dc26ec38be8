"""Things that happen at the wrong moment: what is late, deleted, cleared or changed while something else is under way."""

from __future__ import annotations

from typing import Any

import pytest

from session.driving import VAD, Driven, pcm
from session.test_text_and_items import say
from session.test_voice_turn import spoken_turn
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.items import NewItem, Part
from vivavoce.protocol.session_config import ResponseOverrides
from vivavoce.session.signals import (
    Heard,
    Overhear,
    Overheard,
    Tick,
    WakeAt,
)
from vivavoce.types import (
    Transcript,
)

ASIDE = client.ResponseCreate(response=ResponseOverrides(conversation="none", modalities=("text",)))


def hears(milliseconds: int = 200, **fields: Any) -> NewItem:
    return NewItem(role="user", content=(Part(type="input_audio", audio=pcm(milliseconds)),), **fields)


def statuses(driven: Driven) -> list[str]:
    return [event.response.status for event in driven.events(ev.ResponseDone)]


def rests(driven: Driven) -> bool:
    """Whether the session asks to be woken later than now, if at all."""
    return all(output.at > driven.now for output in driven.take(Tick()) if isinstance(output, WakeAt))


# ---- what was heard late


def test_a_reading_of_audio_that_was_cleared_interrupts_nothing() -> None:
    driven = Driven(VAD)
    driven.hear(1500, 0.9)
    stale = driven.commands(Overhear)[-1]
    driven.take(client.AudioClear(), say("hello"), client.ResponseCreate())
    driven.take(Overheard(stale.item_id, stale.until, Transcript("words of old", "en")))
    assert not driven.events(ev.ResponseDone)


def test_an_older_reading_is_not_taken_for_the_one_that_left_nothing_out() -> None:
    driven = Driven(VAD)
    driven.hear(1500, 0.9)
    driven.hear(640, 0.9)
    driven.hear(64, 0.0)
    driven.hear(320, 0.0)
    older, newer = driven.commands(Overhear)
    driven.take(Overheard(older.item_id, older.until, Transcript("half", "en")))
    assert not driven.events(ev.TranscriptionCompleted)
    driven.take(Overheard(newer.item_id, newer.until, Transcript("half and the rest", "en")))
    assert [event.transcript for event in driven.events(ev.TranscriptionCompleted)] == ["half and the rest"]


@pytest.mark.parametrize("event", [client.AudioCommit(), client.AudioClear()])
def test_frames_heard_after_their_audio_was_taken_begin_no_turn(event: Any) -> None:
    driven = Driven(VAD)
    driven.take(client.AudioAppend(audio=pcm(640)), event)
    driven.take(Heard(0, [0.9] * 10), Heard(320 * 16, [0.0] * 10))
    assert not driven.events(ev.SpeechStarted)
    assert not driven.events(ev.Error)
    spoken_turn(driven)
    assert len(driven.events(ev.SpeechStarted)) == 1
