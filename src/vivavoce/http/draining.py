"""A web server that lets conversations come to a good end before it goes down.

Uvicorn closes WebSockets itself as soon as it shuts down (code 1012), in the middle of a word. So the calls are drained
first: whoever wants to come in meanwhile is refused with 503, replies in progress are finished, and each client is told
"going away" (1001), which means: connect again, here or elsewhere.
"""

from __future__ import annotations

import signal
from types import FrameType

import uvicorn

from vivavoce.runtime.calls import Calls


class DrainingServer(uvicorn.Server):
    """Uvicorn's server with our way to stop. ``drain_s`` is what replies in progress have to come to their end."""

    def __init__(self, config: uvicorn.Config, calls: Calls, *, drain_s: float) -> None:
        super().__init__(config)
        self._calls = calls
        self._drain_s = drain_s

    async def main_loop(self) -> None:
        """Serve until told to stop, then drain."""
        await super().main_loop()
        await self._calls.drain(self._drain_s)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal stops the server in its own time, a second one at once."""
        if self.should_exit:
            signal.signal(sig, signal.SIG_DFL)
            signal.raise_signal(sig)
        super().handle_exit(sig, frame)
