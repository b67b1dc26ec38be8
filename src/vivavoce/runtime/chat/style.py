"""How the answer to a chat request is spoken, and what the language model is told of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from vivavoce.protocol.chat.request import AudioOutput
from vivavoce.session.reply_style import ReplyStyle, reply_style
from vivavoce.session.voice_requests import VoiceRequests
from vivavoce.speaking.delivery import delivery
from vivavoce.speaking_style import PLAIN, Control, SpeakingStyle
from vivavoce.types import Language, Message


@dataclass(frozen=True, slots=True)
class ChatStyle:
    """``notes`` stand behind the last message, if there is anything to say of the voice."""

    reply: ReplyStyle = field(default_factory=ReplyStyle)
    speed: float = 1.0
    notes: tuple[Message, ...] = ()


def chat_style(
    audio: AudioOutput | None,
    messages: Sequence[Message],
    language: Language,
    controls: frozenset[Control],
    perceived: SpeakingStyle = PLAIN,
) -> ChatStyle:
    """What the request and the users' messages so far ask of the voice, which has these ``controls``.

    Raises ``ClientError`` for a label there is not.
    """
    audio = audio or AudioOutput()
    label = audio.voice_label.model_dump() if audio.voice_label is not None else None
    way = delivery(label, audio.instruction or audio.instructions, param="audio.voice_label")
    requests = VoiceRequests()
    for message in messages:
        if message.role == "user":
            requests.take(message.content)
    instructions = messages[0].content if messages and messages[0].role == "system" else ""
    asked = reply_style(way, instructions, requests, perceived, speed=audio.speed, controls=controls)
    answered = bool(messages) and messages[-1].role == "user"
    note = requests.note(language, controls, way.dialect) if answered else None
    return ChatStyle(asked, audio.speed, (Message("system", note, hint=True),) if note is not None else ())
