"""The user's audio on its way to the other side, kept until it has been answered: a lost connection loses none of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from vivavoce.audio.pcm import encode_pcm16
from vivavoce.audio.resample import Resampler
from vivavoce.hosted import HistoryEntry
from vivavoce.types import Samples

RATE_HZ = 24_000

MAX_ITEM_BYTES = 150 * RATE_HZ * 2
"""Of an item with sound, which is one event: 10 MB of the 15 the platforms take. A longer one is told in words."""

MAX_BYTES = 64 * 1024 * 1024
"""Of one conversation: twenty minutes. The oldest that is complete goes."""


class TurnAudio:
    """The audio of one turn, or of an item, as PCM16 at 24 kHz. ``sent`` bytes are in the other side's input buffer."""

    def __init__(self, hearing_hz: int, *, item: bool) -> None:
        self.pcm = bytearray()
        self.item = item
        self.whole = False
        self.sent = 0
        self._resampler = Resampler(hearing_hz, RATE_HZ)

    def add(self, samples: Samples) -> None:
        """More of it."""
        self.pcm += encode_pcm16(self._resampler.push(samples))

    def end(self) -> None:
        """It is all there."""
        self.pcm += encode_pcm16(self._resampler.flush())
        self.whole = True


class AudioStore:
    """The audio of the turns that have not been answered yet, by item id, in order."""

    def __init__(self, hearing_hz: int) -> None:
        self._hearing_hz = hearing_hz
        self._turns: dict[str, TurnAudio] = {}

    def add(self, item_id: str, samples: Samples, *, item: bool = False) -> None:
        """More of a turn, or of an item that is none."""
        if item_id not in self._turns:
            self._turns[item_id] = TurnAudio(self._hearing_hz, item=item)
        self._turns[item_id].add(samples)
        while sum(len(turn.pcm) for turn in self._turns.values()) > MAX_BYTES and len(self._turns) > 1:
            self._turns.pop(next(iter(self._turns)))

    def end(self, item_id: str) -> None:
        """All of it is there."""
        if item_id in self._turns:
            self._turns[item_id].end()

    def drop(self, item_id: str) -> None:
        """It is void."""
        self._turns.pop(item_id, None)

    def get(self, item_id: str) -> TurnAudio | None:
        """One of them."""
        return self._turns.get(item_id)

    def to_stream(self) -> Iterator[tuple[str, TurnAudio]]:
        """The turns that go through the other side's input buffer."""
        return ((item_id, turn) for item_id, turn in tuple(self._turns.items()) if not turn.item)

    def on_new_line(self) -> None:
        """There is another connection, whose input buffer is empty; what is whole becomes an item of it."""
        for turn in self._turns.values():
            turn.sent = 0
            turn.item = turn.item or turn.whole

    def items(self) -> Mapping[str, bytes]:
        """What is told as an item with its sound."""
        fits = ((item_id, turn.pcm) for item_id, turn in self._turns.items() if turn.item)
        return {item_id: bytes(pcm) for item_id, pcm in fits if len(pcm) <= MAX_ITEM_BYTES}

    def answered(self, history: Sequence[HistoryEntry]) -> None:
        """The other side has answered ``history``: what was said up to its end need not be kept."""
        there = {entry.key for entry in history}
        newest = max((at for at, item_id in enumerate(self._turns) if item_id in there), default=-1)
        for item_id in list(self._turns)[: newest + 1]:
            if self._turns[item_id].whole or self._turns[item_id].item:
                del self._turns[item_id]
