"""What is kept in memory for a while, so that a client need not send it again and the recogniser need not hear it twice."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from vivavoce.runtime.chat.stored_responses import StoredResponses
from vivavoce.types import Transcript

T = TypeVar("T")

KEPT_S = 3600
"""As long as OpenAI keeps a spoken answer."""

MOST_ANSWERS = 4096
MOST_TRANSCRIPTS = 1024


class Remembered(Generic[T]):
    """At most ``most`` values, each for ``keep_s`` seconds; what was not asked for the longest goes first.

    Everything has an owner, and only the owner finds it. ``clock`` gives seconds.
    """

    def __init__(self, most: int, keep_s: float = KEPT_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._keep_s = keep_s
        self._clock = clock
        self._values: OrderedDict[tuple[str, str], tuple[float, T]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def put(self, owner: str, key: str, value: T) -> None:
        """Keep ``value`` from now on."""
        self._values[owner, key] = (self._clock() + self._keep_s, value)
        self._values.move_to_end((owner, key))
        while len(self._values) > self._most:
            self._values.popitem(last=False)

    def find(self, owner: str, key: str) -> T | None:
        """What was kept under ``key``; ``None`` when there is nothing, or nothing any more."""
        ends, value = self._values.get((owner, key), (0.0, None))
        if value is None:
            return None
        if ends < self._clock():
            del self._values[owner, key]
            return None
        self._values.move_to_end((owner, key))
        return value


class ChatMemory:
    """Of one process: the words of spoken answers by their ids, and of recordings by what is in them; stored responses."""

    def __init__(self) -> None:
        self.answers: Remembered[str] = Remembered(MOST_ANSWERS)
        self.transcripts: Remembered[Transcript] = Remembered(MOST_TRANSCRIPTS)
        self.responses = StoredResponses()
