"""How the recordings of a chat request sound: the facts of the last one, those before it being its baseline. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vivavoce.protocol.chat.messages import ChatMessage, UserMessage
from vivavoce.runtime.chat.recordings import Place
from vivavoce.session.voice_perception import SessionPerception, with_note
from vivavoce.speaking_style import PLAIN, SpeakingStyle
from vivavoce.types import Message, Transcript
from vivavoce.voice_facts import VoiceFacts


@dataclass(frozen=True, slots=True)
class PerceivedRequest:
    """``facts`` of the recording that is answered, if it was listened to; ``style`` is how a reply to it is spoken."""

    facts: VoiceFacts | None = None
    style: SpeakingStyle = PLAIN

    def noted(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        """The prompt with the instruction for how the user's turn sounds."""
        note = self.facts.note if self.facts is not None else None
        return messages if note is None else with_note(messages, note)


def perceived_in(
    messages: Sequence[ChatMessage], transcripts: Mapping[Place, Transcript], *, instruct: bool, style: bool
) -> PerceivedRequest:
    """What is heard in the last message, if it is a user's with a recording that was listened to."""
    hearing = SessionPerception(by_default=True, announced=True, instruct=instruct, style=style)
    last: tuple[Place, VoiceFacts] | None = None
    for place, transcript in sorted(transcripts.items(), key=lambda entry: entry[0]):
        facts = hearing.heard(_name(place), transcript, ())
        if facts is not None:
            last = place, facts
    at = len(messages) - 1
    answered = last is not None and last[0][0] == at and isinstance(messages[at], UserMessage)
    if last is None or not answered:
        return PerceivedRequest()
    return PerceivedRequest(last[1], hearing.style(_name(last[0])))


def _name(place: Place) -> str:
    return f"{place[0]}.{place[1]}"
