"""What a session and an engine of kind ``realtime`` tell each other: the history, and what a reply is to be. Data only.

Such an engine keeps the conversation itself. It is told the whole history with every reply and makes the other side's the
same, so what was created, deleted or cut here needs no event of its own, and a lost connection is begun again from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from vivavoce.types import (
    ClauseCut,
    ClauseSpoken,
    GenerationEvent,
    Language,
    Role,
    Speech,
    Tool,
    ToolCall,
    ToolChoice,
)


@dataclass(frozen=True, slots=True)
class HistoryMessage:
    """Something that was said. ``key`` names it; ``response_id`` is that of the response it was said in, if it was in one."""

    key: str
    role: Role
    text: str
    response_id: str | None = None


@dataclass(frozen=True, slots=True)
class HistoryCall:
    """A call of a tool."""

    call: ToolCall

    @property
    def key(self) -> str:
        """Names it."""
        return f"call:{self.call.id}"


@dataclass(frozen=True, slots=True)
class HistoryOutput:
    """What came of the call ``call_id``."""

    call_id: str
    output: str

    @property
    def key(self) -> str:
        """Names it."""
        return f"output:{self.call_id}"


HistoryEntry: TypeAlias = HistoryMessage | HistoryCall | HistoryOutput


@dataclass(frozen=True, slots=True)
class HostedTurn:
    """What a response answers, for an engine that keeps the conversation itself.

    Without a ``voice`` it is text; ``speed`` is a factor, ``max_tokens`` the reply's (``None``: any). ``language`` is what the
    user is expected to speak. ``apart``: its history is no part of the conversation's. ``continues``: the reply was cut at the
    end of the history, and goes on there.
    """

    instructions: str
    voice: str | None
    history: tuple[HistoryEntry, ...] = ()
    speed: float = 1.0
    max_tokens: int | None = None
    language: Language | None = None
    apart: bool = False
    continues: bool = False


@dataclass(frozen=True, slots=True)
class HostedSetup:
    """How replies are to be: what the other side is told when it changes."""

    instructions: str
    voice: str | None
    speed: float = 1.0
    max_tokens: int | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = "auto"
    parallel_tool_calls: bool = True
    language: Language | None = None


@dataclass(frozen=True, slots=True)
class HostedReply:
    """One response to be made. ``response_id`` is ours, by which the history names what was said in it."""

    response_id: str
    setup: HostedSetup
    history: tuple[HistoryEntry, ...] = field(default=())
    apart: bool = False


TurnStep: TypeAlias = Literal["ended", "dropped"]
"""What becomes of the audio of a turn: it is all there, or it is void."""

HostedEvent: TypeAlias = GenerationEvent | ClauseCut | Speech | ClauseSpoken
"""What such an engine's reply yields. Each part that is spoken is one clause; a ``ClauseCut`` of its index again is more of its
words. Indexes count from 0 in each response."""
