"""The Realtime door over real sockets, with fake engines."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import re
import urllib.error
import urllib.request
from collections.abc import AsyncGenerator
from math import ceil
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from running import RunningServer, silence, talking, tone
from vivavoce.engines.fake import FakeLanguageModel, FakeRecognizer, FakeSynthesizer
from vivavoce.engines.speech_cache import SpeechCache
from vivavoce.http.lifecycle import Loading
from vivavoce.runtime.recognition import Recognition
from vivavoce.tiers import TIERS
from vivavoce.types import Samples, TranscribeOptions, Transcript, TranscriptDelta


def get(url: str) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(url) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_health_counts_the_seats(server: RunningServer) -> None:
    assert server.all_seats_free()
    status, body = get(f"{server.http}/health")
    assert status == 200
    assert body["status"] == "ok"
    assert body["sessions"] == {"live": 0, "capacity": 4}


def test_health_and_door_while_loading(server: RunningServer) -> None:
    with server.at(Loading(server.core.store)):
        assert get(f"{server.http}/health") == (503, get(f"{server.http}/health")[1])
        with pytest.raises(InvalidStatus) as refused:
            asyncio.run(_connect(server, "model=step-audio-2"))
        assert refused.value.response.status_code == 503


async def _connect(server: RunningServer, query: str) -> None:
    async with talking(server, query) as talker:
        await talker.next()


@pytest.mark.parametrize("tier", sorted(TIERS))
async def test_every_tier_is_served(server: RunningServer, tier: str) -> None:
    async with talking(server, f"model={tier}") as talker:
        created = await talker.next()
        assert created["type"] == "session.created"
        assert created["session"]["model"] == tier


@pytest.mark.parametrize("query", ["", "model=", "model=gpt-17"])
async def test_an_unknown_model_is_refused_before_the_upgrade(server: RunningServer, query: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await _connect(server, query)
    assert refused.value.response.status_code == 404
    assert json.loads(refused.value.response.body or b"")["error"]["code"] == "model_not_found"


async def test_one_more_than_capacity_is_refused_at_once(server: RunningServer) -> None:
    async with talking(server), talking(server), talking(server), talking(server):
        with pytest.raises(InvalidStatus) as refused:
            await _connect(server, "model=step-audio-2")
    response = refused.value.response
    assert response.status_code == 429
    assert response.headers["Retry-After"]
    assert json.loads(response.body or b"")["error"]["type"] == "rate_limit_error"
    assert await asyncio.to_thread(server.all_seats_free)
    async with talking(server) as talker:
        assert (await talker.next())["type"] == "session.created"


async def test_browsers_get_their_subprotocol_back(server: RunningServer) -> None:
    offered = ["realtime", "openai-insecure-api-key.none", "openai-beta.realtime-v1"]
    url = f"{server.ws}/v1/realtime?model=step-audio-2"
    async with connect(url, subprotocols=offered) as socket:  # type: ignore[arg-type]
        assert socket.subprotocol == "realtime"


async def test_a_text_turn(server: RunningServer) -> None:
    async with talking(server) as talker:
        await talker.next()
        await talker.say("good morning")
        await talker.send(type="response.create", response={"modalities": ["text"]})
        events = await talker.until("response.done")
        assert (
            "".join(event["delta"] for event in events if event["type"] == "response.text.delta")
            == "You said: good morning"
        )
        assert events[-1]["response"]["usage"]["output_tokens"] == 4


@pytest.mark.parametrize(
    ("dialect", "heard_ms", "spoken_ms"), [("ga", 100, 50), ("beta", 100, 50), ("stepfun", 80, 40)]
)
async def test_audio_counts_by_its_length(server: RunningServer, dialect: str, heard_ms: int, spoken_ms: int) -> None:
    """Clients meter by it: what they were sent is what was counted."""
    async with talking(server, f"model=step-audio-2&dialect={dialect}") as talker:
        await talker.append(silence(300) + tone(1000) + silence(700))
        events = await talker.until("response.done")
        said = {event["type"]: event for event in events}
        start, stop = said["input_audio_buffer.speech_started"], said["input_audio_buffer.speech_stopped"]
        pieces = [event["delta"] for event in events if event["type"].endswith("audio.delta")]
        sent_ms = sum(len(base64.b64decode(piece)) for piece in pieces) / 48
        usage = said["response.done"]["response"]["usage"]
        read, written = usage["input_token_details"], usage["output_token_details"]
        assert read["audio_tokens"] == ceil((stop["audio_end_ms"] - start["audio_start_ms"]) / heard_ms)
        assert written["audio_tokens"] == ceil(sent_ms / spoken_ms) > 10
        assert usage["input_tokens"] == read["text_tokens"] + read["audio_tokens"]
        assert usage["output_tokens"] == written["text_tokens"] + written["audio_tokens"]


async def test_a_voice_turn_with_barge_in(server: RunningServer) -> None:
    async with talking(server) as talker:
        await talker.next()
        await talker.append(silence(300) + tone(1000) + silence(700))
        events = await talker.until("response.created")
        transcript = next(event["transcript"] for event in events if event["type"].endswith("transcription.completed"))
        assert transcript == "I heard 1000 milliseconds."
        await talker.until("response.done")
        await talker.say("a long story " * 20)
        await talker.send(type="response.create")
        await talker.until("response.audio.delta")
        await talker.append(tone(300))
        events = await talker.until("response.done")
        kinds = [event["type"] for event in events]
        assert kinds.index("input_audio_buffer.speech_started") < kinds.index("response.audio.done")
        assert events[-1]["response"]["status"] == "cancelled"
        assert events[-1]["response"]["status_details"]["reason"] == "turn_detected"


async def test_a_client_that_stops_sending_is_answered(server: RunningServer) -> None:
    """No silence comes after what was said: nothing comes."""
    async with talking(server) as talker:
        await talker.next()
        await talker.append(silence(300) + tone(600))
        events = await talker.until("response.done")
        transcript = next(event["transcript"] for event in events if event["type"].endswith("transcription.completed"))
        assert transcript == "I heard 600 milliseconds."


async def test_spoken_audio_arrives_whole(server: RunningServer) -> None:
    async with talking(server) as talker:
        await talker.next()
        await talker.say("hi")
        await talker.send(type="response.create")
        events = await talker.until("response.done")
        audio = b"".join(
            base64.b64decode(event["delta"]) for event in events if event["type"] == "response.audio.delta"
        )
        words = events[-1]["response"]["output"][0]["content"][0]["transcript"]
        assert words == "You said: hi"
        assert len(audio) == len(words) * 50 * 48


async def test_a_function_call_goes_to_the_client_and_back(server: RunningServer) -> None:
    tool = {"type": "function", "function": {"name": "lamp", "description": "d", "parameters": {"type": "object"}}}
    async with talking(server) as talker:
        await talker.next()
        await talker.send(type="session.update", session={"tools": [tool], "turn_detection": None})
        await talker.say('call lamp {"on": true}')
        await talker.send(type="response.create")
        call = (await talker.until("response.done"))[-1]["response"]["output"][0]
        assert (call["name"], json.loads(call["arguments"])) == ("lamp", {"on": True})
        output = {"type": "function_call_output", "call_id": call["call_id"], "output": "done"}
        await talker.send(type="conversation.item.create", item=output)
        await talker.send(type="response.create", response={"modalities": ["text"]})
        assert (await talker.until("response.text.done"))[-1]["text"] == "You said: done"


async def test_a_failing_engine_does_not_end_the_session(server: RunningServer) -> None:
    async with talking(server) as talker:
        await talker.next()
        await talker.say("please fail")
        await talker.send(type="response.create")
        assert (await talker.until("response.done"))[-1]["response"]["status"] == "failed"
        await talker.say("better now")
        await talker.send(type="response.create", response={"modalities": ["text"]})
        assert (await talker.until("response.done"))[-1]["response"]["status"] == "completed"


BAD_FRAMES: list[str | bytes] = [
    "",
    "{",
    "[]",
    "null",
    b"\xff\x00",
    "[" * 50_000,
    '{"type": 1}',
    '{"type": "foo.bar"}',
    '{"type": "input_audio_buffer.append", "audio": "%%"}',
    '{"type": "input_audio_buffer.append", "audio": "AAAA"}',
    '{"type": "input_audio_buffer.append", "audio": 7}',
    '{"type": "input_audio_buffer.commit"}',
    '{"type": "session.update", "session": {"voice": "nobody"}}',
    '{"type": "conversation.item.create", "item": {}}',
    '{"type": "conversation.item.delete", "item_id": "x"}',
    '{"type": "response.cancel"}',
]


@pytest.mark.parametrize(
    ("kind", "verb"), [(FakeRecognizer, "transcribe"), (FakeLanguageModel, "generate"), (FakeSynthesizer, "speak")]
)
async def test_an_engine_that_raises_what_it_should_not_does_not_end_the_session(
    server: RunningServer, kind: type, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OSError("the other side hung up")

    async with talking(server) as talker:
        await talker.next()
        await talker.send(type="session.update", session={"turn_detection": None})
        with monkeypatch.context() as broken:
            broken.setattr(SpeechCache, "get", lambda *_: None)
            broken.setattr(kind, verb, fails)
            if kind is FakeRecognizer:
                await talker.append(tone(1000))
                await talker.send(type="input_audio_buffer.commit")
                await talker.until("conversation.item.input_audio_transcription.failed")
            else:
                await talker.say("hi")
                await talker.send(type="response.create")
                assert (await talker.until("response.done"))[-1]["response"]["status"] == "failed"
        await talker.say("again")
        await talker.send(type="response.create")
        assert (await talker.until("response.done"))[-1]["response"]["status"] == "completed"


async def test_bad_frames_get_an_error_each_and_the_session_lives(server: RunningServer) -> None:
    async with talking(server) as talker:
        await talker.next()
        for frame in BAD_FRAMES:
            await talker.socket.send(frame)
            event = await talker.next()
            assert event["type"] == "error", frame
            assert event["error"]["message"]
            assert event["error"]["type"] == "invalid_request_error"
        await talker.send(type="foo.bar", event_id="mine")
        event = await talker.next()
        assert (event["error"]["param"], event["error"]["event_id"]) == ("type", "mine")
        await talker.say("still there?")
        await talker.send(type="response.create", response={"modalities": ["text"]})
        assert (await talker.until("response.done"))[-1]["response"]["status"] == "completed"


async def test_random_bytes_never_end_a_session(server: RunningServer) -> None:
    chance = random.Random(7)
    async with talking(server) as talker:
        await talker.next()
        for _ in range(300):
            await talker.socket.send(chance.randbytes(chance.randrange(60)))
            assert (await talker.next())["type"] == "error"


async def test_a_client_that_vanishes_in_mid_reply_frees_its_seat(server: RunningServer) -> None:
    for _ in range(8):  # twice the capacity: a lost seat would show
        async with talking(server) as talker:
            await talker.next()
            await talker.say("tell me a long story " * 20)
            await talker.send(type="response.create")
            await talker.until("response.audio.delta")
            talker.socket.transport.abort()
        assert await asyncio.to_thread(server.all_seats_free)


async def test_a_large_append_does_not_stop_the_others(server: RunningServer) -> None:
    async with talking(server) as heavy, talking(server) as light:
        await heavy.next()
        await light.next()
        await heavy.send(type="session.update", session={"turn_detection": None})
        await heavy.until("session.updated")
        await heavy.append(tone(60_000))
        await light.say("quick")
        await light.send(type="response.create", response={"modalities": ["text"]})
        await light.until("response.done")
        await heavy.send(type="input_audio_buffer.commit")
        done = await heavy.until("conversation.item.input_audio_transcription.completed")
        pieces = re.findall(r"I heard (\d+) milliseconds\.", done[-1]["transcript"])
        assert 59_500 <= sum(map(int, pieces)) <= 60_000


async def test_an_append_is_taken_whole_or_not_at_all(server: RunningServer) -> None:
    async with talking(server) as talker:
        await talker.next()
        await talker.send(type="session.update", session={"turn_detection": None})
        await talker.until("session.updated")
        await talker.append(tone(5000) + b"\0")
        assert (await talker.next())["error"]["code"] == "invalid_param"
        await talker.send(type="input_audio_buffer.commit")
        assert (await talker.next())["error"]["code"] == "input_audio_buffer_commit_empty"


async def test_every_refused_append_is_one_error(server: RunningServer) -> None:
    """Minutes of audio in long appends, more than fit."""
    minute = silence(60_000)
    async with talking(server) as talker:
        await talker.next()
        await talker.send(type="session.update", session={"turn_detection": None})
        await talker.until("session.updated")
        for _ in range(12):
            await talker.append(minute)
        await talker.send(type="input_audio_buffer.clear")
        events = await talker.until("input_audio_buffer.cleared")
    assert [event["error"]["code"] for event in events[:-1]] == ["input_audio_buffer_full"] * 2


class OneAtATime(FakeRecognizer):
    """Hears twenty times as fast as one speaks, and does nothing else meanwhile."""

    def __init__(self) -> None:
        self._free = asyncio.Lock()

    async def transcribe(
        self, samples: Samples, options: TranscribeOptions
    ) -> AsyncGenerator[TranscriptDelta | Transcript, None]:
        async with self._free:
            await asyncio.sleep(len(samples) / self.rate_hz / 20)
            async for event in super().transcribe(samples, options):
                yield event


async def test_minutes_of_push_to_talk_do_not_hold_up_what_others_say(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_at_a_time = server.with_engines(recognition=Recognition(OneAtATime()))
    completed = "conversation.item.input_audio_transcription.completed"
    with one_at_a_time:
        async with talking(server) as long, talking(server) as short:
            for talker in (long, short):
                await talker.next()
            await long.send(type="session.update", session={"turn_detection": None})
            await long.until("session.updated")
            for _ in range(13):
                await long.append(tone(15_500) + silence(500))
            await long.send(type="input_audio_buffer.commit")
            await long.until("input_audio_buffer.committed")
            transcribing = asyncio.create_task(long.until(completed))
            await short.append(silence(300) + tone(600) + silence(700))
            heard = (await short.until(completed))[-1]["transcript"]
            assert heard == "I heard 600 milliseconds."
            assert not transcribing.done(), "208 s take ten seconds"
            transcribing.cancel()


async def test_long_instructions_are_counted_and_beyond_the_context_refused(server: RunningServer) -> None:
    """The fake model's tokens are words: 3000 fit its context of 4096 beside a reply, 4000 do not."""
    async with talking(server) as talker:
        await talker.next()
        await talker.send(type="session.update", session={"instructions": "word " * 3000})
        await talker.until("session.updated")
        await talker.send(type="session.update", event_id="long", session={"instructions": "word " * 4000})
        error = (await talker.until("error"))[-1]["error"]
        assert (error["code"], error["param"]) == ("context_length_exceeded", "session.instructions")
        assert error["event_id"] == "long"
        assert "4000 tokens" in error["message"]
        brief = {"modalities": ["text"], "max_output_tokens": 5}
        await talker.send(type="response.create", response={"instructions": "word " * 3000 + "and so on", **brief})
        await talker.until("response.done")


