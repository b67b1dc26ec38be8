"""What the routes of a server share: from the first moment (``AppState``), and once it is ready (``Core``)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, TypeVar

from vivavoce.closing import CloseStack
from vivavoce.config import Config
from vivavoce.config.serving import DEFAULT_STORAGE_MB
from vivavoce.extras import require_extra
from vivavoce.http.auth import Auth
from vivavoce.http.key_limits import KeyUse
from vivavoce.http.ongoing import OngoingRequests
from vivavoce.http.principals import ClientSecrets
from vivavoce.intents.classifier import IntentClassifier, load_heads
from vivavoce.knowledge.extraction import text_of
from vivavoce.knowledge.parsing.limits import ParsingLimits
from vivavoce.knowledge.parsing.process import Parsers
from vivavoce.knowledge.service import KnowledgeService
from vivavoce.net.fetching import Fetcher
from vivavoce.protocol.tool_config import RetrievalDeclaration, WebSearchDeclaration
from vivavoce.runtime.connections import ConnectionRegistry
from vivavoce.runtime.engines import Engines
from vivavoce.runtime.shares import FairShares, Owners
from vivavoce.runtime.slots import SlotFreed, Slots
from vivavoce.runtime.voices import VoiceLibrary
from vivavoce.session.prompt_budget import TextLengths
from vivavoce.store.files import Files
from vivavoce.store.keys import Keys
from vivavoce.store.store import Store
from vivavoce.supervision import Supervisor
from vivavoce.tools.catalog import ToolCatalog, ToolFactories, load_plugin
from vivavoce.tools.relevance import relevance_of
from vivavoce.tools.retrieval import RetrievalTool, retrieval_tool
from vivavoce.tools.web_search.search import WebSearch
from vivavoce.tools.web_search.tool import WebSearchTool, web_search_tool

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class AppState:
    """What is there from the first moment, and waits for neither the store nor a model.

    ``conversation_slots`` and ``request_slots`` (of requests that need no conversation); ``body_memory`` holds the bytes
    of requests that are being received.
    """

    config: Config
    started_at: int
    owners: Owners
    client_secrets: ClientSecrets
    slot_freed: SlotFreed
    key_use: KeyUse
    auth: Auth
    conversation_slots: Slots
    request_slots: Slots
    body_memory: FairShares
    connections: ConnectionRegistry
    ongoing: OngoingRequests
    supervisor: Supervisor
    fetcher: Fetcher

    def busy(self) -> bool:
        """Whether somebody is served at the moment: work in the background waits."""
        return self.conversation_slots.taken + self.request_slots.taken > 0


def new_app_state(config: Config, created_keys: Callable[[], Keys], stack: CloseStack) -> AppState:
    """The state of a server that starts; ``stack`` closes what of it must be closed. ``created_keys`` raises ``ClientError``
    until the store is open."""
    limits, owners, slot_freed = config.limits, Owners(config.auth.keys), SlotFreed()
    client_secrets, key_use = ClientSecrets(limits.client_secrets, multiple_owners=owners.multiple), KeyUse(slot_freed)
    return AppState(
        config=config,
        started_at=int(time.time()),
        owners=owners,
        client_secrets=client_secrets,
        slot_freed=slot_freed,
        key_use=key_use,
        auth=Auth(config, client_secrets, key_use, owners, created_keys),
        conversation_slots=Slots(limits.sessions, slot_freed=slot_freed, multiple_owners=owners.multiple),
        request_slots=Slots(limits.requests, "places for requests", multiple_owners=owners.multiple),
        body_memory=FairShares(limits.body_mb * 1024**2, owners.multiple),
        connections=ConnectionRegistry(grace_s=limits.resume_grace_s, evictable_after_s=limits.idle_yields_s),
        ongoing=OngoingRequests(),
        supervisor=stack.add(Supervisor()),
        fetcher=stack.add(Fetcher(allow_private=config.net.allow_private)),
    )


async def drain(state: AppState, within_s: float) -> None:
    """Begin nothing more, and let what was begun come to its end: conversations, answers, streams."""
    await asyncio.gather(state.connections.drain(within_s), state.ongoing.drain(within_s))


class ServiceRegistry:
    """What services have opened for each other's use, by its type."""

    def __init__(self) -> None:
        self._instances: dict[type, Any] = {}

    def add(self, instance: _T) -> _T:
        """``instance``, which from now on can be had."""
        self._instances[type(instance)] = instance
        return instance

    def __getitem__(self, kind: type[_T]) -> _T:
        """What was added. Raises ``KeyError`` when no service has."""
        instance: _T = self._instances[kind]
        return instance


