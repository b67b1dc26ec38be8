"""What tools a conversation has: those its client declares, those the configuration offers to all."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from typing import Any

from vivavoce.config.reach import McpConfig, McpServerConfig, ToolsConfig
from vivavoce.errors import ClientError, EngineError, VivavoceError
from vivavoce.net.fetching import Fetcher
from vivavoce.protocol.tool_config import DeclaredTool, McpTool, RetrievalTool, ServerSideTool, WebSearchTool
from vivavoce.scripts import written_language
from vivavoce.store.rights import Use, require_use
from vivavoce.tools import selection
from vivavoce.tools.base import GROUP, NO_EVIDENCE, Calling, ServerTool
from vivavoce.tools.loop import ServerSide, with_tools
from vivavoce.tools.mcp.connection import Place, header_pairs
from vivavoce.tools.mcp.servers import Listed, McpServerTool, ToolServers, offered_name
from vivavoce.tools.relevance import Relevance
from vivavoce.tools.telling import FILLERS
from vivavoce.types import GenerationOptions, Language, Message, NamedTool, ToolCall, ToolOfServer

log = logging.getLogger(__name__)


class NoSuchToolError(VivavoceError):
    """The configuration names a plug-in that is not installed."""


SEARCHES = frozenset({"web_search", "retrieval"})
"""What these are about depends on what is there to be found, which their descriptions do not say; so they are never withheld,
and a search too many does no harm."""

SURE_S = 2.0
"""How long a reply waits to learn what tools know."""


@dataclass(frozen=True, slots=True)
class Makers:
    """How declared tools become tools: the owner, what was declared, and the name the model calls it by.

    ``require_store`` raises ``ClientError`` when the owner has no such vector store.
    """

    web_search: Callable[[str, WebSearchTool], ServerTool]
    retrieval: Callable[[str, RetrievalTool, str], ServerTool]
    require_store: Callable[[str, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one reply can take: ``patience_s`` is how long it waits for tool servers that have not said yet what they have
    (``None``: until they do, or their deadline); ``most_tokens`` how much of the prompt may tell of tools (``None``: any).
    """

    patience_s: float | None = None
    most_tokens: int | None = None


