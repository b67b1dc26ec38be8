"""What is understood while the user is still speaking: partial transcripts of the audio so far, and the words they agree on.

Two uses. The client sees the words grow: a word is told once two successive partial transcripts agree on it (LocalAgreement-2,
Macháček et al. 2023, "Turning Whisper into Real-Time Transcription System"), so what was told is never taken back. And a
partial transcript made in a short pause becomes the transcript when the pause turns out to be the end: nothing was said after
it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from vivavoce.perception.together import continued
from vivavoce.text.scripts import joined
from vivavoce.turns.words import WORD, words_of
from vivavoce.types import Transcript
from vivavoce.voice_facts import Perceived

PAUSE_MS = 32
"""Silence after which a partial transcript is worth its while: it may be the last one."""

EVERY_MS = 1_200
"""Without a pause, a partial transcript after so much more audio."""

MIN_MS = 300
"""No partial transcript of less audio than this: nothing can be told from it."""

MIN_STABLE_PREFIX_MS = 12_000
"""A partial transcript of so much, made in a pause, is a stable prefix: the next ones begin after it. So however long somebody
speaks, a partial transcript costs no more than a sentence or two, and nearly all of a long turn is understood before it ends.
"""

RETRY_MS = 500
"""A partial transcript that could not be made says nothing of what was said: after so much more audio it is asked for again."""

MAX_UNPAUSED_MS = 25_000
"""Without a pause, no partial transcript of more audio than this: it would cost more than it tells."""


@dataclass(frozen=True, slots=True)
class StablePrefix:
    """The beginning of a turn that is read for good: its words, how it sounds, and how long it is."""

    text: str = ""
    perceived: Perceived | None = None
    length_ms: int = 0

    def followed_by(self, transcript: Transcript) -> Transcript:
        """The transcript of all, where this is that of the audio behind it."""
        text = joined(self.text, transcript.text)
        return replace(transcript, text=text, perceived=continued(self.perceived, transcript.perceived, self.length_ms))


NOTHING_STABLE = StablePrefix()


@dataclass(slots=True)
class PartialRequest:
    """What was understood of a turn's audio up to sample ``until``; ``transcript`` is ``None`` until it is there.

    ``before`` is what comes before the audio that is read, ``extends_stable_prefix`` says that it need not be read again.
    """

    until: int
    before: StablePrefix = NOTHING_STABLE
    extends_stable_prefix: bool = False
    transcript: Transcript | None = None


class PartialTranscription:
    """The partial transcripts of one turn. Positions are samples; ``rate_hz`` turns the milliseconds above into them."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._begun: int | None = None
        self._pause = PAUSE_MS * rate_hz // 1000
        self._every = EVERY_MS * rate_hz // 1000
        self._max_unpaused = MAX_UNPAUSED_MS * rate_hz // 1000
        self._min = MIN_MS * rate_hz // 1000
        self._min_stable_prefix = MIN_STABLE_PREFIX_MS * rate_hz // 1000
        self._retry = RETRY_MS * rate_hz // 1000
        self._retry_from = 0
        self._pending: dict[int, PartialRequest] = {}
        self.newest: PartialRequest | None = None
        self.transcript: Transcript | None = None
        self.stable_prefix = NOTHING_STABLE
        self.stable_until = 0
        self._requested_until = 0
        self._previous = ""
        self.sent_text = ""

    def is_due(self, start: int, voiced_until: int, end: int) -> bool:
        """Whether to read the audio from ``start`` to ``end`` now, in which there was speech until ``voiced_until``."""
        if end - start < self._min or voiced_until <= self._requested_until or end < self._retry_from:
            return False
        if end - voiced_until >= self._pause:
            return True
        return (
            not self.pending
            and end - max(self._requested_until, start) >= self._every
            and end - start <= self._max_unpaused
        )

    @property
    def pending(self) -> bool:
        """Whether a partial transcript was asked for and has not come."""
        return self.newest is not None and self.newest.transcript is None

    def requested(self, start: int, voiced_until: int, until: int) -> None:
        """A partial transcript from ``start`` to ``until`` was asked for; one that was asked for before may come
        yet, or not.
        """
        self._begun = start if self._begun is None else self._begun
        paused = until - voiced_until >= self._pause
        self.newest = PartialRequest(
            until, self.stable_prefix, extends_stable_prefix=paused and until - start >= self._min_stable_prefix
        )
        self._pending[until] = self.newest
        self._requested_until = until

    def partially_transcribed(self, until: int, transcript: Transcript | None) -> str:
        """Take a partial transcript in (``None``: it could not be made); returns the words that are certain now and were not
        told.
        """
        request = self._pending.pop(until, None)
        if request is None:
            return ""
        self._pending = {later: newer for later, newer in self._pending.items() if later > until}
        if transcript is None:
            if request is self.newest:
                self.newest, self._requested_until, self._retry_from = None, 0, until + self._retry
            return ""
        self.transcript = request.transcript = request.before.followed_by(transcript)
        text = self.transcript.text
        if request.extends_stable_prefix:
            length_ms = (until - (self._begun or 0)) * 1000 // self._rate_hz
            self.stable_prefix, self.stable_until = StablePrefix(text, self.transcript.perceived, length_ms), until
        agreed = agreement(self._previous, text)
        self._previous = text
        fresh = extension(self.sent_text, agreed)
        self.sent_text += fresh
        return fresh

    def covering(self, voiced_until: int) -> PartialRequest | None:
        """The partial transcript, there or on its way, that leaves out nothing that was said until ``voiced_until``."""
        return self.newest if self.newest is not None and self.newest.until >= voiced_until else None


def agreement(before: str, after: str) -> str:
    """The beginning of ``after`` whose words are those ``before`` begins with.

    The last word of a partial transcript is not agreed on: more audio often changes it.
    """
    earlier = words_of(before)
    spans = list(WORD.finditer(after))
    count = 0
    for word, span in zip(earlier, spans[:-1], strict=False):
        if span.group().lower() != word:
            break
        count += 1
    return after[: spans[count].start()] if 0 < count < len(spans) else ""


def extension(sent_text: str, text: str) -> str:
    """What of ``text`` follows the words already sent; nothing if it does not begin with them."""
    if text.startswith(sent_text):
        return text[len(sent_text) :]
    sent_words = words_of(sent_text)
    spans = list(WORD.finditer(text))
    if [span.group().lower() for span in spans[: len(sent_words)]] != sent_words or len(spans) <= len(sent_words):
        return ""
    return text[spans[len(sent_words)].start() :] if sent_words else text
