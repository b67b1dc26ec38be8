"""What tools a conversation has: those its client declares, those the configuration offers to all."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from typing import Any

from vivavoce.config.outbound import McpConfig, McpServerConfig, ToolsConfig
from vivavoce.errors import ClientError, EngineError, VivavoceError
from vivavoce.extras import require_extra
from vivavoce.intents.classifier import IntentClassifier
from vivavoce.net.fetching import Fetcher
from vivavoce.permissions import Use, require_use
from vivavoce.protocol.tool_config import (
    DeclaredTool,
    McpServerDeclaration,
    RetrievalDeclaration,
    ServerSideTool,
    WebSearchDeclaration,
)
from vivavoce.text.scripts import written_language
from vivavoce.tools import selection
from vivavoce.tools.base import GROUP, CallContext, ServerTool
from vivavoce.tools.beginnings import note_of_origin
from vivavoce.tools.confirmations import Confirmations
from vivavoce.tools.mcp.address import McpServerAddress, header_pairs
from vivavoce.tools.mcp.servers import ListedTool, McpServerPool, McpServerTool, offered_name
from vivavoce.tools.relevance import Relevance
from vivavoce.tools.rendering import FILLERS, WAITING, in_turn, turn_number
from vivavoce.tools.reply_plan import ReplyPlan, ReplyPlanner
from vivavoce.tools.tool_run import ToolRun, with_tools
from vivavoce.types import (
    ALL_AIDS,
    GenerationOptions,
    Language,
    Message,
    ModelAid,
    NamedTool,
    ToolCall,
    ToolOfServer,
)

log = logging.getLogger(__name__)


class NoSuchToolError(VivavoceError):
    """The configuration names a plug-in that is not installed."""


SEARCHES = frozenset({"web_search", "retrieval"})
"""What these are about depends on what is there to be found, which their descriptions do not say; so they are never withheld,
and a search too many does no harm."""


@dataclass(frozen=True, slots=True)
class ToolFactories:
    """How declared tools become tools: the owner, what was declared, and the name the model calls it by.

    ``require_store`` raises ``ClientError`` when the owner has no such vector store.
    """

    web_search: Callable[[str, WebSearchDeclaration], ServerTool]
    retrieval: Callable[[str, RetrievalDeclaration, str], ServerTool]
    require_store: Callable[[str, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one reply can take: ``patience_s`` is how long it waits for tool servers that have not said yet what they have
    (``None``: until they do, or their deadline); ``max_tool_tokens`` how much of the prompt may tell of tools (``None``: any);
    ``aids`` what its language model needs.
    """

    patience_s: float | None = None
    max_tool_tokens: int | None = None
    aids: frozenset[ModelAid] = ALL_AIDS


