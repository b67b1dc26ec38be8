"""What a running server shares among its doors."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from functools import partial

from vivavoce.closing import CloseStack
from vivavoce.config import Config
from vivavoce.config.serving import DEFAULT_STORAGE_MB
from vivavoce.engines.base import Embedder
from vivavoce.errors import ClientError
from vivavoce.http.auth import Auth
from vivavoce.http.grants import ClientSecrets
from vivavoce.http.key_limits import KeyUse
from vivavoce.http.ongoing import OngoingRequests, server_stopping
from vivavoce.http.server_logs import put_server_logs_right
from vivavoce.knowledge.extraction import text_of
from vivavoce.knowledge.library import Library
from vivavoce.knowledge.parsing.limits import ParsingLimits
from vivavoce.knowledge.parsing.process import Parsers
from vivavoce.net.fetching import Fetcher
from vivavoce.protocol.tool_config import RetrievalTool as DeclaredRetrieval
from vivavoce.protocol.tool_config import WebSearchTool as DeclaredSearch
from vivavoce.runtime.calls import Calls
from vivavoce.runtime.chat.remembering import ChatMemory
from vivavoce.runtime.embedding import TextEmbedding
from vivavoce.runtime.engines import Engines
from vivavoce.runtime.seats import Seats, Vacancies
from vivavoce.runtime.shares import Owners, Shares
from vivavoce.runtime.voices import VoiceLibrary
from vivavoce.session.prompt_budget import TextLengths
from vivavoce.store.files import Files
from vivavoce.store.keys import Keys
from vivavoce.store.store import Store
from vivavoce.supervision import Supervisor
from vivavoce.tools.offering import Makers, Offering
from vivavoce.tools.retrieval import RetrievalTool, retrieval_tool
from vivavoce.tools.web_search.search import WebSearch
from vivavoce.tools.web_search.tool import WebSearchTool, web_search_tool
from vivavoce.transcription.tasks import RecordingTasks


class Serving:
    """Configuration, keys, places (for conversations, and for requests that need none), calls, and the loaded engines.

    ``closing`` closes at the end what was opened.
    """

    def __init__(self, config: Config) -> None:
        put_server_logs_right()
        self.config = config
        self.started_at = int(time.time())
        self.owners = Owners(config.auth.keys)
        self.client_secrets = ClientSecrets(config.limits.client_secrets, several=self.owners.several)
        self.vacancies = Vacancies()
        self.key_use = KeyUse(self.vacancies)
        self.auth = Auth(config, self.client_secrets, self.key_use, self.owners, lambda: self.keys)
        self.seats = Seats(config.limits.sessions, vacancies=self.vacancies, several=self.owners.several)
        self.bodies = Shares(config.limits.body_mb * 1024**2, self.owners.several)
        self.requests = Seats(config.limits.requests, "places for requests", several=self.owners.several)
        self.calls = Calls(grace_s=config.limits.resume_grace_s, yields_s=config.limits.idle_yields_s)
        self.voices = VoiceLibrary(
            config.voices, lambda: self.seats.taken + self.requests.taken > 0, self.owners.several
        )
        self.chats = ChatMemory()
        self.embedding = TextEmbedding()
        self.closing = CloseStack()
        self.supervisor = self.closing.add(Supervisor())
        self.ongoing = OngoingRequests()
        self.parsers = self.closing.add(Parsers(_parsing_limits(config), several=self.owners.several))
        self.fetcher = self.closing.add(Fetcher(allow_private=config.net.allow_private))
        self.web_search = self.closing.add(WebSearch(config.web_search, self.fetcher, several=self.owners.several))
        makers = Makers(self._web_search_tool, self._retrieval_tool, self._require_store)
        self.tools = self.closing.add(Offering(config.tools, config.mcp, self.fetcher, makers))
        self.lengths: defaultdict[str, TextLengths] = defaultdict(TextLengths)
        """Of long instructions, by language model."""
        self.opened: Store | None = None
        self._keys: Keys | None = None
        self.loaded: Engines | None = None
        self.shelves: Library | None = None
        self.tasks: RecordingTasks | None = None
        self.failure: str | None = None

    def _web_search_tool(self, _owner: str, declared: DeclaredSearch) -> WebSearchTool:
        return web_search_tool(
            self.web_search,
            description=declared.description,
            top_k=declared.top_k,
            timeout_s=declared.timeout_seconds,
        )

    def _retrieval_tool(self, owner: str, declared: DeclaredRetrieval, name: str) -> RetrievalTool:
        return retrieval_tool(
            self.library,
            owner,
            declared.vector_store_id,
            description=declared.description,
            name=name,
            template=declared.prompt_template,
        )

    async def _require_store(self, owner: str, store_id: str) -> None:
        await self.library.stores.get(owner, store_id)

    @property
    def store(self) -> Store:
        """Rows and blobs. Raises ``ClientError`` (``server_loading``) until the store is open."""
        if self.opened is None:
            raise ClientError("The server is still opening its store.", code="server_loading", type="server_error")
        return self.opened

    def most_bytes(self, owner: str) -> int | None:
        """How much an owner may keep; ``None``: as much as there is room for."""
        limits = self.config.limits
        default = limits.storage_mb or (DEFAULT_STORAGE_MB if self.owners.several() else None)
        most = limits.storage_mb_of.get(owner, default)
        return None if most is None else most * 1024 * 1024

    @property
    def keys(self) -> Keys:
        """The created keys. Raises as ``store`` does."""
        if self._keys is None:
            self._keys = Keys(self.store.database)
        return self._keys

    @property
    def files(self) -> Files:
        """The files clients uploaded. Raises as ``store`` does."""
        return Files(self.store, partial(text_of, self.parsers))

    @property
    def library(self) -> Library:
        """The documents of clients, and their search. Raises as ``store`` does."""
        if self.shelves is None:
            raise ClientError("The server is still opening its index.", code="server_loading", type="server_error")
        return self.shelves

    async def open_library(self, embedder: Embedder) -> None:
        """Open the library of the store that is open. Raises ``StoreError``."""
        library = self.closing.add(
            Library(
                self.config,
                self.store,
                self.files,
                self.parsers,
                embedder,
                lambda: self.seats.taken > 0,
                self.supervisor,
            )
        )
        await library.open()
        self.shelves = library

    @property
    def recordings(self) -> RecordingTasks:
        """The recordings that are read in the background. Raises as ``store`` does."""
        if self.tasks is None:
            raise ClientError("The server is still loading its models.", code="server_loading", type="server_error")
        return self.tasks

    async def open_recordings(self, engines: Engines) -> None:
        """Begin to read recordings in the background. Raises ``StoreError``."""
        most_s = self.config.limits.recording_minutes * 60
        tasks = self.closing.add(
            RecordingTasks(
                self.store,
                self.fetcher,
                engines.recognition,
                engines.ears,
                engines.decoder,
                supervisor=self.supervisor,
                most_s=most_s,
                several=self.owners.several,
            )
        )
        await tasks.open()
        self.tasks = tasks

    async def drain(self, within_s: float) -> None:
        """Begin nothing more, and let what was begun come to its end: conversations, answers, streams."""
        await asyncio.gather(self.calls.drain(within_s), self.ongoing.drain(within_s))

    @property
    def engines(self) -> Engines:
        """The engines. Raises ``ClientError``: ``server_loading`` until they are there, ``server_stopping`` at the end."""
        if self.calls.draining:
            raise server_stopping()
        if self.loaded is None:
            raise ClientError("The server is still loading its models.", code="server_loading", type="server_error")
        return self.loaded


def _parsing_limits(config: Config) -> ParsingLimits:
    knowledge = config.knowledge
    return ParsingLimits(
        memory_mb=knowledge.parsing_memory_mb, cpu_s=knowledge.parsing_cpu_s, pages=knowledge.parsing_pages
    )
