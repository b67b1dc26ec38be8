"""Answers that are audio, sent while it is being made.

What goes wrong before the first byte is answered with its HTTP status. Later there is no way to say it within audio: the
connection breaks, so that no client takes a part for the whole. A client that hangs up, or stops reading, ends the work.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from vivavoce.http.disconnects import while_connected

log = logging.getLogger(__name__)

STALLED_S = 60.0
"""A client that reads nothing for so long is gone."""


async def audio_stream(
    request: Request, pieces: AsyncGenerator[bytes, None], content_type: str, headers: Mapping[str, str]
) -> Response:
    """Begin to make ``pieces`` and answer with them.

    Raises what making the first one raises, and ``ClientDisconnect``. The body of ``request`` must have been read.
    """
    try:
        first = await while_connected(request.receive, _first(pieces))
    except BaseException:
        await pieces.aclose()
        raise
    return _AudioStream(first, pieces, content_type, headers)


async def _first(pieces: AsyncGenerator[bytes, None]) -> bytes:
    return await anext(pieces)


class _AudioStream(Response):
    """Sends pieces as they come; ``pieces`` is closed when the response ends, however it ends."""

    def __init__(
        self, first: bytes, pieces: AsyncGenerator[bytes, None], content_type: str, headers: Mapping[str, str]
    ) -> None:
        quick = {"cache-control": "no-store", "x-accel-buffering": "no"}
        super().__init__(headers={**quick, **headers}, media_type=content_type)
        del self.headers["content-length"]
        self._first = first
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send everything, or as much as the client stays for."""
        try:
            await while_connected(receive, self._send(send))
        except ClientDisconnect:
            log.debug("the client is gone")
        except TimeoutError:
            log.warning("a client stopped reading its audio")
            raise
        finally:
            await self._pieces.aclose()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await self._send_piece(send, self._first)
        async for piece in self._pieces:
            await self._send_piece(send, piece)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_piece(self, send: Send, piece: bytes) -> None:
        async with asyncio.timeout(STALLED_S):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
