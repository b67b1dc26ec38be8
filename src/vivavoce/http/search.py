"""``POST /v1/search``: the web search of the assistants, for programs (platform reference, section 9)."""

from __future__ import annotations

from fastapi import APIRouter, Request

from vivavoce.errors import ClientError
from vivavoce.http.auth import Owner
from vivavoce.http.disconnects import while_connected
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.serving import Serving
from vivavoce.protocol.search import SearchRequest, SearchResult, SearchResults
from vivavoce.scripts import written_language
from vivavoce.tools.web_search.base import Reason, SearchError
from vivavoce.tools.web_search.search import Result, wording

router = APIRouter(route_class=ReportingRoute, tags=["search"])

TIMEOUT_S = 10.0
"""For everything: the search, and reading the pages found."""

_MOST_PAGES = 10
_PASSING: frozenset[Reason] = frozenset({"unreachable", "too_slow", "quota"})


@router.post("/v1/search")
async def search(request: Request, wanted: SearchRequest, owner: Owner) -> SearchResults:
    """Search the web. A provider that fails is a 503 if trying again may help, and a 502 if not."""
    serving: Serving = request.app.state.serving
    if not wording(wanted.query):
        raise ClientError("There are no words to search for.", param="query")
    async with serving.requests.taken_for(owner):
        finding = serving.web_search.find(
            wanted.query,
            most=wanted.n,
            timeout_s=TIMEOUT_S,
            owner=owner,
            language=written_language(wanted.query),
            category=wanted.category,
            pages=_MOST_PAGES,
        )
        try:
            found = await while_connected(request, finding)
        except SearchError as error:
            code = "search_unavailable" if error.reason in _PASSING else "search_failed"
            raise ClientError(str(error), code=code, type="server_error") from error
    results = [_shown(position, result) for position, result in enumerate(found, 1)]
    return SearchResults(query=wanted.query, n=wanted.n, results=results)


def _shown(position: int, result: Result) -> SearchResult:
    return SearchResult(
        url=result.url,
        position=position,
        title=result.title,
        time=result.published,
        snippet=result.snippet,
        content=result.content,
    )
