"""Recognisers and speakers behind OpenAI-style endpoints."""

from __future__ import annotations

import asyncio
import json
import struct
from contextlib import aclosing
from typing import Any

import numpy as np
import pytest

from openai_stub import DONE, Asked, HangUp, Pause, Script, Step, event, status, streamed, stub, whole
from vivavoce.audio.encoding import wav_header
from vivavoce.audio.pcm import decode_pcm16, encode_pcm16
from vivavoce.audio.silence import EdgeTrimmer
from vivavoce.engines.base import EngineContext
from vivavoce.engines.fake import FakeSynthesizer
from vivavoce.engines.openai.recognizer import load as load_recognizer
from vivavoce.engines.openai.synthesizer import OpenAISynthesizer
from vivavoce.engines.openai.synthesizer import load as load_synthesizer
from vivavoce.engines.openai.wav_stream import NoAudioError, PcmReader
from vivavoce.engines.router import SynthesizerRouter
from vivavoce.errors import EngineError
from vivavoce.types import Samples, SpeakOptions, TranscribeOptions, Transcript, TranscriptDelta, Word

HUM = (np.sin(np.arange(16_000) / 10) * 0.3).astype(np.float32)


def always(steps: list[Step]) -> Script:
    return lambda asked: steps


def context(**settings: Any) -> EngineContext:
    return EngineContext(weights=lambda name: pytest.fail(name), threads=1, capacity=1, settings=settings, name="far")


def form(asked: Asked) -> dict[str, bytes]:
    """The parts of a multipart form by name."""
    boundary = asked.headers["content-type"].partition("boundary=")[2].encode()
    parts = asked.body.split(b"--" + boundary)[1:-1]
    fields = {}
    for part in parts:
        head, _, body = part.strip(b"\r\n").partition(b"\r\n\r\n")
        fields[head.split(b'name="')[1].split(b'"')[0].decode()] = body
    return fields


# ---- hearing


async def heard(
    script: Script, options: TranscribeOptions | None = None, **settings: Any
) -> tuple[list[TranscriptDelta | Transcript], list[Asked]]:
    async with stub(script) as served:
        recognizer = load_recognizer(context(url=served.url, model="whisper-1", **{"retries": 0, **settings}))
        try:
            return [event async for event in recognizer.transcribe(HUM, options or TranscribeOptions())], served.asked
        finally:
            await recognizer.close()


async def test_an_utterance_is_sent_as_a_wav_file() -> None:
    options = TranscribeOptions(language="de", prompt="Vivavoce", temperature=0.2)
    events, asked = await heard(always(whole({"text": " Hallo. "})), options, fields={"user": "me"})
    assert events == [Transcript("Hallo.", "de")]
    fields = form(asked[0])
    file = fields.pop("file")
    assert fields == {
        "model": b"whisper-1", "response_format": b"json", "language": b"de", "prompt": b"Vivavoce", "temperature": b"0.2",
        "user": b"me",
    }  # fmt: skip
    assert asked[0].path == "/v1/audio/transcriptions"
    assert (file[:4], struct.unpack_from("<I", file, 24)[0]) == (b"RIFF", 16_000)
    assert np.allclose(decode_pcm16(file[44:]), HUM, atol=1e-3)


async def test_words_with_their_times_and_how_sure_it_is() -> None:
    answer = {
        "text": "Hello you.", "language": "english",
        "words": [{"word": "Hello", "start": 0.1, "end": 0.5}, {"word": "you.", "start": 0.5, "end": 0.9}],
        "segments": [{"avg_logprob": -0.25, "no_speech_prob": 0.01, "compression_ratio": 1.1}],
    }  # fmt: skip
    ((transcript,), asked) = await heard(always(whole(answer)), TranscribeOptions(words=True))
    assert isinstance(transcript, Transcript)
    assert (transcript.language, transcript.words) == ("en", (Word("Hello", 100, 500), Word(" you.", 500, 900)))
    assert transcript.confidence is not None
    assert transcript.confidence.log_probability == -0.25
    assert form(asked[0])["response_format"] == b"verbose_json"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<|zh|><|NEUTRAL|><|Speech|><|woitn|>你好", Transcript("你好", "zh")),
        ("你好", Transcript("你好", "zh")),
        ("Hello", Transcript("Hello", "en")),
        ("", Transcript("", "en")),
    ],
)
async def test_the_language_is_said_or_seen(text: str, expected: Transcript) -> None:
    assert (await heard(always(whole({"text": text}))))[0] == [expected]


@pytest.mark.parametrize(
    "events",
    [
        [event({"type": "transcript.text.delta", "delta": "Hello"}), event({"type": "transcript.text.delta", "delta": " you."}),
         event({"type": "transcript.text.done", "text": "Hello you."})],
        [event({"object": "transcription.chunk", "choices": [{"delta": {"content": "Hello"}}]}),
         event({"object": "transcription.chunk", "choices": [{"delta": {"content": " you."}}]}), DONE],
    ],
)  # fmt: skip
async def test_text_streams_where_it_is_offered(events: list[bytes]) -> None:
    made, asked = await heard(always(streamed(*events)), stream=True)
    assert made == [TranscriptDelta("Hello"), TranscriptDelta(" you."), Transcript("Hello you.", "en")]
    assert form(asked[0])["stream"] == b"true"


