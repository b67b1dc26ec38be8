"""Who is answered, and how often: a turn, what was typed beside it, a tool's output, and a client that cancels all of it."""

from __future__ import annotations

from typing import Any

import pytest

from session.driving import VAD, Driven
from session.test_interruption import FIRST, SECOND, responses
from session.test_races import ASIDE, statuses
from session.test_text_and_items import say
from session.test_voice_turn import spoken_turn
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.items import NewItem
from vivavoce.protocol.session_config import FunctionTool, ResponseOverrides, SessionPatch, TurnDetectionPatch
from vivavoce.session.inputs import Recognised, ReplyFailed
from vivavoce.session.outputs import StartReply, StopReply, Transcribe
from vivavoce.types import GenerationEnd, ReplyEnd, TextDelta, ToolCall, Transcript

CREATE = client.ResponseCreate()


def output(call_id: str, text: str = "on") -> client.ItemCreate:
    return client.ItemCreate(item=NewItem(type="function_call_output", call_id=call_id, output=text))


def says(driven: Driven) -> None:
    """The user says something; its transcript is on its way."""
    driven.hear(640, 0.9)
    driven.hear(320, 0.0)


def finish(driven: Driven) -> None:
    """Every reply that begins is spoken to its end."""
    done = 0
    while done < len(works := driven.commands(StartReply)):
        done = len(works)
        driven.whole_reply(("Fine.", 200))
        driven.wait(1)


def with_calls(driven: Driven, *names: str) -> None:
    """A spoken reply in progress that has handed calls to the client."""
    tools = tuple(FunctionTool(name=name) for name in names)
    driven.take(client.SessionUpdate(session=SessionPatch(tools=tools)))
    spoken_turn(driven)
    driven.reply(TextDelta(FIRST), *(ToolCall(f"call_{name}", name, "{}") for name in names))


# ---- one turn


def test_a_response_asked_for_between_a_turn_and_its_transcript_is_the_turns_only_answer() -> None:
    driven = Driven(VAD)
    says(driven)
    driven.take(CREATE)
    driven.transcript("hello")
    finish(driven)
    driven.wait(5)
    assert driven.prompts() == [["hello"]]
    assert statuses(driven) == ["completed"]


def test_a_message_typed_while_a_transcript_is_on_its_way_is_answered_with_the_turn() -> None:
    driven = Driven(VAD)
    says(driven)
    driven.take(say("typed"), CREATE)
    driven.transcript("spoken")
    finish(driven)
    assert driven.prompts() == [["spoken", "typed"]]


def test_a_turn_spoken_into_the_wait_for_the_one_before_is_answered_with_it() -> None:
    driven = Driven(VAD)
    says(driven)
    first = driven.commands(Transcribe)[-1]
    driven.take(say("typed"), CREATE)
    says(driven)
    driven.take(Recognised(first.item_id, 0, Transcript("one", "en")))
    driven.transcript("two")
    finish(driven)
    assert driven.prompts() == [["one", "typed", "two"]]


def test_a_response_with_input_of_its_own_does_not_answer_the_turn() -> None:
    driven = Driven(VAD)
    says(driven)
    own = (say("Say: one moment").item,)
    driven.take(client.ResponseCreate(response=ResponseOverrides(input=own)))
    driven.transcript("hello")
    finish(driven)
    assert driven.prompts() == [["Say: one moment"], ["hello", "Fine."]]


def test_a_response_whose_input_refers_to_the_turn_does_answer_it() -> None:
    driven = Driven(VAD)
    says(driven)
    item_id = driven.events(ev.AudioCommitted)[0].item_id
    own = (NewItem(type="item_reference", id=item_id),)
    driven.take(client.ResponseCreate(response=ResponseOverrides(input=own)))
    driven.transcript("hello")
    finish(driven)
    assert driven.prompts() == [["hello"]]


