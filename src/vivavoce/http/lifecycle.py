"""How far a server is: it loads, is ready, or has failed; and how a route gets at what a ready one has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from starlette.requests import HTTPConnection

from vivavoce.errors import ClientError
from vivavoce.http.core import AppState, Core
from vivavoce.http.ongoing import server_stopping
from vivavoce.runtime.engines import Engines
from vivavoce.store.keys import Keys
from vivavoce.store.store import Store


@dataclass(frozen=True, slots=True)
class Loading:
    """The start. ``store`` is open before the models are."""

    store: Store | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """All is there."""

    core: Core

    @property
    def store(self) -> Store:
        """The one that is open."""
        return self.core.store


@dataclass(frozen=True, slots=True)
class Failed:
    """The server could not start, for this ``reason``. ``store`` was open, if it was not that."""

    reason: str
    store: Store | None = None


Stage: TypeAlias = Loading | Ready | Failed


class Lifecycle:
    """The stage a server is at."""

    def __init__(self) -> None:
        self._stage: Stage = Loading()
        self._keys: Keys | None = None

    @property
    def stage(self) -> Stage:
        """Where it is."""
        return self._stage

    def store_opened(self, store: Store, keys: Keys) -> None:
        """From now on keys can be looked up."""
        self._stage, self._keys = Loading(store), keys

    def ready(self, core: Core) -> None:
        """From now on requests are answered."""
        self._stage = Ready(core)

    def failed(self, reason: str) -> None:
        """Nothing more will come."""
        self._stage = Failed(reason, self._stage.store)

    @property
    def keys(self) -> Keys:
        """The created keys. Raises ``ClientError`` (``server_loading``) until the store is open."""
        if self._keys is None:
            raise _unready("opening its store")
        return self._keys

    @property
    def core(self) -> Core:
        """What is shared. Raises ``ClientError`` (``server_loading``) until everything is loaded."""
        if not isinstance(self._stage, Ready):
            raise _unready("loading its models")
        return self._stage.core

    @property
    def engines(self) -> Engines | None:
        """The engines, as soon as they are in use."""
        return self._stage.core.engines if isinstance(self._stage, Ready) else None


def lifecycle_of(connection: HTTPConnection) -> Lifecycle:
    """How far the server of a connection is."""
    lifecycle: Lifecycle = connection.app.state.lifecycle
    return lifecycle


def app_state_of(connection: HTTPConnection) -> AppState:
    """What the server of a connection has from the first moment."""
    state: AppState = connection.app.state.app_state
    return state


def core_of(connection: HTTPConnection) -> Core:
    """What the server of a connection shares. Raises ``ClientError``: ``server_loading`` until it is ready,
    ``server_stopping`` at the end."""
    if app_state_of(connection).connections.draining:
        raise server_stopping()
    return lifecycle_of(connection).core


def _unready(doing: str) -> ClientError:
    return ClientError(f"The server is still {doing}.", code="server_loading", type="server_error")
