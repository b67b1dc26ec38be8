"""One reply of the assistant: what its response is made from, and what is kept of it when the user speaks into it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import msgspec

from vivavoce.hosted import HostedTurn
from vivavoce.protocol.session_config import SessionConfig
from vivavoce.protocol.tool_config import server_side
from vivavoce.session.delivered_calls import DeliveredCalls
from vivavoce.session.outputs import StartReply
from vivavoce.session.playback import Playback, Unplayed
from vivavoce.session.prompt_builder import Prompt, ResponseRequest
from vivavoce.session.response import Response, ResponseStep
from vivavoce.session.server_calls import calls_as_messages
from vivavoce.turns.backchannel import asks_a_question
from vivavoce.types import GenerationEnd, Language, Message

ANSWER_MS = 2_000
"""A word said within so much audio after a question has been heard to its end is taken for the answer to it."""

JUST_WRITTEN = 60
"""So many characters of a written reply are about as much as is said in ``ANSWER_MS``."""

EARLY_MS = 500
"""People answer a question a moment before its last word is over."""


def reply_work(
    response_id: str,
    request: ResponseRequest,
    prompt: Prompt,
    language: Language,
    hosted: HostedTurn | None = None,
    silent_since: float | None = None,
) -> StartReply:
    """What is to be done for the reply to ``request``; ``language`` was spoken last. For the rest see ``StartReply``."""
    return StartReply(
        response_id,
        prompt.messages,
        prompt.options,
        request.voice,
        language,
        tool_tokens=prompt.tool_tokens,
        speed=request.config.speed,
        style=prompt.style.style,
        tools=server_side(request.config.tools),
        calls=request.calls,
        hosted=hosted,
        silent_since=silent_since,
    )


@dataclass(slots=True)
class Reply:
    """A response, and what it is made from.

    ``work`` is what the whole reply began with (``None`` while it waits for a transcript). A reply that goes on after a false
    interruption is a response of its own: ``played_before`` are the words the user heard of the earlier parts,
    ``clause_offset`` counts the clauses that were made by them, ``calls`` are those the client has had by now.
    ``not_applied`` names what of the client's wishes no voice can do.
    """

    response: Response
    request: ResponseRequest
    work: StartReply | None = None
    played_before: str = ""
    clause_offset: int = 0
    calls: DeliveredCalls = field(default_factory=DeliveredCalls)
    not_applied: tuple[str, ...] = ()

    def ends_with_question(self, position_ms: int) -> bool:
        """Whether somebody who has heard the first ``position_ms`` milliseconds has just been asked a question.

        What is written is read as it comes.
        """
        playback = self.response.playback
        if playback is None:
            return asks_a_question(self.response.written[-JUST_WRITTEN:])
        earlier = playback.words_until(position_ms - ANSWER_MS) if position_ms > ANSWER_MS else ""
        played = playback.words_until(position_ms + EARLY_MS)[len(earlier) :]
        if position_ms < ANSWER_MS:
            played = self.played_before[-1:] + played
        return asks_a_question(played)


@dataclass(slots=True)
class PausedReply:
    """A reply the user spoke into, and where: ``position_ms`` is how much of its audio was heard.

    ``BargeIn`` owns it. It keeps its playback's audio until it is ``release``d.
    """

    reply: Reply
    playback: Playback
    position_ms: int

    def __post_init__(self) -> None:
        self.playback.paused = True

    def release(self) -> None:
        """It is not paused any more: once its rest is taken, the next reply that ends frees its audio."""
        self.playback.paused = False

    def truncate(self, audio_end_ms: int) -> None:
        """The client has told how much was heard: so much, but no more than was sent."""
        self.position_ms = min(audio_end_ms, self.playback.sent_ms)

    @property
    def response(self) -> Response:
        """The response that was cut."""
        return self.reply.response

    @property
    def unplayed(self) -> Unplayed:
        """What is still to be said: nothing of it was heard, nothing of it is lost."""
        rest = self.playback.unplayed_from(self.position_ms)
        return Unplayed(rest.clauses, rest.text + self.response.written[len(self.playback.text) :])

    @property
    def finished(self) -> bool:
        """Whether all of the reply had been written."""
        return self.response.end is not None

    @property
    def all_played(self) -> bool:
        """Whether there is no word left to say."""
        rest = self.unplayed
        text = "".join(text for text, _ in rest.clauses) + rest.text
        return self.finished and not any(character.isalnum() for character in text)

    @property
    def played_text(self) -> str:
        """The words of the whole reply that do not follow any more."""
        rest = self.unplayed
        unplayed_characters = sum(len(text) for text, _ in rest.clauses) + len(rest.text)
        return self.reply.played_before + self.response.written[: len(self.response.written) - unplayed_characters]

    @property
    def written(self) -> str:
        """All words of the whole reply so far."""
        return self.reply.played_before + self.response.written

    def remaining_work(self) -> StartReply:
        """What is to be done for the rest: with what tools have found by now, and without the calls that are done."""
        work = self.reply.work
        if work is None:
            raise RuntimeError("a reply that has not begun has no work")
        calls = self.response.server_calls
        started_ids = {call.id for call in calls.completed} | calls.open.keys()
        remaining = (*calls.open.values(), *(call for call in work.calls if call.id not in started_ids))
        return replace(work, messages=(*work.messages, *calls_as_messages(tuple(calls.completed))), calls=remaining)

    def resume_in(self, reply: Reply) -> StartReply | None:
        """Hand what was not heard to the reply that goes on. Returns what is still to be done for it, if anything."""
        work, rest = self.remaining_work(), self.unplayed
        reply.work, reply.played_before, reply.calls = (
            work,
            self.played_text,
            DeliveredCalls(self.reply.calls.delivered),
        )
        reply.not_applied = self.reply.not_applied
        reply.clause_offset = len(rest.clauses)
        response, playback = reply.response, reply.response.playback
        response.prompt_usage = self.response.prompt_usage.for_continuation(prompted=not self.finished)
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
                response.happened(ResponseStep.GENERATED)
                return None
            work = replace(work, messages=(), calls=())
        elif self.written:
            reply_so_far = Message("assistant", self.written)
            options = replace(work.options, continue_last_message=True)
            work = replace(work, messages=(*work.messages, reply_so_far), options=options)
        voice, speed = reply.request.voice, reply.request.config.speed
        return replace(work, response_id=response.id, voice=voice, speed=speed, prefix=rest.text)

    def reconfigured(self, old: SessionConfig, new: SessionConfig) -> None:
        """The session speaks otherwise from now on, and so does what follows."""
        names = ("voice", "output_audio_format", "speed")
        changes = {name: getattr(new, name) for name in names if getattr(new, name) != getattr(old, name)}
        request = self.reply.request
        self.reply.request = replace(request, config=msgspec.structs.replace(request.config, **changes))
