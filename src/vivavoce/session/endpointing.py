"""How long silence must last to end a turn: fixed, or by how finished the speaker sounds."""

from __future__ import annotations

from vivavoce.protocol.session_config import TurnDetection
from vivavoce.turns.patience import SCORED_MS, wait_ms


class Endpointing:
    """The pauses of one turn, told apart by the sample the voice fell silent at."""

    def __init__(self) -> None:
        self._asked_at = -1
        self._score: float | None = None
        self._answered = False

    def silence_ms(self, vad: TurnDetection) -> int:
        """What ends the turn in the current pause."""
        return vad.silence_duration_ms if vad.type == "server_vad" else wait_ms(self._score, vad.eagerness)

    def wanted(self, voiced_until: int, silence_ms: int) -> bool:
        """Whether this pause should be scored now; once a pause. Any score of an earlier pause is void."""
        if voiced_until != self._asked_at:
            self._score, self._answered = None, False
        if silence_ms < SCORED_MS or voiced_until == self._asked_at:
            return False
        self._asked_at = voiced_until
        return True

    def scored(self, voiced_until: int, probability: float | None) -> None:
        """Take a score in, if it is of the current pause."""
        if voiced_until == self._asked_at:
            self._score, self._answered = probability, True

    def asked(self, voiced_until: int) -> bool:
        """Whether the pause that began at this sample has been scored, or is being scored."""
        return voiced_until == self._asked_at

    def answered(self, voiced_until: int) -> bool:
        """Whether all that the scorer can tell about this pause is known."""
        return voiced_until == self._asked_at and self._answered
