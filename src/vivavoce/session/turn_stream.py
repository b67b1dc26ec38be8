"""The user's audio for an engine that hears for itself: handed on while it is spoken."""

from __future__ import annotations

from collections.abc import Mapping

from vivavoce.audio.input_buffer import InputBuffer
from vivavoce.protocol.session_config import SessionConfig
from vivavoce.session.outbox import Outbox
from vivavoce.session.outputs import EndTurnAudio, HearItem, HearTurn
from vivavoce.types import Samples


class TurnStream:
    """Hands each sample of a turn on once. Positions are samples of ``buffer``.

    Nobody gets anything where it is not ``wanted``, and in sessions that are only transcribed.
    """

    def __init__(self, outbox: Outbox, buffer: InputBuffer, *, wanted: bool) -> None:
        self.buffer = buffer
        self._outbox = outbox
        self._wanted = wanted
        self._item_id: str | None = None
        self._start = self._until = 0

    def follow(self, item_id: str, start: int, until: int, config: SessionConfig) -> None:
        """The turn, which began at ``start``, has come as far as ``until``.

        One that turns out to have begun elsewhere is handed on anew.
        """
        if not self._wanted or config.kind == "transcription":
            return
        if (item_id, start) != (self._item_id, self._start):
            if item_id == self._item_id:
                self._outbox.command(EndTurnAudio(item_id, "dropped"))
            self._item_id, self._start, self._until = item_id, start, start
        if until > self._until:
            self._outbox.command(HearTurn(item_id, self.buffer.slice(self._until, until)))
            self._until = until

    def end(self, item_id: str, start: int, end: int, config: SessionConfig) -> None:
        """The turn is committed: it ended at ``end``."""
        if self._wanted and config.kind == "realtime":
            if self._until > end and item_id == self._item_id:
                self._start = -1  # more was handed on than belongs to it
            self.follow(item_id, start, end, config)
            self._outbox.command(EndTurnAudio(item_id, "ended"))
            self._item_id = None

    def drop(self, item_id: str) -> None:
        """The turn is void."""
        if self._wanted and item_id == self._item_id:
            self._outbox.command(EndTurnAudio(item_id, "dropped"))
            self._item_id = None

    def of_item(self, item_id: str, audio: Mapping[int, Samples], config: SessionConfig) -> None:
        """The audio parts of an item the client has created."""
        if self._wanted and config.kind == "realtime":
            for samples in audio.values():
                self._outbox.command(HearItem(item_id, samples))