async def test_translations_go_to_their_own_endpoint() -> None:
    events, asked = await heard(always(whole({"text": "Hello"})), TranscribeOptions(language="de", translate=True))
    assert (events, asked[0].path) == ([Transcript("Hello", "en")], "/v1/audio/translations")
    assert "language" not in form(asked[0])


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (status(500, {}), "failed"),
        ([HangUp()], "without an answer"),
        (whole(b"<html>"), "no transcript"),
        (whole({"txt": 1}), "no transcript"),
        (streamed(event({"type": "transcript.text.delta", "delta": "Hello"}), HangUp()), "in the middle"),
        (streamed(event({"type": "transcript.text.delta", "delta": "Hello"})), "in the middle"),
        ([Pause(30)], "did not begin to answer in time"),
        (streamed(event({"type": "transcript.text.delta", "delta": "Hello"}), Pause(30)), "sent nothing more"),
        (streamed(event({"type": "transcript.text.delta", "delta": "Hello"})[:-9], HangUp()), "without an answer"),
        (status(429, {}, retry_after="30"), "too many requests"),
        (streamed(event({"error": {"message": "boom sk-secret"}})), "failed in the middle of its answer"),
        (streamed(event({"type": "error", "error": {"message": "boom"}})), "failed in the middle of its answer"),
        (streamed(b"data: {nonsense\n\n"), "no transcript"),
        (status(401, {"error": {"message": "Incorrect API key provided: sk-secret"}}), "refuses the key"),
    ],
)
async def test_faults_of_a_recogniser(steps: list[Step], message: str, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(EngineError, match=f"far: .*{message}") as failure:
        async with asyncio.timeout(3):
            await heard(always(steps), api_key="sk-secret", first_s=0.5, between_s=0.3)
    assert "sk-secret" not in str(failure.value)
    assert "sk-secret" not in caplog.text


@pytest.mark.parametrize("refusal", [status(429, {}, retry_after="0.05"), status(500, {}), [HangUp()]])
async def test_what_nothing_came_of_is_asked_again(refusal: list[Step]) -> None:
    scripts = [always(refusal), always(whole({"text": "Hello"}))]
    events, asked = await heard(lambda request: scripts.pop(0)(request), retries=1)
    assert (events, len(asked)) == ([Transcript("Hello", "en")], 2)


# ---- speaking


def clip(rate_hz: int) -> Samples:
    """A hum between two silences."""
    hum = (np.sin(np.arange(rate_hz // 2) * 2 * np.pi * 300 / rate_hz) * 0.3).astype(np.float32)
    return np.concatenate([np.zeros(rate_hz // 5, np.float32), hum, np.zeros(rate_hz // 5, np.float32)])


def audio(data: bytes) -> list[Step]:
    return streamed(*[data[at : at + 999] for at in range(0, len(data), 999)], content_type="audio/pcm")


async def spoken(
    script: Script, text: str = "Hum.", voice: str = "hum", **settings: Any
) -> tuple[Samples, list[Asked]]:
    async with stub(script) as served:
        values = {"url": served.url, "model": "tts-1", "voices": {"hum": ["en"]}, "retries": 0, **settings}
        synthesizer = load_synthesizer(context(**values))
        try:
            pieces = [
                piece async for piece in synthesizer.speak(text, SpeakOptions(voice, "en", settings.pop("speed", 1.0)))
            ]
            return np.concatenate(pieces or [np.zeros(0, np.float32)]), served.asked
        finally:
            await synthesizer.close()


@pytest.mark.parametrize("header", [False, True])
@pytest.mark.parametrize("rate_hz", [24_000, 16_000])
async def test_speech_of_any_rate_leaves_trimmed_with_its_pause(header: bool, rate_hz: int) -> None:
    data = encode_pcm16(clip(rate_hz))
    settings = {"format": "wav"} if header else {"rate_hz": rate_hz}
    samples, asked = await spoken(always(audio((wav_header(rate_hz) if header else b"") + data)), **settings)
    assert abs(len(samples) / 24_000 - (0.5 + 0.24 + 0.03)) < 0.03  # the hum, a full stop's pause, its edges
    assert np.abs(samples).max() > 0.25
    assert asked[0].json == {
        "model": "tts-1",
        "input": "Hum.",
        "voice": "hum",
        "response_format": "wav" if header else "pcm",
    }


async def test_the_first_piece_leaves_before_the_last_is_made() -> None:
    steps = audio(encode_pcm16(clip(24_000)))
    async with stub(always([*steps[:16], Pause(30)])) as served:
        synthesizer = load_synthesizer(context(url=served.url, model="m", voices=["hum"]))
        async with asyncio.timeout(5), aclosing(synthesizer.speak("Hum", SpeakOptions("hum", "en"))) as pieces:
            assert len(await anext(pieces))
        await synthesizer.close()


async def test_voices_are_listed_or_stand_in() -> None:
    def listing(asked: Asked) -> list[Step]:
        return audio(encode_pcm16(clip(24_000)))

    async with stub(listing) as served:
        served.voices = {"voices": ["af_heart", {"id": "zf_xiaobei", "name": "x"}]}
        values = {"url": served.url, "model": "m", "stand_ins": {"alloy": "zf_xiaobei"}, "languages": ["en", "zh"]}
        synthesizer: OpenAISynthesizer = await asyncio.to_thread(load_synthesizer, context(**values))
        assert dict(synthesizer.voices) == dict.fromkeys(("af_heart", "zf_xiaobei", "alloy"), frozenset({"en", "zh"}))
        assert [piece async for piece in synthesizer.speak("Hum", SpeakOptions("alloy", "en", 1.5))]
        assert served.posts("/v1/audio/speech")[0].json | {"voice": "zf_xiaobei", "speed": 1.5} == served.asked[-1].json
        await synthesizer.close()
        with pytest.raises(ValueError, match="no voice 'nobody'"):
            load_synthesizer(context(url=served.url, model="m", voices=["a"], stand_ins={"alloy": "nobody"}))
        served.voices = None
        with pytest.raises(EngineError, match="name them in 'voices'"):
            await asyncio.to_thread(load_synthesizer, context(**values))


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (status(500, {}), "failed"),
        (status(404, {"error": {"message": "no such voice"}}), "no such model"),
        (streamed(content_type="audio/pcm"), "no audio"),
        (streamed(json.dumps({"error": "x"}).encode()), "no pcm"),
        (streamed(b"ID3\x04" + bytes(500), content_type="audio/mpeg"), "no pcm"),
        ([*audio(encode_pcm16(clip(24_000)))[:9], HangUp()], "in the middle"),
        ([Pause(30)], "did not begin to answer in time"),
        ([*audio(encode_pcm16(clip(24_000)))[:9], Pause(30)], "sent nothing more"),
        ([*audio(encode_pcm16(clip(24_000)))[:9], b"3e7\r\nhalf a chunk", HangUp()], "in the middle"),
        (status(429, {}, retry_after="30"), "too many requests"),
        ([HangUp()], "without an answer"),
        (status(401, {"error": {"message": "Incorrect API key provided: sk-secret"}}), "refuses the key"),
    ],
)
async def test_faults_of_a_speaker(steps: list[Step], message: str, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(EngineError, match=f"far: .*{message}") as failure:
        async with asyncio.timeout(3):
            await spoken(always(steps), api_key="sk-secret", first_s=0.5, between_s=0.3)
    assert "sk-secret" not in str(failure.value)
    assert "sk-secret" not in caplog.text


def test_other_wav_files_are_refused() -> None:
    header = bytearray(wav_header(24_000))
    header[34] = 32
    with pytest.raises(NoAudioError, match="32 bits"):
        PcmReader(24_000).feed(bytes(header))
    with pytest.raises(NoAudioError):
        PcmReader(24_000).feed(b"RIFF" + bytes(8) + b"junk" + struct.pack("<I", 9999) + bytes(9999))


def test_stereo_becomes_mono() -> None:
    header = bytearray(wav_header(24_000))
    header[22] = 2
    both = np.stack([np.full(10, 0.5, np.float32), np.full(10, 0.1, np.float32)], axis=1).reshape(-1)
    assert np.allclose(PcmReader(1).feed(bytes(header) + encode_pcm16(both)), 0.3, atol=1e-3)


@pytest.mark.parametrize("size", [100, 1000, 50_000])
def test_edges_are_cut_in_pieces_of_any_size(size: int) -> None:
    whole_clip, trimmer = clip(24_000), EdgeTrimmer(24_000)
    pieces = [trimmer.push(whole_clip[at : at + size]) for at in range(0, len(whole_clip), size)]
    trimmed = np.concatenate([*pieces, trimmer.finish()])
    assert abs(len(trimmed) - (12_000 + 24 * 32)) < 48


async def test_another_speaker_takes_over_what_one_elsewhere_fails_at(caplog: pytest.LogCaptureFixture) -> None:
    begun = [*audio(encode_pcm16(clip(24_000)))[:16], HangUp()]
    async with stub(always(status(503, {})), always(begun)) as served:
        far = load_synthesizer(context(url=served.url, model="m", voices=["hum"], retries=0))
        router = SynthesizerRouter({"far": far, "fake": FakeSynthesizer()}, {})
        assert router.route("Hum.", "hum", "en")[0] == "far"
        pieces = [piece async for piece in router.speak("Hum.", SpeakOptions("hum", "en"))]
        assert sum(map(len, pieces)) > 1000
        assert "'fake' speaks in place of 'far'" in caplog.text
        with pytest.raises(EngineError, match="in the middle"):  # it had begun
            [piece async for piece in router.speak("Hum.", SpeakOptions("hum", "en"))]
        await router.close()
