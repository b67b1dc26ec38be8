"""When the silence is long enough to ask whether anybody is there (``idle_timeout_ms``), and when it is none."""

from __future__ import annotations

import pytest

from session.driving import VAD, Driven
from session.test_interruption import a_short_noise
from session.test_one_answer import CREATE, output
from session.test_races import rests
from session.test_text_and_items import say
from session.test_voice_turn import spoken_turn
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.items import NewItem, Part
from vivavoce.protocol.session_config import FunctionTool, SessionPatch, TurnDetectionPatch
from vivavoce.session.inputs import ReplyFailed
from vivavoce.session.outputs import StartReply
from vivavoce.types import ApprovalNeeded, GenerationEnd, ReplyEnd, TextDelta, ToolCall

IDLE = SessionPatch(turn_detection=TurnDetectionPatch(idle_timeout_ms=2000, silence_duration_ms=200))


def idling(**patch: object) -> Driven:
    driven = Driven(VAD)
    driven.take(client.SessionUpdate(session=IDLE))
    if patch:
        driven.take(client.SessionUpdate(session=SessionPatch(**patch)))  # type: ignore[arg-type]
    return driven


def answered(**patch: object) -> Driven:
    """A turn, and half a second of reply that has been heard."""
    driven = idling(**patch)
    spoken_turn(driven)
    driven.whole_reply(("Hello.", 500))
    driven.wait(0.5)
    return driven


def fires_after(driven: Driven, seconds: float) -> bool:
    """Whether it is due then, and not before."""
    before = driven.events(ev.TimeoutTriggered, driven.wait(seconds - 0.1))
    return not before and bool(driven.events(ev.TimeoutTriggered, driven.wait(0.2)))


def never_fires(driven: Driven) -> bool:
    driven.wait(60)
    return not driven.events(ev.TimeoutTriggered) and rests(driven)


def test_it_runs_from_the_end_of_what_is_heard() -> None:
    driven = idling()
    spoken_turn(driven)
    driven.whole_reply(("Hello.", 500))
    assert fires_after(driven, 2.5)


def test_it_runs_from_the_end_of_what_is_written() -> None:
    driven = idling(modalities=("text",))
    spoken_turn(driven)
    driven.wait(3)
    driven.reply(TextDelta("Hello."), GenerationEnd("stop"), ReplyEnd())
    assert fires_after(driven, 2)


def test_it_does_not_run_after_a_failure_nor_after_its_own() -> None:
    driven = idling()
    spoken_turn(driven)
    driven.take(ReplyFailed(driven.commands(StartReply)[-1].response_id, "no"))
    assert never_fires(driven)
    driven = answered()
    driven.wait(2)
    assert len(driven.events(ev.TimeoutTriggered)) == 1
    driven.take(ReplyFailed(driven.commands(StartReply)[-1].response_id, "no"))
    driven.wait(60)
    assert len(driven.events(ev.TimeoutTriggered)) == 1
    assert len(driven.events(ev.ResponseCreated)) == 2


def test_it_does_not_run_after_a_response_of_nothing() -> None:
    driven = idling()
    spoken_turn(driven)
    driven.reply(GenerationEnd("stop"), ReplyEnd())
    assert never_fires(driven)


@pytest.mark.parametrize("words", ["", "One moment."])
def test_it_does_not_run_while_a_call_is_with_the_client(words: str) -> None:
    driven = idling(tools=(FunctionTool(name="lamp"),))
    spoken_turn(driven)
    driven.reply(*([TextDelta(words)] if words else []), ToolCall("call_1", "lamp", "{}"))
    driven.reply(GenerationEnd("tool_calls"), ReplyEnd())
    assert never_fires(driven)
    driven.take(output("call_1"), CREATE)
    driven.whole_reply(("It is on.", 500))
    assert fires_after(driven, 2.5)


def test_it_does_not_run_while_the_client_is_asked_whether_a_call_may_be_made() -> None:
    driven = idling()
    spoken_turn(driven)
    driven.reply(TextDelta("May I?"), ApprovalNeeded(ToolCall("call_1", "book", "{}"), "desk", "book"))
    driven.reply(GenerationEnd("stop"), ReplyEnd())
    assert never_fires(driven)
    request = driven.events(ev.OutputItemDone)[0].item.id
    answer = NewItem(type="mcp_approval_response", approval_request_id=request, approve=False)
    driven.take(client.ItemCreate(item=answer))
    driven.whole_reply(("Then not.", 500))
    assert fires_after(driven, 2.5)


def test_what_the_user_types_stops_it() -> None:
    driven = answered()
    driven.wait(1)
    driven.take(say("I am still here"))
    assert never_fires(driven)


def test_what_the_application_adds_does_not() -> None:
    driven = answered()
    driven.wait(1)
    note = NewItem(role="system", content=(Part(type="input_text", text="It is noon."),))
    driven.take(client.ItemCreate(item=note))
    assert fires_after(driven, 1)


def test_words_stop_it_and_a_noise_makes_it_run_anew() -> None:
    driven = answered()
    driven.wait(1)
    a_short_noise(driven)
    assert fires_after(driven, 2)
    driven = answered()
    silent = SessionPatch(turn_detection=TurnDetectionPatch(create_response=False))
    driven.take(client.SessionUpdate(session=silent))
    spoken_turn(driven)
    assert never_fires(driven)


def test_clearing_what_was_said_makes_it_run_anew() -> None:
    driven = answered()
    driven.live(5000, 0.9, piece_ms=100)
    driven.take(client.AudioClear())
    assert fires_after(driven, 2)


def test_switching_detection_off_and_on_makes_it_run_anew() -> None:
    driven = answered()
    driven.take(client.SessionUpdate(session=SessionPatch(turn_detection=None)))
    assert never_fires(driven)
    driven.take(client.SessionUpdate(session=IDLE))
    assert fires_after(driven, 2)


def test_a_timeout_that_is_set_late_counts_from_there() -> None:
    driven = Driven(VAD)
    spoken_turn(driven)
    driven.whole_reply(("Hello.", 500))
    driven.wait(30)
    driven.take(client.SessionUpdate(session=IDLE))
    assert fires_after(driven, 2)


def test_a_paused_reply_is_not_silence() -> None:
    driven = idling()
    spoken_turn(driven)
    driven.whole_reply(("Hello.", 5000))
    driven.wait(1)
    driven.hear(320, 0.9)
    assert never_fires(driven)
