"""How something is spoken beyond its words and its voice: rate, pitch, energy, pauses, whisper. Data only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

Control: TypeAlias = Literal["pitch"]
"""What a synthesizer has to do by itself, because nobody can do it to its sound afterwards: height and range of its pitch."""

NO_CONTROLS: frozenset[Control] = frozenset()
ALL_CONTROLS: frozenset[Control] = frozenset({"pitch"})

LIMITS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "rate": (0.5, 2.0),
        "pitch_st": (-5.0, 6.0),
        "pitch_range": (0.3, 1.8),
        "gain_db": (-12.0, 6.0),
        "brightness_db": (-6.0, 6.0),
        "pauses": (0.5, 2.0),
    }
)
"""Beyond these speech is hard to understand, or sounds like somebody else."""


@dataclass(frozen=True, slots=True)
class SpeakingStyle:
    """Against how the voice speaks otherwise; the default changes nothing.

    ``rate`` multiplies the speed, ``pitch_st`` raises the pitch (semitones), ``pitch_range`` multiplies how far it moves around
    its mean (1 octave becomes 0.5 octaves at 0.5), ``gain_db`` is added to the loudness all voices have, ``brightness_db`` to
    what is above 2.5 kHz (vocal effort; the loudness stays), ``pauses`` multiplies pauses between clauses.
    """

    rate: float = 1.0
    pitch_st: float = 0.0
    pitch_range: float = 1.0
    gain_db: float = 0.0
    brightness_db: float = 0.0
    pauses: float = 1.0
    whisper: bool = False

    @property
    def needs(self) -> frozenset[Control]:
        """What the synthesizer has to do by itself. Nobody hears the pitch of a whisper."""
        moved = self.pitch_st != 0.0 or self.pitch_range != 1.0
        return frozenset({"pitch"}) if moved and not self.whisper else frozenset()

    @property
    def sound(self) -> str:
        """Which sound it makes of a voice, whose loudness is one of its own then; empty where that stays as it is."""
        values = (self.pitch_st, self.pitch_range, self.brightness_db, self.whisper)
        return "" if values == (0.0, 1.0, 0.0, False) else "/".join(f"{value:g}" for value in values)

    def then(self, other: SpeakingStyle) -> SpeakingStyle:
        """Both at once, within ``LIMITS``."""
        return SpeakingStyle(
            rate=_limited("rate", self.rate * other.rate),
            pitch_st=_limited("pitch_st", self.pitch_st + other.pitch_st),
            pitch_range=_limited("pitch_range", self.pitch_range * other.pitch_range),
            gain_db=_limited("gain_db", self.gain_db + other.gain_db),
            brightness_db=_limited("brightness_db", self.brightness_db + other.brightness_db),
            pauses=_limited("pauses", self.pauses * other.pauses),
            whisper=self.whisper or other.whisper,
        )

    def where_unset(self, asked: SpeakingStyle) -> SpeakingStyle:
        """What of this does not touch anything ``asked`` for: nothing at all beside a whisper."""
        if asked.whisper:
            return PLAIN
        same = {name: value for name, value in _defaults().items() if getattr(asked, name) != value}
        return replace(self, **same) if same else self


def _defaults() -> dict[str, Any]:
    return {field.name: field.default for field in fields(SpeakingStyle)}


def _limited(name: str, value: float) -> float:
    low, high = LIMITS[name]
    return min(max(value, low), high)


PLAIN = SpeakingStyle()

WHISPER = SpeakingStyle(whisper=True, rate=0.95, gain_db=-6.0)
"""A whisper is softer than a voice."""

ControlsOf: TypeAlias = Callable[[str, str], frozenset[Control]]
"""Voice, language → what it can do."""


def all_controls(voice: str, language: str) -> frozenset[Control]:
    """Of a voice that can do everything."""
    return ALL_CONTROLS
