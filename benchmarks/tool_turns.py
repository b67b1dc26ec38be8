"""What the tool bench asks: the tools on offer, and how a turn's calls are written down. Data only.

The turns themselves are in ``tool_turns_dev`` (looked at while prompts and rules were made) and ``tool_turns_test`` (never
looked at: what counts).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from vivavoce.types import Tool


@dataclass(frozen=True, slots=True)
class Has:
    """An argument in free words: right when it has one of ``words`` of every group, whatever else it says."""

    groups: tuple[tuple[str, ...], ...]


def has(*words: str | tuple[str, ...]) -> Has:
    """All of these words; a tuple lists alternatives."""
    return Has(tuple((word,) if isinstance(word, str) else word for word in words))


class ExpectedCall(NamedTuple):
    """One call of ``tool``. A tuple among the ``arguments`` lists alternatives; ``None`` as one: it may be missing."""

    tool: str
    arguments: Mapping[str, Any]


class ToolTurn(NamedTuple):
    """What is said, and the calls it wants: none where there is nothing to call, or something must be asked back first."""

    said: str
    calls: tuple[ExpectedCall, ...] = ()


def turn(said: str, tool: str, **arguments: Any) -> ToolTurn:
    """A turn that wants one call."""
    return ToolTurn(said, (ExpectedCall(tool, arguments),))


def _parameters(required: tuple[str, ...], **properties: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


TOOLS = (
    Tool(
        "get_weather",
        "Current weather of a city.",
        _parameters(("city",), city={"type": "string"}, unit={"type": "string", "enum": ["celsius", "fahrenheit"]}),
    ),
    Tool(
        "set_timer",
        "Start a countdown timer.",
        _parameters(("minutes",), minutes={"type": "integer", "minimum": 1}, label={"type": "string"}),
    ),
    Tool(
        "switch_light",
        "Switch the light of a room on or off.",
        _parameters(("room", "on"), room={"type": "string"}, on={"type": "boolean"}),
    ),
    Tool("play_music", "Play music by an artist, or any music.", _parameters((), artist={"type": "string"})),
    Tool(
        "web_search",
        "Search the web for news and for facts that change, such as prices, scores and opening hours.",
        _parameters(("query",), query={"type": "string"}),
    ),
    Tool(
        "send_message",
        "Send a text message to a contact.",
        _parameters(("recipient", "text"), recipient={"type": "string"}, text={"type": "string"}),
    ),
    Tool("get_time", "Current local time in a city.", _parameters(("city",), city={"type": "string"})),
    Tool(
        "set_temperature",
        "Set the heating of the home.",
        _parameters(("degrees",), degrees={"type": "number", "minimum": 5, "maximum": 30}),
    ),
)
