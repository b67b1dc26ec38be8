"""Streaming recognition over a real socket, with fake engines (audio reference, section 3.3)."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.client import connect

from running import RunningServer, Talker
from vivavoce.audio.encoding import encode
from vivavoce.engines.fake import FakeRecognizer
from vivavoce.http import asr_stream
from vivavoce.types import Samples, TranscribeOptions, Transcript

VAD = {"type": "server_vad", "silence_duration_ms": 800, "threshold": 0.5}
FORMAT = {"type": "pcm", "codec": "pcm_s16le", "rate": 16000, "bits": 16, "channel": 1}


def pcm(duration_s: float, level: float) -> bytes:
    return (np.full(int(duration_s * 16_000), level) * 32767).astype("<i2").tobytes()


def hum(duration_s: float) -> Samples:
    """What a codec keeps, at 24 kHz."""
    return (0.5 * np.sin(np.arange(round(duration_s * 24_000)) / 8)).astype(np.float32)


@asynccontextmanager
async def streaming(server: RunningServer, path: str = "/v1/realtime/asr/stream") -> AsyncIterator[Talker]:
    async with connect(f"{server.ws}{path}", max_size=None) as connection:
        yield Talker(connection)


async def configured(talker: Talker, **given: Any) -> dict[str, Any]:
    """The session after its first update."""
    [created] = await talker.until("session.created")
    session_input = {
        "format": FORMAT,
        "transcription": {"model": "stepaudio-2.5-asr-stream", "language": "zh", "enable_itn": True},
        **given,
    }
    await talker.send(event_id="e1", type="session.update", session={"audio": {"input": session_input}})
    [updated] = await talker.until("session.updated")
    assert updated["meta"]["session_id"] == created["meta"]["session_id"] == updated["session"]["id"]
    shown: dict[str, Any] = updated["session"]["audio"]["input"]
    return shown


async def test_with_voice_activity_detection_utterances_are_cut_and_told(server: RunningServer) -> None:
    async with streaming(server) as talker:
        shown = await configured(talker, turn_detection=VAD)
        assert shown["format"] == FORMAT
        assert shown["transcription"]["model"] == "stepaudio-2.5-asr-stream"
        assert shown["turn_detection"]["silence_duration_ms"] == 800
        for _ in range(2):
            await talker.append(pcm(2.0, 0.5) + pcm(1.0, 0.0))
        heard = await talker.until("conversation.item.input_audio_transcription.completed")
        first = {event["type"]: event for event in heard}
        item_id = first["input_audio_buffer.speech_started"]["item_id"]
        assert [event["type"].rpartition(".")[2] for event in heard if "transcription" not in event["type"]] == [
            "speech_started", "speech_stopped", "committed", "created",
        ]  # fmt: skip
        assert first["input_audio_buffer.speech_stopped"]["audio_end_ms"] == pytest.approx(2800, abs=40)
        item = first["conversation.item.created"]["item"]
        assert item == {
            "id": item_id, "object": "realtime.item", "type": "message", "status": "in_progress", "role": "user",
            "content": [{"type": "input_audio"}],
        }  # fmt: skip
        done = heard[-1]
        assert done["transcript"] == "I heard 2000 milliseconds."
        assert done["usage"]["total_tokens"] == done["usage"]["prompt_tokens"] + 4
        assert all(event["meta"]["timestamp"] > 0 and event["event_id"] for event in heard)
        second = await talker.until("conversation.item.input_audio_transcription.completed")
        [created] = [event for event in second if event["type"] == "conversation.item.created"]
        assert created["previous_item_id"] == item_id
        assert second[-1]["item_id"] != item_id


async def test_deltas_are_all_that_is_certain_and_when_it_was_said(server: RunningServer) -> None:
    async with streaming(server) as talker:
        await configured(talker, turn_detection=VAD)
        await talker.append(pcm(2.0, 0.5) + pcm(1.0, 0.0))
        heard = await talker.until("conversation.item.input_audio_transcription.completed")
        deltas = [event for event in heard if event["type"].endswith("transcription.delta")]
        assert deltas
        assert deltas[-1]["text"] + deltas[-1]["stash"] == "I heard 2000 milliseconds."
        assert deltas[-1]["start_time"] == 0
        assert deltas[-1]["end_time"] == pytest.approx(2800, abs=40)
        assert all(after["text"].startswith(before["text"]) for before, after in pairwise(deltas))


async def test_without_it_the_client_commits(server: RunningServer) -> None:
    async with streaming(server) as talker:
        shown = await configured(talker)
        assert shown["turn_detection"] is None
        for duration_s in (1.0, 2.0):
            await talker.append(pcm(duration_s, 0.5))
            await talker.send(type="input_audio_buffer.commit")
            heard = await talker.until("conversation.item.input_audio_transcription.completed")
            assert heard[0]["type"] == "input_audio_buffer.committed"
            assert heard[-1]["transcript"] == f"I heard {duration_s * 1000:.0f} milliseconds."


async def test_ogg_is_decoded_as_it_comes(server: RunningServer) -> None:
    sound = np.concatenate([hum(2.0), np.zeros(24_000, np.float32)])
    content = encode(sound, "opus", 24_000)
    async with streaming(server) as talker:
        shown = await configured(talker, format={"type": "ogg"}, turn_detection=VAD)
        assert (shown["format"]["type"], shown["format"]["codec"]) == ("ogg", "opus")
        for start in range(0, len(content), 999):
            await talker.append(content[start : start + 999])
        heard = await talker.until("conversation.item.input_audio_transcription.completed")
        assert int(heard[-1]["transcript"].split()[2]) == pytest.approx(2000, abs=100)
        [stopped] = [event for event in heard if event["type"] == "input_audio_buffer.speech_stopped"]
        assert stopped["audio_end_ms"] == pytest.approx(2800, abs=60)


async def test_an_update_in_mid_stream_loses_no_audio(server: RunningServer) -> None:
    """Clients that change the prompt send the whole session again, its format included."""
    content = encode(hum(4.0), "opus", 24_000)
    half = len(content) // 2
    async with streaming(server) as talker:
        await configured(talker, format={"type": "ogg"})
        await talker.append(content[:half])
        session = {"audio": {"input": {"format": {"type": "ogg"}, "transcription": {"prompt": "names"}}}}
        await talker.send(type="session.update", session=session)
        await talker.until("session.updated")
        await talker.append(content[half:])
        await talker.send(type="input_audio_buffer.commit")
        heard = await talker.until("conversation.item.input_audio_transcription.completed")
        assert not [event for event in heard if event["type"] == "error"]
        assert int(heard[-1]["transcript"].split()[2]) == pytest.approx(4000, abs=60)


async def test_an_update_that_is_refused_changes_no_format(server: RunningServer) -> None:
    async with streaming(server) as talker:
        await configured(talker)
        session = {"audio": {"input": {"format": {"type": "ogg"}, "transcription": {"model": "gpt-4"}}}}
        await talker.send(type="session.update", session=session)
        await talker.until("error")
        await talker.append(pcm(1.0, 0.5))
        await talker.send(type="input_audio_buffer.commit")
        heard = await talker.until("conversation.item.input_audio_transcription.completed")
        assert heard[-1]["transcript"] == "I heard 1000 milliseconds."


@pytest.mark.parametrize(
    "data", [b"RIFF" + bytes(400), encode(np.zeros(48_000, np.float32), "flac", 24_000), bytes(33 * 1024), None]
)
async def test_what_is_no_ogg_is_told_and_the_stream_can_begin_again(server: RunningServer, data: bytes | None) -> None:
    async with streaming(server) as talker:
        await configured(talker, format={"type": "ogg"})
        if data is None:
            await talker.send(type="input_audio_buffer.append", audio="no base64!")
        else:
            await talker.append(data)
        [told] = await talker.until("error")
        assert (told["error"]["code"], told["error"]["param"]) == ("invalid_value", "audio")
        await talker.append(encode(hum(1.0), "opus", 24_000))
        await talker.send(type="input_audio_buffer.commit")
        heard = await talker.until("conversation.item.input_audio_transcription.completed")
        assert int(heard[-1]["transcript"].split()[2]) == pytest.approx(1000, abs=60)


@pytest.mark.parametrize("given", [{}, {"enable_itn": True}, {"enable_itn": False}])
async def test_codes_are_typed_unless_that_is_switched_off(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch, given: dict[str, bool]
) -> None:
    async def transcribe(*_: Any) -> AsyncIterator[Transcript]:
        yield Transcript("Bus E eighteen is late.", "en")

    monkeypatch.setattr(FakeRecognizer, "transcribe", transcribe)
    wanted = given.get("enable_itn", True)
    async with streaming(server) as talker:
        shown = await configured(talker, transcription={"model": "step-asr-1.1-stream", **given})
        assert shown["transcription"]["enable_itn"] is wanted
        await talker.append(pcm(1.0, 0.5))
        await talker.send(type="input_audio_buffer.commit")
        heard = await talker.until("conversation.item.input_audio_transcription.completed")
        assert heard[-1]["transcript"] == ("Bus E18 is late." if wanted else "Bus E eighteen is late.")


async def test_hotwords_and_prompt_reach_the_recogniser(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[TranscribeOptions] = []

    async def transcribe(_: Any, samples: Samples, options: TranscribeOptions) -> AsyncIterator[Transcript]:
        asked.append(options)
        yield Transcript("Siobhan.", "en")

    monkeypatch.setattr(FakeRecognizer, "transcribe", transcribe)
    wanted = {"model": "step-asr-1.1-stream", "hotwords": ["Siobhan", "Qualtrax"], "prompt": "A call."}
    async with streaming(server) as talker:
        await configured(talker, transcription=wanted)
        await talker.append(pcm(1.0, 0.5))
        await talker.send(type="input_audio_buffer.commit")
        await talker.until("conversation.item.input_audio_transcription.completed")
    assert {one.prompt for one in asked} == {"Siobhan, Qualtrax. A call."}


async def test_full_rerun_reads_the_whole_utterance_again(server: RunningServer) -> None:
    async with streaming(server, "/step_plan/v1/realtime/asr/stream") as talker:
        wanted = {"model": "step-asr-1.1-stream", "full_rerun_on_commit": True}
        shown = await configured(talker, transcription=wanted, turn_detection=VAD)
        assert shown["transcription"]["full_rerun_on_commit"] is True
        await talker.append(pcm(13.0, 0.5) + pcm(0.3, 0.0))  # long enough to be settled in pieces
        await talker.append(pcm(5.0, 0.5) + pcm(1.0, 0.0))
        heard = await talker.until("conversation.item.input_audio_transcription.completed")
        assert heard[-1]["transcript"] == "I heard 18300 milliseconds."


async def test_a_commit_ends_what_is_being_said_and_is_nothing_in_silence(server: RunningServer) -> None:
    async with streaming(server) as talker:
        await configured(talker, turn_detection=VAD)
        await talker.send(type="input_audio_buffer.commit")
        await talker.append(pcm(1.0, 0.5))
        await talker.send(type="input_audio_buffer.commit")
        heard = await talker.until("conversation.item.input_audio_transcription.completed")
        assert not [event for event in heard if event["type"] == "error"]
        assert heard[-1]["transcript"] == "I heard 1000 milliseconds."


@pytest.mark.parametrize(
    ("event", "param", "code"),
    [
        ({"type": "response.create"}, "type", "invalid_value"),
        ({"type": "session.update", "session": {"audio": {"input": {"format": {"rate": 11025}}}}},
         "session.audio.input.format.rate", "invalid_value"),
        ({"type": "session.update", "session": {"audio": {"input": {"format": {"type": "mp3"}}}}},
         "session.audio.input.format.type", "invalid_value"),
        ({"type": "session.update", "session": {"audio": {"input": {"transcription": {"model": "gpt-4"}}}}},
         "session.audio.input.transcription.model", "invalid_value"),
        ({"type": "session.update"}, "session", "invalid_value"),
        ({"type": "input_audio_buffer.append"}, "audio", "missing_param"),
        ({"type": "input_audio_buffer.append", "audio": base64.b64encode(b"abc").decode()}, "audio", "invalid_value"),
        ({"type": "input_audio_buffer.commit"}, None, "invalid_value"),
    ],
)  # fmt: skip
async def test_mistakes_are_told_and_the_session_lives_on(
    server: RunningServer, event: dict[str, Any], param: str | None, code: str
) -> None:
    async with streaming(server) as talker:
        await talker.until("session.created")
        await talker.send(event_id="mine", **event)
        [told] = await talker.until("error")
        error = told["error"]
        assert (error["type"], error["code"]) == ("invalid_request_error", code)
        assert (error["param"], error["event_id"]) == (param, "mine")
        await talker.append(pcm(1.0, 0.5))
        await talker.send(type="input_audio_buffer.commit")
        heard = await talker.until("conversation.item.input_audio_transcription.completed")
        assert heard[-1]["transcript"] == "I heard 1000 milliseconds."


async def test_a_failing_recogniser_is_an_error_and_the_session_lives_on(server: RunningServer) -> None:
    async with streaming(server) as talker:
        await configured(talker, transcription={"prompt": "please fail"})
        await talker.append(pcm(1.0, 0.5))
        await talker.send(type="input_audio_buffer.commit")
        told = (await talker.until("error"))[-1]
        assert (told["error"]["type"], told["error"]["code"]) == ("internal_error", "internal_error")


async def test_an_idle_client_is_told_and_its_place_is_free(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asr_stream, "IDLE_S", 0.2)
    async with streaming(server) as talker:
        told = (await talker.until("error"))[-1]
        assert told["error"]["code"] == "max_idle_timeout"
        await asyncio.wait_for(talker.socket.wait_closed(), 5)
        assert talker.socket.close_code == 1000
    assert await asyncio.to_thread(server.all_seats_free)


async def test_rubbish_is_refused(server: RunningServer) -> None:
    async with streaming(server) as talker:
        await talker.until("session.created")
        for frame in ("{", "[]", json.dumps({"type": 3}), b"\xff"):
            await talker.socket.send(frame)
            assert (await talker.next())["type"] == "error"
