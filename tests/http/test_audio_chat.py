"""Conversations and chats whose model hears and speaks for itself, behind scripted servers with the wire of StepFun's vLLM."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from audio_chats import FAST, FIELDS, SPOKEN, SPOKEN_MS, always, ask, sound_ms, tts, words
from chatting import openai_audio, post, question, request
from chatting import stream as streamed_answer
from openai_stub import (
    DONE,
    HangUp,
    Pause,
    Script,
    Step,
    Stub,
    chunk,
    event,
    running_stub,
    said,
    status,
    streamed,
    usage,
)
from running import RunningServer, running, silence, talking, tone
from vivavoce.config import load_config
from vivavoce.engines.fake import TOKEN_MS

MINI, THINK, R1, GPT = "step-audio-2-mini", "step-audio-2", "step-audio-r1.1", "step-1o-audio"
"""The tiers, each served by another family."""

FAMILIES = {MINI: "step-audio-2", THINK: "step-audio-2-think", R1: "step-audio-r1", GPT: "openai"}


def thinking_first(*thoughts: str) -> Script:
    """Thoughts where they are asked for, else speech; prompts may be sent ahead of both."""
    return lambda asked: said(*thoughts) if asked.json["messages"][-1]["content"] == "<think>" else SPOKEN


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Stub]:
    with running_stub(always(SPOKEN)) as served:
        served.extra_fields |= FIELDS
        yield served


@pytest.fixture(scope="module")
def server(elsewhere: Stub) -> Iterator[RunningServer]:
    where = {"url": elsewhere.url, "model": "served", "api_key": "sk-very-secret", **FAST}
    chats: dict[str, Any] = {
        name.replace(".", "-"): {"decoder": "fake", "settings": {**where, "family": family}}
        for name, family in FAMILIES.items()
    }
    chats[R1.replace(".", "-")]["fallback"] = "small"
    chats[THINK]["settings"]["prefill"] = True
    tiers = {"served_by": {name: {"audio_chat": name.replace(".", "-")} for name in FAMILIES}}
    engines = {**load_config(profile="fake").engines.model_dump(), "audio_chats": chats}
    with running(load_config({"engines": engines, "tiers": tiers, "tools": {"builtin": ["calculator"]}})) as started:
        yield started


@pytest.fixture(autouse=True)
def _fine(elsewhere: Stub) -> None:
    elsewhere.answers(always(SPOKEN))
    elsewhere.asked.clear()


def thoughts(events: list[dict[str, Any]]) -> str:
    return "".join(event["delta"] for event in events if event["type"] == "response.thinking.delta")


def heard_of(asked: Any) -> list[list[str]]:
    """The kinds of parts of the user's messages."""
    return [
        [part["type"] for part in message["content"]] if isinstance(message["content"], list) else ["words"]
        for message in asked.json["messages"]
        if message["role"] in ("human", "user")
    ]


# ---- conversations


async def test_step_audio_2_mini_from_sound_to_sound(server: RunningServer, elsewhere: Stub) -> None:
    async with talking(server, f"model={MINI}") as talker:
        events = await ask(talker)
        assert events[-1]["response"]["status"] == "completed"
        assert words(events) == "It is far."
        assert sound_ms(events) == pytest.approx(SPOKEN_MS)
        kinds = [event["type"] for event in events]
        transcribed = kinds.index("conversation.item.input_audio_transcription.completed")
        assert events[transcribed]["transcript"].startswith("I heard")
        await asyncio.sleep(SPOKEN_MS / 1000 + 0.5)  # until all of it has been heard
        assert words(await ask(talker)) == "It is far."
    first, last = elsewhere.posts()
    assert heard_of(first) == [["input_audio"]]
    assert heard_of(last) == [["words"], ["input_audio"]]  # what was said before is read
    history = {"role": "assistant", "content": "It is far."}
    assert history in last.json["messages"]
    assert last.json["messages"][-1] == {"role": "assistant", "content": "<tts_start>"}


