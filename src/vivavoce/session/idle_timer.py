"""How long nobody has said anything after a reply (OpenAI GA, ``idle_timeout_ms``)."""

from __future__ import annotations

from vivavoce.session.response import Response, ResponseState

STATES_AWAITING_USER = (ResponseState.COMPLETED, ResponseState.INCOMPLETE)
"""How a response ends after which the user's answer is waited for. A failure is none: it would bring on the next."""


class IdleTimer:
    """Runs from the moment a reply has been heard, or written, until somebody says something. Times in seconds."""

    def __init__(self) -> None:
        self._since: float | None = None

    def response_ended(self, response: Response, now: float, *, awaits_client_output: bool) -> None:
        """A response is over. ``awaits_client_output``: a call, or a question whether to make one, waits for its answer."""
        playback = response.playback
        played_at = max(now, playback.played_at()) if playback is not None and playback.sent_ms else now
        if response.in_conversation:
            said = response.state in STATES_AWAITING_USER and response.message_id is not None
            self._since = played_at if said and not awaits_client_output else None
        elif played_at > now:
            self.restart(played_at)  # what nobody remembers is heard all the same

    def restart(self, now: float) -> None:
        """If it runs, it runs anew from ``now`` on: there was a noise, or it was off."""
        if self._since is not None:
            self._since = max(self._since, now)

    def stop(self) -> None:
        """Somebody has said something, or is about to: it runs again after the next reply."""
        self._since = None

    def due_at(self, timeout_ms: int) -> float | None:
        """When the silence has lasted for ``timeout_ms``; ``None`` while it does not run."""
        return None if self._since is None else self._since + timeout_ms / 1000

    def silence_s(self, now: float) -> float:
        """How long it has been running."""
        return 0.0 if self._since is None else now - self._since
