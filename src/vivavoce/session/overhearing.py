"""What is understood while the user is still speaking: readings of the audio so far, and the words they agree on.

Two uses. The client sees the words grow: a word is told once two successive readings agree on it (LocalAgreement-2,
Macháček et al. 2023, "Turning Whisper into Real-Time Transcription System"), so what was told is never taken back. And a
reading made in a short pause becomes the transcript when the pause turns out to be the end: nothing was said after it.
"""

from __future__ import annotations

from dataclasses import dataclass

from vivavoce.scripts import joined
from vivavoce.turns.words import WORD, words_of
from vivavoce.types import Transcript

PAUSE_MS = 32
"""Silence after which a reading is worth its while: it may be the last one."""

EVERY_MS = 1_200
"""Without a pause, a reading after so much more audio."""

LEAST_MS = 300
"""No reading of less audio than this: nothing can be told from it."""

SETTLED_MS = 12_000
"""A reading of so much, made in a pause, is settled: the next ones begin after it. So however long somebody speaks, a reading
costs no more than a sentence or two, and nearly all of a long turn is understood before it ends."""

RETRY_MS = 500
"""A reading that could not be made says nothing of what was said: after so much more audio it is asked for again."""

LONGEST_MS = 25_000
"""Without a pause, no reading of more audio than this: it would cost more than it tells."""


@dataclass(slots=True)
class Reading:
    """What was understood of a turn's audio up to sample ``until``; ``transcript`` is ``None`` until it is there.

    ``before`` are the words before the audio that is read, ``settles`` says that it need not be read again.
    """

    until: int
    before: str = ""
    settles: bool = False
    transcript: Transcript | None = None


class Overhearing:
    """The readings of one turn. Positions are samples; ``rate_hz`` turns the milliseconds above into them."""

    def __init__(self, rate_hz: int) -> None:
        self._pause = PAUSE_MS * rate_hz // 1000
        self._every = EVERY_MS * rate_hz // 1000
        self._longest = LONGEST_MS * rate_hz // 1000
        self._least = LEAST_MS * rate_hz // 1000
        self._settled_after = SETTLED_MS * rate_hz // 1000
        self._retry = RETRY_MS * rate_hz // 1000
        self._retry_from = 0
        self._pending: dict[int, Reading] = {}
        self.reading: Reading | None = None
        self.said: Transcript | None = None
        self.settled = ""
        self.settled_until = 0
        self._asked_until = 0
        self._previous = ""
        self.told = ""

    def wanted(self, start: int, voiced_until: int, end: int) -> bool:
        """Whether to read the audio from ``start`` to ``end`` now, in which there was speech until ``voiced_until``."""
        if end - start < self._least or voiced_until <= self._asked_until or end < self._retry_from:
            return False
        if end - voiced_until >= self._pause:
            return True
        return not self.pending and end - max(self._asked_until, start) >= self._every and end - start <= self._longest

    @property
    def pending(self) -> bool:
        """Whether a reading was asked for and has not come."""
        return self.reading is not None and self.reading.transcript is None

    def asked(self, start: int, voiced_until: int, until: int) -> None:
        """A reading from ``start`` to ``until`` was asked for; one that was asked for before may come yet, or not."""
        paused = until - voiced_until >= self._pause
        self.reading = Reading(until, self.settled, settles=paused and until - start >= self._settled_after)
        self._pending[until] = self.reading
        self._asked_until = until

    def overheard(self, until: int, transcript: Transcript | None) -> str:
        """Take a reading in (``None``: it could not be made); returns the words that are certain now and were not told."""
        reading = self._pending.pop(until, None)
        if reading is None:
            return ""
        self._pending = {later: asked for later, asked in self._pending.items() if later > until}
        if transcript is None:
            if reading is self.reading:
                self.reading, self._asked_until, self._retry_from = None, 0, until + self._retry
            return ""
        text = joined(reading.before, transcript.text)
        self.said = reading.transcript = Transcript(text, transcript.language)
        if reading.settles:
            self.settled, self.settled_until = text, until
        agreed = agreement(self._previous, text)
        self._previous = text
        fresh = extension(self.told, agreed)
        self.told += fresh
        return fresh

    def covering(self, voiced_until: int) -> Reading | None:
        """The reading, there or on its way, that leaves out nothing that was said until ``voiced_until``."""
        return self.reading if self.reading is not None and self.reading.until >= voiced_until else None


def agreement(before: str, after: str) -> str:
    """The beginning of ``after`` whose words are those ``before`` begins with.

    The last word of a reading is not agreed on: more audio often changes it.
    """
    known = words_of(before)
    spans = list(WORD.finditer(after))
    count = 0
    for word, span in zip(known, spans[:-1], strict=False):
        if span.group().lower() != word:
            break
        count += 1
    return after[: spans[count].start()] if 0 < count < len(spans) else ""


def extension(told: str, text: str) -> str:
    """What of ``text`` follows the words already told; nothing if it does not begin with them."""
    if text.startswith(told):
        return text[len(told) :]
    said = words_of(told)
    spans = list(WORD.finditer(text))
    if [span.group().lower() for span in spans[: len(said)]] != said or len(spans) <= len(said):
        return ""
    return text[spans[len(said)].start() :] if said else text
