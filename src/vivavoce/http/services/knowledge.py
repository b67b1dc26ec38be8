"""Knowledge: files, vector stores and the search in them, and the search of the web."""

from __future__ import annotations

from vivavoce.closing import CloseStack
from vivavoce.extras import installed
from vivavoce.http import files, search, vector_store_files, vector_stores
from vivavoce.http.core import Core
from vivavoce.http.services.base import Routes
from vivavoce.knowledge.service import KnowledgeService
from vivavoce.tools.web_search.search import WebSearch


class DocumentsService(Routes):
    """Opens the index of the vector stores, and the clients of the search engines."""

    def __init__(self) -> None:
        super().__init__(files.router, vector_stores.router, vector_store_files.router, search.router)
        self._opened = CloseStack()

    async def open(self, core: Core) -> None:
        """Open the index, where there is one, and begin to read files into it. Raises ``StoreError``."""
        web_search = WebSearch(core.config.web_search, core.fetcher, multiple_owners=core.owners.multiple)
        core.shared.add(self._opened.add(web_search))
        if not installed("knowledge"):
            return
        knowledge = KnowledgeService(
            core.config,
            core.store,
            core.files,
            core.parsers,
            core.engines.embedder,
            lambda: core.conversation_slots.taken > 0,
            core.supervisor,
        )
        core.shared.add(self._opened.add(knowledge))
        await knowledge.open()

    async def close(self) -> None:
        """Leave what is not read yet for the next start."""
        await self._opened.aclose()
