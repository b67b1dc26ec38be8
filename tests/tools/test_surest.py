"""A tool that surely has what is asked is called without asking the model: which one, and when not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from knowledge.shelves import OWNER, open_shelf
from vivavoce.config.outbound import McpConfig, ToolsConfig
from vivavoce.errors import EngineError
from vivavoce.knowledge.stores import NewStore
from vivavoce.net.fetching import Fetcher
from vivavoce.protocol.tool_config import RetrievalDeclaration as Declared
from vivavoce.tools.base import UNKNOWN_ODDS, CallContext, ServerTool, ToolResult
from vivavoce.tools.catalog import ToolCatalog, ToolFactories
from vivavoce.tools.retrieval import retrieval_tool
from vivavoce.types import GenerationOptions, Message, NamedTool, Tool, ToolCall

ASKED = (Message("user", "How long does the battery last?"),)


class Store(ServerTool):
    kind = "retrieval"
    timeout_s = 1.0
    weighing_s = 0.0

    def __init__(self, name: str, found: float | Exception) -> None:
        self.tool = Tool(name, "", {})
        self._found = found

    async def answer_log_odds(self, messages: Sequence[Message]) -> float:
        await asyncio.sleep(self.weighing_s)
        if isinstance(self._found, Exception):
            raise self._found
        return self._found

    async def run(self, arguments: Mapping[str, Any], context: CallContext) -> ToolResult:
        return ToolResult("")


async def no_question(_owner: str, _store_id: str) -> None:
    raise AssertionError("stores are looked up when tools are declared")


async def choice(
    *found: float | Exception,
    messages: Sequence[Message] = ASKED,
    options: GenerationOptions | None = None,
    calls: Sequence[ToolCall] = (),
) -> object:
    left = list(found)
    makers = ToolFactories(
        lambda _owner, _one: Store("web", UNKNOWN_ODDS),
        lambda _owner, _one, name: Store(name, left.pop(0)),
        no_question,
    )
    offering = ToolCatalog(ToolsConfig(), McpConfig(), Fetcher(), makers)
    declared = [Declared(description="", vector_store_id=str(number)) for number in range(len(found))]
    options, _ = await offering.for_reply(
        messages, options or GenerationOptions(), declared, CallContext("me", messages), calls=calls
    )
    return options.tool_choice


async def test_the_store_with_the_most_evidence_is_searched() -> None:
    assert await choice(2.0, 4.0, UNKNOWN_ODDS) == NamedTool("search_documents_2")


async def test_a_busy_machine_does_not_make_the_model_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "weighing_s", 2.5)
    assert await choice(4.0) == NamedTool("search_documents")


@pytest.mark.parametrize("found", [(), (UNKNOWN_ODDS, UNKNOWN_ODDS), (EngineError("e5", "is away"),)])
async def test_else_the_model_decides(found: tuple[float | Exception, ...]) -> None:
    assert await choice(*found) == "auto"


async def test_what_the_client_decided_stays() -> None:
    assert await choice(4.0, options=GenerationOptions(tool_choice="none")) == "none"
    assert await choice(4.0, options=GenerationOptions(tool_choice="required")) == "required"
    assert await choice(4.0, options=GenerationOptions(continue_last_message=True)) == "auto"
    own = Tool("search_documents", "the client's", {})
    assert await choice(4.0, options=GenerationOptions(tools=(own,))) == "auto"


async def test_only_what_the_user_says_is_asked_for() -> None:
    assert await choice(4.0, messages=(*ASKED, Message("assistant", "Eleven hours."))) == "auto"
    assert await choice(4.0, calls=(ToolCall("1", "search_documents", "{}"),)) == "auto"


async def test_instructions_behind_the_question_leave_it_a_question() -> None:
    brief = Message("system", "Answer in one word.")
    assert await choice(4.0, messages=(*ASKED, brief)) == NamedTool("search_documents")


async def test_documents_tell_how_sure_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_shelf(tmp_path) as shelf:
        store = (await shelf.knowledge.stores.create(OWNER, NewStore("manuals"))).id
        await shelf.add(store, "# Aurora\n\nThe battery lasts eleven hours.\n\nThe lid is blue.\n")
        await shelf.settled(store)
        tool = retrieval_tool(shelf.knowledge, OWNER, store)
        assert await tool.answer_log_odds(ASKED) == UNKNOWN_ODDS, "not with an embedder of another scale"
        monkeypatch.setattr(shelf.knowledge, "calibrated", True)
        assert await tool.answer_log_odds((Message("user", "battery lasts eleven hours"),)) > 0
        assert await tool.answer_log_odds((Message("user", "My aunt sang."),)) == UNKNOWN_ODDS, "nothing of it is there"
        assert await tool.answer_log_odds(()) == UNKNOWN_ODDS
        monkeypatch.setattr(
            shelf.knowledge, "config", shelf.knowledge.config.model_copy(update={"sure_evidence": None})
        )
        assert await tool.answer_log_odds((Message("user", "battery lasts eleven hours"),)) == UNKNOWN_ODDS
        gone = retrieval_tool(shelf.knowledge, OWNER, "123456789012345678")
        assert await gone.answer_log_odds(ASKED) == UNKNOWN_ODDS