def test_an_older_turn_is_still_answered_when_the_newest_one_is_deleted() -> None:
    driven = responses()
    patch = SessionPatch(turn_detection=TurnDetectionPatch(interrupt_response=False))
    driven.take(client.SessionUpdate(session=patch))
    for text in ("one", "two"):
        says(driven)
        driven.transcript(text)
    driven.take(client.ItemDelete(item_id=driven.events(ev.AudioCommitted)[-1].item_id))
    driven.wait(4)
    assert driven.prompts()[-1] == ["hello", FIRST + SECOND, "one"]


# ---- a cancel


@pytest.mark.parametrize("text", ["hello", ""])
def test_a_cancel_before_the_transcript_cancels_the_answer_to_come(text: str) -> None:
    driven = Driven(VAD)
    says(driven)
    fresh = driven.take(client.ResponseCancel())
    fresh += driven.transcript(text)
    assert not driven.events(ev.ResponseCreated)
    assert not driven.events(ev.Error)
    assert len(driven.session.conversation) == bool(text), "what was said stays in the conversation"
    spoken_turn(driven, text="and now?")
    assert len(driven.events(ev.ResponseCreated)) == 1, "the next turn is answered"


def test_a_cancel_of_the_response_that_waits_for_the_turn_cancels_the_turns_answer() -> None:
    driven = Driven(VAD)
    says(driven)
    driven.take(CREATE, client.ResponseCancel())
    driven.transcript("hello")
    driven.wait(5)
    assert statuses(driven) == ["cancelled"]
    assert not driven.commands(StartReply)


def test_a_cancel_while_the_user_still_speaks_takes_no_answer_away() -> None:
    driven = Driven(VAD)
    driven.hear(320, 0.9)
    driven.take(client.ResponseCancel())
    assert driven.events(ev.Error)[0].error.code == "response_cancel_not_active"
    driven.hear(320, 0.9)
    driven.hear(320, 0.0)
    driven.transcript("hello")
    assert driven.prompts() == [["hello"]]


def test_a_cancel_that_makes_way_for_a_turn_leaves_it_its_answer() -> None:
    driven = responses()
    patch = SessionPatch(turn_detection=TurnDetectionPatch(interrupt_response=False))
    driven.take(client.SessionUpdate(session=patch))
    says(driven)
    driven.take(client.ResponseCancel())
    driven.transcript("wait")
    assert driven.prompts()[-1][-1] == "wait"


def test_a_cancel_ends_a_paused_reply() -> None:
    for event in (client.ResponseCancel(), client.ResponseCancel(response_id="resp_13")):
        driven = responses()
        assert driven.events(ev.ResponseCreated)[0].response.id == "resp_13"
        driven.hear(160, 0.9)
        driven.hear(320, 0.0)
        driven.take(client.ResponseCancel(response_id="another"), event)
        driven.transcript("")
        driven.wait(5)
        assert statuses(driven) == ["cancelled"]
        assert len(driven.events(ev.Error)) == 1


def test_a_cancel_by_rote_when_the_user_begins_to_speak_takes_nothing_back() -> None:
    driven = responses()
    driven.hear(160, 0.9)
    driven.take(client.ResponseCancel())
    assert driven.events(ev.Error)[0].error.code == "response_cancel_not_active"
    driven.hear(320, 0.0)
    driven.transcript("")
    driven.wait(5)
    assert statuses(driven) == ["cancelled", "completed"], "it was a cough"


def test_a_cancel_while_the_user_goes_on_speaking_is_none_by_rote() -> None:
    driven = responses()
    driven.live(1500, 0.9)
    driven.take(client.ResponseCancel())
    driven.live(400, 0.0)
    driven.transcript("")
    driven.wait(5)
    assert statuses(driven) == ["cancelled"]
    assert not driven.events(ev.Error)


def test_what_waits_survives_a_cancel_by_rote() -> None:
    driven = Driven(VAD)
    with_calls(driven, "lamp")
    driven.take(output("call_lamp"), CREATE)
    driven.reply(GenerationEnd("tool_calls"), ReplyEnd())
    driven.hear(160, 0.9)
    driven.take(client.ResponseCancel())
    driven.hear(320, 0.0)
    driven.transcript("")
    finish(driven)
    assert driven.prompts()[-1].count("on") == 1


