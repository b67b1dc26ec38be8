"""Engines that are written to the Protocols alone serve everything: those ``getting-started.md`` shows, and those of every
other kind in ``engines.md``.
"""

from __future__ import annotations

import base64
import json
import time
import tomllib
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from chatting import openai_audio, request
from docs.markdown import DOCS, Block, blocks
from foreign import installed
from net.pages import Pages, served
from recordings import TWO_PARTS, loudness, wav
from running import RunningServer, Talker, running, silence, talking, tone
from vivavoce.audio.pcm import decode_pcm16
from vivavoce.config import load_config
from vivavoce.engines.fake.signals import strongest_hz
from voicing import file_of, hum

SAID = "Hello from my engine."
TWICE = f"{SAID} {SAID}"
"""The recording has two stretches of speech."""

FILE = wav(loudness(*TWO_PARTS))


def shown(heading: str, page: str = "getting-started.md") -> list[Block]:
    return [block for block in blocks(DOCS / page) if block.heading == heading]


KINDS = ("speech_detector", "turn_scorer", "speaker_verifier", "embedder", "perceiver")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Every engine is somebody's own; those of the page are named as the page does."""
    registered, program, configured = shown("An engine of your own")
    points = tomllib.loads(registered.text)["project"]["entry-points"]
    other_points, others = shown("The other kinds", "engines.md")
    engines = tomllib.loads(configured.text)["engines"] | dict.fromkeys(KINDS, "mine")
    engines["audio_chats"] = {"hears": {"engine": "mine", "decoder": "mine"}}
    tiers = {"served_by": {"step-audio-2-mini": {"audio_chat": "hears"}}}
    voice_points, voices = shown("Speakers that take a voice", "engines.md")
    engines["speakers"] += ["echo", "mixer"]
    folder = tmp_path_factory.mktemp("packages")
    with (
        installed(folder, "my_package", program.text, points),
        installed(folder, "other_package", others.text, tomllib.loads(other_points.text)["project"]["entry-points"]),
        installed(folder, "voices_package", voices.text, tomllib.loads(voice_points.text)["project"]["entry-points"]),
        running(load_config({"engines": engines, "tiers": tiers, "net": {"allow_private": True}})) as started,
    ):
        yield started


@pytest.fixture
def http(server: RunningServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.http, timeout=60) as client:
        yield client


Post = Callable[..., httpx.Response]


@pytest.fixture
def post(http: httpx.Client) -> Post:
    def posted(path: str, **fields: Any) -> httpx.Response:
        answer = http.post(path, data={"model": "step-asr", **fields}, files={"file": ("speech.wav", FILE)})
        assert answer.status_code == 200, answer.text
        return answer

    return posted


async def test_a_turn_and_its_partial_transcripts(server: RunningServer) -> None:
    async with talking(server) as talker:
        await talker.append(silence(300) + tone(3000) + silence(700))
        events = await talker.until("response.done")
    answer = events[-1]["response"]["output"][0]["content"][0]["transcript"]
    assert answer == f"You said: {SAID}"
    assert any(event["type"] == "response.audio.delta" for event in events)
    transcripts = {event["type"]: event for event in events if "input_audio_transcription" in event["type"]}
    assert transcripts["conversation.item.input_audio_transcription.completed"]["transcript"] == SAID
    assert any(kind.endswith("delta") for kind in transcripts)
    assert events[-1]["response"]["status"] == "completed"


async def test_a_turn_that_is_heard_and_answered_in_tokens(server: RunningServer) -> None:
    async with talking(server, "model=step-audio-2-mini") as talker:
        await talker.append(silence(300) + tone(3000) + silence(700))
        events = await talker.until("response.done")
        said = events[-1]["response"]["output"][0]["content"][0]["transcript"]
        assert said in ("I hear 3.9 seconds.", "I hear 4.0 seconds.")  # with the silence around the tone
        sound = sum(
            len(base64.b64decode(event["delta"])) for event in events if event["type"] == "response.audio.delta"
        )
        assert sound == 50 * 960 * 2
        await talker.say("Hi")
        await talker.send(type="response.create", response={"modalities": ["text"]})
        read = (await talker.until("response.done"))[-1]["response"]["output"][0]["content"][0]
    assert read["text"] == "I read: Hi"


@pytest.mark.parametrize("path", ["/v1/audio/transcriptions", "/v1/audio/translations"])
@pytest.mark.parametrize("format", ["json", "text", "srt", "vtt", "verbose_json"])
def test_every_format_of_files(post: Post, path: str, format: str) -> None:
    text = post(path, response_format=format, prompt="Vivavoce", temperature="0.4").text
    assert text.count(SAID) >= 2


def test_times_of_words_and_log_probabilities_are_left_out_where_the_engine_has_none(post: Post) -> None:
    path = "/v1/audio/transcriptions"
    answer = post(path, response_format="verbose_json", **{"timestamp_granularities[]": ["word", "segment"]}).json()
    assert [segment["text"] for segment in answer["segments"]] == [SAID, SAID]
    assert answer["words"] == []
    assert post(path, **{"include[]": ["logprobs"]}).json()["logprobs"] == []


def test_a_streamed_answer(post: Post) -> None:
    assert '"type":"transcript.text.done"' in post("/v1/audio/transcriptions", stream="true").text.replace(" ", "")


