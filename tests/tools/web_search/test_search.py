"""Searches from words to results, against services and pages of this machine."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import os
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from net.pages import Door, served
from tools.web_search.providing import Searxng
from vivavoce.config.outbound import WebSearchConfig
from vivavoce.net.fetching import Fetcher
from vivavoce.text.token_estimates import estimate_tokens
from vivavoce.tools.base import CallContext, ToolResult
from vivavoce.tools.web_search.base import Query, SearchError, WebResult
from vivavoce.tools.web_search.pages import MAX_PAGE_BYTES, MAX_TEXT_CHARACTERS
from vivavoce.tools.web_search.search import Result, WebSearch
from vivavoce.tools.web_search.tool import NOTHING_FOUND, NOTHING_TO_SEARCH, rendered_results, web_search_tool
from vivavoce.types import Message

CALLING = CallContext("someone", language="en")


def article(text: str) -> bytes:
    """A page with navigation around what it says."""
    filler = "".join(
        f"<p>The town council met for the {number}th time and spoke of the harbour.</p>" for number in range(20)
    )
    body = f"<article><h1>News</h1>{filler}<p>{text}</p>{filler}</article>"
    return f"<html><body><nav><a href=/>Home</a></nav>{body}<footer>Imprint</footer></body></html>".encode()


TLS = ssl.create_default_context()


@pytest.fixture(scope="module")
def door() -> Iterator[tuple[Door, str]]:
    door = Door()
    with served(door) as port:
        yield door, f"http://127.0.0.1:{port}"


@pytest.fixture
def searxng(door: tuple[Door, str]) -> Searxng:
    searxng = door[0].app = Searxng()
    return searxng


@pytest.fixture
def base(door: tuple[Door, str], searxng: Searxng) -> str:
    return door[1]


Searching = Callable[..., WebSearch]


@pytest.fixture
async def searching(base: str) -> AsyncIterator[Searching]:
    """Makes a search with the local instance, let into this machine unless ``allow_private`` says otherwise."""
    made: list[tuple[WebSearch, Fetcher]] = []

    def make(*, allow_private: bool = True, **table: Any) -> WebSearch:
        fetcher = Fetcher(allow_private=allow_private, tls=TLS)
        config = WebSearchConfig.model_validate({"provider": "searxng", "url": base, **table})
        made.append((WebSearch(config, fetcher), fetcher))
        return made[-1][0]

    yield make
    for search, fetcher in made:
        await search.close()
        fetcher.close()


async def test_results_are_tidied_deduplicated_and_as_many_as_wanted(searxng: Searxng, searching: Searching) -> None:
    searxng.find("https://www.example.org/river?utm_source=x", "The <b>river</b>", "It rose &amp; rose.\u202e")
    searxng.find("https://example.org/river", "Again", "the same page")
    searxng.find("javascript:alert(1)", "No", "no")
    searxng.find("https://example.org/other", "Other", "more", publishedDate="2026-11-20T00:00:00")
    searxng.find("https://example.org/third", "Third", "most")
    found = await searching().find("  how far\u202e did\nit rise ", limit=2, timeout_s=10, language="en")
    assert [(one.url, one.title, one.snippet, one.published) for one in found] == [
        ("https://www.example.org/river?utm_source=x", "The river", "It rose & rose.", ""),
        ("https://example.org/other", "Other", "more", "2026-11-20"),
    ]
    assert searxng.queries[0]["q"] == "how far did it rise"
    assert searxng.queries[0]["language"] == "en"


async def test_a_page_is_read_for_its_nearest_passage(searxng: Searxng, base: str, searching: Searching) -> None:
    searxng.find(f"{base}/news", "News", "A short snippet.")
    searxng.find(f"{base}/later", "Later", "Not read.")
    searxng.put("/news", article("The ferry ticket costs 4.20 crowns from December."), content_type="text/html")
    (first, second) = await searching().find("price of the ferry ticket", limit=2, timeout_s=10, pages=1)
    assert "4.20 crowns" in first.passage
    assert "4.20 crowns" in first.content
    assert "Imprint" not in first.content
    assert (first.snippet, second.passage, second.content) == ("A short snippet.", "Not read.", "")


@pytest.mark.parametrize(
    ("encoding", "declared"), [("utf-8", "utf-8"), ("gbk", "gbk"), ("gb18030", ""), ("utf-8", "iso-8859-1")]
)
async def test_pages_in_whatever_encoding(
    searxng: Searxng, base: str, searching: Searching, encoding: str, declared: str
) -> None:
    searxng.find(f"{base}/news", "新闻", "")
    text = "".join(f"<p>昨夜河水上涨了两米，第{number}座桥已经关闭，市民应当绕行。</p>" for number in range(30))
    page = f"<html><body><article>{text}<p>渡轮票价为四元二角。</p></article></body></html>".encode(encoding)
    searxng.put("/news", page, content_type=f"text/html; charset={declared}" if declared else "text/html")
    (found,) = await searching().find("渡轮票价", limit=1, timeout_s=10, pages=1)
    assert "四元二角" in found.passage


HOSTILE: Mapping[str, tuple[bytes, str]] = {
    "binary": (os.urandom(100_000), "text/html"),
    "picture": (b"\x89PNG" + bytes(1000), "image/png"),
    "nothing": (b"", "text/html"),
    "zeros": (bytes(300_000), "text/html"),
    "deep": (b"<div>" * 80_000 + b"x", "text/html"),
    "attributes": (b"<p " + b"a=b " * 100_000 + b">x</p>", "text/html"),
    "tables": (b"<table><tr><td>" * 20_000, "text/html"),
    "unclosed": (b"<script>" + b"while(1);" * 10_000, "text/html"),
    "entities": (b"<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;&a;'>]><p>&b;</p>", "text/html"),
    "charset": ("<p>ä</p>".encode("latin-1") * 1000, "text/html; charset=no-such-charset"),
}


@pytest.mark.parametrize("page", HOSTILE)
async def test_a_hostile_page_costs_only_itself(searxng: Searxng, base: str, searching: Searching, page: str) -> None:
    content, kind = HOSTILE[page]
    searxng.put("/hostile", content, content_type=kind)
    searxng.put("/good", article("The ferry ticket costs 4.20 crowns."), content_type="text/html")
    searxng.find(f"{base}/hostile", "Hostile", "its snippet")
    searxng.find(f"{base}/good", "Good", "")
    hostile, good = await searching().find("ferry ticket", limit=2, timeout_s=20, pages=2)
    assert "4.20 crowns" in good.passage
    assert len(hostile.content) <= MAX_TEXT_CHARACTERS
    assert hostile.snippet == "its snippet"


async def test_huge_pages_are_read_as_far_as_they_tell_something(
    searxng: Searxng, base: str, searching: Searching
) -> None:
    opening = b"<html><body><article><p>The ferry ticket costs 4.20 crowns.</p>"
    searxng.put("/huge", opening + b"<p>And so it goes on and on.</p>" * 100_000, content_type="text/html")
    packed = gzip.compress(opening + b"<p>zip</p>" * 10_000_000, 1)
    searxng.put("/bomb", packed, content_type="text/html", content_encoding="gzip")
    searxng.find(f"{base}/huge", "Huge", "")
    searxng.find(f"{base}/bomb", "Bomb", "")
    for found in await searching().find("ferry ticket", limit=2, timeout_s=30, pages=2):
        assert "4.20 crowns" in found.passage
        assert len(found.content) <= MAX_TEXT_CHARACTERS < MAX_PAGE_BYTES


async def test_pages_that_do_not_come_are_done_without(searxng: Searxng, base: str, searching: Searching) -> None:
    searxng.places["/hangs"] = "hangs"
    searxng.places["/endless"] = "endless"
    searxng.put("/good", article("The ferry ticket costs 4.20 crowns."), content_type="text/html")
    for path in ("/hangs", "/endless", "/good"):
        searxng.find(base + path, path, "a snippet")
    began = time.monotonic()
    found = await searching().find("ferry ticket", limit=3, timeout_s=3.0, pages=3)
    assert time.monotonic() - began < 30  # it did come back; how soon depends on the machine
    assert [one.snippet for one in found] == ["a snippet"] * 3
    assert "4.20" in found[2].passage
    assert await asyncio.to_thread(searxng.disconnected.wait, 10)


async def test_an_instance_that_hangs_is_too_slow(searxng: Searxng, searching: Searching) -> None:
    searxng.places["/search"] = "hangs"
    with pytest.raises(SearchError) as failed:
        await searching().find("x", limit=1, timeout_s=0.3)
    assert failed.value.reason == "too_slow"
    assert await asyncio.to_thread(searxng.disconnected.wait, 10)


async def test_a_provider_that_ignores_the_time_is_left(searching: Searching) -> None:
    class Stubborn:
        name = "stubborn"
        cancelled = False

        async def search(self, query: Query) -> Sequence[WebResult]:
            try:
                await asyncio.sleep(60)
            finally:
                self.cancelled = True
            raise AssertionError

        async def close(self) -> None:
            pass

    stubborn = Stubborn()
    fetcher = Fetcher()
    search = WebSearch(WebSearchConfig(provider="off"), fetcher, stubborn)
    with pytest.raises(SearchError) as failed:
        await search.find("x", limit=1, timeout_s=0.1)
    assert (failed.value.reason, stubborn.cancelled) == ("too_slow", True)
    await search.close()
    fetcher.close()


async def test_private_addresses_are_never_fetched(searxng: Searxng, base: str, searching: Searching) -> None:
    port = base.rpartition(":")[2]
    searxng.put("/secret", article("The password is swordfish."), content_type="text/html")
    for host in ("127.0.0.1", "localhost", "[::1]", "2130706433", "169.254.169.254", "[::ffff:127.0.0.1]", "10.0.0.1"):
        searxng.find(f"http://{host}:{port}/secret?{host}", f"At {host}", "a snippet")
    found = await searching(allow_private=False).find("password", limit=20, timeout_s=3, pages=20)
    assert len(found) == 7
    assert all(one.content == "" and one.passage == "a snippet" for one in found)
    assert searxng.asked == []


async def test_what_was_found_is_remembered_for_a_while(searxng: Searxng, base: str, searching: Searching) -> None:
    searxng.find(f"{base}/news", "News", "snippet")
    searxng.put("/news", article("4.20 crowns"), content_type="text/html")
    search = searching()
    once = await search.find("ferry", limit=3, timeout_s=10, pages=1)
    assert await search.find("FERRY", limit=3, timeout_s=10, pages=1) == once
    assert (len(searxng.queries), len(searxng.asked)) == (1, 1)
    await search.find("ferry", limit=3, timeout_s=10, language="zh")
    assert len(searxng.queries) == 2
    forgetful = searching(cache_s=0)
    for _ in range(2):
        await forgetful.find("ferry", limit=3, timeout_s=10, pages=1)
    assert (len(searxng.queries), len(searxng.asked)) == (4, 3)


async def test_failures_and_nothing_are_not_remembered(searxng: Searxng, searching: Searching) -> None:
    search = searching()
    searxng.put("/search", b"oops", status=500)
    with pytest.raises(SearchError):
        await search.find("x", limit=1, timeout_s=10)
    del searxng.places["/search"]
    assert await search.find("x", limit=1, timeout_s=10) == []
    searxng.find("https://example.org", "There", "now")
    assert len(await search.find("x", limit=1, timeout_s=10)) == 1


async def test_cancelling_a_search_leaves_the_instance(searxng: Searxng, searching: Searching) -> None:
    searxng.places["/search"] = "hangs"
    finding = asyncio.create_task(searching().find("x", limit=1, timeout_s=60))
    assert await asyncio.to_thread(searxng.was_asked.wait, 10)
    finding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await finding
    assert await asyncio.to_thread(searxng.disconnected.wait, 10)


async def test_logs_hold_no_word_of_the_question(
    searxng: Searxng, base: str, searching: Searching, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "vivavoce")
    searxng.find(f"{base}/gone", "Gone", "")
    search = searching()
    await search.find("swordfish", limit=1, timeout_s=10, pages=1)
    searxng.put("/search", b"oops", status=500)
    with pytest.raises(SearchError):
        await search.find("swordfish again", limit=1, timeout_s=10)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("vivavoce")]
    assert ours == ["web search with searxng failed: unreachable"]


# ---- the tool


async def test_what_the_model_is_told_and_clients_are_shown(searxng: Searxng, searching: Searching) -> None:
    searxng.find("https://www.example.org/river", "The river", "It rose by two metres.", publishedDate="2026-11-20")
    searxng.find("https://example.com/bridge", "The bridge", "")
    tool = web_search_tool(searching(fetch_pages=0), description="Look up news.")
    object.__setattr__(tool, "today", lambda: date(2026, 11, 24))
    result = await tool.run({"query": "river"}, CALLING)
    assert result.text.splitlines() == [
        "Web search results. Today is Tuesday, 2026-11-24.",
        "1. The river (example.org, 2026-11-20): It rose by two metres.",
        "2. The bridge (example.com)",
    ]
    assert not result.failed
    assert not result.trusted
    assert [(one.title, one.url, one.passage) for one in result.citations] == [
        ("The river", "https://www.example.org/river", "It rose by two metres."),
        ("The bridge", "https://example.com/bridge", ""),
    ]
    assert result.payload["name"] == "step_websearch"
    assert result.payload["arguments"] == {"keyword": "river"}
    first = {
        "index": 1,
        "url": "https://www.example.org/river",
        "title": "The river",
        "summary": "It rose by two metres.",
    }
    assert result.payload["results"][0] == first
    json.dumps(result.payload)
    assert (tool.tool.description, tool.kind, tool.tool.name) == ("Look up news.", "web_search", "web_search")


@pytest.mark.parametrize("arguments", [{"keyword": "river"}, {"query": " river "}, {"query": "", "keyword": "river"}])
async def test_either_name_of_the_query(searxng: Searxng, searching: Searching, arguments: dict[str, Any]) -> None:
    await web_search_tool(searching()).run(arguments, CALLING)
    assert searxng.queries[0]["q"] == "river"


async def test_options_are_drawn_in(searxng: Searxng, searching: Searching) -> None:
    for number in range(30):
        searxng.find(f"https://example.org/{number}", f"T{number}", "x")
    search = searching(fetch_pages=0)
    counts = [
        len((await web_search_tool(search, top_k=k).run({"query": f"x{k}"}, CALLING)).citations) for k in (1, 5, 99)
    ]
    assert counts == [1, 5, 20]
    assert web_search_tool(search).top_k == 5
    assert web_search_tool(search).search_s == 3
    assert web_search_tool(search, timeout_s=1e9).timeout_s <= 61


@pytest.mark.parametrize(
    "arguments", [{}, {"query": ""}, {"query": None}, {"question": "x"}, {"query": "\u200b<b></b>"}]
)
async def test_a_search_for_nothing(searching: Searching, arguments: dict[str, Any]) -> None:
    result = await web_search_tool(searching()).run(arguments, CALLING)
    assert (result.text, result.failed, result.trusted) == (NOTHING_TO_SEARCH, True, True)


async def test_failures_are_told_in_a_sentence(searxng: Searxng, searching: Searching) -> None:
    async def told_of(timeout_s: float = 10.0) -> ToolResult:
        return await web_search_tool(searching(), timeout_s=timeout_s).run({"query": "swordfish"}, CALLING)

    results = [await told_of()]
    assert results[0].text == NOTHING_FOUND
    for status in (401, 429, 500):
        searxng.put("/search", b"oops", status=status)
        results.append(await told_of())
    searxng.put("/search", b"<html>Welcome to our hotel</html>")
    results.append(await told_of())
    searxng.places["/search"] = "hangs"
    results.append(await told_of(0.2))
    for result in results:
        assert result.failed
        assert result.trusted
        assert result.text.endswith(".")
        assert "swordfish" not in result.text
        assert result.payload["results"] == []
    assert len({result.text for result in results}) == len(results)


results = st.builds(
    Result,
    st.just("https://example.org/a"),
    st.text(st.sampled_from("Tit le川"), min_size=1, max_size=200).map(lambda text: text.strip() or "T"),
    st.just(""),
    st.sampled_from(["", "2026-11-20"]),
    st.text(st.sampled_from("passage one 河水。"), max_size=2000),
)


@given(st.lists(results, min_size=1, max_size=20), st.integers(600, 2000))
def test_the_results_fit_their_share_of_the_context(found: list[Result], most: int) -> None:
    text = rendered_results(found, date(2026, 11, 24), most)
    lines = text.splitlines()
    assert len(lines) == 1 + len(found)
    heads = sum(estimate_tokens(Message("tool", f"{one.title} {one.site} {one.published}")) + 8 for one in found)
    assert sum(estimate_tokens(Message("tool", line)) for line in lines) <= max(most, heads) + 20 * len(lines)
    assert "http" not in text


def test_room_that_one_result_leaves_is_for_the_next() -> None:
    short = Result("https://example.org/a", "Short", "", "", "Few words.")
    long = Result("https://example.org/b", "Long", "", "", "many words " * 500)
    text = rendered_results([short, long], date(2026, 11, 24), 600)
    assert "Few words." in text
    assert 1000 < len(text) < 2000
    assert text.endswith("…")
