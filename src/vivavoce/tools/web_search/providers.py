"""The one setting: which provider does the searching."""

from __future__ import annotations

from vivavoce.config.outbound import WebSearchConfig
from vivavoce.extras import installed
from vivavoce.tools.web_search.base import Query, Reason, SearchError, SearchProvider, WebResult
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
        case _ if not installed("search"):
            return Off("not_installed")
        case "ddgs":
            from vivavoce.tools.web_search.keyless import Keyless  # its import loads a browser's worth of TLS

            return Keyless()


class Off:
    """No search at all, for a reason."""

    name = "off"

    def __init__(self, reason: Reason = "off") -> None:
        self._reason = reason

    async def search(self, query: Query) -> list[WebResult]:
        """Raises ``SearchError``."""
        raise SearchError(self._reason)

    async def close(self) -> None:
        """Nothing is open."""
