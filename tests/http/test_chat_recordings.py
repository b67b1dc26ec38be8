"""Recordings in chat requests: files that are not what they say, that are spoilt, far too long, or of an unusual shape."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from chatting import Json, openai_audio, post, question, refused, request, stepfun_audio, stream
from chatting import wav as wav_of_pcm
from net.pages import Pages, served
from recordings import loudness, wav
from running import RunningServer, no_more_temporary_files, open_temporary_files, running, silence, tone
from vivavoce.audio.encoding import FileFormat, encode
from vivavoce.config import load_config
from vivavoce.engines.fake import FakeRecognizer
from vivavoce.types import Transcript

AT = "messages[0].content[0].input_audio.data"
HEARD = "You said: I heard 2000 milliseconds."
TWO_SECONDS = ((0.5, 0.0), (2.0, 0.5), (0.5, 0.0))


def spoilt() -> dict[str, tuple[bytes, str]]:
    whole = wav(loudness(*TWO_SECONDS))
    flac = encode(loudness(*TWO_SECONDS), "flac", 16_000)
    return {
        "empty": (b"", "invalid_audio"),
        "a header alone": (wav_of_pcm(b""), "invalid_audio"),
        "half a header": (whole[:20], "unsupported_format"),
        "a truncated wav": (whole[:30_000], "invalid_audio"),
        "a truncated flac": (flac[: len(flac) // 2], "invalid_audio"),
        "a text": (b"To be or not to be. " * 400, "unsupported_format"),
        "a page": (b"<!doctype html><html></html>" * 40, "unsupported_format"),
        "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(3000), "unsupported_format"),
        "junk": (np.random.default_rng(3).bytes(50_000), "unsupported_format"),
        "a playlist": (b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n", "unsupported_format"),
        "an archive": (b"PK\x03\x04" + bytes(3000), "unsupported_format"),
    }


SPOILT = spoilt()


@pytest.mark.parametrize("name", SPOILT)
@pytest.mark.parametrize("part", [stepfun_audio, openai_audio])
@pytest.mark.parametrize("streaming", [False, True])
def test_spoilt_files_are_refused_and_nothing_is_left_behind(
    server: RunningServer, name: str, part: Any, streaming: bool
) -> None:
    content, code = SPOILT[name]
    before = open_temporary_files()
    error = refused(server, request(part(content), stream=streaming))
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", code, AT)
    assert error["message"]
    assert server.all_seats_free()
    assert no_more_temporary_files(before)


def test_spoken_codes_are_read_as_they_are_typed_and_typed_text_is_not(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def transcribe(*_: Any) -> AsyncIterator[Transcript]:
        yield Transcript("Bus E eighteen.", "en")

    monkeypatch.setattr(FakeRecognizer, "transcribe", transcribe)
    body = request("It is E eighteen.", stepfun_audio(question(1150)))
    told = post(server, body).json()["choices"][0]["message"]["content"]
    assert told == "You said: It is E eighteen.\nBus E18."


def test_the_spoilt_one_of_many_is_named(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """And none has been listened to before."""

    def listens(*args: Any, **options: Any) -> Any:
        raise AssertionError("a request that is refused was listened to")

    monkeypatch.setattr(FakeRecognizer, "transcribe", listens)
    body = request("Listen.", stepfun_audio(question(1300)))
    last = request("And?", stepfun_audio(question(1400)), stepfun_audio(SPOILT["a picture"][0]))["messages"]
    body["messages"] += [{"role": "assistant", "content": "Yes?"}, *last]
    assert refused(server, body)["param"] == "messages[2].content[2].input_audio.data"


@pytest.mark.parametrize("kind", ["flac", "mp3", "opus", "aac"])
def test_a_file_of_another_kind_than_it_says_is_heard(server: RunningServer, kind: FileFormat) -> None:
    """Mp3 and AAC say a little before and after: only what was heard at all is looked at."""
    file = encode(loudness(*TWO_SECONDS), kind, 16_000)
    for part in (stepfun_audio(file, "mpeg"), openai_audio(file, "wav")):
        answer = post(server, request(part)).json()
        assert answer["choices"][0]["message"]["content"].startswith("You said: I heard 2"), answer


def test_a_wrong_format_can_be_put_right(server: RunningServer) -> None:
    """A file taken for headerless PCM is heard at the wrong speed, header and all; that is not what is remembered of it."""
    file = wav(loudness((0.4, 0.0), (2.0, 0.4), (1.0, 0.0)))
    wrong = post(server, request(openai_audio(file, "pcm16"))).json()["choices"][0]["message"]["content"]
    assert wrong == "You said: I heard 1600 milliseconds."
    assert post(server, request(openai_audio(file, "wav"))).json()["choices"][0]["message"]["content"] == HEARD


@pytest.mark.parametrize(
    ("layout", "channels", "rate_hz"), [("7.1", 8, 48_000), ("stereo", 2, 192_000), ("7.1", 8, 192_000)]
)
def test_many_channels_and_high_rates_are_heard(
    server: RunningServer, layout: str, channels: int, rate_hz: int
) -> None:
    one = loudness((0.1, 0.0), (2.0, 0.5), (0.1, 0.0), rate_hz=rate_hz)
    file = wav(np.repeat(one[:, None], channels, axis=1), rate_hz, layout)
    answer = post(server, request(stepfun_audio(file)))
    assert answer.json()["choices"][0]["message"]["content"] == HEARD, answer.text


@pytest.fixture(scope="module")
def two_hours() -> bytes:
    """Two hours of silence: as FLAC they fit into a request."""
    return encode(np.zeros(2 * 3600 * 8_000, np.float32), "flac", 8_000)


@pytest.mark.parametrize("streaming", [False, True])
def test_two_hours_are_refused_early(
    server: RunningServer, two_hours: bytes, monkeypatch: pytest.MonkeyPatch, streaming: bool
) -> None:
    def listens(*args: Any, **options: Any) -> Any:
        raise AssertionError("two hours were listened to")

    monkeypatch.setattr(FakeRecognizer, "transcribe", listens)
    assert len(two_hours) < 5_000_000
    error = refused(server, request(stepfun_audio(two_hours, "flac"), stream=streaming))
    assert (error["code"], error["param"]) == ("audio_too_long", AT)
    assert "30 segments of 25 s" in error["message"]
    assert server.all_seats_free()


def test_others_are_served_while_two_hours_are_refused(server: RunningServer, two_hours: bytes) -> None:
    """What is decoded is decoded beside the event loop: three such requests at once, and a short one is answered."""
    with ThreadPoolExecutor(3) as pool:
        long = [pool.submit(refused, server, request(stepfun_audio(two_hours, "flac"))) for _ in range(3)]
        assert post(server, request("Hi")).status_code == 200
        assert {each.result()["code"] for each in long} == {"audio_too_long"}
    assert server.all_seats_free()


# ---- long ones are cut at pauses


def test_a_long_recording_is_cut_where_nobody_speaks(server: RunningServer) -> None:
    """A blind cut at 25 s would be in the middle of the third stretch."""
    stretches = [tone(9_000) + silence(1_500) for _ in range(4)]
    said = post(server, request(stepfun_audio(wav_of_pcm(b"".join(stretches))))).json()
    words = said["choices"][0]["message"]["content"]
    lengths = [int(word) for word in words.split() if word.isdigit()]
    # What lies between two stretches of one piece counts as heard.
    assert sum(lengths) in (4 * 9_000, 4 * 9_000 + 1_500, 4 * 9_000 + 3_000), words
    assert all((length + 1_500) % 10_500 <= 100 or (length + 1_500) % 10_500 >= 10_400 for length in lengths), words


# ---- by URL


@pytest.fixture(scope="module")
def fetching() -> Iterator[RunningServer]:
    with running(load_config({"net": {"fetch_audio": True}}, profile="fake")) as started:
        yield started


def by_url(url: str) -> Json:
    return {"type": "input_audio", "input_audio": {"data": url}}


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/question.wav",
        "http://localhost:{port}/question.wav",
        "http://[::1]:{port}/question.wav",
        "http://[::ffff:127.0.0.1]:{port}/question.wav",
        "http://2130706433:{port}/question.wav",
        "http://0.0.0.0:{port}/question.wav",
        "http://10.0.0.1/question.wav",
        "http://192.168.1.1/question.wav",
        "http://169.254.169.254/latest/meta-data",
        "HTTP://127.0.0.1:{port}/question.wav",
    ],
)
def test_private_addresses_are_refused_and_never_asked(fetching: RunningServer, url: str) -> None:
    pages = Pages()
    with served(pages) as port:
        pages.put("/question.wav", question(), content_type="audio/wav")
        error = refused(fetching, request(by_url(url.format(port=port))))
    assert (error["code"], error["param"]) == ("url_not_allowed", AT)
    assert not pages.asked
    assert fetching.all_seats_free()


def test_urls_are_refused_where_nothing_is_fetched(server: RunningServer) -> None:
    for url in ("https://example.org/question.wav", "http://127.0.0.1/question.wav"):
        assert refused(server, request(by_url(url)))["code"] == "url_not_allowed"
    for url in ("file:///etc/passwd", "ftp://example.org/a.wav", "/etc/passwd"):
        error = refused(server, request(by_url(url)))
        assert (error["code"] in ("invalid_audio", "unsupported_format"), error["param"]) == (True, AT)


def test_a_stream_is_refused_before_it_begins(server: RunningServer) -> None:
    """The same file, mended, is then heard: a refusal leaves nothing in the way."""
    whole = wav(loudness(*TWO_SECONDS))
    assert refused(server, request(stepfun_audio(whole[:20_000]), stream=True))["code"] == "invalid_audio"
    assert stream(server, request(stepfun_audio(whole))).text[0] == HEARD
