"""When a turn is answered, what waits for whom, what silence does.

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
from vivavoce.session.barge_in import BargeIn
from vivavoce.session.conversation import Conversation
from vivavoce.session.idle_timer import IdleTimer
from vivavoce.session.input_turn import InputTurn
from vivavoce.session.outbox import Outbox
from vivavoce.session.prompt_builder import NOTICE, SILENCE_NOTE, ResponseRequest
from vivavoce.session.response_controller import ResponseController
from vivavoce.session.response_queue import MAX_WAITING, ResponseQueue
from vivavoce.session.transcripts import Transcripts
from vivavoce.session.turn import Turn, TurnState

MAX_NOTICES = 16
"""Things to tell the user that may wait for silence; the oldest are forgotten."""

BARGE_IN_CANCEL_WITHIN_S = 1.0
"""A cancel so soon after the user has begun to speak is there to make way for them: many clients send one by rote."""

CLIENT_OUTPUT_TYPES = ("function_call_output", "mcp_approval_response")
"""The types of items that answer the model: a response to one belongs to the conversation's flow and waits for its turn."""


class TurnArbiter:
    """Arbitrates between the turns of one conversation. ``now`` is in seconds.

    A turn is *awaited* from its commit until its transcript, if it will be answered by itself then, and *unanswered* from
    there until a prompt is made that holds it. A turn whose user goes on within ``reopen_ms`` of its end, before they can have
    heard its answer, is *reopened*: what they say is one turn with it.
    """

    def __init__(
        self,
        outbox: Outbox,
        conversation: Conversation,
        input_turn: InputTurn,
        transcripts: Transcripts,
        responses: ResponseController,
        barge_in: BargeIn,
        *,
        reopen_ms: int,
    ) -> None:
        self._outbox = outbox
        self._conversation = conversation
        self._input_turn = input_turn
        self._transcripts = transcripts
        self._responses = responses
        self._barge_in = barge_in
        self._queue = ResponseQueue()
        self._idle = IdleTimer()
        self._reopen_s = reopen_ms / 1000
        self._newest: Turn | None = None
        self._last_spoken: Turn | None = None
        self._awaited: dict[str, Turn] = {}
        self._unanswered: dict[str, Turn] = {}
        self._prompted_with: str | None = None
        self._speech_started_at = 0.0
        self._truncated: str | None = None
        self._notices: deque[str] = deque(maxlen=MAX_NOTICES)

    # ---- the user

    def speech_started(self, vad: TurnDetection, now: float) -> None:
        """The user may be interrupting."""
        self._speech_started_at = now
        if (reopened := self._reopened(now)) is not None:
            self._input_turn.reopen(reopened)
        if vad.interrupt_response:
            self._barge_in.speech_started(now)

    def words_said(self, config: SessionConfig, now: float) -> None:
        """They are: what was cut stays cut, and what is in progress all the same stops."""
        self._barge_in.words_recognised()
        self._idle.stop()
        if config.turn_detection is not None and config.turn_detection.interrupt_response:
            self._responses.interrupt(now)

    def committed(self, turn: Turn, config: SessionConfig) -> None:
        """A turn waits for its transcript."""
        self._newest = turn
        self._last_spoken = turn if turn.automatic else None
        if turn.automatic and _answers(config):
            self._awaited[turn.item_id] = turn

    def turn_ended(self, turn: Turn, config: SessionConfig, now: float) -> None:
        """A transcript is final, or failed. An automatic turn with words is answered; so is one whose words nobody knows, if
        the model hears it."""
        awaited = self._awaited.pop(turn.item_id, None)
        heard = turn.state is TurnState.FAILED and turn.item_id in self._conversation.audio
        if (turn.state is TurnState.TRANSCRIBED or heard) and turn.spoken:
            self.words_said(config, now)
            if awaited is not None and _answers(config):
                self._unanswered[turn.item_id] = turn
        elif turn.spoken:
            self._idle.restart(now)
            if turn.state is TurnState.FAILED:
                self._barge_in.recognition_failed()
        self.advance(config, now)

    def cleared(self, config: SessionConfig, now: float) -> None:
        """What was being said is void."""
        self._idle.restart(now)
        self.advance(config, now)

    def advance(self, config: SessionConfig, now: float) -> None:
        """Something that had to be waited for is over, or gone."""
        if self._transcripts:
            return
        if self._responses.waiting:
            self._generate()
        else:
            self.answer(config, now)

    def answers_next(self, config: SessionConfig) -> bool:
        """Whether what the user is saying would be answered at once, if it were over: nothing else waits or is in progress."""
        vad = config.turn_detection
        waiting = self._responses.active or self._transcripts or self._barge_in.paused or len(self._queue)
        return vad is not None and _answers(config) and not waiting

    def answer(self, config: SessionConfig, now: float) -> None:
        """Answer what has not been answered, unless the user has begun to speak again or a reply is in progress.

        A reply that was cut for nothing goes on first."""
        if self._responses.active:
            return
        quiet = not self._input_turn.speaking and not self._transcripts
        if quiet and self._resume(now):
            return
        quiet = quiet and not self._barge_in.paused
        if (waiting := self._queue.next(quiet=quiet)) is not None:
            self._start(waiting.request, waiting.turn, now)
        elif quiet and (turn := self._last_unanswered()) is not None:
            self._start(ResponseRequest(config), turn, now)
        elif quiet and self._notices and config.kind == "realtime":
            self._start(ResponseRequest(config, note=NOTICE.format(self._notices.popleft())), None, now)

    def notice(self, text: str, config: SessionConfig, now: float) -> None:
        """The user is to be told this as soon as nobody speaks."""
        self._notices.append(text)
        self.answer(config, now)

    # ---- the client

    def check(self, request: ResponseRequest) -> None:
        """Raises ``ClientError`` when another response is in progress and this one cannot wait.

        Out of band ones wait for their turn, and so does an answer to a function's output: official clients ask for it
        as soon as the call is complete, before its response is done (Realtime reference, section 11).
        """
        if request.in_conversation and self._responses.active_in_conversation and not self._follows_client_output():
            raise ClientError("ongoing response already exists", code="conversation_already_has_active_response")
        self.check_queue(request)

    def check_queue(self, request: ResponseRequest) -> None:
        """Raises ``ClientError`` when no more responses may wait."""
        if (self._responses.active or not self._is_quiet()) and not self._queue.takes(request):
            raise ClientError(f"{MAX_WAITING} responses are waiting already", code="rate_limit_exceeded")

    def respond(self, request: ResponseRequest, now: float) -> None:
        """A ``response.create`` that ``check`` has let pass: it begins, or waits."""
        if request.in_conversation and self._responses.absorb(request):
            return
        if self._responses.active or (
            request.in_conversation and self._follows_client_output() and not self._is_quiet()
        ):
            self._queue.add(request, self._newest)
        else:
            self._start(request, self._newest, now)

    def cancel(self, response_id: str | None, now: float) -> None:
        """End the response in progress, and what waits in the conversation. Raises ``ClientError`` if there is neither.

        A turn that waits for its answer keeps it if another response was in progress: the client may be making way for it.
        A client that cancels because the user begins to speak takes nothing back.
        """
        response = self._responses.newest if self._responses.active else None
        is_barge_in = self._input_turn.speaking and now - self._speech_started_at < BARGE_IN_CANCEL_WITHIN_S
        if response is not None and response_id in (None, response.id):
            include_turns = self._responses.waiting or not response.in_conversation
            self._responses.cancel(now, reason="client_cancelled")
            if not is_barge_in and (response.in_conversation or response_id is None):
                self._drop_waiting(include_turns=include_turns)
        elif is_barge_in:
            if self._truncated is None:
                raise _no_response()
        elif response_id is None or self._barge_in.is_into(response_id) or response_id == self._truncated:
            if not self._drop_waiting(include_turns=True) and self._truncated is None:
                raise _no_response()
        else:
            raise _no_response()
        self._truncated = None

    def truncate(self, item: Item, audio_end_ms: int, now: float) -> None:
        """A client stops a reply where it was heard to: the one in progress ends as if it had been cancelled.

        Some clients (OpenAI's Agents SDK) cancel it as well, right after: that is no mistake.
        """
        ended = self._responses.newest if self._responses.is_saying(item.id) else None
        self._responses.truncate(item, audio_end_ms, now)
        if ended is not None:
            self._drop_waiting(include_turns=False)
            self._truncated = ended.id
        else:
            self._barge_in.truncated(item.id, audio_end_ms)

    def output_cleared(self) -> None:
        """The client has forgotten what it had to play."""
        self._barge_in.cancel()

    def item_created(self, item: Item) -> None:
        """The client has added something to the conversation: the user has typed it, unless it is the application's."""
        if item.role == "user" or item.type in CLIENT_OUTPUT_TYPES:
            self._idle.stop()

    def item_deleted(self, item_id: str, config: SessionConfig, now: float) -> None:
        """The client has deleted something: nobody waits for what was said in it, or is still to be said."""
        self._awaited.pop(item_id, None)
        self._unanswered.pop(item_id, None)
        self._barge_in.item_deleted(item_id)
        self.advance(config, now)

    def reconfigured(self, old: SessionConfig, new: SessionConfig, now: float) -> None:
        """The session has changed."""
        self._barge_in.reconfigured(old, new)
        if _idle_timeout_ms(old) != _idle_timeout_ms(new):
            self._idle.restart(now)
        if old.turn_detection is not None and new.turn_detection is None:
            self.advance(new, now)  # nobody hears any more whether the user speaks
        elif old.turn_detection is None and new.turn_detection is not None and self._input_turn.speaking:
            self.speech_started(new.turn_detection, now)

    def response_ended(self, config: SessionConfig, now: float) -> None:
        """A response is over: the next may begin, and silence begins to count."""
        if self._responses.newest is not None:
            self._idle.response_ended(
                self._responses.newest, now, awaits_client_output=self._conversation.awaits_client_output()
            )
        self.answer(config, now)

    # ---- time

    def wake_at(self, config: SessionConfig) -> float | None:
        """When ``tick`` has something to do (seconds)."""
        if self._barge_in.paused:
            due_at = self._barge_in.due_at()
        else:
            timeout_ms = _idle_timeout_ms(config)
            due_at = None if timeout_ms is None or self._input_turn.speaking else self._idle.due_at(timeout_ms)
        busy = due_at is not None and (self._responses.active or self._transcripts)
        return None if busy else due_at

    def tick(self, config: SessionConfig, now: float) -> bool:
        """Whether the turn is to end, the user having fallen silent without a word; else what is due now is done."""
        due_at = self.wake_at(config)
        if due_at is None or now < due_at:
            return False
        if self._input_turn.speaking:
            return True
        if self._barge_in.paused:
            self.answer(config, now)
        else:
            self._silence(config, self._idle.silence_s(now), now)
        return False

    # ---- inside

    def _reopened(self, now: float) -> Turn | None:
        """The turn that the user goes on with who begins to speak, if they do."""
        turn = self._last_spoken
        if turn is None or turn.item_id not in self._conversation or turn.marks.endpoint is None:
            return None
        started_at = self._input_turn.started_at(now, turn)
        in_time = started_at - turn.marks.endpoint <= self._reopen_s
        return turn if in_time and self._responses.is_unheard(turn.marks, started_at) else None

    def _is_quiet(self) -> bool:
        return not (self._input_turn.speaking or self._transcripts or self._barge_in.paused)

    def _follows_client_output(self) -> bool:
        """Whether the newest item is a client's answer to the model that no prompt holds yet."""
        newest = self._conversation.last_id
        if newest is None or newest == self._prompted_with:
            return False
        return self._conversation.get(newest).type in CLIENT_OUTPUT_TYPES

    def _last_unanswered(self) -> Turn | None:
        return next(reversed(self._unanswered.values()), None)

    def _start(self, request: ResponseRequest, turn: Turn | None, now: float) -> None:
        marks = turn.marks if turn is not None else Marks()
        marks.note("endpoint", now)
        if request.in_conversation:
            self._barge_in.response_started()
            self._idle.stop()
        self._newest = self._truncated = None
        self._responses.start(request, marks)
        if not self._transcripts:
            self._generate()

    def _generate(self) -> None:
        request = self._responses.generate(self._transcripts.language, self._transcripts.languages)
        if not request.in_conversation:
            return
        if request.items is None:
            self._unanswered.clear()
            self._prompted_with = self._conversation.last_id
        for item_id in request.items or ():
            self._unanswered.pop(item_id, None)

    def _resume(self, now: float) -> bool:
        paused = self._barge_in.take_resumable(now)
        if paused is None or not self._responses.resume(paused, Marks()):
            return False
        self._idle.stop()
        if self._responses.waiting:
            self._generate()
        return True

    def _drop_waiting(self, *, include_turns: bool) -> bool:
        """Forget what waits in the conversation, with ``include_turns`` also the turns that wait for an answer.

        Returns whether there was anything.
        """
        dropped = self._queue.drop_in_conversation()
        for request in dropped:
            self._conversation.forget_out_of_band(request.items or ())
        found = self._barge_in.cancel() or bool(dropped)
        if include_turns:
            found = found or bool(self._awaited or self._unanswered)
            self._awaited.clear()
            self._unanswered.clear()
        return found

    def _silence(self, config: SessionConfig, seconds: float, now: float) -> None:
        """The silence becomes the user's turn (OpenAI GA, ``idle_timeout_ms``)."""
        start_ms, end_ms = self._input_turn.newest_ms(seconds)
        item = Item(id=self._outbox.new_id("msg"), role="user", content=(Part(type="input_audio", transcript=""),))
        self._outbox.send(ev.TimeoutTriggered(audio_start_ms=start_ms, audio_end_ms=end_ms, item_id=item.id))
        self._outbox.send(ev.AudioCommitted(previous_item_id=self._conversation.last_id, item_id=item.id))
        self._conversation.add(item)
        self._start(ResponseRequest(config, note=SILENCE_NOTE), None, now)


def _answers(config: SessionConfig) -> bool:
    """Whether the end of a turn is answered by itself."""
    vad = config.turn_detection
    return config.kind == "realtime" and (vad is None or vad.create_response)


def _idle_timeout_ms(config: SessionConfig) -> int | None:
    vad = config.turn_detection
    return vad.idle_timeout_ms if vad is not None and config.kind == "realtime" else None


def _no_response() -> ClientError:
    return ClientError("no ongoing response to cancel", code="response_cancel_not_active")
