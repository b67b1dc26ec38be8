"""What is kept in memory for a while, so that a client need not send it again and the recogniser need not hear it twice."""

from __future__ import annotations

from typing import TypeAlias

from cachetools import TTLCache

from vivavoce.runtime.chat.stored_responses import StoredResponses
from vivavoce.types import Transcript

KEPT_S = 3600
"""As long as OpenAI keeps a spoken answer."""

MAX_ANSWERS = 4096
MAX_TRANSCRIPTS = 1024

Owned: TypeAlias = tuple[str, str]
"""(an owner, who alone finds it; its key)"""


class ChatMemory:
    """Of one process: the words of spoken answers by their ids, and of recordings by what is in them; stored responses."""

    def __init__(self) -> None:
        self.answers: TTLCache[Owned, str] = TTLCache(MAX_ANSWERS, KEPT_S)
        self.transcripts: TTLCache[Owned, Transcript] = TTLCache(MAX_TRANSCRIPTS, KEPT_S)
        self.responses = StoredResponses()
