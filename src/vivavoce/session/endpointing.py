"""How long a pause is, and how long it must be to end a turn: a silence the client has fixed, or one that depends on what is
known of the pause (``turns/end_of_turn.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from vivavoce.protocol.session_config import TurnDetection
from vivavoce.session.arrival import GRACE_S, Arrival
from vivavoce.session.speaker_pauses import SpeakerPauses
from vivavoce.turns.end_of_turn import PauseEvidence, wait_ms
from vivavoce.types import Transcript

SCORED_MS = 100
"""Silence after which the sound of the turn is scored, once a pause. Shorter gaps are stop consonants and breaths; a score
later in the pause tells less, because the silence itself sounds like an end (``benchmarks/end_of_turn.py``)."""

SCORED_AFTER_S = 0.5
"""When audio is missing for so long, the pause is scored: the answer is there when the clock may end the turn."""


class Endpointing:
    """The pauses of one turn, told apart by the sample the voice fell silent at (``voiced_until``).

    ``end`` is the sample the audio ends at so far. A pause consists of samples, and of audio that did not come. ``pauses`` are
    this speaker's earlier ones, ``question`` tells what the assistant said last.
    """

    def __init__(
        self, arrival: Arrival, rate_hz: int, pauses: SpeakerPauses, question: Callable[[], str | None]
    ) -> None:
        self._arrival = arrival
        self._rate_hz = rate_hz
        self._pauses = pauses
        self._question = question
        self._pause = -1
        self._scored = False
        self._evidence = PauseEvidence(paused_ms=0)
        self._waits: dict[str, int] = {}
        self._voice = (0, 0.0)

    def silence_ms(self, voiced_until: int, speech_ms: int, vad: TurnDetection) -> int:
        """How many milliseconds of samples without voice end the turn, as far as is known now."""
        return round(self.needed_ms(voiced_until, speech_ms, vad) - self._missed_s(voiced_until) * 1000)

    def needed_ms(self, voiced_until: int, speech_ms: int, vad: TurnDetection) -> int:
        """How long the pause must be to end the turn, as far as is known now."""
        if vad.fixed_silence_ms is not None:
            return vad.fixed_silence_ms
        self._begin_pause(voiced_until)
        if vad.eagerness not in self._waits:  # asked for every frame
            self._waits[vad.eagerness] = wait_ms(replace(self._evidence, speech_ms=speech_ms), vad.eagerness)
        return self._waits[vad.eagerness]

    def scoring_due(self, voiced_until: int, end: int, now: float) -> bool:
        """Whether the sound of this pause should be scored now. What was known of an earlier pause is void."""
        self._begin_pause(voiced_until)
        due = not self._scored and self.paused_ms(voiced_until, end, now) >= SCORED_MS
        self._scored = self._scored or due
        return due

    # ---- what is known of the pause

    def sound_scored(self, voiced_until: int, probability: float | None) -> None:
        """How finished the turn sounded, if it is still the same pause."""
        if voiced_until == self._pause and probability is not None:
            self._know(sound=probability)

    def transcribed(self, voiced_until: int, transcript: Transcript) -> None:
        """All that was said until this pause."""
        self._begin_pause(voiced_until)
        self._know(text=transcript.text, language=transcript.language)

    def sentence_scored(self, voiced_until: int, probability: float | None) -> None:
        """How finished its words are, if it is still the same pause."""
        if voiced_until == self._pause and probability is not None:
            self._know(sentence_end=probability)

    # ---- where no audio comes

    def scores_at(self, voiced_until: int, end: int, vad: TurnDetection) -> float | None:
        """When (seconds) the pause is to be scored, if no audio comes until then."""
        since = self._arrival.stopped_at
        if since is None or vad.fixed_silence_ms is not None or (voiced_until == self._pause and self._scored):
            return None
        return since + max(SCORED_AFTER_S, SCORED_MS / 1000 - self._paused_s(voiced_until, end))

    def ends_at(self, voiced_until: int, end: int, speech_ms: int, vad: TurnDetection) -> float | None:
        """When (seconds) the pause ends the turn, if no audio comes until then.

        At once where so much silence was sent, and the words before it are known: a recording comes faster than it is read.
        """
        since = self._arrival.stopped_at
        if since is None:
            return None
        needed_s, paused_s = self.needed_ms(voiced_until, speech_ms, vad) / 1000, self._paused_s(voiced_until, end)
        if needed_s <= paused_s and self._evidence.text is not None:
            return 0.0
        return since + max(GRACE_S, needed_s - paused_s)

    def paused_ms(self, voiced_until: int, end: int, now: float) -> float:
        """How many milliseconds ago the voice fell silent."""
        return (self._paused_s(voiced_until, end) + self._arrival.missing_s(now)) * 1000

    # ---- inside

    def _begin_pause(self, voiced_until: int) -> None:
        if voiced_until != self._pause:
            self._pause, self._scored, self._waits = voiced_until, False, {}
            self._evidence = PauseEvidence(
                paused_ms=0,
                question=self._question(),
                typical_pause_ms=self._pauses.typical_ms,
                longest_pause_ms=self._pauses.longest_ms,
            )

    def _know(self, **evidence: float | str) -> None:
        self._evidence = replace(self._evidence, **evidence)  # type: ignore[arg-type]
        self._waits = {}

    def _paused_s(self, voiced_until: int, end: int) -> float:
        return (end - voiced_until) / self._rate_hz + self._missed_s(voiced_until)

    def _missed_s(self, voiced_until: int) -> float:
        """How much audio did not come between the samples since there was voice last."""
        if voiced_until != self._voice[0]:
            self._voice = (voiced_until, self._arrival.missed_s)
        return self._arrival.missed_s - self._voice[1]
