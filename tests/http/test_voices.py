"""Voices of users over HTTP, with the fake engines: a voice is its pitch."""

from __future__ import annotations

import base64
import io
import json
import sqlite3
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest
from websockets.asyncio.client import connect

from chatting import wav
from running import RunningServer, holding, running, talking
from vivavoce.audio.recordings import read_recording
from vivavoce.config import load_config
from vivavoce.voices.official import OFFICIAL
from vivavoce.voices.presets import PRESETS
from voicing import file_of, hum

KEYS = {"mine": "mine-12345678", "yours": "yours-12345678"}


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    settings = load_config({"auth": {"keys": KEYS}, "voices": {"refine_evaluations": 24}}, profile="fake")
    with running(settings) as started:
        yield started


@pytest.fixture
def mine(server: RunningServer) -> Iterator[httpx.Client]:
    with _client(server, "mine") as client:
        yield client
        _delete_all(client)


@pytest.fixture
def yours(server: RunningServer) -> Iterator[httpx.Client]:
    with _client(server, "yours") as client:
        yield client
        _delete_all(client)


def _delete_all(client: httpx.Client) -> None:
    for voice in client.get("/v1/audio/voices", params={"limit": 100}).json()["data"]:
        assert client.delete(f"/v1/audio/voices/{voice['id']}").json()["deleted"] is True


def _client(server: RunningServer, owner: str) -> httpx.Client:
    return httpx.Client(base_url=server.http, headers={"Authorization": f"Bearer {KEYS[owner]}"}, timeout=60)


def made(client: httpx.Client, pitch_hz: float = 200.0, **fields: Any) -> dict[str, Any]:
    answer = client.post("/v1/audio/voices", data=fields, files={"file": ("a.wav", file_of(hum(pitch_hz)))})
    assert answer.status_code == 200, answer.text
    voice: dict[str, Any] = answer.json()
    return voice


def refused(answer: httpx.Response, status: int = 400) -> tuple[str, str | None]:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    return error["code"], error["param"]


def heard_hz(file: bytes) -> float:
    with wave.open(io.BytesIO(file)) as audio:
        samples = np.frombuffer(audio.readframes(audio.getnframes()), "<i2").astype(float)
        rate_hz = audio.getframerate()
    return float(np.fft.rfftfreq(len(samples), 1 / rate_hz)[int(np.argmax(np.abs(np.fft.rfft(samples))))])


def speech(client: httpx.Client, voice: str) -> httpx.Response:
    body = {"model": "step-tts-2", "input": "Hello there, this is me.", "voice": voice, "response_format": "wav"}
    return client.post("/v1/audio/speech", json=body)


# ---- making


def test_a_voice_is_made_of_a_clip_and_speaks_at_once(mine: httpx.Client) -> None:
    voice = made(mine, 200, name="me", consent="It is my own voice.")
    assert voice["id"].startswith("voice-tone-")
    assert len(voice["id"]) == len("voice-tone-") + 10
    assert (voice["object"], voice["type"], voice["kind"], voice["name"]) == (
        "audio.voice",
        "audio_sample",
        "match",
        "me",
    )
    assert voice["duplicated"] is False
    assert voice["similarity"]["words"] == "close"
    assert voice["languages"] == ["en", "ja", "zh"]
    assert voice["transcript"] == "I heard 5800 milliseconds."
    assert heard_hz(speech(mine, voice["id"]).content) == pytest.approx(200, abs=3)


def test_the_documented_way(mine: httpx.Client) -> None:
    upload = mine.post("/v1/files", data={"purpose": "storage"}, files={"file": ("a.wav", file_of(hum(150)))})
    body = {"model": "step-tts-2", "file_id": upload.json()["id"], "text": "I heard 5800 milliseconds."}
    first, again = [mine.post("/v1/audio/voices", json=body).json() for _ in range(2)]
    assert (first["object"], first["duplicated"], again["duplicated"]) == ("audio.voice", False, True)
    assert again["id"] == first["id"]
    listed = mine.get("/v1/audio/voices").json()
    assert (listed["object"], listed["has_more"]) == ("list", False)
    assert [listed["first_id"], listed["last_id"]] == [first["id"]] * 2
    assert {key: listed["data"][0][key] for key in ("id", "file_id")} == {"id": first["id"], "file_id": body["file_id"]}


