"""Models that hear, behind scripted servers with the wire of each family: what they are asked, and what is made of it."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from openai_stub import DONE, HangUp, Pause, Script, Step, Stub, chunk, event, said, status, streamed, stub, usage
from vivavoce.audio.encoding import wav_header
from vivavoce.audio.pcm import encode_pcm16
from vivavoce.engines.base import EngineContext
from vivavoce.engines.openai.audio_chat import OpenAIAudioChat, load
from vivavoce.errors import EngineError
from vivavoce.sound import MessageAudio, SpokenAudio, SpokenText, SpokenTokens
from vivavoce.types import (
    GenerationEnd,
    GenerationEvent,
    GenerationOptions,
    Message,
    TextDelta,
    ThinkingDelta,
    Tool,
    ToolCall,
)

TONE = (np.sin(np.arange(2400) / 10) * 0.3).astype(np.float32)
CLIP = bytes(16_000 * 2)
"""A second of 16 kHz."""

SYSTEM = Message("system", "You are a voice.")
HEARD = Message("user", "How far is the moon?", audio=MessageAudio((CLIP,), 16_000))
WEATHER = Tool("get_weather", "The weather", {"type": "object", "properties": {"city": {"type": "string"}}})
STEP_FIELDS = {
    "skip_special_tokens",
    "repetition_penalty",
    "continue_final_message",
    "add_generation_prompt",
    "stop_token_ids",
}


@asynccontextmanager
async def model_of(family: str, *scripts: Script, **settings: Any) -> AsyncIterator[tuple[Stub, OpenAIAudioChat]]:
    async with stub(*scripts) as served:
        served.extra_fields |= STEP_FIELDS
        values = {"url": served.url, "model": "served", "family": family, "retries": 0} | settings
        context = EngineContext(
            weights=lambda name: pytest.fail(name), threads=1, capacity=2, settings=values, name="ears"
        )
        model = await asyncio.to_thread(load, context)
        served.asked.clear()
        try:
            yield served, model
        finally:
            await model.close()


async def replied(model: OpenAIAudioChat, *messages: Message, **options: Any) -> list[GenerationEvent]:
    asked = messages or (SYSTEM, HEARD)
    return [event async for event in model.generate(asked, GenerationOptions(**{"voice": "qingchunshaonv", **options}))]


def words(events: list[GenerationEvent], kind: type[Any]) -> str:
    return "".join(event.text for event in events if isinstance(event, kind))


def tokens(events: list[GenerationEvent]) -> list[int]:
    return [token for event in events if isinstance(event, SpokenTokens) for token in event.tokens]


def samples(events: list[GenerationEvent]) -> np.ndarray[Any, Any]:
    return np.concatenate([event.samples for event in events if isinstance(event, SpokenAudio)])


def always(steps: list[Step]) -> Script:
    return lambda asked: steps


def audio(**fields: Any) -> bytes:
    return chunk({"audio": fields})


def pcm(part: np.ndarray[Any, Any]) -> str:
    return base64.b64encode(encode_pcm16(part)).decode()


def tts(text: str = "", sound: str = "") -> bytes:
    return chunk({"tts_content": {"tts_text": text, "tts_audio": sound}})


def wav_of(part: dict[str, Any], prefix: str = "") -> bytes:
    data = part["input_audio"]["data"]
    assert data.startswith(prefix)
    return base64.b64decode(data.removeprefix(prefix), validate=True)


# ---- Step-Audio 2


SPOKEN = streamed(
    chunk({"role": "assistant"}),
    tts("It is"), tts("", "<audio_1><audio_22><audio_6560><audio_6561>"), tts(" far", "<audio_333>"),
    chunk({}, "stop"), usage(40, 9), DONE,
)  # fmt: skip


async def test_step_audio_2_hears_and_speaks() -> None:
    messages = (
        SYSTEM, Message("user", "Hello."), Message("assistant", "Hi."),
        Message("user", "What do I hear?", audio=MessageAudio((CLIP * 51,), 16_000, "Listen.")),
    )  # fmt: skip
    async with model_of("step-audio-2", always(SPOKEN)) as (served, model):
        assert (model.audio_turns, model.speaks) == (1, "tokens")
        events = await replied(model, *messages)
    assert words(events, SpokenText) == "It is far"
    assert tokens(events) == [1, 22, 6560, 333]  # what lies beyond the codebook is padding
    assert events[-1] == GenerationEnd("stop", 40, 0, 9)
    assert not words(events, TextDelta)
    (asked,) = served.posts()
    body = asked.json
    system, first, answer, heard, opening = body["messages"]
    assert (system["role"], first, answer["role"]) == ("system", {"role": "human", "content": "Hello."}, "assistant")
    *clips, text = heard["content"]
    assert text == {"type": "text", "text": "Listen."}
    assert [len(wav_of(part)) for part in clips] == [44 + 17 * len(CLIP)] * 3  # at most 25 s, none of them short
    assert all(wav_of(part).startswith(wav_header(16_000, 17 * len(CLIP))) for part in clips)
    assert {part["input_audio"]["format"] for part in clips} == {"wav"}
    assert opening == {"role": "assistant", "content": "<tts_start>"}
    assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)
    assert (body["skip_special_tokens"], body["parallel_tool_calls"]) == (False, False)
    assert "modalities" not in body


async def test_a_reply_that_nobody_hears_is_asked_for_in_words() -> None:
    async with model_of("step-audio-2", always(said("It is far.<|EOT|>"))) as (served, model):
        events = await replied(model, voice=None)
    assert words(events, TextDelta) == "It is far."
    body = served.posts()[0].json
    assert body["messages"][-1]["role"] == "human"
    assert "continue_final_message" not in body


async def test_tokens_among_the_words_of_a_server_without_an_audio_parser() -> None:
    parts = ("It<aud", "io_7><audio_8> is", " <", "3 far<audio_9><tts_end>")
    raw = streamed(*(chunk({"content": part}) for part in parts), chunk({}, "stop"), DONE)
    async with model_of("step-audio-2", always(raw)) as (_, model):
        events = await replied(model)
    assert (words(events, SpokenText), tokens(events)) == ("It is <3 far", [7, 8, 9])


CALL = {"index": 0, "id": "call_1", "function": {"name": "get_weather", "arguments": ""}}
ARGUMENTS = {"index": 0, "function": {"arguments": '{"city": "Paris"}'}}


async def test_it_calls_a_tool_after_a_few_words_and_reads_what_it_found() -> None:
    calling = streamed(
        tts("One moment.", "<audio_5>"), chunk({"tool_calls": [CALL]}), chunk({"tool_calls": [ARGUMENTS]}),
        chunk({}, "tool_calls"), usage(), DONE,
    )  # fmt: skip
    async with model_of("step-audio-2", always(calling), always(SPOKEN)) as (served, model):
        events = await replied(model, tools=(WEATHER,))
        (call,) = [event for event in events if isinstance(event, ToolCall)]
        assert (call.name, call.arguments) == ("get_weather", '{"city": "Paris"}')
        assert words(events, SpokenText) == "One moment."
        result = Message("tool", "12 degrees", tool_call_id=call.id)
        await replied(model, SYSTEM, HEARD, Message("assistant", "One moment.", (call,)), result, tools=(WEATHER,))
    body = served.posts()[1].json
    *_, made, found, opening = body["messages"]
    assert made["tool_calls"][0]["function"] == {"name": "get_weather", "arguments": '{"city": "Paris"}'}
    text = {"type": "text", "text": "12 degrees"}
    assert found == {"role": "input", "content": [text], "tool_call_id": "call_1"}
    assert opening["content"] == "<tts_start>"
    assert body["tools"][0]["function"]["name"] == "get_weather"


async def test_calls_that_a_server_leaves_in_the_text_are_made() -> None:
    left = said("<tool_", "call>function\nget_weather\n", '{"city": "Paris"}', "</tool_call>")
    async with model_of("step-audio-2", always(left)) as (_, model):
        events = await replied(model, tools=(WEATHER,))
    assert [(event.name, event.arguments) for event in events if isinstance(event, ToolCall)] == [
        ("get_weather", '{"city": "Paris"}')
    ]
    assert not words(events, SpokenText)


async def test_a_reply_that_was_cut_goes_on_in_sound_by_asking_for_it() -> None:
    async with model_of("step-audio-2", always(SPOKEN)) as (served, model):
        await replied(model, SYSTEM, HEARD, Message("assistant", "Well, it"), continue_last_message=True)
        await replied(model, SYSTEM, HEARD, Message("assistant", "Well, it"), continue_last_message=True, voice=None)
    spoken, written = (asked.json for asked in served.posts())
    assert [message["role"] for message in spoken["messages"][-3:]] == ["assistant", "system", "assistant"]
    assert spoken["messages"][-1]["content"] == "<tts_start>"
    assert written["messages"][-1]["content"] == "Well, it"
    assert written["continue_final_message"] is True


# ---- those that think


async def test_the_think_variant_thinks_in_a_request_of_its_own() -> None:
    thinking = said("A question", " about distance.", finish="stop")
    async with model_of("step-audio-2-think", always(thinking), always(SPOKEN), thinking_tokens=77) as (served, model):
        assert "thinking" in model.features
        events = await replied(model, max_tokens=200, tools=(WEATHER,))
    assert words(events, ThinkingDelta) == "A question about distance."
    assert (words(events, SpokenText), tokens(events)) == ("It is far", [1, 22, 6560, 333])
    assert [event for event in events if isinstance(event, GenerationEnd)] == [GenerationEnd("stop", 12, 0, 14)]
    first, second = (asked.json for asked in served.posts())
    assert first["messages"][-1] == {"role": "assistant", "content": "<think>"}
    assert (first["stop"], first["max_tokens"], first["tool_choice"]) == (["</think>"], 77, "none")
    opening = second["messages"][-1]["content"]
    assert opening == "<think>A question about distance.</think>\n\n<tts_start>"
    assert (second["max_tokens"], second.get("stop")) == (200, None)
    assert second["continue_final_message"] is first["continue_final_message"] is True


async def test_a_server_that_does_not_stop_where_the_thoughts_end() -> None:
    overrun = said("Far away.</think>", "\n\nIt is far.")
    async with model_of("step-audio-2-think", always(overrun), always(SPOKEN)) as (served, model):
        events = await replied(model)
    assert (words(events, ThinkingDelta), words(events, TextDelta)) == ("Far away.", "")
    assert served.posts()[1].json["messages"][-1]["content"].startswith("<think>Far away.</think>")


async def test_step_audio_r1_thinks_and_writes() -> None:
    reply = said("They sound", " in a hurry.\n</thi", "nk>\n\nIt is", " far.<|EOT|>")
    async with model_of("step-audio-r1", always(reply)) as (served, model):
        assert model.speaks == "none"
        events = await replied(model)
    assert words(events, ThinkingDelta).strip() == "They sound in a hurry."
    assert words(events, TextDelta) == "It is far."
    body = served.posts()[0].json
    assert body["messages"][-1]["content"][0]["type"] == "input_audio"
    assert (body["stop_token_ids"], body["skip_special_tokens"]) == ([151665], False)
    assert body["max_tokens"] == 512 + 4096
    assert "continue_final_message" not in body


# ---- gpt-audio, StepFun, Qwen-Omni


def spoken_by(*chunks: bytes) -> list[Step]:
    return streamed(chunk({"role": "assistant"}), *chunks, chunk({}, "stop"), usage(30, 20), DONE)


async def test_gpt_audio() -> None:
    reply = spoken_by(
        audio(id="audio_1", transcript="It is"), audio(data=pcm(TONE[:1000])), audio(transcript=" far."),
        audio(data=pcm(TONE[1000:])), audio(expires_at=1),
    )  # fmt: skip
    async with model_of("openai", always(reply), voices={"linjiajiejie": "cedar"}) as (served, model):
        events = await replied(model)
        await replied(model, voice="linjiajiejie")
        await replied(model, voice=None)
    assert words(events, SpokenText) == "It is far."
    assert np.allclose(samples(events), TONE, atol=1e-3)
    assert {event.rate_hz for event in events if isinstance(event, SpokenAudio)} == {24_000}
    spoken, named, written = (asked.json for asked in served.posts())
    assert spoken["modalities"] == ["text", "audio"]
    assert spoken["audio"] == {"voice": "alloy", "format": "pcm16"}
    assert named["audio"]["voice"] == "cedar"
    assert (written["modalities"], "audio" in written) == (["text"], False)
    part = spoken["messages"][-1]["content"][0]
    assert (part["type"], part["input_audio"]["format"]) == ("input_audio", "wav")
    assert wav_of(part) == wav_header(16_000, len(CLIP)) + CLIP
    assert spoken["max_completion_tokens"] == 512


async def test_gpt_audio_is_asked_for_sound_where_none_goes_in_and_only_its_words_are_taken() -> None:
    reply = spoken_by(audio(transcript="Hello."), audio(data=pcm(TONE)))
    async with model_of("openai", always(reply)) as (served, model):
        events = await replied(model, SYSTEM, Message("user", "Hi."), voice=None)
    assert served.posts()[0].json["modalities"] == ["text", "audio"]
    assert words(events, TextDelta) == "Hello."
    assert not [event for event in events if isinstance(event, SpokenAudio | SpokenText)]


async def test_stepfun_takes_a_data_url_and_our_names_of_voices() -> None:
    reply = spoken_by(audio(transcript="It is far."), audio(data=pcm(TONE)))
    async with model_of("stepfun", always(reply)) as (served, model):
        events = await replied(model)
    assert words(events, SpokenText) == "It is far."
    body = served.posts()[0].json
    (part,) = body["messages"][-1]["content"]
    assert wav_of(part, "data:audio/wav;base64,").startswith(b"RIFF")
    assert part["input_audio"].keys() == {"data"}
    assert body["audio"] == {"voice": "qingchunshaonv", "format": "pcm"}


async def test_qwen_omni_tells_words_as_content_and_may_cut_base64_anywhere() -> None:
    encoded = pcm(TONE)
    reply = spoken_by(
        chunk({"content": "It is"}), audio(data=encoded[:501]), chunk({"content": " far."}), audio(data=encoded[501:])
    )
    async with model_of("qwen", always(reply)) as (served, model):
        events = await replied(model)
    assert words(events, SpokenText) == "It is far."
    assert np.allclose(samples(events), TONE, atol=1e-3)
    body = served.posts()[0].json
    assert wav_of(body["messages"][-1]["content"][0], "data:;base64,").startswith(b"RIFF")
    assert body["audio"] == {"voice": "Cherry", "format": "wav"}


async def test_qwen_omni_on_vllm_omni_sends_a_file_in_each_chunk() -> None:
    def file(part: np.ndarray[Any, Any], rate_hz: int = 24_000) -> bytes:
        data = encode_pcm16(part)
        content = base64.b64encode(wav_header(rate_hz, len(data)) + data).decode()
        choice = {"index": 0, "delta": {"role": "assistant", "content": content}, "finish_reason": "stop"}
        return event({"id": "c", "object": "chat.completion.chunk", "modality": "audio", "choices": [choice]})

    reply = spoken_by(chunk({"content": "It is far."}), file(TONE[:1200]), file(TONE[1200:]))
    async with model_of("vllm-omni", always(reply)) as (served, model):
        events = await replied(model)
    assert words(events, SpokenText) == "It is far."
    assert np.allclose(samples(events), TONE, atol=1e-3)
    body = served.posts()[0].json
    assert (body["modalities"], "audio" in body) == (["text", "audio"], False)


async def test_one_that_only_listens() -> None:
    async with model_of("vllm-omni", always(said("It is far.")), speech=False) as (served, model):
        events = await replied(model)
    assert (model.speaks, words(events, TextDelta)) == ("none", "It is far.")
    assert "modalities" not in served.posts()[0].json


# ---- faults


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (streamed(tts("It"), Pause(5)), "sent nothing more"),
        (streamed(Pause(5)), "did not begin"),
        (streamed(tts("It", "<audio_1>"), b"data: {\"choi", HangUp()), "in the middle"),
        (streamed(tts("It", "<audio_1>")), "in the middle"),
        (streamed(tts("It"), event({"error": {"message": "CUDA out of memory"}})), "failed in the middle"),
        (streamed(tts("It"), b"data: {not json}\n\n"), "no chat completion"),
        (streamed(audio(data="no base64!")), "no chat completion"),
        (streamed(audio(data=base64.b64encode(b"OggS....").decode())), "no chat completion"),
        (streamed(chunk({"tts_content": "no object"})), "no chat completion"),
        (status(429, {"error": {"message": "busy"}}, retry_after="9"), "too many requests"),
        (status(500, {}), "failed"),
        ([HangUp()], "without an answer"),
    ],
)  # fmt: skip
async def test_faults(steps: list[Step], message: str) -> None:
    async with model_of("step-audio-2", always(steps), first_s=0.4, between_s=0.3) as (_, model):
        with pytest.raises(EngineError, match=f"ears: .*{message}"):
            await replied(model)


async def test_sound_counts_as_progress() -> None:
    slow = streamed(
        tts("It"), *(step for _ in range(4) for step in (Pause(0.2), tts("", "<audio_1>"))), chunk({}, "stop"), DONE
    )
    async with model_of("step-audio-2", always(slow), between_s=0.35) as (_, model):
        assert tokens(await replied(model)) == [1, 1, 1, 1]


async def test_leaving_a_reply_closes_its_request_at_once() -> None:
    endless = streamed(tts("It is", "<audio_1>"), Pause(20))
    async with model_of("step-audio-2", always(endless)) as (served, model):
        async with aclosing(model.generate((SYSTEM, HEARD), GenerationOptions(voice="v"))) as events:
            assert await anext(events) == SpokenText("It is")
        async with asyncio.timeout(2):
            await served.posts()[0].closed_early.wait()


@pytest.mark.parametrize("settings", [{"family": "gpt-2"}, {"audio_turns": 0}, {"rate_hz": 1}, {"body": {"tools": []}}])
async def test_settings_that_cannot_be(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        async with model_of(settings.pop("family", "openai"), always(said("x")), **settings):
            pass
