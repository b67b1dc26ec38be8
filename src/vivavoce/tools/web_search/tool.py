"""Web search as a tool of the server: what the model asks, what it is told, what clients are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from vivavoce.intents.turn import TurnIntent
from vivavoce.text.token_estimates import estimate_tokens
from vivavoce.tools.base import CallContext, Effects, ServerTool, ToolResult
from vivavoce.tools.queries import queries_for
from vivavoce.tools.web_search.base import SearchError
from vivavoce.tools.web_search.search import MAX_RESULTS, Result, WebSearch, wording
from vivavoce.types import Citation, Message, Tool

NAME = "web_search"
DESCRIPTION = "Search the web for current facts: news, weather, prices, events, and what may have changed lately."

NOTHING_TO_SEARCH = "There were no words to search for."
NOTHING_FOUND = "The web search found nothing."

MAX_TIMEOUT_S = 60.0
CHANGES = 0.7
"""Probability from which on what is asked is searched without asking the model."""

_GRACE_S = 0.5
"""What the tool loop waits beyond the search's own deadline, at which the search gives what it has."""


@dataclass(frozen=True)
class WebSearchTool(ServerTool):
    """Searches the web with what the client's ``options`` ask for (Realtime reference, section 2.3)."""

    search: WebSearch
    top_k: int
    search_s: float
    tool: Tool
    today: Callable[[], date] = date.today

    kind: str = "web_search"
    effects: Effects = "sends"

    @property
    def timeout_s(self) -> float:  # type: ignore[override]
        """How long the loop waits."""
        return self.search_s + _GRACE_S

    async def arguments_in_advance(
        self, messages: Sequence[Message], intent: TurnIntent | None
    ) -> Mapping[str, Any] | None:
        """What changes from day to day is looked up: a model knows how it was."""
        if intent is None or intent.current < CHANGES:
            return None
        return {"query": queries_for("", messages)[-1]}

    async def run(self, arguments: Mapping[str, Any], context: CallContext) -> ToolResult:
        """Search for ``query`` (or ``keyword``, as StepFun's models call it)."""
        query = str(arguments.get("query") or arguments.get("keyword") or "").strip()
        if not wording(query):
            return _failure(query, NOTHING_TO_SEARCH)
        try:
            results = await self.search.find(
                query,
                limit=self.top_k,
                timeout_s=self.search_s,
                language=context.language,
                owner=context.owner,
                pages=self.search.config.fetch_pages,
            )
        except SearchError as error:
            return _failure(query, str(error))
        if not results:
            return _failure(query, NOTHING_FOUND)
        return ToolResult(
            rendered_results(results, self.today(), self.search.config.tokens),
            citations=tuple(Citation(result.title, url=result.url, passage=result.passage) for result in results),
            payload=payload(query, results),
        )


def web_search_tool(
    search: WebSearch, *, description: str = "", top_k: int = 5, timeout_s: float = 3.0
) -> WebSearchTool:
    """The tool with a client's options; what is out of range is drawn in."""
    schema = {
        "type": "object",
        "properties": {"query": {"type": "string", "description": "what to look for, in a few words"}},
        "required": ["query"],
    }
    return WebSearchTool(
        search,
        max(1, min(top_k, MAX_RESULTS)),
        max(0.1, min(timeout_s, MAX_TIMEOUT_S)),
        Tool(NAME, description.strip() or DESCRIPTION, schema),
    )


def payload(query: str, hits: Sequence[Result]) -> dict[str, Any]:
    """What chat shows of a search: ``step_websearch`` with its ``keyword`` (Chat Completions reference, section 6.2)."""
    results = [
        {"index": index, "url": result.url, "title": result.title, "summary": result.passage}
        for index, result in enumerate(hits, 1)
    ]
    return {"name": "step_websearch", "arguments": {"keyword": query}, "results": results}


def rendered_results(results: Sequence[Result], today: date, max_tokens: int) -> str:
    """The results as the model reads them: a numbered list of about ``max_tokens``, without addresses.

    Each gets an even share, and what it does not use goes to those after it.
    """
    lines = [f"Web search results. Today is {today:%A}, {today.isoformat()}."]
    remaining = max_tokens - _tokens(lines[0])
    for index, result in enumerate(results):
        date_ = f", {result.published}" if result.published else ""
        head = f"{index + 1}. {result.title} ({result.site}{date_}): "
        share = remaining // (len(results) - index) - _tokens(head)
        line = head + fitting(result.passage, share)
        lines.append(line.rstrip(": "))
        remaining -= _tokens(line)
    return "\n".join(lines)


def fitting(text: str, max_tokens: int) -> str:
    """The beginning of ``text`` of at most about ``max_tokens``, cut between words."""
    if _tokens(text) <= max_tokens:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _tokens(text[:middle]) < max_tokens else (low, middle - 1)
    cut = text[:low]
    space = cut.rfind(" ")
    return f"{(cut[:space] if space > low // 2 else cut).rstrip()}…" if cut else ""


def _tokens(text: str) -> int:
    return estimate_tokens(Message("tool", text))


def _failure(query: str, sentence: str) -> ToolResult:
    return ToolResult(sentence, payload=payload(query, ()), failed=True, trusted=True)