def test_openai_python_makes_lists_and_uses_voices(server: RunningServer, mine: httpx.Client) -> None:
    with openai.OpenAI(base_url=f"{server.http}/v1", api_key=KEYS["mine"]) as client:
        agreed = client.audio.voice_consents.create(
            name="me", language="en-US", recording=("consent.wav", file_of(hum(200)))
        )
        assert client.audio.voice_consents.retrieve(agreed.id).name == "me"
        assert client.audio.voice_consents.update(agreed.id, name="myself").name == "myself"
        assert [one.id for one in client.audio.voice_consents.list(limit=1)] == [agreed.id]
        voice = client.audio.voices.create(
            name="me", consent=agreed.id, audio_sample=("clip.wav", file_of(hum(100)), "audio/wav")
        )
        assert (voice.object, voice.name, voice.type) == ("audio.voice", "me", "audio_sample")
        spoken = client.audio.speech.create(
            model="gpt-4o-mini-tts", input="Hello there.", voice={"id": voice.id}, response_format="wav"
        )
        assert heard_hz(spoken.read()) == pytest.approx(100, abs=3)
        assert client.audio.voice_consents.delete(agreed.id).deleted
        with pytest.raises(openai.NotFoundError):
            client.audio.voice_consents.retrieve(agreed.id)


@pytest.mark.parametrize(
    ("clip", "fields", "fault"),
    [
        (hum(200, 3), {}, ("clip_too_short", "file")),
        (hum(200, 11), {}, ("clip_too_long", "file")),
        (hum(200, 70), {}, ("clip_too_long", "file")),
        (hum(200, 6) * (np.arange(6 * 24_000) < 3 * 24_000), {}, ("clip_too_little_speech", "file")),
        (np.clip(hum(200, 6, level=3.0), -1, 1), {}, ("clip_clipped", "file")),
        (np.concatenate([hum(200, 3), hum(252, 3)]), {}, ("clip_several_speakers", "file")),
        (hum(200), {"text": "Something that nobody said in it."}, ("clip_transcript_mismatch", "text")),
        (hum(200), {"kind": "clone"}, ("cloning_unavailable", "kind")),
        (hum(200), {"kind": "copy"}, ("invalid_value", "kind")),
        (hum(200), {"model": "step-audio-2"}, ("model_not_found", "model")),
        (hum(200), {"type": "prompt"}, ("invalid_value", "type")),
        (hum(200), {"consent": "cons_nobody"}, ("consent_not_found", "consent")),
    ],
)
def test_every_fault_has_its_own_error(mine: httpx.Client, clip: Any, fields: dict[str, str], fault: Any) -> None:
    file = file_of(clip.astype(np.float32))
    answer = mine.post("/v1/audio/voices", data=fields, files={"file": ("a.wav", file)})
    assert refused(answer, 404 if fault[0].endswith("not_found") else 400) == fault
    assert mine.get("/v1/audio/voices").json()["data"] == []


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [("a.wav", b"nonsense" * 500, "unsupported_format"), ("a.wav", b"", "invalid_audio")],
)
def test_what_is_no_audio_is_refused(mine: httpx.Client, name: str, content: bytes, code: str) -> None:
    assert refused(mine.post("/v1/audio/voices", files={"file": (name, content)})) == (code, "file")


def test_a_form_without_a_clip_is_refused(mine: httpx.Client) -> None:
    answer = mine.post("/v1/audio/voices", files={"name": (None, "me")})
    assert refused(answer) == ("missing_required_parameter", "file")


def test_a_clip_larger_than_allowed_is_refused(mine: httpx.Client) -> None:
    answer = mine.post("/v1/audio/voices", files={"file": ("a.wav", bytes(11 * 1024 * 1024))})
    assert refused(answer, 413) == ("request_too_large", None)