def test_a_cancel_by_its_id_of_a_response_out_of_band_leaves_the_conversation_alone() -> None:
    driven = Driven(VAD)
    driven.take(ASIDE)
    says(driven)
    driven.take(client.ResponseCancel(response_id=driven.events(ev.ResponseCreated)[0].response.id))
    driven.transcript("hello")
    assert statuses(driven) == ["cancelled"]
    assert driven.prompts()[-1] == ["hello"]


# ---- what waits


def test_answers_to_outputs_sent_before_the_response_was_done_are_one() -> None:
    driven = Driven(VAD)
    with_calls(driven, "lamp", "door")
    driven.take(output("call_lamp"), CREATE, output("call_door"), CREATE)
    driven.reply(GenerationEnd("tool_calls"), ReplyEnd())
    finish(driven)
    assert not driven.events(ev.Error)
    assert len(driven.prompts()) == 2
    assert driven.prompts()[-1].count("on") == 2


def test_answers_asked_for_with_different_settings_are_given_one_by_one() -> None:
    driven = Driven(VAD)
    with_calls(driven, "lamp", "door")
    named = [client.ResponseCreate(response=ResponseOverrides(metadata={"n": n})) for n in (1, 2)]
    driven.take(output("call_lamp"), named[0], output("call_door"), named[1])
    driven.reply(GenerationEnd("tool_calls"), ReplyEnd())
    finish(driven)
    assert [event.response.metadata for event in driven.events(ev.ResponseDone)][1:] == [{"n": 1}, {"n": 2}]


def test_outputs_that_come_while_a_transcript_is_awaited_are_answered_with_the_turn() -> None:
    driven = Driven(VAD)
    with_calls(driven, "lamp", "door")
    driven.reply(GenerationEnd("tool_calls"), ReplyEnd())
    says(driven)
    driven.take(output("call_lamp"), CREATE, output("call_door"), CREATE)
    driven.transcript("well?")
    finish(driven)
    assert not driven.events(ev.Error)
    assert len(driven.prompts()) == 2
    assert driven.prompts()[-1][-3:] == ["well?", "on", "on"]


def test_a_second_request_for_the_same_output_is_refused_as_any_other() -> None:
    driven = Driven(VAD)
    with_calls(driven, "lamp")
    driven.reply(GenerationEnd("tool_calls"), ReplyEnd())
    driven.take(output("call_lamp"), CREATE, CREATE)
    assert driven.events(ev.Error)[0].error.code == "conversation_already_has_active_response"
    finish(driven)
    assert len(driven.prompts()) == 2


@pytest.mark.parametrize("sent", ["before", "while"])
@pytest.mark.parametrize("text", ["no, leave it", ""])
def test_an_answer_that_waits_does_not_start_over_the_user(sent: str, text: str) -> None:
    """``sent``: before the response is done, or while the user speaks after it."""
    driven = Driven(VAD)
    with_calls(driven, "lamp", "door")
    outputs: list[Any] = [output("call_lamp"), CREATE, output("call_door"), CREATE]
    if sent == "before":
        driven.take(*outputs)
    driven.reply(GenerationEnd("tool_calls"))
    driven.hear(320, 0.9)
    if sent == "while":
        driven.take(*outputs)
    before = len(driven.outputs)
    driven.hear(640, 0.9)
    driven.wait(2)
    driven.hear(320, 0.0)
    assert not driven.events(ev.ResponseCreated, driven.outputs[before:])
    driven.transcript(text)
    finish(driven)
    # Without words the reply that was cut is said to its end first; its words were written, none were spoken.
    assert [("on" in prompt) for prompt in driven.prompts()] == ([False, True] if text else [False, False, True])
    assert driven.prompts()[-1].count("on") == 2
    assert statuses(driven)[1:] == ["completed"] * (len(driven.prompts()) - 1)


