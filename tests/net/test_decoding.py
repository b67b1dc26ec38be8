"""Decompression in bounded steps."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.errors import ClientError
from vivavoce.net.decoding import STEP_BYTES, decoded


async def pieces(content: bytes, cut: int) -> AsyncIterator[bytes]:
    for start in range(0, len(content), cut):
        yield content[start : start + cut]


async def read(content: bytes, encoding: str, cut: int = 1000) -> list[bytes]:
    return [piece async for piece in decoded(pieces(content, cut), encoding)]


@given(
    st.binary(max_size=3000), st.integers(1, 4000), st.sampled_from(["gzip", "x-gzip", "deflate", "GZIP , identity"])
)
async def test_what_was_compressed_comes_back(content: bytes, cut: int, encoding: str) -> None:
    packed = zlib.compress(content) if encoding == "deflate" else gzip.compress(content)
    assert b"".join(await read(packed, encoding, cut)) == content


@given(st.binary(max_size=3000), st.integers(1, 4000))
async def test_what_was_not_compressed_stays(content: bytes, cut: int) -> None:
    assert b"".join(await read(content, "", cut)) == content


async def test_zeros_come_in_steps() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    total = 0
    async for piece in decoded(pieces(bomb, 1 << 20), "gzip"):
        assert len(piece) <= STEP_BYTES
        total += len(piece)
    assert total == 50_000_000


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "gzip;q=1", "\x00"])
async def test_an_encoding_nobody_asked_for_is_refused(encoding: str) -> None:
    with pytest.raises(ClientError) as refused:
        await read(gzip.compress(b"x"), encoding)
    assert refused.value.code == "url_unreachable"


async def test_rubbish_is_refused() -> None:
    with pytest.raises(ClientError) as refused:
        await read(b"not compressed at all", "gzip")
    assert refused.value.code == "url_unreachable"
