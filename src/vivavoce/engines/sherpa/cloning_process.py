"""The server's side of the process that clones: a request is answered piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any

from vivavoce.engines.sherpa.process import EndedError, ModelProcess, UnwantedError
from vivavoce.errors import EngineError
from vivavoce.types import Samples


class CloningProcess(ModelProcess):
    """A process of ``child``. Its methods block, and one thread calls them."""

    def speak(
        self, request: dict[str, Any], clip: Samples, unwanted: Callable[[], bool]
    ) -> Generator[tuple[int, Samples], None, None]:
        """The speech of the request's pieces, each with its place, until it is ``unwanted``. Raises ``EngineError``.

        A process that dies is replaced once, and the new one goes on with the piece that was not made.
        """
        done = 0
        for last_try in (False, True):
            remaining = {**request, "pieces": request["pieces"][done:]}
            offset = done
            try:
                for place, samples in self._synthesized(remaining, clip, unwanted):
                    yield offset + place, samples
                    done = offset + place + 1
                return
            except EndedError:
                if last_try:
                    raise
                if done == len(request["pieces"]):
                    return

    def _synthesized(
        self, request: dict[str, Any], clip: Samples, unwanted: Callable[[], bool]
    ) -> Iterator[tuple[int, Samples]]:
        """As ``speak``, of one process. Raises ``EngineError``, ``EndedError`` when the process ended by itself."""
        try:
            self.start(unwanted)
        except UnwantedError:
            return
        frame = self._send_request(request, clip, unwanted)
        while frame is not None:
            header, samples = frame
            if "error" in header:
                raise EngineError(self._model.name, header["error"])
            if "end" in header:
                return
            try:
                yield header["piece"], samples
            except GeneratorExit:
                self._stop()  # or what it still says would be taken for the next answer
                raise
            frame = self._next_frame(unwanted)
