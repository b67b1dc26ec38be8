"""The stateless endpoint, over real sockets with fake engines."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from running import RunningServer, Talker, silence, tone

LISTED = {
    "response.created", "response.audio.delta", "response.audio.done", "response.audio_transcript.delta",
    "response.audio_transcript.done", "response.raw_text.delta", "response.function_call_arguments.delta",
    "response.function_call_arguments.done", "conversation.item.created", "response.output_item.added", "response.done",
    "error", "session.restored",
}  # fmt: skip
"""The endpoint's events (Realtime reference, section 12)."""


@asynccontextmanager
async def stateless(server: RunningServer, model: str = "step-overture-preview") -> AsyncIterator[Talker]:
    async with connect(f"{server.ws}/v1/realtime/stateless?model={model}", max_size=None, close_timeout=0.2) as socket:
        yield Talker(socket)


def message(role: str, text: str, kind: str = "input_text", **more: str) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}], **more}


async def respond(talker: Talker, *history: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    response = {
        "modalities": ["text"],
        "voice": "jingdiannvsheng",
        "instructions": "",
        "history": list(history),
        **more,
    }
    await talker.send(type="response.create", response=response)
    return await talker.until("response.done")


async def restore(talker: Talker) -> None:
    await talker.send(type="session.restore")
    assert (await talker.next())["type"] == "session.restored"


def raw_text(events: list[dict[str, Any]]) -> str:
    return "".join(event["delta"] for event in events if event["type"] == "response.raw_text.delta")


def input_tokens(events: list[dict[str, Any]]) -> int:
    return int(events[-1]["response"]["usage"]["input_tokens"])


async def test_turns_stand_by_themselves(server: RunningServer) -> None:
    async with stateless(server) as talker:
        await talker.say("hello")
        first = await respond(talker)
        assert first[0]["type"] == "conversation.item.created"
        assert raw_text(first) == "You said: hello"
        await restore(talker)
        await talker.say("again")
        second = await respond(talker)
        assert raw_text(second) == "You said: again"
        assert input_tokens(second) == input_tokens(first)  # nothing of the first turn is remembered
        assert {event["type"] for event in first + second} <= LISTED
        assert second[-1]["response"]["status"] == "completed"


async def test_the_history_comes_with_the_response_before_what_was_just_said(server: RunningServer) -> None:
    async with stateless(server) as talker:
        await talker.say("third")
        alone = await respond(talker)
        await restore(talker)
        (created,) = [event for event in alone if event["type"] == "conversation.item.created"]
        history = [
            message("user", "one two three", "text", id=created["item"]["id"]),
            message("assistant", "four five", "text", id="mine"),
        ]
        await talker.say("third")
        events = await respond(talker, *history)
        assert raw_text(events) == "You said: third"
        assert input_tokens(events) == input_tokens(alone) + 5
        await restore(talker)
        assert raw_text(await respond(talker, message("user", "only history"))) == "You said: only history"


async def test_an_utterance_is_transcribed_and_not_answered_until_asked(server: RunningServer) -> None:
    async with stateless(server) as talker:
        await talker.send(type="session.update", session={"turn_detection": {"type": "server_vad"}})
        assert (await talker.next())["type"] == "session.updated"
        await talker.append(silence(200) + tone(1000) + silence(1000))
        await talker.send(type="input_audio_buffer.commit")
        events = await talker.until("conversation.item.input_audio_transcription.completed")
        assert events[-1]["transcript"] == "I heard 1000 milliseconds."
        assert not any("speech_" in event["type"] or event["type"] == "response.created" for event in events)
        spoken = await respond(talker, modalities=["text", "audio"], speed_ratio=2.0)
        text = "You said: I heard 1000 milliseconds."
        audio = b"".join(base64.b64decode(e["delta"]) for e in spoken if e["type"] == "response.audio.delta")
        assert len(audio) == pytest.approx(len(text) * 50 / 2 * 48, rel=0.05)
        assert "".join(e["delta"] for e in spoken if e["type"] == "response.audio_transcript.delta") == text
        assert {event["type"] for event in spoken} <= LISTED


async def test_a_function_call_and_its_output_travel_in_the_history(server: RunningServer) -> None:
    tool = {"type": "function", "function": {"name": "lamp", "description": "d", "parameters": {"type": "object"}}}
    async with stateless(server) as talker:
        asked = message("user", 'call lamp {"on": true}')
        events = await respond(talker, asked, tools=[tool])
        deltas = [event for event in events if event["type"] == "response.function_call_arguments.delta"]
        assert json.loads("".join(delta["delta"] for delta in deltas)) == {"on": True}
        assert not any("arguments" in delta for delta in deltas)
        call = events[-1]["response"]["output"][0]
        await restore(talker)
        made = {"type": "function_call", "call_id": call["call_id"], "name": "lamp", "arguments": call["arguments"]}
        output = {
            "type": "function_call_output",
            "call_id": call["call_id"],
            "output": "it is on",
            "status": "completed",
        }
        assert raw_text(await respond(talker, asked, made, output, tools=[tool])) == "You said: it is on"


async def test_the_output_of_a_call_may_be_an_item(server: RunningServer) -> None:
    """As the official command-line client sends it: the call itself was out of band, as every response is here."""
    tool = {"type": "function", "function": {"name": "lamp", "description": "d", "parameters": {"type": "object"}}}
    async with stateless(server) as talker:
        asked = message("user", 'call lamp {"on": true}')
        call = (await respond(talker, asked, tools=[tool]))[-1]["response"]["output"][0]
        await restore(talker)
        output = {"type": "function_call_output", "call_id": call["call_id"], "output": "it is on"}
        await talker.send(type="conversation.item.create", item={"id": "item_tool_output", **output})
        await talker.until("conversation.item.created")
        made = {"type": "function_call", "call_id": call["call_id"], "name": "lamp", "arguments": call["arguments"]}
        assert raw_text(await respond(talker, asked, made, tools=[tool])) == "You said: it is on"


async def test_a_second_restore_of_a_turn_closes_the_socket(server: RunningServer) -> None:
    async with stateless(server) as talker:
        await respond(talker, message("user", "hello"))
        await restore(talker)
        await respond(talker, message("user", "hello"))
        await restore(talker)
        await talker.send(type="session.restore")
        with pytest.raises(ConnectionClosed) as closed:
            await talker.next()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
    assert await asyncio.to_thread(server.all_seats_free, 1.0)


async def test_cancel_is_ignored_and_a_response_that_interrupts_is_not(server: RunningServer) -> None:
    async with stateless(server) as talker:
        await talker.send(type="response.cancel")
        story = {"modalities": ["text", "audio"], "history": [message("user", "a long story " * 20)]}
        await talker.send(type="response.create", response=story)
        await talker.until("response.audio.delta")
        await talker.send(type="response.cancel")
        await talker.until("response.audio.delta")
        minimal = {"history": [message("user", "stop")], "modalities": ["text"], "interrupt_current_response": True}
        await talker.send(type="response.create", response=minimal)
        first = await talker.until("response.done")
        assert first[-1]["response"]["status"] == "cancelled"
        second = await talker.until("response.done")
        assert second[-1]["response"]["status"] == "completed"
        assert raw_text(second) == "You said: stop"
        await restore(talker)
        alone = await respond(talker, message("user", "quiet now"), interrupt_current_response=True)
        assert raw_text(alone) == "You said: quiet now"
        assert "error" not in {event["type"] for event in first + second + alone}


@pytest.mark.parametrize(
    ("event", "param"),
    [
        ({"type": "response.create", "response": {"history": [message("user", "")]}}, "response.history[0].content[0].text"),
        ({"type": "response.create", "response": {"history": {}}}, "response.history"),
        ({"type": "response.create", "response": {"history": [1]}}, "response.history[0]"),
        ({"type": "response.create", "response": {"history": [], "speed_ratio": 3.0}}, "response.speed_ratio"),
        ({"type": "response.create", "response": []}, "response"),
        ({"type": "session.update", "session": {"tools": [{"type": "function"}]}}, "session.tools"),
        ({"type": "nothing.known"}, "type"),
    ],
)  # fmt: skip
async def test_what_does_not_fit_is_refused_by_its_place(
    server: RunningServer, event: dict[str, Any], param: str
) -> None:
    async with stateless(server) as talker:
        await talker.send(**event)
        refused = await talker.next()
        assert (refused["type"], refused["error"]["param"]) == ("error", param)
        assert raw_text(await respond(talker, message("user", "still there"))) == "You said: still there"


@pytest.mark.parametrize("frame", ["", "{", "[]", "null", b"\xff", '{"type": 7}', '{"type": "response.create"'])
async def test_bad_frames_get_an_error_and_the_session_lives(server: RunningServer, frame: str | bytes) -> None:
    async with stateless(server) as talker:
        await talker.socket.send(frame)
        assert (await talker.next())["type"] == "error"
        assert raw_text(await respond(talker, message("user", "still there"))) == "You said: still there"


async def test_any_model_is_served_and_an_unknown_one_refused(server: RunningServer) -> None:
    async with stateless(server, "step-audio-2-mini") as talker:
        assert raw_text(await respond(talker, message("user", "hi"))) == "You said: hi"
    with pytest.raises(InvalidStatus) as refused:
        async with stateless(server, "gpt-17"):
            pass
    assert refused.value.response.status_code == 404
    assert await asyncio.to_thread(server.all_seats_free, 1.0)
