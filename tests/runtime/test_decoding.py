"""Decoding in a thread: given up, it stops before its file is let go."""

from __future__ import annotations

import asyncio
import io
import threading

import numpy as np
import pytest

from vivavoce.audio.encoding import encode
from vivavoce.audio.recordings import read_recording
from vivavoce.errors import ClientError
from vivavoce.runtime.decoding import recording_of
from vivavoce.types import Samples

RATE_HZ = 16_000


def hum(seconds: float) -> Samples:
    return (0.3 * np.sin(np.arange(round(seconds * RATE_HZ)) / 6)).astype(np.float32)


class HeldUp(io.BytesIO):
    """A file that waits in the middle of being read."""

    def __init__(self, content: bytes, at: int) -> None:
        super().__init__(content)
        self.taken = 0
        self.entered, self.go_on = threading.Event(), threading.Event()
        self._at = at

    def read(self, size: int | None = -1, /) -> bytes:
        if self.taken >= self._at:
            self.entered.set()
            assert self.go_on.wait(20)
        data = super().read(size)
        self.taken += len(data)
        return data


async def test_giving_up_ends_the_reading_before_the_file_is_let_go() -> None:
    file = HeldUp(encode(hum(100), "wav", RATE_HZ), at=200_000)
    reading = asyncio.create_task(recording_of(file, rate_hz=RATE_HZ, most_s=3600))
    assert await asyncio.to_thread(file.entered.wait, 20)
    reading.cancel()
    await asyncio.sleep(0.05)
    assert not reading.done()
    file.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await reading
    file.close()  # nobody reads it any more
    assert file.taken < 1_000_000


async def test_the_result_and_the_refusals_are_the_same() -> None:
    data = encode(hum(2), "flac", RATE_HZ)
    assert np.array_equal(
        await recording_of(data, rate_hz=RATE_HZ, most_s=60), read_recording(data, rate_hz=RATE_HZ, most_s=60)
    )
    with pytest.raises(ClientError, match="empty"):
        await recording_of(b"", rate_hz=RATE_HZ, most_s=60)
