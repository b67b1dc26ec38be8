"""The one setting: which provider does the searching."""

from __future__ import annotations

from vivavoce.config.reach import WebSearchConfig
from vivavoce.tools.web_search.base import Hit, Query, SearchError, SearchProvider
from vivavoce.tools.web_search.http_api import Brave, Searxng, Tavily


def provider_of(config: WebSearchConfig) -> SearchProvider:
    """The provider that ``[web_search] provider`` names."""
    url = str(config.url or "").rstrip("/")
    key = config.api_key.get_secret_value() if config.api_key else ""
    match config.provider:
        case "searxng":
            return Searxng(url)
        case "brave":
            return Brave(url or Brave.url, key)
        case "tavily":
            return Tavily(url or Tavily.url, key)
        case "off":
            return Off()
        case "ddgs":
            from vivavoce.tools.web_search.keyless import Keyless  # its import loads a browser's worth of TLS

            return Keyless()


class Off:
    """No search at all."""

    name = "off"

    async def search(self, query: Query) -> list[Hit]:
        """Raises ``SearchError``."""
        raise SearchError("off")

    async def close(self) -> None:
        """Nothing is open."""
