"""Recordings of strangers: what can be read, and how the rest is refused."""

from __future__ import annotations

import io
import tempfile
import threading
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.audio.encoding import Encoder, FileFormat, encode, wav_header
from vivavoce.audio.recordings import RawFormat, read_recording
from vivavoce.errors import ClientError
from vivavoce.types import Samples

RATE_HZ = 16_000


def hum(seconds: float, rate_hz: int) -> Samples:
    return (0.3 * np.sin(np.arange(round(seconds * rate_hz)) * 2 * np.pi * 440 / rate_hz)).astype(np.float32)


def muxed(container: str, codec: str, layout: str, rate_hz: int, seconds: float = 2.0) -> bytes:
    """A file of FFmpeg's making, the same on all channels."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate_hz, layout=layout)
        assert isinstance(stream, av.AudioStream)
        packed = np.repeat(hum(seconds, rate_hz), av.AudioLayout(layout).nb_channels).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(packed, format="flt", layout=layout)
        frame.sample_rate = rate_hz
        frame.pts = 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()


def refusal(source: bytes, *, most_s: float = 60, raw: RawFormat | None = None) -> ClientError:
    with pytest.raises(ClientError) as refused:
        read_recording(source, rate_hz=RATE_HZ, max_s=most_s, raw=raw)
    return refused.value


FILES: dict[str, Callable[[], bytes]] = {
    "wav": lambda: encode(hum(2, 24_000), "wav", 24_000),
    "mp3": lambda: encode(hum(2, 24_000), "mp3", 24_000),
    "flac": lambda: encode(hum(2, 24_000), "flac", 24_000),
    "ogg opus": lambda: encode(hum(2, 24_000), "opus", 24_000),
    "aac": lambda: encode(hum(2, 24_000), "aac", 24_000),
    "m4a": lambda: muxed("mp4", "aac", "stereo", 44_100),
    "webm": lambda: muxed("webm", "libopus", "stereo", 48_000),
    "8 channels": lambda: muxed("wav", "pcm_s16le", "7.1", 48_000),
    "192 kHz": lambda: muxed("flac", "flac", "stereo", 192_000),
    "8 channels of 192 kHz in 24 bits": lambda: muxed("wav", "pcm_s24le", "7.1", 192_000),
    "float wav": lambda: muxed("wav", "pcm_f32le", "mono", 48_000),
    "8 kHz mu-law wav": lambda: muxed("wav", "pcm_mulaw", "mono", 8000),
}


@pytest.mark.parametrize("name", FILES)
def test_every_format_is_read(name: str, tmp_path: Path) -> None:
    data = FILES[name]()
    heard = read_recording(data, rate_hz=RATE_HZ, max_s=60)
    assert heard.dtype == np.float32
    assert len(heard) / RATE_HZ == pytest.approx(2.0, abs=0.1)
    middle = heard[8000:24000]
    assert np.argmax(np.abs(np.fft.rfft(middle))) == pytest.approx(440, abs=2)
    assert np.abs(middle).max() == pytest.approx(0.3, abs=0.04)
    renamed = tmp_path / "renamed.txt"
    renamed.write_bytes(data)
    assert np.array_equal(read_recording(renamed, rate_hz=RATE_HZ, max_s=60), heard)
    with renamed.open("rb") as file:
        file.seek(5)
        assert np.array_equal(read_recording(file, rate_hz=RATE_HZ, max_s=60), heard)
        assert not file.closed


def test_the_mix_is_the_mean_of_the_channels() -> None:
    left, right = hum(1, RATE_HZ), np.zeros(RATE_HZ, np.float32)
    pcm = (np.stack([left, right], axis=1).reshape(-1) * 32767).astype("<i2").tobytes()
    heard = read_recording(pcm, rate_hz=RATE_HZ, max_s=60, raw=RawFormat(RATE_HZ, channels=2))
    assert np.abs(heard - left / 2).max() < 1e-3


def test_opposed_channels_do_not_cancel() -> None:
    left = hum(1, RATE_HZ)
    pcm = (np.stack([left, -left], axis=1).reshape(-1) * 32767).astype("<i2").tobytes()
    heard = read_recording(pcm, rate_hz=RATE_HZ, max_s=60, raw=RawFormat(RATE_HZ, channels=2))
    assert np.abs(heard - left).max() < 1e-3


@pytest.mark.parametrize(("bits", "loud"), [(8, 0xFF), (16, 0x7F), (24, 0x7F), (32, 0x7F)])
def test_headerless_pcm_of_every_width(bits: int, loud: int) -> None:
    sample = bytes([loud] * (bits // 8))
    heard = read_recording(sample * RATE_HZ, rate_hz=RATE_HZ, max_s=60, raw=RawFormat(RATE_HZ, bits=bits))
    assert len(heard) == RATE_HZ
    assert heard[100] == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(
    "data",
    [
        b"This is not audio.\n" * 100,
        b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile '/etc/passwd'\n",
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
        b"\x89PNG\r\n\x1a\n" + bytes(1000),
        b"%PDF-1.4\n" + bytes(1000),
        b"PK\x03\x04" + bytes(1000),
        bytes(100_000),
        b"\0",
        b"RIFF\xff\xff\xff\xffWAVE",
        np.random.default_rng(0).bytes(200_000),
    ],
    ids=["text", "playlist", "concat", "sdp", "png", "pdf", "zip", "zeros", "byte", "riff", "noise"],
)
def test_what_is_no_audio_is_refused(data: bytes) -> None:
    assert refusal(data).code == "unsupported_format"


def test_a_film_without_sound_is_refused() -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        stream = output.add_stream("mpeg4", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width = stream.height = 64
        output.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        output.mux(stream.encode(None))
    error = refusal(file.getvalue())
    assert (error.code, error.message) == ("invalid_audio", "The file has no sound track.")


def test_an_empty_file_is_refused() -> None:
    assert refusal(b"").code == "invalid_audio"
    assert refusal(b"", raw=RawFormat(16_000)).code == "invalid_audio"
    assert refusal(encode(hum(0, 24_000), "wav", 24_000)).code in {"invalid_audio", "unsupported_format"}


@pytest.mark.parametrize("name", ["wav", "flac", "m4a", "192 kHz"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7])
def test_a_file_that_was_cut_off_is_refused(name: str, share: float) -> None:
    data = FILES[name]()
    assert refusal(data[: int(len(data) * share)]).code in {"invalid_audio", "unsupported_format"}


def test_a_streamed_wav_is_read_to_its_end() -> None:
    pcm = (hum(1, 24_000) * 32767).astype("<i2").tobytes()
    for header in (wav_header(24_000), wav_header(24_000, 0x7FFFFFF0 - 44)):
        assert len(read_recording(header + pcm, rate_hz=24_000, max_s=60)) == 24_000


@pytest.mark.parametrize("format", ["mp3", "opus", "aac"])
def test_the_beginning_of_a_stream_is_a_recording(format: FileFormat) -> None:
    data = encode(hum(4, 24_000), format, 24_000)
    assert len(read_recording(data[: len(data) // 2], rate_hz=RATE_HZ, max_s=60)) / RATE_HZ == pytest.approx(2, abs=0.3)


def test_a_stream_that_begins_within_a_frame_is_read() -> None:
    data = encode(hum(4, 24_000), "mp3", 24_000)
    assert len(read_recording(data[len(data) // 2 + 7 :], rate_hz=RATE_HZ, max_s=60)) / RATE_HZ > 1.5


class Watched(io.BytesIO):
    """Counts how much is read."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.taken += len(data)
        return data


