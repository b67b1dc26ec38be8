"""Pulls in the background of a server, one at a time, with their progress to look at."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from vivavoce.errors import WeightsError
from vivavoce.models.catalogue import WeightEntry
from vivavoce.models.progress import PullProgress

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PullState:
    """How far a pull is. ``total_bytes`` is 0 until it has begun; ``error``: it is over and has failed."""

    done_bytes: int = 0
    total_bytes: int = 0
    place: str = ""
    error: str | None = None

    @property
    def running(self) -> bool:
        """Whether more is to come."""
        return self.error is None


class BackgroundPulls:
    """The pulls of one server. ``pull`` fetches an entry and tells how it goes; it blocks, and raises ``WeightsError``.

    Each runs in a thread that ends with the process: what it has fetched of a file is kept, and the next pull goes on there.
    """

    def __init__(self, pull: Callable[[WeightEntry, PullProgress], None]) -> None:
        self._pull = pull
        self._states: dict[str, PullState] = {}
        self._turn = threading.Lock()

    def state(self, name: str) -> PullState | None:
        """The pull of an entry that runs or has failed; ``None``: there was none, or it is complete."""
        return self._states.get(name)

    def start(self, entry: WeightEntry) -> PullState:
        """Begin to pull an entry, unless that is under way."""
        state = self._states.get(entry.name)
        if state is None or not state.running:
            state = self._states[entry.name] = PullState()
            threading.Thread(target=self._run, args=(entry,), name=f"pull {entry.name}", daemon=True).start()
        return state

    def _run(self, entry: WeightEntry) -> None:
        try:
            with self._turn:
                self._pull(entry, _Reported(self._states, entry.name))
        except WeightsError as error:
            log.warning("the weights %s were not pulled: %s", entry.name, error)
            self._states[entry.name] = replace(self._states[entry.name], error=str(error))
        except Exception:
            log.exception("the weights %s were not pulled", entry.name)
            self._states[entry.name] = replace(self._states[entry.name], error="The server's log says why.")
        else:
            del self._states[entry.name]


class _Reported:
    """Writes a pull's progress down."""

    def __init__(self, states: dict[str, PullState], name: str) -> None:
        self._states = states
        self._name = name

    def begin(self, entry: WeightEntry, size_bytes: int) -> None:
        self._change(total_bytes=size_bytes)

    def at(self, done_bytes: int, place: str) -> None:
        self._change(done_bytes=done_bytes, place=place)

    def note(self, message: str) -> None:
        log.info("%s", message)

    def end(self, entry: WeightEntry) -> None:
        """The state goes when the pull has returned."""

    def _change(
        self, *, done_bytes: int | None = None, total_bytes: int | None = None, place: str | None = None
    ) -> None:
        state = self._states[self._name]
        self._states[self._name] = PullState(
            state.done_bytes if done_bytes is None else done_bytes,
            state.total_bytes if total_bytes is None else total_bytes,
            state.place if place is None else place,
        )
