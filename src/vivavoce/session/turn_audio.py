"""How the user's newest items sound, kept for a model that hears."""

from __future__ import annotations

from collections.abc import Iterable

from vivavoce.audio.pcm import encode_pcm16
from vivavoce.protocol.items import Item
from vivavoce.sound import MOST_HEARD_S, MessageAudio
from vivavoce.types import Samples


class TurnAudio:
    """Keeps the sound of the newest ``turns`` items that were spoken; with 0 of none. ``rate_hz`` is that of the samples."""

    def __init__(self, turns: int = 0, rate_hz: int = 16_000) -> None:
        self._turns = turns
        self._rate_hz = rate_hz
        self._clips: dict[str, tuple[bytes, ...]] = {}

    def __bool__(self) -> bool:
        return self._turns > 0

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._clips

    def keep(self, item_id: str, parts: Iterable[Samples]) -> None:
        """This is how the item sounds, in place of what was known of it: ``float32[n]`` each."""
        self._clips.pop(item_id, None)
        parts = [part for part in parts if len(part)]
        if not parts or not self or sum(map(len, parts)) > MOST_HEARD_S * self._rate_hz:
            return
        self._clips[item_id] = tuple(map(encode_pcm16, parts))
        while len(self._clips) > self._turns or sum(map(self._seconds, self._clips)) > MOST_HEARD_S:
            del self._clips[next(iter(self._clips))]

    def forget(self, item_id: str) -> None:
        """The item is gone."""
        self._clips.pop(item_id, None)

    def of(self, item: Item) -> MessageAudio | None:
        """How it sounds, and what of it was written; ``None``: it is to be read."""
        clips = self._clips.get(item.id)
        if clips is None:
            return None
        text = " ".join(part.words for part in item.parts if part.type != "input_audio" and part.words)
        return MessageAudio(clips, self._rate_hz, text)

    def _seconds(self, item_id: str) -> float:
        return MessageAudio(self._clips[item_id], self._rate_hz).seconds
