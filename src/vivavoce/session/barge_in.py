"""Barge-in: the user speaks into a reply, and it turns out what they meant.

The reply is paused at once. The words of a turn stop it for good; when it is decided that there were none it goes on from where
it was cut. Nothing is decided while voice activity is heard, while a transcript is on its way, or because there was no partial
transcript yet. Everything that moves a barge-in from one state to another, and what becomes of the paused reply then, is in
this file's table.
"""

from __future__ import annotations

from enum import Enum

from vivavoce.protocol.session_config import Interruption, SessionConfig
from vivavoce.session.input_turn import InputTurn
from vivavoce.session.reply import PausedReply
from vivavoce.session.response_controller import ResponseController
from vivavoce.turns.backchannel import InterruptionPolicy
from vivavoce.types import Transcript


class BargeInState(Enum):
    """Where it is: no reply is paused; the user speaks, or their words are awaited; nobody could tell what was said."""

    NONE = "none"
    LISTENING = "listening"
    UNDECIDED = "undecided"


class BargeInEvent(Enum):
    """What can happen.

    ``SPEECH_STARTED``: the user speaks while there is a reply to pause, or one is paused. ``WORDS``: they have said words
    that are a turn. ``NO_WORDS``: all turns are over, with nothing in them but noise and backchannels. ``RECOGNITION_FAILED``:
    nobody can tell what was said. ``TIMEOUT``: the voice has been silent for long enough. ``CANCELLED``: the client wants
    no more of the reply, or has forgotten its audio. ``NEW_RESPONSE``: another response of the conversation begins.
    ``DELETED``: the client has deleted the reply's item. ``RECONFIGURED``: the session cannot go on with it any more.
    """

    SPEECH_STARTED = "speech_started"
    WORDS = "words"
    NO_WORDS = "no_words"
    RECOGNITION_FAILED = "recognition_failed"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    NEW_RESPONSE = "new_response"
    DELETED = "deleted"
    RECONFIGURED = "reconfigured"


class PausedReplyAction(Enum):
    """What becomes of the paused reply: it stays paused (or there is none), goes on where it was cut, or is dropped."""

    KEEP = "keep"
    RESUME = "resume"
    DROP = "drop"


BARGE_IN_TABLE: dict[tuple[BargeInState, BargeInEvent], tuple[BargeInState, PausedReplyAction]] = {
    (BargeInState.NONE, BargeInEvent.SPEECH_STARTED): (BargeInState.LISTENING, PausedReplyAction.KEEP),
    (BargeInState.NONE, BargeInEvent.WORDS): (BargeInState.NONE, PausedReplyAction.KEEP),
    (BargeInState.NONE, BargeInEvent.RECOGNITION_FAILED): (BargeInState.NONE, PausedReplyAction.KEEP),
    (BargeInState.NONE, BargeInEvent.CANCELLED): (BargeInState.NONE, PausedReplyAction.KEEP),
    (BargeInState.NONE, BargeInEvent.NEW_RESPONSE): (BargeInState.NONE, PausedReplyAction.KEEP),
    (BargeInState.LISTENING, BargeInEvent.SPEECH_STARTED): (BargeInState.LISTENING, PausedReplyAction.KEEP),
    (BargeInState.LISTENING, BargeInEvent.WORDS): (BargeInState.NONE, PausedReplyAction.DROP),
    (BargeInState.LISTENING, BargeInEvent.NO_WORDS): (BargeInState.NONE, PausedReplyAction.RESUME),
    (BargeInState.LISTENING, BargeInEvent.RECOGNITION_FAILED): (BargeInState.UNDECIDED, PausedReplyAction.KEEP),
    (BargeInState.LISTENING, BargeInEvent.CANCELLED): (BargeInState.NONE, PausedReplyAction.DROP),
    (BargeInState.LISTENING, BargeInEvent.NEW_RESPONSE): (BargeInState.NONE, PausedReplyAction.DROP),
    (BargeInState.LISTENING, BargeInEvent.DELETED): (BargeInState.NONE, PausedReplyAction.DROP),
    (BargeInState.LISTENING, BargeInEvent.RECONFIGURED): (BargeInState.NONE, PausedReplyAction.DROP),
    (BargeInState.UNDECIDED, BargeInEvent.SPEECH_STARTED): (BargeInState.LISTENING, PausedReplyAction.KEEP),
    (BargeInState.UNDECIDED, BargeInEvent.WORDS): (BargeInState.NONE, PausedReplyAction.DROP),
    (BargeInState.UNDECIDED, BargeInEvent.RECOGNITION_FAILED): (BargeInState.UNDECIDED, PausedReplyAction.KEEP),
    (BargeInState.UNDECIDED, BargeInEvent.TIMEOUT): (BargeInState.NONE, PausedReplyAction.RESUME),
    (BargeInState.UNDECIDED, BargeInEvent.CANCELLED): (BargeInState.NONE, PausedReplyAction.DROP),
    (BargeInState.UNDECIDED, BargeInEvent.NEW_RESPONSE): (BargeInState.NONE, PausedReplyAction.DROP),
    (BargeInState.UNDECIDED, BargeInEvent.DELETED): (BargeInState.NONE, PausedReplyAction.DROP),
    (BargeInState.UNDECIDED, BargeInEvent.RECONFIGURED): (BargeInState.NONE, PausedReplyAction.DROP),
}
"""What follows from each event. The end of speech is none: it only starts the wait for a transcript. Any pair not here is a
bug."""


