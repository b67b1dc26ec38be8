"""openai-python's Realtime clients, GA and beta: the corners of a session, less travelled than a turn."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from clients.openai_python import SPELLINGS, Caller, Spelling, calling, client_of
from running import RunningServer, silence, tone
from vivavoce.types import GenerationEvent, GenerationOptions, Message, ThinkingDelta

VAD = {"type": "server_vad", "silence_duration_ms": 400}
LAMP = {
    "type": "function",
    "name": "lamp",
    "description": "Switches the lamp.",
    "parameters": {"type": "object", "properties": {"on": {"type": "boolean"}}, "required": ["on"]},
}
STORY = "once upon a time " * 20
LONGER = "one two three four five six seven eight"  # takes longer to say than the server sends ahead

GA, BETA = SPELLINGS[0], SPELLINGS[2]
both_clients = pytest.mark.parametrize("spelling", [GA, BETA], ids=["GA", "beta"])


@both_clients
async def test_a_session_is_sent_back_as_it_came(fake_server: RunningServer, spelling: Spelling) -> None:
    async with calling(fake_server, spelling, vad=VAD, tools=[LAMP]) as caller:
        before = await caller.update(vad=VAD, tools=[LAMP])
        await caller.connection.session.update(session=json.loads(before.to_json()))
        after = (await caller.until("session.updated"))[-1].session
        assert after == before


@both_clients
async def test_a_history_is_put_before_the_conversation(fake_server: RunningServer, spelling: Spelling) -> None:
    async with calling(fake_server, spelling, spoken=False) as caller:
        await caller.say("the question")
        await caller.until("conversation.item.created")
        for role, kind, text in (("assistant", spelling.part("text"), "welcome"), ("system", "input_text", "Be kind.")):
            item = {"type": "message", "role": role, "content": [{"type": kind, "text": text}], "id": f"msg_{role}"}
            await caller.connection.conversation.item.create(item=item, previous_item_id="root")
            created = (await caller.until("conversation.item.created"))[-1]
            assert (created.previous_item_id, created.item.id, created.item.content[0].type) == (None, item["id"], kind)
        assert await caller.answer_in_text() == "You said: the question"


@both_clients
async def test_a_recording_is_one_item(fake_server: RunningServer, spelling: Spelling) -> None:
    async with calling(fake_server, spelling, spoken=False) as caller:
        content = [{"type": "input_audio", "audio": base64.b64encode(tone(700)).decode()}]
        await caller.connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
        events = await caller.answer()
        (heard,) = caller.of(events, "conversation.item.input_audio_transcription.completed")
        assert heard.transcript == "I heard 700 milliseconds."
        assert events[-1].response.output[0].content[0].text == "You said: I heard 700 milliseconds."
        assert (await caller.item(heard.item_id)).content[0].transcript == heard.transcript


@both_clients
async def test_nothing_is_answered_unasked(fake_server: RunningServer, spelling: Spelling) -> None:
    async with calling(fake_server, spelling, vad={**VAD, "create_response": False}, spoken=False) as caller:
        await caller.speak(silence(300) + tone(800) + silence(600))
        events = await caller.until("conversation.item.input_audio_transcription.completed")
        assert not caller.of(events, "response.created")
        assert await caller.answer_in_text() == "You said: I heard 800 milliseconds."


@both_clients
async def test_a_reply_is_not_interrupted_where_that_is_off(fake_server: RunningServer, spelling: Spelling) -> None:
    async with calling(fake_server, spelling, vad={**VAD, "interrupt_response": False}) as caller:
        await caller.say(LONGER)
        await caller.connection.response.create()
        await caller.until("response.audio.delta")
        await caller.speak(tone(600) + silence(600))
        first = (await caller.until("response.done"))[-1].response
        assert first.status == "completed"
        second = (await caller.until("response.done"))[-1].response
        assert second.output[0].content[0].transcript == "You said: I heard 600 milliseconds."


@both_clients
async def test_a_reply_is_only_so_long(fake_server: RunningServer, spelling: Spelling) -> None:
    async with calling(fake_server, spelling, spoken=False) as caller:
        await caller.say("one two three four")
        limit = {"max_output_tokens" if spelling.ga else "max_response_output_tokens": 3}
        response = (await caller.answer(**limit))[-1].response
        assert (response.status, response.status_details.reason) == ("incomplete", "max_output_tokens")
        assert response.output[0].content[0].text == "You said: one"


@both_clients
async def test_a_broken_engine_fails_one_response(fake_server: RunningServer, spelling: Spelling) -> None:
    async with calling(fake_server, spelling) as caller:
        await caller.say("please fail")
        response = (await caller.answer())[-1].response
        assert (response.status, response.status_details.type) == ("failed", "failed")
        assert response.status_details.error.type == "server_error"
        await caller.say("better now")
        assert await caller.answer_in_text() == "You said: better now"


@both_clients
async def test_a_function_must_be_called(fake_server: RunningServer, spelling: Spelling) -> None:
    async with calling(fake_server, spelling) as caller:
        await caller.say("good morning")
        (call,) = (await caller.answer(tools=[LAMP], tool_choice="required"))[-1].response.output
        assert (call.type, json.loads(call.arguments)) == ("function_call", {"on": True})


@both_clients
async def test_the_voice_stays_once_it_was_heard(fake_server: RunningServer, spelling: Spelling) -> None:
    async with calling(fake_server, spelling, voice="marin") as caller:
        await caller.say("hello")
        await caller.answer()
        await caller.update(voice="marin")
        await caller.connection.session.update(session=spelling.session(voice="cedar"))
        error = (await caller.next()).error
        assert error.code == "cannot_update_voice"
        assert error.param == ("session.audio.output.voice" if spelling.ga else "session.voice")


@both_clients
async def test_two_ask_at_once(fake_server: RunningServer, spelling: Spelling) -> None:
    """One response in the conversation at a time; what is out of band waits for its turn."""
    async with calling(fake_server, spelling) as caller:
        await caller.say(LONGER)
        await caller.connection.response.create()
        await caller.until("response.audio.delta")
        await caller.connection.response.create(event_id="second")
        events = [await caller.next()]
        while events[-1].type != "error":
            events.append(await caller.next())
        assert events[-1].error.event_id == "second"
        assert events[-1].error.code == "conversation_already_has_active_response"
        content = [{"type": "input_text", "text": "aside"}]
        aside = {"conversation": "none", "input": [{"type": "message", "role": "user", "content": content}]}
        await caller.connection.response.create(response={**aside, **spelling.modalities(spoken=False)})
        done = [(await caller.until("response.done"))[-1].response for _ in range(2)]
        assert [response.conversation_id is None for response in done] == [False, True]
        assert done[1].output[0].content[0].text == "You said: aside"


@both_clients
async def test_audio_that_was_not_sent_is_dropped(fake_server: RunningServer, spelling: Spelling) -> None:
    async with calling(fake_server, spelling) as caller:
        await caller.say(STORY)
        await caller.connection.response.create()
        await caller.until("response.audio.delta")
        await caller.connection.response.cancel()
        await caller.connection.output_audio_buffer.clear()
        events = await caller.until("output_audio_buffer.cleared")
        cleared, done = events[-1], caller.of(events, "response.done")[0]
        assert cleared.response_id == done.response.id


async def test_silence_is_answered_after_a_while(fake_server: RunningServer) -> None:
    """GA's ``idle_timeout_ms``."""
    async with calling(fake_server, GA, vad={**VAD, "idle_timeout_ms": 1000}) as caller:
        await caller.say("hi")
        await caller.answer()
        events = await caller.until("response.created")
        (silent,) = caller.of(events, "input_audio_buffer.timeout_triggered")
        (created,) = caller.of(events, "conversation.item.created")
        assert (created.item.id, created.item.role) == (silent.item_id, "user")
        assert silent.audio_end_ms >= silent.audio_start_ms


