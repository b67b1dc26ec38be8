"""Items, text turns, overrides, cancellation, function calls."""

from __future__ import annotations

from typing import Any

import pytest

from session.driving import VAD, Driven, pcm
from session.wired import Wired
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.dialect import DialectName
from vivavoce.protocol.items import Item, NewItem, Part
from vivavoce.protocol.session_config import FunctionTool, ResponseOverrides, SessionPatch
from vivavoce.session.inputs import ReplyFailed
from vivavoce.session.outputs import Prefill, StartReply, Transcribe
from vivavoce.types import GenerationEnd, ReplyEnd, TextDelta, ThinkingDelta, ToolCall


def say(text: str, **fields: Any) -> client.ItemCreate:
    return client.ItemCreate(item=NewItem(role="user", content=(Part(type="input_text", text=text),), **fields))


def test_a_text_turn_has_the_documented_order() -> None:
    driven = Driven()
    fresh = driven.take(say("hello"), client.ResponseCreate(response=ResponseOverrides(modalities=("text",))))
    fresh += driven.reply(TextDelta("Hi"), TextDelta(" you."), GenerationEnd("stop", 5, 0, 2), ReplyEnd())
    assert driven.names(fresh) == [
        "conversation.item.created",
        "response.created",
        "response.output_item.added",
        "conversation.item.created",
        "response.content_part.added",
        "response.text.delta",
        "response.text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.done",
    ]
    assert driven.commands(StartReply)[0].voice is None
    assert driven.events(ev.ResponseTextDone)[0].text == "Hi you."
    assert driven.events(ev.OutputItemDone)[0].item.parts == (Part(type="text", text="Hi you."),)


def test_client_ids_are_kept_and_taken_ids_refused() -> None:
    driven = Driven()
    driven.take(say("a", id="mine"), say("b", id="mine"))
    assert driven.events(ev.ItemCreated)[0].item.id == "mine"
    assert driven.events(ev.Error)[0].error.code == "item_create_duplicate_item_id"


def test_items_go_where_they_are_put() -> None:
    driven = Driven()
    driven.take(say("one", id="1"), say("three", id="3"))
    driven.take(client.ItemCreate(item=say("two", id="2").item, previous_item_id="1"))
    driven.take(client.ItemCreate(item=say("zero", id="0").item, previous_item_id="root"))
    driven.take(client.ItemCreate(item=say("lost", id="9").item, previous_item_id="nowhere"))
    assert [item.id for item in driven.session.conversation] == ["0", "1", "2", "3"]
    assert [event.previous_item_id for event in driven.events(ev.ItemCreated)] == [None, "1", "1", None]
    assert driven.events(ev.Error)[0].error.message == "cannot find previous item 'nowhere'"


def test_delete() -> None:
    driven = Driven()
    driven.take(say("one", id="1"), client.ItemDelete(item_id="1"), client.ItemDelete(item_id="1", event_id="e"))
    assert driven.events(ev.ItemDeleted)[0].item_id == "1"
    assert driven.events(ev.Error)[0].error.event_id == "e"


@pytest.mark.parametrize(
    ("item", "param"),
    [
        (NewItem(content=(Part(type="input_text", text="x"),)), "item.role"),
        (NewItem(role="user"), "item.content"),
        (NewItem(role="user", content=(Part(type="text", text="x"),)), "item.content[0].type"),
        (NewItem(role="system", content=(Part(type="input_audio", audio=b"\0\0"),)), "item.content[0].type"),
        (NewItem(role="user", content=(Part(type="input_text"),)), "item.content[0].text"),
        (NewItem(role="user", content=(Part(type="input_audio"),)), "item.content[0].audio"),
        (NewItem(role="user", content=(Part(type="input_audio", audio=b"\0"),)), "item.content[0].audio"),
        (NewItem(type="function_call_output", output="x"), "item.call_id"),
        (NewItem(type="function_call_output", call_id="x"), "item.output"),
        (NewItem(type="function_call", call_id="x", name="y"), "item.arguments"),
    ],
)
def test_items_no_client_may_create(item: NewItem, param: str) -> None:
    driven = Driven()
    driven.take(client.ItemCreate(item=item))
    assert driven.events(ev.Error)[0].error.param == param
    assert len(driven.session.conversation) == 0


