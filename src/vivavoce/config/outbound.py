"""What a server asks and what it may do: ``[net]``, ``[web_search]``, ``[tools]``, ``[mcp]``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, HttpUrl, SecretStr, field_validator, model_validator

from vivavoce.config.table import Table


class NetConfig(Table):
    """What is fetched for clients by URL. ``allow_private`` lets that into this machine's own network.

    ``fetch_audio``: recordings of chat requests may be named by URL.
    """

    allow_private: bool = False
    fetch_audio: bool = False


class WebSearchConfig(Table):
    """Where the web is searched, and how.

    ``url`` is SearXNG's address, or another one for Brave's or Tavily's API; ``api_key`` is theirs. ``language`` is an ISO
    639-1 code, by default the user's. Of the first ``fetch_pages`` results the page is read, as far as the time goes; what
    was found is remembered for ``cache_s``. ``tokens`` is what the results may take of the model's context.
    """

    provider: Literal["ddgs", "searxng", "brave", "tavily", "off"] = "ddgs"
    url: HttpUrl | None = None
    api_key: SecretStr | None = None
    language: str | None = Field(default=None, pattern="^[a-z]{2,3}$")
    safe_search: Literal["off", "moderate", "strict"] = "moderate"
    fetch_pages: int = Field(default=2, ge=0, le=10)
    cache_s: float = Field(default=300.0, ge=0)
    tokens: int = Field(default=800, ge=100)

    @model_validator(mode="after")
    def _check_provider(self) -> WebSearchConfig:
        if self.provider == "searxng" and self.url is None:
            raise ValueError("'searxng' needs the 'url' of an instance")
        if self.provider in ("brave", "tavily") and self.api_key is None:
            raise ValueError(f"'{self.provider}' needs an 'api_key'")
        return self


class ToolsConfig(Table):
    """Tools that run on the server, in every conversation.

    ``builtin`` names plug-ins (entry points ``vivavoce.tools``) offered to all sessions. A reply calls tools at most ``rounds``
    times. Silence of ``filler_ms`` since the user's last sound is filled with a few words, where tools or deciding about them
    take so long, unless that is ``None`` (``"off"``); ``fillers`` are words by language, beside or instead of our own.
    ``calls_after_untrusted``: also what has effects may be called after the model has read a page or a document.
    ``relevance``: how near in meaning to a tool a request must be for the tool to be on offer (a margin over small talk, on
    the scale of the built-in embedder; ``None``: all tools always are).
    ``confirm``: which calls with effects wait for the user's yes: those that move money or cannot be undone (``risky``), all of
    them (``always``), or ``never`` any.
    """

    builtin: tuple[str, ...] = ()
    rounds: int = Field(default=4, ge=1, le=16)
    filler_ms: int | None = Field(default=850, ge=0)
    fillers: Mapping[str, str] = Field(default_factory=dict)
    calls_after_untrusted: bool = False
    relevance: float | None = Field(default=-0.085, ge=-1.0, le=1.0)
    confirm: Literal["never", "risky", "always"] = "risky"

    @field_validator("filler_ms", mode="before")
    @classmethod
    def _never(cls, filler_ms: object) -> object:
        return None if filler_ms == "off" else filler_ms


class McpServerConfig(Table):
    """A tool server for all sessions: a ``url``, or a ``command`` that speaks over its standard streams.

    ``tools`` names those on offer (all, unless given). ``timeout_s`` is how long one call may take.
    """

    url: HttpUrl | None = None
    headers: Mapping[str, SecretStr] = Field(default_factory=dict)
    command: tuple[str, ...] = ()
    env: Mapping[str, SecretStr] = Field(default_factory=dict)
    folder: Path | None = None
    tools: tuple[str, ...] | None = None
    timeout_s: float = Field(default=20.0, gt=0)

    @model_validator(mode="after")
    def _check_one_transport(self) -> McpServerConfig:
        if (self.url is None) == (not self.command):
            raise ValueError("a tool server has either a 'url' or a 'command'")
        return self


class McpConfig(Table):
    """Tool servers (Model Context Protocol): the operator's own, and how those of clients are dealt with.

    A server may take ``list_s`` to say what it has, of which a conversation's reply waits ``patience_s``, and a call to a
    client's server ``call_s``; a connection nobody has used for ``idle_s`` is closed.
    """

    servers: Mapping[str, McpServerConfig] = Field(default_factory=dict)
    list_s: float = Field(default=10.0, gt=0)
    patience_s: float = Field(default=2.0, ge=0)
    call_s: float = Field(default=20.0, gt=0)
    idle_s: float = Field(default=300.0, gt=0)
