"""Requests to an engine elsewhere: pooled connections, time limits, retries before the answer begins, a circuit breaker.

httpx carries them. Its own time limits are per read, whatever the answer is at; those here tell the first piece from the next.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from time import monotonic
from typing import Any, TypeVar

import httpx

from vivavoce.engines.remote.breaker import CircuitBreaker
from vivavoce.engines.remote.errors import RemoteError, retry_after_s, status_error
from vivavoce.engines.remote.settings import RemoteSettings

log = logging.getLogger(__name__)

BACKOFF_S = 0.2
"""Before the second attempt, twice as long before each further one, less at random: many clients do not come back at once."""

HEALTH_TIMEOUT_S = 2.0
HEALTH_INTERVAL_S = 5.0
"""Whoever asks more often is told what was found last."""

DRAIN_S = 0.2
"""What the end of an answer may take behind its last event."""

_MAX_ERROR_BYTES = 16 * 1024
_ERROR_BODY_S = 2.0

_Item = TypeVar("_Item")


class Answer:
    """An answer that has begun well. ``content_type`` is in lower case and without parameters.

    Its first piece of worth has to be there by ``until`` (monotonic seconds), each further one within the settings' time.
    """

    def __init__(self, response: httpx.Response, client: RemoteClient, until: float) -> None:
        self._response = response
        self._client = client
        self._until = until
        self._begun = False
        self.headers: Mapping[str, str] = response.headers
        self.content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()

    def progressed(self) -> None:
        """What came last was of worth, and no keep-alive: the time for the next piece begins."""
        self._begun = True
        self._until = monotonic() + self._client.settings.between_s
        self._client.answers()

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes, no piece empty. Raises ``RemoteError`` for one that is late, and for a broken connection."""
        iterator = self._response.aiter_bytes()
        while True:
            with self._client.failures(begun=self._begun):
                async with asyncio.timeout(max(self._until - monotonic(), 0.0)):
                    piece = await anext(iterator, None)
            if piece is None:
                return
            if piece:
                yield piece

    def ends(self) -> None:
        """What matters has come. The end of the answer has a moment, so that the connection can be used again."""
        self._until = monotonic() + DRAIN_S

    async def body(self, max_bytes: int) -> bytes:
        """All of it. Raises ``RemoteError``, also for more than ``max_bytes``."""
        body = bytearray()
        async with aclosing(self.pieces()) as pieces:
            async for piece in pieces:
                self.progressed()
                body += piece
                if len(body) > max_bytes:
                    raise RemoteError(self._client.engine, f"answered with more than {max_bytes} bytes")
        return bytes(body)


