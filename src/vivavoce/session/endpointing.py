"""How long a pause is, and how long it must be to end a turn: fixed, or by how finished the speaker sounds."""

from __future__ import annotations

from vivavoce.protocol.session_config import TurnDetection
from vivavoce.session.arrival import GRACE_S, Arrival
from vivavoce.turns.patience import SCORED_MS, wait_ms

SCORED_AFTER_S = 0.5
"""When audio is missing for so long, the pause is scored: the answer is there when the clock may end the turn."""

SCORE_PATIENCE_MS = 1_000
"""A scorer that is busy says nothing: for so long a pause is not ended without its answer."""


UNSCORED_MS = 3_600_000


class Endpointing:
    """The pauses of one turn, told apart by the sample the voice fell silent at (``voiced_until``).

    ``end`` is the sample the audio ends at so far. A pause consists of samples, and of audio that did not come.
    """

    def __init__(self, arrival: Arrival, rate_hz: int) -> None:
        self._arrival = arrival
        self._rate_hz = rate_hz
        self._asked_at = -1
        self._patient_until_s = 0.0
        self._score: float | None = None
        self._answered = False
        self._voice = (0, 0.0)

    def silence_ms(self, voiced_until: int, vad: TurnDetection) -> int:
        """How many milliseconds of samples without voice end the turn; more than there can be before the pause is scored."""
        needed_s = self._needed_s(voiced_until, vad)
        return UNSCORED_MS if needed_s is None else round((needed_s - self._missed_s(voiced_until)) * 1000)

    def wanted(self, voiced_until: int, end: int, now: float) -> bool:
        """Whether this pause should be scored now; once a pause. Any score of an earlier pause is void."""
        if voiced_until != self._asked_at:
            self._score, self._answered = None, False
        paused_s = self._paused_s(voiced_until, end) + self._arrival.missing_s(now)
        if voiced_until == self._asked_at or paused_s * 1000 < SCORED_MS:
            return False
        self._asked_at, self._patient_until_s = voiced_until, paused_s + SCORE_PATIENCE_MS / 1000
        return True

    def scored(self, voiced_until: int, probability: float | None) -> None:
        """Take a score in, if it is of the current pause."""
        if voiced_until == self._asked_at:
            self._score, self._answered = probability, True

    # ---- where no audio comes

    def scores_at(self, voiced_until: int, end: int, vad: TurnDetection) -> float | None:
        """When (seconds) the pause is to be scored, if no audio comes until then."""
        since = self._arrival.stopped_at
        if since is None or vad.type != "semantic_vad" or voiced_until == self._asked_at:
            return None
        return since + max(SCORED_AFTER_S, SCORED_MS / 1000 - self._paused_s(voiced_until, end))

    def ends_at(self, voiced_until: int, end: int, vad: TurnDetection) -> float | None:
        """When (seconds) the pause ends the turn, if no audio comes until then."""
        since = self._arrival.stopped_at
        if since is None:
            return None
        needed_s = self._needed_s(voiced_until, vad)
        if needed_s is None:
            return since + SCORED_AFTER_S + SCORE_PATIENCE_MS / 1000
        return since + max(GRACE_S, needed_s - self._paused_s(voiced_until, end))

    def speech_ended_s(self, voiced_until: int, end: int, now: float) -> float:
        """How many seconds ago the voice fell silent."""
        return self._paused_s(voiced_until, end) + self._arrival.missing_s(now)

    # ---- inside

    def _needed_s(self, voiced_until: int, vad: TurnDetection) -> float | None:
        """How long the pause must be; ``None`` before it is scored."""
        if vad.type == "server_vad":
            return vad.silence_duration_ms / 1000
        if voiced_until != self._asked_at:
            return None
        waits_s = wait_ms(self._score, vad.eagerness) / 1000
        return waits_s if self._answered else max(waits_s, self._patient_until_s)

    def _paused_s(self, voiced_until: int, end: int) -> float:
        return (end - voiced_until) / self._rate_hz + self._missed_s(voiced_until)

    def _missed_s(self, voiced_until: int) -> float:
        """How much audio did not come between the samples since there was voice last."""
        if voiced_until != self._voice[0]:
            self._voice = (voiced_until, self._arrival.missed_s)
        return self._arrival.missed_s - self._voice[1]