class Offering:
    """The tools of a server. ``relevance`` says which of them a turn can be about."""

    def __init__(self, tools: ToolsConfig, mcp: McpConfig, fetcher: Fetcher, makers: Makers) -> None:
        self.config = tools
        self._mcp = mcp
        self._makers = makers
        self._builtin: list[ServerTool] = []
        self.servers = ToolServers(fetcher, list_s=mcp.list_s, idle_s=mcp.idle_s)
        self.relevance: Relevance | None = None

    @property
    def anything(self) -> bool:
        """Whether there are tools no client declares."""
        return bool(self.config.builtin or self._mcp.servers)

    def load_plugins(self) -> None:
        """Load what ``[tools] builtin`` names. Raises ``NoSuchToolError``."""
        self._builtin = [load_plugin(name) for name in self.config.builtin]

    async def server_tools(
        self, owner: str, declared: Sequence[ServerSideTool], bounds: Bounds | None = None
    ) -> list[ServerTool]:
        """The tools of the server a reply has, the client's first; a server that cannot be reached has none.

        Tool servers that have not said yet what they have are asked, all at once.
        """
        bounds = bounds or Bounds()
        places = [(owner, client_place(one)) for one in declared if isinstance(one, McpTool)]
        places += [("", own_place(server)) for server in self._mcp.servers.values()]
        answers = await asyncio.gather(*(self.servers.known(*place, bounds.patience_s) for place in places))
        found = dict(zip(places, answers, strict=True))
        tools: list[ServerTool] = []
        for one in declared:
            match one:
                case WebSearchTool():
                    tools.append(self._makers.web_search(owner, one))
                case RetrievalTool():
                    tools.append(self._makers.retrieval(owner, one, _free(one.name or "search_documents", tools)))
                case McpTool():
                    tools += self._clients(owner, one, found[owner, client_place(one)], tools)
        tools += [tool for tool in self._builtin if tool.tool.name not in _names(tools)]
        for label, server in self._mcp.servers.items():
            tools += self._own(label, server, found["", own_place(server)], tools)
        return tools

    async def for_reply(
        self,
        messages: Sequence[Message],
        options: GenerationOptions,
        declared: Sequence[ServerSideTool],
        calling: Calling,
        *,
        calls: Sequence[ToolCall] = (),
        bounds: Bounds | None = None,
    ) -> tuple[GenerationOptions, ServerSide]:
        """What is on offer in one reply: options that withhold what the turn cannot be about, and the server's part.

        ``calling`` says whose reply it is, and in what language; its messages are those of the reply.
        """
        bounds, config = bounds or Bounds(), self.config
        tools = await self.server_tools(calling.owner, declared, bounds)
        options = _with_room(_resolved(options, tools), tools, bounds.most_tokens)
        options = await selection.selected(options, messages, self.relevance, bounds.most_tokens)
        if self.relevance is not None and options.tool_choice == "auto" and not options.goes_on:
            searches = {tool.tool.name for tool in tools if tool.kind in SEARCHES}
            others = [tool for tool in options.tools if tool.name not in searches | options.withheld]
            try:
                irrelevant = await self.relevance.irrelevant(messages, others)
                options = replace(options, withheld=options.withheld | irrelevant)
            except EngineError as error:
                log.warning("relevance of tools: %s", error)
        if options.tool_choice == "auto" and not options.goes_on and not calls:
            options = await _surest(options, tools, messages)
        language = language_of(messages, calling.language)
        return options, ServerSide(
            tools,
            replace(calling, messages=messages, language=language),
            calls,
            rounds=config.rounds,
            filler_ms=config.filler_ms,
            fillers={**FILLERS, **config.fillers},
            strangers_may_call=config.strangers_may_call,
        )

    async def require_usable(
        self,
        owner: str,
        declared: Sequence[DeclaredTool],
        param_of: Callable[[int], str],
        scopes: Collection[str] = (),
    ) -> None:
        """Whether a key with these ``scopes`` opens declared tools, and their vector stores are there, and the owner's.

        Raises ``ClientError`` (``insufficient_scope``, ``vector_store_not_found``); ``param_of`` says where the tool of this
        number names its store.
        """
        for index, tool in enumerate(declared):
            if isinstance(tool, WebSearchTool | RetrievalTool):
                use: Use = "retrieval" if isinstance(tool, RetrievalTool) else "web_search"
                place = param_of(index)
                require_use(scopes, use, place[: place.find("]") + 1] or place)
            if isinstance(tool, RetrievalTool):
                try:
                    await self._makers.require_store(owner, tool.vector_store_id)
                except ClientError as error:
                    error.param = param_of(index)
                    raise

    async def for_prefill(
        self, owner: str, options: GenerationOptions, declared: Sequence[ServerSideTool], most_tokens: int | None
    ) -> GenerationOptions:
        """What the head of the prompt tells of tools, as far as it is known by now; see ``SessionTools.for_prefill``."""
        tools = await self.server_tools(owner, declared, Bounds(patience_s=0.0))
        options = _with_room(options, tools, most_tokens)
        if self.relevance is not None and options.transient:
            self.relevance.learn([tool for tool in options.tools if tool.name in options.transient])
        return replace(options, withheld=options.withheld | options.transient)

    async def listed(self, owner: str, tool: McpTool) -> tuple[Mapping[str, Any], ...]:
        """What a client's tool server has that the client allows, for the client to see. Raises ``ToolServerError``."""
        found = await self.servers.listed(owner, client_place(tool))
        return tuple(one.shown() for one in found if tool.allows(one.name, reads=one.reads))

    async def close(self) -> None:
        """Leave all tool servers."""
        await self.servers.close()

    def _clients(
        self, owner: str, tool: McpTool, found: Sequence[Listed], others: Sequence[ServerTool]
    ) -> list[ServerTool]:
        made: list[ServerTool] = []
        for one in found:
            if tool.allows(one.name, reads=one.reads):
                asks = tool.announced and tool.asks_first(one.name, reads=one.reads)
                name = offered_name(one.name, tool.server_label, _names([*others, *made]))
                made.append(
                    McpServerTool(
                        self.servers,
                        owner,
                        client_place(tool),
                        one,
                        name=name,
                        timeout_s=self._mcp.call_s,
                        label=tool.server_label if tool.announced else None,
                        server_label=tool.server_label,
                        needs_approval=asks,
                    )
                )
        return made

    def _own(
        self, label: str, server: McpServerConfig, found: Sequence[Listed], others: Sequence[ServerTool]
    ) -> list[ServerTool]:
        made: list[ServerTool] = []
        for one in found:
            if server.tools is None or one.name in server.tools:
                name = offered_name(one.name, label, _names([*others, *made]))
                made.append(
                    McpServerTool(self.servers, "", own_place(server), one, name=name, timeout_s=server.timeout_s)
                )
        return made


class SessionTools:
    """The tools of one conversation, for whoever drives it: ``notify`` has the assistant tell the user something.

    ``scopes`` are those of the key it was begun with.
    """

    def __init__(
        self, offering: Offering, owner: str, patience_s: float | None = None, scopes: Collection[str] = ()
    ) -> None:
        self._offering = offering
        self._owner = owner
        self._scopes = scopes
        self._patience_s = patience_s
        self._handles: set[asyncio.TimerHandle] = set()
        self.notify: Callable[[str], None] = lambda notice: None

    def later(self, delay_s: float, notice: str) -> asyncio.TimerHandle:
        """See ``LiveConversation``."""

        def due() -> None:
            self._handles.discard(handle)
            self.notify(notice)

        self._handles = {one for one in self._handles if not one.cancelled()}
        handle = asyncio.get_running_loop().call_later(delay_s, due)
        self._handles.add(handle)
        return handle

    def close(self) -> None:
        """The conversation is over: nothing is said in it any more, and nothing here holds it."""
        self.notify = lambda notice: None
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
        most_tokens: int | None = None,
    ) -> tuple[GenerationOptions, ServerSide]:
        """What is on offer in one reply of this conversation: see ``Offering.for_reply`` and ``Bounds``."""
        calling, bounds = Calling(self._owner, messages, language, self), Bounds(self._patience_s, most_tokens)
        return await self._offering.for_reply(messages, options, declared, calling, calls=calls, bounds=bounds)

    async def for_prefill(
        self, options: GenerationOptions, declared: Sequence[ServerSideTool], most_tokens: int | None = None
    ) -> GenerationOptions:
        """Options that tell the tools known by now which have a place at the head of the prompt; servers that have not said
        yet what they have are asked, and what the other tools are for is read."""
        return await self._offering.for_prefill(self._owner, options, declared, most_tokens)

    async def require_usable(self, declared: Sequence[DeclaredTool], param_of: Callable[[int], str]) -> None:
        """See ``Offering.require_usable``."""
        await self._offering.require_usable(self._owner, declared, param_of, self._scopes)

    async def listed(self, tool: McpTool) -> tuple[Mapping[str, Any], ...]:
        """What a client's tool server has, for the client to see. Raises ``ToolServerError``."""
        return await self._offering.listed(self._owner, tool)


