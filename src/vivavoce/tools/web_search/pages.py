"""Reading a page of the web: fetched safely, and reduced to its text on a thread, for that takes its time."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from cachetools import TTLCache
from trafilatura import extract

from vivavoce.errors import ClientError
from vivavoce.net.fetching import Fetcher

MAX_PAGE_BYTES = 512 * 1024
"""Of a page that are read; the text of most begins before."""

MAX_TAGS = 8_000
"""The extractor's work grows with the square of the elements; up to here it is half a second."""

MAX_TEXT_CHARACTERS = 40_000
_READABLE = ("text/html", "application/xhtml+xml", "text/plain")
_THREADS = 2
_CACHED_PAGES = 64


class Pages:
    """Reads pages and remembers their texts for ``remember_s``."""

    def __init__(self, fetcher: Fetcher, remember_s: float) -> None:
        self._fetcher = fetcher
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="pages")
        self._texts: TTLCache[str, str] = TTLCache(_CACHED_PAGES, remember_s)

    async def read(self, url: str, timeout_s: float) -> str:
        """The text of a page, its beginning if it is very long; empty when there is nothing to read."""
        cached = self._texts.get(url)
        if cached is not None:
            return cached
        try:
            content, kind = await self._fetch(url, timeout_s)
        except ClientError:
            return ""
        loop = asyncio.get_running_loop()
        text = await loop.run_in_executor(self._threads, _text, content, kind.startswith("text/plain"))
        self._texts[url] = text
        return text

    async def _fetch(self, url: str, timeout_s: float) -> tuple[bytes, str]:
        content = bytearray()
        page = self._fetcher.stream(url, max_bytes=2 * MAX_PAGE_BYTES, timeout_s=timeout_s, accept=_READABLE)
        async with page as download:
            async for chunk in download.chunks:
                content += chunk
                if len(content) >= MAX_PAGE_BYTES:
                    break
        return bytes(content[:MAX_PAGE_BYTES]), download.content_type

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _text(content: bytes, is_plain: bool) -> str:
    """What a page says, without its navigation and advertisements."""
    if is_plain:
        return content.decode("utf-8", "replace")[:MAX_TEXT_CHARACTERS]
    beginning = b"<".join(content.split(b"<", MAX_TAGS)[:MAX_TAGS])
    return (extract(beginning, include_comments=False, include_tables=True) or "")[:MAX_TEXT_CHARACTERS]