@dataclass(frozen=True, kw_only=True)
class Core(AppState):
    """What a ready server shares among its services. ``lengths`` are those of long instructions, by language model."""

    store: Store
    keys: Keys
    parsers: Parsers
    files: Files
    engines: Engines
    lengths: Mapping[str, TextLengths]
    voices: VoiceLibrary
    tools: ToolCatalog
    shared: ServiceRegistry


def most_bytes(config: Config, owners: Owners, owner: str) -> int | None:
    """How much an owner may keep; ``None``: as much as there is room for."""
    limits = config.limits
    default = limits.storage_mb or (DEFAULT_STORAGE_MB if owners.multiple() else None)
    limit_mb = limits.storage_mb_of.get(owner, default)
    return None if limit_mb is None else limit_mb * 1024 * 1024


def new_core(state: AppState, store: Store, keys: Keys, engines: Engines, stack: CloseStack) -> Core:
    """What is shared once store and engines are open; ``stack`` closes what of it must be closed.

    Raises ``NoSuchToolError``.
    """
    config, multiple_owners, shared = state.config, state.owners.multiple, ServiceRegistry()
    intent_embedder = engines.intent_embedder or engines.embedder
    knowledge = config.knowledge
    limits = ParsingLimits(
        memory_mb=knowledge.parsing_memory_mb, cpu_s=knowledge.parsing_cpu_s, pages=knowledge.parsing_pages
    )
    parsers = stack.add(Parsers(limits, multiple_owners=multiple_owners))
    tools = ToolCatalog(
        config.tools,
        config.mcp,
        state.fetcher,
        _tool_factories(shared),
        builtin=[load_plugin(name) for name in config.tools.builtin],
        relevance=relevance_of(intent_embedder, config.tools.relevance),
        intents=IntentClassifier(intent_embedder, load_heads()),
    )
    return Core(
        **{field.name: getattr(state, field.name) for field in fields(state)},
        store=store,
        keys=keys,
        parsers=parsers,
        files=Files(store, partial(text_of, parsers)),
        engines=engines,
        lengths={name: TextLengths() for name in engines.language_models},
        voices=stack.add(VoiceLibrary(config.voices, store, engines, state.busy, multiple_owners)),
        tools=stack.add(tools),
        shared=shared,
    )


def knowledge_of(shared: ServiceRegistry) -> KnowledgeService:
    """The vector stores. Raises ``ClientError`` (``not_installed``) on a server without ``[knowledge]``."""
    require_extra("knowledge", "vector stores")
    return shared[KnowledgeService]


def _tool_factories(shared: ServiceRegistry) -> ToolFactories:
    """The tools of declared searches, from the services that search."""

    def web_search(_owner: str, declared: WebSearchDeclaration) -> WebSearchTool:
        return web_search_tool(
            shared[WebSearch],
            description=declared.description,
            top_k=declared.top_k,
            timeout_s=declared.timeout_seconds,
        )

    def retrieval(owner: str, declared: RetrievalDeclaration, name: str) -> RetrievalTool:
        return retrieval_tool(
            knowledge_of(shared),
            owner,
            declared.vector_store_id,
            description=declared.description,
            name=name,
            template=declared.prompt_template,
        )

    async def require_store(owner: str, store_id: str) -> None:
        await knowledge_of(shared).stores.get(owner, store_id)

    return ToolFactories(web_search, retrieval, require_store)
