"""Recognition of whole recordings as StepFun's clients ask for it, with fake engines (audio reference, 3.2 and 3.4)."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from net.pages import Pages, served
from recordings import SAID, TWO_PARTS, loudness, wav
from running import RunningServer, running
from vivavoce.audio.encoding import FileFormat, encode
from vivavoce.config import Config, load_config
from vivavoce.errors import EngineError
from vivavoce.http import asr
from vivavoce.protocol.asr import FileSubmission
from vivavoce.scheduling import Ticket
from vivavoce.store.store import open_store
from vivavoce.transcription import tasks
from vivavoce.types import Samples, TranscribeOptions, Transcript

SSE = "/v1/audio/asr/sse"
SUBMIT, QUERY = "/v1/audio/asr/file/submit", "/v1/audio/asr/file/query"
KEYS = {"ann": "ann-12345678", "ben": "ben-12345678"}
WAV = wav(loudness(*TWO_PARTS))
PCM16 = {"type": "pcm", "codec": "pcm_s16le", "rate": 16_000, "bits": 16, "channel": 1}


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    settings = {"limits": {"recording_minutes": 2.0, "requests": 2}, "net": {"allow_private": True}}
    with running(load_config({**settings, "auth": {"keys": KEYS}}, profile="fake")) as started:
        yield started


@pytest.fixture
def ann(server: RunningServer) -> Iterator[httpx.Client]:
    with client_of(server, "ann") as client:
        yield client


@pytest.fixture(scope="module")
def pages() -> Iterator[tuple[Pages, str]]:
    """A web server, and its address."""
    found = Pages()
    with served(found) as port:
        yield found, f"http://127.0.0.1:{port}"


def client_of(server: RunningServer, owner: str) -> httpx.Client:
    return httpx.Client(base_url=server.http, headers={"Authorization": f"Bearer {KEYS[owner]}"}, timeout=60)


def refused(answer: httpx.Response, status: int = 400) -> tuple[str, str | None]:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["message"]
    return error["code"], error["param"]


# ---- server-sent events


def body(content: bytes = WAV, format: Any = None, **transcription: Any) -> dict[str, Any]:
    wanted = {"model": "stepaudio-2.5-asr", "language": "en", **transcription}
    described = format or {"type": "wav"}
    return {
        "audio": {"data": base64.b64encode(content).decode(), "input": {"transcription": wanted, "format": described}}
    }


def events(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    return [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]


def tone(*stretches: tuple[float, float], rate_hz: int = 16_000) -> Samples:
    """As ``loudness``, but what codecs keep: a tone of 500 Hz."""
    level = loudness(*stretches, rate_hz=rate_hz)
    return (level * np.sin(np.arange(len(level)) * 2 * np.pi * 500 / rate_hz)).astype(np.float32)


def test_sentences_come_one_by_one_and_then_the_whole(ann: httpx.Client) -> None:
    heard = events(ann.post(SSE, json=body()))
    assert [event["type"] for event in heard] == [*["transcript.text.delta"] * 2, "transcript.text.done"]
    first, second, done = heard
    assert first["delta"] == "I heard 2000 milliseconds."
    assert first["delta"] + second["delta"] == done["text"] == SAID
    assert set(first) == {"type", "meta", "delta"}
    assert len({event["meta"]["session_id"] for event in heard}) == 1
    assert abs(done["meta"]["timestamp"] / 1000 - time.time()) < 60
    assert done["usage"] == {
        "type": "realtime_asr",
        "input_tokens": 100,
        "input_token_details": {"text_tokens": 0, "audio_tokens": 100},
        "output_tokens": 8,
        "total_tokens": 108,
    }


def test_timestamps_are_of_the_recording(ann: httpx.Client) -> None:
    first, second, done = events(ann.post(SSE, json=body(enable_timestamp=True)))
    assert [(event["start_time"], event["end_time"]) for event in (first, second)] == [(1000, 2999), (6000, 6999)]
    assert first["item_id"] == second["item_id"] != ""
    assert (first["content_index"], second["content_index"]) == (0, 0)
    assert "start_time" not in done


@pytest.mark.parametrize(
    ("name", "encoded"), [("mp3", "mp3"), ("ogg", "opus"), ("flac", "flac"), ("aac", "aac"), ("wav", "wav")]
)
def test_every_format_is_read(ann: httpx.Client, name: str, encoded: FileFormat) -> None:
    content = encode(tone((1.0, 0.0), (2.0, 0.5), (2.0, 0.0)), encoded, 16_000)
    *deltas, done = events(ann.post(SSE, json=body(content, {"type": name})))
    assert deltas
    assert done["text"].startswith("I heard ")
    assert int(done["text"].split()[2]) == pytest.approx(2000, abs=150)


@pytest.mark.parametrize(
    ("rate", "bits", "channels"), [(16_000, 16, 1), (8_000, 16, 1), (48_000, 16, 2), (24_000, 32, 1)]
)
def test_pcm_is_read_as_it_is_described(ann: httpx.Client, rate: int, bits: int, channels: int) -> None:
    samples = np.repeat(tone((1.0, 0.0), (2.0, 0.5), (1.0, 0.0), rate_hz=rate), channels)
    content = (samples * (2 ** (bits - 1) - 1)).astype(f"<i{bits // 8}").tobytes()
    described = {"type": "pcm", "rate": rate, "bits": bits, "channel": channels}
    done = events(ann.post(SSE, json=body(content, described)))[-1]
    assert int(done["text"].split()[2]) == pytest.approx(2000, abs=100)
    assert done["usage"]["input_token_details"]["audio_tokens"] == 50


def test_hints_reach_the_recogniser_and_count(
    server: RunningServer, ann: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[TranscribeOptions] = []
    recognition = server.core.engines.recognition
    real = recognition.piece

    async def piece(samples: Any, options: TranscribeOptions, ticket: Ticket) -> Any:
        asked.append(options)
        return await real(samples, options, ticket)

    monkeypatch.setattr(recognition, "piece", piece)
    hints: Any = {"hotwords": ["Zoë", "阶跃"], "prompt": "A meeting.", "language": "zh", "enable_itn": False}
    done = events(ann.post(SSE, json=body(**hints, full_rerun_on_commit=True)))[-1]
    assert (asked[0].prompt, asked[0].language) == ("Zoë, 阶跃. A meeting.", "zh")
    details = done["usage"]["input_token_details"]
    assert details["text_tokens"] > 0
    assert done["usage"]["input_tokens"] == details["text_tokens"] + details["audio_tokens"]


@pytest.mark.parametrize(
    ("given", "text"), [({}, "Bus E18 is late."), ({"enable_itn": False}, "Bus E eighteen is late.")]
)
def test_codes_are_typed_unless_that_is_switched_off(
    server: RunningServer, ann: httpx.Client, monkeypatch: pytest.MonkeyPatch, given: Any, text: str
) -> None:
    async def piece(samples: Any, options: TranscribeOptions, ticket: Ticket) -> Transcript:
        return Transcript("Bus E eighteen is late.", "en")

    monkeypatch.setattr(server.core.engines.recognition, "piece", piece)
    *deltas, done = events(ann.post(SSE, json=body(wav(loudness((1.0, 0.5), (0.5, 0.0))), **given)))
    assert done["text"] == "".join(one["delta"] for one in deltas) == text


def test_silence_is_a_done_alone(ann: httpx.Client) -> None:
    [done] = events(ann.post(SSE, json=body(wav(loudness((5.0, 0.0))))))
    assert (done["type"], done["text"], done["usage"]["output_tokens"]) == ("transcript.text.done", "", 0)


def test_data_urls_and_step_plan_paths_are_taken(ann: httpx.Client) -> None:
    wanted = body()
    wanted["audio"]["data"] = f"data:audio/wav;base64,{wanted['audio']['data']}"
    assert events(ann.post(f"/step_plan{SSE}", json=wanted))[-1]["text"] == SAID


TRANSCRIPTION, FORMAT = "audio.input.transcription", "audio.input.format"


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("audio", None, ("missing_required_parameter", "audio")),
        ("audio.data", None, ("missing_required_parameter", "audio.data")),
        ("audio.data", "no base64!", ("invalid_value", "audio.data")),
        ("audio.data", "AAAA", ("unsupported_format", "audio.data")),
        (f"{TRANSCRIPTION}.model", None, ("missing_required_parameter", f"{TRANSCRIPTION}.model")),
        (f"{TRANSCRIPTION}.model", "step-audio-2", ("model_not_found", f"{TRANSCRIPTION}.model")),
        (f"{TRANSCRIPTION}.language", "tlh", ("invalid_value", f"{TRANSCRIPTION}.language")),
        (f"{TRANSCRIPTION}.hotwords", ["x"] * 201, ("invalid_value", f"{TRANSCRIPTION}.hotwords")),
        (f"{TRANSCRIPTION}.hotwords", ["x", 1], ("invalid_value", f"{TRANSCRIPTION}.hotwords[1]")),
        (FORMAT, None, ("missing_required_parameter", FORMAT)),
        (f"{FORMAT}.type", "wma", ("invalid_value", f"{FORMAT}.type")),
        (FORMAT, {"type": "pcm"}, ("invalid_value", FORMAT)),
        (FORMAT, {**PCM16, "codec": "opus"}, ("invalid_value", FORMAT)),
        (FORMAT, {**PCM16, "bits": 12}, ("invalid_value", f"{FORMAT}.bits")),
    ],
)
def test_mistakes_are_named(server: RunningServer, ann: httpx.Client, path: str, value: Any, fault: Any) -> None:
    wanted = body()
    *above, last = path.split(".")
    place = wanted
    for name in above:
        place = place[name]
    if value is None:
        del place[last]
    else:
        place[last] = value
    assert refused(ann.post(SSE, json=wanted), 404 if fault[0] == "model_not_found" else 400) == fault
    assert server.core.request_slots.taken == 0


@pytest.mark.parametrize(
    ("content", "format", "code"),
    [
        (b"To be or not to be. " * 400, {"type": "mp3"}, "unsupported_format"),
        (WAV[:2000], {"type": "wav"}, "invalid_audio"),
        (bytes(3201), PCM16, "invalid_audio"),
        (bytes(121 * 32_000), PCM16, "audio_too_long"),
    ],
)
def test_what_cannot_be_read_is_refused(ann: httpx.Client, content: bytes, format: Any, code: str) -> None:
    assert refused(ann.post(SSE, json=body(content, format))) == (code, "audio.data")


def test_a_body_that_is_too_large_is_a_413(ann: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asr, "MAX_JSON_BYTES", 100_000)
    assert refused(ann.post(SSE, json=body()), 413)[0] == "request_too_large"


def test_a_key_is_needed(server: RunningServer) -> None:
    for path, wanted in ((SSE, body()), (SUBMIT, {}), (QUERY, {"task_id": "a"})):
        assert httpx.post(server.http + path, json=wanted).status_code == 401, path


def test_a_recogniser_that_fails_later_is_the_last_event(
    server: RunningServer, ann: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    recognition, calls = server.core.engines.recognition, []
    real = recognition.piece

    async def fails_later(samples: Any, options: TranscribeOptions, ticket: Ticket) -> Any:
        calls.append(options)
        if len(calls) > 1:
            raise EngineError("test", "fails")
        return await real(samples, options, ticket)

    monkeypatch.setattr(recognition, "piece", fails_later)
    delta, failure = events(ann.post(SSE, json=body()))
    assert (delta["type"], failure["type"]) == ("transcript.text.delta", "error")
    assert failure["meta"]["session_id"] == delta["meta"]["session_id"]
    assert failure["message"]


def test_one_more_than_there_is_room_for_is_a_429(server: RunningServer, ann: httpx.Client) -> None:
    places = server.core.request_slots
    taken = [places.take() for _ in range(2)]
    try:
        assert ann.post(SSE, json=body()).status_code == 429
    finally:
        for place in taken:
            places.give_back(place)
    assert ann.post(SSE, json=body()).status_code == 200


# ---- files behind URLs


def submission(url: str, format: str = "wav", **request: Any) -> dict[str, Any]:
    return {"audio": {"format": format, "url": url}, "request": {"model_name": "step-asr-1.1", **request}}


def submitted(client: httpx.Client, wanted: dict[str, Any]) -> str:
    answer = client.post(SUBMIT, json=wanted)
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"task_id"}
    return str(answer.json()["task_id"])


def finished(client: httpx.Client, task: str) -> dict[str, Any]:
    """The task's result."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        answer = client.post(QUERY, json={"task_id": task})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        if found != {"status": "RUNNING"}:
            return found
        time.sleep(0.02)
    raise AssertionError("the task is not done")


