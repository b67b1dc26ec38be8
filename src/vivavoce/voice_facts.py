"""What a voice says besides its words. Data only: a fact is there with its score, or it is absent because it is not known.

On the wire, what is ``None`` or empty is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

EmotionLabel: TypeAlias = Literal["angry", "happy", "neutral", "sad"]
Cue: TypeAlias = Literal["raised_voice", "lowered_voice", "fast", "slow", "hesitant", "tired", "hurried"]
"""What prosody hints at. ``tired`` and ``hurried`` are cues, not findings: no recordings of tired people were to be had."""

WordsTell: TypeAlias = Literal["good", "bad", "plain"]
"""What the words of a turn tell by themselves: something good or bad, or plainly something to which no mood matters (a fact
that is asked for, something to be done)."""


class Labelled(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A label and its score in [0, 1]."""

    label: str
    score: float


class Emotion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How somebody sounds: the likeliest label, its score, those of all labels, and what tells it (``source``)."""

    label: EmotionLabel
    score: float
    scores: Mapping[str, float]
    source: str


class Arousal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How raised (above 0) or lowered (below) a voice is; ``relative`` to how this speaker usually speaks."""

    value: float
    relative: bool
    label: Literal["raised", "lowered"] | None = None


class Prosody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How it is spoken. Differences (``_delta_``, ``_ratio``) are to the speaker's own baseline of ``baseline_turns`` turns."""

    f0_hz: float | None = None
    f0_delta_st: float | None = None
    f0_range_st: float | None = None
    level_db: float | None = None
    level_delta_db: float | None = None
    tilt_db: float | None = None
    syllables_per_s: float | None = None
    rate_ratio: float | None = None
    pause_share: float | None = None
    baseline_turns: int | None = None


class Sound(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A sound that is not speech, how sure it is, and from when to when it was heard (from the turn's start)."""

    label: str
    score: float
    start_ms: int
    end_ms: int


class SoundKinds(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How sure it is that there is speech, singing and music in the audio, in [0, 1]."""

    speech: float
    singing: float
    music: float


class Gender(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Of the voice: averaged over ``turns``."""

    label: Literal["female", "male"]
    score: float
    turns: int


class Speaker(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Of whoever speaks."""

    gender: Gender


class VoiceFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that is known of how a turn sounds. ``note`` is what the language model was told of it, word for word."""

    language: Labelled | None = None
    emotion: Emotion | None = None
    arousal: Arousal | None = None
    prosody: Prosody | None = None
    cues: tuple[Cue, ...] = ()
    sounds: tuple[Sound, ...] = ()
    music: SoundKinds | None = None
    speaker: Speaker | None = None
    note: str | None = None


class ProsodyMeasures(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is measured of one utterance; ``None`` where too little of it is voiced.

    Pitch in Hz and its range (20th to 80th percentile) in semitones, the level of the speech in dB of full scale, the spectral
    tilt (energy below 1 kHz over that up to 5 kHz, dB), how long somebody speaks, which share of the turn are pauses of more
    than 250 ms, and how far the speech stands above what is between (``snr_db``).
    """

    speech_s: float
    pause_share: float
    level_db: float
    tilt_db: float
    snr_db: float
    f0_hz: float | None = None
    f0_range_st: float | None = None


class Perceived(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a perceiver found in one utterance, by itself: without what is known of its speaker.

    ``female`` is the probability that the voice is a woman's. ``music`` is there if it was listened for sounds: then what
    ``sounds`` does not name was not noticed. ``words_tell`` is not heard in the voice: it is there where the words were
    read beside an emotion that is sure.
    """

    prosody: ProsodyMeasures | None = None
    language: Labelled | None = None
    emotion: Emotion | None = None
    female: float | None = None
    sounds: tuple[Sound, ...] = ()
    music: SoundKinds | None = None
    words_tell: WordsTell | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SpeechEncoding:
    """What a recogniser's encoder made of an utterance, for those who hear more in it than words.

    ``network`` names the encoder, since what is trained on one knows nothing of another; ``states`` is ``float32[n, d]``,
    ``log_mel`` ``float32[bands, m]``, both from the utterance's start. ``language`` is there where it was detected. A network
    that tells more than words by itself does so in ``tags`` (``emotion``, ``event``), in its own labels; it may show no states.
    """

    network: str
    states: NDArray[np.float32]
    log_mel: NDArray[np.float32]
    language: Labelled | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PerceiveOptions:
    """What may be inferred of a voice; what may not is not looked for."""

    emotion: bool = True
    gender: bool = True
