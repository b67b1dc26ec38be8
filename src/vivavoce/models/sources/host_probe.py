"""Does a host answer at all? Asked once a run before a client with longer patience is sent there."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import httpx

from vivavoce.models.sources.base import REACH_S, SourceUnreachableError


@dataclass
class HostProbe:
    """Remembers for the run which addresses answered. ``limit_s`` is how long one may take."""

    limit_s: float = REACH_S
    _results: dict[str, str | None] = field(default_factory=dict)

    def require(self, address: str) -> None:
        """Return when ``address`` answers, whatever the status.

        Raises ``SourceUnreachableError``, within ``limit_s`` the first time and at once after that.
        """
        if address not in self._results:
            self._results[address] = self._ask(address)
        if (reason := self._results[address]) is not None:
            raise SourceUnreachableError(f"{address} cannot be reached: {reason}")

    def _ask(self, address: str) -> str | None:
        outcome: list[str | None] = []

        def ask() -> None:
            try:
                httpx.head(address, timeout=self.limit_s)
            except httpx.HTTPError as error:
                outcome.append(str(error) or type(error).__name__)
            else:
                outcome.append(None)

        # In a thread of its own, for name resolution keeps to no timeout; a daemon, so that it never holds up the exit.
        thread = threading.Thread(target=ask, name=f"reach {address}", daemon=True)
        thread.start()
        thread.join(self.limit_s)
        return outcome[0] if outcome else f"no answer within {self.limit_s:g} s"