def test_a_file_is_fetched_and_read(ann: httpx.Client, pages: tuple[Pages, str]) -> None:
    found, address = pages
    found.put("/a.wav", WAV)
    result = finished(ann, submitted(ann, submission(f"{address}/a.wav")))
    assert result == {"status": "SUCCEEDED", "duration": 8.0, "result": [{"text": SAID}]}


def test_a_task_is_running_until_it_is_done(
    ann: httpx.Client, pages: tuple[Pages, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found, address = pages
    found.places["/slow.wav"] = "hangs"
    found.was_asked.clear()
    monkeypatch.setattr(tasks, "FETCHED_WITHIN_S", 1.0)
    task = submitted(ann, submission(f"{address}/slow.wav"))
    assert found.was_asked.wait(10)
    assert ann.post(QUERY, json={"task_id": task}).json() == {"status": "RUNNING"}
    result = finished(ann, task)
    assert (result["status"], result["error"]["code"]) == ("FAILED", "url_unreachable")
    assert result["error"]["param"] == "audio.url"


@pytest.mark.parametrize(("failures", "status"), [(tasks.MAX_ATTEMPTS - 1, "SUCCEEDED"), (99, "FAILED")])
def test_what_may_pass_is_tried_again_so_many_times(
    server: RunningServer,
    ann: httpx.Client,
    pages: tuple[Pages, str],
    monkeypatch: pytest.MonkeyPatch,
    failures: int,
    status: str,
) -> None:
    """As when something from outside ends the processes that decode."""
    found, address = pages
    found.put("/a.wav", WAV)
    decoder, calls = server.core.engines.decoder, list[int]()
    real = decoder.decode

    async def fails_first(*given: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) <= failures:
            raise EngineError("recordings", "decoding was ended from outside", retriable=True)
        return await real(*given, **options)

    monkeypatch.setattr(decoder, "decode", fails_first)
    monkeypatch.setattr(tasks, "RETRY_S", 0)
    assert finished(ann, submitted(ann, submission(f"{address}/a.wav")))["status"] == status
    assert len(calls) == tasks.MAX_ATTEMPTS


def test_each_channel_is_read_for_itself(ann: httpx.Client, pages: tuple[Pages, str]) -> None:
    found, address = pages
    left, right = loudness((1.0, 0.0), (2.0, 0.5), (2.0, 0.0)), loudness((1.0, 0.0), (1.0, 0.5), (3.0, 0.0))
    found.put("/stereo.wav", wav(np.stack([left, right], axis=1), layout="stereo"))
    result = finished(ann, submitted(ann, submission(f"{address}/stereo.wav", enable_channel_split=True)))
    assert [channel["text"] for channel in result["result"]] == [
        "I heard 2000 milliseconds.",
        "I heard 1000 milliseconds.",
    ]
    assert result["duration"] == 5.0
    found.put("/mono.wav", WAV)
    mono = finished(ann, submitted(ann, submission(f"{address}/mono.wav", enable_channel_split=True)))
    assert [channel["text"] for channel in mono["result"]] == [SAID]


def test_utterances_have_times_and_words(ann: httpx.Client, pages: tuple[Pages, str]) -> None:
    found, address = pages
    found.put("/a.wav", WAV)
    [channel] = finished(ann, submitted(ann, submission(f"{address}/a.wav", show_utterances=True)))["result"]
    first, second = channel["utterances"]
    assert (first["text"], first["start_time"], first["end_time"]) == ("I heard 2000 milliseconds.", 1000, 2999)
    assert (second["start_time"], second["end_time"]) == (6000, 6999)
    assert [word["text"] for word in first["words"]] == ["I", "heard", "2000", "milliseconds."]
    assert (first["words"][0]["start_time"], first["words"][-1]["end_time"]) == (1000, 2999)
    assert all(word["start_time"] < word["end_time"] for word in first["words"])


@pytest.mark.parametrize("kind", ["mp3", "ogg", "pcm"])
def test_other_formats_are_read(ann: httpx.Client, pages: tuple[Pages, str], kind: str) -> None:
    found, address = pages
    sound = tone((1.0, 0.0), (2.0, 0.5), (2.0, 0.0), rate_hz=24_000)
    encoded: dict[str, FileFormat] = {"mp3": "mp3", "ogg": "opus", "pcm": "pcm"}
    found.put(f"/a.{kind}", encode(sound, encoded[kind], 24_000))
    wanted = submission(f"{address}/a.{kind}", kind)
    wanted["audio"] |= {"codec": "opus"} if kind == "ogg" else {"rate": 24_000, "bits": 16, "channel": 1}
    [channel] = finished(ann, submitted(ann, wanted))["result"]
    assert int(channel["text"].split()[2]) == pytest.approx(2000, abs=150)


def test_what_fails_says_why(ann: httpx.Client, pages: tuple[Pages, str], monkeypatch: pytest.MonkeyPatch) -> None:
    found, address = pages
    found.put("/page", b"<!doctype html><html></html>" * 40)
    found.put("/long", encode(np.zeros(121 * 16_000, np.float32), "flac", 16_000))
    found.put("/large", bytes(60_000))
    monkeypatch.setattr(tasks, "MAX_BYTES", 50_000)
    faults = {
        "/page": "unsupported_format",
        "/long": "audio_too_long",
        "/large": "url_too_large",
        "/nothing": "url_unreachable",
    }
    begun = {path: submitted(ann, submission(address + path)) for path in faults}
    for path, task in begun.items():
        result = finished(ann, task)
        error = result.pop("error")
        assert result == {"status": "FAILED"}
        assert (error["code"], error["param"]) == (faults[path], "audio.url"), path


@pytest.mark.parametrize(
    ("part", "values", "fault"),
    [
        ("audio", {"url": "file:///etc/passwd"}, ("invalid_value", "audio.url")),
        ("audio", {"format": "wma"}, ("invalid_value", "audio.format")),
        ("audio", {"channel": 3}, ("invalid_value", "audio.channel")),
        ("request", {"model_name": "step-audio-2"}, ("model_not_found", "request.model_name")),
        ("request", {"language": "tlh"}, ("invalid_value", "request.language")),
        ("request", {"enable_speaker_info": True}, ("invalid_value", "request.enable_speaker_info")),
    ],
)
def test_wrong_submissions_are_refused(ann: httpx.Client, part: str, values: Any, fault: Any) -> None:
    wanted = submission("http://127.0.0.1:9/a.wav")
    wanted[part] |= values
    assert refused(ann.post(SUBMIT, json=wanted), 404 if fault[0] == "model_not_found" else 400) == fault


@pytest.mark.parametrize(("part", "field"), [("audio", "url"), ("audio", "format"), ("request", "model_name")])
def test_what_is_missing_is_named(ann: httpx.Client, part: str, field: str) -> None:
    wanted = submission("http://127.0.0.1:9/a.wav")
    del wanted[part][field]
    assert refused(ann.post(SUBMIT, json=wanted)) == ("missing_required_parameter", f"{part}.{field}")


def test_only_its_owner_finds_a_task(server: RunningServer, ann: httpx.Client, pages: tuple[Pages, str]) -> None:
    found, address = pages
    found.put("/a.wav", WAV)
    task = submitted(ann, submission(f"{address}/a.wav"))
    with client_of(server, "ben") as ben:
        assert refused(ben.post(QUERY, json={"task_id": task}), 404) == ("task_not_found", "task_id")
    assert refused(ann.post(QUERY, json={"task_id": "asr_nothing"}), 404) == ("task_not_found", "task_id")
    assert refused(ann.post(QUERY, json={})) == ("missing_required_parameter", "task_id")
    assert finished(ann, task)["status"] == "SUCCEEDED"


def test_an_owner_can_have_so_many_waiting(
    ann: httpx.Client, pages: tuple[Pages, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found, address = pages
    found.places["/slow.wav"] = "hangs"
    monkeypatch.setattr(tasks, "FETCHED_WITHIN_S", 1.0)
    monkeypatch.setattr(tasks, "MAX_WAITING", 1)
    task = submitted(ann, submission(f"{address}/slow.wav"))
    assert ann.post(SUBMIT, json=submission(f"{address}/slow.wav")).status_code == 429
    finished(ann, task)
    found.put("/a.wav", WAV)
    assert finished(ann, submitted(ann, submission(f"{address}/a.wav")))["status"] == "SUCCEEDED"


# ---- servers of their own


@pytest.fixture
def stored(tmp_path: Path) -> Callable[..., Config]:
    """Settings of servers that share a store."""

    def settings(**net: Any) -> Config:
        storage = {"url": f"sqlite:///{tmp_path / 'vivavoce.db'}", "blobs": str(tmp_path / "blobs")}
        return load_config({"auth": {"keys": KEYS}, "storage": storage, "net": net}, profile="fake")

    return settings


def test_addresses_of_this_network_are_not_fetched_unless_allowed(stored: Callable[..., Config]) -> None:
    private = Pages()
    private.put("/a.wav", WAV)
    with served(private) as port, running(stored()) as server, client_of(server, "ann") as ann:
        result = finished(ann, submitted(ann, submission(f"http://127.0.0.1:{port}/a.wav")))
    error = result["error"]
    assert (result["status"], error["code"], error["param"]) == ("FAILED", "url_not_allowed", "audio.url")
    assert private.asked == []


async def test_servers_that_are_killed_are_no_failures_of_a_recording(stored: Callable[..., Config]) -> None:
    """More than a recording may fail take it up, and are gone before they say what came of it."""
    nothing: Any = None
    store = await open_store(stored())
    try:
        work = tasks.RecordingTasks(store, nothing, nothing, nothing, nothing, supervisor=nothing, max_s=60)
        wanted = FileSubmission.model_validate(submission("http://127.0.0.1/a.wav"))
        await work.submit("ann", wanted)
        for _ in range(tasks.MAX_ATTEMPTS + 2):
            task = await work.queue.take()
            assert task is not None
            assert task.attempts == 0
            await work.queue.release_all_leases()
    finally:
        await store.close()


def test_tasks_survive_the_server(stored: Callable[..., Config], pages: tuple[Pages, str]) -> None:
    found, address = pages
    found.put("/a.wav", WAV)
    found.places["/later.wav"] = "hangs"
    settings = stored(allow_private=True)
    with running(settings) as server, client_of(server, "ann") as ann:
        done = submitted(ann, submission(f"{address}/a.wav"))
        assert finished(ann, done)["status"] == "SUCCEEDED"
        found.was_asked.clear()
        cut_short = submitted(ann, submission(f"{address}/later.wav"))
        assert found.was_asked.wait(10)
    found.put("/later.wav", WAV)
    with running(settings) as server, client_of(server, "ann") as ann:
        for task in (done, cut_short):
            assert finished(ann, task)["result"] == [{"text": SAID}]
