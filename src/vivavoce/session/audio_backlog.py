"""Audio whose transcripts are still to come: every second of it is in memory until the recogniser has read it."""

from __future__ import annotations

from collections import defaultdict

from vivavoce.errors import ClientError
from vivavoce.session.inputs import Recognised, RecognitionFailed
from vivavoce.session.outputs import Transcribe
from vivavoce.types import Transcript

MIN_S = 1200.0
"""So much may wait at least: more than any recording of the usual formats that one event can bring."""


class AudioBacklog:
    """Seconds the recogniser owes: with what is not committed yet at most twice ``buffer_s``, and ``MIN_S`` in any case."""

    def __init__(self, rate_hz: int, buffer_s: float) -> None:
        self._rate_hz = rate_hz
        self._limit_s = max(2 * buffer_s, MIN_S)
        self._owed: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
        self.seconds = 0.0

    def require(self, more_s: float, param: str) -> None:
        """Raises ``ClientError`` (``audio_backlog_full``) when there is no room for so much more audio."""
        if self.seconds + more_s > self._limit_s:
            raise ClientError(
                f"{self.seconds:.1f} s of audio wait for their transcripts, of at most {self._limit_s:g} s. "
                "Send more when they are there.",
                code="audio_backlog_full",
                param=param,
            )

    def begun(self, work: Transcribe) -> None:
        """This is being read, or waits for it."""
        duration_s = len(work.samples) / self._rate_hz
        self._owed[work.item_id, work.content_index].append(duration_s)
        self.seconds += duration_s

    def ended(self, result: Recognised | RecognitionFailed) -> None:
        """What has been read, or cannot be, waits no more; whether anybody still wants it, or not."""
        key = result.item_id, result.content_index
        over = isinstance(result, RecognitionFailed) or isinstance(result.event, Transcript)
        if over and key in self._owed:
            self.seconds -= self._owed[key].pop(0)
            if not self._owed[key]:
                del self._owed[key]
        if not self._owed:
            self.seconds = 0.0
