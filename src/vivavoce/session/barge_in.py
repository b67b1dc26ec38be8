"""Barge-in: the user speaks into a reply, and it turns out what they meant.

The reply is paused at once. Words that count stop it for good; when it is decided that there were none it goes on from where
it was cut. Nothing is decided while voice activity is heard, while a transcript is on its way, or because there was no
reading yet. Everything that moves a barge-in from one state to another is in this file's table.
"""

from __future__ import annotations

from enum import Enum

from vivavoce.protocol.session_config import Interruption, SessionConfig
from vivavoce.session.hearing import Hearing
from vivavoce.session.reply import PausedReply
from vivavoce.session.replying import Replying
from vivavoce.turns.backchannel import InterruptionPolicy
from vivavoce.types import Transcript


class BargeInState(Enum):
    """Where it is: no reply is paused; the user speaks, or their words are awaited; nobody could tell what was said."""

    NONE = "none"
    LISTENING = "listening"
    UNDECIDED = "undecided"


class BargeInEvent(Enum):
    """What can happen."""

    SPEECH_STARTED = "speech_started"
    WORDS = "words"
    NO_WORDS = "no_words"
    RECOGNITION_FAILED = "recognition_failed"
    TIMEOUT = "timeout"
    WITHDRAWN = "withdrawn"


BARGE_IN_TABLE: dict[tuple[BargeInState, BargeInEvent], BargeInState] = {
    (BargeInState.NONE, BargeInEvent.SPEECH_STARTED): BargeInState.LISTENING,
    (BargeInState.LISTENING, BargeInEvent.SPEECH_STARTED): BargeInState.LISTENING,
    (BargeInState.LISTENING, BargeInEvent.WORDS): BargeInState.NONE,
    (BargeInState.LISTENING, BargeInEvent.NO_WORDS): BargeInState.NONE,
    (BargeInState.LISTENING, BargeInEvent.RECOGNITION_FAILED): BargeInState.UNDECIDED,
    (BargeInState.LISTENING, BargeInEvent.WITHDRAWN): BargeInState.NONE,
    (BargeInState.UNDECIDED, BargeInEvent.SPEECH_STARTED): BargeInState.LISTENING,
    (BargeInState.UNDECIDED, BargeInEvent.WORDS): BargeInState.NONE,
    (BargeInState.UNDECIDED, BargeInEvent.RECOGNITION_FAILED): BargeInState.UNDECIDED,
    (BargeInState.UNDECIDED, BargeInEvent.TIMEOUT): BargeInState.NONE,
    (BargeInState.UNDECIDED, BargeInEvent.WITHDRAWN): BargeInState.NONE,
}
"""``NO_WORDS`` and ``TIMEOUT`` let the reply go on, ``WORDS`` and ``WITHDRAWN`` end it. Any pair not here is a bug."""


class BargeIn:
    """Owns the reply that is paused, if one is.

    ``policy`` is the server's, which a client's own settings change. ``wait_ms`` is for how long the voice must have been
    silent before the reply goes on where the turn is not over, or where nobody could tell what was said.
    """

    def __init__(self, hearing: Hearing, replying: Replying, *, policy: InterruptionPolicy, wait_ms: int) -> None:
        self._hearing = hearing
        self._replying = replying
        self._policy = policy
        self._wait_s = wait_ms / 1000
        self._state = BargeInState.NONE
        self._paused: PausedReply | None = None
        self._voice_until = 0.0

    @property
    def paused(self) -> bool:
        """Whether a reply is paused."""
        return self._paused is not None

    def is_into(self, response_id: str) -> bool:
        """Whether this is the response that was cut."""
        return self._paused is not None and self._paused.response.id == response_id

    # ---- what is heard

    def speech_started(self, now: float) -> None:
        """The user speaks: pause what they hear. What is paused already stays so."""
        self._paused = self._replying.pause(now) or self._paused
        if self._paused is not None:
            self._happened(BargeInEvent.SPEECH_STARTED)

    def voice_heard(self, now: float) -> None:
        """There was voice activity until ``now`` (seconds)."""
        self._voice_until = now

    def counts(self, said: Transcript, speech_ms: int, given: Interruption | None, now: float) -> bool:
        """Whether words of the user's are a turn, and not only a sign of listening to the reply they were said into.

        ``speech_ms`` is how long they speak; ``given`` is the client's policy. Said after a question, or when there is
        nothing left to hear, a "yes" is an answer.
        """
        if not said.text:
            return False
        if self._paused is not None:
            answer = self._paused.all_heard or self._paused.reply.has_just_asked(self._paused.position_ms)
        elif self._replying.being_heard(now):
            answer = self._replying.has_just_asked(now)
        else:
            return True
        return answer or self._policy.patched(given).interrupts(said.text, said.language, speech_ms)

    def words(self) -> None:
        """The user has said something that counts: what was cut stays cut."""
        self._end(BargeInEvent.WORDS)

    def recognition_failed(self) -> None:
        """Nobody can tell what was said."""
        if self._paused is not None:
            self._happened(BargeInEvent.RECOGNITION_FAILED)

    # ---- what becomes of the reply

    def due_at(self) -> float | None:
        """When something is to be done because the voice has been silent for so long (seconds); ``None`` if nothing is.

        While the turn goes on, that needs a reading of all of the voice: if there were words in it, nothing would be paused.
        """
        if self._paused is None:
            return None
        waited_for = self._hearing.all_read if self._hearing.speaking else self._state is BargeInState.UNDECIDED
        return self._voice_until + self._wait_s if waited_for else None

    def decided(self, now: float) -> PausedReply | None:
        """The reply that goes on now, all turns being over. It is no longer paused."""
        if self._state is BargeInState.LISTENING:
            return self._end(BargeInEvent.NO_WORDS)
        due_at = self.due_at()
        return self._end(BargeInEvent.TIMEOUT) if due_at is not None and now >= due_at else None

    def withdraw(self) -> bool:
        """The reply will not go on, whatever was said: the client said so, or another one takes its place. Whether one was
        paused."""
        return self._end(BargeInEvent.WITHDRAWN) is not None

    def truncated(self, item_id: str, audio_end_ms: int) -> None:
        """The client has told how much of an item was heard."""
        if self._paused is not None and self._paused.response.message_id == item_id:
            self._paused.position_ms = min(audio_end_ms, self._paused.playback.sent_ms)

    def forget(self, item_id: str) -> None:
        """An item is gone, and with it what is still to be said of it."""
        if self._paused is not None and self._paused.response.message_id == item_id:
            self.withdraw()

    def reconfigured(self, old: SessionConfig, new: SessionConfig) -> None:
        """The session has changed: so does what is still to be said."""
        if self._paused is None:
            return
        if new.speaks and new.kind == "realtime" and new.turn_detection is not None:
            self._paused.reconfigured(old, new)
        else:
            self.withdraw()

    # ---- inside

    def _happened(self, event: BargeInEvent) -> None:
        self._state = BARGE_IN_TABLE[self._state, event]

    def _end(self, event: BargeInEvent) -> PausedReply | None:
        paused, self._paused = self._paused, None
        if paused is not None:
            self._happened(event)
            paused.playback.paused = False
        return paused