def test_a_preview_keeps_nothing(server: RunningServer, mine: httpx.Client) -> None:
    upload = mine.post("/v1/files", data={"purpose": "storage"}, files={"file": ("a.wav", file_of(hum(250)))}).json()
    body = {"model": "step-tts-2", "file_id": upload["id"], "sample_text": "How do I sound?"}
    told = mine.post("/v1/audio/voices/preview", json=body).json()
    assert (told["sample_text"], bool(told["request_id"])) == ("How do I sound?", True)
    assert heard_hz(base64.b64decode(told["sample_audio"])) == pytest.approx(250, abs=4)
    assert mine.get("/v1/audio/voices").json()["data"] == []
    assert not [name for name in server.core.engines.synthesizer.voices if name.startswith("voice-tone-")]
    mp3 = mine.post("/v1/audio/voices/preview", json={**body, "response_format": "mp3"}).json()
    assert base64.b64decode(mp3["sample_audio"])[:1] == b"\xff"


def test_a_preview_of_a_clone_fails_where_there_are_matches_only(mine: httpx.Client) -> None:
    upload = mine.post("/v1/files", data={"purpose": "storage"}, files={"file": ("a.wav", file_of(hum(250)))}).json()
    body = {"model": "step-tts-2", "file_id": upload["id"], "sample_text": "How do I sound?", "kind": "clone"}
    assert refused(mine.post("/v1/audio/voices/preview", json=body)) == ("cloning_unavailable", "kind")


# ---- consent


def kept(server: RunningServer, voice: str, column: str) -> Any:
    """What the database has of a voice."""
    url = server.core.config.storage.url
    assert url is not None
    with sqlite3.connect(url.get_secret_value().removeprefix("sqlite:///")) as rows:
        return rows.execute(f"select {column} from voices where id = ?", (voice,)).fetchone()[0]


def test_who_agreed_is_kept_with_the_voice(server: RunningServer, mine: httpx.Client) -> None:
    stated = json.loads(kept(server, made(mine, consent="It is my own voice.")["id"], "consent"))
    assert (stated["by"], stated["statement"]) == ("mine", "It is my own voice.")
    assert abs(stated["at"] - time.time()) < 60
    recording = {"recording": ("consent.wav", file_of(hum(200)))}
    agreed = mine.post("/v1/audio/voice_consents", data={"name": "me", "language": "en"}, files=recording).json()["id"]
    voice = made(mine, name="other", consent=agreed)["id"]
    assert mine.delete(f"/v1/audio/voice_consents/{agreed}").json()["deleted"] is True
    told = json.loads(kept(server, voice, "consent"))
    assert {key: told[key] for key in ("by", "recording", "name", "language")} == {
        "by": "mine",
        "recording": agreed,
        "name": "me",
        "language": "en",
    }


def test_somebody_elses_consent_is_none(mine: httpx.Client, yours: httpx.Client) -> None:
    recording = {"recording": ("consent.wav", file_of(hum(200)))}
    theirs = yours.post("/v1/audio/voice_consents", data={"name": "you", "language": "en"}, files=recording).json()
    answer = mine.post("/v1/audio/voices", data={"consent": theirs["id"]}, files={"file": ("a.wav", file_of(hum(200)))})
    assert refused(answer, 404) == ("consent_not_found", "consent")


def test_consent_can_be_required() -> None:
    config = load_config({"voices": {"require_consent": True}}, profile="fake")
    with running(config) as strict, httpx.Client(base_url=strict.http, timeout=60) as client:
        answer = client.post("/v1/audio/voices", files={"file": ("a.wav", file_of(hum(200)))})
        assert refused(answer) == ("consent_required", "consent")
        assert made(client, consent="It is my own voice.")["kind"] == "match"


def test_the_clip_and_its_words_are_kept(server: RunningServer, mine: httpx.Client) -> None:
    clip = hum(200)
    voice = made(mine, text="I heard 5800 milliseconds.")["id"]
    assert kept(server, voice, "transcript") == "I heard 5800 milliseconds."
    folder = Path(str(server.core.config.storage.blobs))
    path = folder / kept(server, voice, "clip")
    samples = read_recording(path, rate_hz=24_000, max_s=60)
    assert len(samples) == len(clip)
    assert float(np.abs(samples - clip).max()) < 0.001
    mine.delete(f"/v1/audio/voices/{voice}")
    assert not path.exists()


# ---- owners