async def test_what_is_typed_is_read_and_a_written_reply_is_asked_for_in_words(
    server: RunningServer, elsewhere: Stub
) -> None:
    elsewhere.answers(always(said("It is", " far.")))
    async with talking(server, f"model={MINI}") as talker:
        await talker.say("How far?")
        await talker.send(type="response.create", response={"modalities": ["text"]})
        events = await talker.until("response.done")
    assert words(events) == "It is far."
    body = elsewhere.posts()[0].json
    assert body["messages"][-1] == {"role": "human", "content": "How far?"}


async def test_the_think_variant_thinks_aloud_for_the_client(server: RunningServer, elsewhere: Stub) -> None:
    elsewhere.answers(thinking_first("They ask", " about a distance."))
    async with talking(server, f"model={THINK}") as talker:
        await talker.append(tone(800))
        await talker.send(type="input_audio_buffer.commit")
        await talker.send(type="response.create")
        events = await talker.until("response.done")
    assert thoughts(events) == "They ask about a distance."
    assert words(events) == "It is far."
    assert sound_ms(events) == pytest.approx(SPOKEN_MS)
    kinds = [event["type"] for event in events]
    assert kinds.index("response.thinking.done") < kinds.index("response.audio.delta")
    replies = [asked.json for asked in elsewhere.posts() if asked.json["max_tokens"] > 1]
    assert replies[0]["messages"][-1]["content"] == "<think>"
    assert replies[1]["messages"][-1]["content"].endswith("</think>\n\n<tts_start>")


async def test_r1_thinks_and_our_speakers_read_what_it_writes(server: RunningServer, elsewhere: Stub) -> None:
    elsewhere.answers(always(said("They sound hurried.", "</think>", "\n\nIt is", " far.")))
    async with talking(server, f"model={R1}") as talker:
        events = await ask(talker)
    assert thoughts(events).strip() == "They sound hurried."
    assert words(events) == "It is far."
    assert sound_ms(events) > 300
    kinds = [event["type"] for event in events]
    assert kinds.index("response.thinking.done") < kinds.index("response.audio.delta")
    assert heard_of(elsewhere.posts()[0]) == [["input_audio"]]


async def test_gpt_audio_is_played_as_it_comes(server: RunningServer, elsewhere: Stub) -> None:
    piece = base64.b64encode(tone(400)).decode()
    parts = [chunk({"audio": {"transcript": "It is far."}}), *(chunk({"audio": {"data": piece}}) for _ in range(3))]
    elsewhere.answers(always(streamed(*parts, Pause(0.3), chunk({"audio": {"data": piece}}), chunk({}, "stop"), DONE)))
    async with talking(server, f"model={GPT}") as talker:
        events = await ask(talker)
    assert words(events) == "It is far."
    assert sound_ms(events) == pytest.approx(1600)
    assert elsewhere.posts()[0].json["modalities"] == ["text", "audio"]


CALL = {"index": 0, "id": "call_1", "function": {"name": "lamp", "arguments": '{"on": true}'}}
LAMP = {"type": "function", "name": "lamp", "description": "Switches it", "parameters": {"type": "object"}}


async def test_a_function_of_the_client_behind_a_few_words(server: RunningServer, elsewhere: Stub) -> None:
    calling = streamed(tts("Light", 10), chunk({"tool_calls": [CALL]}), chunk({}, "tool_calls"), usage(), DONE)
    elsewhere.answers(always(calling), always(SPOKEN))
    async with talking(server, f"model={MINI}") as talker:
        await talker.send(type="session.update", session={"tools": [LAMP]})
        events = await ask(talker)
        done = [event for event in events if event["type"] == "response.function_call_arguments.done"]
        assert [event["arguments"] for event in done] == ['{"on": true}']
        assert sound_ms(events) == pytest.approx(10 * TOKEN_MS)
        output = {"type": "function_call_output", "call_id": done[0]["call_id"], "output": "it is on"}
        await talker.send(type="conversation.item.create", item=output)
        await talker.send(type="response.create")
        assert words(await talker.until("response.done")) == "It is far."
    *_, heard, made, found, opening = elsewhere.posts()[-1].json["messages"]
    assert heard["content"][0]["type"] == "input_audio"
    assert (made["content"], made["tool_calls"][0]["function"]["name"]) == ("Light", "lamp")
    assert (found["role"], found["content"]) == ("input", [{"type": "text", "text": "it is on"}])
    assert opening["content"] == "<tts_start>"


