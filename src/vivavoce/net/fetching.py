"""Fetching a URL that a client, or a page of the web, has named: bounded in size and time, and never of this network.

The name is resolved here, every address it has is checked, and the connection goes to the address that was checked: a
name that means something else a moment later (DNS rebinding) leads nowhere. A redirect is checked like the first URL.
Nothing is sent along but the request: no cookies, no credentials, no proxy settings of the environment.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TypeAlias

import httpx

from vivavoce import __version__
from vivavoce.errors import ClientError
from vivavoce.net.addresses import is_inside_name, is_public, is_web_port
from vivavoce.net.decoding import decoded

Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host name, port → its addresses, best first. Raises ``OSError`` when it has none."""

MAX_REDIRECTS = 5
MAX_URL_CHARACTERS = 4096
_HOST = re.compile(rb"[a-zA-Z0-9._:-]+")
_ADDRESSES_TRIED = 4
_RESOLVERS = 8
_USER_AGENT = f"Mozilla/5.0 (compatible; Vivavoce/{__version__})"


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was there. ``content_type`` is the whole header in lower case, ``url`` the last one of the redirects."""

    content: bytes
    content_type: str
    url: str


@dataclass(frozen=True, slots=True)
class Download:
    """What is there, still coming. ``chunks`` are bytes without their transfer's compression, and can be read once."""

    chunks: AsyncIterator[bytes]
    content_type: str
    url: str