def test_only_its_owner_sees_and_uses_a_voice(mine: httpx.Client, yours: httpx.Client) -> None:
    voice = made(mine)["id"]
    assert yours.get("/v1/audio/voices").json()["data"] == []
    for answer in (
        yours.get(f"/v1/audio/voices/{voice}"),
        yours.post(f"/v1/audio/voices/{voice}", json={"name": "mine now"}),
        yours.delete(f"/v1/audio/voices/{voice}"),
        yours.post(f"/v1/audio/voices/{voice}/refine"),
        yours.get(f"/v1/audio/voices/{voice}/refine"),
        yours.delete(f"/v1/audio/voices/{voice}/refine"),
    ):
        assert refused(answer, 404) == ("voice_not_found", "voice_id")
    assert speech(mine, voice).status_code == 200
    assert refused(speech(yours, voice)) == ("invalid_value", "voice")
    assert refused(yours.get(f"/v1/audio/voices/{voice}/preview")) == ("invalid_value", "voice")
    assert refused(yours.get("/v1/audio/voices", params={"after": voice})) == ("invalid_value", "after")


@pytest.mark.parametrize("owner", ["mine", "yours"])
def test_chat_takes_ones_own_voice_only(
    server: RunningServer, mine: httpx.Client, yours: httpx.Client, owner: str
) -> None:
    voice = made(mine, 250)["id"]
    body = {
        "model": "step-audio-2",
        "modalities": ["text", "audio"],
        "audio": {"voice": voice, "format": "wav"},
        "messages": [{"role": "user", "content": "Hello there, my friend."}],
    }
    answer = (mine if owner == "mine" else yours).post("/v1/chat/completions", json=body)
    if owner == "yours":
        assert refused(answer) == ("invalid_value", "audio.voice")
    else:
        audio = answer.json()["choices"][0]["message"]["audio"]["data"]
        assert heard_hz(base64.b64decode(audio)) == pytest.approx(250, abs=4)


@pytest.mark.parametrize("owner", ["mine", "yours"])
async def test_a_speech_socket_takes_ones_own_voice_only(server: RunningServer, mine: httpx.Client, owner: str) -> None:
    voice = made(mine, 250)["id"]
    headers = {"Authorization": f"Bearer {KEYS[owner]}"}
    url = f"{server.ws}/v1/realtime/audio?model=step-tts-2"
    async with connect(url, additional_headers=headers) as socket:
        told = json.loads(await socket.recv())["data"]
        created = {"session_id": told["session_id"], "voice_id": voice, "response_format": "wav"}
        await socket.send(json.dumps({"type": "tts.create", "data": created}))
        answer = json.loads(await socket.recv())
    assert answer["type"] == ("tts.response.created" if owner == "mine" else "tts.response.error")


def test_pages(mine: httpx.Client) -> None:
    ids = [made(mine, name=f"voice {number}")["id"] for number in range(4)]

    def page(**query: Any) -> tuple[list[int], bool]:
        listed = mine.get("/v1/audio/voices", params=query).json()
        return [ids.index(voice["id"]) for voice in listed["data"]], listed["has_more"]

    assert page() == ([3, 2, 1, 0], False)
    assert page(limit=3) == ([3, 2, 1], True)
    assert page(order="asc", limit=2) == ([0, 1], True)
    assert page(after=ids[1]) == ([0], False)
    assert page(before=ids[1], limit=1) == ([2], True)
    assert page(order="asc", after=ids[1]) == ([2, 3], False)
    assert refused(mine.get("/v1/audio/voices", params={"limit": 101})) == ("invalid_value", "limit")


def test_voices_one_may_use_are_listed_beside_the_page(mine: httpx.Client, yours: httpx.Client) -> None:
    voice = made(mine, name="me")["id"]
    listed, theirs = (one.get("/v1/audio/voices", params={"limit": 1}).json() for one in (mine, yours))
    assert listed["voices"][0] == {"id": voice, "name": "me"}
    assert [one["id"] for one in listed["voices"][1:]] == [one["id"] for one in theirs["voices"]]
    assert set(PRESETS) | {"fake"} == {one["id"] for one in theirs["voices"]}
    without_key = httpx.get(mine.base_url.join("/v1/audio/voices")).json()
    assert without_key == {**theirs, "data": [], "first_id": None, "last_id": None}