def test_audio_in_an_item_is_recognised_and_waited_for() -> None:
    driven = Driven()
    parts = (Part(type="input_text", text="Repeat:"), Part(type="input_audio", audio=pcm(500)))
    driven.take(client.ItemCreate(item=NewItem(role="user", content=parts)), client.ResponseCreate())
    assert not driven.commands(StartReply)
    assert len(driven.commands(Transcribe)[0].samples) == 8000
    assert driven.events(ev.ItemCreated)[0].item.parts[1].audio is None
    driven.transcript("good morning")
    assert driven.prompts() == [["Repeat: good morning"]]
    assert driven.events(ev.TranscriptionCompleted)[0].content_index == 1


def test_a_second_response_is_refused_while_one_runs() -> None:
    driven = Driven()
    driven.take(say("hello"), client.ResponseCreate(), client.ResponseCreate(event_id="again"))
    error = driven.events(ev.Error)[0].error
    assert error.code == "conversation_already_has_active_response"
    assert error.message == "ongoing response already exists"
    assert error.event_id == "again"


def test_cancel() -> None:
    driven = Driven()
    driven.take(client.ResponseCancel())
    assert driven.events(ev.Error)[0].error.message == "no ongoing response to cancel"
    driven.take(say("hello"), client.ResponseCreate())
    driven.take(client.ResponseCancel(response_id="another"))
    assert len(driven.events(ev.Error)) == 2
    driven.take(client.ResponseCancel(response_id=driven.events(ev.ResponseCreated)[0].response.id))
    details = driven.events(ev.ResponseDone)[0].response.status_details
    assert details is not None
    assert details.reason == "client_cancelled"
    driven.take(client.ResponseCreate())
    assert len(driven.commands(StartReply)) == 2


def test_a_failed_engine_fails_the_response_and_no_more() -> None:
    driven = Driven()
    driven.take(say("hello"), client.ResponseCreate())
    driven.take(ReplyFailed(driven.commands(StartReply)[0].response_id, "no luck"))
    response = driven.events(ev.ResponseDone)[0].response
    assert response.status == "failed"
    assert response.status_details is not None
    assert response.status_details.error is not None
    assert response.status_details.error.message == "no luck"
    driven.take(client.ResponseCreate())
    assert len(driven.commands(StartReply)) == 2


def test_a_reply_cut_by_its_token_limit_is_incomplete() -> None:
    driven = Driven()
    driven.take(
        say("hello"), client.ResponseCreate(response=ResponseOverrides(modalities=("text",), max_output_tokens=2))
    )
    assert driven.commands(StartReply)[0].options.max_tokens == 2
    driven.reply(TextDelta("One two"), GenerationEnd("length"), ReplyEnd())
    response = driven.events(ev.ResponseDone)[0].response
    assert response.status == "incomplete"
    assert response.output[0].status == "incomplete"


def test_a_function_loop() -> None:
    driven = Driven()
    tool = FunctionTool(name="lamp", description="Switch the lamp", parameters={"type": "object"})
    driven.take(client.SessionUpdate(session=SessionPatch(tools=(tool,))))
    driven.take(say("light please"), client.ResponseCreate())
    assert driven.commands(StartReply)[0].options.tools[0].name == "lamp"
    fresh = driven.reply(ToolCall("call_1", "lamp", '{"on":true}'), GenerationEnd("tool_calls"), ReplyEnd())
    assert driven.names(fresh) == [
        "conversation.item.created",
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.done",
    ]
    created, done = driven.events(ev.ItemCreated)[-1].item, driven.events(ev.OutputItemDone)[0].item
    assert (created.name, created.call_id, created.arguments) == ("lamp", "call_1", "")
    assert done.arguments == '{"on":true}'
    output = NewItem(type="function_call_output", call_id="call_1", output='{"ok":true}')
    driven.take(client.ItemCreate(item=output), client.ResponseCreate())
    messages = driven.commands(StartReply)[1].messages
    assert messages[2].tool_calls == (ToolCall("call_1", "lamp", '{"on":true}'),)
    assert (messages[3].role, messages[3].content, messages[3].tool_call_id) == ("tool", '{"ok":true}', "call_1")


