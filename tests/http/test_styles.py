"""Styles over the wire: what is asked for is heard in the audio, and what is not done is said. The fake's voice is a tone."""

from __future__ import annotations

import base64
import io
import json
import wave
from typing import Any

import httpx
import numpy as np
import pytest

from chatting import openai_audio, post, question, request, wav
from running import RunningServer, silence, talking, tone
from vivavoce.audio.pcm import decode_pcm16
from vivavoce.engines.fake.signals import strongest_hz
from vivavoce.perception.style import BY_EMOTION
from vivavoce.speaking.labels import HAPPY
from vivavoce.types import Samples

FAKE_HZ = 220.0
"""The voice of the fake when nothing is asked of it."""

SPOKEN = {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}}


def raised(pitch_st: float) -> float:
    return FAKE_HZ * 2 ** (pitch_st / 12)


def heard(file: bytes) -> Samples:
    with wave.open(io.BytesIO(file)) as audio:
        return decode_pcm16(audio.readframes(audio.getnframes()))


def heard_in(events: list[dict[str, Any]]) -> Samples:
    """The audio of a reply's events."""
    deltas = [event["delta"] for event in events if event["type"].endswith("audio.delta")]
    return decode_pcm16(b"".join(map(base64.b64decode, deltas)))


def level_db(samples: Samples) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(samples**2))))


def spoken(server: RunningServer, **fields: Any) -> tuple[Samples, str | None]:
    """The audio of a request for speech, and the header that names what was not done."""
    body = {
        "model": "step-tts-2",
        "input": "Good morning to you.",
        "voice": "alloy",
        "response_format": "wav",
        **fields,
    }
    response = httpx.post(f"{server.http}/v1/audio/speech", json=body)
    assert response.status_code == 200, response.text
    return heard(response.content), response.headers.get("X-Vivavoce-Not-Applied")


def test_an_emotion_is_heard(server: RunningServer) -> None:
    plain, _ = spoken(server)
    happy, undone = spoken(server, voice_label={"emotion": "高兴"})
    assert undone is None
    assert strongest_hz(plain, 24_000) == pytest.approx(FAKE_HZ, abs=2)
    assert strongest_hz(happy, 24_000) == pytest.approx(raised(HAPPY.pitch_st), abs=2)
    assert len(happy) == pytest.approx(len(plain) / HAPPY.rate, rel=0.01)


def test_instructions_are_followed_or_named(server: RunningServer) -> None:
    plain, _ = spoken(server)
    quiet, undone = spoken(server, instructions="Quietly.")
    assert undone is None
    assert level_db(quiet) < level_db(plain) - 4
    whispered, undone = spoken(server, instruction="In a whisper, please.")
    assert undone is None
    spectrum = np.abs(np.fft.rfft(whispered))
    assert spectrum.max() < 0.1 * np.abs(np.fft.rfft(plain)).max()  # the tone is gone
    _, undone = spoken(server, instruction="Like a pirate.")
    assert undone == "instruction"
    _, undone = spoken(server, voice_label={"style": "磕巴"})
    assert undone == "voice_label.style"


def test_a_voice_that_cannot_move_its_pitch_names_it(server: RunningServer) -> None:
    synthesizer = server.core.engines.synthesizer
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(synthesizer), "controls_of", lambda *arguments: frozenset())
        assert spoken(server, voice_label={"emotion": "高兴"})[1] == "pitch"
        assert spoken(server, voice_label={"style": "慢速"})[1] is None
        audio = {"voice": "alloy", "format": "wav", "instruction": "Higher pitch, like a pirate."}
        said = answer(server, request("Say it.", **{**SPOKEN, "audio": audio}))
        assert said["not_applied"] == ["instruction", "pitch"]