@pytest.mark.parametrize("voice", ["en-US-AriaNeural", "af_bella(2)+af_sky"])
async def test_names_applications_come_with_speak_in_a_conversation(server: RunningServer, voice: str) -> None:
    async with talking(server, f"model=step-audio-2&api_key={KEYS['mine']}") as talker:
        await talker.send(type="session.update", session={"voice": voice, "turn_detection": None})
        await talker.until("session.updated")
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}
        await talker.send(type="conversation.item.create", item=item)
        await talker.send(type="response.create")
        events = await talker.until("response.done")
    assert events[-1]["response"]["status"] == "completed"
    assert any(event["type"] == "response.audio.delta" for event in events)


async def test_a_conversation_is_told_names_that_are_right(server: RunningServer) -> None:
    async with talking(server, f"model=step-audio-2&api_key={KEYS['mine']}") as talker:
        await talker.send(type="session.update", session={"voice": "nobody"})
        error = (await talker.until("error"))[-1]["error"]
    assert (error["code"], error["param"]) == ("invalid_value", "session.voice")
    assert "alloy" in error["message"]


def test_a_deleted_voice_is_gone(mine: httpx.Client) -> None:
    voice = made(mine)["id"]
    assert speech(mine, voice).status_code == 200
    assert mine.delete(f"/v1/audio/voices/{voice}").json() == {
        "id": voice,
        "object": "audio.voice.deleted",
        "deleted": True,
    }
    assert refused(speech(mine, voice)) == ("invalid_value", "voice")
    assert refused(mine.delete(f"/v1/audio/voices/{voice}"), 404) == ("voice_not_found", "voice_id")


def test_a_voice_can_be_renamed_and_not_cloned_here(mine: httpx.Client) -> None:
    voice = made(mine)["id"]
    assert mine.post(f"/v1/audio/voices/{voice}", json={"name": "new"}).json()["name"] == "new"
    answer = mine.post(f"/v1/audio/voices/{voice}", json={"kind": "clone"})
    assert refused(answer) == ("cloning_unavailable", "kind")


# ---- refining


def finished(client: httpx.Client, voice: str) -> dict[str, Any]:
    while True:
        job: dict[str, Any] = client.get(f"/v1/audio/voices/{voice}/refine").json()
        if job["status"] not in ("queued", "running"):
            return job


def test_a_refinement_finds_the_pitch(mine: httpx.Client) -> None:
    voice = made(mine, 228)  # between the built-in voices, so that there is something to gain
    assert refused(mine.get(f"/v1/audio/voices/{voice['id']}/refine"), 404) == ("not_found", "voice_id")
    begun = mine.post(f"/v1/audio/voices/{voice['id']}/refine")
    assert (begun.status_code, begun.json()["object"]) == (202, "audio.voice.refinement")
    job = finished(mine, voice["id"])
    assert job["status"] == "completed", job
    assert job["evaluations"] == {"done": 24, "planned": 24}
    refined = mine.get(f"/v1/audio/voices/{voice['id']}").json()
    assert job["kept"] is refined["refined"]
    if job["kept"]:
        assert job["score_after"] > job["score_before"]
    else:
        assert job["reason"]


def test_a_refinement_waits_for_calls_and_can_be_ended(server: RunningServer, mine: httpx.Client) -> None:
    voice = made(mine)["id"]
    with holding(server.core.request_slots):
        mine.post(f"/v1/audio/voices/{voice}/refine")
        again = mine.post(f"/v1/audio/voices/{voice}/refine").json()
        job = mine.get(f"/v1/audio/voices/{voice}/refine").json()
        assert job["id"] == again["id"]
        assert job["evaluations"]["done"] == 0
        assert mine.delete(f"/v1/audio/voices/{voice}/refine").json()["status"] == "cancelled"
    assert finished(mine, voice)["status"] == "cancelled"
    assert mine.get(f"/v1/audio/voices/{voice}").json()["refined"] is False


# ---- everybody's


