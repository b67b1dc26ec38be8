"""A search from words to results: asked, tidied, read further as far as the time goes, and remembered for a while."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cachetools import TTLCache

from vivavoce.closing import CloseStack
from vivavoce.config.outbound import WebSearchConfig
from vivavoce.extras import installed
from vivavoce.net.fetching import Fetcher
from vivavoce.scheduling import Ticket, Urgency, WorkQueue
from vivavoce.tools.web_search.base import Category, Query, SearchError, SearchProvider, WebResult
from vivavoce.tools.web_search.normalisation import plain, tidy, unique
from vivavoce.tools.web_search.providers import provider_of
from vivavoce.tools.web_search.ranking import nearest
from vivavoce.types import Language

if TYPE_CHECKING:
    from vivavoce.tools.web_search.pages import Pages

log = logging.getLogger(__name__)

MAX_RESULTS = 20
MAX_QUERY_CHARACTERS = 400
"""Characters of a query; some providers refuse longer ones."""

MAX_PASSAGE_CHARACTERS = 1200
_CACHED_SEARCHES = 256
_SEARCHES_AT_ONCE = 16
_PAGES_AT_ONCE = 5
_SPARE = 3
"""More results are asked for than wanted, for some say the same."""


@dataclass(frozen=True, slots=True)
class Result:
    """One result. ``content`` is the page's text where it was read, ``passage`` what of it, or of the snippet, is near."""

    url: str
    title: str
    snippet: str
    published: str
    passage: str
    content: str = ""

    @property
    def site(self) -> str:
        """The host, as a person names it."""
        return (urlsplit(self.url).hostname or "").removeprefix("www.")


def wording(text: str) -> str:
    """What a provider is asked for ``text``; empty if nothing of it can be seen, and then there is nothing to ask."""
    return plain(text, MAX_QUERY_CHARACTERS)


class WebSearch:
    """The server's web search: one provider, its results remembered for all, its places shared by owners."""

    def __init__(
        self,
        config: WebSearchConfig,
        fetcher: Fetcher,
        provider: SearchProvider | None = None,
        *,
        multiple_owners: Callable[[], bool] = lambda: False,
    ) -> None:
        self.config = config
        self._provider = provider or provider_of(config)
        self._pages: Pages | None = None
        if config.provider != "off" and installed("search"):
            from vivavoce.tools.web_search.pages import Pages  # now: its import takes longer than a search may

            self._pages = Pages(fetcher, config.cache_s)
        self._cache: TTLCache[tuple[object, ...], Sequence[WebResult]] = TTLCache(_CACHED_SEARCHES, config.cache_s)
        self._queue = WorkQueue(_SEARCHES_AT_ONCE, multiple_owners=multiple_owners)
        self._reading = asyncio.Semaphore(_SEARCHES_AT_ONCE * _PAGES_AT_ONCE)

    async def close(self) -> None:
        """Let connections and threads go."""
        async with CloseStack() as stack:
            stack.add(self._provider)
            if self._pages is not None:
                stack.add(self._pages)

    async def find(
        self,
        text: str,
        *,
        limit: int,
        timeout_s: float,
        language: Language | None = None,
        category: Category | None = None,
        pages: int = 0,
        owner: str = "",
    ) -> list[Result]:
        """Up to ``limit`` results within ``timeout_s``; of the first ``pages`` the page is read, if time is left for it.

        Raises ``SearchError``; nothing found is no error.
        """
        deadline = asyncio.get_running_loop().time() + timeout_s
        limit = max(1, min(limit, MAX_RESULTS))
        query = Query(
            wording(text),
            min(limit + _SPARE, MAX_RESULTS),
            timeout_s,
            self.config.language or language,
            self.config.safe_search,
            category,
        )
        try:
            async with asyncio.timeout_at(deadline), self._queue.turn(Ticket(Urgency.LONG, owner)):
                hits = (await self._hits(query))[:limit]
        except TimeoutError as error:
            log.warning("web search with %s took more than %g s", self._provider.name, timeout_s)
            raise SearchError("too_slow") from error
        except SearchError as error:
            log.warning("web search with %s failed: %s", self._provider.name, error.reason)
            raise
        texts = await self._read([hit.url for hit in hits[:pages]], deadline)
        return [_result(hit, texts.get(hit.url, ""), query.text) for hit in hits]

    async def _hits(self, query: Query) -> Sequence[WebResult]:
        key = (query.text.casefold(), query.limit, query.language, query.category)
        hits = self._cache.get(key)
        if hits is None:
            raw_hits = await self._provider.search(query)
            hits = unique(filter(None, map(tidy, raw_hits[: 5 * MAX_RESULTS])))
            if hits:
                self._cache[key] = hits
        return hits

    async def _read(self, urls: Sequence[str], deadline: float) -> dict[str, str]:
        """The texts of the pages that can be read before ``deadline``, by URL."""
        remaining_s = deadline - asyncio.get_running_loop().time()
        if not urls or remaining_s <= 0 or self._pages is None:
            return {}
        tasks = {asyncio.create_task(self._page(self._pages, url, remaining_s)): url for url in urls}
        try:
            done, _ = await asyncio.wait(tasks, timeout=remaining_s)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return {tasks[task]: task.result() for task in done}

    async def _page(self, pages: Pages, url: str, timeout_s: float) -> str:
        try:
            async with self._reading:
                return await pages.read(url, timeout_s)
        except Exception:
            # The extractor is given the whole web to read; a page it fails at must not take the search along.
            log.warning("a page could not be read", exc_info=log.isEnabledFor(logging.DEBUG))
            return ""


def _result(hit: WebResult, content: str, query: str) -> Result:
    passage = plain(nearest(content, query, MAX_PASSAGE_CHARACTERS), 2 * MAX_PASSAGE_CHARACTERS) if content else ""
    return Result(hit.url, hit.title, hit.snippet, hit.published, passage or hit.snippet, content)