def test_session_update_changes_only_what_it_names() -> None:
    driven = Driven(VAD)
    driven.take(client.SessionUpdate(session=SessionPatch(instructions="Be brief.")))
    updated = driven.events(ev.SessionUpdated)[0].session
    assert updated.instructions == "Be brief."
    assert updated.turn_detection == VAD
    assert "Be brief." in driven.commands(Prefill)[-1].messages[0].content
    driven.take(client.SessionUpdate(session=SessionPatch(turn_detection=None)))
    assert driven.session.config.turn_detection is None
    driven.take(client.SessionUpdate(session=SessionPatch()))
    assert len(driven.events(ev.SessionUpdated)) == 3


def test_the_voice_is_fixed_once_it_has_been_heard() -> None:
    driven = Driven()
    driven.take(client.SessionUpdate(session=SessionPatch(voice="nobody")))
    assert driven.events(ev.Error)[0].error.message == "voice 'nobody' is not valid"
    driven.take(say("hello"), client.ResponseCreate())
    driven.whole_reply(("Hi.", 100))
    driven.wait(1)
    driven.take(client.SessionUpdate(session=SessionPatch(voice="v1")))
    assert len(driven.events(ev.SessionUpdated)) == 1
    driven.take(client.SessionUpdate(session=SessionPatch(voice="v2")))
    assert driven.events(ev.Error)[1].error.code == "cannot_update_voice"


def test_truncate_corrects_the_history_and_clamps() -> None:
    driven = Driven()
    driven.take(say("count"), client.ResponseCreate())
    driven.whole_reply(("One two", 1000), (" three four", 1000))
    driven.wait(3)
    item = driven.events(ev.OutputItemDone)[0].item
    driven.take(client.ItemTruncate(item_id=item.id, audio_end_ms=1500))
    assert driven.session.conversation.get(item.id).parts[0].transcript == "One two three"
    driven.take(client.ItemTruncate(item_id=item.id, audio_end_ms=99_000))
    assert driven.events(ev.ItemTruncated)[1].audio_end_ms == 2000
    assert driven.session.conversation.get(item.id).parts[0].transcript == "One two three four"
    driven.take(client.ItemTruncate(item_id=item.id, audio_end_ms=-1))
    driven.take(client.ItemTruncate(item_id="nothing", audio_end_ms=1))
    assert [event.error.param for event in driven.events(ev.Error)] == ["audio_end_ms", "item_id"]


def test_an_item_deleted_in_mid_reply_stays_deleted() -> None:
    driven = Driven()
    driven.take(say("hello"), client.ResponseCreate())
    driven.reply(TextDelta("Hi"))
    driven.take(client.ItemDelete(item_id=driven.events(ev.OutputItemAdded)[0].item.id))
    driven.reply(GenerationEnd("stop"), ReplyEnd())
    driven.wait(1)
    assert [item.role for item in driven.session.conversation if isinstance(item, Item)] == ["user"]
    assert driven.events(ev.ResponseDone)


def test_metadata_comes_back_with_the_response() -> None:
    driven = Driven()
    driven.take(
        say("hello"), client.ResponseCreate(response=ResponseOverrides(modalities=("text",), metadata={"k": "v"}))
    )
    driven.reply(GenerationEnd("stop"), ReplyEnd())
    assert driven.events(ev.ResponseCreated)[0].response.metadata == {"k": "v"}
    assert driven.events(ev.ResponseDone)[0].response.metadata == {"k": "v"}


@pytest.mark.parametrize("dialect", ["stepfun", "openai_beta", "openai"])
def test_a_spoken_reply_can_be_given_back_as_it_was_shown(dialect: DialectName) -> None:
    first = Wired(dialect)
    first.take(say("hello"), client.ResponseCreate())
    first.reply(ThinkingDelta("hm"))
    shown = first.frames(first.whole_reply(("Hello there.", 200)) + first.wait(1))
    item = next(event["item"] for event in shown if event["type"] == "response.output_item.done")
    another = Wired(dialect)
    del item["id"]
    answer = another.send({"type": "conversation.item.create", "item": item})
    assert "error" not in answer[0], answer
    another.take(client.ResponseCreate())
    assert another.prompts() == [["Hello there."]]


@pytest.mark.parametrize("kind", ["audio", "output_audio"])
def test_a_spoken_reply_without_its_words_is_refused(kind: str) -> None:
    item = {"type": "message", "role": "assistant", "content": [{"type": kind, "audio": "AAAA"}]}
    error = Wired("openai").error({"type": "conversation.item.create", "item": item})
    assert error["param"] == "item.content[0].transcript"
