"""What an engine of kind ``realtime`` is: it hears the user's audio, keeps the conversation, and answers with words and speech.

Turn-taking stays here: such an engine is told when a turn is over, when to answer, when to stop and how much was heard.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from vivavoce.closing import Closeable
from vivavoce.hosted import HistoryEntry, HostedEvent, HostedReply, HostedSetup
from vivavoce.types import Language, Samples, Transcript, TranscriptDelta


class HostedConversation(Protocol):
    """One conversation with such an engine. All that only notes something returns at once."""

    async def run(self) -> None:
        """Carry the conversation, as a task beside all else, until it is cancelled; then hang up. Raises nothing else."""

    def prepare(self, setup: HostedSetup, history: Sequence[HistoryEntry]) -> None:
        """A reply may soon be wanted, to something that follows ``history``: what can be done ahead for nothing is done."""

    def hear(self, item_id: str, samples: Samples) -> None:
        """More of the user's turn (``float32[n]`` at the rate the conversation was opened with)."""

    def end_turn(self, item_id: str, *, dropped: bool) -> None:
        """The turn has all its audio, or is void."""

    def hear_item(self, item_id: str, samples: Samples) -> None:
        """Audio of an item that is no turn."""

    def transcript(self, item_id: str, language: Language | None) -> AsyncGenerator[TranscriptDelta | Transcript, None]:
        """What was said in a turn, as ``Recognizer.transcribe`` yields it. Raises ``EngineError``."""

    def reply(self, reply: HostedReply) -> AsyncGenerator[HostedEvent, None]:
        """Answer; exactly one ``GenerationEnd``, last. Closing it stops the other side. Raises ``EngineError``.

        A second one of the same ``response_id`` goes on with what has been added to the history: results of calls.
        """

    def cut(self, response_id: str, played_ms: int) -> None:
        """Of what was said in this response, only the first ``played_ms`` were heard."""


class RealtimeEngine(Closeable, Protocol):
    """Shared by all conversations. ``rate_hz`` is that of its speech; ``context_tokens`` what instructions and tools are held
    to; ``transcribes``: what the user says is written down there.

    One that runs elsewhere may have a coroutine ``health()``: why it cannot be used now, or ``None``.
    """

    rate_hz: int
    context_tokens: int
    transcribes: bool

    def open(self, hearing_hz: int) -> HostedConversation:
        """A conversation that hears at ``hearing_hz``. Nothing is done yet."""
