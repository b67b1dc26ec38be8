"""Half an emoji in a text is U+FFFD, by whichever door it comes in."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from running import RunningServer, Talker, talking

HALF = r"\ud83d"

BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"model": "step-audio-2", "messages": [{"role": "user", "content": "HALF"}]},
    "/v1/token/count": {"model": "step-audio-2", "messages": [{"role": "user", "content": "HALF"}]},
    "/v1/audio/speech": {"model": "step-tts-2", "voice": "alloy", "input": "hello HALF"},
    "/v1/vector_stores": {"name": "store_of_halves", "metadata": {"HALF": "HALF"}},
    "/v1/realtime/client_secrets": {"session": {"type": "realtime", "instructions": "HALF"}},
    "/v1/realtime/sessions": {"instructions": "HALF"},
}


@pytest.mark.parametrize("path", BODIES)
def test_a_body_is_read(server: RunningServer, path: str) -> None:
    body = json.dumps(BODIES[path]).replace("HALF", HALF)
    answer = httpx.post(server.http + path, content=body, headers={"content-type": "application/json"}, timeout=30)
    assert answer.status_code in (200, 201), answer.text
    if "text" in answer.headers["content-type"] or "json" in answer.headers["content-type"]:
        assert "\ufffd" in answer.text or path == "/v1/token/count"


async def test_a_conversation_reads_it_and_names_the_event_that_is_bad(server: RunningServer) -> None:
    async with talking(server) as talker:
        await talker.next()
        bad = {"type": "conversation.item.create", "event_id": "e1", "item": {"role": "HALF"}}
        await talker.socket.send(json.dumps(bad).replace("HALF", HALF))
        error = (await talker.next())["error"]
        assert (error["event_id"], error["param"]) == ("e1", "item.role")
        content = [{"type": "input_text", "text": "cut HALF"}]
        good = {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": content}}
        await talker.socket.send(json.dumps(good).replace("HALF", HALF))
        created = (await talker.until("conversation.item.created"))[-1]
        assert created["item"]["content"][0]["text"] == "cut \ufffd"
        await talker.send(type="response.create", response={"modalities": ["text"]})
        done = (await talker.until("response.done"))[-1]["response"]
        assert done["output"][0]["content"][0]["text"] == "You said: cut \ufffd"


async def test_the_other_sockets_read_it(server: RunningServer) -> None:
    update = {
        "type": "session.update",
        "event_id": "e1",
        "session": {"audio": {"input": {"transcription": {"prompt": "HALF"}}}},
    }
    async with connect(f"{server.ws}/v1/realtime/asr/stream") as socket:
        await socket.send(json.dumps(update).replace("HALF", HALF))
        updated = (await Talker(socket).until("session.updated"))[-1]
        assert updated["session"]["audio"]["input"]["transcription"]["prompt"] == "\ufffd"
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "HALF"}]}
    async with connect(f"{server.ws}/v1/realtime/stateless?model=step-overture-preview") as socket:
        respond = {"type": "response.create", "response": {"modalities": ["text"], "history": [item]}}
        await socket.send(json.dumps(respond).replace("HALF", HALF))
        words = (await Talker(socket).until("response.done"))[-1]["response"]["output"][0]["content"][0]["text"]
        assert words == "You said: \ufffd"
    async with connect(f"{server.ws}/v1/realtime/audio?model=step-tts-2") as socket:
        opened = json.loads(await socket.recv())
        session_id = opened["data"]["session_id"]
        for type, data in (
            ("tts.create", {"voice_id": "wenrounansheng"}),
            ("tts.text.delta", {"text": "hello HALF"}),
            ("tts.text.done", {}),
        ):
            frame = json.dumps({"type": type, "data": {"session_id": session_id, **data}})
            await socket.send(frame.replace("HALF", HALF))
        types = [json.loads(frame)["type"] async for frame in socket]
        assert "tts.response.error" not in types
        assert any("audio" in type for type in types), types
