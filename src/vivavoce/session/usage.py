"""What responses cost, and what a conversation may still cost (Realtime reference, 5.20)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import UNSET, UnsetType

from vivavoce.protocol.server_events import RateLimits, SessionLimit
from vivavoce.session.context import message_of
from vivavoce.session.conversation import Conversation
from vivavoce.session.prompt_builder import ResponseRequest
from vivavoce.text.token_estimates import estimate_tokens
from vivavoce.types import GenerationEnd, Message


@dataclass(frozen=True, slots=True)
class PromptUsage:
    """What a prompt is made of: the user's audio in milliseconds, of which ``cached_audio_ms`` were in an earlier prompt,
    and about how many tokens of text.
    """

    input_audio_ms: int = 0
    cached_audio_ms: int = 0
    text_tokens: int = 0

    def for_continuation(self, *, prompted: bool) -> PromptUsage:
        """What the rest of a reply is made of: the same, or nothing where the model has written all of it."""
        return PromptUsage(self.input_audio_ms, self.input_audio_ms, self.text_tokens) if prompted else PromptUsage()


class PromptAudioCounter:
    """Counts the audio in prompts, and remembers what it has measured: a platform would have it in its cache."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._measured: set[str] = set()

    def measure(self, request: ResponseRequest, messages: Sequence[Message]) -> PromptUsage:
        """Of the items that became ``messages``: in a long conversation the oldest are left out."""
        ids = [item.id for item in self._conversation] if request.items is None else request.items
        items = [item for item_id in ids if (item := self._conversation.find(item_id)) is not None]
        count = sum(message.role == "user" for message in messages) - (request.note is not None)
        audio_of = self._conversation.audio.of
        spoken = [
            at
            for at, item in enumerate(items)
            if item.role == "user" and message_of(item, audio_of=audio_of) is not None
        ]
        first = 0 if count >= len(spoken) else spoken[-count] if count else len(items)
        lengths = {item.id: self._conversation.input_audio_ms(item.id) for item in items[first:]}
        cached_audio_ms = sum(ms for item_id, ms in lengths.items() if item_id in self._measured)
        self._measured |= {item_id for item_id, ms in lengths.items() if ms}
        return PromptUsage(sum(lengths.values()), cached_audio_ms, sum(map(estimate_tokens, messages)))


def rate_limits(
    context_tokens: int, end: GenerationEnd | None, session: SessionLimit | UnsetType = UNSET
) -> RateLimits:
    """What a self-hosted conversation is limited by: the language model's context, and what the last prompt left of it.

    ``session`` announces the end of its time.
    """
    used = end.input_tokens + end.output_tokens if end is not None else 0
    remaining = max(context_tokens - used, 0)
    tokens = {"name": "tokens", "limit": context_tokens, "remaining": remaining, "reset_seconds": 0}
    return RateLimits(rate_limits=(tokens,), session=session)
