"""Search services for tests: a SearXNG instance, and Brave's and Tavily's APIs, as far as they are documented."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from net.pages import Pages

KEY = "secret-search-key"


class Searxng(Pages):
    """``GET /search?format=json`` with ``results`` for every query, after ``delay_s``; other paths are the web's pages."""

    def __init__(self) -> None:
        super().__init__()
        self.results: list[dict[str, Any]] = []
        self.unresponsive: list[list[str]] = []
        self.queries: list[dict[str, str]] = []
        self.delay_s = 0.0

    def find(self, url: str, title: str, content: str, **more: Any) -> None:
        """Add a result in SearXNG's shape."""
        self.results.append(
            {"url": url, "title": title, "content": content, "engine": "duckduckgo", "score": 1.0, **more}
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/search" and "/search" not in self.places:
            self.queries.append({name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()})
            await asyncio.sleep(self.delay_s)
            answer = {
                "query": self.queries[-1]["q"],
                "number_of_results": len(self.results),
                "results": self.results,
                "answers": [],
                "corrections": [],
                "infoboxes": [],
                "suggestions": [],
                "unresponsive_engines": self.unresponsive,
            }
            await _answer(send, 200 if self.queries[-1].get("format") == "json" else 403, answer)
            return
        await super().__call__(scope, receive, send)


@dataclass(frozen=True)
class Web:
    """The web a server searches: a search service of this machine, and its port."""

    searxng: Searxng
    port: int


class Brave:
    """``GET /res/v1/web/search`` with a token."""

    def __init__(self) -> None:
        self.queries: list[dict[str, str]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope["headers"])
        assert scope["path"] == "/res/v1/web/search"
        if headers.get(b"x-subscription-token") != KEY.encode():
            error = {
                "code": "SUBSCRIPTION_TOKEN_INVALID",
                "detail": "The provided subscription token is invalid.",
                "status": 422,
            }
            await _answer(send, 422, {"type": "ErrorResponse", "error": error, "time": 1790000000})
            return
        self.queries.append({name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()})
        results = [
            {
                "type": "search_result",
                "url": "https://example.org/river",
                "title": "The river in flood",
                "description": "The <strong>river</strong> rose by two metres &amp; the bridge is closed.",
                "page_age": "2026-11-20T08:30:00",
                "age": "November 20, 2026",
                "language": "en",
                "meta_url": {"scheme": "https", "netloc": "example.org", "hostname": "example.org", "path": "› river"},
            },
            {"type": "search_result", "url": "https://example.org/market", "title": "Market", "description": "Moved."},
        ]
        answer: dict[str, Any] = {"type": "search", "query": {"original": self.queries[-1]["q"]}, "mixed": {}}
        if self.queries[-1]["q"] != "nothing":
            answer["web"] = {"type": "search", "results": results, "family_friendly": True}
        await _answer(send, 200, answer)


class Tavily:
    """``POST /search`` with a bearer key."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message.get("more_body"):
                break
        assert (scope["method"], scope["path"]) == ("POST", "/search")
        if dict(scope["headers"]).get(b"authorization") != f"Bearer {KEY}".encode():
            await _answer(send, 401, {"detail": {"error": "Unauthorized: missing or invalid API key."}})
            return
        self.bodies.append(json.loads(body))
        result = {
            "url": "https://example.org/river",
            "title": "The river in flood",
            "content": "The river rose by two metres.",
            "score": 0.81,
            "raw_content": None,
            "published_date": "Fri, 20 Nov 2026 08:30:00 GMT",
        }
        results = [] if self.bodies[-1]["query"] == "nothing" else [result]
        answer = {
            "query": self.bodies[-1]["query"],
            "answer": None,
            "images": [],
            "results": results,
            "response_time": 0.8,
        }
        await _answer(send, 200, answer)


async def _answer(send: Any, status: int, body: object) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})