class RemoteClient:
    """The connections to one engine elsewhere. ``engine`` is what the configuration calls it, and what errors name.

    Raises ``ValueError`` for certificates that cannot be read.
    """

    def __init__(self, engine: str, settings: RemoteSettings) -> None:
        self.engine = engine
        self.settings = settings
        self.breaker = CircuitBreaker(settings.failures, settings.pause_s)
        self._key = settings.api_key.get_secret_value() if settings.api_key is not None else None
        self.tls = _tls(settings)
        self._http = httpx.AsyncClient(**self._options(), limits=httpx.Limits(max_connections=settings.connections))
        self._health: str | None = None
        self._health_until = 0.0
        self._doubt: str | None = None
        self._refusal: str | None = None
        self._has_answered = False
        self._checking = asyncio.Lock()

    # ---- requests

    @asynccontextmanager
    async def post(self, path: str, **request: Any) -> AsyncIterator[Answer]:
        """One POST; ``request`` is what httpx takes (``json``, ``data``, ``files``). Leaving the block closes it at once.

        Raises ``RemoteError``: the other side cannot be reached, is left alone for a while, is late, or refuses.
        """
        if not self.breaker.admit(monotonic()):
            raise RemoteError(self.engine, f"is away: {self.breaker.failure}", retriable=True)
        try:
            until = monotonic() + self.settings.first_s
            with self.failures(begun=False):
                async with asyncio.timeout(self.settings.first_s):
                    response = await self._sent(path, request)
            try:
                await self._require_success(response)
                yield Answer(response, self, until)
            finally:
                await response.aclose()
        except RemoteError as error:
            if error.away:
                self.breaker.failed(monotonic(), error.message)
            elif error.status is not None:
                self.breaker.succeeded()
                if error.lasting:
                    self._refusal = error.message
            raise
        finally:
            self.breaker.abandoned()

    async def retried(self, attempt: Callable[[], AsyncGenerator[_Item, None]]) -> AsyncGenerator[_Item, None]:
        """What ``attempt`` yields. One that fails before it yields anything is made again, as the settings say."""
        deadline, number = monotonic() + self.settings.first_s, 0
        while True:
            begun = False
            try:
                async with aclosing(attempt()) as items:
                    async for item in items:
                        begun = True
                        yield item
                return
            except RemoteError as error:
                delay_s = None if begun else self._delay_s(error, number, deadline - monotonic())
                if delay_s is None:
                    raise
                log.info("%s; tried again in %.1f s", error, delay_s)
            await asyncio.sleep(delay_s)
            number += 1

    async def get(self, path: str, timeout_s: float) -> httpx.Response:
        """One GET of something small that costs nothing. Raises ``RemoteError`` when there is no answer."""
        with self.failures(begun=False):
            async with asyncio.timeout(timeout_s):
                return await self._http.get(path)

    def answers(self) -> None:
        """A request has come to something: the other side is there, and knows key and model."""
        self.breaker.succeeded()
        self._has_answered, self._refusal = True, None

    async def health(self) -> str | None:
        """Why the other side cannot be used now; ``None``: it answers. Asks for its list of models, which costs nothing; what
        that tells of the model counts until a request has come to something."""
        async with self._checking:
            if monotonic() >= self._health_until:
                self._health = await self._probe()
                self._health_until = monotonic() + HEALTH_INTERVAL_S
        away = self.breaker.failure if self.breaker.is_open(monotonic()) else None
        return self._health or away or self._refusal or (None if self._has_answered else self._doubt)

    async def close(self) -> None:
        """Hang up."""
        await self._http.aclose()

    @property
    def root(self) -> str:
        """The address without OpenAI's ``/v1``: what servers offer beside it begins there."""
        return self.settings.url.rstrip("/").removesuffix("/v1")

    @property
    def headers(self) -> dict[str, str]:
        """What every request says of itself, the key included."""
        headers = {name: value.get_secret_value() for name, value in self.settings.headers.items()}
        return headers if self._key is None else {**headers, "Authorization": f"Bearer {self._key}"}

    # ---- inside

    def _options(self) -> dict[str, Any]:
        settings = self.settings
        return {
            "base_url": settings.url.rstrip("/") + "/",
            "headers": self.headers,
            "timeout": httpx.Timeout(None, connect=settings.connect_s, pool=settings.connect_s),
            "proxy": settings.proxy,
            "verify": self.tls,
        }

    async def _sent(self, path: str, request: Mapping[str, Any]) -> httpx.Response:
        """The beginning of an answer. Where a connection kept from before turns out to be closed, the request goes out on
        another one at once: nothing was wrong but that the other side had not kept it (RFC 9112, 9.3.1)."""
        connected = False

        async def trace(event: str, _info: object) -> None:
            nonlocal connected
            connected = connected or event.endswith("connect_tcp.complete")

        for is_last in (False, True):
            made = self._http.build_request("POST", path, **request, extensions={"trace": trace})
            try:
                return await self._http.send(made, stream=True)
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                if connected or is_last:
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def _probe(self) -> str | None:
        try:
            response = await self.get("models", HEALTH_TIMEOUT_S)
        except RemoteError as error:
            return error.message
        if response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            return f"refuses the key ({response.status_code})"
        if response.is_server_error:
            return f"answered {response.status_code}"
        self._doubt = None
        if response.status_code == httpx.codes.NOT_FOUND:
            self._doubt = "lists no models (404): its url should be the base, which mostly ends in /v1"
        elif not lists(models_in(response), self.settings.model):
            self._doubt = "does not list the model it is asked for"
        return None

    def _delay_s(self, error: RemoteError, number: int, left_s: float) -> float | None:
        """How long to wait before the next attempt; ``None``: there is none."""
        if not error.repeatable or number >= self.settings.retries:
            return None
        delay_s = error.retry_after_s
        if delay_s is None:
            delay_s = BACKOFF_S * 2**number * random.uniform(0.5, 1.0)
        return delay_s if delay_s < left_s else None

    async def _require_success(self, response: httpx.Response) -> None:
        """Raise ``RemoteError`` for a refusal. What it says is for the log: it may hold addresses and keys."""
        if response.is_success:
            return
        body = bytearray()
        try:
            async with asyncio.timeout(_ERROR_BODY_S):
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > _MAX_ERROR_BYTES:
                        break
        except (TimeoutError, httpx.HTTPError):
            pass  # what there is of it has to do
        detail = self.harmless(body.decode(errors="replace"))
        said = detail[:500].strip() or "(nothing)"
        log.warning("%s answered %d at %s: %s", self.engine, response.status_code, response.request.url.path, said)
        raise status_error(self.engine, response.status_code, detail, retry_after_s(response.headers))

    def harmless(self, text: str) -> str:
        """What the other side said, for the log: without the key."""
        return text.replace(self._key, "***") if self._key else text

    @contextmanager
    def failures(self, *, begun: bool) -> Iterator[None]:
        """What goes wrong with the connection inside is a ``RemoteError``; ``begun``: part of an answer has come."""
        settings = self.settings
        try:
            yield
        except TimeoutError as error:
            late = f"sent nothing more for {settings.between_s:g} s" if begun else "did not begin to answer in time"
            raise RemoteError(self.engine, late, away=True, repeatable=False, retriable=True) from error
        except httpx.PoolTimeout as error:
            raise RemoteError(self.engine, "has no connection free", retriable=True) from error
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
            said = self.harmless(f"{type(error).__name__}: {error}")
            log.warning("%s: %s cannot be reached: %s", self.engine, settings.url, said)
            raise RemoteError(self.engine, "cannot be reached", away=True, repeatable=True, retriable=True) from error
        except (httpx.HTTPError, httpx.StreamError) as error:
            log.warning("%s: %s", self.engine, self.harmless(f"{type(error).__name__}: {error}"))
            broke = "broke off in the middle of its answer" if begun else "closed the connection without an answer"
            raise RemoteError(self.engine, broke, away=True, repeatable=not begun, retriable=True) from error