async def test_a_tool_of_the_server_between_two_stretches_of_speech(server: RunningServer, elsewhere: Stub) -> None:
    sum_ = {"index": 0, "id": "call_1", "function": {"name": "calculate", "arguments": '{"expression": "6*7"}'}}
    calling = streamed(tts("Let me see.", 10), chunk({"tool_calls": [sum_]}), chunk({}, "tool_calls"), usage(), DONE)
    elsewhere.answers(always(calling), always(SPOKEN))
    async with talking(server, f"model={MINI}") as talker:
        events = await ask(talker)
    assert words(events) == "Let me see.It is far."
    assert sound_ms(events) == pytest.approx(10 * TOKEN_MS + SPOKEN_MS)
    found = elsewhere.posts()[-1].json["messages"][-2]
    assert (found["role"], "6*7 = 42" in found["content"][0]["text"]) == ("input", True)


LONG = "One two three four five six seven eight nine ten. " * 8


async def test_interruption_closes_the_request_and_the_history_keeps_what_was_heard(
    server: RunningServer, elsewhere: Stub
) -> None:
    words_ahead = (step for word in LONG.split() for step in (tts(word + " ", 8), Pause(0.02)))
    elsewhere.answers(always(streamed(*words_ahead, Pause(20))), always(SPOKEN))
    async with talking(server, f"model={MINI}") as talker:
        await talker.append(silence(300) + tone(800) + silence(1200))
        await talker.until("response.audio.delta")
        await asyncio.sleep(1.2)
        events = await ask(talker)
        assert events[-1]["response"]["status"] in ("cancelled", "completed")
        if events[-1]["response"]["status"] == "cancelled":
            assert events[-1]["response"]["status_details"]["reason"] == "turn_detected"
            events = await talker.until("response.done")
    for _ in range(150):
        if elsewhere.posts()[0].closed_early.is_set():
            break
        await asyncio.sleep(0.02)
    assert elsewhere.posts()[0].closed_early.is_set()
    (kept,) = [
        message["content"]
        for message in elsewhere.posts()[-1].json["messages"]
        if message["role"] == "assistant" and message["content"] != "<tts_start>"
    ]
    assert LONG.startswith(kept)
    assert 1 <= len(kept.split()) < 40, kept
    assert server.all_seats_free()


# ---- chats