LONG: dict[str, Callable[[], bytes]] = {
    "wav": lambda: encode(hum(120, 24_000), "wav", 24_000),
    "streamed wav": lambda: wav_header(24_000) + bytes(120 * 48_000),
    "mp3": lambda: encode(hum(120, 24_000), "mp3", 24_000),
    "mp3 with a cover": lambda: tag(300_000) + encode(hum(120, 24_000), "mp3", 24_000),
    "stereo mp3": lambda: muxed("mp3", "libmp3lame", "stereo", 44_100, 120),
    "m4a": lambda: muxed("mp4", "aac", "mono", 24_000, 120),
    "flac": lambda: muxed("flac", "flac", "mono", 24_000, 120),
}


def tag(size: int) -> bytes:
    """An ID3v2 tag that holds nothing."""
    return b"ID3\x04\0\0" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + bytes(size)


@pytest.mark.parametrize("name", LONG)
def test_what_says_that_it_is_too_long_is_not_read_to_its_end(name: str) -> None:
    content = LONG[name]()
    file = Watched(content)
    with pytest.raises(ClientError) as refused:
        read_recording(file, rate_hz=RATE_HZ, max_s=60)
    assert (refused.value.code, refused.value.message) == ("audio_too_long", "The audio is longer than 60 s.")
    assert file.taken < len(content) / 2
    assert len(read_recording(content, rate_hz=RATE_HZ, max_s=121)) / RATE_HZ == pytest.approx(120, abs=0.2)


