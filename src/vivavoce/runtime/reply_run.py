"""One reply of a conversation in the making: told to the session as it comes, or prepared and held back until its turn ends."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Protocol

from vivavoce.engines.base import LanguageModel
from vivavoce.errors import EngineError, RateLimitError
from vivavoce.runtime.engines import Engines
from vivavoce.runtime.prompt_reading import PromptReadingCounter
from vivavoce.runtime.relay import AIDS as RELAY_AIDS
from vivavoce.runtime.relay import Relay
from vivavoce.runtime.reply import ReplyRequest, reply
from vivavoce.session.inputs import PromptEvaluated, Replied, ReplyBegun, ReplyFailed, SessionInput
from vivavoce.session.outputs import StartReply
from vivavoce.text.token_estimates import estimate_tokens
from vivavoce.tools.session_tools import SessionTools
from vivavoce.tools.silence import TurnEnd
from vivavoce.turns.words import words_of
from vivavoce.types import ClauseCut, GenerationEnd, Message, ReplyEvent, Speech

log = logging.getLogger(__name__)

HELD_AUDIO_S = 3.0
"""Speech made in advance; beyond that the synthesizer waits for the end of the turn."""

HELD_CLAUSES = 3
"""Clauses written in advance; beyond that nobody reads on what the language model writes."""


class TokenQuota(Protocol):
    """What whoever this conversation is for may use of tokens, and has used."""

    def require(self) -> None:
        """Raises ``RateLimitError`` when none are left at the moment."""

    def spend(self, tokens: int) -> None:
        """So many have been used, in and out."""


@dataclass(frozen=True, slots=True)
class ReplyMakers:
    """What makes the replies of one conversation. ``name`` stands for it in the log; a ``relay`` makes them elsewhere."""

    name: str
    engines: Engines
    model: LanguageModel
    slot: int
    tools: SessionTools
    token_quota: TokenQuota
    relay: Relay | None = None


class ReplyRun:
    """Makes the reply to ``work``. What it yields goes to ``receive`` under the response's id, which a prepared reply gets
    when it is released: until then nothing of it is to be seen, and nothing that changes anything is done for it.

    ``wait_for_room`` waits while too much speech waits to be sent; ``take_discarded`` tells how many replies that were
    prepared before this one were thrown away.
    """

    def __init__(
        self,
        work: StartReply,
        makers: ReplyMakers,
        receive: Callable[[SessionInput], None],
        wait_for_room: Callable[[], Awaitable[None]],
        take_discarded: Callable[[], int],
    ) -> None:
        self._work = work
        self._makers = makers
        self._receive = receive
        self._wait_for_room = wait_for_room
        self._held: list[ReplyEvent] = []
        self._held_samples = 0
        self._released = TurnEnd()
        self._response_id = work.response_id or None
        self._take_discarded = take_discarded
        if self._response_id is not None:
            self._released.over(work.silent_since)
        self._model = PromptReadingCounter(makers.model, self._released.is_set)
        self._live = ExitStack()
        self._unbilled_tokens = self._late_tokens = 0
        self._failed = self._begun = self._running = False

    def answers(self, work: StartReply) -> bool:
        """Whether a prepared reply is the one to ``work``: the same but for how the user's last words are written."""
        if self._failed or not (self._work.messages and work.messages):
            return False
        alike = replace(self._work, response_id="", messages=()) == replace(work, response_id="", messages=())
        return alike and same_prompts(self._work.messages, work.messages)

    def release(self, work: StartReply) -> None:
        """The turn is over, and this is the reply to it: what there is of it goes to the session, and all that comes."""
        response_id = self._response_id = work.response_id
        self._receive(ReplyBegun(response_id, prepared=True, discarded=self._take_discarded()))
        if not self._begun:  # the words are still being read, to tell whether they are a sentence
            self._late_tokens = estimate_tokens(self._work.messages[-1])
        if self._running:
            self._live.enter_context(self._makers.engines.preparations.live())
        for event in self._held:
            self._deliver(response_id, event)
        self._held.clear()
        self._released.over(work.silent_since)

    async def run(self) -> None:
        """Make the reply. Raises what is no engine's fault."""
        self._begun = self._running = True
        if self._response_id is not None:
            self._live.enter_context(self._makers.engines.preparations.live())
        try:
            await self._make()
        except (EngineError, RateLimitError) as error:
            self._fail(error)
        finally:
            self._running = False
            self._live.close()
            if self._unbilled_tokens and self._response_id is not None:  # cut short, which must not make prompts free
                self._makers.token_quota.spend(self._unbilled_tokens)

    # ---- inside

    async def _make(self) -> None:
        work, makers = self._work, self._makers
        makers.token_quota.require()
        if work.response_id:
            self._receive(ReplyBegun(work.response_id, prepared=False, discarded=self._take_discarded()))
        self._unbilled_tokens = sum(map(estimate_tokens, work.messages))
        options, server_tools = await makers.tools.for_reply(
            work.messages,
            replace(work.options, slot=makers.slot),
            work.tools,
            work.calls,
            work.language,
            work.tool_tokens,
            aids=makers.model.aids if makers.relay is None else RELAY_AIDS,
        )
        server_tools = replace(server_tools, turn_over=self._released)
        if makers.relay is not None:
            await makers.relay.reply(work, work.response_id, options, server_tools, self._emit)
            return
        request = ReplyRequest(
            work.messages,
            options,
            work.voice,
            work.language,
            work.speed,
            work.style,
            prefix=work.prefix,
            server_tools=server_tools,
        )
        await reply(request, self._model, makers.engines.synthesizer, self._emit)

    async def _emit(self, event: ReplyEvent) -> None:
        if self._response_id is None:
            await self._hold(event)
        else:
            self._deliver(self._response_id, event)
            if isinstance(event, Speech):
                await self._wait_for_room()

    async def _hold(self, event: ReplyEvent) -> None:
        """Keep an event; when enough is kept, wait for the end of the turn."""
        self._held.append(event)
        if isinstance(event, Speech):
            self._held_samples += len(event.samples)
        enough = self._held_samples >= HELD_AUDIO_S * self._makers.engines.synthesizer.rate_hz
        if enough or (isinstance(event, ClauseCut) and event.index >= HELD_CLAUSES):
            await self._released.wait()

    def _deliver(self, response_id: str, event: ReplyEvent) -> None:
        if isinstance(event, GenerationEnd):
            self._receive(PromptEvaluated(response_id, self._model.tokens + self._late_tokens))
        self._receive(Replied(response_id, event))
        if isinstance(event, GenerationEnd):
            self._unbilled_tokens = 0
            self._makers.token_quota.spend(event.input_tokens + event.output_tokens)

    def _fail(self, error: EngineError | RateLimitError) -> None:
        self._failed = True
        log.warning("session %s: response %s: %s", self._makers.name, self._response_id or "in preparation", error)
        match error:
            case _ if self._response_id is None:
                pass  # it is tried again when the turn is over
            case RateLimitError():
                self._receive(ReplyFailed(self._response_id, error.message, error.code, error.type))
            case EngineError():
                self._receive(ReplyFailed(self._response_id, str(error)))


def same_prompts(one: Sequence[Message], other: Sequence[Message]) -> bool:
    """Whether two prompts are the same but for how the user's last words are written.

    What the model hears of them needs no words: one that was made while nobody knew them yet is the same if it sounds the same.
    One that was made in a pause lacks only the silence after it.
    """
    last = last_of_user(one)
    if last is None or last != last_of_user(other) or len(one) != len(other):
        return False
    said, said_too = one[last], other[last]
    if said.audio is not None and not said.content:
        alike = said.audio == said_too.audio
    else:
        alike = _wordless(said) == _wordless(said_too) and words_of(said.content) == words_of(said_too.content)
    return alike and all(one[at] == other[at] for at in range(len(one)) if at != last)


def _wordless(message: Message) -> Message:
    audio = None if message.audio is None else replace(message.audio, clips=())
    return replace(message, content="", audio=audio)


def last_of_user(messages: Sequence[Message]) -> int | None:
    """Where the user's last words are; what is told of them may stand behind."""
    return next((at for at in range(len(messages) - 1, -1, -1) if messages[at].role == "user"), None)
