"""What is asked of each provider, what is read out of its answers, and how each of them fails."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from ddgs.exceptions import DDGSException, RatelimitException, TimeoutException
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from net.certificates import certificate
from net.pages import Pages, served
from tools.web_search.engines import Engines, engines
from tools.web_search.providing import KEY, Brave, Searxng, Tavily
from vivavoce.config.outbound import WebSearchConfig
from vivavoce.tools.web_search import http_api, keyless
from vivavoce.tools.web_search.base import SENTENCES, Category, Query, Reason, SearchError, SearchProvider, WebResult
from vivavoce.tools.web_search.providers import provider_of


def asked(text: str = "river", **more: Any) -> Query:
    return Query(text, more.pop("most", 5), more.pop("timeout_s", 10.0), **more)


async def failure(provider: SearchProvider, query: Query | None = None) -> Reason:
    with pytest.raises(SearchError) as failed:
        await provider.search(query or asked())
    assert str(failed.value) == SENTENCES[failed.value.reason]
    await provider.close()
    return failed.value.reason


# ---- SearXNG


@pytest.fixture
def searxng() -> Searxng:
    return Searxng()


@pytest.fixture
def instance(searxng: Searxng) -> Iterator[str]:
    with served(searxng) as port:
        yield f"http://127.0.0.1:{port}"


async def test_searxng_is_asked_for_json(searxng: Searxng, instance: str) -> None:
    searxng.find("https://example.org/a", "A", "about a", publishedDate="2026-11-20T00:00:00")
    searxng.find("https://example.org/b", "B", "about b", publishedDate=None)
    provider = provider_of(WebSearchConfig(provider="searxng", url=instance + "/"))  # type: ignore[arg-type]
    hits = await provider.search(asked(language="zh", safe_search="strict"))
    assert hits == [
        WebResult("https://example.org/a", "A", "about a", "2026-11-20T00:00:00"),
        WebResult("https://example.org/b", "B", "about b"),
    ]
    expected = {"q": "river", "format": "json", "safesearch": "2", "language": "zh", "categories": "general"}
    assert searxng.queries == [expected]
    await provider.close()


@pytest.mark.parametrize(
    ("category", "words", "searched"),
    [
        ("programming", "x", "it"),
        ("research", "x", "science"),
        ("gov", "x site:gov", "general"),
        ("business", "x business", "general"),
    ],
)
async def test_searxng_has_categories_of_its_own(
    searxng: Searxng, instance: str, category: Category, words: str, searched: str
) -> None:
    provider = http_api.Searxng(instance)
    assert await provider.search(asked("x", category=category)) == []
    assert (searxng.queries[0]["q"], searxng.queries[0]["categories"]) == (words, searched)
    await provider.close()


async def test_searxng_whose_engines_do_not_answer(searxng: Searxng, instance: str) -> None:
    searxng.unresponsive = [["google", "timeout"], ["bing", "CAPTCHA"]]
    assert await failure(http_api.Searxng(instance)) == "unreachable"


@pytest.fixture(scope="module")
def pages() -> Iterator[tuple[Pages, str]]:
    answers = Pages()
    with served(answers) as port:
        yield answers, f"http://127.0.0.1:{port}"


ANSWERS: list[tuple[int, bytes, Reason]] = [
    (401, b"{}", "refused"), (403, b"<html>format not enabled", "refused"), (422, b"{}", "refused"),
    (402, b"{}", "quota"), (429, b"Too Many Requests", "quota"), (432, b"{}", "quota"), (433, b"{}", "quota"),
    (500, b"oops", "unreachable"), (302, b"", "unreachable"), (404, b"", "unreachable"),
    (200, b"<!doctype html><title>Log in to the hotel's network</title>", "nonsense"), (200, b"", "nonsense"),
    (200, b"[]", "nonsense"), (200, b"null", "nonsense"), (200, b"{}", "nonsense"), (200, b'{"results": 3}', "nonsense"),
    (200, b'{"type": "search", "web": [], "results": {}}', "nonsense"), (200, b"\xff\xfe", "nonsense"),
    (200, b"[" * 100_000, "nonsense"), (200, b" " * (http_api.MAX_BYTES + 1), "nonsense"), (200, b'{"results": [', "nonsense"),
]  # fmt: skip


@pytest.mark.parametrize("path", ["/search", "/web/search"])
@pytest.mark.parametrize(("status", "body", "reason"), ANSWERS)
async def test_every_way_an_api_fails(
    pages: tuple[Pages, str], path: str, status: int, body: bytes, reason: Reason
) -> None:
    answers, url = pages
    answers.asked.clear()
    answers.put(path, body, status=status, location="http://127.0.0.1:1/")
    providers: list[SearchProvider] = [http_api.Searxng(url), http_api.Tavily(url, KEY)]
    if path == "/web/search":
        providers = [http_api.Brave(url, KEY)]
    for provider in providers:
        assert await failure(provider) == reason
    assert len(answers.asked) == len(providers)


async def test_a_compressed_answer_that_is_broken() -> None:
    pages = Pages()
    pages.put("/search", b"not gzip", content_encoding="gzip")
    with served(pages) as port:
        assert await failure(http_api.Searxng(f"http://127.0.0.1:{port}")) == "nonsense"


async def test_nobody_listens_or_answers() -> None:
    pages = Pages()
    pages.places["/search"] = "hangs"
    with served(pages) as port:
        provider = http_api.Searxng(f"http://127.0.0.1:{port}")
        assert await failure(provider, asked(timeout_s=1.0)) == "too_slow"
        assert await asyncio.to_thread(pages.disconnected.wait, 10)
    assert await failure(http_api.Searxng(f"http://127.0.0.1:{port}")) == "unreachable"
    assert await failure(http_api.Searxng("http://nowhere.invalid")) == "unreachable"


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)
       | st.dictionaries(st.sampled_from(["url", "title", "content", "publishedDate", "x"]), inner, max_size=4)))  # fmt: skip
def test_results_of_any_shape_are_read_or_left(results: object) -> None:
    if not isinstance(results, list):
        with pytest.raises(SearchError):
            http_api._hits(results, snippet="content", published=("publishedDate",))
        return
    hits = http_api._hits(results, snippet="content", published=("publishedDate",))
    assert len(hits) == sum(isinstance(result, dict) for result in results)
    assert all(isinstance(field, str) for hit in hits for field in (hit.url, hit.title, hit.snippet, hit.published))


# ---- Brave and Tavily


async def test_brave() -> None:
    brave = Brave()
    with served(brave) as port:
        config = {"provider": "brave", "url": f"http://127.0.0.1:{port}/res/v1"}
        provider = provider_of(WebSearchConfig.model_validate({**config, "api_key": KEY}))
        hits = await provider.search(asked(language="ja", most=40, category="research"))
        assert [hit.url for hit in hits] == ["https://example.org/river", "https://example.org/market"]
        assert (hits[0].title, hits[0].published) == ("The river in flood", "2026-11-20T08:30:00")
        assert await provider.search(asked("nothing")) == []
        expected = {"q": "river research paper", "count": "20", "safesearch": "moderate", "search_lang": "jp"}
        assert brave.queries[0] == {**expected, "text_decorations": "false"}
        assert "search_lang" not in brave.queries[1]
        await provider.close()
        wrong = provider_of(WebSearchConfig.model_validate({**config, "api_key": "wrong"}))
        assert await failure(wrong) == "refused"


async def test_tavily() -> None:
    tavily = Tavily()
    with served(tavily) as port:
        config = {"provider": "tavily", "url": f"http://127.0.0.1:{port}"}
        provider = provider_of(WebSearchConfig.model_validate({**config, "api_key": KEY}))
        expected = WebResult(
            "https://example.org/river",
            "The river in flood",
            "The river rose by two metres.",
            "Fri, 20 Nov 2026 08:30:00 GMT",
        )
        assert await provider.search(asked()) == [expected]
        assert await provider.search(asked("nothing")) == []
        assert tavily.bodies[0] == {"query": "river", "max_results": 5, "search_depth": "basic"}
        await provider.close()
        wrong = provider_of(WebSearchConfig.model_validate({**config, "api_key": "wrong"}))
        assert await failure(wrong) == "refused"


# ---- without a key


class Engine:
    """``ddgs.DDGS`` as far as it is used."""

    behave: ClassVar[Callable[[], list[dict[str, Any]]]] = staticmethod(list)
    asked: ClassVar[list[dict[str, Any]]] = []

    def __init__(self, timeout: int) -> None:
        self.timeout = timeout

    def text(self, query: str, **options: Any) -> list[dict[str, Any]]:
        self.asked.append({"query": query, "timeout": self.timeout, **options})
        return type(self).behave()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> type[Engine]:
    monkeypatch.setattr(Engine, "asked", [])
    return Engine


def behaving(monkeypatch: pytest.MonkeyPatch, behave: Callable[[], list[dict[str, Any]]]) -> None:
    monkeypatch.setattr(Engine, "behave", staticmethod(behave))


async def test_results_without_a_key(engine: type[Engine], monkeypatch: pytest.MonkeyPatch) -> None:
    behaving(monkeypatch, lambda: [{"title": "A", "href": "https://example.org/a", "body": "about a"}, {"title": None}])
    provider = keyless.Keyless(engine)
    hits = await provider.search(asked(language="zh", safe_search="strict", timeout_s=2.4))
    assert hits == [WebResult("https://example.org/a", "A", "about a"), WebResult("", "", "")]
    expected = {"query": "river", "timeout": 3, "region": "cn-zh", "safesearch": "on", "max_results": 5}
    assert engine.asked == [expected]
    await provider.close()


@pytest.mark.parametrize(
    ("error", "reason"),
    [(RatelimitException("202"), "quota"), (TimeoutException("timed out"), "too_slow"), (DDGSException("dns"), "unreachable")],
)  # fmt: skip
async def test_failures_without_a_key(
    engine: type[Engine], monkeypatch: pytest.MonkeyPatch, error: Exception, reason: Reason
) -> None:
    def fail() -> list[dict[str, Any]]:
        raise error

    behaving(monkeypatch, fail)
    assert await failure(keyless.Keyless(engine)) == reason


async def test_nothing_found_without_a_key_is_no_failure(engine: type[Engine], monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing() -> list[dict[str, Any]]:
        raise DDGSException("No results found.")

    behaving(monkeypatch, nothing)
    provider = keyless.Keyless(engine)
    assert await provider.search(asked()) == []
    await provider.close()


async def test_a_library_that_hangs_holds_up_nobody(engine: type[Engine], monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, started = threading.Event(), threading.Semaphore(0)

    def hang() -> list[dict[str, Any]]:
        started.release()
        go_on.wait(30)
        return []

    behaving(monkeypatch, hang)
    provider = keyless.Keyless(engine)
    try:
        for _ in range(keyless._THREADS):
            searching = asyncio.create_task(provider.search(asked()))
            assert await asyncio.to_thread(started.acquire, True, 10)
            searching.cancel()
            with pytest.raises(asyncio.CancelledError):
                await searching
        with pytest.raises(SearchError) as failed:
            await provider.search(asked())
        assert failed.value.reason == "unreachable"
    finally:
        go_on.set()
    await asyncio.to_thread(provider._threads.shutdown)
    await asyncio.sleep(0)
    assert provider._busy == 0
    await provider.close()


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    with engines(certificate(tmp_path_factory.mktemp("tls"), "engines.example.org")) as running:
        yield running


@pytest.mark.parametrize(("status", "found"), [(200, 1), (202, 0), (429, 0), (500, 0)])
async def test_the_real_library(public: Engines, status: int, found: int) -> None:
    """``ddgs`` itself, with servers of this machine in the place of all the engines it asks."""
    public.status = status
    public.asked.clear()
    provider = keyless.Keyless(public.reached())
    hits = await provider.search(asked("how far did the river rise"))
    assert [(hit.url, hit.title) for hit in hits] == [("https://example.org/river", "The river")][:found]
    hosts = {host for host, words in public.asked if words == "how far did the river rise"}
    assert len(hosts) > 1, "several engines are asked"
    await provider.close()


async def test_the_real_library_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def request(self: object, method: str, url: str, **more: object) -> None:
        raise DDGSException("ConnectError: dns error")

    monkeypatch.setattr("ddgs.http_client.HttpClient.request", request)
    assert await failure(keyless.Keyless()) == "unreachable"


# ---- the setting


async def test_no_search_at_all() -> None:
    assert await failure(provider_of(WebSearchConfig(provider="off"))) == "off"


@pytest.mark.parametrize(
    "table",
    [{"provider": "searxng"}, {"provider": "brave"}, {"provider": "tavily"}, {"provider": "google"}, {"url": "ftp://x"},
     {"fetch_pages": -1}, {"language": "English"}, {"tokens": 0}, {"unknown": 1}],
)  # fmt: skip
def test_a_setting_that_cannot_work_is_refused(table: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        WebSearchConfig.model_validate(table)


def test_the_key_is_not_shown() -> None:
    config = WebSearchConfig.model_validate({"provider": "brave", "api_key": KEY})
    assert KEY not in repr(config)
