"""Chat Completions and Responses, with the count of tokens, and embeddings."""

from __future__ import annotations

from vivavoce.http import chat, embeddings, responses, token_count
from vivavoce.http.core import Core
from vivavoce.http.services.base import Routes
from vivavoce.runtime.chat.memory import ChatMemory
from vivavoce.runtime.embedding import TextEmbedding


class ChatService(Routes):
    """Opens what is remembered between the requests of a chat."""

    def __init__(self) -> None:
        super().__init__(chat.router, responses.router, token_count.router, embeddings.router)

    async def open(self, core: Core) -> None:
        """An empty memory."""
        core.shared.add(ChatMemory())
        core.shared.add(TextEmbedding())