def test_the_list_of_official_voices(mine: httpx.Client) -> None:
    told = mine.get("/v1/audio/system_voices", params={"model": "step-tts-2"}).json()
    assert set(told) == {"voices", "voices-details"}
    assert len(told["voices"]) == len(told["voices-details"]) == 39
    assert set(told["voices-details"]["cixingnansheng"]) == {"voice-name", "voice-description", "recommended_scene"}
    assert told["voices-details"]["cixingnansheng"]["voice-name"] == "磁性男声"
    assert (
        "energeticconfident-female"
        not in mine.get("/v1/audio/system_voices", params={"model": "step-tts-mini"}).json()["voices"]
    )
    assert refused(mine.get("/v1/audio/system_voices")) == ("missing_required_parameter", "model")
    assert refused(mine.get("/v1/audio/system_voices", params={"model": "gpt"}), 404) == ("model_not_found", "model")


def test_every_official_voice_is_a_preset() -> None:
    assert set(OFFICIAL) <= set(PRESETS)


def test_any_voice_can_be_heard(mine: httpx.Client) -> None:
    answer = mine.get("/v1/audio/voices/cixingnansheng/preview", params={"language": "zh"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/wav")
    own = made(mine, 100)["id"]
    assert heard_hz(mine.get(f"/v1/audio/voices/{own}/preview").content) == pytest.approx(100, abs=3)
    assert refused(mine.get("/v1/audio/voices/nobody/preview")) == ("invalid_value", "voice")


# ---- conversations


async def _said_by(server: RunningServer, model: str, voice: str) -> list[dict[str, Any]]:
    async with talking(server, f"model={model}&api_key={KEYS['mine']}") as talker:
        await talker.until("session.created")
        await talker.send(type="session.update", event_id="e1", session={"voice": voice})
        return [await talker.next()]


async def test_a_conversation_takes_ones_own_voice(server: RunningServer, mine: httpx.Client) -> None:
    voice = made(mine)["id"]
    [answer] = await _said_by(server, "step-audio-2", voice)
    assert (answer["type"], answer["session"]["voice"]) == ("session.updated", voice)


@pytest.mark.parametrize("model", ["step-audio-2-mini", "step-1o-audio"])
async def test_these_models_take_presets_only(server: RunningServer, mine: httpx.Client, model: str) -> None:
    [answer] = await _said_by(server, model, made(mine)["id"])
    error = answer["error"]
    assert (answer["type"], error["code"], error["param"]) == ("error", "voice_not_supported", "session.voice")
    assert error["event_id"] == "e1"
    assert "step-audio-2" in error["message"]


async def test_somebody_elses_voice_is_none(server: RunningServer, yours: httpx.Client) -> None:
    theirs = made(yours)["id"]
    [answer] = await _said_by(server, "step-audio-2", theirs)
    assert (answer["type"], answer["error"]["param"]) == ("error", "session.voice")


def said_hz(events: list[dict[str, Any]]) -> float:
    audio = b"".join(base64.b64decode(event["delta"]) for event in events if event["type"] == "response.audio.delta")
    return heard_hz(wav(audio))


async def test_a_conversation_keeps_its_voice_when_others_come(
    server: RunningServer, mine: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vivavoce.runtime.voices.loaded_voices.MAX_LOADED", 1)
    voice = made(mine, 250)["id"]
    async with talking(server, f"model=step-audio-2&api_key={KEYS['mine']}") as talker:
        await talker.until("session.created")
        await talker.send(type="session.update", session={"voice": voice})
        for other in ("one", "another"):
            await talker.say("Hello.")
            await talker.send(type="response.create")
            assert said_hz(await talker.until("response.done")) == pytest.approx(250, abs=4)
            made(mine, 100, name=other)  # which takes the only place
            assert voice not in server.core.engines.synthesizer.voices


def test_a_client_secret_takes_its_owners_voices_only(mine: httpx.Client, yours: httpx.Client) -> None:
    voice = made(mine)["id"]
    session = {"type": "realtime", "model": "gpt-realtime", "audio": {"output": {"voice": voice}}}
    answer = mine.post("/v1/realtime/client_secrets", json={"session": session})
    assert answer.json()["session"]["audio"]["output"]["voice"] == voice
    other = yours.post("/v1/realtime/client_secrets", json={"session": session})
    assert refused(other) == ("invalid_value", "session.audio.output.voice")
