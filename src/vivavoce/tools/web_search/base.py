"""What a search provider is: one Protocol, one verb, and one error with the reasons a search fails for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from vivavoce.errors import VivavoceError
from vivavoce.extras import install_hint
from vivavoce.types import Language

SafeSearch: TypeAlias = Literal["off", "moderate", "strict"]
Category: TypeAlias = Literal["programming", "research", "gov", "business"]

Reason: TypeAlias = Literal["unreachable", "too_slow", "quota", "refused", "nonsense", "off", "not_installed"]
SENTENCES: dict[Reason, str] = {
    "unreachable": "The web search cannot be reached at the moment.",
    "too_slow": "The web search took too long to answer.",
    "quota": "The web search allows no more searches for now.",
    "refused": "The web search did not accept this server's access.",
    "nonsense": "The web search gave an answer that cannot be read.",
    "off": "This server has no web search.",
    "not_installed": install_hint("search", "web search"),
}


class SearchError(VivavoceError):
    """A provider did not do its work. The message is a sentence that can be told to anyone."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(SENTENCES[reason])
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for: ``limit`` results at most, within ``timeout_s``."""

    text: str
    limit: int
    timeout_s: float
    language: Language | None = None
    safe_search: SafeSearch = "moderate"
    category: Category | None = None

    @property
    def words(self) -> str:
        """The text with a word for the category, for providers that know no categories."""
        suffixes = {
            "programming": " programming",
            "research": " research paper",
            "gov": " site:gov",
            "business": " business",
        }
        return self.text + suffixes[self.category] if self.category else self.text


@dataclass(frozen=True, slots=True)
class WebResult:
    """One result: plain text without markup. ``published`` is a date as the provider writes it, or empty."""

    url: str
    title: str
    snippet: str = ""
    published: str = ""


class SearchProvider(Protocol):
    """Where results come from."""

    name: str

    async def search(self, query: Query) -> Sequence[WebResult]:
        """Results, best first, with whatever markup they came; none is no failure. Raises ``SearchError``.

        Cancelling stops it. It is cancelled when the time is over, so it need not watch the clock.
        """
        ...

    async def close(self) -> None:
        """Let connections and threads go."""
        ...