def test_answers_that_wait_end_with_a_cancel() -> None:
    driven = Driven(VAD)
    with_calls(driven, "lamp")
    driven.take(output("call_lamp"), CREATE, ASIDE, client.ResponseCancel())
    driven.reply(TextDelta("Aside."), GenerationEnd("stop"), ReplyEnd())
    driven.wait(5)
    assert [(event.response.status, event.response.conversation_id) for event in driven.events(ev.ResponseDone)] == [
        ("cancelled", "conv_2"),
        ("completed", None),
    ]


def test_a_cancelled_answer_gives_back_the_input_it_waited_with() -> None:
    driven = Driven(VAD)
    with_calls(driven, "lamp")
    own = (say("x").item,)
    driven.take(output("call_lamp"), client.ResponseCreate(response=ResponseOverrides(input=own)))
    assert driven.session.conversation._out_of_band
    driven.take(client.ResponseCancel())
    assert not driven.session.conversation._out_of_band


def test_written_answers_out_of_band_need_not_wait_for_the_user_but_spoken_ones_do() -> None:
    spoken = client.ResponseCreate(response=ResponseOverrides(conversation="none"))
    for asked, starts in ((ASIDE, True), (spoken, False)):
        driven = Driven(VAD)
        driven.take(ASIDE, asked)
        driven.hear(320, 0.9)
        driven.reply(TextDelta("Aside."), GenerationEnd("stop"), ReplyEnd())
        assert (len(driven.events(ev.ResponseCreated)) == 2) is starts
        driven.hear(320, 0.0)
        driven.transcript("")
        assert len(driven.events(ev.ResponseCreated)) == 2


def test_detection_that_is_switched_off_keeps_nobody_waiting() -> None:
    driven = Driven(VAD)
    with_calls(driven, "lamp")
    driven.reply(GenerationEnd("tool_calls"), ReplyEnd())
    driven.hear(320, 0.9)
    driven.take(output("call_lamp"), CREATE)
    assert len(driven.prompts()) == 1
    driven.take(client.SessionUpdate(session=SessionPatch(turn_detection=None)))
    assert len(driven.prompts()) == 2


def test_a_failure_starts_no_response() -> None:
    driven = Driven(VAD)
    spoken_turn(driven)
    driven.take(ReplyFailed(driven.commands(StartReply)[-1].response_id, "no"))
    driven.wait(60)
    assert statuses(driven) == ["failed"]
    assert len(driven.events(ev.ResponseCreated)) == 1


# ---- a late commit


def test_a_commit_after_the_detectors_makes_no_item_and_no_second_answer() -> None:
    driven = Driven(VAD)
    says(driven)
    driven.hear(160, 0.0)
    driven.take(client.AudioCommit(under_vad=True, event_id="late"), CREATE)
    error = driven.events(ev.Error)[0].error
    assert (error.code, error.event_id) == ("input_audio_buffer_commit_empty", "late")
    driven.transcript("hello")
    finish(driven)
    driven.wait(5)
    assert len(driven.events(ev.AudioCommitted)) == 1
    assert driven.prompts() == [["hello"]]


def test_a_commit_of_what_the_detector_has_not_heard_yet_or_has_found_voice_in_is_none_too_late() -> None:
    driven = Driven(VAD)
    says(driven)
    driven.hear(320, 0.9)
    driven.take(client.AudioCommit(under_vad=True))
    assert len(driven.events(ev.AudioCommitted)) == 2
    for _ in range(2):  # the client ends its own turns from here on
        driven.hear(320, 0.0)
        driven.take(client.AudioCommit(under_vad=True))
    assert len(driven.events(ev.AudioCommitted)) == 4
    assert not driven.events(ev.Error)


def test_stopped_by_the_client_means_stopped() -> None:
    """One event each for what was stopped, and none after it."""
    driven = responses()
    fresh = driven.take(client.ResponseCancel())
    assert [output for output in fresh if isinstance(output, StopReply)]
    assert not driven.events(ev.ServerEvent, driven.wait(10))
