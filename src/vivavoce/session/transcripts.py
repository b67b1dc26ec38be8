"""Transcripts to come, and what becomes of an item when its transcript is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

import msgspec

from vivavoce.protocol import server_events as ev
from vivavoce.session.conversation import Conversation
from vivavoce.session.inputs import Recognised, RecognitionFailed
from vivavoce.session.outbox import Outbox
from vivavoce.session.partial_transcription import NOTHING_STABLE, StablePrefix, extension
from vivavoce.session.turn import Turn, TurnEvent
from vivavoce.text.inverse import inverse_normalized
from vivavoce.text.scripts import joined
from vivavoce.types import Language, Transcript


class _Ids(TypedDict):
    item_id: str
    content_index: int


@dataclass(slots=True)
class PendingTranscript:
    """A transcript to come: of which turn and part, of how much audio, and what of it the client was told already.

    ``requested`` tells whether the client's configuration asks for transcription events, ``itn`` whether it wants numbers and
    codes as they are typed once all is read; ``stable_prefix`` is what comes before the audio that is being read,
    ``partial_text`` the words the recogniser has yielded of that already; ``start_ms`` is where the audio begins.
    """

    turn: Turn
    content_index: int
    duration_s: float
    requested: bool
    itn: bool = False
    start_ms: int = 0
    sent_text: str = ""
    stable_prefix: StablePrefix = NOTHING_STABLE
    partial_text: str = ""

    @property
    def end_ms(self) -> int:
        """Where the audio ends."""
        return self.start_ms + round(self.duration_s * 1000)


class Transcripts:
    """What the recogniser still owes, by item and part; and in which language each item was spoken."""

    def __init__(self, outbox: Outbox, conversation: Conversation) -> None:
        self._outbox = outbox
        self._conversation = conversation
        self._pending: dict[tuple[str, int], PendingTranscript] = {}
        self.language: Language = "en"
        self.languages: dict[str, Language] = {}

    def __bool__(self) -> bool:
        return bool(self._pending)

    @property
    def of_turns(self) -> bool:
        """Whether one of them is that of a turn, and not of audio in an item."""
        return bool(self._pending) and any(pending.turn.spoken for pending in self._pending.values())

    def add_pending(self, pending: PendingTranscript) -> None:
        """A transcript is on its way."""
        self._pending[pending.turn.item_id, pending.content_index] = pending
        self._conversation.add_input_audio(pending.turn.item_id, round(pending.duration_s * 1000))

    def is_whole(self, item_id: str) -> None:
        """What comes for this turn has the words of the stable prefix in it. Nothing comes for one that is gone."""
        if (item_id, 0) in self._pending:
            self._pending[item_id, 0].stable_prefix = NOTHING_STABLE

    def ended_by(self, result: Recognised) -> tuple[Turn, Transcript] | None:
        """The turn a transcript completes, and all that was said in it; ``None`` if there is more to come, or nobody waits."""
        pending = self._pending.get((result.item_id, result.content_index))
        if pending is None or not isinstance(result.event, Transcript):
            return None
        return pending.turn, pending.stable_prefix.followed_by(result.event)

    def recognised(self, result: Recognised, now: float, *, ignored: bool = False) -> Turn | None:
        """Take in a transcript; returns the turn it ends, or ``None`` if there is more to come.

        An utterance without words, or whose words are ``ignored``, leaves no item behind when the detector, not the client,
        committed it.
        """
        key = (result.item_id, result.content_index)
        pending = self._pending.get(key)
        if pending is None:
            return None
        if not isinstance(result.event, Transcript):
            pending.partial_text += result.event.text
            self._send_delta(
                pending, result, extension(pending.sent_text, joined(pending.stable_prefix.text, pending.partial_text))
            )
            return None
        del self._pending[key]
        turn, text = pending.turn, joined(pending.stable_prefix.text, result.event.text)
        turn.marks.note("transcript", now)
        turn.happened(TurnEvent.WORDS if text and not ignored else TurnEvent.NO_WORDS)
        if text and not ignored:
            self.language = self.languages[result.item_id] = result.event.language
        shown = inverse_normalized(text, result.event.language) if pending.itn else text
        self._set(result, shown)
        if result.item_id in self._conversation:
            self._send_delta(pending, result, extension(pending.sent_text, text))
            self._outbox.send(
                ev.TranscriptionCompleted(
                    **_ids(result), transcript=shown, duration_s=pending.duration_s, requested=pending.requested
                )
            )
            if turn.automatic and (ignored or not text):
                self._conversation.delete(result.item_id)
        return turn

    def failed(self, result: RecognitionFailed) -> Turn | None:
        """The recogniser failed: tell the client; the item stays, without words."""
        pending = self._pending.pop((result.item_id, result.content_index), None)
        if pending is None:
            return None
        pending.turn.happened(TurnEvent.RECOGNITION_FAILED)
        if result.item_id not in self._conversation:
            return pending.turn
        body = ev.ErrorBody(type="server_error", code="transcription_failed", message=result.message)
        self._outbox.send(ev.TranscriptionFailed(**_ids(result), error=body, requested=pending.requested))
        return pending.turn

    def forget(self, item_id: str) -> None:
        """The item is gone: nobody waits for what was said in it."""
        self.languages.pop(item_id, None)
        for key in [key for key in self._pending if key[0] == item_id]:
            self._pending.pop(key).turn.happened(TurnEvent.DELETED)

    def _send_delta(self, pending: PendingTranscript, result: Recognised, delta: str) -> None:
        if delta and result.item_id in self._conversation:
            pending.sent_text += delta
            self._outbox.send(
                ev.TranscriptionDelta(
                    **_ids(result),
                    delta=delta,
                    text=pending.sent_text,
                    start_ms=pending.start_ms,
                    end_ms=pending.end_ms,
                    requested=pending.requested,
                )
            )

    def _set(self, result: Recognised, text: str) -> None:
        item = self._conversation.find(result.item_id)
        if item is None:
            return
        parts = list(item.parts)
        parts[result.content_index] = msgspec.structs.replace(parts[result.content_index], transcript=text)
        self._conversation.replace(msgspec.structs.replace(item, content=tuple(parts)))


def _ids(result: Recognised | RecognitionFailed) -> _Ids:
    return {"item_id": result.item_id, "content_index": result.content_index}
