"""Recordings are decoded in child processes: the same samples, bounded, and no death of a child is a recording's fault."""

from __future__ import annotations

import asyncio
import io
import signal
import struct
import tempfile
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import psutil
import pytest

from vivavoce.audio.encoding import encode
from vivavoce.audio.recordings import RawFormat, read_recording
from vivavoce.children import pool
from vivavoce.errors import ClientError, EngineError
from vivavoce.runtime import decoding
from vivavoce.runtime.decoding import RecordingDecoder
from vivavoce.types import Samples

RATE_HZ = 16_000
MIB = 1024 * 1024


def hum(seconds: float) -> Samples:
    return (0.3 * np.sin(np.arange(round(seconds * RATE_HZ)) / 6)).astype(np.float32)


FLAC = encode(hum(1), "flac", RATE_HZ)


OTHERS: set[int] = set()


@pytest.fixture
async def decoder() -> AsyncIterator[RecordingDecoder]:
    OTHERS.clear()
    OTHERS.update(child.pid for child in psutil.Process().children())
    decoder = RecordingDecoder()
    await decoder.open()
    yield decoder
    await decoder.close()


def children() -> list[psutil.Process]:
    """Those of this file's decoder: servers of other tests may have some, too."""
    return [child for child in psutil.Process().children() if child.pid not in OTHERS and is_decoding(child)]


def is_decoding(child: psutil.Process) -> bool:
    try:
        return "vivavoce.runtime.decoding_child" in " ".join(child.cmdline())
    except (psutil.ZombieProcess, psutil.NoSuchProcess):
        return False


async def test_the_samples_and_the_refusals_are_the_same(decoder: RecordingDecoder, tmp_path: Path) -> None:
    data = encode(hum(2), "flac", RATE_HZ)
    here = read_recording(data, rate_hz=RATE_HZ, max_s=60)
    (tmp_path / "a.flac").write_bytes(data)
    with tempfile.SpooledTemporaryFile() as spooled:
        spooled.write(data)
        sources: list[bytes | BinaryIO | Path] = [data, io.BytesIO(data), tmp_path / "a.flac", spooled]  # type: ignore[list-item]
        for source in sources:
            assert np.array_equal(await decoder.decode(source, rate_hz=RATE_HZ, max_s=60), here)
    raw = await decoder.decode(b"\1\0" * 800, rate_hz=8_000, max_s=60, raw=RawFormat(8_000))
    assert len(raw) == 800
    for content, options, code in (
        (b"", {}, "invalid_audio"),
        (b"no audio", {}, "unsupported_format"),
        (data, {"max_s": 0.5}, "audio_too_long"),
        (data, {"channel": 1}, "no_such_channel"),
    ):
        with pytest.raises(ClientError) as refused:
            await decoder.decode(content, **{"rate_hz": RATE_HZ, "max_s": 60, **options})  # type: ignore[arg-type]
        assert refused.value.code == code
    assert len(children()) == 1  # all of it in one process


async def test_a_file_on_the_disk_stays_where_its_reader_was(decoder: RecordingDecoder) -> None:
    data = encode(hum(60), "wav", RATE_HZ)
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        file.read(10)
        file.seek(0)
        assert len(await decoder.decode(file, rate_hz=RATE_HZ, max_s=100)) == 60 * RATE_HZ
        file.seek(0)
        assert file.read() == data


def peak_mib(process: psutil.Process) -> float:
    """The most memory it ever had; on systems that do not keep it, what it has."""
    status = Path(f"/proc/{process.pid}/status")
    if status.exists():
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024
    return float(process.memory_info().rss) / MIB


def png(side: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(1)
    rows = b"".join(packer.compress(bytes(1 + side)) for _ in range(side)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(kind, data)
        for kind, data in (
            (b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)),
            (b"IDAT", rows),
            (b"IEND", b""),
        )
    )


def with_cover(flac: bytes, picture: bytes, side: int) -> bytes:
    """The FLAC with a picture block behind its stream information (RFC 9639, section 8.8)."""
    kind = b"image/png"
    block = struct.pack(">II", 3, len(kind)) + kind + struct.pack(">IIIII", 0, side, side, 8, 0)
    block += struct.pack(">I", len(picture)) + picture
    return flac[:42] + b"\x06" + len(block).to_bytes(3, "big") + block + flac[42:]