@pytest.mark.parametrize("model", [MINI, THINK])
def test_a_recording_in_a_chat_is_heard_and_answered_in_sound(
    server: RunningServer, elsewhere: Stub, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deaf(*args: object, **kwargs: object) -> None:
        raise AssertionError("our recogniser is asked for what the model hears")

    monkeypatch.setattr("vivavoce.engines.fake.recognizer.FakeRecognizer.transcribe", deaf)
    if model == THINK:
        elsewhere.answers(thinking_first("A distance."))
    spoken = {"modalities": ["text", "audio"], "audio": {"voice": "qingchunshaonv", "format": "wav"}}
    body = {**request("What do you hear?", openai_audio(question()), **spoken), "model": model, "perception": False}
    answer = post(server, body).json()["choices"][0]["message"]
    assert answer["audio"]["transcript"] == "It is far."
    sound = len(base64.b64decode(answer["audio"]["data"]))
    assert sound == pytest.approx(SPOKEN_MS * 48, rel=0.05)
    assert heard_of(elsewhere.posts()[0]) == [["input_audio", "text"]]
    if model == THINK:
        assert "A distance." in json.dumps(answer)


def test_a_streamed_chat_and_its_history(server: RunningServer, elsewhere: Stub) -> None:
    spoken = {"modalities": ["text", "audio"], "audio": {"voice": "qingchunshaonv", "format": "pcm"}}
    body = {**request(openai_audio(question()), **spoken), "model": MINI}
    first = body["messages"][0]
    body["messages"] = [first, {"role": "assistant", "content": "Far."}, first]
    answer = streamed_answer(server, body)
    assert answer.transcript[0] == "It is far."
    assert len(answer.audio[0]) == SPOKEN_MS * 48
    assert heard_of(elsewhere.posts()[0]) == [["words"], ["input_audio"]]
    assert "I heard" in elsewhere.posts()[0].json["messages"][1]["content"]


def test_an_answer_in_words(server: RunningServer, elsewhere: Stub) -> None:
    elsewhere.answers(always(said("It is", " far.")))
    body = {**request(openai_audio(question()), modalities=["text"]), "model": MINI}
    assert post(server, body).json()["choices"][0]["message"]["content"] == "It is far."


def test_a_response_remembers_what_was_said(server: RunningServer, elsewhere: Stub) -> None:
    elsewhere.answers(always(said("It is far.")))
    audio = {"type": "input_audio", "input_audio": {"data": base64.b64encode(question()).decode(), "format": "wav"}}
    body = {"model": MINI, "input": [{"role": "user", "content": [audio]}]}
    first = httpx.post(f"{server.http}/v1/responses", json=body, timeout=30)
    assert first.status_code == 200, first.text
    assert heard_of(elsewhere.posts()[0]) == [["input_audio"]]
    further = {"model": MINI, "input": "And then?", "previous_response_id": first.json()["id"]}
    assert httpx.post(f"{server.http}/v1/responses", json=further, timeout=30).status_code == 200
    assert "I heard" in elsewhere.posts()[-1].json["messages"][1]["content"]


# ---- faults


FAULTS: dict[str, list[Step]] = {
    "stall": [Pause(30)],
    "stall in the midst of speech": streamed(tts("Well", 10), Pause(30)),
    "half a chunk": streamed(tts("Well", 10), tts(", now", 9)[:-9], HangUp()),
    "429": status(429, {}, retry_after="30"),
    "500": status(500, {}),
    "500 in mid-stream": streamed(tts("Well", 10), event({"error": {"message": "CUDA out of memory"}})),
    "wrong JSON": streamed(b"data: {nonsense\n\n"),
    "a closed connection": [HangUp()],
    "a closed connection in mid-stream": streamed(tts("Well", 10), HangUp()),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_fails_the_response_and_nothing_else(server: RunningServer, elsewhere: Stub, fault: str) -> None:
    elsewhere.answers(always(FAULTS[fault]))
    async with talking(server, f"model={MINI}") as talker:
        done = (await ask(talker))[-1]["response"]
        assert done["status"] == "failed"
        message = done["status_details"]["error"]["message"]
        assert message.startswith(f"{MINI}: ")
        assert not any(secret in message for secret in ("sk-very", "127.0.0.1", str(elsewhere.port)))
        elsewhere.answers(always(SPOKEN))
        assert (await ask(talker))[-1]["response"]["status"] == "completed"
    assert server.all_seats_free()


async def test_another_model_reads_the_transcript_while_it_is_away(server: RunningServer, elsewhere: Stub) -> None:
    elsewhere.answers(always(status(500, {})))
    async with talking(server, f"model={R1}") as talker:
        events = await ask(talker)
    assert words(events).startswith("You said: I heard")
    assert server.core.engines.language_models["step-audio-r1-1"].fallbacks == 1  # type: ignore[attr-defined]


def test_the_models_say_what_serves_them(server: RunningServer) -> None:
    model = httpx.get(f"{server.http}/v1/models/{MINI}").json()
    assert model["runs_on"] == ["served"]