async def test_marks_come_only_when_asked_for(server: RunningServer) -> None:
    for query, expected in (("model=step-audio-2", False), ("model=step-audio-2&marks=1", True)):
        async with talking(server, query) as talker:
            await talker.next()
            await talker.append(silence(300) + tone(600) + silence(600))
            response = (await talker.until("response.done"))[-1]["response"]
            assert ("marks" in response) is expected
    assert [mark for mark in response["marks"] if mark != "prepared"] == [
        "speech_end", "endpoint", "transcript", "first_token", "first_clause", "first_audio", "first_sent",
        "discarded_preparations", "evaluated_tokens",
    ]  # fmt: skip


@pytest.mark.parametrize("query", ["model=step-audio-2", "model=gpt-4o-realtime-preview", "model=gpt-realtime"])
async def test_a_reply_says_what_the_voice_could_not_do(server: RunningServer, query: str) -> None:
    said = {
        "Good morning.": None,
        "Das ist nicht sehr weit, und wir sind heute auch mit dem Rad da.": ["language"],
        "Es <prosody rate='slow'>ist</prosody> nicht weit.": ["language", "markup"],
        "Read <prosody rate='slow'>this</prosody> slowly.": ["markup"],
        "안녕하세요": ["language"],
        "Say 감사합니다 to them.": ["language"],
    }
    async with talking(server, query) as talker:
        await talker.next()
        for text, names in said.items():
            item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
            await talker.send(type="conversation.item.create", item=item)
            await talker.send(type="response.create")
            events = await talker.until("response.done")
            assert (
                "not_applied" not in next(event for event in events if event["type"] == "response.created")["response"]
            )
            assert events[-1]["response"].get("not_applied") == names, text


async def test_a_written_reply_asks_nothing_of_the_voice(server: RunningServer) -> None:
    async with talking(server) as talker:
        await talker.next()
        text = "Das ist nicht sehr weit, und wir sind heute auch mit dem Rad da."
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
        await talker.send(type="conversation.item.create", item=item)
        await talker.send(type="response.create", response={"modalities": ["text"]})
        assert "not_applied" not in (await talker.until("response.done"))[-1]["response"]
