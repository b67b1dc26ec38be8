"""Search without a key: ``ddgs`` reads the result pages of public search engines."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from typing import Any, Protocol

from ddgs import DDGS
from ddgs.exceptions import DDGSException, RatelimitException, TimeoutException

from vivavoce.tools.web_search.base import Query, SearchError, WebResult

_THREADS = 4
_NO_RESULTS = "No results found."


class Searching(Protocol):
    """The verb of ``ddgs`` that is used here."""

    def text(self, query: str, **options: Any) -> list[dict[str, Any]]:
        """Results with ``title``, ``href`` and ``body``. Raises ``DDGSException``."""
        ...


class Keyless:
    """Searches with ``ddgs`` on threads of its own, for the library blocks: a search past its time is left to end there.

    While every thread is held up so, a new search fails at once.
    """

    name = "ddgs"
    _SAFE = {"off": "off", "moderate": "moderate", "strict": "on"}  # noqa: RUF012
    _COUNTRIES = {"en": "us", "zh": "cn", "ja": "jp", "ko": "kr"}  # noqa: RUF012

    def __init__(self, engine: type[Searching] = DDGS) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="ddgs")
        self._busy = 0

    async def search(self, query: Query) -> Sequence[WebResult]:
        """Ask public search engines. Raises ``SearchError``."""
        if self._busy >= _THREADS:
            raise SearchError("unreachable")
        self._busy += 1
        searching = asyncio.get_running_loop().run_in_executor(self._threads, self._search, query)
        # Counted when the thread is free, which is later than the end of a search that was cancelled.
        answer = asyncio.shield(searching)
        searching.add_done_callback(self._free)
        try:
            results = await answer
        except RatelimitException as error:
            raise SearchError("quota") from error
        except TimeoutException as error:
            raise SearchError("too_slow") from error
        except DDGSException as error:
            if str(error) == _NO_RESULTS:
                return []
            raise SearchError("unreachable") from error
        return [_hit(result) for result in results]

    def _free(self, searched: asyncio.Future[list[dict[str, Any]]]) -> None:
        self._busy -= 1
        if not searched.cancelled():
            searched.exception()  # seen, also when nobody waits for it any more

    def _search(self, query: Query) -> list[dict[str, Any]]:
        engine = self._engine(timeout=max(1, ceil(query.timeout_s)))  # type: ignore[call-arg]
        language = query.language or "en"
        return engine.text(
            query.words,
            region=f"{self._COUNTRIES.get(language, language)}-{language}",
            safesearch=self._SAFE[query.safe_search],
            max_results=query.limit,
        )

    async def close(self) -> None:
        """Let the threads go when they are done."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _hit(result: Mapping[str, Any]) -> WebResult:
    return WebResult(*(str(result.get(name) or "") for name in ("href", "title", "body")))
