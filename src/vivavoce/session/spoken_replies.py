"""The replies the client may still be playing, or may say how much of it has played."""

from __future__ import annotations

from collections import OrderedDict

import msgspec

from vivavoce.protocol import server_events as ev
from vivavoce.protocol.items import Item, Part
from vivavoce.session.conversation import Conversation
from vivavoce.session.outbox import Outbox
from vivavoce.session.outputs import CutReply
from vivavoce.session.playback import Playback
from vivavoce.session.response import Response

REMEMBERED_REPLIES = 64
"""How many spoken replies can still be truncated by the client."""


class SpokenReplies:
    """Playbacks by item id. Words and positions stay for a while, audio only of the newest and of a paused one."""

    def __init__(self, outbox: Outbox, conversation: Conversation) -> None:
        self._outbox = outbox
        self._conversation = conversation
        self._playbacks: OrderedDict[str, Playback] = OrderedDict()

    def get(self, item_id: str) -> Playback | None:
        """The playback of an item that was spoken and is remembered."""
        return self._playbacks.get(item_id)

    def remember(self, response: Response) -> None:
        """A response has ended."""
        if response.playback is None or response.message_id is None:
            return
        for playback in self._playbacks.values():
            if not playback.paused:
                playback.forget_audio()
        if response.message_id in self._conversation:
            self._playbacks[response.message_id] = response.playback
        while len(self._playbacks) > REMEMBERED_REPLIES:
            self._playbacks.popitem(last=False)

    def forget(self, item_id: str) -> None:
        """The item is gone."""
        self._playbacks.pop(item_id, None)

    def truncate(self, item: Item, audio_end_ms: int) -> None:
        """Keep of a spoken item only the words of its first ``audio_end_ms`` milliseconds, and say so.

        An end beyond what was sent means all of that: clients often count a little more than they got.
        """
        playback = self._playbacks[item.id]
        playback.stopped = True
        audio_end_ms = min(audio_end_ms, playback.sent_ms)
        if (response_id := self._conversation.response_of(item.id)) is not None:
            self._outbox.command(CutReply(response_id, audio_end_ms))
        words = playback.words_until(audio_end_ms)
        parts = tuple(Part(type="audio", transcript=words) if part.type == "audio" else part for part in item.parts)
        self._conversation.replace(msgspec.structs.replace(item, content=parts))
        index = audio_index(item)
        self._outbox.send(
            ev.ItemTruncated(item_id=item.id, content_index=index, audio_end_ms=audio_end_ms, thoughts_before=index)
        )


def audio_index(item: Item) -> int:
    """Which part of a spoken item is the audio, or would be; thoughts may come before it."""
    return next((index for index, part in enumerate(item.parts) if part.type == "audio"), len(item.parts))
