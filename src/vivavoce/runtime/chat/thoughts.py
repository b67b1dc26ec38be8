"""Thoughts of earlier answers are no part of a prompt, but for a user who asks how the last one was come by. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from vivavoce.protocol.chat.messages import AssistantMessage, ChatMessage
from vivavoce.session.thought_questions import note_from_thoughts
from vivavoce.types import Language, Message


def notes_of_thoughts(
    messages: Sequence[ChatMessage], prompt: Sequence[Message], language: Language
) -> tuple[Message, ...]:
    """What stands behind ``prompt``, made of ``messages``: the client gives thoughts back under either of their names."""
    if not prompt or prompt[-1].role != "user":
        return ()
    answer = next((message for message in reversed(messages) if isinstance(message, AssistantMessage)), None)
    thoughts = "" if answer is None else answer.reasoning or answer.reasoning_content or ""
    note = note_from_thoughts(prompt[-1].content, thoughts, language)
    return (Message("system", note, hint=True),) if note is not None else ()
