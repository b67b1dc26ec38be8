"""Undoing a transfer's compression in steps of a bounded size: a megabyte can hold a gigabyte of zeros."""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator, AsyncIterator

from vivavoce.errors import ClientError

STEP_BYTES = 64 * 1024
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


async def decoded(chunks: AsyncIterator[bytes], encoding: str) -> AsyncGenerator[bytes]:
    """``chunks`` without their ``Content-Encoding``, in pieces of at most ``STEP_BYTES`` where they were compressed.

    Raises ``ClientError`` (``url_unreachable``) for encodings nobody asked for, and for what does not decode.
    """
    names = [name.strip() for name in encoding.lower().split(",") if name.strip() not in ("", "identity")]
    if not names:
        async for chunk in chunks:
            yield chunk
        return
    if len(names) > 1 or names[0] not in ("gzip", "x-gzip", "deflate"):
        raise ClientError("The URL's content uses a compression that was not requested.", code="url_unreachable")
    try:
        async for piece in _inflated(chunks):
            yield piece
    except zlib.error as error:
        raise ClientError("The URL's compressed content is damaged.", code="url_unreachable") from error


async def _inflated(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    inflating = zlib.decompressobj(_GZIP_OR_ZLIB)
    async for chunk in chunks:
        remaining = chunk
        while remaining and not inflating.eof:
            piece = inflating.decompress(remaining, STEP_BYTES)
            remaining = inflating.unconsumed_tail
            if piece:
                yield piece
    # what the decompressor has read and not yet given back
    while not inflating.eof and (piece := inflating.decompress(inflating.unconsumed_tail, STEP_BYTES)):
        yield piece
