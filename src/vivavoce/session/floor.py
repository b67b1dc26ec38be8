"""Who has the floor: when a turn is answered, what waits for whom, what silence does.

The hearing half says what was heard, the answering half carries a response; the rules between the two are here. What
becomes of a reply the user speaks into is in ``barge_in``.
"""

from __future__ import annotations

from collections import deque

from vivavoce.errors import ClientError
from vivavoce.observe.marks import Marks
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.items import Item, Part
from vivavoce.protocol.session_config import SessionConfig, TurnDetection
from vivavoce.session.asking import NOTICE, SILENCE_NOTE, Ask
from vivavoce.session.barge_in import BargeIn
from vivavoce.session.conversation import Conversation
from vivavoce.session.hearing import Hearing
from vivavoce.session.idle_timer import IdleTimer
from vivavoce.session.outbox import Outbox
from vivavoce.session.replying import Replying
from vivavoce.session.response_queue import MAX_WAITING, ResponseQueue
from vivavoce.session.turn import Turn, TurnState

NOTICES = 16
"""Things to tell the user that may wait for silence; the oldest are forgotten."""

MAKES_WAY_S = 1.0
"""A cancel so soon after the user has begun to speak is there to make way for them: many clients send one by rote."""

CLIENTS_ANSWERS = ("function_call_output", "mcp_approval_response")
"""What a client answers the model with: the response to it belongs to the conversation's flow and waits for its turn."""


