"""How the user's turns sound: what a perceiver found in each, set against the turns before. Sans-IO."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log

import msgspec

from vivavoce.perception.baseline import Baseline, turn_of
from vivavoce.perception.fillers import fillers
from vivavoce.perception.notes import note_for
from vivavoce.perception.questions import asks_about_sound, note_for_question
from vivavoce.perception.style import style_for
from vivavoce.perception.syllables import syllables
from vivavoce.protocol.session_config import SessionConfig
from vivavoce.speaking_style import PLAIN, SpeakingStyle
from vivavoce.turns.backchannel import asks_a_question
from vivavoce.types import Language, Message, Transcript
from vivavoce.voice_facts import Gender, Perceived, VoiceFacts

EVENT = "voice.perception"
"""What a client puts into ``session.include`` to be told."""

GENDER = "voice.perception.gender"

SURE_LANGUAGE = 0.5
"""Below it the language is not told."""

GENDER_TURNS, SURE_GENDER = 3, 0.9
"""After so many turns, and from this score of their average on, the gender of a voice is told to those who ask for it."""

MAX_LOGIT = 3.0
"""So that no single turn decides."""


class SessionPerception:
    """Of one session. ``by_default``: without being asked; ``announced``: the client is told by default, too.

    ``instruct``: the language model is told how to answer to it; ``style``: the reply is spoken as fits it.
    """

    def __init__(self, *, by_default: bool, announced: bool, instruct: bool, style: bool = True) -> None:
        self._by_default, self._announced, self._instruct, self._speaks_so = by_default, announced, instruct, style
        self._baseline = Baseline()
        self._female: list[float] = []
        self._notes: dict[str, str] = {}
        self._styles: dict[str, SpeakingStyle] = {}

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

        ``include`` is what the client asked for beside the usual.
        """
        if transcript.perceived is None:
            return None
        facts = self._facts(transcript.perceived, transcript, include)
        if facts == VoiceFacts():
            return None
        if self._speaks_so and (style := style_for(facts)) != PLAIN:
            self._styles[item_id] = style
        note = self._note(facts, transcript.text, transcript.language)
        if note is None:
            return facts
        self._notes[item_id] = note
        return msgspec.structs.replace(facts, note=note)

    def note(self, item_id: str | None) -> str | None:
        """What the language model is told of how this item sounds."""
        return self._notes.get(item_id or "")

    def style(self, item_id: str | None) -> SpeakingStyle:
        """How a reply to this item is spoken."""
        return self._styles.get(item_id or "", PLAIN)

    def forget(self, item_id: str) -> None:
        """The item is gone."""
        self._notes.pop(item_id, None)
        self._styles.pop(item_id, None)

    def _note(self, facts: VoiceFacts, text: str, language: Language) -> str | None:
        if not self._instruct:
            return None
        return note_for_question(facts, language) if asks_about_sound(text) else note_for(facts, language, text)

    def _facts(self, perceived: Perceived, transcript: Transcript, include: Sequence[str]) -> VoiceFacts:
        language = perceived.language
        facts = VoiceFacts(
            language=language if language is not None and language.score >= SURE_LANGUAGE else None,
            emotion=perceived.emotion,
            sounds=perceived.sounds,
            kinds=perceived.kinds,
            gender=self._gender(perceived.female, include),
        )
        if perceived.prosody is None:
            return facts
        turn = turn_of(perceived.prosody, syllables(transcript.text))
        prosody, arousal, cues = self._baseline.compare(turn, perceived.prosody, fillers(transcript.text))
        return msgspec.structs.replace(facts, prosody=prosody, arousal=arousal, cues=cues)

    def _gender(self, female: float | None, include: Sequence[str]) -> Gender | None:
        """Averaged over the session; told only where it was asked for, and past a margin."""
        if GENDER not in include:
            return None
        if female is not None:
            odds = log(max(female, 1e-6) / max(1 - female, 1e-6))
            self._female.append(min(max(odds, -MAX_LOGIT), MAX_LOGIT))
        if len(self._female) < GENDER_TURNS:
            return None
        mean = sum(self._female) / len(self._female)
        score = 1 / (1 + exp(-abs(mean)))
        if score < SURE_GENDER:
            return None
        return Gender(label="female" if mean > 0 else "male", score=round(score, 3), turns=len(self._female))


def with_note(messages: Sequence[Message], note: str) -> tuple[Message, ...]:
    """A prompt that ends with the user's turn, and what is told of how that sounds.

    A question keeps the last word: with the note behind it small models answer to the note alone (of two questions asked four
    times each the 1.5B answered 5 right with a note of sadness or anger behind them, 7 or 8 with it before). A remark is
    followed by its note, which is overlooked before it.
    """
    *before, last = messages
    if last.role == "user" and asks_a_question(last.content) and not asks_about_sound(last.content):
        return (*before, Message("system", note, hint=True), last)
    return (*messages, Message("system", note, hint=True))


def included(config: SessionConfig) -> tuple[str, ...]:
    """What the client asked to be told beside the usual (``session.include``)."""
    include = config.extras.get("include")
    return tuple(name for name in include if isinstance(name, str)) if isinstance(include, list | tuple) else ()
