"""How a session stands: what whoever drives it has to know beside its outputs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """How a session stands after an input.

    ``interactive``: somebody speaks, waits for the transcript of what they have said, or is being answered. ``quiet``: no
    response is in progress, and no transcript on its way. ``queued_ms``: speech of the response in progress that waits to be
    sent.
    """

    interactive: bool = False
    quiet: bool = True
    queued_ms: int = 0
