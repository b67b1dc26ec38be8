"""Tools that cannot all be told: which keep their place at the head of the prompt, which are told for a turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from vivavoce.config.outbound import McpConfig, ToolsConfig
from vivavoce.engines.base import Embedder
from vivavoce.engines.fake import FakeEmbedder
from vivavoce.errors import EngineError
from vivavoce.net.fetching import Fetcher
from vivavoce.pending_request import request_variants
from vivavoce.protocol.tool_config import ServerSideTool, WebSearchDeclaration
from vivavoce.signatures import RULES_TOKENS, estimate_tool, estimate_tools, shortened, signature
from vivavoce.tools.base import CallContext, ServerTool, ToolResult
from vivavoce.tools.catalog import Bounds, ToolCatalog, ToolFactories
from vivavoce.tools.relevance import Relevance
from vivavoce.tools.selection import MAX_TRANSIENT_TOOLS, shared_words
from vivavoce.types import EmbedOptions, GenerationOptions, Message, NamedTool, Tool, ToolCall, Vectors

ROOM = 1365
"""A third of 4096."""

PLACES = ("kitchen", "garage", "office", "bathroom", "hallway", "garden", "attic", "cellar", "nursery", "library")
THINGS = ("lamp", "blind", "heater", "fan", "socket", "window", "camera", "sprinkler", "door", "speaker")


def tool(name: str, description: str = "", **properties: object) -> Tool:
    return Tool(name, description, {"type": "object", "properties": properties})


HUNDRED = tuple(
    tool(
        f"switch_{place}_{thing}",
        f"Open or close, or switch on or off, the {thing} of the {place}.",
        on={"type": "boolean"},
    )
    for place in PLACES
    for thing in THINGS
)


class Search(ServerTool):
    kind = "web_search"
    timeout_s = 1.0
    tool = tool("web_search", "Search the web.", query={"type": "string"})

    async def run(self, arguments: Mapping[str, Any], context: CallContext) -> ToolResult:
        return ToolResult("")


def offering_with(embedder: Embedder | None = None) -> ToolCatalog:
    makers = ToolFactories(
        lambda _owner, _one: Search(),
        lambda _owner, _one, _name: Search(),
        lambda _owner, _one: NotImplemented,
    )
    made = ToolCatalog(ToolsConfig(), McpConfig(), Fetcher(), makers)
    made.relevance = Relevance(embedder, None) if embedder is not None else None
    return made


async def told(
    *said: Message,
    tools: Sequence[Tool] = HUNDRED,
    declared: Sequence[ServerSideTool] = (),
    made: ToolCatalog | None = None,
    options: GenerationOptions | None = None,
    room: int | None = ROOM,
) -> GenerationOptions:
    options = options or GenerationOptions(tools=tuple(tools))
    made = made or offering_with(FakeEmbedder())
    chosen, _ = await made.for_reply(
        said, options, declared, CallContext("me", said), bounds=Bounds(max_tool_tokens=room)
    )
    return chosen


def offered(options: GenerationOptions) -> set[str]:
    return {one.name for one in options.tools} - options.withheld


def user(text: str) -> Message:
    return Message("user", text)


@pytest.mark.parametrize("embedder", [FakeEmbedder(), None])
async def test_of_a_hundred_tools_those_a_turn_is_about_are_told(embedder: FakeEmbedder | None) -> None:
    options = await told(user("Please switch the fan in the office on."), made=offering_with(embedder))
    assert "switch_office_fan" in offered(options)
    assert len(offered(options)) <= MAX_TRANSIENT_TOOLS
    assert estimate_tools(options) <= ROOM + RULES_TOKENS
    assert options.transient == {one.name for one in HUNDRED}, "none of them at the head of the prompt"


async def test_as_long_as_all_fit_all_are_told_whatever_the_turn_is_about() -> None:
    few = HUNDRED[:12]
    turns = [await told(user(text), tools=few) for text in ("The garage, please.", "Thanks.")]
    assert all((one.tools, one.transient, one.withheld) == (few, frozenset(), frozenset()) for one in turns)


async def test_the_head_of_the_prompt_is_the_same_before_and_in_every_turn() -> None:
    made, options = offering_with(FakeEmbedder()), GenerationOptions(tools=HUNDRED)
    prefill = await made.for_prefill("me", options, (WebSearchDeclaration(),), ROOM)
    turn = await told(user("Close the blind of the attic."), declared=(WebSearchDeclaration(),), made=made)
    standing = [one.name for one in prefill.tools if one.name not in prefill.transient]
    assert standing == [one.name for one in turn.tools if one.name not in turn.transient] == ["web_search"]
    assert offered(prefill) == {"web_search"}
    assert {"web_search", "switch_attic_blind"} <= offered(turn)


async def test_a_tool_is_found_by_its_name_in_instructions() -> None:
    orders = Message("system", "Call the tool switch_cellar_camera, then say hello.")
    assert "switch_cellar_camera" in offered(await told(Message("system", "Be brief."), orders))
    assert "switch_cellar_camera" in offered(await told(Message("system", "First call switch_cellar_camera.")))


async def test_a_tool_is_found_by_the_question_that_is_answered() -> None:
    said = (
        user("I'm cold."),
        Message("assistant", "Shall I switch the heater of the nursery on?"),
        user("Yes, please."),
    )
    assert "switch_nursery_heater" in offered(await told(*said))


async def test_what_was_called_lately_stays() -> None:
    call = ToolCall("c1", "switch_garden_sprinkler", '{"on": true}')
    said = (user("Water the garden."), Message("assistant", "", (call,)), Message("tool", "ok", (), "c1"))
    assert "switch_garden_sprinkler" in offered(await told(*said, Message("assistant", "Done."), user("Off again.")))


async def test_a_chosen_tool_is_there_and_something_where_something_is_required() -> None:
    chosen = GenerationOptions(tools=HUNDRED, tool_choice=NamedTool("switch_library_speaker"))
    assert "switch_library_speaker" in offered(await told(user("Hm."), options=chosen))
    required = GenerationOptions(tools=HUNDRED, tool_choice="required")
    assert offered(await told(options=required))


async def test_one_tool_larger_than_the_room_is_told_in_brief() -> None:
    form = {f"field_{n}": {"type": "object", "description": "very long " * 40} for n in range(200)}
    large = Tool("register", "Register a guest. " * 60, {"type": "object", "properties": form, "required": ["field_7"]})
    options = await told(user("Register me."), tools=(large,))
    assert offered(options) == {"register"}
    assert estimate_tools(options) <= ROOM + RULES_TOKENS
    [one] = options.tools
    assert signature(one).startswith("register(field_7")
    assert one.parameters == large.parameters, "calls are held to all of it"
    many = await told(user("Register me."), tools=[large, *HUNDRED])
    assert "register" in offered(many)
    assert estimate_tools(many) <= ROOM + RULES_TOKENS


@pytest.mark.parametrize("most", [4, 20, 60, 200, 1000])
def test_a_signature_gets_as_short_as_it_must(most: int) -> None:
    listed = {"type": "string", "enum": [f"value {n}" for n in range(50)], "description": "which one " * 9}
    one = Tool("pick", "Pick one of many. " * 30, {"type": "object", "properties": {"a": listed, "b": listed}})
    line = Tool(one.name, one.description, one.parameters, shortened(one, most))
    assert estimate_tool(line) <= most + 3
    assert line == one


async def test_an_embedder_that_fails_leaves_the_words() -> None:
    class Failing(FakeEmbedder):
        async def embed(self, texts: Sequence[str], options: EmbedOptions) -> Vectors:
            raise EngineError("fake", "is away")

    assert "switch_bathroom_fan" in offered(await told(user("bathroom fan on"), made=offering_with(Failing())))


async def test_where_there_is_room_for_anything_nothing_is_chosen() -> None:
    options = await told(user("Hello."), room=None)
    assert (options.tools, options.transient) == (HUNDRED, frozenset())


def test_rare_words_say_more_than_common_ones() -> None:
    tools = (tool("set_lamp_level"), tool("setLampColour"), tool("查天气", "查询城市的天气"))
    level, colour, weather = shared_words(["set the lamps' colours"], tools)
    assert colour > level > weather == 0
    assert shared_words(["北京天气怎么样"], tools)[2] > 0


def test_what_is_asked() -> None:
    head, orders = Message("system", "Be brief."), Message("system", "Look up order 4711. Tell the caller.")
    question = Message("assistant", "I see. Shall I book it?")
    assert request_variants((head,)) == []
    assert request_variants((head, user("Hello."))) == ["Hello."]
    assert request_variants((head, user("For two."), question, user("Yes."))) == [
        "Yes.",
        "For two. Yes.",
        "Shall I book it? Yes.",
    ]
    assert request_variants((head, user("Hi."), Message("assistant", "Hello."), orders)) == [
        "Look up order 4711.",
        "Tell the caller.",
    ]
    assert request_variants((head, user("Where is it?"), orders)) == [
        "Where is it?",
        "Look up order 4711.",
        "Tell the caller.",
    ]
    assert request_variants((head, orders)) == ["Look up order 4711.", "Tell the caller."]
