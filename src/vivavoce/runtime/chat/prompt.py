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
    UserPart,
    text_of_content,
)
from vivavoce.runtime.chat.recordings import Place
from vivavoce.session.default_prompt import NAME, opening, system_prompt
from vivavoce.session.voice_perception import WORDLESS
from vivavoce.sound import MessageAudio
from vivavoce.text.inverse import inverse_normalized
from vivavoce.text.scripts import written_language
from vivavoce.types import Language, Message, ToolCall, Transcript

NOTHING_HEARD: Mapping[Place, bytes] = {}


@dataclass(frozen=True, slots=True)
class ChatPrompt:
    """What the language model reads; ``language`` is the user's, in which the answer is spoken."""

    messages: tuple[Message, ...]
    language: Language


def prompt_of(
    messages: Sequence[ChatMessage],
    transcripts: Mapping[Place, Transcript],
    find_spoken_answer: Callable[[str], str | None],
    *,
    spoken: bool,
    tools: bool = False,
    name: str = NAME,
    told_origin: bool = False,
    heard: Mapping[Place, bytes] = NOTHING_HEARD,
    rate_hz: int = 16_000,
) -> ChatPrompt:
    """The prompt. ``transcripts`` are those of the recordings, and ``heard`` those that the model hears, as PCM16 at
    ``rate_hz``; ``find_spoken_answer`` gives the words of an earlier spoken answer. ``tools``: the answer may have some.
    ``name`` is the assistant's; ``told_origin``: it is told whose it is, because nobody reads what it says before it is heard.

    Raises ``ClientError`` for an answer that is not known (any more).
    """
    instruction_count = next(
        (number for number, message in enumerate(messages) if not isinstance(message, SystemMessage)), len(messages)
    )
    instructions = "\n".join(text_of_content(message.content) for message in messages[:instruction_count]).strip()
    converter = _Reading(transcripts, find_spoken_answer, heard, rate_hz, follow_language=not instructions)
    prompt = [Message("system", system_prompt(instructions, name, spoken=spoken, told_origin=told_origin))]
    for number, message in enumerate(messages[instruction_count:], instruction_count):
        prompt += converter.read(message, number)
    if tools and len(prompt) == 1:
        prompt.append(Message("system", opening(instructions)))
    return ChatPrompt(tuple(prompt), converter.language)


class _Reading:
    """Message by message; ``language`` is that of the last user's message so far."""

    def __init__(
        self,
        transcripts: Mapping[Place, Transcript],
        find_spoken_answer: Callable[[str], str | None],
        heard: Mapping[Place, bytes],
        rate_hz: int,
        *,
        follow_language: bool,
    ) -> None:
        self._transcripts = transcripts
        self._heard = heard
        self._rate_hz = rate_hz
        self._find_spoken_answer = find_spoken_answer
        self._follow_language = follow_language
        self.language: Language = "en"

    def read(self, message: ChatMessage, number: int) -> list[Message]:
        """What it is to the language model; nothing, if it says nothing."""
        match message:
            case SystemMessage():
                return [Message("system", text_of_content(message.content))]
            case UserMessage():
                return [self._user(message, number)]
            case AssistantMessage():
                return self._assistant(message, number)
            case ToolMessage():
                return [Message("tool", text_of_content(message.content), tool_call_id=message.tool_call_id)]

    def _user(self, message: UserMessage, number: int) -> Message:
        language: Language | None = None
        audio: MessageAudio | None = None
        if isinstance(message.content, str):
            words = message.content
        else:
            texts: list[str] = []
            for index, part in enumerate(message.content):
                if not isinstance(part, AudioPart):
                    texts.append(text_of_content([part]))
                elif (transcript := self._transcripts.get((number, index))) is not None:
                    texts.append(inverse_normalized(transcript.text, transcript.language))
                    language = transcript.language if transcript.text else language
            audio = self._audio(message.content, number)
            has_audio = any(isinstance(part, AudioPart) for part in message.content)
            words = "\n".join(filter(None, texts)) or (WORDLESS if has_audio and audio is None else "")
        language = language or written_language(words)
        self.language = language or "en"
        return Message("user", words, reply_language=language if self._follow_language else None, audio=audio)

    def _audio(self, content: Sequence[UserPart], number: int) -> MessageAudio | None:
        """How a message sounds, if the model hears it, and what of it is written."""
        clips = [self._heard[number, index] for index in range(len(content)) if (number, index) in self._heard]
        if not clips:
            return None
        text = "\n".join(filter(None, (text_of_content([part]) for part in content if not isinstance(part, AudioPart))))
        return MessageAudio(tuple(clips), self._rate_hz, text)

    def _assistant(self, message: AssistantMessage, number: int) -> list[Message]:
        words = text_of_content(message.content)
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
        words = self._find_spoken_answer(message.audio.id or "")
        if words is None:
            raise ClientError(
                "There is no such spoken answer, or it has expired; send its transcript as the message's content.",
                code="audio_not_found",
                param=f"messages[{number}].audio.id",
            )
        return words
