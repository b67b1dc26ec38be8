"""A reply the user spoke into, until it is known whether they meant to interrupt it."""

from __future__ import annotations

from dataclasses import dataclass

from vivavoce.session.playback import Playback, Unheard
from vivavoce.session.response import Response


@dataclass(slots=True)
class Interruption:
    """What was cut, and where. ``position_ms`` is how much of its audio was heard; a client's truncate corrects it.

    ``deadline`` (seconds) is when the reply goes on if no words have come by then.
    """

    response: Response
    playback: Playback
    position_ms: int
    deadline: float

    @property
    def unheard(self) -> Unheard:
        """What is still to be said: nothing of it was heard, nothing of it is lost."""
        rest = self.playback.unheard_from(self.position_ms)
        return Unheard(rest.clauses, rest.text + self.response.written[len(self.playback.text) :])

    @property
    def finished(self) -> bool:
        """Whether all of the reply had been written."""
        return self.response.end is not None