class Floor:
    """One conversation's floor. ``now`` is in seconds.

    A turn is *awaited* from its commit until its transcript, if it will be answered by itself then, and *unanswered* from
    there until a prompt is made that holds it.
    """

    def __init__(
        self, outbox: Outbox, conversation: Conversation, hearing: Hearing, replying: Replying, barge_in: BargeIn
    ) -> None:
        self._outbox = outbox
        self._conversation = conversation
        self._hearing = hearing
        self._replying = replying
        self._barge_in = barge_in
        self._queue = ResponseQueue()
        self._idle = IdleTimer()
        self._newest: Turn | None = None
        self._awaited: dict[str, Turn] = {}
        self._unanswered: dict[str, Turn] = {}
        self._prompted_with: str | None = None
        self._speech_started_at = 0.0
        self._truncated: str | None = None
        self._notices: deque[str] = deque(maxlen=NOTICES)

    # ---- the user

    def speech_started(self, vad: TurnDetection, now: float) -> None:
        """The user may be interrupting."""
        self._speech_started_at = now
        if vad.interrupt_response:
            self._barge_in.speech_started(now)

    def words_said(self, config: SessionConfig, now: float) -> None:
        """They are: what was cut stays cut, and what is in progress all the same stops."""
        self._barge_in.words()
        self._idle.stop()
        if config.turn_detection is not None and config.turn_detection.interrupt_response:
            self._replying.interrupt(now)

    def committed(self, turn: Turn, config: SessionConfig) -> None:
        """A turn waits for its transcript."""
        self._newest = turn
        if turn.automatic and _answers(config):
            self._awaited[turn.item_id] = turn

    def turn_ended(self, turn: Turn, config: SessionConfig, now: float) -> None:
        """A transcript is final, or failed. An automatic turn with words is answered."""
        awaited = self._awaited.pop(turn.item_id, None)
        if turn.state is TurnState.TRANSCRIBED and turn.heard:
            self.words_said(config, now)
            if awaited is not None and _answers(config):
                self._unanswered[turn.item_id] = turn
        elif turn.heard:
            self._idle.restart(now)
            if turn.state is TurnState.FAILED:
                self._barge_in.recognition_failed()
        self.settled(config, now)

    def cleared(self, config: SessionConfig, now: float) -> None:
        """What was being said is void."""
        self._idle.restart(now)
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
        quiet = not self._hearing.speaking and not self._hearing.transcripts
        if quiet and self._resume(now):
            return
        quiet = quiet and not self._barge_in.paused
        if (waiting := self._queue.next(quiet=quiet)) is not None:
            self._start(waiting.ask, waiting.turn, now)
        elif quiet and (turn := self._last_unanswered()) is not None:
            self._start(Ask(config), turn, now)
        elif quiet and self._notices and config.kind == "realtime":
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
        if ask.in_conversation and self._replying.active_in_conversation and not self._follows_answer():
            raise ClientError("ongoing response already exists", code="conversation_already_has_active_response")
        self.check_queue(ask)

    def check_queue(self, ask: Ask) -> None:
        """Raises ``ClientError`` when no more responses may wait."""
        if (self._replying.active or not self._is_quiet()) and not self._queue.takes(ask):
            raise ClientError(f"{MAX_WAITING} responses are waiting already", code="rate_limit_exceeded")

    def ask(self, ask: Ask, now: float) -> None:
        """A ``response.create`` that ``check`` has let pass: it begins, or waits."""
        if ask.in_conversation and self._replying.absorb(ask):
            return
        if self._replying.active or (ask.in_conversation and self._follows_answer() and not self._is_quiet()):
            self._queue.add(ask, self._newest)
        else:
            self._start(ask, self._newest, now)

    def cancel(self, response_id: str | None, now: float) -> None:
        """End the response in progress, and what waits in the conversation. Raises ``ClientError`` if there is neither.

        A turn that waits for its answer keeps it if another response was in progress: the client may be making way for it.
        A client that cancels because the user begins to speak takes nothing back.
        """
        response = self._replying.newest if self._replying.active else None
        makes_way = self._hearing.speaking and now - self._speech_started_at < MAKES_WAY_S
        if response is not None and response_id in (None, response.id):
            awaited_too = self._replying.waiting or not response.in_conversation
            self._replying.cancel(now, reason="client_cancelled")
            if not makes_way and (response.in_conversation or response_id is None):
                self._withdraw(awaited_too=awaited_too)
        elif makes_way:
            if self._truncated is None:
                raise _no_response()
        elif response_id is None or self._barge_in.is_into(response_id) or response_id == self._truncated:
            if not self._withdraw(awaited_too=True) and self._truncated is None:
                raise _no_response()
        else:
            raise _no_response()
        self._truncated = None

    def truncate(self, item: Item, audio_end_ms: int, now: float) -> None:
        """A client stops a reply where it was heard to: the one in progress ends as if it had been cancelled.

        Some clients (OpenAI's Agents SDK) cancel it as well, right after: that is no mistake.
        """
        ended = self._replying.newest if self._replying.is_saying(item.id) else None
        self._replying.truncate(item, audio_end_ms, now)
        if ended is not None:
            self._withdraw(awaited_too=False)
            self._truncated = ended.id
        else:
            self._barge_in.truncated(item.id, audio_end_ms)

    def output_cleared(self) -> None:
        """The client has forgotten what it had to play."""
        self._barge_in.withdraw()

    def item_created(self, item: Item) -> None:
        """The client has added something to the conversation: the user has typed it, unless it is the application's."""
        if item.role == "user" or item.type in CLIENTS_ANSWERS:
            self._idle.stop()

    def item_deleted(self, item_id: str, config: SessionConfig, now: float) -> None:
        """The client has deleted something: nobody waits for what was said in it, or is still to be said."""
        self._awaited.pop(item_id, None)
        self._unanswered.pop(item_id, None)
        self._barge_in.forget(item_id)
        self.settled(config, now)

    def reconfigured(self, old: SessionConfig, new: SessionConfig, now: float) -> None:
        """The session has changed."""
        self._barge_in.reconfigured(old, new)
        if _idle_timeout_ms(old) != _idle_timeout_ms(new):
            self._idle.restart(now)
        if old.turn_detection is not None and new.turn_detection is None:
            self.settled(new, now)  # nobody hears any more whether the user speaks
        elif old.turn_detection is None and new.turn_detection is not None and self._hearing.speaking:
            self.speech_started(new.turn_detection, now)

    def response_ended(self, config: SessionConfig, now: float) -> None:
        """A response is over: the next may begin, and silence begins to count."""
        if self._replying.newest is not None:
            self._idle.response_ended(self._replying.newest, now, client_is_asked=self._conversation.client_is_asked())
        self.answer(config, now)

    # ---- time

    def wake_at(self, config: SessionConfig) -> float | None:
        """When ``tick`` has something to do (seconds)."""
        if self._replying.active or self._hearing.transcripts:
            return None
        if self._barge_in.paused:
            return self._barge_in.due_at()
        timeout_ms = _idle_timeout_ms(config)
        return None if timeout_ms is None or self._hearing.speaking else self._idle.due_at(timeout_ms)

    def tick(self, config: SessionConfig, now: float) -> bool:
        """Whether the turn is to end, the user having fallen silent without a word; else what is due now is done."""
        due_at = self.wake_at(config)
        if due_at is None or now < due_at:
            return False
        if self._hearing.speaking:
            return True
        if self._barge_in.paused:
            self.answer(config, now)
        else:
            self._silence(config, self._idle.silence_s(now), now)
        return False

    # ---- inside

    def _is_quiet(self) -> bool:
        return not (self._hearing.speaking or self._hearing.transcripts or self._barge_in.paused)

    def _follows_answer(self) -> bool:
        """Whether the newest item is a client's answer to the model that no prompt holds yet."""
        newest = self._conversation.last_id
        if newest is None or newest == self._prompted_with:
            return False
        return self._conversation.get(newest).type in CLIENTS_ANSWERS

    def _last_unanswered(self) -> Turn | None:
        return next(reversed(self._unanswered.values()), None)

    def _start(self, ask: Ask, turn: Turn | None, now: float) -> None:
        marks = turn.marks if turn is not None else Marks()
        marks.note("endpoint", now)
        if ask.in_conversation:
            self._barge_in.withdraw()
            self._idle.stop()
        self._newest = self._truncated = None
        self._replying.start(ask, marks)
        if not self._hearing.transcripts:
            self._generate()

    def _generate(self) -> None:
        transcripts = self._hearing.transcripts
        ask = self._replying.generate(transcripts.language, transcripts.languages)
        if not ask.in_conversation:
            return
        if ask.items is None:
            self._unanswered.clear()
            self._prompted_with = self._conversation.last_id
        for item_id in ask.items or ():
            self._unanswered.pop(item_id, None)

    def _resume(self, now: float) -> bool:
        paused = self._barge_in.decided(now)
        if paused is None or not self._replying.resume(paused, Marks()):
            return False
        self._idle.stop()
        if self._replying.waiting:
            self._generate()
        return True

    def _withdraw(self, *, awaited_too: bool) -> bool:
        """Forget what waits in the conversation. Whether there was anything."""
        dropped = self._queue.drop_in_conversation()
        for ask in dropped:
            self._conversation.forget_aside(ask.items or ())
        found = self._barge_in.withdraw() or bool(dropped)
        if awaited_too:
            found = found or bool(self._awaited or self._unanswered)
            self._awaited.clear()
            self._unanswered.clear()
        return found

    def _silence(self, config: SessionConfig, seconds: float, now: float) -> None:
        """The silence becomes the user's turn (OpenAI GA, ``idle_timeout_ms``)."""
        start_ms, end_ms = self._hearing.newest_ms(seconds)
        item = Item(id=self._outbox.new_id("msg"), role="user", content=(Part(type="input_audio", transcript=""),))
        self._outbox.send(ev.TimeoutTriggered(audio_start_ms=start_ms, audio_end_ms=end_ms, item_id=item.id))
        self._outbox.send(ev.AudioCommitted(previous_item_id=self._conversation.last_id, item_id=item.id))
        self._conversation.add(item)
        self._start(Ask(config, note=SILENCE_NOTE), None, now)


def _answers(config: SessionConfig) -> bool:
    """Whether the end of a turn is answered by itself."""
    vad = config.turn_detection
    return config.kind == "realtime" and (vad is None or vad.create_response)


def _idle_timeout_ms(config: SessionConfig) -> int | None:
    vad = config.turn_detection
    return vad.idle_timeout_ms if vad is not None and config.kind == "realtime" else None


def _no_response() -> ClientError:
    return ClientError("no ongoing response to cancel", code="response_cancel_not_active")
