"""What a response is asked to do: tools, the queue, out of band, thoughts, formats."""

from __future__ import annotations

import pytest

from session.driving import Driven, speech
from vivavoce.audio.audio_format import AudioFormat
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.items import NewItem, Part
from vivavoce.protocol.session_config import FunctionChoice, FunctionTool, ResponseOverrides, SessionPatch
from vivavoce.session.outputs import StartReply
from vivavoce.signatures import RULES_TOKENS, estimate_tools
from vivavoce.text.token_estimates import estimate_tokens
from vivavoce.types import (
    ClauseCut,
    ClauseSpoken,
    GenerationEnd,
    NamedTool,
    ReplyEnd,
    Speech,
    TextDelta,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
)


def written_turn(driven: Driven, text: str) -> None:
    content = (Part(type="input_text", text=text),)
    driven.take(client.ItemCreate(item=NewItem(role="user", content=content)), client.ResponseCreate())


def test_the_choice_of_tools_reaches_the_language_model() -> None:
    driven = Driven(None)
    lamp = FunctionTool(name="lamp")
    patch = SessionPatch(tools=(lamp,), tool_choice=FunctionChoice(name="lamp"), parallel_tool_calls=False)
    driven.take(client.SessionUpdate(session=patch))
    written_turn(driven, "dim it")
    options = driven.commands(StartReply)[0].options
    assert options.tool_choice == NamedTool("lamp")
    assert not options.parallel_tool_calls
    driven.reply(ToolCall("c1", "lamp", "{}"), GenerationEnd("tool_calls"), ReplyEnd())
    override = ResponseOverrides(tool_choice="none")
    driven.take(client.ResponseCreate(response=override))
    assert driven.commands(StartReply)[1].options.tool_choice == "none"


@pytest.mark.parametrize("many", [1, 8, 30])
def test_a_long_conversation_leaves_room_for_what_tools_say_of_themselves(many: int) -> None:
    """They stand in every prompt: without room for them it would not fit any more, and no reply would come."""
    driven = Driven(None)
    tools = tuple(FunctionTool(name=f"f{number}", description="does things " * 15) for number in range(many))
    driven.take(client.SessionUpdate(session=SessionPatch(tools=tools)))
    for _ in range(60):
        written_turn(driven, "and then they went on and on " * 8)
        driven.whole_reply(("Really? " * 20, 100))
        driven.wait(1)
    work = driven.commands(StartReply)[-1]
    said = sum(map(estimate_tokens, work.messages))
    told = min(estimate_tools(work.options), (work.tool_tokens or 0) + RULES_TOKENS)  # more are chosen from by the turn
    assert len(driven.commands(StartReply)) == 60
    assert work.messages[-1].role == "user"
    assert said + told + work.options.max_tokens <= 4096
    assert told > many * 60


def test_a_tool_that_is_not_there_cannot_be_chosen() -> None:
    driven = Driven(None)
    driven.take(client.SessionUpdate(session=SessionPatch(tool_choice=FunctionChoice(name="lamp")), event_id="e7"))
    error = driven.events(ev.Error)[0].error
    assert (error.param, error.event_id) == ("session.tool_choice", "e7")


def test_arguments_are_streamed() -> None:
    driven = Driven(None)
    driven.take(client.SessionUpdate(session=SessionPatch(tools=(FunctionTool(name="lamp"),))))
    written_turn(driven, "light please")
    fresh = driven.reply(ToolCallDelta("c1", "lamp", '{"on":'))
    assert driven.names(fresh) == [
        "conversation.item.created", "response.output_item.added", "response.function_call_arguments.delta"
    ]  # fmt: skip
    driven.reply(ToolCallDelta("c1", "lamp", " true}"), ToolCall("c1", "lamp", '{"on": true}'))
    driven.reply(GenerationEnd("tool_calls"), ReplyEnd())
    assert [event.delta for event in driven.events(ev.ArgumentsDelta)] == ['{"on":', " true}"]
    assert [event.arguments for event in driven.events(ev.ArgumentsDone)] == ['{"on": true}']
    item = driven.events(ev.ResponseDone)[0].response.output[0]
    assert (item.status, item.arguments) == ("completed", '{"on": true}')


def test_a_call_cut_off_by_a_cancel_is_incomplete() -> None:
    driven = Driven(None)
    driven.take(client.SessionUpdate(session=SessionPatch(tools=(FunctionTool(name="lamp"),))))
    written_turn(driven, "light please")
    driven.reply(ToolCallDelta("c1", "lamp", '{"on":'))
    driven.take(client.ResponseCancel())
    assert not driven.events(ev.ArgumentsDone)
    assert driven.events(ev.OutputItemDone)[0].item.status == "incomplete"
    written_turn(driven, "again")
    assert driven.prompts()[-1] == ["light please", "again"], "half a call is not history"


