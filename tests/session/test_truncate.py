"""``conversation.item.truncate``: of replies that are over, and of the one in progress, which it ends."""

from __future__ import annotations

import pytest

from session.driving import VAD, Driven, speech
from session.test_interruption import FIRST, SECOND, responses
from session.test_one_answer import CREATE, output, with_calls
from session.test_races import statuses
from session.test_text_and_items import say
from session.test_voice_turn import spoken_turn
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.session_config import ResponseOverrides
from vivavoce.session.outputs import StopReply
from vivavoce.types import ClauseCut, ClauseSpoken, Speech, TextDelta, ThinkingDelta


def truncate(driven: Driven, audio_end_ms: int, content_index: int = 0) -> list[str]:
    """Truncate the newest assistant item; the names of what is sent."""
    item_id = driven.events(ev.OutputItemAdded)[-1].item.id
    event = client.ItemTruncate(item_id=item_id, audio_end_ms=audio_end_ms, content_index=content_index)
    return driven.names(driven.take(event))


def last_words(driven: Driven) -> str:
    item = driven.session.conversation.get(driven.events(ev.OutputItemAdded)[-1].item.id)
    return "".join(part.words for part in item.parts if part.type == "audio")


ENDS = [
    "response.audio.done",
    "response.audio_transcript.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.done",
    "conversation.item.truncated",
]


@pytest.mark.parametrize(
    ("audio_end_ms", "kept", "words"),
    [(0, 0, ""), (1000, 1000, "One two"), (1900, 1900, FIRST), (99_000, 3000, FIRST + " Five six")],
)
@pytest.mark.parametrize("written", [True, False])
def test_a_reply_in_progress_ends_where_the_client_stopped_it(
    written: bool, audio_end_ms: int, kept: int, words: str
) -> None:
    driven = responses(written=written)
    assert truncate(driven, audio_end_ms) == ENDS
    assert driven.commands(StopReply)
    done = driven.events(ev.ResponseDone)[0].response
    assert (done.status, done.status_details and done.status_details.reason) == ("cancelled", "client_cancelled")
    assert done.output[0].parts[0].transcript == last_words(driven) == words
    assert driven.events(ev.ItemTruncated)[0].audio_end_ms == pytest.approx(kept, abs=101)
    assert not driven.events(ev.AudioDelta, driven.wait(10))
    driven.take(say("go on"), CREATE)
    assert driven.prompts()[-1] == ["hello", *([words] if words else []), "go on"]


def test_a_reply_can_be_truncated_before_its_first_audio() -> None:
    driven = Driven(VAD)
    spoken_turn(driven)
    driven.reply(TextDelta("Hello"))
    assert truncate(driven, 0) == ENDS
    assert last_words(driven) == ""


def test_a_reply_that_only_thinks_yet_can_be_stopped_so() -> None:
    for content_index in (0, 1):
        driven = Driven(VAD)
        spoken_turn(driven)
        driven.reply(ThinkingDelta("hm"))
        names = truncate(driven, 0, content_index)
        assert names[-2:] == ["response.done", "conversation.item.truncated"]
        assert (driven.events(ev.ItemTruncated)[0].content_index, statuses(driven)) == (1, ["cancelled"])


def test_thoughts_before_the_audio_do_not_matter_to_who_is_not_shown_them() -> None:
    for content_index in (0, 1):
        driven = Driven(VAD)
        spoken_turn(driven)
        driven.reply(
            ThinkingDelta("hm"), TextDelta(FIRST), ClauseCut(0, FIRST), Speech(0, speech(2000)), ClauseSpoken(0)
        )
        truncate(driven, 1000, content_index)
        assert last_words(driven) == "One two"
        assert driven.events(ev.ItemTruncated)[0].content_index == 1


def test_what_cannot_be_truncated_goes_on() -> None:
    driven = responses()
    assert truncate(driven, -1) == ["error"]
    assert truncate(driven, 0, 3) == ["error"]
    assert driven.session.responses.active
    driven = Driven(VAD)
    driven.take(say("hello"), client.ResponseCreate(response=ResponseOverrides(modalities=("text",))))
    driven.reply(TextDelta("Hi"))
    assert truncate(driven, 0) == ["error"]
    assert driven.events(ev.Error)[0].error.param == "item_id"
    assert driven.session.responses.active


def test_what_waits_behind_it_ends_with_it() -> None:
    driven = Driven(VAD)
    with_calls(driven, "lamp")
    driven.take(output("call_lamp"), CREATE)
    item_id = driven.events(ev.OutputItemAdded)[0].item.id
    driven.take(client.ItemTruncate(item_id=item_id, audio_end_ms=0))
    driven.wait(5)
    assert statuses(driven) == ["cancelled"]


@pytest.mark.parametrize("named", [True, False])
def test_a_cancel_right_after_it_is_no_mistake_but_another_one_is(named: bool) -> None:
    driven = responses()
    cancel = client.ResponseCancel(response_id=driven.events(ev.ResponseCreated)[0].response.id if named else None)
    truncate(driven, 1000)
    driven.take(cancel)
    assert not driven.events(ev.Error)
    driven.take(cancel)
    assert driven.events(ev.Error)[0].error.code == "response_cancel_not_active"


def test_the_other_order_is_the_consoles() -> None:
    driven = responses()
    driven.take(client.ResponseCancel())
    assert truncate(driven, 1000) == ["conversation.item.truncated"]
    assert last_words(driven) == "One two"
    assert statuses(driven) == ["cancelled"]


def test_the_next_turn_is_answered() -> None:
    driven = responses()
    truncate(driven, 1000)
    spoken_turn(driven, text="and now?")
    assert driven.prompts()[-1] == ["hello", "One two", "and now?"]
    assert SECOND not in "".join(driven.prompts()[-1])
