"""``POST /v1/search`` (platform reference, section 9)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

MAX_RESULTS = 20


class SearchRequest(BaseModel):
    """What to search the web for. ``category`` prefers results of one kind."""

    query: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
    n: int = Field(default=10, ge=1, le=MAX_RESULTS)
    category: Literal["programming", "research", "gov", "business"] | None = None


class SearchResult(BaseModel):
    """A page. ``position`` counts from 1; ``time`` is when it was published, ``content`` what it says, where that is known."""

    url: str
    position: int
    title: str
    time: str
    snippet: str
    content: str


class SearchResults(BaseModel):
    """What was found; ``query`` and ``n`` are those of the request."""

    query: str
    n: int
    results: list[SearchResult]
