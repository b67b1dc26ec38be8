"""How a speaker usually speaks, and how a turn differs from that. Pure, slow on purpose.

The baseline is the median of the last turns: an emotional minute does not become what is usual. Until there are a few turns
nothing is told relative to it. Thresholds: mean changes of four corpora of acted emotions (raised voices +2 to +9 semitones
and +4 to +14 dB), which ``docs/understanding.md`` lists with their errors.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, fields
from math import log2
from statistics import median
from typing import Literal

from vivavoce.voice_facts import Arousal, Cue, Prosody, ProsodyMeasures

TURNS = 25
"""The turns the baseline is made of: about what forgets half in twenty."""

FIRST_TURNS = 5
"""With fewer there is no baseline."""

RAISED, LOWERED = 1.3, -0.5
OF_LAST, NEEDED = 3, 2
"""A voice is raised (lowered) when so many of the last turns are."""

SEMITONES, DECIBELS = 3.0, 6.0
"""What raises arousal by 1 each."""

FAST, SLOW, MIN_RATE_S = 1.25, 0.8, 2.0
HESITANT_PAUSES = 0.25
HESITANT_FILLERS = 2
TIRED_RATE, TIRED_RANGE, TIRED_F0_ST, TIRED_TILT_DB, TIRED_PAUSES, TIRED_SIGNS = 0.85, 0.75, -1.0, 2.0, 0.1, 3
HURRIED_RATE = 1.2
MIN_SNR_DB = 8.0
"""In more noise than this pitch and tilt are those of the noise."""


@dataclass(frozen=True, slots=True)
class TurnProsody:
    """What is compared of a turn; pitch in semitones (of 1 Hz), so that differences are what is heard."""

    f0_st: float | None
    f0_range_st: float | None
    level_db: float | None
    tilt_db: float | None
    syllables_per_s: float | None
    pause_share: float | None


class Baseline:
    """Of one speaker in one conversation. ``gain_control``: their microphone evens loudness out, which then tells nothing."""

    def __init__(self, *, gain_control: bool = False) -> None:
        self._gain_control = gain_control
        self._turns: deque[TurnProsody] = deque(maxlen=TURNS)
        self._leanings: deque[Literal["raised", "lowered", ""]] = deque(maxlen=OF_LAST)

    def compare(
        self, turn: TurnProsody, measures: ProsodyMeasures, fillers: int
    ) -> tuple[Prosody, Arousal | None, tuple[Cue, ...]]:
        """How this turn is spoken, compared with those before, which it then belongs to."""
        usual = self._usual()
        prosody = _prosody(turn, measures, usual, len(self._turns))
        arousal = self._arousal(prosody) if usual is not None and measures.snr_db >= MIN_SNR_DB else None
        cues = tuple(_cues(turn, measures, prosody, arousal, usual, fillers))
        self._turns.append(turn)
        return prosody, arousal, cues

    def _usual(self) -> TurnProsody | None:
        if len(self._turns) < FIRST_TURNS:
            return None
        return TurnProsody(
            **{field.name: _median(getattr(turn, field.name) for turn in self._turns) for field in fields(TurnProsody)}
        )

    def _arousal(self, prosody: Prosody) -> Arousal | None:
        if prosody.f0_delta_st is None:
            return None
        loudness = 0.0 if self._gain_control or prosody.level_delta_db is None else prosody.level_delta_db / DECIBELS
        value = prosody.f0_delta_st / SEMITONES + loudness
        self._leanings.append("raised" if value > RAISED else "lowered" if value < LOWERED else "")
        counts = {name: self._leanings.count(name) for name in ("raised", "lowered")}
        leaning = self._leanings[-1]
        label = leaning if leaning and counts[leaning] >= NEEDED else None
        return Arousal(value=round(value, 2), relative=True, label=label or None)


def turn_of(measures: ProsodyMeasures, syllable_count: int) -> TurnProsody:
    """The measures of a turn in which so many syllables were said. In noise only what noise leaves alone."""
    clear = measures.snr_db >= MIN_SNR_DB
    spoken_s = measures.speech_s
    return TurnProsody(
        f0_st=12 * log2(measures.f0_hz) if clear and measures.f0_hz is not None else None,
        f0_range_st=measures.f0_range_st if clear else None,
        level_db=measures.level_db,
        tilt_db=measures.tilt_db if clear else None,
        syllables_per_s=syllable_count / spoken_s if syllable_count and spoken_s >= MIN_RATE_S else None,
        pause_share=measures.pause_share if clear else None,
    )


def _prosody(turn: TurnProsody, measures: ProsodyMeasures, usual: TurnProsody | None, turns: int) -> Prosody:
    def difference(name: str) -> float | None:
        now, before = getattr(turn, name), getattr(usual, name, None)
        return None if now is None or before is None else round(now - before, 2)

    rate, usual_rate = turn.syllables_per_s, usual.syllables_per_s if usual is not None else None
    return Prosody(
        f0_hz=measures.f0_hz if turn.f0_st is not None else None,
        f0_delta_st=difference("f0_st"),
        f0_range_st=turn.f0_range_st,
        level_db=turn.level_db,
        level_delta_db=difference("level_db"),
        tilt_db=turn.tilt_db,
        syllables_per_s=None if rate is None else round(rate, 2),
        rate_ratio=None if rate is None or not usual_rate else round(rate / usual_rate, 2),
        pause_share=turn.pause_share,
        baseline_turns=turns,
    )


def _cues(
    turn: TurnProsody,
    measures: ProsodyMeasures,
    prosody: Prosody,
    arousal: Arousal | None,
    usual: TurnProsody | None,
    fillers: int,
) -> Iterable[Cue]:
    rate = prosody.rate_ratio
    if arousal is not None and arousal.label is not None:
        yield "raised_voice" if arousal.label == "raised" else "lowered_voice"
    if rate is not None and rate > FAST:
        yield "fast"
    if rate is not None and rate < SLOW:
        yield "slow"
    paused = turn.pause_share is not None and turn.pause_share > HESITANT_PAUSES and measures.speech_s >= MIN_RATE_S / 2
    if paused or fillers > HESITANT_FILLERS:
        yield "hesitant"
    if usual is not None and sum(_signs_of_tiredness(turn, prosody, usual)) >= TIRED_SIGNS:
        yield "tired"
    if rate is not None and rate > HURRIED_RATE and arousal is not None and arousal.value > RAISED:
        yield "hurried"


def _signs_of_tiredness(turn: TurnProsody, prosody: Prosody, usual: TurnProsody) -> Iterable[bool]:
    yield prosody.rate_ratio is not None and prosody.rate_ratio < TIRED_RATE
    if turn.f0_range_st is not None and usual.f0_range_st:
        yield turn.f0_range_st / usual.f0_range_st < TIRED_RANGE
    yield prosody.f0_delta_st is not None and prosody.f0_delta_st < TIRED_F0_ST
    if turn.tilt_db is not None and usual.tilt_db is not None:
        yield turn.tilt_db - usual.tilt_db > TIRED_TILT_DB
    if turn.pause_share is not None and usual.pause_share is not None:
        yield turn.pause_share - usual.pause_share > TIRED_PAUSES


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if len(known) >= FIRST_TURNS else None
