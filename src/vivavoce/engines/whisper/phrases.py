"""What lies between pauses, and whether a reading has words for each of it. Pure.

Whisper often writes down once what was said several times, and now and then once more than it was said. Where the decoder
looked while it wrote shows the first: a phrase it never looked at has no words. The second shows in the count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from vivavoce.engines.whisper import guard

PAUSE_MS = 128
"""Silence that ends a phrase, as voice activity detection sees it: a pause of 0.3 s leaves 0.16 s of it or more."""

MIN_PHRASE_MS = 200
"""Shorter speech is no phrase of its own: a cough, or the end of a word."""

MARGIN_MS = 200
"""Audio kept on both sides of a phrase: soft onsets and endings lie outside of what the detector marks."""

SAME_SHARE = 0.8
"""Words of a phrase read by itself now and then differ from those read in context."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Speech from sample ``start`` to ``end``; ``audio_start`` to ``audio_end`` is what to read it from."""

    start: int
    end: int
    audio_start: int
    audio_end: int


def phrases(speech: Sequence[bool], frame_samples: int, rate_hz: int, length: int) -> list[Phrase]:
    """The phrases of ``length`` samples, in which somebody speaks frame by frame as ``speech`` says. They do not overlap."""
    pause, least, margin = (ms * rate_hz // 1000 for ms in (PAUSE_MS, MIN_PHRASE_MS, MARGIN_MS))
    spans: list[tuple[int, int]] = []
    at = 0
    for is_speech, frames in groupby(speech):
        start, at = at, at + len(list(frames)) * frame_samples
        if is_speech and spans and start - spans[-1][1] < pause:
            spans[-1] = spans[-1][0], at
        elif is_speech:
            spans.append((start, at))
    spans = [(start, min(end, length)) for start, end in spans if end - start >= least]
    if not spans:
        return []
    middles = [(before[1] + after[0]) // 2 for before, after in pairwise(spans)]
    return [
        Phrase(start, end, max(start - margin, earliest), min(end + margin, latest))
        for (start, end), earliest, latest in zip(spans, [0, *middles], [*middles, length], strict=True)
    ]


def covers(found: Sequence[Phrase], positions: Sequence[int]) -> bool:
    """Whether a reading whose tokens begin at these samples has one in, or nearest to, every phrase."""
    nearest = {
        min(range(len(found)), key=lambda index: max(found[index].start - at, at - found[index].end, 0))
        for at in positions
    }
    return len(nearest) == len(found)


def miscounted(text: str, found: Sequence[Phrase]) -> bool:
    """Whether ``text`` ends in a repetition whose number does not come out even with that of the phrases."""
    copies = guard.copies(text)
    return copies > 1 and len(found) % copies != 0 and copies % len(found) != 0


def agrees(text: str, whole: str) -> bool:
    """Whether ``text`` says, however often, what ``whole`` says: at least four fifths of its words are there."""
    words, known = guard.units(text), set(guard.units(whole))
    return bool(words) and sum(word in known for word in words) >= SAME_SHARE * len(words)


def alike(parts: Sequence[str]) -> bool:
    """Whether every phrase, read by itself, says the same: then it was said that often, whatever a reading of all makes of
    it."""
    said = {tuple(guard.units(part)) for part in parts}
    return len(said) == 1 and () not in said


def says_more(text: str, whole: str) -> bool:
    """Whether ``text`` has more words than ``whole``."""
    return len(guard.units(text)) > len(guard.units(whole))
