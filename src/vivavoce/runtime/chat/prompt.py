"""The messages of a chat request → the prompt. Pure.

As in a conversation: instructions take the default persona's place, and the default persona answers in the user's language.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from vivavoce.errors import ClientError
from vivavoce.protocol.chat.messages import (
    AssistantMessage,
    AudioPart,
    ChatMessage,
    SystemMessage,
    ToolMessage,
    UserMessage,
    written,
)
from vivavoce.runtime.chat.hearing import Place
from vivavoce.scripts import written_language
from vivavoce.session.persona import opening, system_prompt
from vivavoce.types import Language, Message, ToolCall, Transcript

WORDLESS = "(The user sent a recording without any words in it.)"
"""Stands for a message that says nothing else."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the language model reads; ``language`` is the user's, in which the answer is spoken."""

    messages: tuple[Message, ...]
    language: Language


def prompt_of(
    messages: Sequence[ChatMessage],
    heard: Mapping[Place, Transcript],
    answered: Callable[[str], str | None],
    *,
    spoken: bool,
    tools: bool = False,
) -> Prompt:
    """The prompt. ``heard`` are the transcripts of the recordings; ``answered`` gives the words of an earlier spoken answer.
    ``tools``: the answer may have some.

    Raises ``ClientError`` for an answer that is not known (any more).
    """
    leading = next(
        (number for number, message in enumerate(messages) if not isinstance(message, SystemMessage)), len(messages)
    )
    instructions = "\n".join(written(message.content) for message in messages[:leading]).strip()
    reading = _Reading(heard, answered, follow=not instructions)
    said = [Message("system", system_prompt(instructions, spoken=spoken))]
    for number, message in enumerate(messages[leading:], leading):
        said += reading.read(message, number)
    if tools and len(said) == 1:
        said.append(Message("system", opening(instructions)))
    return Prompt(tuple(said), reading.language)


class _Reading:
    """Message by message; ``language`` is that of the last user's message so far."""

    def __init__(
        self, heard: Mapping[Place, Transcript], answered: Callable[[str], str | None], *, follow: bool
    ) -> None:
        self._heard = heard
        self._answered = answered
        self._follow = follow
        self.language: Language = "en"

    def read(self, message: ChatMessage, number: int) -> list[Message]:
        """What it is to the language model; nothing, if it says nothing."""
        match message:
            case SystemMessage():
                return [Message("system", written(message.content))]
            case UserMessage():
                return [self._user(message, number)]
            case AssistantMessage():
                return self._assistant(message, number)
            case ToolMessage():
                return [Message("tool", written(message.content), tool_call_id=message.tool_call_id)]

    def _user(self, message: UserMessage, number: int) -> Message:
        language: Language | None = None
        if isinstance(message.content, str):
            words = message.content
        else:
            said: list[str] = []
            for index, part in enumerate(message.content):
                if isinstance(part, AudioPart):
                    transcript = self._heard[number, index]
                    said.append(transcript.text)
                    language = transcript.language if transcript.text else language
                else:
                    said.append(written([part]))
            listened = any(isinstance(part, AudioPart) for part in message.content)
            words = "\n".join(filter(None, said)) or (WORDLESS if listened else "")
        language = language or written_language(words)
        self.language = language or "en"
        return Message("user", words, reply_language=language if self._follow else None)

    def _assistant(self, message: AssistantMessage, number: int) -> list[Message]:
        words = written(message.content)
        if not words and message.audio is not None:
            words = self._spoken(message, number)
        if not words and message.tts_content is not None:
            words = message.tts_content.tts_text
        calls = tuple(
            ToolCall(call.id, call.function.name, call.function.arguments)
            for call in message.tool_calls
            if call.type == "function"
        )
        return [Message("assistant", words, calls)] if words or calls else []

    def _spoken(self, message: AssistantMessage, number: int) -> str:
        assert message.audio is not None
        if message.audio.transcript is not None:
            return message.audio.transcript
        words = self._answered(message.audio.id or "")
        if words is None:
            raise ClientError(
                "There is no such spoken answer, or it has expired; send its transcript as the message's content.",
                code="audio_not_found",
                param=f"messages[{number}].audio.id",
            )
        return words
