"""What the server does for one reply, as the tool loop is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from vivavoce.conduct.manner import Manner
from vivavoce.tools.base import CallContext, ServerTool
from vivavoce.tools.call_guard import CallGuard
from vivavoce.tools.confirmations import Confirmations
from vivavoce.tools.rendering import FILLERS, WAITING, in_turn
from vivavoce.tools.silence import TurnEnd
from vivavoce.types import GenerationOptions, Language, Tool, ToolCall


@dataclass(frozen=True, slots=True)
class ToolRun:
    """What the server does for a reply.

    ``calls`` run before the model writes: the client has allowed them, or they were cut off. ``rounds`` is how often the
    model may call before it must answer; ``filler_ms`` how long the user may hear nothing (``None``: any time), and
    ``fillers`` what is said then, by language; ``waiting`` is said where it takes as long to decide what to do.
    ``calls_after_untrusted`` lifts the limit on calls after untrusted content. ``turn_over`` is set when the user's turn is
    over, in a reply that is made before: what has effects waits for it. ``guard`` checks the calls the model makes, and
    ``confirmations`` holds those it had the user asked about; ``note`` is told to the model behind the messages, and
    ``begun`` is how its reply begins; ``manner`` is how it is told. ``asks_documents``: what
    the ``calls`` find is the answer, if they find anything.
    """

    tools: Sequence[ServerTool]
    context: CallContext
    calls: Sequence[ToolCall] = ()
    rounds: int = 4
    filler_ms: int | None = 700
    fillers: Mapping[Language, str] = field(default_factory=lambda: in_turn(FILLERS, 0))
    waiting: Mapping[Language, str] = field(default_factory=lambda: in_turn(WAITING, 0))
    calls_after_untrusted: bool = False
    turn_over: TurnEnd | None = None
    guard: CallGuard | None = None
    confirmations: Confirmations = field(default_factory=Confirmations)
    note: str = ""
    begun: str = ""
    manner: Manner | None = None
    asks_documents: bool = False

    @property
    def idle(self) -> bool:
        """Whether the server does nothing for the reply: it is what the model writes."""
        return not (self.tools or self.calls or self.guard or self.note or self.begun)


def with_tools(options: GenerationOptions, tools: Sequence[ServerTool]) -> GenerationOptions:
    """``options`` in which the server's tools are on offer, too, behind the client's functions, which keep their names."""
    names = {tool.name for tool in options.tools}
    added: dict[str, Tool] = {}
    for tool in tools:
        if tool.tool.name not in names:
            added.setdefault(tool.tool.name, tool.tool)
    return replace(options, tools=(*options.tools, *added.values()))