def models_in(response: httpx.Response) -> tuple[Mapping[str, Any], ...]:
    """What an answer of ``/models`` lists; nothing, if it is none."""
    try:
        body = response.json() if response.is_success else {}
    except ValueError:
        return ()
    return entries_of(body.get("data") if isinstance(body, Mapping) else None)


def entries_of(listed: object) -> tuple[Mapping[str, Any], ...]:
    """The objects of a JSON list; nothing of what is none."""
    return tuple(entry for entry in listed if isinstance(entry, Mapping)) if isinstance(listed, list) else ()


def lists(models: Sequence[Mapping[str, Any]], name: str) -> bool:
    """Whether ``name`` is among ``models``, as far as these tell: Ollama's have a tag, llama.cpp's server takes any."""
    names = {entry.get("id") for entry in models}
    return not names or bool({name, f"{name}:latest"} & names) or models[0].get("owned_by") == "llamacpp"


def _tls(settings: RemoteSettings) -> ssl.SSLContext | bool:
    """How certificates are checked. Raises ``ValueError`` for files that hold none."""
    if settings.url.startswith("http://") and settings.proxy is None:
        return settings.verify
    try:
        context = httpx.create_ssl_context(verify=settings.verify)
        if settings.ca_file is not None:
            context = ssl.create_default_context(cafile=str(settings.ca_file))
        if settings.client_cert is not None:
            context.load_cert_chain(settings.client_cert, settings.client_key)
    except (ssl.SSLError, OSError) as error:
        raise ValueError(f"the certificates cannot be read: {error}") from error
    return context
