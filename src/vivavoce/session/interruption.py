"""A reply the user spoke into, until it is known whether they meant to interrupt it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec

from vivavoce.protocol.session_config import SessionConfig
from vivavoce.session.asking import Ask
from vivavoce.session.playback import Playback, Unheard
from vivavoce.session.response import Response
from vivavoce.session.server_calls import calls_as_messages
from vivavoce.session.signals import StartReply


@dataclass(slots=True)
class Interruption:
    """What was cut, and where. ``position_ms`` is how much of its audio was heard; a client's truncate corrects it.

    ``deadline`` (seconds) is when the reply goes on if no words have come by then. ``work`` is what the whole reply began
    with (``None``: it waited for a transcript), ``before`` its words that were heard before this part of it.
    """

    response: Response
    playback: Playback
    position_ms: int
    deadline: float
    ask: Ask
    work: StartReply | None
    before: str

    @property
    def unheard(self) -> Unheard:
        """What is still to be said: nothing of it was heard, nothing of it is lost."""
        rest = self.playback.unheard_from(self.position_ms)
        return Unheard(rest.clauses, rest.text + self.response.written[len(self.playback.text) :])

    def whole_work(self) -> StartReply:
        """What is to be done for the rest: with what tools have found by now, and without the calls that are done."""
        if self.work is None:
            raise RuntimeError("a reply that has not begun has no work")
        calls = self.response.server_calls
        known = {call.id for call in calls.made} | calls.open.keys()
        left = (*calls.open.values(), *(call for call in self.work.calls if call.id not in known))
        return replace(self.work, messages=(*self.work.messages, *calls_as_messages(tuple(calls.made))), calls=left)

    @property
    def heard(self) -> str:
        """The words of the whole reply that do not follow any more."""
        rest = self.unheard
        unheard = sum(len(text) for text, _ in rest.clauses) + len(rest.text)
        return self.before + self.response.written[: len(self.response.written) - unheard]

    @property
    def written(self) -> str:
        """All words of the whole reply so far."""
        return self.before + self.response.written

    def reconfigured(self, old: SessionConfig, new: SessionConfig) -> None:
        """The session speaks otherwise from now on, and so does what follows."""
        names = ("voice", "output_audio_format", "speed")
        changes = {name: getattr(new, name) for name in names if getattr(new, name) != getattr(old, name)}
        self.ask = replace(self.ask, config=msgspec.structs.replace(self.ask.config, **changes))

    @property
    def finished(self) -> bool:
        """Whether all of the reply had been written."""
        return self.response.end is not None