@pytest.mark.parametrize("format", ["opus", "aac", "webm"])
def test_what_does_not_say_so_for_certain_is_read_as_far_as_it_may_be_long(format: str) -> None:
    if format == "webm":
        content = muxed("webm", "libopus", "mono", 24_000, 120)
    else:
        content = encode(hum(120, 24_000), "opus" if format == "opus" else "aac", 24_000)
    file = Watched(content)
    with pytest.raises(ClientError) as refused:
        read_recording(file, rate_hz=RATE_HZ, max_s=60)
    assert refused.value.code == "audio_too_long"
    assert file.taken < len(content) * 0.75


def told_s(content: bytes) -> float:
    """How long players take a file to be before they have played it."""
    with av.open(io.BytesIO(content), "r") as opened:
        assert opened.duration is not None
        return opened.duration / av.time_base


def quiet_mp3_frames(count: int) -> bytes:
    """Frames of 16 kbit/s, which have 48 bytes each, as an mp3 with a changing bit rate begins."""
    frame = bytearray(Encoder("mp3", 24_000).write(np.zeros(24_000, np.float32))[:48])
    frame[2] = frame[2] & 0x0F | 0x20
    return bytes(frame) * count


def loud_mp3() -> bytes:
    """30 s that do not count their frames."""
    encoder = Encoder("mp3", 24_000)
    return encoder.write(hum(30, 24_000)) + encoder.finish()


def overtaken_count() -> bytes:
    """An mp3 that counts its second of sound, in a frame of 16 kbit/s, and another behind it: players guess then."""
    counting = bytearray(muxed("mp3", "libmp3lame", "mono", 24_000, 1))
    count = bytearray(48)
    at = counting.index(b"Info" if b"Info" in counting else b"Xing")
    start = counting.index(b"\xff\xf3")
    count[: at + 16 - start] = counting[start : at + 16]
    count[2] = count[2] & 0x0F | 0x20
    sound = counting.index(b"\xff\xf3", at)
    return bytes(count) + bytes(counting[sound:]) + loud_mp3()


def live_ogg(hours: int) -> bytes:
    """30 s of a stream that has been going on for hours: its clock began with it."""
    pages: list[bytes] = []
    file = encode(hum(30, 24_000), "opus", 24_000)
    while file:
        segments = file[26]
        size = 27 + segments + sum(file[27 : 27 + segments])
        page, file = bytearray(file[:size]), file[size:]
        if len(pages) > 1:  # the first two are headers
            page[6:14] = (int.from_bytes(page[6:14], "little") + hours * 3600 * 48_000).to_bytes(8, "little")
        page[22:26] = bytes(4)
        page[22:26] = checksum(page).to_bytes(4, "little")
        pages.append(bytes(page))
    return b"".join(pages)


