"""``POST /v1/search``: the web search of the assistants, for programs (platform reference, section 9)."""

from __future__ import annotations

from fastapi import APIRouter, Request

from vivavoce.errors import ClientError
from vivavoce.http.auth import Owner
from vivavoce.http.disconnects import while_connected
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.lifecycle import core_of
from vivavoce.protocol.search import SearchRequest, SearchResult, SearchResults
from vivavoce.text.scripts import written_language
from vivavoce.tools.web_search.base import Reason, SearchError
from vivavoce.tools.web_search.search import Result, WebSearch, wording

router = APIRouter(route_class=ReportingRoute, tags=["search"])

TIMEOUT_S = 10.0
"""For everything: the search, and reading the pages found."""

_MAX_PAGES = 10
_CODES: dict[Reason, str] = {
    "unreachable": "search_unavailable",
    "too_slow": "search_unavailable",
    "quota": "search_unavailable",
    "not_installed": "not_installed",
}


@router.post("/v1/search")
async def search(request: Request, body: SearchRequest, owner: Owner) -> SearchResults:
    """Search the web. A provider that fails is a 503 if trying again may help, and a 502 if not; none is a 501."""
    core = core_of(request)
    if not wording(body.query):
        raise ClientError("There are no words to search for.", param="query")
    async with core.request_slots.hold(owner):
        finding = core.shared[WebSearch].find(
            body.query,
            limit=body.n,
            timeout_s=TIMEOUT_S,
            owner=owner,
            language=written_language(body.query),
            category=body.category,
            pages=_MAX_PAGES,
        )
        try:
            web_results = await while_connected(request.receive, finding)
        except SearchError as error:
            code = _CODES.get(error.reason, "search_failed")
            raise ClientError(str(error), code=code, type="server_error") from error
    results = [_wire_result(position, result) for position, result in enumerate(web_results, 1)]
    return SearchResults(query=body.query, n=body.n, results=results)


def _wire_result(position: int, result: Result) -> SearchResult:
    return SearchResult(
        url=result.url,
        position=position,
        title=result.title,
        time=result.published,
        snippet=result.snippet,
        content=result.content,
    )