async def test_covers_are_not_looked_at(decoder: RecordingDecoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MEMORY_BYTES", 2048 * MIB)  # it could
    flac = encode(hum(1), "flac", RATE_HZ)
    assert not flac[4] & 0x80  # its stream information is not the last of its blocks
    data = with_cover(flac, png(16_000), 16_000)
    assert len(await decoder.decode(data, rate_hz=RATE_HZ, max_s=60)) == RATE_HZ
    (child,) = children()
    assert peak_mib(child) < 120


async def test_a_process_that_died_while_it_waited_costs_nobody_a_recording(decoder: RecordingDecoder) -> None:
    (child,) = children()
    child.kill()
    assert len(await decoder.decode(encode(hum(1), "mp3", RATE_HZ), rate_hz=RATE_HZ, max_s=60)) == RATE_HZ


async def stopped(child: psutil.Process) -> None:
    child.suspend()
    async with asyncio.timeout(20):
        while child.status() != psutil.STATUS_STOPPED:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_all_processes_that_wait_may_be_killed(decoder: RecordingDecoder) -> None:
    await asyncio.gather(*(decoder.decode(FLAC, rate_hz=RATE_HZ, max_s=60) for _ in range(3)))
    assert len(decoder._children.idle) == decoding.MAX_IDLE_CHILDREN
    for child in children():
        child.kill()
    assert len(await decoder.decode(FLAC, rate_hz=RATE_HZ, max_s=60)) == RATE_HZ


@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGSEGV])
async def test_a_process_that_dies_is_replaced_once(decoder: RecordingDecoder, ended_by: signal.Signals) -> None:
    (child,) = children()
    await stopped(child)
    decoded = asyncio.create_task(decoder.decode(FLAC, rate_hz=RATE_HZ, max_s=60))
    await asyncio.sleep(0.05)  # it has its job now, or will be sent it too late: the same
    child.send_signal(ended_by)
    child.resume()
    assert len(await decoded) == RATE_HZ


@pytest.mark.parametrize(("ended_by", "error"), [(signal.SIGKILL, EngineError), (signal.SIGSEGV, ClientError)])
async def test_one_that_ends_two_processes_is_refused_unless_something_else_did(
    ended_by: signal.Signals, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Doomed(pool.PooledChild):
        def __init__(self, module: str) -> None:
            super().__init__(module)
            self._process.send_signal(ended_by)

    decoder = RecordingDecoder()
    monkeypatch.setattr(pool, "PooledChild", Doomed)
    with pytest.raises(error) as caught:
        await decoder.decode(FLAC, rate_hz=RATE_HZ, max_s=60)
    if isinstance(caught.value, EngineError):
        assert caught.value.retriable
    monkeypatch.undo()
    assert len(await decoder.decode(FLAC, rate_hz=RATE_HZ, max_s=60)) == RATE_HZ
    await decoder.close()


async def test_a_recording_may_take_so_much_time(decoder: RecordingDecoder, monkeypatch: pytest.MonkeyPatch) -> None:
    long = encode(np.tile(hum(60), 10), "opus", RATE_HZ)
    for name, most in (("CPU_S", 0), ("CPU_SHARE", 0)):
        monkeypatch.setattr(decoding, name, most)
    monkeypatch.setattr(decoding, "WALL_TIME_FACTOR", float("inf"))
    with pytest.raises(ClientError, match="too long"):
        await decoder.decode(long * 3, rate_hz=RATE_HZ, max_s=4000)
    monkeypatch.undo()
    assert len(await decoder.decode(FLAC, rate_hz=RATE_HZ, max_s=60)) == RATE_HZ


async def test_one_that_stands_still_is_ended_in_the_end(
    decoder: RecordingDecoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    (child,) = children()
    await stopped(child)
    monkeypatch.setattr(decoding, "WALL_TIME_FACTOR", 0.001)
    with pytest.raises(ClientError, match="too long"):
        await decoder.decode(FLAC, rate_hz=RATE_HZ, max_s=60)
    monkeypatch.undo()
    assert len(await decoder.decode(FLAC, rate_hz=RATE_HZ, max_s=60)) == RATE_HZ


async def test_giving_up_ends_the_process_before_the_file_is_let_go(decoder: RecordingDecoder) -> None:
    (child,) = children()
    await stopped(child)
    with tempfile.TemporaryFile() as file:
        file.write(encode(hum(60), "wav", RATE_HZ))
        reading = asyncio.create_task(decoder.decode(file, rate_hz=RATE_HZ, max_s=1000))
        await asyncio.sleep(0.05)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
    assert not children()


async def test_nothing_is_left_of_a_process_whose_reader_is_cancelled_twice(decoder: RecordingDecoder) -> None:
    """As it is when a client hangs up while the server goes down: the second one ended the wait for the process's end."""
    (child,) = children()
    await stopped(child)
    (process,) = decoder._children.idle
    reading = asyncio.create_task(decoder.decode(FLAC, rate_hz=RATE_HZ, max_s=60))
    await asyncio.sleep(0.05)
    for _ in range(2):
        reading.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await reading
    async with asyncio.timeout(20):
        while process._channel.fileno() != -1:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert not children()


async def test_short_recordings_do_not_wait_for_long_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    class Standing(pool.PooledChild):
        def __init__(self, module: str) -> None:
            super().__init__(module)
            self._process.send_signal(signal.SIGSTOP)

    decoder = RecordingDecoder()
    monkeypatch.setattr(decoding, "LONG_BYTES", 100_000)
    monkeypatch.setattr(pool, "PooledChild", Standing)
    long = encode(hum(60), "wav", RATE_HZ)
    waiting = [asyncio.create_task(decoder.decode(long, rate_hz=RATE_HZ, max_s=1000)) for _ in range(6)]
    await asyncio.sleep(0)
    monkeypatch.undo()
    assert len(await decoder.decode(FLAC, rate_hz=RATE_HZ, max_s=60)) == RATE_HZ
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await decoder.close()


async def test_closing_leaves_no_process(decoder: RecordingDecoder) -> None:
    await decoder.decode(FLAC, rate_hz=RATE_HZ, max_s=60)
    await decoder.close()
    assert not children()
