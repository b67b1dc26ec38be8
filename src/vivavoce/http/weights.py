"""``/v1/weights``: what weights there are, which of them are here, and pulls with their progress. Ours, in no other API."""

from __future__ import annotations

import asyncio
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel

from vivavoce.config import Config
from vivavoce.errors import ClientError, EngineError, WeightsError
from vivavoce.http.auth import Owner
from vivavoce.http.core import Core
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.lifecycle import core_of
from vivavoce.models.background_pull import BackgroundPulls
from vivavoce.models.catalogue import WeightEntry, load_catalogue
from vivavoce.models.progress import PullProgress
from vivavoce.models.pull import Pull
from vivavoce.models.sources import open_sources
from vivavoce.models.store import EntryStatus, WeightStore

router = APIRouter(route_class=ReportingRoute, tags=["models"])


class PullObject(BaseModel):
    """A pull under way, or, with an ``error``, one that failed."""

    done_bytes: int
    total_bytes: int
    place: str
    error: str | None


class WeightsObject(BaseModel):
    """An entry of the catalogue. ``present``: engines can load it; ``optional``: nothing needs it by default."""

    name: str
    object: Literal["weights"] = "weights"
    what: str
    licence: str
    size_bytes: int
    present: bool
    optional: bool
    pull: PullObject | None


class WeightsList(BaseModel):
    """All of them."""

    object: Literal["list"] = "list"
    data: list[WeightsObject]
    has_more: Literal[False] = False


@router.get("/v1/weights")
async def list_weights(request: Request, _: Owner) -> WeightsList:
    """The catalogue of weights: names, licences, sizes, and whether they are here."""
    core = core_of(request)
    return WeightsList(data=[_described(status, core) for status in await _statuses(core.config)])


@router.post("/v1/weights/{name}/pull", status_code=202)
async def pull_weights(request: Request, _: Owner, name: str) -> WeightsObject:
    """Pull weights in the background; `GET /v1/weights` tells how far that is. What is configured to use them does so from the
    next start on."""
    core = core_of(request)
    for status in await _statuses(core.config):
        if status.entry.name == name:
            if not status.present:
                core.shared[BackgroundPulls].start(status.entry)
            return _described(status, core)
    raise ClientError(f"There are no weights called '{name}'.", code="not_found", param="name")


def background_pulls(config: Config) -> BackgroundPulls:
    """Pulls into the configured store."""

    def pull(entry: WeightEntry, progress: PullProgress) -> None:
        store = _store(config)
        Pull(store, open_sources(store.local), progress).run([entry.name])

    return BackgroundPulls(pull)


def _store(config: Config) -> WeightStore:
    return WeightStore(load_catalogue(), config.weights_folder, config.models)


async def _statuses(config: Config) -> tuple[EntryStatus, ...]:
    try:
        return await asyncio.to_thread(lambda: _store(config).status())
    except WeightsError as error:
        raise EngineError("weights", str(error)) from error


def _described(status: EntryStatus, core: Core) -> WeightsObject:
    entry, state = status.entry, core.shared[BackgroundPulls].state(status.entry.name)
    pull = None
    if state is not None:
        pull = PullObject(
            done_bytes=state.done_bytes, total_bytes=state.total_bytes, place=state.place, error=state.error
        )
    return WeightsObject(
        name=entry.name,
        what=entry.what,
        licence=entry.licence,
        size_bytes=entry.size_bytes,
        present=status.present,
        optional=entry.optional,
        pull=pull,
    )
