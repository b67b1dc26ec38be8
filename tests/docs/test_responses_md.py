"""The page on Responses against the code: every field, item, tool, event, bound and status."""

from __future__ import annotations

import re

from docs.markdown import DOCS, codes, rows
from vivavoce.http.errors import STATUS_OF_CODE
from vivavoce.http.responses import MIN_OUTPUT_TOKENS
from vivavoce.protocol.chat.request import MAX_TOOLS
from vivavoce.protocol.responses.items import IGNORED_ITEMS, KINDS
from vivavoce.protocol.responses.request import LOGPROBS, MAX_METADATA, SEARCH_RESULTS, ResponsesRequest
from vivavoce.protocol.responses.tools import MAX_STORES
from vivavoce.runtime.chat.stored_responses import KEPT_S, MAX_BYTES, MAX_BYTES_EACH, MAX_RESPONSES_EACH

PAGE = DOCS / "responses.md"


def cells(heading: str) -> dict[str, list[str]]:
    return {code: row[1:] for row in rows(PAGE, heading) for code in codes(row[0])}


def test_every_field() -> None:
    told = cells("Request")
    assert set(told) == set(ResponsesRequest.model_fields)
    assert f"up to {MAX_TOOLS}" in told["tools"]
    assert f"up to {MAX_METADATA} strings" in told["metadata"]
    assert {LOGPROBS, SEARCH_RESULTS} <= set(codes(told["include"][2]))
    assert f"less than {MIN_OUTPUT_TOKENS} tokens" in told["truncation"][2]
    for name in ("store", "stream", "parallel_tool_calls", "tool_choice", "top_p", "truncation"):
        default = ResponsesRequest.model_fields[name].default
        shown = str(default).lower() if isinstance(default, bool) else str(default)
        assert codes(told[name][1]) == [shown], name


def test_every_kind_of_item() -> None:
    assert set(cells("Items")) == {*KINDS, *IGNORED_ITEMS}
    (stores,) = [row[1] for row in rows(PAGE, "Tools") if "file_search" in row[0]]
    assert f"up to {MAX_STORES} " in stores


def test_every_bound_of_what_is_stored() -> None:
    text = PAGE.read_text().split("## What is stored")[1].split("| Request")[0]
    assert KEPT_S == 24 * 3600
    assert f"up to {MAX_RESPONSES_EACH} responses and {MAX_BYTES_EACH // 1024**2} MB an owner" in text
    assert f"{MAX_BYTES // 1024**2} MB altogether" in text


def test_the_statuses_of_errors() -> None:
    for code, status, _ in rows(PAGE, "Errors"):
        assert int(status) == STATUS_OF_CODE.get(codes(code)[0], 400)


def test_every_event_there_is() -> None:
    source = (DOCS.parent / "src/vivavoce/http/response_events.py").read_text()
    told = set[str]()
    for row in rows(PAGE, "Streams"):
        for name in codes(row[0]):
            told.add(name)
    ends = {name.removeprefix("response.").rpartition(".")[2] for name in told}
    for kind in re.findall(r'"response\.([a-z_]+)\.[a-z_.]+"', source):
        assert any(f"response.{kind}." in name for name in told), kind
    assert {
        "created",
        "in_progress",
        "added",
        "done",
        "delta",
        "searching",
        "completed",
        "incomplete",
        "failed",
    } <= ends
