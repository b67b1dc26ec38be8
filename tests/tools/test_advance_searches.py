"""What should have what is asked is searched before the model writes: which stores, and when not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from knowledge.shelves import OWNER, open_shelf
from vivavoce.config.outbound import McpConfig, ToolsConfig
from vivavoce.errors import EngineError
from vivavoce.intents.turn import TurnIntent
from vivavoce.knowledge.stores import NewStore
from vivavoce.net.fetching import Fetcher
from vivavoce.protocol.tool_config import RetrievalDeclaration as Declared
from vivavoce.tools.base import CallContext, ServerTool, ToolResult
from vivavoce.tools.catalog import ToolCatalog, ToolFactories
from vivavoce.tools.retrieval import asks_sources, retrieval_tool
from vivavoce.types import GenerationOptions, Message, Tool, ToolCall

ASKED = (Message("user", "How long does the battery last?"),)


class Store(ServerTool):
    kind = "retrieval"
    timeout_s = 1.0
    weighing_s = 0.0

    def __init__(self, name: str, found: bool | Exception) -> None:
        self.tool = Tool(name, "", {})
        self._found = found

    async def arguments_in_advance(
        self, messages: Sequence[Message], intent: TurnIntent | None
    ) -> Mapping[str, Any] | None:
        await asyncio.sleep(self.weighing_s)
        if isinstance(self._found, Exception):
            raise self._found
        return {"query": messages[-1].content} if self._found else None

    async def run(self, arguments: Mapping[str, Any], context: CallContext) -> ToolResult:
        return ToolResult("")


async def no_question(_owner: str, _store_id: str) -> None:
    raise AssertionError("stores are looked up when tools are declared")


async def searched(
    *found: bool | Exception,
    messages: Sequence[Message] = ASKED,
    options: GenerationOptions | None = None,
    calls: Sequence[ToolCall] = (),
) -> list[str]:
    left = list(found)
    makers = ToolFactories(
        lambda _owner, _one: Store("web", found=False),
        lambda _owner, _one, name: Store(name, left.pop(0)),
        no_question,
    )
    offering = ToolCatalog(ToolsConfig(), McpConfig(), Fetcher(), makers)
    declared = [Declared(description="", vector_store_id=str(number)) for number in range(len(found))]
    _, run = await offering.for_reply(
        messages, options or GenerationOptions(), declared, CallContext("me", messages), calls=calls
    )
    return [call.name for call in run.calls]


async def test_every_store_that_may_tell_is_searched() -> None:
    assert await searched(True, False, True) == ["search_documents", "search_documents_3"]


async def test_a_busy_machine_does_not_make_the_model_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "weighing_s", 2.5)
    assert await searched(True) == ["search_documents"]


@pytest.mark.parametrize("found", [(), (False, False), (EngineError("e5", "is away"),)])
async def test_else_the_model_decides(found: tuple[bool | Exception, ...]) -> None:
    assert await searched(*found) == []


async def test_what_the_client_decided_stays() -> None:
    assert await searched(True, options=GenerationOptions(tool_choice="none")) == []
    assert await searched(True, options=GenerationOptions(tool_choice="required")) == []
    assert await searched(True, options=GenerationOptions(continue_last_message=True)) == []
    own = Tool("search_documents", "the client's", {})
    assert await searched(True, options=GenerationOptions(tools=(own,))) == []


async def test_only_what_the_user_says_is_asked_for() -> None:
    assert await searched(True, messages=(*ASKED, Message("assistant", "Eleven hours."))) == []
    assert await searched(True, calls=(ToolCall("1", "get_time", "{}"),)) == ["get_time"]


async def test_instructions_behind_the_question_leave_it_a_question() -> None:
    brief = Message("system", "Answer in one word.")
    assert await searched(True, messages=(*ASKED, brief)) == ["search_documents"]


@pytest.mark.parametrize(
    ("likely", "acts", "says", "is_searched"),
    [
        (0.9, 0.0, "What about the guarantee?", True),  # whatever the store has: it is told that it has nothing
        (0.4, 0.0, "My aunt sang.", False),
        (0.4, 0.0, "battery lasts eleven hours", True),
        (0.0, 0.0, "My aunt sang.", False),
        (0.0, 0.0, "battery lasts eleven hours", True),
        (0.9, 0.9, "Pay the rent for the workshop.", False),  # to act is not to ask
        (0.9, 0.9, "The battery lasts eleven hours. Yes.", True),
        (0.0, 0.9, "battery lasts eleven hours", False),
    ],
)
async def test_documents_are_searched_for_what_they_may_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, likely: float, acts: float, says: str, is_searched: bool
) -> None:
    async with open_shelf(tmp_path) as shelf:
        store = (await shelf.knowledge.stores.create(OWNER, NewStore("manuals"))).id
        await shelf.add(store, "# Aurora\n\nThe battery lasts eleven hours.\n\nThe lid is blue.\n")
        await shelf.settled(store)
        tool = retrieval_tool(shelf.knowledge, OWNER, store)
        monkeypatch.setattr(shelf.knowledge, "calibrated", True)
        intent = TurnIntent(says, acts=acts, documents=likely, current=0.0)
        expected = {"query": says} if is_searched else None
        assert await tool.arguments_in_advance((Message("user", says),), intent) == expected


async def test_without_evidence_the_model_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_shelf(tmp_path) as shelf:
        store = (await shelf.knowledge.stores.create(OWNER, NewStore("manuals"))).id
        await shelf.add(store, "# Aurora\n\nThe battery lasts eleven hours.\n\nThe lid is blue.\n")
        await shelf.settled(store)
        tool = retrieval_tool(shelf.knowledge, OWNER, store)
        says = (Message("user", "battery lasts eleven hours"),)
        assert await tool.arguments_in_advance(says, None) is None, "not with an embedder of another scale"
        monkeypatch.setattr(shelf.knowledge, "calibrated", True)
        assert await tool.arguments_in_advance(says, None) is not None
        assert await tool.arguments_in_advance((), None) is None
        off = shelf.knowledge.config.model_copy(update={"sure_evidence": None})
        monkeypatch.setattr(shelf.knowledge, "config", off)
        assert await tool.arguments_in_advance(says, None) is None
        gone = retrieval_tool(shelf.knowledge, OWNER, "123456789012345678")
        assert await gone.arguments_in_advance(says, None) is None


@pytest.mark.parametrize(
    ("instructions", "says", "wants", "asks"),
    [
        ("Use the papers, nothing else.", "What is its top speed?", {"documents": 0.6}, True),
        ("Use the papers, nothing else.", "What is its top speed?", {"current": 0.9}, True),
        ("Be kind.", "What is its top speed?", {"documents": 0.6}, False),
        ("Use the papers, nothing else.", "It is raining again, isn't it?", {"current": 0.9}, False),
        ("Use the papers, nothing else.", "Is my car ready?", {"documents": 0.6, "status": 0.9}, False),
        ("Use the papers, nothing else.", "What did you say?", {"documents": 0.6, "recall": 0.9}, False),
    ],
)
def test_where_nothing_else_may_answer_every_question_is_one_to_the_documents(
    instructions: str, says: str, wants: dict[str, float], asks: bool
) -> None:
    messages = (Message("system", instructions), Message("user", says))
    intent = replace(TurnIntent(says, acts=0.0, documents=0.0, current=0.0), **wants)  # type: ignore[arg-type]
    assert asks_sources(messages, intent) is asks