class Fetcher:
    """Fetches http and https URLs.

    ``allow_private`` lets it into this network (``[net] allow_private``), for intranets and tests. ``resolve`` and ``tls``
    stand in for the system's resolver and the usual certificate authorities.
    """

    def __init__(
        self, *, allow_private: bool = False, resolve: Resolve | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self._allow_private = allow_private
        # Resolving keeps to no timeout, so the threads that wait for it are not those others wait for.
        self._resolvers = ThreadPoolExecutor(_RESOLVERS, thread_name_prefix="resolve")
        self._resolve = resolve or self._ask_system
        self._tls = tls or httpx.create_ssl_context()

    def close(self) -> None:
        """Let the threads go; nothing can be fetched any more."""
        self._resolvers.shutdown(wait=False, cancel_futures=True)

    async def fetch(
        self, url: str, *, max_bytes: int, timeout_s: float, accept: Sequence[str] = (), param: str | None = None
    ) -> Fetched:
        """The whole content, in memory. Arguments and errors are those of ``stream``."""
        content = bytearray()
        async with self.stream(url, max_bytes=max_bytes, timeout_s=timeout_s, accept=accept, param=param) as download:
            async for chunk in download.chunks:
                content += chunk
        return Fetched(bytes(content), download.content_type, download.url)

    @asynccontextmanager
    async def stream(
        self, url: str, *, max_bytes: int, timeout_s: float, accept: Sequence[str] = (), param: str | None = None
    ) -> AsyncGenerator[Download]:
        """The content in pieces: ``max_bytes`` after decompression, everything within ``timeout_s``.

        ``accept`` are the media types wanted (``text/html``, ``audio/*``), all if empty. Raises ``ClientError`` about
        ``param``, on entering and while the chunks are read: ``url_not_allowed`` for addresses that are not fetched,
        ``url_unreachable`` when nothing good answers in time, ``url_too_large``, and ``unsupported_format`` for a media
        type that is not wanted.
        """
        deadline = asyncio.timeout(timeout_s)
        try:
            async with deadline, AsyncExitStack() as open_until_read:
                response, last = await self._follow(url, accept, timeout_s, open_until_read)
                yield _download(response, last, max_bytes, accept)
        except TimeoutError as error:
            if not deadline.expired():
                raise
            raise ClientError(
                f"The URL took longer than {timeout_s:g} s.", code="url_unreachable", param=param
            ) from error
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise ClientError("The URL could not be fetched.", code="url_unreachable", param=param) from error
        except ClientError as error:
            error.param = error.param or param
            raise

    async def addresses(self, url: str) -> Sequence[str]:
        """Where a URL's host may be connected to, for clients of other protocols over HTTP. Raises ``ClientError``."""
        return await self._addresses(_read(url))

    async def _follow(
        self, url: str, accept: Sequence[str], timeout_s: float, stack: AsyncExitStack
    ) -> tuple[httpx.Response, httpx.URL]:
        """The response at the end of the redirects, and where that is."""
        place = _read(url)
        for _ in range(MAX_REDIRECTS + 1):
            addresses = await self._addresses(place)
            response = await self._ask(place, addresses, accept, timeout_s, stack)
            if not response.has_redirect_location:
                return response, place
            await response.aclose()
            place = _read(str(place.join(response.headers["location"])))
        raise _unreachable(f"The URL redirects more than {MAX_REDIRECTS} times.")

    async def _addresses(self, place: httpx.URL) -> Sequence[str]:
        """Addresses of a host, every one of them allowed. Raises ``ClientError``."""
        port = (443 if place.scheme == "https" else 80) if place.port is None else place.port
        if not is_web_port(port) or (is_inside_name(place.host) and not self._allow_private):
            raise _not_allowed("This address is not fetched.")
        try:
            addresses = await self._resolve(place.raw_host.decode("ascii"), port)
        except (OSError, UnicodeError) as error:
            raise _unreachable("The URL's host is not known.") from error
        if not self._allow_private and not all(is_public(address) for address in addresses):
            raise _not_allowed("This address is not fetched.")
        return addresses[:_ADDRESSES_TRIED]

    async def _ask_system(self, host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()
        entries = await loop.run_in_executor(
            self._resolvers, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return list(dict.fromkeys(str(entry[4][0]) for entry in entries))

    async def _ask(
        self,
        place: httpx.URL,
        addresses: Sequence[str],
        accept: Sequence[str],
        timeout_s: float,
        stack: AsyncExitStack,
    ) -> httpx.Response:
        """The response of the first address that can be connected to; certificates are checked against the host's name."""
        limits = httpx.Timeout(timeout_s, connect=timeout_s / max(1, len(addresses)))
        extensions = {"timeout": limits.as_dict(), "sni_hostname": place.raw_host.decode("ascii")}
        headers = {
            "Host": place.netloc.decode("ascii"),
            "User-Agent": _USER_AGENT,
            "Accept": ", ".join(accept) or "*/*",
            "Accept-Encoding": "gzip, deflate",
            "Connection": "close",
        }
        transport = await stack.enter_async_context(httpx.AsyncHTTPTransport(verify=self._tls))
        failure: httpx.TransportError | None = None
        for address in addresses:
            request = httpx.Request("GET", place.copy_with(host=address), headers=headers, extensions=extensions)
            try:
                response = await transport.handle_async_request(request)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
            else:
                stack.push_async_callback(response.aclose)
                return response
        raise failure or _unreachable("The URL's host has no address.")


def _read(url: str) -> httpx.URL:
    """A URL as far as it can be judged before it is resolved. Raises ``ClientError``."""
    if len(url) > MAX_URL_CHARACTERS:
        raise _not_allowed(f"The URL is longer than {MAX_URL_CHARACTERS} characters.")
    try:
        place = httpx.URL(url).copy_with(fragment=None)
    except httpx.InvalidURL as error:
        raise _not_allowed("That is not a URL.") from error
    if place.scheme not in ("http", "https") or not _HOST.fullmatch(place.raw_host):
        raise _not_allowed("Only http and https URLs are fetched.")
    if place.userinfo:
        raise _not_allowed("URLs with credentials are not fetched.")
    return place


def _download(response: httpx.Response, place: httpx.URL, max_bytes: int, accept: Sequence[str]) -> Download:
    """What a response brings, if it is what was asked for. Raises ``ClientError``."""
    if not response.is_success:
        raise _unreachable(f"The URL answers {response.status_code}.")
    content_type = response.headers.get("content-type", "").lower()
    if accept and not any(_fits(content_type, accepted) for accepted in accept):
        raise ClientError("The URL's content is of a type that is not supported here.", code="unsupported_format")
    announced = response.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > max_bytes:
        raise _too_large(max_bytes)
    return Download(_bounded(response, max_bytes), content_type, str(place))


async def _bounded(response: httpx.Response, max_bytes: int) -> AsyncGenerator[bytes]:
    total = 0
    async for chunk in decoded(response.aiter_raw(), response.headers.get("content-encoding", "")):
        total += len(chunk)
        if total > max_bytes:
            raise _too_large(max_bytes)
        yield chunk


def _fits(content_type: str, accepted: str) -> bool:
    kind = content_type.partition(";")[0].strip()
    return kind == accepted or accepted == "*/*" or (accepted.endswith("/*") and kind.startswith(accepted[:-1]))


def _not_allowed(message: str) -> ClientError:
    return ClientError(message, code="url_not_allowed")


def _unreachable(message: str) -> ClientError:
    return ClientError(message, code="url_unreachable")


def _too_large(max_bytes: int) -> ClientError:
    return ClientError(f"The URL's content is larger than {max_bytes} bytes.", code="url_too_large")