@pytest.mark.parametrize("dialect", ["stepfun", "openai"])
async def test_a_conversation_speaks_as_its_session_says(server: RunningServer, dialect: str) -> None:
    asked: dict[str, Any] = {"voice_label": {"emotion": "悲伤"}, "instruction": "Like a pirate."}
    model = "step-audio-2" if dialect == "stepfun" else "gpt-realtime"
    session = asked if dialect == "stepfun" else {"type": "realtime", "audio": {"output": asked}}
    async with talking(server, f"model={model}") as talker:
        await talker.next()
        await talker.send(type="session.update", session=session)
        updated = (await talker.until("session.updated"))[-1]["session"]
        shown = updated if dialect == "stepfun" else updated["audio"]["output"]
        assert (shown["voice_label"], shown["instruction"]) == (asked["voice_label"], asked["instruction"])
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello."}]}
        await talker.send(type="conversation.item.create", item=item)
        await talker.send(type="response.create")
        events = await talker.until("response.done")
    assert strongest_hz(heard_in(events), 24_000) == pytest.approx(raised(-1.5), abs=3)
    assert events[-1]["response"]["not_applied"] == ["instruction"]


@pytest.mark.parametrize("label", [{"emotion": "sleepy"}, {"emotion": "高兴", "style": "慢速"}, "happy"])
async def test_labels_there_are_not_are_refused_and_the_session_lives_on(server: RunningServer, label: Any) -> None:
    async with talking(server) as talker:
        await talker.next()
        await talker.send(type="session.update", event_id="e1", session={"voice_label": label})
        error = (await talker.until("error"))[-1]["error"]
        assert error["param"].startswith("session.voice_label")
        assert error["event_id"] == "e1"
        await talker.send(type="session.update", session={"voice_label": {"style": "快速"}})
        assert (await talker.until("session.updated"))[-1]["session"]["voice_label"] == {"style": "快速"}
        await talker.send(type="session.update", session={"voice_label": None})
        assert "voice_label" not in (await talker.until("session.updated"))[-1]["session"]


async def test_a_reply_is_spoken_as_fits_how_the_user_sounds(server: RunningServer) -> None:
    async with talking(server) as talker:
        await talker.next()
        await talker.append(silence(300) + tone(900, 1.0) + silence(700))  # what the fake hears as anger
        events = await talker.until("response.done")
    assert strongest_hz(heard_in(events), 24_000) == pytest.approx(raised(BY_EMOTION["angry"].pitch_st), abs=1.5)


def answer(server: RunningServer, body: dict[str, Any]) -> dict[str, Any]:
    """The spoken part of the answer to a chat request."""
    response = post(server, body)
    assert response.status_code == 200, response.text
    audio: dict[str, Any] = response.json()["choices"][0]["message"]["audio"]
    return audio


def chat_audio(server: RunningServer, body: dict[str, Any]) -> Samples:
    return heard(base64.b64decode(answer(server, body)["data"]))


def test_a_chat_speaks_as_its_audio_options_say(server: RunningServer) -> None:
    plain = chat_audio(server, request("Say it.", **SPOKEN))
    audio = {"voice": "alloy", "format": "wav", "voice_label": {"emotion": "高兴"}, "speed": 2.0}
    happy = chat_audio(server, request("Say it.", **{**SPOKEN, "audio": audio}))
    assert strongest_hz(happy, 24_000) == pytest.approx(raised(HAPPY.pitch_st), abs=3)
    assert len(happy) == pytest.approx(len(plain) / HAPPY.rate / 2, rel=0.02)
    refused = post(server, request("Say it.", **{**SPOKEN, "audio": {**audio, "voice_label": {"emotion": "?"}}}))
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == "audio.voice_label.emotion"


def test_a_chat_speaks_as_its_user_asked_some_messages_ago(server: RunningServer) -> None:
    messages = [
        {"role": "user", "content": "Please use a deeper voice."},
        {"role": "assistant", "content": "All right."},
        {"role": "user", "content": "Say it."},
    ]
    lower = chat_audio(server, {"model": "step-audio-2", "messages": messages, **SPOKEN})
    assert strongest_hz(lower, 24_000) == pytest.approx(raised(-2.0), abs=3)


def test_a_chat_answers_a_recording_as_fits_how_it_sounds(server: RunningServer) -> None:
    shouted = wav(silence(100) + tone(900, 1.0) + silence(100))
    for file, pitch_st in ((shouted, BY_EMOTION["angry"].pitch_st), (question(), 0.0)):
        samples = chat_audio(server, request(openai_audio(file), **SPOKEN))
        assert strongest_hz(samples, 24_000) == pytest.approx(raised(pitch_st), abs=1.5), json.dumps(pitch_st)
