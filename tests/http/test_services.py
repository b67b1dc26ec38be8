"""A service of another package: one module, found by its entry point."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import httpx
import pytest

from running import running
from vivavoce.app import create_app
from vivavoce.config import load_config
from vivavoce.http.lifecycle import Failed
from vivavoce.http.services.base import GROUP, load_services

SERVICE = """
from fastapi import APIRouter, Request
from vivavoce.http.auth import Owner
from vivavoce.http.core import Core
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.lifecycle import core_of
from vivavoce.http.services.base import Routes

router = APIRouter(route_class=ReportingRoute)
log = []


class Register:
    def __init__(self, path):
        self.lines = path.read_text().splitlines()


@router.get("/v1/register")
async def register(request: Request, owner: Owner) -> dict[str, object]:
    core = core_of(request)
    return {"owner": owner, "lines": core.shared[Register].lines, "language_models": sorted(core.engines.language_models)}


class RegisterService(Routes):
    def __init__(self):
        super().__init__(router)

    async def open(self, core: Core) -> None:
        from pathlib import Path

        core.shared.add(Register(Path(__file__).with_name("register.txt")))
        log.append("opened")

    async def close(self) -> None:
        log.append("closed")
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package that brings a service, on the import path as an installer would leave it."""
    (tmp_path / "register_service.py").write_text(SERVICE)
    (tmp_path / "register.txt").write_text("Ann\nBen\n")
    info = tmp_path / "register_service-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: register-service\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\nregister = register_service:RegisterService\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("register_service", None)


def test_each_service_of_this_project_has_routes() -> None:
    services = load_services()
    assert set(services) >= {"chat", "conversation", "knowledge", "platform", "speech", "transcription", "voices"}
    assert all(service.router.routes for service in services.values())
    assert {entry.name for entry in entry_points(group=GROUP)} == set(services)


def test_a_service_of_another_package_is_opened_served_and_closed(installed: Path) -> None:
    with running(load_config({"auth": {"keys": {"ann": "key-of-ann-1"}}}, profile="fake")) as server:
        url = f"{server.http}/v1/register"
        assert httpx.get(url).status_code == 401, "a path nobody has thought of needs a key"
        answer = httpx.get(url, headers={"Authorization": "Bearer key-of-ann-1"})
        assert answer.json() == {"owner": "ann", "lines": ["Ann", "Ben"], "language_models": ["large", "small"]}
        log = sys.modules["register_service"].log
        assert log == ["opened"]
    assert log == ["opened", "closed"]


async def test_a_service_that_cannot_be_opened_ends_the_start_and_is_closed(installed: Path, tmp_path: Path) -> None:
    (installed / "register.txt").unlink()
    failed = asyncio.Event()
    storage = {"url": f"sqlite:///{tmp_path / 'vivavoce.db'}", "blobs": str(tmp_path / "blobs")}
    app = create_app(load_config({"storage": storage}, profile="fake"), on_failure=failed.set)
    async with app.router.lifespan_context(app):
        await asyncio.wait_for(failed.wait(), 30)
        assert isinstance(app.state.lifecycle.stage, Failed)
    assert sys.modules["register_service"].log == ["closed"]
