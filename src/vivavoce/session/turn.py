"""The life of a user's turn. Everything that moves a turn from one state to another is in this file's table."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from vivavoce.observe.marks import Marks


class TurnState(Enum):
    """Where a turn is."""

    LISTENING = "listening"
    SPEAKING = "speaking"
    TRANSCRIBING = "transcribing"
    TRANSCRIBED = "transcribed"
    EMPTY = "empty"
    FAILED = "failed"
    DISCARDED = "discarded"


class TurnEvent(Enum):
    """What can happen to a turn."""

    SPEECH_STARTED = "speech_started"
    COMMITTED = "committed"
    CLEARED = "cleared"
    WORDS = "words"
    NO_WORDS = "no_words"
    RECOGNITION_FAILED = "recognition_failed"
    DELETED = "deleted"


TURN_TABLE: dict[tuple[TurnState, TurnEvent], TurnState] = {
    (TurnState.LISTENING, TurnEvent.SPEECH_STARTED): TurnState.SPEAKING,
    (TurnState.LISTENING, TurnEvent.COMMITTED): TurnState.TRANSCRIBING,
    (TurnState.LISTENING, TurnEvent.CLEARED): TurnState.DISCARDED,
    (TurnState.SPEAKING, TurnEvent.COMMITTED): TurnState.TRANSCRIBING,
    (TurnState.SPEAKING, TurnEvent.CLEARED): TurnState.DISCARDED,
    (TurnState.TRANSCRIBING, TurnEvent.WORDS): TurnState.TRANSCRIBED,
    (TurnState.TRANSCRIBING, TurnEvent.NO_WORDS): TurnState.EMPTY,
    (TurnState.TRANSCRIBING, TurnEvent.RECOGNITION_FAILED): TurnState.FAILED,
    (TurnState.TRANSCRIBING, TurnEvent.DELETED): TurnState.DISCARDED,
}
"""A voice turn ends with ``COMMITTED``, whether the detector or the client commits. Any pair not here is a bug."""


@dataclass(slots=True)
class Turn:
    """One turn of the user: ``spoken`` to the session, or audio in an item the client made.

    ``automatic`` turns are answered without being asked to. ``start`` is the turn's first sample, ``voiced_from`` the first
    one with voice in it, ``voiced_until`` the last; ``end`` is where its audio ended. ``speech_ms`` is how long the user spoke.
    """

    item_id: str
    spoken: bool = True
    automatic: bool = False
    start: int = 0
    voiced_from: int | None = None
    voiced_until: int | None = None
    end: int = 0
    speech_ms: int = 0
    marks: Marks = field(default_factory=Marks)
    _state: TurnState = TurnState.LISTENING

    @property
    def state(self) -> TurnState:
        """The current state; only ``happened`` changes it."""
        return self._state

    def happened(self, event: TurnEvent) -> TurnState:
        """Move along the table. Raises ``KeyError`` on a transition that does not exist."""
        self._state = TURN_TABLE[self._state, event]
        return self._state
