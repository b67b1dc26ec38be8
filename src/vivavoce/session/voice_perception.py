"""How the user's turns sound: what a perceiver found in each, set against the turns before. Sans-IO."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log
from typing import Literal

import msgspec

from vivavoce.perception.baseline import Baseline, turn_of
from vivavoce.perception.fillers import fillers
from vivavoce.perception.notes import note_for, note_for_question
from vivavoce.perception.questions import asks_about_sound
from vivavoce.perception.style import style_for
from vivavoce.perception.syllables import syllables
from vivavoce.perception.together import continued
from vivavoce.protocol.items import Item
from vivavoce.protocol.session_config import SessionConfig
from vivavoce.speaking_style import PLAIN, SpeakingStyle
from vivavoce.text.scripts import written_language
from vivavoce.turns.backchannel import asks_a_question
from vivavoce.types import Language, Message, Transcript
from vivavoce.voice_facts import Gender, Perceived, Speaker, VoiceFacts, WordsTell

EVENT = "voice.perception"
"""What a client puts into ``session.include`` to be told."""

GENDER = "voice.perception.gender"

SURE_LANGUAGE = 0.5
"""Below it the language is not told."""

GENDER_TURNS, SURE_GENDER = 3, 0.9
"""After so many turns, and from this score of their average on, the gender of a voice is told to those who ask for it."""

MAX_LOGIT = 3.0
"""So that no single turn decides."""

WORDLESS = "(The user sent a recording without any words in it.)"
"""Stands for a turn that says nothing."""

KNOWS_NOTHING = VoiceFacts()

MOST_REMEMBERED = 16
"""Items whose facts are kept: only the newest is asked about."""


class SessionPerception:
    """Of one session. ``by_default``: without being asked; ``announced``: the client is told by default, too.

    ``instruct``: the language model is told how to answer to it; ``style``: the reply is spoken as fits it.
    """

    def __init__(self, *, by_default: bool, announced: bool, instruct: bool, style: bool = True) -> None:
        self._by_default, self._announced, self._instruct, self._speaks_so = by_default, announced, instruct, style
        self._baseline = Baseline()
        self._female: list[float] = []
        self._facts: dict[str, VoiceFacts] = {}
        self._styles: dict[str, SpeakingStyle] = {}
        self._wordless: Perceived | None = None

    def wanted(self, config: SessionConfig) -> bool:
        """Whether to listen for more than words."""
        return self._by_default or self.requested(config)

    def requested(self, config: SessionConfig) -> bool:
        """Whether the client asked to be told."""
        return EVENT in included(config) or GENDER in included(config)

    def told(self, config: SessionConfig) -> bool:
        """Whether the client's items carry what was heard."""
        return self._announced or self.requested(config)

    def heard(self, item_id: str, transcript: Transcript, include: Sequence[str]) -> VoiceFacts | None:
        """The facts of a turn, which from now on is one of those before; ``None`` if nothing is known.

        ``include`` is what the client asked for beside the usual. Of a turn without words only sounds are told.
        """
        perceived = transcript.perceived
        if perceived is None:
            return None
        if not transcript.text:
            perceived = Perceived(sounds=perceived.sounds, music=perceived.music)
        facts = self._facts_of(perceived, transcript, include)
        if facts == KNOWS_NOTHING:
            return None
        note = self._note(self._with_sounds_before(facts, perceived), transcript, perceived.words_tell)
        self._wordless = None if transcript.text else perceived
        self._facts[item_id] = told = msgspec.structs.replace(facts, note=note)
        self._styles[item_id] = style_for(facts, perceived.words_tell)
        while len(self._facts) > MOST_REMEMBERED:
            self.forget(next(iter(self._facts)))
        return told

    def note(self, item_id: str) -> str | None:
        """What the language model is told of how this item sounds."""
        facts = self._facts.get(item_id)
        return facts.note if facts is not None else None

    def note_for(self, items: Sequence[Item], language: Language | None) -> str | None:
        """What the language model is told for the last of these messages, a user's: how it sounds, or, if it asks for that in
        text, how the newest spoken one before it does. ``language`` is that of the last, if it is known.
        """
        last = items[-1]
        own, text = self.note(last.id), " ".join(part.words for part in last.parts)
        spoken = [item.id for item in items if any(part.type == "input_audio" for part in item.parts)]
        if own is not None or not spoken or not asks_about_sound(text):
            return own
        return self.answer_note(text, language or written_language(text) or "en", spoken)

    def answer_note(self, text: str, language: Language, item_ids: Sequence[str]) -> str | None:
        """What the language model is told for a question about the sound of the newest of these items that was listened to;
        where none was, that it is not known.
        """
        if not self._instruct:
            return None
        known = (self._facts[item_id] for item_id in reversed(item_ids) if item_id in self._facts)
        return self._answer(next(known, KNOWS_NOTHING), text, language)

    def style(self, item_id: str | None) -> SpeakingStyle:
        """How a reply to this item is spoken."""
        return self._styles.get(item_id or "", PLAIN) if self._speaks_so else PLAIN

    def forget(self, item_id: str) -> None:
        """The item is gone."""
        self._facts.pop(item_id, None)
        self._styles.pop(item_id, None)

    def _note(self, facts: VoiceFacts, transcript: Transcript, words: WordsTell | None) -> str | None:
        if not self._instruct:
            return None
        if transcript.text and not asks_about_sound(transcript.text):
            return note_for(facts, transcript.language, words)
        return self._answer(facts, transcript.text, transcript.language)

    def _answer(self, facts: VoiceFacts, text: str, language: Language) -> str:
        return note_for_question(msgspec.structs.replace(facts, speaker=self._speaker()), text, language)

    def _with_sounds_before(self, facts: VoiceFacts, perceived: Perceived) -> VoiceFacts:
        """A question about a sound is often about what was sent just before it, without words."""
        if self._wordless is None or (both := continued(self._wordless, perceived, 0)) is None:
            return facts
        return msgspec.structs.replace(facts, sounds=both.sounds, music=both.music)

    def _facts_of(self, perceived: Perceived, transcript: Transcript, include: Sequence[str]) -> VoiceFacts:
        language = perceived.language
        self._listen_for_gender(perceived.female)
        facts = VoiceFacts(
            language=language if language is not None and language.score >= SURE_LANGUAGE else None,
            emotion=perceived.emotion,
            sounds=perceived.sounds,
            music=perceived.music,
            speaker=self._speaker() if GENDER in include else None,
        )
        if perceived.prosody is None:
            return facts
        turn = turn_of(perceived.prosody, syllables(transcript.text))
        prosody, arousal, cues = self._baseline.compare(turn, perceived.prosody, fillers(transcript.text))
        return msgspec.structs.replace(facts, prosody=prosody, arousal=arousal, cues=cues)

    def _listen_for_gender(self, female: float | None) -> None:
        if female is not None:
            odds = log(max(female, 1e-6) / max(1 - female, 1e-6))
            self._female.append(min(max(odds, -MAX_LOGIT), MAX_LOGIT))

    def _speaker(self) -> Speaker | None:
        """Averaged over the session, past a margin. Told to clients that ask for it, and to users who do."""
        if len(self._female) < GENDER_TURNS:
            return None
        mean = sum(self._female) / len(self._female)
        score = 1 / (1 + exp(-abs(mean)))
        if score < SURE_GENDER:
            return None
        label: Literal["female", "male"] = "female" if mean > 0 else "male"
        return Speaker(gender=Gender(label=label, score=round(score, 3), turns=len(self._female)))


def with_note(messages: Sequence[Message], note: str) -> tuple[Message, ...]:
    """A prompt that ends with the user's turn, and what is told of how that sounds.

    A question keeps the last word: with the note behind it small models answer to the note alone (of two questions asked four
    times each the 1.5B answered 5 right with a note of sadness or anger behind them, 7 or 8 with it before). A remark is
    followed by its note, which is overlooked before it. A turn without words is no message of its own: here it is one.
    """
    *before, last = messages
    if last.role != "user":
        return (*messages, Message("user", WORDLESS), Message("system", note, hint=True))
    if asks_a_question(last.content) and not asks_about_sound(last.content):
        return (*before, Message("system", note, hint=True), last)
    return (*messages, Message("system", note, hint=True))


def included(config: SessionConfig) -> tuple[str, ...]:
    """What the client asked to be told beside the usual (``session.include``)."""
    include = config.extras.get("include")
    return tuple(name for name in include if isinstance(name, str)) if isinstance(include, list | tuple) else ()
