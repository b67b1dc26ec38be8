"""openai-python's Realtime clients, GA and beta, against the running server: all that both can do."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from math import ceil

import pytest

from clients.openai_python import SPELLINGS, Spelling, calling
from clients.speaking import spoken
from running import RunningServer, silence, tone

VAD = {"type": "server_vad", "silence_duration_ms": 400}
LAMP = {
    "type": "function",
    "name": "lamp",
    "description": "Switches the lamp.",
    "parameters": {"type": "object", "properties": {"on": {"type": "boolean"}}, "required": ["on"]},
}
STORY = "once upon a time " * 20
CHARACTER_MS = 50  # of the fake voice

every_client = pytest.mark.parametrize("spelling", SPELLINGS, ids=[spelling.name for spelling in SPELLINGS])


@every_client
async def test_the_session_is_what_was_asked_for(fake_server: RunningServer, spelling: Spelling) -> None:
    async with calling(fake_server, spelling) as caller:
        session = await caller.update(vad=VAD, tools=[LAMP], voice="cedar")
        detection = session.audio.input.turn_detection if spelling.ga else session.turn_detection
        voice = session.audio.output.voice if spelling.ga else session.voice
        assert (detection.silence_duration_ms, voice) == (400, "cedar")
        assert [spelling.tool_name(tool) for tool in session.tools] == ["lamp"]
        assert session.instructions == "Be brief."
        assert session.model == spelling.model


@every_client
async def test_a_text_turn(fake_server: RunningServer, spelling: Spelling) -> None:
    async with calling(fake_server, spelling, spoken=False) as caller:
        await caller.say("good morning")
        events = await caller.answer()
        assert caller.words(events, "response.text.delta") == "You said: good morning"
        (message,) = events[-1].response.output
        assert (message.content[0].type, message.content[0].text) == (spelling.part("text"), "You said: good morning")
        assert events[-1].response.usage.output_tokens == 4
        created = [event.item.role for event in caller.of(events, "conversation.item.created")]
        assert created == ["user", "assistant"]


@every_client
async def test_push_to_talk(fake_server: RunningServer, spelling: Spelling) -> None:
    async with calling(fake_server, spelling, vad=None) as caller:
        await caller.speak(silence(200) + tone(800) + silence(800))
        await caller.connection.input_audio_buffer.commit()
        await caller.connection.response.create()
        events = await caller.until("response.done")
        (committed,) = caller.of(events, "input_audio_buffer.committed")
        (heard,) = caller.of(events, "conversation.item.input_audio_transcription.completed")
        assert (heard.item_id, heard.transcript) == (committed.item_id, "I heard 800 milliseconds.")
        assert caller.words(events, "response.audio_transcript.delta") == f"You said: {heard.transcript}"
        assert len(caller.audio(events)) == pytest.approx(35 * CHARACTER_MS * 48, abs=2 * CHARACTER_MS * 48)
        await caller.connection.input_audio_buffer.clear()
        await caller.until("input_audio_buffer.cleared")


@every_client
async def test_a_turn_that_ends_by_itself(fake_server: RunningServer, spelling: Spelling) -> None:
    async with calling(fake_server, spelling, vad=VAD) as caller:
        await caller.speak(silence(300) + tone(1000) + silence(700))
        events = await caller.until("response.done")
        (started,) = caller.of(events, "input_audio_buffer.speech_started")
        (stopped,) = caller.of(events, "input_audio_buffer.speech_stopped")
        (committed,) = caller.of(events, "input_audio_buffer.committed")
        assert started.item_id == stopped.item_id == committed.item_id
        assert started.audio_start_ms < 300
        assert stopped.audio_end_ms == pytest.approx(1700, abs=70)  # with the closing silence, in frames of 32 ms
        assert events[-1].response.output[0].content[0].transcript == "You said: I heard 1000 milliseconds."


@every_client
async def test_a_function_is_called_and_its_output_answered(fake_server: RunningServer, spelling: Spelling) -> None:
    async with calling(fake_server, spelling, tools=[LAMP], spoken=False) as caller:
        await caller.say('call lamp {"on": true}')
        events = await caller.answer()
        (call,) = events[-1].response.output
        (arguments,) = caller.of(events, "response.function_call_arguments.done")
        assert (call.type, call.name, json.loads(call.arguments)) == ("function_call", "lamp", {"on": True})
        assert (arguments.call_id, arguments.arguments) == (call.call_id, call.arguments)
        assert caller.words(events, "response.function_call_arguments.delta") == call.arguments
        output = {"type": "function_call_output", "call_id": call.call_id, "output": "the lamp is on"}
        await caller.connection.conversation.item.create(item=output)
        assert await caller.answer_in_text() == "You said: the lamp is on"


@every_client
async def test_a_reply_is_cancelled(fake_server: RunningServer, spelling: Spelling) -> None:
    async with calling(fake_server, spelling) as caller:
        await caller.say(STORY)
        await caller.connection.response.create()
        await caller.until("response.audio.delta")
        await caller.connection.response.cancel()
        response = (await caller.until("response.done"))[-1].response
        assert (response.status, response.status_details.reason) == ("cancelled", "client_cancelled")
        assert response.output[0].status == "incomplete"
        await caller.say("go on")
        assert await caller.answer_in_text() == "You said: go on"


@every_client
async def test_a_reply_is_truncated_and_retrieved(fake_server: RunningServer, spelling: Spelling) -> None:
    async with calling(fake_server, spelling) as caller:
        await caller.say("one two three four")
        reply = (await caller.answer())[-1].response.output[0]
        whole = reply.content[0].transcript
        assert whole == "You said: one two three four"
        end_ms = len("You said: one two") * CHARACTER_MS
        await caller.connection.conversation.item.truncate(item_id=reply.id, content_index=0, audio_end_ms=end_ms)
        truncated = (await caller.until("conversation.item.truncated"))[-1]
        assert (truncated.item_id, truncated.content_index, truncated.audio_end_ms) == (reply.id, 0, end_ms)
        kept = await caller.item(reply.id)
        assert (kept.role, kept.content[0].type) == ("assistant", spelling.part("audio"))
        assert kept.content[0].transcript == "You said: one two"
        await caller.connection.conversation.item.delete(item_id=reply.id)
        assert (await caller.until("conversation.item.deleted"))[-1].item_id == reply.id


@every_client
async def test_a_response_out_of_band(fake_server: RunningServer, spelling: Spelling) -> None:
    async with calling(fake_server, spelling, spoken=False) as caller:
        await caller.say("the history")
        first = (await caller.until("conversation.item.created"))[-1].item
        content = [{"type": "input_text", "text": "classify this"}]
        aside = [
            {"type": "item_reference", "id": first.id},
            {"type": "message", "role": "user", "content": content},
        ]
        events = await caller.answer(conversation="none", metadata={"topic": "support"}, input=aside)
        response = events[-1].response
        assert response.metadata == {"topic": "support"}
        assert response.conversation_id is None
        assert response.output[0].content[0].text == "You said: classify this"
        assert not caller.of(events, "conversation.item.created")
        assert await caller.answer_in_text() == "You said: the history"


@every_client
async def test_speech_interrupts_a_reply(fake_server: RunningServer, spelling: Spelling) -> None:
    async with calling(fake_server, spelling, vad=VAD) as caller:
        await caller.say(STORY)
        await caller.connection.response.create()
        reply_id = (await caller.until("response.audio.delta"))[-1].item_id
        await asyncio.sleep(1)  # the reply is being heard: 20 characters of it
        await caller.speak(tone(600))
        events = await caller.until("response.done")
        response = events[-1].response
        assert caller.of(events, "input_audio_buffer.speech_started")
        assert (response.status, response.status_details.reason) == ("cancelled", "turn_detected")
        heard = response.output[0].content[0].transcript
        assert len("You said: once") <= len(heard) < 70  # of 350 characters; a busy machine may be late
        assert f"You said: {STORY}".startswith(heard)
        assert (await caller.item(reply_id)).content[0].transcript == heard
        await caller.speak(silence(700))
        answer = (await caller.until("response.done"))[-1].response
        assert re.fullmatch(r"You said: I heard \d+ milliseconds\.", answer.output[0].content[0].transcript)


@every_client
async def test_the_telephone(fake_server: RunningServer, spelling: Spelling) -> None:
    """G.711 µ-law at 8 kHz, both ways: a byte a sample, 0xFF is silence, 0x00 and 0x80 are the loudest."""
    async with calling(fake_server, spelling, vad=None, telephone=True) as caller:
        loud = (b"\x00" * 20 + b"\x80" * 20) * 200
        await caller.speak(b"\xff" * 1600 + loud + b"\xff" * 1600)
        await caller.connection.input_audio_buffer.commit()
        await caller.connection.response.create()
        events = await caller.until("response.done")
        assert events[-1].response.output[0].content[0].transcript == "You said: I heard 1000 milliseconds."
        audio = caller.audio(events)
        assert len(audio) == pytest.approx(36 * CHARACTER_MS * 8, abs=2 * CHARACTER_MS * 8)
        assert len(set(audio)) > 16  # a tone, not silence


@every_client
async def test_a_mistake_is_told_and_the_session_lives(fake_server: RunningServer, spelling: Spelling) -> None:
    async with calling(fake_server, spelling) as caller:
        for event, param in (
            ({"type": "no.such.event"}, "type"),
            ({"type": "conversation.item.delete", "item_id": "nobody"}, "item_id"),
            ({"type": "conversation.item.create", "item": {"type": "message", "role": "user"}}, "item.content"),
            ({"type": "input_audio_buffer.append", "audio": "%%%"}, "audio"),
            ({"type": "response.cancel"}, None),
        ):
            await caller.connection.send({**event, "event_id": "mine"})
            told = await caller.next()
            assert (told.type, told.error.param, told.error.event_id) == ("error", param, "mine")
            assert told.error.type == "invalid_request_error"
            assert told.error.message
        await caller.say("still there")
        assert await caller.answer_in_text() == "You said: still there"


@every_client
async def test_what_is_not_there_has_the_platforms_code(fake_server: RunningServer, spelling: Spelling) -> None:
    output = {"type": "function_call_output", "call_id": "nobody", "output": "on"}
    async with calling(fake_server, spelling) as caller:
        for event, code, param in (
            ({"type": "conversation.item.retrieve", "item_id": "nobody"}, "item_retrieve_invalid_item_id", "item_id"),
            ({"type": "conversation.item.delete", "item_id": "nobody"}, "item_delete_invalid_item_id", "item_id"),
            (
                {"type": "conversation.item.truncate", "item_id": "nobody", "content_index": 0, "audio_end_ms": 0},
                "item_truncate_invalid_item_id",
                "item_id",
            ),
            ({"type": "conversation.item.create", "item": output}, "invalid_tool_call_id", "item.call_id"),
        ):
            await caller.connection.send({**event, "event_id": "mine"})
            told = (await caller.next()).error
            stepfuns_own = spelling.name == "beta on a StepFun model" and param == "item_id"
            assert (told.code, told.param) == ("item_not_found" if stepfuns_own else code, param)
            assert told.event_id == "mine"


@every_client
async def test_cut_emoji_and_broken_lines_are_read(fake_server: RunningServer, spelling: Spelling) -> None:
    async with calling(fake_server, spelling, vad=None) as caller:
        await caller.say("cut \ud83d here")
        assert await caller.answer_in_text() == "You said: cut \ufffd here"
        await caller.connection.input_audio_buffer.append(audio=base64.encodebytes(tone(700)).decode())
        await caller.connection.input_audio_buffer.commit()
        heard = (await caller.until("conversation.item.input_audio_transcription.completed"))[-1]
        assert heard.transcript == "I heard 700 milliseconds."


@every_client
async def test_what_was_said_can_be_metered(fake_server: RunningServer, spelling: Spelling) -> None:
    async with calling(fake_server, spelling, vad=None) as caller:
        await caller.speak(tone(1000))
        await caller.connection.input_audio_buffer.commit()
        await caller.connection.response.create()
        events = await caller.until("response.done")
        usage = events[-1].response.usage
        heard_ms, spoken_ms = (80, 40) if spelling.name == "beta on a StepFun model" else (100, 50)
        assert usage.input_token_details.audio_tokens == ceil(1000 / heard_ms)
        assert usage.output_token_details.audio_tokens == ceil(len(caller.audio(events)) / 48 / spoken_ms)
        assert usage.total_tokens == usage.input_tokens + usage.output_tokens


BOTH = {spelling.name: spelling for spelling in SPELLINGS}
both_clients_for_real = pytest.mark.parametrize("name", ["GA", "beta on a StepFun model"])


@pytest.mark.real
@both_clients_for_real
async def test_a_voice_turn_with_the_real_models(real_server: RunningServer, name: str) -> None:
    async with calling(real_server, BOTH[name], vad=VAD) as caller:
        await caller.speak(spoken("What is the capital of France?"))
        events = await caller.until("response.done")
        (heard,) = caller.of(events, "conversation.item.input_audio_transcription.completed")
        assert "capital of france" in heard.transcript.lower()
        assert "Paris" in events[-1].response.output[0].content[0].transcript
        assert len(caller.audio(events)) > 48 * 300


@pytest.mark.real
async def test_a_text_turn_with_the_real_models(real_server: RunningServer) -> None:
    async with calling(real_server, BOTH["beta on a StepFun model"], spoken=False) as caller:
        await caller.say("What is the capital of France?")
        assert "Paris" in await caller.answer_in_text()
