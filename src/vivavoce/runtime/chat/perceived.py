"""How the recordings of a chat request sound: the facts of the last one, those before it being its baseline. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from vivavoce.perception.questions import asks_about_sound
from vivavoce.protocol.chat.messages import ChatMessage, UserMessage, text_of_content
from vivavoce.runtime.chat.recordings import Place
from vivavoce.session.voice_perception import SessionPerception, with_note
from vivavoce.speaking_style import PLAIN, SpeakingStyle
from vivavoce.text.scripts import written_language
from vivavoce.types import Message, Transcript
from vivavoce.voice_facts import VoiceFacts


@dataclass(frozen=True, slots=True)
class PerceivedRequest:
    """``facts`` of the recording that is answered, if it was listened to; ``note`` is what the language model is told,
    ``style`` how a reply to it is spoken.
    """

    facts: VoiceFacts | None = None
    note: str | None = None
    style: SpeakingStyle = PLAIN

    def noted(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        """The prompt with the instruction for how the user's turn sounds, or for what they ask about that."""
        return messages if self.note is None else with_note(messages, self.note)


def perceived_in(
    messages: Sequence[ChatMessage], transcripts: Mapping[Place, Transcript], *, instruct: bool, style: bool
) -> PerceivedRequest:
    """What is heard in the last message, if it is a user's with a recording that was listened to.

    A question in text about the sound is one about the newest recording, in this message or before it.
    """
    last, at = messages[-1], len(messages) - 1
    if not isinstance(last, UserMessage):
        return PerceivedRequest()
    hearing = SessionPerception(by_default=True, announced=True, instruct=instruct, style=style)
    places = sorted(transcripts)
    found = {place: hearing.heard(_name(place), transcripts[place], ()) for place in places}
    answered = [place for place, facts in found.items() if place[0] == at and facts is not None]
    facts = found[answered[-1]] if answered else None
    note = facts.note if facts is not None else None
    text = last.content if isinstance(last.content, str) else text_of_content(last.content)
    if places and asks_about_sound(text):
        note = hearing.answer_note(text, written_language(text) or "en", [_name(place) for place in places])
        facts = msgspec.structs.replace(facts, note=note) if facts is not None else None
    return PerceivedRequest(facts, note, hearing.style(_name(answered[-1])) if answered else PLAIN)


def _name(place: Place) -> str:
    return f"{place[0]}.{place[1]}"