def load_plugin(name: str) -> ServerTool:
    """A built-in or foreign plug-in. Raises ``NoSuchToolError`` when there is none of this name."""
    for entry in entry_points(group=GROUP):
        if entry.name == name:
            tool: ServerTool = entry.load()()
            return tool
    known = ", ".join(sorted(entry.name for entry in entry_points(group=GROUP)))
    raise NoSuchToolError(f"There is no tool '{name}' ([tools] builtin); there are: {known}.")


def client_place(tool: McpTool) -> Place:
    """Where a client's tool server is, and with what it is asked."""
    return Place(tool.server_url, header_pairs(tool.headers, tool.authorization))


def own_place(server: McpServerConfig) -> Place:
    """Where one of the operator's is."""
    return Place(
        None if server.url is None else str(server.url),
        tuple(sorted((name, value.get_secret_value()) for name, value in server.headers.items())),
        server.command,
        tuple(sorted((name, value.get_secret_value()) for name, value in server.env.items())),
        server.folder,
        own=True,
    )


def language_of(messages: Sequence[Message], heard: Language) -> Language:
    """The user's: what their last words are written in, where that shows; else ``heard``."""
    for message in reversed(messages):
        if message.role == "user":
            return message.reply_language or written_language(message.content) or heard
    return heard


def _resolved(options: GenerationOptions, tools: Sequence[ServerTool]) -> GenerationOptions:
    """The choice of a tool server's tool in the names that are on offer; of several, one must be called and no others."""
    choice = options.tool_choice
    if not isinstance(choice, ToolOfServer):
        return options
    meant = [
        tool.tool.name
        for tool in tools
        if isinstance(tool, McpServerTool)
        and tool.server_label == choice.server_label
        and choice.name in (None, tool.shown_name)
    ]
    if len(meant) > 1:
        others = {tool.name for tool in with_tools(options, tools).tools} - set(meant)
        return replace(options, tool_choice="required", withheld=options.withheld | others)
    return replace(options, tool_choice=NamedTool(meant[0] if meant else choice.name or choice.server_label))


def _with_room(options: GenerationOptions, tools: Sequence[ServerTool], most_tokens: int | None) -> GenerationOptions:
    """``options`` with the server's ``tools`` on offer, too. Where there is no room for all, the server's searches and
    plug-ins stay at the head of the prompt rather than the client's functions, and those rather than tool servers' tools."""
    functions = [tool.name for tool in options.tools]
    own = [tool.tool.name for tool in tools if tool.kind != "mcp" and tool.tool.name not in functions]
    theirs = [tool.tool.name for tool in tools if tool.kind == "mcp" and tool.tool.name not in functions]
    return selection.arranged(with_tools(options, tools), (own, functions, theirs), most_tokens)


async def _surest(
    options: GenerationOptions, tools: Sequence[ServerTool], messages: Sequence[Message]
) -> GenerationOptions:
    """The choice of the tool that surely has what the user asks, if there is one: a small model often thinks it knows."""
    if next((message.role for message in reversed(messages) if message.role != "system"), None) != "user":
        return options  # nobody asks: a result is to be told, or instructions say what to do
    offered = [tool for tool in tools if tool.tool in options.tools and tool.tool.name not in options.withheld]
    try:
        async with asyncio.timeout(SURE_S):
            found = await asyncio.gather(*(tool.evidence(messages) for tool in offered))
    except (EngineError, TimeoutError) as error:
        log.warning("evidence of tools: %s", error or "took too long")
        return options
    best = max(found, default=NO_EVIDENCE)
    if best == NO_EVIDENCE:
        return options
    return replace(options, tool_choice=NamedTool(offered[found.index(best)].tool.name))


def _names(tools: Sequence[ServerTool]) -> list[str]:
    return [tool.tool.name for tool in tools]


def _free(name: str, tools: Sequence[ServerTool]) -> str:
    """``name``, with a number behind it if it is taken."""
    taken, number, free = set(_names(tools)), 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free
