"""Who has the floor: when a turn is answered, what an interruption does, what silence does.

The hearing half says what was heard, the answering half carries a response; the rules between the two are here.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from vivavoce.errors import ClientError
from vivavoce.observe.marks import Marks
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.items import Item, Part
from vivavoce.protocol.session_config import SessionConfig, TurnDetection
from vivavoce.session.asking import NOTICE, SILENCE_NOTE, Ask
from vivavoce.session.conversation import Conversation
from vivavoce.session.hearing import Hearing
from vivavoce.session.outbox import Outbox
from vivavoce.session.replying import Replying
from vivavoce.session.turn import Turn, TurnState

NOTICES = 16
"""Things to tell the user that may wait for silence; the oldest are forgotten."""

QUEUE = 16
"""Responses that may wait for the one in progress."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    ask: Ask
    turn: Turn | None


class Floor:
    """One conversation's floor. ``now`` is in seconds; ``false_interruption_ms`` is how long a reply waits for words."""

    def __init__(
        self,
        outbox: Outbox,
        conversation: Conversation,
        hearing: Hearing,
        replying: Replying,
        *,
        false_interruption_ms: int,
    ) -> None:
        self._outbox = outbox
        self._conversation = conversation
        self._hearing = hearing
        self._replying = replying
        self._patience_s = false_interruption_ms / 1000
        self._queue: deque[_Waiting] = deque()
        self._newest: Turn | None = None
        self._unanswered: Turn | None = None
        self._idle_since: float | None = None
        self._notices: deque[str] = deque(maxlen=NOTICES)

    # ---- the user

    def speech_started(self, vad: TurnDetection, now: float) -> None:
        """The user may be interrupting."""
        self._idle_since = None
        if vad.interrupt_response:
            self._replying.interrupt(now, now + self._patience_s)

    def words_overheard(self, vad: TurnDetection | None, now: float) -> None:
        """They are: what was cut stays cut, and a reply that went on, thinking them silent, stops again."""
        self._replying.interruption = None
        if vad is not None and vad.interrupt_response:
            self._replying.interrupt(now, now + self._patience_s)
            self._replying.interruption = None

    def committed(self, turn: Turn) -> None:
        """A turn waits for its transcript."""
        self._newest = turn
        self._idle_since = None

    def turn_ended(self, turn: Turn, config: SessionConfig, now: float) -> None:
        """A transcript is final, or failed. An automatic turn with words is answered."""
        vad = config.turn_detection
        if turn.state is TurnState.TRANSCRIBED and turn.heard:
            self._replying.interruption = None
            answered = vad is None or vad.create_response
            if turn.automatic and answered and config.kind == "realtime":
                self._unanswered = turn
        elif turn.heard and self._replying.heard_at is not None:
            self._idle_since = max(now, self._replying.heard_at)
        self.settled(config, now)

    def settled(self, config: SessionConfig, now: float) -> None:
        """Something that had to be waited for is over, or gone."""
        if self._hearing.transcripts:
            return
        if self._replying.waiting:
            self._generate()
        else:
            self.answer(config, now)

    def answer(self, config: SessionConfig, now: float) -> None:
        """Answer what has not been answered, unless the user has begun to speak again or a reply is in progress.

        A reply that was cut for nothing goes on first."""
        if self._replying.active:
            return
        if self._queue:
            waiting = self._queue.popleft()
            self._start(waiting.ask, waiting.turn, now)
            return
        if self._hearing.speaking or self._hearing.transcripts:
            return
        if self._go_on():
            return
        if self._unanswered is not None and self._unanswered.item_id in self._conversation:
            self._start(Ask(config), self._unanswered, now)
        elif self._notices and config.kind == "realtime":
            self._start(Ask(config, note=NOTICE.format(self._notices.popleft())), None, now)

    def notice(self, text: str, config: SessionConfig, now: float) -> None:
        """The user is to be told this as soon as nobody speaks."""
        self._notices.append(text)
        self.answer(config, now)

    # ---- the client

    def check(self, ask: Ask) -> None:
        """Raises ``ClientError`` when another response is in progress and this one cannot wait.

        Out of band ones wait for their turn, and so does an answer to a function's output: official clients ask for it
        as soon as the call is complete, before its response is done (Realtime reference, section 11).
        """
        if not self._replying.active:
            return
        if ask.in_conversation and self._replying.active_in_conversation and not self._has_new_output():
            raise ClientError("ongoing response already exists", code="conversation_already_has_active_response")
        self.check_queue()

    def check_queue(self) -> None:
        """Raises ``ClientError`` when no more responses may wait."""
        if self._replying.active and len(self._queue) >= QUEUE:
            raise ClientError(f"{QUEUE} responses are waiting already", code="rate_limit_exceeded")

    def ask(self, ask: Ask, now: float) -> None:
        """A ``response.create`` that ``check`` has let pass: it begins, or waits."""
        if self._replying.active:
            self._queue.append(_Waiting(ask, self._newest))
        else:
            self._start(ask, self._newest, now)

    def response_ended(self, config: SessionConfig, now: float) -> None:
        """A response is over: the next may begin, and silence begins to count."""
        if self._replying.in_conversation:
            self._idle_since = self._replying.heard_at
        self.answer(config, now)

    # ---- time

    def wake_at(self, config: SessionConfig) -> float | None:
        """When ``tick`` has something to do (seconds)."""
        cut = self._replying.interruption
        if self._replying.active or self._hearing.transcripts:
            return None
        if self._hearing.speaking:
            return cut.deadline if cut is not None else None
        vad = config.turn_detection
        if vad is None or vad.idle_timeout_ms is None or self._idle_since is None or config.kind == "transcription":
            return None
        return self._idle_since + vad.idle_timeout_ms / 1000

    def tick(self, config: SessionConfig, now: float) -> None:
        """No words for long enough after an interruption: the reply goes on. Nobody speaks for long enough: ask."""
        due = self.wake_at(config)
        if due is None or now < due:
            return
        if self._hearing.speaking:
            self._go_on()
        elif self._idle_since is not None:
            self._silence(config, now - self._idle_since, now)

    # ---- inside

    def _has_new_output(self) -> bool:
        newest = self._conversation.last_id
        return newest is not None and self._conversation.get(newest).type == "function_call_output"

    def _start(self, ask: Ask, turn: Turn | None, now: float) -> None:
        marks = turn.marks if turn is not None else Marks()
        marks.note("endpoint", now)
        self._replying.start(ask, marks)
        self._newest = None
        if ask.in_conversation:
            self._unanswered = None
            self._idle_since = None
        if not self._hearing.transcripts:
            self._generate()

    def _generate(self) -> None:
        self._replying.generate(self._hearing.transcripts.language, self._hearing.transcripts.languages)

    def _go_on(self) -> bool:
        return self._replying.go_on(self._hearing.transcripts.language, self._hearing.transcripts.languages)

    def _silence(self, config: SessionConfig, seconds: float, now: float) -> None:
        """The silence becomes the user's turn (OpenAI GA, ``idle_timeout_ms``)."""
        self._idle_since = None
        start_ms, end_ms = self._hearing.newest_ms(seconds)
        item = Item(id=self._outbox.new_id("msg"), role="user", content=(Part(type="input_audio", transcript=""),))
        self._outbox.send(ev.TimeoutTriggered(audio_start_ms=start_ms, audio_end_ms=end_ms, item_id=item.id))
        self._outbox.send(ev.AudioCommitted(previous_item_id=self._conversation.last_id, item_id=item.id))
        self._conversation.add(item)
        self._start(Ask(config, note=SILENCE_NOTE), None, now)