class BargeIn:
    """Owns the reply that is paused, if one is.

    ``policy`` is the server's, which a client's own settings change. ``wait_ms`` is for how long the voice must have been
    silent before the reply goes on where the turn is not over, or where nobody could tell what was said.
    """

    def __init__(
        self, input_turn: InputTurn, responses: ResponseController, *, policy: InterruptionPolicy, wait_ms: int
    ) -> None:
        self._input_turn = input_turn
        self._responses = responses
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
        self._paused = self._responses.pause(now) or self._paused
        if self._paused is not None:
            self._happened(BargeInEvent.SPEECH_STARTED)

    def voice_detected(self, now: float) -> None:
        """There was voice activity until ``now`` (seconds)."""
        self._voice_until = now

    def is_user_turn(
        self, transcript: Transcript, speech_ms: int, client_policy: Interruption | None, now: float
    ) -> bool:
        """Whether words of the user's are a turn, and not only a sign of listening to the reply they were said into.

        ``speech_ms`` is how long they speak; ``client_policy`` changes the server's. Said after a question, or when there is
        nothing left to hear, a "yes" is an answer.
        """
        if not transcript.text:
            return False
        if self._paused is not None:
            answer = self._paused.all_played or self._paused.reply.ends_with_question(self._paused.position_ms)
        elif self._responses.is_replying(now):
            answer = self._responses.ends_with_question(now)
        else:
            return True
        return answer or self._policy.patched(client_policy).interrupts(transcript.text, transcript.language, speech_ms)

    def words_recognised(self) -> None:
        """The user has said something that is a turn: what was cut stays cut."""
        self._happened(BargeInEvent.WORDS)

    def recognition_failed(self) -> None:
        """Nobody can tell what was said."""
        self._happened(BargeInEvent.RECOGNITION_FAILED)

    # ---- what becomes of the reply

    def due_at(self) -> float | None:
        """When something is to be done because the voice has been silent for so long (seconds); ``None`` if nothing is.

        While the turn goes on, that needs a partial transcript of all of the voice: if there were words in it, nothing would be
        paused.
        """
        if self._paused is None:
            return None
        waited_for = (
            self._input_turn.all_transcribed if self._input_turn.speaking else self._state is BargeInState.UNDECIDED
        )
        return self._voice_until + self._wait_s if waited_for else None

    def take_resumable(self, now: float) -> PausedReply | None:
        """The reply that goes on now, all turns being over. It is no longer paused."""
        if self._state is BargeInState.LISTENING:
            return self._happened(BargeInEvent.NO_WORDS)
        due_at = self.due_at()
        return self._happened(BargeInEvent.TIMEOUT) if due_at is not None and now >= due_at else None

    def cancel(self) -> bool:
        """The client wants no more of the reply. Whether one was paused."""
        was_paused = self.paused
        self._happened(BargeInEvent.CANCELLED)
        return was_paused

    def response_started(self) -> None:
        """Another response takes the paused one's place in the conversation."""
        self._happened(BargeInEvent.NEW_RESPONSE)

    def truncated(self, item_id: str, audio_end_ms: int) -> None:
        """The client has told how much of an item was heard."""
        if self._paused is not None and self._paused.response.message_id == item_id:
            self._paused.truncate(audio_end_ms)

    def item_deleted(self, item_id: str) -> None:
        """An item is gone, and with it what is still to be said of it."""
        if self._paused is not None and self._paused.response.message_id == item_id:
            self._happened(BargeInEvent.DELETED)

    def reconfigured(self, old: SessionConfig, new: SessionConfig) -> None:
        """The session has changed: so does what is still to be said."""
        if self._paused is None:
            return
        if new.speaks and new.kind == "realtime" and new.turn_detection is not None:
            self._paused.reconfigured(old, new)
        else:
            self._happened(BargeInEvent.RECONFIGURED)

    # ---- inside

    def _happened(self, event: BargeInEvent) -> PausedReply | None:
        """Move along the table; returns the reply that is to go on, if it is."""
        self._state, action = BARGE_IN_TABLE[self._state, event]
        if action is PausedReplyAction.KEEP or self._paused is None:
            return None
        paused, self._paused = self._paused, None
        paused.release()
        return paused if action is PausedReplyAction.RESUME else None
