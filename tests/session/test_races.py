"""Things that happen at the wrong moment: what is late, deleted, cleared or changed while something else is under way."""

from __future__ import annotations

from typing import Any

import pytest

from session.driving import VAD, Driven, pcm
from session.test_interruption import a_short_noise, replying
from session.test_text_and_items import say
from session.test_voice_turn import spoken_turn
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.items import NewItem, Part
from vivavoce.protocol.session_config import ResponseOverrides, SessionPatch, TurnDetectionPatch
from vivavoce.session.signals import (
    Heard,
    Overhear,
    Overheard,
    Recognised,
    RecognitionFailed,
    StartReply,
    Tick,
    WakeAt,
)
from vivavoce.types import (
    GenerationEnd,
    ReplyEnd,
    TextDelta,
    Transcript,
    TranscriptDelta,
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


# ---- what was deleted


def test_a_turn_deleted_before_its_transcript_is_not_answered_and_holds_nothing_up() -> None:
    driven = Driven(VAD)
    driven.hear(320, 0.9)
    driven.hear(320, 0.0)
    item_id = driven.events(ev.AudioCommitted)[0].item_id
    driven.take(client.ItemDelete(item_id=item_id))
    driven.take(say("hello"), client.ResponseCreate())
    assert driven.prompts() == [["hello"]]
    driven.whole_reply(("Hi.", 100))
    driven.wait(1)
    driven.transcript("too late")
    assert len(driven.events(ev.ResponseCreated)) == 1
    assert not driven.events(ev.TranscriptionCompleted)


def test_a_response_does_not_wait_for_the_transcript_of_a_deleted_item() -> None:
    driven = Driven()
    driven.take(say("hello"), client.ItemCreate(item=hears(id="heard")), client.ResponseCreate())
    assert not driven.commands(StartReply)
    driven.take(client.ItemDelete(item_id="heard"))
    assert driven.prompts() == [["hello"]]


def test_a_turn_deleted_while_it_waits_for_the_floor_is_not_answered() -> None:
    driven = replying()
    patch = SessionPatch(turn_detection=TurnDetectionPatch(interrupt_response=False, silence_duration_ms=200))
    driven.take(client.SessionUpdate(session=patch))
    driven.hear(320, 0.9)
    driven.hear(320, 0.0)
    driven.transcript("and then")
    driven.take(client.ItemDelete(item_id=driven.events(ev.AudioCommitted)[-1].item_id))
    driven.wait(4)
    assert len(driven.events(ev.ResponseCreated)) == 1


def test_nothing_is_told_of_an_item_that_is_gone() -> None:
    driven = Driven()
    driven.take(client.ItemCreate(item=hears(id="a")), client.ItemCreate(item=hears(id="b")))
    driven.take(client.ItemDelete(item_id="a"), client.ItemDelete(item_id="b"))
    driven.take(Recognised("a", 0, TranscriptDelta("wor")), RecognitionFailed("b", 0, "no"))
    assert not driven.events(ev.TranscriptionDelta)
    assert not driven.events(ev.TranscriptionFailed)


def test_an_id_used_again_is_another_item() -> None:
    driven = Driven()
    part = Part(type="input_text", text="x")
    heard = NewItem(role="user", id="again", content=(part, Part(type="input_audio", audio=pcm(200))))
    driven.take(client.ItemCreate(item=heard), client.ItemDelete(item_id="again"), say("new", id="again"))
    driven.transcript("late")
    assert driven.session.conversation.get("again").parts == (Part(type="input_text", text="new"),)


def test_a_reply_does_not_take_the_place_of_an_item_that_has_its_id() -> None:
    driven = Driven()
    driven.take(say("hello"), client.ResponseCreate())
    driven.reply(TextDelta("Hi"))
    item_id = driven.events(ev.OutputItemAdded)[0].item.id
    driven.take(client.ItemDelete(item_id=item_id), say("mine", id=item_id))
    driven.reply(GenerationEnd("stop"), ReplyEnd())
    assert driven.session.conversation.get(item_id).role == "user"


def test_an_item_made_with_the_id_of_a_spoken_one_cannot_be_truncated() -> None:
    driven = replying()
    driven.wait(3)
    item_id = driven.events(ev.OutputItemAdded)[0].item.id
    new = NewItem(role="assistant", id=item_id, content=(Part(type="text", text="x"),))
    driven.take(client.ItemDelete(item_id=item_id), client.ItemCreate(item=new))
    driven.take(client.ItemTruncate(item_id=item_id, audio_end_ms=10))
    assert driven.events(ev.Error)[-1].error.param == "item_id"


def test_a_cut_reply_that_is_deleted_does_not_go_on() -> None:
    driven = replying()
    driven.hear(160, 0.9)
    driven.take(client.ItemDelete(item_id=driven.events(ev.OutputItemAdded)[0].item.id))
    driven.hear(320, 0.0)
    driven.transcript("")
    driven.wait(5)
    assert len(driven.events(ev.ResponseCreated)) == 1


def test_a_reply_deleted_while_it_is_spoken_does_not_go_on() -> None:
    driven = replying()
    driven.take(client.ItemDelete(item_id=driven.events(ev.OutputItemAdded)[0].item.id))
    a_short_noise(driven)
    driven.wait(5)
    assert len(driven.events(ev.ResponseCreated)) == 1


# ---- ids


def test_the_id_of_the_turn_being_spoken_is_taken() -> None:
    driven = Driven(VAD)
    driven.hear(320, 0.9)
    driven.take(say("mine", id=driven.events(ev.SpeechStarted)[0].item_id))
    assert driven.events(ev.Error)[0].error.code == "item_already_exists"
    driven.hear(320, 0.0)
    spoken_turn(driven)
    assert len(driven.events(ev.AudioCommitted)) == 2


def test_root_is_no_id() -> None:
    driven = Driven()
    driven.take(say("x", id="root"))
    assert driven.events(ev.Error)[0].error.param == "item.id"


def test_input_of_a_response_touches_no_item_of_the_same_id() -> None:
    driven = Driven()
    driven.take(say("mine", id="a"))
    parts = (Part(type="input_text", text="x"), Part(type="input_audio", audio=pcm(200)))
    own = ResponseOverrides(conversation="none", input=(NewItem(role="user", id="a", content=parts),))
    driven.take(client.ResponseCreate(response=own))
    driven.transcript("spoken")
    assert driven.prompts() == [["x spoken"]]
    assert driven.session.conversation.get("a").parts == (Part(type="input_text", text="mine"),)


def test_input_of_a_refused_response_leaves_nothing_behind() -> None:
    driven = Driven()
    driven.take(say("hello"), client.ResponseCreate())
    lost = NewItem(type="item_reference", id="nobody")
    for given in (
        ResponseOverrides(input=(hears(),)),
        ResponseOverrides(input=(hears(), lost), conversation="none"),
    ):
        driven.take(client.ResponseCreate(response=given))
    assert [event.error.param for event in driven.events(ev.Error)] == [None, "response.input[1].id"]
    assert not driven.session.hearing.transcripts
    assert not driven.session.conversation._aside
