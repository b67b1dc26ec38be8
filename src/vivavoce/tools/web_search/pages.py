"""Reading a page of the web: fetched safely, and reduced to its text on a thread, for that takes its time."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from trafilatura import extract

from vivavoce.errors import ClientError
from vivavoce.net.fetching import Fetcher
from vivavoce.tools.web_search.remembering import Remembering

MOST_PAGE_BYTES = 512 * 1024
"""Of a page that are read; the text of most begins before."""

MOST_TAGS = 8_000
"""The extractor's work grows with the square of the elements; up to here it is half a second."""

MOST_TEXT = 40_000
_READABLE = ("text/html", "application/xhtml+xml", "text/plain")
_THREADS = 2
_KEPT = 64


class Pages:
    """Reads pages and remembers their texts for ``remember_s``."""

    def __init__(self, fetcher: Fetcher, remember_s: float) -> None:
        self._fetcher = fetcher
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="pages")
        self._texts: Remembering[str, str] = Remembering(_KEPT, remember_s)

    async def read(self, url: str, timeout_s: float) -> str:
        """The text of a page, its beginning if it is very long; empty when there is nothing to read."""
        known = self._texts.get(url)
        if known is not None:
            return known
        try:
            content, kind = await self._fetch(url, timeout_s)
        except ClientError:
            return ""
        loop = asyncio.get_running_loop()
        text = await loop.run_in_executor(self._threads, _text, content, kind.startswith("text/plain"))
        self._texts.put(url, text)
        return text

    async def _fetch(self, url: str, timeout_s: float) -> tuple[bytes, str]:
        content = bytearray()
        page = self._fetcher.stream(url, most_bytes=2 * MOST_PAGE_BYTES, timeout_s=timeout_s, accept=_READABLE)
        async with page as download:
            async for chunk in download.chunks:
                content += chunk
                if len(content) >= MOST_PAGE_BYTES:
                    break
        return bytes(content[:MOST_PAGE_BYTES]), download.content_type

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _text(content: bytes, is_plain: bool) -> str:
    """What a page says, without its navigation and advertisements."""
    if is_plain:
        return content.decode("utf-8", "replace")[:MOST_TEXT]
    beginning = b"<".join(content.split(b"<", MOST_TAGS)[:MOST_TAGS])
    return (extract(beginning, include_comments=False, include_tables=True) or "")[:MOST_TEXT]
