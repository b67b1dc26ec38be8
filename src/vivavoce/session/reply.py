"""One reply of the assistant: what its response is made from, and what is kept of it when the user speaks into it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import msgspec

from vivavoce.protocol.session_config import SessionConfig
from vivavoce.session.asking import Ask
from vivavoce.session.handed_calls import HandedCalls
from vivavoce.session.playback import Playback, Unheard
from vivavoce.session.response import Response, ResponseEvent
from vivavoce.session.server_calls import calls_as_messages
from vivavoce.session.signals import StartReply
from vivavoce.turns.backchannel import asks_a_question
from vivavoce.types import GenerationEnd, Message

ANSWER_MS = 2_000
"""A word said within so much audio after a question has been heard to its end is taken for the answer to it."""

JUST_WRITTEN = 60
"""So many characters of a written reply are about as much as is said in ``ANSWER_MS``."""

EARLY_MS = 500
"""People answer a question a moment before its last word is over."""


@dataclass(slots=True)
class Reply:
    """A response, and what it is made from.

    ``work`` is what the whole reply began with (``None`` while it waits for a transcript). A reply that goes on after a false
    interruption is a response of its own: ``heard_before`` are the words the user heard of the earlier parts,
    ``clauses_before`` counts the clauses that were made by them, ``calls`` are those the client has had by now.
    """

    response: Response
    ask: Ask
    work: StartReply | None = None
    heard_before: str = ""
    clauses_before: int = 0
    calls: HandedCalls = field(default_factory=HandedCalls)

    def has_just_asked(self, position_ms: int) -> bool:
        """Whether somebody who has heard the first ``position_ms`` milliseconds has just been asked a question.

        What is written is read as it comes.
        """
        playback = self.response.playback
        if playback is None:
            return asks_a_question(self.response.written[-JUST_WRITTEN:])
        earlier = playback.words_until(position_ms - ANSWER_MS) if position_ms > ANSWER_MS else ""
        heard = playback.words_until(position_ms + EARLY_MS)[len(earlier) :]
        if position_ms < ANSWER_MS:
            heard = self.heard_before[-1:] + heard
        return asks_a_question(heard)


@dataclass(slots=True)
class PausedReply:
    """A reply the user spoke into, and where: ``position_ms`` is how much of its audio was heard.

    A client's ``conversation.item.truncate`` corrects the position.
    """

    reply: Reply
    playback: Playback
    position_ms: int

    @property
    def response(self) -> Response:
        """The response that was cut."""
        return self.reply.response

    @property
    def unheard(self) -> Unheard:
        """What is still to be said: nothing of it was heard, nothing of it is lost."""
        rest = self.playback.unheard_from(self.position_ms)
        return Unheard(rest.clauses, rest.text + self.response.written[len(self.playback.text) :])

    @property
    def finished(self) -> bool:
        """Whether all of the reply had been written."""
        return self.response.end is not None

    @property
    def all_heard(self) -> bool:
        """Whether there is no word left to say."""
        rest = self.unheard
        text = "".join(text for text, _ in rest.clauses) + rest.text
        return self.finished and not any(character.isalnum() for character in text)

    @property
    def heard(self) -> str:
        """The words of the whole reply that do not follow any more."""
        rest = self.unheard
        unheard = sum(len(text) for text, _ in rest.clauses) + len(rest.text)
        return self.reply.heard_before + self.response.written[: len(self.response.written) - unheard]

    @property
    def written(self) -> str:
        """All words of the whole reply so far."""
        return self.reply.heard_before + self.response.written

    def whole_work(self) -> StartReply:
        """What is to be done for the rest: with what tools have found by now, and without the calls that are done."""
        work = self.reply.work
        if work is None:
            raise RuntimeError("a reply that has not begun has no work")
        calls = self.response.server_calls
        known = {call.id for call in calls.made} | calls.open.keys()
        left = (*calls.open.values(), *(call for call in work.calls if call.id not in known))
        return replace(work, messages=(*work.messages, *calls_as_messages(tuple(calls.made))), calls=left)

    def go_on_in(self, reply: Reply) -> StartReply | None:
        """Hand what was not heard to the reply that goes on. Returns what is still to be done for it, if anything."""
        work, rest = self.whole_work(), self.unheard
        reply.work, reply.heard_before, reply.calls = work, self.heard, HandedCalls(self.reply.calls.had)
        reply.clauses_before = len(rest.clauses)
        response, playback = reply.response, reply.response.playback
        response.prompted = self.response.prompted.again(prompted=not self.finished)
        if playback is None:
            raise RuntimeError("only spoken replies can be paused")
        for index, (text, pcm) in enumerate(rest.clauses):
            if text:
                response.text(text)
            playback.add_clause(text)
            if pcm:
                playback.push_pcm(index, pcm)
            playback.clause_done(index)
        if self.finished:
            response.end = GenerationEnd("stop")
            if not rest.text:
                response.happened(ResponseEvent.GENERATED)
                return None
            work = replace(work, messages=(), calls=())
        elif self.written:
            said = Message("assistant", self.written)
            work = replace(work, messages=(*work.messages, said), options=replace(work.options, goes_on=True))
        voice, speed = reply.ask.voice, reply.ask.config.speed
        return replace(work, response_id=response.id, voice=voice, speed=speed, begun=rest.text)

    def reconfigured(self, old: SessionConfig, new: SessionConfig) -> None:
        """The session speaks otherwise from now on, and so does what follows."""
        names = ("voice", "output_audio_format", "speed")
        changes = {name: getattr(new, name) for name in names if getattr(new, name) != getattr(old, name)}
        ask = self.reply.ask
        self.reply.ask = replace(ask, config=msgspec.structs.replace(ask.config, **changes))
