"""The recogniser, shared by all conversations, requests and recordings of a process: see ``Urgency`` for who goes first."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, aclosing, contextmanager, nullcontext
from dataclasses import replace

from vivavoce.closing import CloseStack
from vivavoce.engines.base import Recognizer
from vivavoce.errors import EngineError
from vivavoce.runtime.perceiving import Listening, Perceiving
from vivavoce.scheduling import Ticket, WorkQueue
from vivavoce.types import Language, Samples, TranscribeOptions, Transcript, TranscriptDelta
from vivavoce.voice_facts import SpeechEncoding


class Recognition:
    """One for all sessions of a process. ``rate_hz`` is what it hears at.

    It hears as much at once as the recogniser says it can (``parallel``, if it has that), and one utterance if it says nothing.
    ``by_language`` are others, which hear what is known to be in their language. ``perceiving`` hears what is not words, where
    that is asked for (``TranscribeOptions.encoding``).
    """

    def __init__(
        self,
        recognizer: Recognizer,
        by_language: Mapping[Language, Recognizer] | None = None,
        perceiving: Perceiving | None = None,
    ) -> None:
        self.rate_hz = recognizer.rate_hz
        self._recognizer = recognizer
        self._by_language = by_language or {}
        self._perceiving = perceiving
        recognizers = (recognizer, *self._by_language.values())
        self._queues = {id(one): WorkQueue(getattr(one, "parallel", 1)) for one in recognizers}

    @property
    def recognizers(self) -> Sequence[Recognizer]:
        """All of them."""
        return (self._recognizer, *self._by_language.values())

    async def transcript(
        self, samples: Samples, options: TranscribeOptions, ticket: Ticket
    ) -> AsyncGenerator[TranscriptDelta | Transcript, None]:
        """As ``Recognizer.transcribe``, when it is the ticket's turn. Raises ``EngineError``."""
        recognizer = self._by_language.get(options.language or "", self._recognizer)
        queue = self._queues[id(recognizer)]
        async with queue.turn(ticket), aclosing(self._events(recognizer, samples, options)) as events:
            async for event in events:
                yield event

    def _events(
        self, recognizer: Recognizer, samples: Samples, options: TranscribeOptions
    ) -> AsyncGenerator[TranscriptDelta | Transcript, None]:
        if self._perceiving is not None and options.encoding:
            return self._perceiving.beside(samples, self.rate_hz, recognizer.transcribe(samples, options))
        return words_only(recognizer.transcribe(samples, replace(options, encoding=False)))

    def listening(self, samples: Samples, options: TranscribeOptions) -> AbstractContextManager[Listening | None]:
        """Listen to what is not words in ``samples`` that are read in pieces, if that is asked for."""
        wanted = self._perceiving is not None and options.encoding
        return self._perceiving.listening(samples, self.rate_hz) if self._perceiving and wanted else nullcontext()

    async def piece(self, samples: Samples, options: TranscribeOptions, ticket: Ticket) -> Transcript:
        """Only the transcript, when it is whole. Raises ``EngineError``."""
        return await final_transcript(self.transcript(samples, options, ticket))

    @property
    def waiting(self) -> int:
        """How many recordings and utterances wait for their turn."""
        return sum(queue.waiting for queue in self._queues.values())

    @contextmanager
    def interactive(self, owner: object) -> Iterator[None]:
        """Somebody speaks, or is being answered, for the length of a ``with`` block: see ``WorkQueue``."""
        with ExitStack() as stack:
            for queue in self._queues.values():
                stack.enter_context(queue.interactive(owner))
            yield

    async def close(self) -> None:
        """Close the recognisers, and the perceivers."""
        async with CloseStack() as stack:
            for recognizer in self.recognizers:
                stack.add(recognizer)
            if self._perceiving is not None:
                stack.add(self._perceiving)


async def words_only(
    events: AsyncGenerator[SpeechEncoding | TranscriptDelta | Transcript, None],
) -> AsyncGenerator[TranscriptDelta | Transcript, None]:
    """What a recogniser yields, without the encoding, which nobody wants."""
    async with aclosing(events):
        async for event in events:
            if not isinstance(event, SpeechEncoding):
                yield event


async def final_transcript(
    events: AsyncGenerator[SpeechEncoding | TranscriptDelta | Transcript, None],
) -> Transcript:
    """The transcript that ``Recognizer.transcribe`` yields at last; ``events`` are closed. Raises ``EngineError``."""
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Transcript):
                return event
    raise EngineError("recognizer", "ended without a transcript")
