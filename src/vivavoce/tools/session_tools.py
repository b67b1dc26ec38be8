"""The tools of one conversation: what its driver asks of the catalogue, and what tools have said later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from typing_extensions import override

from vivavoce.protocol.tool_config import DeclaredTool, McpServerDeclaration, ServerSideTool
from vivavoce.tools.base import CallContext, LiveConversation
from vivavoce.tools.catalog import Bounds, ToolCatalog
from vivavoce.tools.tool_run import ToolRun
from vivavoce.types import ALL_AIDS, GenerationOptions, Language, Message, ModelAid, ToolCall


class SessionTools(LiveConversation):
    """The tools of one conversation, for whoever drives it.

    ``scopes`` are those of the key it was begun with.
    """

    def __init__(
        self, catalog: ToolCatalog, owner: str, patience_s: float | None = None, scopes: Collection[str] = ()
    ) -> None:
        self._catalog = catalog
        self._owner = owner
        self._scopes = scopes
        self._patience_s = patience_s
        self._handles: set[asyncio.TimerHandle] = set()
        self._notify: Callable[[str], None] = lambda notice: None

    def notify_with(self, notify: Callable[[str], None]) -> None:
        """From now on ``notify`` has the assistant tell the user what tools notice."""
        self._notify = notify

    @override
    def later(self, delay_s: float, notice: str) -> asyncio.TimerHandle:

        def announce() -> None:
            self._handles.discard(handle)
            self._notify(notice)

        self._handles = {pending for pending in self._handles if not pending.cancelled()}
        handle = asyncio.get_running_loop().call_later(delay_s, announce)
        self._handles.add(handle)
        return handle

    def close(self) -> None:
        """The conversation is over: nothing is said in it any more, and nothing here holds it."""
        self._notify = lambda notice: None
        for handle in self._handles:
            handle.cancel()
        self._handles.clear()

    async def for_reply(
        self,
        messages: Sequence[Message],
        options: GenerationOptions,
        declared: Sequence[ServerSideTool],
        calls: Sequence[ToolCall],
        language: Language,
        max_tool_tokens: int | None = None,
        *,
        aids: frozenset[ModelAid] = ALL_AIDS,
    ) -> tuple[GenerationOptions, ToolRun]:
        """What is on offer in one reply of this conversation: see ``ToolCatalog.for_reply`` and ``Bounds``."""
        context = CallContext(self._owner, messages, language, self)
        bounds = Bounds(self._patience_s, max_tool_tokens, aids)
        return await self._catalog.for_reply(messages, options, declared, context, calls=calls, bounds=bounds)

    async def for_prefill(
        self, options: GenerationOptions, declared: Sequence[ServerSideTool], max_tool_tokens: int | None = None
    ) -> GenerationOptions:
        """Options that tell the tools known by now which have a place at the head of the prompt; servers that have not said
        yet what they have are asked, and what the other tools are for is read."""
        return await self._catalog.for_prefill(self._owner, options, declared, max_tool_tokens)

    async def require_usable(self, declared: Sequence[DeclaredTool], param_of: Callable[[int], str]) -> None:
        """Check the declared tools of this conversation as ``ToolCatalog.require_usable`` does; raises as it does."""
        await self._catalog.require_usable(self._owner, declared, param_of, self._scopes)

    async def listed(self, tool: McpServerDeclaration) -> tuple[Mapping[str, Any], ...]:
        """What a client's tool server has, for the client to see. Raises ``McpServerError``."""
        return await self._catalog.listed(self._owner, tool)
