"""``/v1/audio/transcriptions`` and ``/translations`` with fake engines, asked by openai-python and by hand."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Literal

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from openai import APIStatusError, OpenAI
from openai.types.audio import TranscriptionDiarized

from recordings import SAID, TWO_PARTS, loudness, wav
from running import RunningServer, no_more_temporary_files, open_temporary_files, running
from vivavoce.audio.encoding import FileFormat, encode
from vivavoce.config import load_config
from vivavoce.errors import EngineError
from vivavoce.http import recordings as limits
from vivavoce.http import transcriptions
from vivavoce.scheduling import Ticket
from vivavoce.types import TranscribeOptions

PATH = "/v1/audio/transcriptions"
FILE = ("speech.wav", wav(loudness(*TWO_PARTS)))


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running(load_config({"limits": {"recording_minutes": 2.0, "requests": 2}}, profile="fake")) as started:
        yield started


@pytest.fixture(scope="module")
def client(server: RunningServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{server.http}/v1", api_key="none needed", max_retries=0) as made:
        yield made


@pytest.fixture
def post(server: RunningServer) -> Iterator[Callable[..., httpx.Response]]:
    with httpx.Client(base_url=server.http, timeout=60) as http:

        def posted(file: Any = FILE, path: str = PATH, **fields: Any) -> httpx.Response:
            form = {"model": "step-asr", **fields}
            return http.post(path, data=form, files={"file": file} if file is not None else {"other": b""})

        yield posted


def free(server: RunningServer) -> bool:
    deadline = time.monotonic() + 5
    while server.core.request_slots.taken and time.monotonic() < deadline:
        time.sleep(0.01)
    return server.core.request_slots.taken == 0


# ---- formats


def test_json_and_text(client: OpenAI) -> None:
    heard = client.audio.transcriptions.create(file=FILE, model="whisper-1")
    assert heard.text == SAID
    assert heard.usage is not None
    assert heard.usage.type == "duration"
    assert heard.usage.seconds == 8.0
    assert client.audio.transcriptions.create(file=FILE, model="whisper-1", response_format="text") == f"{SAID}\n"


def test_subtitles(client: OpenAI) -> None:
    srt = client.audio.transcriptions.create(file=FILE, model="whisper-1", response_format="srt")
    assert srt == (
        "1\n00:00:01,000 --> 00:00:02,999\nI heard 2000 milliseconds.\n\n"
        "2\n00:00:06,000 --> 00:00:06,999\nI heard 1000 milliseconds.\n"
    )
    vtt = client.audio.transcriptions.create(file=FILE, model="whisper-1", response_format="vtt")
    assert vtt.startswith("WEBVTT\n\n00:00:01.000 --> 00:00:02.999\nI heard 2000 milliseconds.\n")


def test_verbose_json(client: OpenAI) -> None:
    heard = client.audio.transcriptions.create(
        file=FILE, model="whisper-1", response_format="verbose_json", temperature=0.2
    )
    assert (heard.text, heard.language, heard.duration) == (SAID, "english", 8.0)
    assert heard.words is None
    assert heard.segments is not None
    first, second = heard.segments
    assert (first.id, first.start, first.end, first.seek) == (0, 1.0, 2.999, 100)
    assert (second.text, second.avg_logprob, second.temperature) == ("I heard 1000 milliseconds.", -0.5, 0.2)
    assert len(first.tokens) == 4


@pytest.mark.parametrize("wanted", [["word"], ["word", "segment"]])
def test_words_are_timed(client: OpenAI, wanted: list[Literal["word", "segment"]]) -> None:
    heard = client.audio.transcriptions.create(
        file=FILE, model="whisper-1", response_format="verbose_json", timestamp_granularities=wanted
    )
    assert heard.words is not None
    assert [word.word for word in heard.words] == SAID.split()
    assert heard.words[0].start == 1.0
    assert all(word.start < word.end for word in heard.words)
    assert (heard.segments is not None) == ("segment" in wanted)


def test_logprobs(client: OpenAI) -> None:
    heard = client.audio.transcriptions.create(file=FILE, model="gpt-4o-transcribe", include=["logprobs"])
    assert heard.logprobs is not None
    assert "".join(one.token or "" for one in heard.logprobs[:4]) == "I heard 2000 milliseconds."
    assert heard.logprobs[1].bytes == list(b" heard")
    assert heard.logprobs[1].logprob == -0.5


def test_streaming(client: OpenAI) -> None:
    events = list(client.audio.transcriptions.create(file=FILE, model="gpt-4o-mini-transcribe", stream=True))
    deltas = [event.delta for event in events if event.type == "transcript.text.delta"]
    assert len(deltas) == 2
    done = events[-1]
    assert done.type == "transcript.text.done"
    assert "".join(deltas) == done.text == SAID
    assert done.usage is not None
    assert (done.usage.input_tokens, done.usage.output_tokens) == (100, 8)
    assert done.usage.total_tokens == 108


def test_translation(client: OpenAI) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # openai-python says OpenAI will end its own in 2027
        assert client.audio.translations.create(file=FILE, model="whisper-1").text == SAID
        verbose = client.audio.translations.create(file=FILE, model="whisper-1", response_format="verbose_json")
        assert (verbose.language, verbose.duration) == ("english", 8.0)
        assert client.audio.translations.create(file=FILE, model="whisper-1", response_format="srt")[:2] == "1\n"


def test_stepfuns_sample(post: Callable[..., httpx.Response]) -> None:
    answer = post(response_format="json", hotwords='["alpha", "beta"]')
    assert answer.status_code == 200
    assert answer.json()["text"] == SAID
    assert answer.headers["x-trace-id"]
    plain = post(path="/step_plan/v1/audio/transcriptions", response_format="text")
    assert plain.headers["content-type"].startswith("text/plain")
    assert plain.text == f"{SAID}\n"


def test_hints_reach_the_recogniser(
    server: RunningServer, post: Callable[..., httpx.Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[TranscribeOptions] = []
    recognition = server.core.engines.recognition
    real = recognition.piece

    async def piece(samples: Any, options: TranscribeOptions, ticket: Ticket) -> Any:
        asked.append(options)
        return await real(samples, options, ticket)

    monkeypatch.setattr(recognition, "piece", piece)
    post(hotwords='["Zoë", "阶跃"]', prompt="A meeting.", language="zh-CN", temperature="0.5")
    assert asked[0].prompt == "Zoë, 阶跃. A meeting."
    assert (asked[0].language, asked[0].temperature, asked[0].translate) == ("zh", 0.5, False)
    post(**{"keywords[]": "Zoë", "languages[]": "Chinese"})
    assert (asked[2].prompt, asked[2].language) == ("Zoë.", "zh")


@pytest.mark.parametrize(
    ("language", "told"), [("auto", "english"), ("multi", "english"), ("nb-NO", "norwegian"), ("French", "french")]
)
def test_languages_are_understood(post: Callable[..., httpx.Response], language: str, told: str) -> None:
    assert post(language=language, response_format="verbose_json").json()["language"] == told


# ---- channels and speakers

CALL: NDArray[np.float32] = np.stack(
    [loudness((1.0, 0.0), (2.0, 0.5), (7.0, 0.0)), loudness((5.0, 0.0), (1.0, 0.5), (4.0, 0.0))], axis=1
)
TELEPHONE = ("call.wav", wav(CALL, layout="stereo"))
"""The left channel speaks for 2 s, then the right one for 1 s."""


def test_channels_are_read_by_themselves(post: Callable[..., httpx.Response]) -> None:
    heard = post(TELEPHONE, channels="separate").json()
    assert heard["text"] == SAID
    assert heard["segments"] == [
        {"channel": 0, "start": 1.0, "end": 2.999, "text": "I heard 2000 milliseconds."},
        {"channel": 1, "start": 5.0, "end": 5.999, "text": "I heard 1000 milliseconds."},
    ]
    assert heard["usage"]["seconds"] == 10.0
    assert "segments" not in post(TELEPHONE).json()


def test_separate_channels_are_in_the_order_of_time(post: Callable[..., httpx.Response]) -> None:
    swapped = ("call.wav", wav(CALL[:, ::-1], layout="stereo"))
    verbose = post(
        swapped,
        channels="separate",
        response_format="verbose_json",
        **{"timestamp_granularities[]": ["segment", "word"]},
    ).json()
    assert verbose["text"] == SAID
    assert [(one["id"], one["channel"], one["start"]) for one in verbose["segments"]] == [(0, 1, 1.0), (1, 0, 5.0)]
    assert [word["channel"] for word in verbose["words"]] == [1] * 4 + [0] * 4


def test_separate_channels_as_text_and_subtitles(post: Callable[..., httpx.Response]) -> None:
    lines = "Channel 0: I heard 2000 milliseconds.\nChannel 1: I heard 1000 milliseconds.\n"
    assert post(TELEPHONE, channels="separate", response_format="text").text == lines
    assert post(TELEPHONE, channels="separate", response_format="srt").text == (
        "1\n00:00:01,000 --> 00:00:02,999\nChannel 0: I heard 2000 milliseconds.\n\n"
        "2\n00:00:05,000 --> 00:00:05,999\nChannel 1: I heard 1000 milliseconds.\n"
    )
    assert post(TELEPHONE, channels="separate", response_format="vtt").text.endswith(
        "00:00:05.000 --> 00:00:05.999\n<v Channel 1>I heard 1000 milliseconds.\n"
    )


def test_one_channel_is_channel_0(post: Callable[..., httpx.Response]) -> None:
    heard = post(channels="separate").json()
    assert (heard["text"], {segment["channel"] for segment in heard["segments"]}) == (SAID, {0})


def test_silent_channels_have_no_segments(post: Callable[..., httpx.Response]) -> None:
    quiet = ("quiet.wav", wav(np.zeros((32_000, 2), np.float32), layout="stereo"))
    assert post(quiet, channels="separate").json() == {
        "text": "",
        "segments": [],
        "usage": {"type": "duration", "seconds": 2.0},
    }


def test_more_channels_than_can_be_read_are_refused(
    post: Callable[..., httpx.Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcriptions, "MAX_CHANNELS", 1)
    refused = post(TELEPHONE, channels="separate")
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "channels")


def tone(hertz: float, seconds: float) -> NDArray[np.float32]:
    at = np.arange(round(seconds * 16_000))
    return (0.5 * np.sin(2 * np.pi * hertz * at / 16_000)).astype(np.float32)


def test_speakers_are_told_apart(client: OpenAI) -> None:
    pause = np.zeros(2 * 16_000, np.float32)
    turns = (tone(150, 2), tone(300, 3), tone(150, 2.5))
    sound = np.concatenate([part for turn in turns for part in (pause, turn)] + [pause])
    heard = client.audio.transcriptions.create(
        file=("two.wav", wav(sound)), model="gpt-4o-transcribe-diarize", response_format="diarized_json"
    )
    assert isinstance(heard, TranscriptionDiarized)
    assert [segment.speaker for segment in heard.segments] == ["A", "B", "A"]
    assert [segment.text for segment in heard.segments][1] == "I heard 3000 milliseconds."
    assert (heard.segments[0].start, heard.segments[0].type) == (2.0, "transcript.text.segment")
    assert len({segment.id for segment in heard.segments}) == 3
    assert (heard.task, heard.duration) == ("transcribe", len(sound) / 16_000)
    assert heard.text == " ".join(segment.text for segment in heard.segments)


def test_nobody_is_no_speaker(post: Callable[..., httpx.Response]) -> None:
    nothing = ("quiet.wav", wav(loudness((5.0, 0.0))))
    assert post(nothing, response_format="diarized_json").json()["segments"] == []


@pytest.mark.parametrize("format", ["mp3", "flac", "opus", "aac"])
def test_files_of_every_kind_whatever_they_are_called(post: Callable[..., httpx.Response], format: FileFormat) -> None:
    sound = loudness(*TWO_PARTS) * np.sin(np.arange(8 * 16_000) * 0.2).astype(np.float32)
    answer = post(("noname", encode(sound, format, 16_000)))
    assert answer.status_code == 200, answer.text
    assert answer.json()["text"].startswith("I heard ")


def test_a_file_without_a_header_is_16_khz(post: Callable[..., httpx.Response]) -> None:
    sound = np.random.default_rng(1).standard_normal(2 * 16_000) * 3000
    pcm = sound.astype("<i2").tobytes()
    assert post(("speech.pcm", pcm)).json()["text"] == "I heard 2000 milliseconds."
    assert post(("speech.wav", pcm)).json()["error"]["code"] == "unsupported_format"


def test_silence_has_no_text(post: Callable[..., httpx.Response]) -> None:
    nothing = ("quiet.wav", wav(loudness((5.0, 0.0))))
    assert post(nothing).json()["text"] == ""
    assert post(nothing, response_format="srt").text == ""
    assert post(nothing, response_format="vtt").text == "WEBVTT\n"
    verbose = post(nothing, response_format="verbose_json").json()
    assert (verbose["segments"], verbose["language"]) == ([], "english")


# ---- what is refused


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"model": "step-audio-2"}, "model", "model_not_found"),
        ({"response_format": "diarized"}, "response_format", "invalid_value"),
        ({"response_format": "diarized_json", "stream": "true"}, "response_format", "invalid_value"),
        ({"response_format": "diarized_json", "channels": "separate"}, "channels", "invalid_value"),
        ({"channels": "separate", "stream": "true"}, "channels", "invalid_value"),
        ({"channels": "both"}, "channels", "invalid_value"),
        ({"language": "tlh"}, "language", "invalid_value"),
        ({"temperature": "1.5"}, "temperature", "invalid_value"),
        ({"temperature": "hot"}, "temperature", "invalid_value"),
        ({"hotwords": "alpha"}, "hotwords", "invalid_value"),
        ({"hotwords": "[1]"}, "hotwords[0]", "invalid_value"),
        ({"timestamp_granularities[]": "word"}, "timestamp_granularities", "invalid_value"),
        ({"timestamp_granularities[]": "letter"}, "timestamp_granularities[0]", "invalid_value"),
        ({"include[]": "logprobs", "response_format": "text"}, "include", "invalid_value"),
        ({"stream": "true", "response_format": "srt"}, "response_format", "invalid_value"),
        ({"prompt": "x" * 5000}, "prompt", "invalid_value"),
    ],
)
def test_mistakes_are_named(post: Callable[..., httpx.Response], fields: dict[str, str], param: str, code: str) -> None:
    answer = post(**fields)
    assert answer.status_code == (404 if code == "model_not_found" else 400)
    error = answer.json()["error"]
    assert (error["param"], error["code"], error["type"]) == (param, code, "invalid_request_error")


def test_a_missing_file_and_a_body_of_another_kind(server: RunningServer, post: Callable[..., httpx.Response]) -> None:
    missing = post(None)
    assert (missing.status_code, missing.json()["error"]["param"]) == (400, "file")
    other = httpx.post(server.http + PATH, json={"model": "step-asr"})
    assert (other.status_code, other.json()["error"]["code"]) == (415, "unsupported_media_type")
    broken = httpx.post(server.http + PATH, content=b"x", headers={"content-type": "multipart/form-data; boundary=a"})
    assert broken.status_code == 400
    assert httpx.get(server.http + PATH).status_code == 405


def spoilt() -> dict[str, tuple[bytes, str]]:
    whole = wav(loudness(*TWO_PARTS))
    return {
        "empty": (b"", "invalid_audio"),
        "truncated": (whole[:2000], "invalid_audio"),
        "a text": (b"To be or not to be. " * 400, "unsupported_format"),
        "a page": (b"<!doctype html><html></html>" * 40, "unsupported_format"),
        "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(3000), "unsupported_format"),
        "junk": (np.random.default_rng(3).bytes(50_000), "unsupported_format"),
        "a playlist": (b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n", "unsupported_format"),
        "too long": (encode(np.zeros(121 * 16_000, np.float32), "flac", 16_000), "audio_too_long"),
    }


@pytest.mark.parametrize("name", spoilt())
def test_bad_files_are_refused_and_nothing_is_left_behind(
    server: RunningServer, post: Callable[..., httpx.Response], name: str
) -> None:
    content, code = spoilt()[name]
    before = open_temporary_files()
    answer = post(("speech.mp3", content))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert answer.json()["error"]["param"] == "file"
    assert free(server)
    assert no_more_temporary_files(before)


@pytest.mark.parametrize(("layout", "channels", "rate_hz"), [("7.1", 8, 48_000), ("stereo", 2, 192_000)])
def test_many_channels_and_high_rates_are_read(
    post: Callable[..., httpx.Response], layout: str, channels: int, rate_hz: int
) -> None:
    one = loudness((0.5, 0.0), (2.0, 0.5), (0.5, 0.0), rate_hz=rate_hz)
    answer = post(("many.wav", wav(np.repeat(one[:, None], channels, axis=1), rate_hz, layout)))
    assert answer.json()["text"] == "I heard 2000 milliseconds."


def test_a_file_that_is_too_large_is_a_413(
    server: RunningServer, post: Callable[..., httpx.Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcriptions, "MAX_BYTES", 1_000_000)
    assert limits.MAX_BYTES == 100 * 1024 * 1024
    before = open_temporary_files()
    answer = post(("large.wav", bytes(2_000_000)))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large")
    assert free(server)
    assert no_more_temporary_files(before)


def test_a_failing_recogniser_is_a_500_and_the_last_event_of_a_stream(
    server: RunningServer, post: Callable[..., httpx.Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = post(prompt="please fail")
    assert (answer.status_code, answer.json()["error"]["type"]) == (500, "server_error")
    recognition, calls = server.core.engines.recognition, []
    real = recognition.piece

    async def fails_later(samples: Any, options: TranscribeOptions, ticket: Ticket) -> Any:
        calls.append(options)
        if len(calls) > 1:
            raise EngineError("test", "fails")
        return await real(samples, options, ticket)

    monkeypatch.setattr(recognition, "piece", fails_later)
    events = [json.loads(line[6:]) for line in post(stream="true").text.splitlines() if line.startswith("data: ")]
    assert [event.get("type") for event in events] == ["transcript.text.delta", None]
    assert events[-1]["error"]["code"] == "engine_error"
    assert free(server)


def test_one_more_than_there_is_room_for_is_a_429(server: RunningServer, post: Callable[..., httpx.Response]) -> None:
    places = server.core.request_slots
    taken = [places.take() for _ in range(2)]
    try:
        answer = post()
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0
    finally:
        for place in taken:
            places.give_back(place)
    assert post().status_code == 200


def test_errors_reach_openai_python(client: OpenAI) -> None:
    with pytest.raises(APIStatusError) as refused:
        client.audio.transcriptions.create(file=("a.wav", b"no audio"), model="whisper-1")
    assert refused.value.status_code == 400
    assert refused.value.code == "unsupported_format"