def checksum(page: bytearray) -> int:
    """Ogg's CRC-32: most significant bit first, nothing inverted."""
    value = 0
    for byte in page:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
    return value


def beginning(content: bytes, share: float) -> bytes:
    return content[: int(len(content) * share)]


GUESSED: dict[str, Callable[[], bytes]] = {
    "a quiet beginning": lambda: quiet_mp3_frames(50) + loud_mp3(),
    "a count that was overtaken": overtaken_count,
    "a part of a counted mp3": lambda: beginning(encode(hum(120, 24_000), "mp3", 24_000), 0.25),
    "a part of a live stream": lambda: live_ogg(3),
    "a part of a webm": lambda: beginning(muxed("webm", "libopus", "mono", 24_000, 120), 0.25),
}


@pytest.mark.parametrize("name", GUESSED)
def test_nothing_is_refused_for_a_length_that_is_a_guess(name: str) -> None:
    content = GUESSED[name]()
    assert told_s(content) > 41
    assert len(read_recording(content, rate_hz=RATE_HZ, max_s=40)) / RATE_HZ == pytest.approx(30.5, abs=1)


def test_two_hours_are_refused_in_little_memory() -> None:
    flac = encode(np.zeros(8000 * 7200, np.float32), "flac", 8000)
    assert len(flac) < 2_000_000
    tracemalloc.start()
    try:
        error = refusal(flac, most_s=60)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (error.code, error.message) == ("audio_too_long", "The audio is longer than 60 s.")
    assert peak < 40_000_000


def test_a_wav_that_lies_about_its_shape_is_refused() -> None:
    slow = bytearray(encode(hum(1, 24_000), "wav", 24_000))
    slow[24:28] = (1).to_bytes(4, "little")
    assert refusal(bytes(slow)).code == "unsupported_format"
    crowded = bytearray(encode(hum(1, 24_000), "wav", 24_000))
    crowded[22:24] = (60_000).to_bytes(2, "little")
    assert refusal(bytes(crowded)).code in {"unsupported_format", "invalid_audio"}


def test_headerless_pcm_that_cannot_be_is_refused() -> None:
    assert refusal(b"\0\0\0", raw=RawFormat(RATE_HZ)).code == "invalid_audio"
    assert refusal(bytes(4), raw=RawFormat(1)).code == "unsupported_format"
    assert refusal(bytes(4), raw=RawFormat(RATE_HZ, channels=0)).code == "unsupported_format"
    assert refusal(bytes(4), raw=RawFormat(RATE_HZ, bits=12)).code == "unsupported_format"


def test_what_is_not_a_number_becomes_silence() -> None:
    data = bytearray(muxed("wav", "pcm_f32le", "mono", 48_000))
    data[-40_000:] = np.full(10_000, np.nan, "<f4").tobytes()
    heard = read_recording(bytes(data), rate_hz=48_000, max_s=60)
    assert np.isfinite(heard).all()
    assert np.abs(heard).max() <= 1.0


@given(
    st.sampled_from(sorted(FILES)),
    st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=40),
    st.floats(0, 1),
)
@settings(max_examples=60, deadline=None)
def test_spoiled_files_are_read_or_refused(name: str, spots: list[tuple[float, int]], share: float) -> None:
    data = bytearray(FILES[name]())
    for at, value in spots:
        data[int(at * len(data))] = value
    with suppress(ClientError):
        heard = read_recording(bytes(data[: int(share * len(data)) + 1]), rate_hz=RATE_HZ, max_s=30)
        assert np.isfinite(heard).all()


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    threads = threading.active_count()
    for name in ("wav", "mp3", "m4a"):
        data = FILES[name]()
        read_recording(data, rate_hz=RATE_HZ, max_s=60)
        refusal(data, most_s=1)
        refusal(data[:30])
    assert not list(tmp_path.iterdir())
    assert threading.active_count() == threads
