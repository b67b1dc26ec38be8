"""What a service is: routes, and what is opened for them when the server has loaded its models.

A package of anybody's may bring one: it names a callable without parameters that makes a ``Service`` in its entry points, in
the group ``vivavoce.services``, and has its routes on every server it is installed beside.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Protocol

from fastapi import APIRouter

from vivavoce.http.core import Core

GROUP = "vivavoce.services"


class Service(Protocol):
    """A part of the API. ``router`` has its routes, which get at ``Core`` by ``core_of``."""

    @property
    def router(self) -> APIRouter:
        """The routes, from the first moment: ``core_of`` refuses who comes too early."""

    async def open(self, core: Core) -> None:
        """Open what the routes need; what others need too is added to ``core.shared``. Raises ``VivavoceError``."""

    async def close(self) -> None:
        """Close what was opened; called once, also when ``open`` failed half-way."""


class Routes:
    """A service that has nothing to open: everything its routes need is in the core."""

    def __init__(self, *routers: APIRouter) -> None:
        self.router = APIRouter()
        for router in routers:
            self.router.include_router(router)

    async def open(self, core: Core) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""


def load_services() -> dict[str, Service]:
    """New services of a server, by name: those of this project, and what other packages bring."""
    found = sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
    return {entry.name: entry.load()() for entry in found}