class ToolCatalog:
    """The tools of a server: ``builtin`` are what ``[tools] builtin`` names, ``relevance`` says which a turn can be about,
    ``intents`` what it wants."""

    def __init__(
        self,
        tools: ToolsConfig,
        mcp: McpConfig,
        fetcher: Fetcher,
        factories: ToolFactories,
        *,
        builtin: Sequence[ServerTool] = (),
        relevance: Relevance | None = None,
        intents: IntentClassifier | None = None,
    ) -> None:
        self.config = tools
        self._mcp = mcp
        self._factories = factories
        self._builtin = builtin
        self.servers = McpServerPool(fetcher, list_s=mcp.list_s, idle_s=mcp.idle_s)
        self.relevance = relevance
        self._planner = ReplyPlanner(intents, Confirmations(), tools.confirm)

    @property
    def has_server_tools(self) -> bool:
        """Whether there are tools no client declares."""
        return bool(self.config.builtin or self._mcp.servers)

    async def server_tools(
        self, owner: str, declared: Sequence[ServerSideTool], bounds: Bounds | None = None
    ) -> list[ServerTool]:
        """The tools of the server a reply has, the client's first; a server that cannot be reached has none.

        Tool servers that have not said yet what they have are asked, all at once.
        """
        bounds = bounds or Bounds()
        addresses = [
            (owner, client_address(declaration))
            for declaration in declared
            if isinstance(declaration, McpServerDeclaration)
        ]
        addresses += [("", own_address(server)) for server in self._mcp.servers.values()]
        listings = await asyncio.gather(*(self.servers.tools_of(*key, bounds.patience_s) for key in addresses))
        listed = dict(zip(addresses, listings, strict=True))
        tools: list[ServerTool] = []
        for declaration in declared:
            match declaration:
                case WebSearchDeclaration():
                    tools.append(self._factories.web_search(owner, declaration))
                case RetrievalDeclaration():
                    tools.append(
                        self._factories.retrieval(
                            owner, declaration, _free(declaration.name or "search_documents", tools)
                        )
                    )
                case McpServerDeclaration():
                    tools += self._client_server_tools(
                        owner, declaration, listed[owner, client_address(declaration)], tools
                    )
        tools += [tool for tool in self._builtin if tool.tool.name not in _names(tools)]
        for label, server in self._mcp.servers.items():
            tools += self._own_server_tools(label, server, listed["", own_address(server)], tools)
        return tools

    async def for_reply(
        self,
        messages: Sequence[Message],
        options: GenerationOptions,
        declared: Sequence[ServerSideTool],
        context: CallContext,
        *,
        calls: Sequence[ToolCall] = (),
        bounds: Bounds | None = None,
    ) -> tuple[GenerationOptions, ToolRun]:
        """What is on offer in one reply: options that withhold what the turn cannot be about, and the server's part.

        ``context`` says whose reply it is, and in what language; its messages are those of the reply.
        """
        bounds, config = bounds or Bounds(), self.config
        tools = await self.server_tools(context.owner, declared, bounds)
        options = _with_tools_that_fit(_with_resolved_choice(options, tools), tools, bounds.max_tool_tokens)
        options = await selection.selected(options, messages, self.relevance, bounds.max_tool_tokens)
        free = options.tool_choice == "auto" and not options.continue_last_message
        if self.relevance is not None and free and "relevance" in bounds.aids:
            searches = {tool.tool.name for tool in tools if tool.kind in SEARCHES}
            others = [tool for tool in options.tools if tool.name not in searches | options.withheld]
            try:
                irrelevant = await self.relevance.irrelevant(messages, others)
                options = replace(options, withheld=options.withheld | irrelevant)
            except EngineError as error:
                log.warning("the relevance of tools cannot be computed: %s", error)
        language = language_of(messages, context.language)
        turn = turn_number(messages)
        plan = ReplyPlan(options, calls)
        speaks_freely = options.tool_choice in ("auto", "none") and not options.continue_last_message
        if speaks_freely and not calls:
            if "intents" in bounds.aids:
                plan = await self._planner.plan(messages, options, tools, replace(context, language=language))
            else:
                plan = replace(plan, note=note_of_origin(messages, language))
        return plan.options, ToolRun(
            tools,
            replace(context, messages=messages, language=language),
            plan.calls,
            rounds=config.rounds,
            filler_ms=config.filler_ms,
            fillers={**in_turn(FILLERS, turn), **config.fillers},
            waiting={**in_turn(WAITING, turn), **config.fillers},
            calls_after_untrusted=config.calls_after_untrusted or "guard" not in bounds.aids,
            guard=plan.guard,
            confirmations=self._planner.confirmations,
            note=plan.note,
            begun=plan.begun,
            manner=plan.manner,
            asks_documents=plan.asks_documents,
        )

    async def require_usable(
        self,
        owner: str,
        declared: Sequence[DeclaredTool],
        param_of: Callable[[int], str],
        scopes: Collection[str] = (),
    ) -> None:
        """Whether a key with these ``scopes`` opens declared tools, and their vector stores are there, and the owner's, and
        what they need is installed.

        Raises ``ClientError`` (``insufficient_scope``, ``vector_store_not_found``, ``not_installed``); ``param_of`` says where
        the tool of this number names its store.
        """
        for index, tool in enumerate(declared):
            if isinstance(tool, WebSearchDeclaration | RetrievalDeclaration):
                use: Use = "retrieval" if isinstance(tool, RetrievalDeclaration) else "web_search"
                place = param_of(index)
                require_use(scopes, use, place[: place.find("]") + 1] or place)
            if isinstance(tool, McpServerDeclaration):
                require_extra("mcp", "tool servers", "tools")
            if isinstance(tool, RetrievalDeclaration):
                try:
                    await self._factories.require_store(owner, tool.vector_store_id)
                except ClientError as error:
                    error.param = param_of(index)
                    raise

    async def for_prefill(
        self, owner: str, options: GenerationOptions, declared: Sequence[ServerSideTool], max_tool_tokens: int | None
    ) -> GenerationOptions:
        """What the head of the prompt tells of tools, as far as it is known by now; see ``SessionTools.for_prefill``."""
        tools = await self.server_tools(owner, declared, Bounds(patience_s=0.0))
        options = _with_tools_that_fit(options, tools, max_tool_tokens)
        if self.relevance is not None and options.transient:
            self.relevance.learn([tool for tool in options.tools if tool.name in options.transient])
        return replace(options, withheld=options.withheld | options.transient)

    async def listed(self, owner: str, tool: McpServerDeclaration) -> tuple[Mapping[str, Any], ...]:
        """What a client's tool server has that the client allows, for the client to see. Raises ``McpServerError``."""
        tools = await self.servers.listed(owner, client_address(tool))
        return tuple(
            listed_tool.list_item() for listed_tool in tools if tool.allows(listed_tool.name, reads=listed_tool.reads)
        )

    async def close(self) -> None:
        """Leave all tool servers."""
        await self.servers.close()

    def _client_server_tools(
        self, owner: str, tool: McpServerDeclaration, listed: Sequence[ListedTool], others: Sequence[ServerTool]
    ) -> list[ServerTool]:
        tools: list[ServerTool] = []
        for listed_tool in listed:
            if tool.allows(listed_tool.name, reads=listed_tool.reads):
                needs_approval = tool.announced and tool.needs_approval(listed_tool.name, reads=listed_tool.reads)
                name = offered_name(listed_tool.name, tool.server_label, _names([*others, *tools]))
                tools.append(
                    McpServerTool(
                        self.servers,
                        owner,
                        client_address(tool),
                        listed_tool,
                        name=name,
                        timeout_s=self._mcp.call_s,
                        label=tool.server_label if tool.announced else None,
                        server_label=tool.server_label,
                        needs_approval=needs_approval,
                    )
                )
        return tools

    def _own_server_tools(
        self, label: str, server: McpServerConfig, listed: Sequence[ListedTool], others: Sequence[ServerTool]
    ) -> list[ServerTool]:
        tools: list[ServerTool] = []
        for listed_tool in listed:
            if server.tools is None or listed_tool.name in server.tools:
                name = offered_name(listed_tool.name, label, _names([*others, *tools]))
                tools.append(
                    McpServerTool(
                        self.servers, "", own_address(server), listed_tool, name=name, timeout_s=server.timeout_s
                    )
                )
        return tools


