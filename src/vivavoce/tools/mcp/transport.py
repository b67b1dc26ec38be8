"""How a client's tool server is reached over HTTP: only at addresses that may be, and never with more than we can take.

The address that was checked is the one that is connected to (``net.fetching``): a name that means something else a moment
later leads nowhere.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import httpx2

from vivavoce.net.fetching import Fetcher

MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""Of one HTTP response: a tool's answer, or a stream of them."""

IO_TIMEOUT_S = 20.0
"""For a connection, and between two pieces of an answer; each call has its own deadline besides."""


class CheckedTransport(httpx2.AsyncBaseTransport):
    """Sends each request to an address its host may have. Raises ``ClientError`` (``url_not_allowed``)."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self._transport = httpx2.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """One request."""
        host = request.url.host
        addresses = await self._fetcher.addresses(str(request.url))
        request.extensions = {**request.extensions, "sni_hostname": host}
        failure: httpx2.ConnectError | None = None
        for address in addresses:
            request.url = request.url.copy_with(host=address)
            try:
                return await self._transport.handle_async_request(request)
            except httpx2.ConnectError as error:
                failure = error
        raise failure or httpx2.ConnectError("the host has no address")

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()


class BoundedTransport(httpx2.AsyncBaseTransport):
    """Lets no response grow beyond ``MAX_ANSWER_BYTES``."""

    def __init__(self, transport: httpx2.AsyncBaseTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """One request."""
        response = await self._transport.handle_async_request(request)
        stream = response.stream
        if isinstance(stream, httpx2.AsyncByteStream):
            response.stream = _Bounded(stream)
        return response

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        total = 0
        async for chunk in self._stream:
            total += len(chunk)
            if total > MAX_ANSWER_BYTES:
                raise httpx2.ReadError(f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
            yield chunk

    async def aclose(self) -> None:
        """Stop reading."""
        await self._stream.aclose()


def http_client(headers: Mapping[str, str], fetcher: Fetcher | None) -> httpx2.AsyncClient:
    """A client with these headers; without a fetcher (the operator's own servers) every address is allowed."""
    transport = httpx2.AsyncHTTPTransport() if fetcher is None else CheckedTransport(fetcher)
    # Proxies of the environment would connect for us, to addresses nobody has checked.
    return httpx2.AsyncClient(
        headers=dict(headers),
        transport=BoundedTransport(transport),
        timeout=httpx2.Timeout(IO_TIMEOUT_S),
        trust_env=False,
    )