def test_server_sent_events(http: httpx.Client) -> None:
    wanted = {"transcription": {"model": "stepaudio-2.5-asr", "enable_timestamp": True}, "format": {"type": "wav"}}
    body = {"audio": {"data": base64.b64encode(FILE).decode(), "input": wanted}}
    answer = http.post("/v1/audio/asr/sse", json=body)
    events = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    assert (events[-1]["type"], events[-1]["text"]) == ("transcript.text.done", TWICE)


def test_a_recording_in_the_background(http: httpx.Client) -> None:
    pages = Pages()
    pages.put("/a.wav", FILE)
    with served(pages) as port:
        audio = {"format": "wav", "url": f"http://127.0.0.1:{port}/a.wav"}
        wanted = {"audio": audio, "request": {"model_name": "step-asr-1.1", "show_utterances": True}}
        task = http.post("/v1/audio/asr/file/submit", json=wanted).json()
        deadline = time.monotonic() + 30
        while (found := http.post("/v1/audio/asr/file/query", json=task).json()) == {"status": "RUNNING"}:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert found["status"] == "SUCCEEDED", found
    assert found["result"][0]["text"] == TWICE
    assert [utterance["text"] for utterance in found["result"][0]["utterances"]] == [SAID, SAID]


async def test_a_stream_of_speech(server: RunningServer) -> None:
    async with connect(f"{server.ws}/v1/realtime/asr/stream", max_size=None) as connection:
        talker = Talker(connection)
        await talker.until("session.created")
        update = {
            "format": {"type": "pcm", "codec": "pcm_s16le", "rate": 24_000, "bits": 16, "channel": 1},
            "transcription": {"model": "stepaudio-2.5-asr-stream"},
            "turn_detection": {"type": "server_vad", "silence_duration_ms": 400},
        }
        await talker.send(type="session.update", session={"audio": {"input": update}})
        await talker.append(tone(2000) + silence(1000))
        events = await talker.until("conversation.item.input_audio_transcription.completed")
    assert events[-1]["transcript"] == SAID


@pytest.mark.parametrize("duration_s", [2.0, 40.0])
def test_a_recording_in_a_chat(http: httpx.Client, duration_s: float) -> None:
    """Short ones are one utterance, long ones are cut into pieces."""
    recording = wav(loudness((0.5, 0.0), (duration_s, 0.5), (0.5, 0.0)))
    answer = http.post("/v1/chat/completions", json=request(openai_audio(recording)))
    assert answer.status_code == 200, answer.text
    assert SAID in answer.json()["choices"][0]["message"]["content"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_spoken_answer_in_a_chat(http: httpx.Client, stream: bool) -> None:
    spoken = {"modalities": ["text", "audio"], "audio": {"voice": "beep", "format": "wav"}, "stream": stream}
    answer = http.post("/v1/chat/completions", json=request("How are you?", **spoken))
    assert answer.status_code == 200, answer.text
    assert "You said: How are you?" in answer.text or '"data"' in answer.text


def test_speech(http: httpx.Client) -> None:
    body = {"model": "step-tts-2", "input": "Hello there.", "voice": "beep", "response_format": "wav", "speed": 2.0}
    answer = http.post("/v1/audio/speech", json=body)
    assert answer.status_code == 200, answer.text
    assert len(answer.content) == 44 + 12 * 1200


def test_the_count_of_tokens(http: httpx.Client) -> None:
    answer = http.post("/v1/token/count", json=request("Hi"))
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["total_tokens"] > 0


def test_a_search_of_documents(http: httpx.Client) -> None:
    store = http.post("/v1/vector_stores", json={"name": "mine"}).json()["id"]
    text = {"file": ("a.txt", b"The fox is red.")}
    file = http.post("/v1/files", data={"purpose": "assistants"}, files=text).json()["id"]
    assert http.post(f"/v1/vector_stores/{store}/files", json={"file_id": file}).status_code == 200
    deadline = time.monotonic() + 30
    while http.get(f"/v1/vector_stores/{store}/files/{file}").json()["status"] != "completed":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    found = http.post(f"/v1/vector_stores/{store}/search", json={"query": "What is red?"}).json()["data"]
    assert "The fox is red." in found[0]["content"][0]["text"]


@pytest.mark.parametrize(("kind", "engine"), [("clone", "echo"), ("match", "mixer")])
def test_a_voice_made_of_a_clip(http: httpx.Client, kind: str, engine: str) -> None:
    fields = {"text": SAID, "kind": kind}
    answer = http.post("/v1/audio/voices", data=fields, files={"file": ("a.wav", file_of(hum(200)))})
    assert answer.status_code == 200, answer.text
    made = answer.json()
    assert (made["transcript"], made["kind"], made["engine"]) == (SAID, kind, engine)
    body = {"model": "step-tts-2", "input": "Hello there.", "voice": made["id"], "response_format": "pcm"}
    sound = http.post("/v1/audio/speech", json=body)
    assert sound.status_code == 200, sound.text
    pitch_hz = strongest_hz(decode_pcm16(sound.content), 24_000)
    assert abs(pitch_hz - 200) < 15
    assert http.delete(f"/v1/audio/voices/{made['id']}").status_code == 200


async def test_what_is_heard_besides_words(server: RunningServer) -> None:
    async with talking(server) as talker:
        await talker.append(silence(300) + tone(3000) + silence(700))
        events = await talker.until("response.done")
    (perceived,) = [event for event in events if event["type"] == "voice.perception"]
    assert (perceived["emotion"]["label"], perceived["emotion"]["source"]) == ("angry", "mine")
