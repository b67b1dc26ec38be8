"""The spoken side of one reply: audio leaves paced, and words are known by the time they are heard."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from vivavoce.audio.audio_format import AudioFormat
from vivavoce.audio.formats import AudioEncoder
from vivavoce.audio.pacing import Pacer
from vivavoce.audio.pcm import BYTES_PER_SAMPLE, decode_pcm16, encode_pcm16
from vivavoce.session.speaking_rate import SpeakingRate
from vivavoce.types import Samples

AUDIBLE = 130
"""Of 32768 (-48 dB of full scale): what is softer is the pause after the words."""

_WORD = re.compile(r"\s*(?:[\u3040-\u30ff\u3400-\u9fff]|[^\s\u3040-\u30ff\u3400-\u9fff]+)\s*")
"""A word with the space around it; each Chinese or Japanese character is a word of its own."""


@dataclass(slots=True)
class SpokenClause:
    """A clause and its samples ``start`` … ``end`` within the reply's audio; ``start`` is ``None`` until it is spoken.

    ``voiced_until`` is where its words end and its pause begins; ``whole`` says that no more audio of it will come. ``grows``:
    its words come in pieces, ahead of its audio.
    """

    text: str
    start: int | None = None
    end: int = 0
    voiced_until: int = 0
    whole: bool = False
    grows: bool = False


@dataclass(frozen=True, slots=True)
class Unplayed:
    """What of a reply was not heard: clauses with their audio (PCM16 at the synthesizer's rate), and text without any yet."""

    clauses: list[tuple[str, bytes]] = field(default_factory=list)
    text: str = ""

    @property
    def is_nothing(self) -> bool:
        """Whether all of it was heard."""
        return not self.clauses and not self.text


class Playback:
    """Clauses and their audio, kept as PCM16 at the synthesizer's rate. ``now`` is in seconds, positions in samples.

    ``stopped`` says that the client plays no more of it, whatever was sent; ``paused`` that what was not heard may follow yet.
    """

    def __init__(self, pacer: Pacer, format: AudioFormat, rate: SpeakingRate | None = None) -> None:
        """``rate`` tells how long words take whose audio is not all there yet."""
        self._pacer = pacer
        self._rate = rate or SpeakingRate()
        self._encoder = AudioEncoder(format, pacer.rate_hz)
        self._clauses: list[SpokenClause] = []
        self._pcm = bytearray()
        self._made = 0
        self._delivered = 0
        self.silenced = False
        self.stopped = False
        self.paused = False

    @property
    def duration_ms(self) -> int:
        """All audio so far, sent or waiting."""
        return self._to_ms(self._made)

    @property
    def sent_ms(self) -> int:
        """Audio that has left."""
        return self._to_ms(self._pacer.sent)

    @property
    def delivered_ms(self) -> int:
        """Audio the client was given, whether or not it played it."""
        return self._to_ms(self._delivered)

    @property
    def queued_ms(self) -> int:
        """Audio waiting to be sent."""
        return self._to_ms(self._made - self._pacer.sent)

    @property
    def all_sent(self) -> bool:
        """Whether all audio made so far has left."""
        return self._pacer.sent >= self._made

    @property
    def text(self) -> str:
        """The words of all clauses."""
        return "".join(clause.text for clause in self._clauses)

    # ---- in

    def add_clause(self, text: str) -> None:
        """The next clause of the reply, on its way to the synthesizer."""
        self._clauses.append(SpokenClause(text))

    def write_clause(self, index: int, text: str) -> None:
        """Clause ``index``, the next one, or more words of one there is."""
        if index < len(self._clauses):
            self._clauses[index].text += text
            self._clauses[index].grows = True
        else:
            self.add_clause(text)

    def push(self, index: int, samples: Samples) -> None:
        """Audio of clause ``index``: ``float32[n]``; clauses are spoken in order."""
        self.push_pcm(index, encode_pcm16(samples))

    def push_pcm(self, index: int, pcm: bytes) -> None:
        """Audio of clause ``index`` as it is kept here."""
        if self.silenced:
            return
        clause = self._clauses[index]
        if clause.start is None:
            clause.start = self._made
        self._pcm += pcm
        audible = np.flatnonzero(np.abs(np.frombuffer(pcm, "<i2").astype(np.int32)) > AUDIBLE)
        if len(audible):
            clause.voiced_until = self._made + int(audible[-1]) + 1
        self._made += len(pcm) // BYTES_PER_SAMPLE
        clause.end = self._made

    def clause_done(self, index: int) -> None:
        """Clause ``index`` has all its audio, if any."""
        clause = self._clauses[index]
        clause.whole = True
        if clause.grows and clause.start is not None:
            self._rate.heard(clause.text, self._to_ms(clause.voiced_until - clause.start))

    # ---- out

    def release(self, now: float) -> list[bytes]:
        """The pieces that may leave now, in the client's format."""
        pieces = [self._encoded(start, end) for start, end in self._pacer.release(self._made, now)]
        self._delivered = max(self._delivered, self._pacer.sent)
        return [piece for piece in pieces if piece]

    def tail(self) -> bytes:
        """What the encoder still holds back, when all audio has left."""
        return self._encoder.flush()

    def next_release(self, now: float) -> float | None:
        """When more may leave, or ``None`` if nothing waits."""
        return self._pacer.next_release(self._made, now)

    def silence(self, now: float) -> None:
        """Forget the audio that has not been heard, and all that is still to come. Clauses keep their length."""
        self._made = self._pacer.stop(now)
        self.silenced = True
        self.forget_audio()

    def forget_audio(self) -> None:
        """Free the samples; positions and words stay."""
        self._pcm.clear()

    # ---- what was heard

    def played_ms(self, now: float) -> int:
        """The position that can have been heard."""
        return self._to_ms(self._pacer.played(now))

    def played_at(self) -> float:
        """When all that was sent will have been heard (seconds)."""
        return self._pacer.played_at()

    def words_until(self, audio_end_ms: int) -> str:
        """The words of the first ``audio_end_ms`` milliseconds; a word counts once most of it has been heard."""
        index, count = self._reached(self._to_samples(audio_end_ms))
        words = [clause.text for clause in self._clauses[:index]]
        if index < len(self._clauses):
            words.append(self._clauses[index].text[:count])
        return "".join(words).rstrip()

    def words_sent(self) -> str:
        """The words of the audio that has left."""
        return self.words_until(self.sent_ms)

    def unplayed_from(self, audio_end_ms: int) -> Unplayed:
        """What follows the first ``audio_end_ms`` milliseconds, so that a reply can go on there.

        Audio is kept of clauses that have all of theirs; from the first one that has not, only the text.
        """
        position = self._to_samples(audio_end_ms)
        first, count = self._reached(position)
        kept: list[tuple[str, bytes]] = []
        for index, clause in enumerate(self._clauses[first:], first):
            text = clause.text[count if index == first else 0 :]
            if not clause.whole:
                rest = "".join(later.text for later in self._clauses[index + 1 :])
                return Unplayed(kept, text + rest)
            pcm = b"" if clause.start is None else self._slice(max(clause.start, position), clause.end)
            kept.append((text, pcm))
        return Unplayed(kept)

    # ---- inside

    def _reached(self, position: int) -> tuple[int, int]:
        """The first clause that has not been heard to its end, and how many of its characters have been.

        A clause without audio, because there is nothing to speak in it or it is not spoken yet, counts with what follows.
        """
        reached = (0, 0)
        for index, clause in enumerate(self._clauses):
            if clause.start is None:
                continue
            if clause.start >= position:
                break
            if clause.end > position:
                return index, _played_characters(clause, position, self._spoken_until(clause))
            reached = (index + 1, 0) if clause.whole else (index, len(clause.text))
        return reached

    def _spoken_until(self, clause: SpokenClause) -> int:
        """Where the words end that a clause has by now; where their audio is still to come, about there."""
        if clause.whole or not clause.grows or clause.start is None:
            return clause.voiced_until
        return max(clause.voiced_until, clause.start + self._to_samples(round(self._rate.ms_of(clause.text))))

    def _encoded(self, start: int, end: int) -> bytes:
        return self._encoder.push(decode_pcm16(self._slice(start, end)))

    def _slice(self, start: int, end: int) -> bytes:
        return bytes(self._pcm[start * BYTES_PER_SAMPLE : end * BYTES_PER_SAMPLE])

    def _to_ms(self, samples: int) -> int:
        return samples * 1000 // self._pacer.rate_hz

    def _to_samples(self, milliseconds: int) -> int:
        return milliseconds * self._pacer.rate_hz // 1000


def _played_characters(clause: SpokenClause, position: int, until: int) -> int:
    """How many characters of ``clause``, whose words end at ``until``, belong to words whose middle lies before ``position``.

    Speech runs about evenly over the characters of a clause; the pause after it has none.
    """
    start = clause.start or 0
    reached = (position - start) / (until - start) * len(clause.text) if until > start else 0.0
    end = 0
    for word in _WORD.finditer(clause.text):
        if (word.start() + word.end()) / 2 > reached:
            break
        end = word.end()
    return end
