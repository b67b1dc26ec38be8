"""A search from words to results: asked, tidied, read further as far as the time goes, and remembered for a while."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from vivavoce.closing import CloseStack
from vivavoce.config.reach import WebSearchConfig
from vivavoce.net.fetching import Fetcher
from vivavoce.runtime.scheduling import Ticket, Urgency, WorkQueue
from vivavoce.tools.web_search.base import Category, Hit, Query, SearchError, SearchProvider
from vivavoce.tools.web_search.nearness import nearest
from vivavoce.tools.web_search.pages import Pages
from vivavoce.tools.web_search.providers import provider_of
from vivavoce.tools.web_search.remembering import Remembering
from vivavoce.tools.web_search.tidying import plain, tidy, unique
from vivavoce.types import Language

log = logging.getLogger(__name__)

MOST_RESULTS = 20
MOST_QUERY = 400
"""Characters of a query; some providers refuse longer ones."""

MOST_PASSAGE = 1200
_SEARCHES_KEPT = 256
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
    return plain(text, MOST_QUERY)


class WebSearch:
    """The server's web search: one provider, its results remembered for all, its places shared by owners."""

    def __init__(
        self,
        config: WebSearchConfig,
        fetcher: Fetcher,
        provider: SearchProvider | None = None,
        *,
        several: Callable[[], bool] = lambda: False,
    ) -> None:
        self.config = config
        self._provider = provider or provider_of(config)
        self._pages = Pages(fetcher, config.cache_s)
        self._known: Remembering[tuple[object, ...], Sequence[Hit]] = Remembering(_SEARCHES_KEPT, config.cache_s)
        self._places = WorkQueue(_SEARCHES_AT_ONCE, several=several)
        self._reading = asyncio.Semaphore(_SEARCHES_AT_ONCE * _PAGES_AT_ONCE)

    async def close(self) -> None:
        """Let connections and threads go."""
        async with CloseStack() as stack:
            stack.add(self._provider)
            stack.add(self._pages)

    async def find(
        self,
        text: str,
        *,
        most: int,
        timeout_s: float,
        language: Language | None = None,
        category: Category | None = None,
        pages: int = 0,
        owner: str = "",
    ) -> list[Result]:
        """Up to ``most`` results within ``timeout_s``; of the first ``pages`` the page is read, if time is left for it.

        Raises ``SearchError``; nothing found is no error.
        """
        deadline = asyncio.get_running_loop().time() + timeout_s
        most = max(1, min(most, MOST_RESULTS))
        query = Query(
            wording(text),
            min(most + _SPARE, MOST_RESULTS),
            timeout_s,
            self.config.language or language,
            self.config.safe_search,
            category,
        )
        try:
            async with asyncio.timeout_at(deadline), self._places.turn(Ticket(Urgency.LONG, owner)):
                hits = (await self._hits(query))[:most]
        except TimeoutError as error:
            log.warning("web search with %s took more than %g s", self._provider.name, timeout_s)
            raise SearchError("too_slow") from error
        except SearchError as error:
            log.warning("web search with %s failed: %s", self._provider.name, error.reason)
            raise
        texts = await self._read([hit.url for hit in hits[:pages]], deadline)
        return [_result(hit, texts.get(hit.url, ""), query.text) for hit in hits]

    async def _hits(self, query: Query) -> Sequence[Hit]:
        key = (query.text.casefold(), query.most, query.language, query.category)
        known = self._known.get(key)
        if known is None:
            found = await self._provider.search(query)
            known = unique(filter(None, map(tidy, found[: 5 * MOST_RESULTS])))
            if known:
                self._known.put(key, known)
        return known

    async def _read(self, urls: Sequence[str], deadline: float) -> dict[str, str]:
        """The texts of the pages that can be read before ``deadline``, by URL."""
        left = deadline - asyncio.get_running_loop().time()
        if not urls or left <= 0:
            return {}
        tasks = {asyncio.create_task(self._page(url, left)): url for url in urls}
        try:
            done, _ = await asyncio.wait(tasks, timeout=left)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return {tasks[task]: task.result() for task in done}

    async def _page(self, url: str, timeout_s: float) -> str:
        try:
            async with self._reading:
                return await self._pages.read(url, timeout_s)
        except Exception:
            # The extractor is given the whole web to read; a page it fails at must not take the search along.
            log.warning("a page could not be read", exc_info=log.isEnabledFor(logging.DEBUG))
            return ""


def _result(hit: Hit, content: str, query: str) -> Result:
    passage = plain(nearest(content, query, MOST_PASSAGE), 2 * MOST_PASSAGE) if content else ""
    return Result(hit.url, hit.title, hit.snippet, hit.published, passage or hit.snippet, content)
