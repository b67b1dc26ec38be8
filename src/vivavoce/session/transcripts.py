"""Transcripts to come, and what becomes of an item when its transcript is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

import msgspec

from vivavoce.protocol import server_events as ev
from vivavoce.scripts import joined
from vivavoce.session.conversation import Conversation
from vivavoce.session.outbox import Outbox
from vivavoce.session.overhearing import extension
from vivavoce.session.signals import Recognised, RecognitionFailed
from vivavoce.session.turn import Turn, TurnEvent
from vivavoce.types import Language, Transcript


class _Ids(TypedDict):
    item_id: str
    content_index: int


@dataclass(slots=True)
class Expected:
    """A transcript to come: of which turn and part, of how much audio, and what of it the client was told already.

    ``requested`` tells whether the client's configuration asks for transcription events; ``settled`` are the words before
    the audio that is being read, ``coming`` those of it that the recogniser has yielded already; ``start_ms`` is where the
    audio begins.
    """

    turn: Turn
    content_index: int
    duration_s: float
    requested: bool
    start_ms: int = 0
    told: str = ""
    settled: str = ""
    coming: str = ""

    @property
    def end_ms(self) -> int:
        """Where the audio ends."""
        return self.start_ms + round(self.duration_s * 1000)


class Transcripts:
    """What the recogniser still owes, by item and part; and in which language each item was spoken."""

    def __init__(self, outbox: Outbox, conversation: Conversation) -> None:
        self._outbox = outbox
        self._conversation = conversation
        self._expected: dict[tuple[str, int], Expected] = {}
        self.language: Language = "en"
        self.languages: dict[str, Language] = {}

    def __bool__(self) -> bool:
        return bool(self._expected)

    @property
    def of_turns(self) -> bool:
        """Whether one of them is that of a turn, and not of audio in an item."""
        return any(expected.turn.heard for expected in self._expected.values())

    def expect(self, expected: Expected) -> None:
        """A transcript is on its way."""
        self._expected[expected.turn.item_id, expected.content_index] = expected
        self._conversation.heard(expected.turn.item_id, round(expected.duration_s * 1000))

    def is_whole(self, item_id: str) -> None:
        """What comes for this turn has the settled words in it. Nothing comes for one that is gone."""
        if (item_id, 0) in self._expected:
            self._expected[item_id, 0].settled = ""

    def ended_by(self, signal: Recognised) -> tuple[Turn, Transcript] | None:
        """The turn a transcript completes, and all that was said in it; ``None`` if there is more to come, or nobody waits."""
        expected = self._expected.get((signal.item_id, signal.content_index))
        if expected is None or not isinstance(signal.event, Transcript):
            return None
        return expected.turn, Transcript(joined(expected.settled, signal.event.text), signal.event.language)

    def recognised(self, signal: Recognised, now: float, *, ignored: bool = False) -> Turn | None:
        """Take in a transcript; returns the turn it ends, or ``None`` if there is more to come.

        An utterance without words, or whose words are ``ignored``, leaves no item behind when the detector, not the client,
        committed it.
        """
        key = (signal.item_id, signal.content_index)
        expected = self._expected.get(key)
        if expected is None:
            return None
        if not isinstance(signal.event, Transcript):
            expected.coming += signal.event.text
            self._tell(expected, signal, extension(expected.told, joined(expected.settled, expected.coming)))
            return None
        del self._expected[key]
        turn, text = expected.turn, joined(expected.settled, signal.event.text)
        turn.marks.note("transcript", now)
        turn.happened(TurnEvent.WORDS if text and not ignored else TurnEvent.NO_WORDS)
        if text and not ignored:
            self.language = self.languages[signal.item_id] = signal.event.language
        self._set(signal, text)
        if signal.item_id in self._conversation:
            self._tell(expected, signal, extension(expected.told, text))
            self._outbox.send(
                ev.TranscriptionCompleted(
                    **_ids(signal), transcript=text, duration_s=expected.duration_s, requested=expected.requested
                )
            )
            if turn.automatic and (ignored or not text):
                self._conversation.delete(signal.item_id)
        return turn

    def failed(self, signal: RecognitionFailed) -> Turn | None:
        """The recogniser failed: tell the client; the item stays, without words."""
        expected = self._expected.pop((signal.item_id, signal.content_index), None)
        if expected is None:
            return None
        expected.turn.happened(TurnEvent.RECOGNITION_FAILED)
        if signal.item_id not in self._conversation:
            return expected.turn
        body = ev.ErrorBody(type="server_error", code="transcription_failed", message=signal.message)
        self._outbox.send(ev.TranscriptionFailed(**_ids(signal), error=body, requested=expected.requested))
        return expected.turn

    def forget(self, item_id: str) -> None:
        """The item is gone: nobody waits for what was said in it."""
        self.languages.pop(item_id, None)
        for key in [key for key in self._expected if key[0] == item_id]:
            self._expected.pop(key).turn.happened(TurnEvent.DELETED)

    def _tell(self, expected: Expected, signal: Recognised, delta: str) -> None:
        if delta and signal.item_id in self._conversation:
            expected.told += delta
            self._outbox.send(
                ev.TranscriptionDelta(
                    **_ids(signal),
                    delta=delta,
                    text=expected.told,
                    start_ms=expected.start_ms,
                    end_ms=expected.end_ms,
                    requested=expected.requested,
                )
            )

    def _set(self, signal: Recognised, text: str) -> None:
        item = self._conversation.find(signal.item_id)
        if item is None:
            return
        parts = list(item.parts)
        parts[signal.content_index] = msgspec.structs.replace(parts[signal.content_index], transcript=text)
        self._conversation.replace(msgspec.structs.replace(item, content=tuple(parts)))


def _ids(signal: Recognised | RecognitionFailed) -> _Ids:
    return {"item_id": signal.item_id, "content_index": signal.content_index}