def test_an_answer_to_a_functions_output_may_be_asked_for_before_its_response_is_done() -> None:
    driven = Driven(None)
    driven.take(client.SessionUpdate(session=SessionPatch(tools=(FunctionTool(name="lamp"),))))
    written_turn(driven, "light please")
    driven.reply(TextDelta("Let me see."), ClauseCut(0, "Let me see."), Speech(0, speech(1000)))
    driven.reply(ToolCall("c1", "lamp", "{}"))
    driven.take(client.ItemCreate(item=NewItem(type="function_call_output", call_id="c1", output="on")))
    fresh = driven.take(client.ResponseCreate(event_id="early"))
    assert not driven.events(ev.Error)
    assert driven.names(fresh) == []
    driven.reply(ClauseSpoken(0), GenerationEnd("tool_calls"), ReplyEnd())
    driven.wait(1)
    assert len(driven.events(ev.ResponseCreated)) == 2
    assert [message.role for message in driven.commands(StartReply)[1].messages][-1] == "tool"


def test_a_second_response_without_such_an_output_is_refused() -> None:
    driven = Driven(None)
    written_turn(driven, "hello")
    driven.take(client.ResponseCreate(event_id="twice"))
    error = driven.events(ev.Error)[0].error
    assert (error.message, error.code, error.event_id) == (
        "ongoing response already exists", "conversation_already_has_active_response", "twice"
    )  # fmt: skip


def test_out_of_band_a_response_has_its_own_input_and_leaves_no_trace() -> None:
    driven = Driven(None)
    written_turn(driven, "hello")
    driven.whole_reply(("Hi.", 100))
    driven.wait(1)
    before = [item.id for item in driven.session.conversation]
    reference = NewItem(type="item_reference", id=before[0])
    own = NewItem(role="user", content=(Part(type="input_text", text="in one word: polite or not?"),))
    overrides = ResponseOverrides(
        conversation="none", modalities=("text",), metadata={"topic": "tone"}, input=(reference, own)
    )
    fresh = driven.take(client.ResponseCreate(response=overrides))
    fresh += driven.reply(TextDelta("Polite."), GenerationEnd("stop"), ReplyEnd())
    assert "conversation.item.created" not in driven.names(fresh)
    done = driven.events(ev.ResponseDone)[-1].response
    assert (done.conversation_id, done.metadata) == (None, {"topic": "tone"})
    assert driven.prompts()[-1] == ["hello", "in one word: polite or not?"]
    assert [item.id for item in driven.session.conversation] == before


def test_out_of_band_responses_wait_for_the_one_in_progress() -> None:
    driven = Driven(None)
    written_turn(driven, "hello")
    driven.take(client.ResponseCreate(response=ResponseOverrides(conversation="none", input=())))
    assert len(driven.events(ev.ResponseCreated)) == 1
    driven.whole_reply(("Hi.", 100))
    driven.wait(1)
    assert len(driven.events(ev.ResponseCreated)) == 2


def test_thoughts_have_a_part_of_their_own_before_the_words() -> None:
    driven = Driven(None)
    written_turn(driven, "hello")
    driven.reply(ThinkingDelta("They greet."), TextDelta("Hi."), ClauseCut(0, "Hi."), Speech(0, speech(100)))
    driven.reply(ClauseSpoken(0), GenerationEnd("stop"), ReplyEnd())
    driven.wait(1)
    item = driven.events(ev.ResponseDone)[0].response.output[0]
    assert [(part.type, part.words) for part in item.parts] == [("thinking", "They greet."), ("audio", "Hi.")]
    assert {event.content_index for event in driven.events(ev.AudioDelta)} == {1}
    done = [event.wire_name() for event in driven.events(ev.PartEvent) if event.wire_name().endswith(".done")]
    assert done[0] == "response.thinking.done", "thoughts are over when the words begin"
    written_turn(driven, "and?")
    assert driven.prompts()[-1] == ["hello", "Hi.", "and?"], "thoughts are not history"


def test_an_item_can_be_retrieved() -> None:
    driven = Driven(None)
    driven.take(client.ItemCreate(item=NewItem(id="mine", role="user", content=(Part(type="input_text", text="x"),))))
    driven.take(client.ItemRetrieve(item_id="mine"), client.ItemRetrieve(item_id="nobody", event_id="e9"))
    assert driven.events(ev.ItemRetrieved)[0].item.id == "mine"
    assert driven.events(ev.Error)[0].error.event_id == "e9"


def test_audio_leaves_in_the_clients_format() -> None:
    driven = Driven(None)
    ulaw = AudioFormat(encoding="g711_ulaw", rate_hz=8000)
    driven.take(client.SessionUpdate(session=SessionPatch(output_audio_format=ulaw)))
    written_turn(driven, "hello")
    driven.whole_reply(("Hi.", 500))
    driven.wait(1)
    assert sum(len(event.delta) for event in driven.events(ev.AudioDelta)) == 4000