def load_plugin(name: str) -> ServerTool:
    """A built-in or foreign plug-in. Raises ``NoSuchToolError`` when there is none of this name."""
    for entry in entry_points(group=GROUP):
        if entry.name == name:
            tool: ServerTool = entry.load()()
            return tool
    names = ", ".join(sorted(entry.name for entry in entry_points(group=GROUP)))
    raise NoSuchToolError(f"There is no tool '{name}' ([tools] builtin); there are: {names}.")


def client_address(tool: McpServerDeclaration) -> McpServerAddress:
    """Where a client's tool server is, and with what it is asked."""
    return McpServerAddress(tool.server_url, header_pairs(tool.headers, tool.authorization))


def own_address(server: McpServerConfig) -> McpServerAddress:
    """Where one of the operator's is."""
    return McpServerAddress(
        None if server.url is None else str(server.url),
        tuple(sorted((name, value.get_secret_value()) for name, value in server.headers.items())),
        server.command,
        tuple(sorted((name, value.get_secret_value()) for name, value in server.env.items())),
        server.folder,
        own=True,
    )


def language_of(messages: Sequence[Message], spoken_language: Language) -> Language:
    """The user's: what their last words are written in, where that shows; else ``spoken_language``."""
    for message in reversed(messages):
        if message.role == "user":
            return message.reply_language or written_language(message.content) or spoken_language
    return spoken_language


def _with_resolved_choice(options: GenerationOptions, tools: Sequence[ServerTool]) -> GenerationOptions:
    """The choice of a tool server's tool in the names that are on offer; of several, one must be called and no others."""
    choice = options.tool_choice
    if not isinstance(choice, ToolOfServer):
        return options
    matching = [
        tool.tool.name
        for tool in tools
        if isinstance(tool, McpServerTool)
        and tool.server_label == choice.server_label
        and choice.name in (None, tool.original_name)
    ]
    if len(matching) > 1:
        others = {tool.name for tool in with_tools(options, tools).tools} - set(matching)
        return replace(options, tool_choice="required", withheld=options.withheld | others)
    return replace(options, tool_choice=NamedTool(matching[0] if matching else choice.name or choice.server_label))


def _with_tools_that_fit(
    options: GenerationOptions, tools: Sequence[ServerTool], max_tool_tokens: int | None
) -> GenerationOptions:
    """``options`` with the server's ``tools`` on offer, too. Where there is no room for all, the server's searches and
    plug-ins stay at the head of the prompt rather than the client's functions, and those rather than tool servers' tools."""
    functions = [tool.name for tool in options.tools]
    own = [tool.tool.name for tool in tools if tool.kind != "mcp" and tool.tool.name not in functions]
    mcp_tools = [tool.tool.name for tool in tools if tool.kind == "mcp" and tool.tool.name not in functions]
    return selection.arranged(with_tools(options, tools), (own, functions, mcp_tools), max_tool_tokens)


def _names(tools: Sequence[ServerTool]) -> list[str]:
    return [tool.tool.name for tool in tools]


def _free(name: str, tools: Sequence[ServerTool]) -> str:
    """``name``, with a number behind it if it is taken."""
    used, number, name_in_use = set(_names(tools)), 1, name
    while name_in_use in used:
        number += 1
        name_in_use = f"{name}_{number}"
    return name_in_use
