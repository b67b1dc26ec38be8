"""Search providers with a JSON API over HTTP: SearXNG (self-hosted), Brave and Tavily."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from vivavoce import __version__
from vivavoce.protocol.json_text import without_lone_surrogates
from vivavoce.tools.web_search.base import Query, SearchError, WebResult

MAX_BYTES = 4 << 20
"""Of an answer; what is longer is no list of results."""

_QUOTA = {402, 429, 432, 433}  # payment, rate; Tavily's plan and pay-as-you-go limits
_REFUSED = {401, 403}
_UNUSABLE_KEY = 422  # Brave, of a key it cannot read


class JsonApi:
    """A client for one API. ``url`` has no slash at its end."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        # No redirects: the key must not travel to another host.
        self._client = httpx.AsyncClient(
            base_url=url, headers={"User-Agent": f"Vivavoce/{__version__}", "Accept": "application/json", **headers}
        )

    async def ask(self, method: str, path: str, timeout_s: float, **request: Any) -> Mapping[str, Any]:
        """The answer, a JSON object. Raises ``SearchError``."""
        try:
            async with self._client.stream(method, path, timeout=timeout_s, **request) as response:
                _require_success(response.status_code)
                body = await _read(response)
        except httpx.TimeoutException as error:
            raise SearchError("too_slow") from error
        except httpx.DecodingError as error:
            raise SearchError("nonsense") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SearchError("unreachable") from error
        try:
            answer = json.loads(without_lone_surrogates(body))
        except (ValueError, RecursionError) as error:
            raise SearchError("nonsense") from error
        if not isinstance(answer, dict):
            raise SearchError("nonsense")
        return answer

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _require_success(status: int) -> None:
    if status in _QUOTA:
        raise SearchError("quota")
    if status in _REFUSED or status == _UNUSABLE_KEY:
        raise SearchError("refused")
    if status != httpx.codes.OK:
        raise SearchError("unreachable")


async def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_BYTES:
            raise SearchError("nonsense")
    return bytes(body)


def _hits(results: Any, *, snippet: str, published: Sequence[str]) -> list[WebResult]:
    """Results out of a list of objects with ``url``, ``title``, and the fields named; entries of other shapes are left out."""
    if not isinstance(results, list):
        raise SearchError("nonsense")
    objects = [entry for entry in results if isinstance(entry, dict)]
    return [
        WebResult(_text(entry, "url"), _text(entry, "title"), _text(entry, snippet), _text(entry, *published))
        for entry in objects
    ]


def _text(entry: Mapping[str, Any], *names: str) -> str:
    """The first of the fields that holds text."""
    return next((value for name in names if isinstance(value := entry.get(name), str) and value), "")


class Searxng:
    """A SearXNG instance with ``json`` among its ``search.formats``."""

    name = "searxng"
    _SAFE = {"off": 0, "moderate": 1, "strict": 2}  # noqa: RUF012
    _CATEGORIES = {"programming": "it", "research": "science"}  # noqa: RUF012

    def __init__(self, url: str) -> None:
        self._api = JsonApi(url, {})

    async def search(self, query: Query) -> list[WebResult]:
        """``GET /search?format=json``. Raises ``SearchError``."""
        category = self._CATEGORIES.get(query.category or "")
        params = {
            "q": query.text if category else query.words,
            "format": "json",
            "safesearch": self._SAFE[query.safe_search],
            "language": query.language or "all",
            "categories": category or "general",
        }
        answer = await self._api.ask("GET", "/search", query.timeout_s, params=params)
        hits = _hits(answer.get("results"), snippet="content", published=("publishedDate", "pubdate"))
        if not hits and answer.get("unresponsive_engines"):
            raise SearchError("unreachable")
        return hits

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()


class Brave:
    """Brave's Web Search API."""

    name = "brave"
    url = "https://api.search.brave.com/res/v1"
    _LANGUAGES = {"zh": "zh-hans", "ja": "jp", "pt": "pt-br"}  # noqa: RUF012

    def __init__(self, url: str, api_key: str) -> None:
        self._api = JsonApi(url, {"X-Subscription-Token": api_key})

    async def search(self, query: Query) -> list[WebResult]:
        """``GET /web/search``. Raises ``SearchError``."""
        params: dict[str, str | int] = {
            "q": query.words,
            "count": min(query.limit, 20),
            "safesearch": query.safe_search,
            "text_decorations": "false",
        }
        if query.language:
            params["search_lang"] = self._LANGUAGES.get(query.language, query.language)
        answer = await self._api.ask("GET", "/web/search", query.timeout_s, params=params)
        if answer.get("type") != "search":
            raise SearchError("nonsense")
        web = answer.get("web", {"results": []})  # left out when there is nothing
        if not isinstance(web, dict):
            raise SearchError("nonsense")
        return _hits(web.get("results"), snippet="description", published=("page_age", "age"))

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()


class Tavily:
    """Tavily's search API."""

    name = "tavily"
    url = "https://api.tavily.com"

    def __init__(self, url: str, api_key: str) -> None:
        self._api = JsonApi(url, {"Authorization": f"Bearer {api_key}"})

    async def search(self, query: Query) -> list[WebResult]:
        """``POST /search``. Raises ``SearchError``."""
        body = {"query": query.words, "max_results": min(query.limit, 20), "search_depth": "basic"}
        answer = await self._api.ask("POST", "/search", query.timeout_s, json=body)
        return _hits(answer.get("results"), snippet="content", published=("published_date",))

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()