async def transcripts(caller: Caller) -> list[Any]:
    await caller.speak(silence(300) + tone(900) + silence(600))
    events = await caller.until("conversation.item.input_audio_transcription.completed")
    assert not caller.of(events, "response.created")
    return [event.transcript for event in caller.of(events, "conversation.item.input_audio_transcription.completed")]


async def test_a_session_that_only_transcribes(fake_server: RunningServer) -> None:
    async with (
        client_of(fake_server) as client,
        client.realtime.connect(extra_query={"intent": "transcription"}) as connection,
    ):
        caller = Caller(connection, GA)
        await caller.until("session.created")
        heard = {"transcription": {"model": "gpt-4o-transcribe", "language": "en"}, "turn_detection": VAD}
        session: Any = {"type": "transcription", "audio": {"input": heard}}
        await connection.session.update(session=session)
        assert (await caller.until("session.updated"))[-1].session.type == "transcription"
        assert await transcripts(caller) == ["I heard 900 milliseconds."]
        await connection.response.create()
        assert (await caller.next()).type == "error"


async def test_handlers_are_called(fake_server: RunningServer) -> None:
    """The client's other way of reading: handlers by event, a loop that dispatches."""
    async with client_of(fake_server) as client, client.realtime.connect(model="gpt-realtime") as connection:
        said: list[str] = []
        connection.on("response.output_text.delta", lambda event: said.append(event.delta))
        connection.on("response.done", lambda _: asyncio.ensure_future(connection.close()))
        await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
        content: Any = [{"type": "input_text", "text": "hello"}]
        await connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
        await connection.response.create()
        async with asyncio.timeout(20):
            await connection.dispatch_events()
        assert "".join(said) == "You said: hello"


async def test_the_beta_client_passes_over_thoughts(
    fake_server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """StepFun's models tell of them whatever the handshake says; OpenAI's types know none."""

    async def thinking(messages: Sequence[Message], options: GenerationOptions) -> AsyncIterator[GenerationEvent]:
        yield ThinkingDelta("They greet me.")
        async for event in answer(messages, options):
            yield event

    model: Any = fake_server.core.engines.language_models["small"]
    answer = model.generate
    monkeypatch.setattr(model, "generate", thinking)
    async with calling(fake_server, SPELLINGS[3], spoken=False) as caller:
        await caller.say("good morning")
        await caller.connection.response.create()
        words, thoughts = "", ""
        async with asyncio.timeout(10):
            async for event in caller.connection:
                match event.type:
                    case "response.text.delta":
                        words += event.delta
                    case "response.thinking.delta":
                        thoughts += event.delta
                    case "response.done":
                        break
        assert (words, thoughts) == ("You said: good morning", "They greet me.")
        assert event.response.output[0].content[-1].text == words
