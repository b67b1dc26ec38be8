"""The page that describes the API: it is whole, and needs nothing of another server."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from running import RunningServer, running
from vivavoce.config import load_config


def test_every_operation_is_on_it_and_nothing_from_elsewhere(server: RunningServer) -> None:
    answer = httpx.get(f"{server.http}/docs")
    described = httpx.get(f"{server.http}/openapi.json").json()
    for path, methods in described["paths"].items():
        assert answer.text.count(f"<code>{path}</code>") >= len(methods)
    for name in described["components"]["schemas"]:
        assert f"<code>{name}</code>" in answer.text
    assert set(re.findall(r'(?:href|src)="([^"]*)"', answer.text)) == {"data:,", "openapi.json"}
    assert "<script" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.fixture(scope="module")
def silent() -> Iterator[RunningServer]:
    with running(load_config({"http": {"docs": False}}, profile="fake")) as started:
        yield started


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/redoc", "/docs/oauth2-redirect"])
def test_it_can_be_switched_off(silent: RunningServer, path: str) -> None:
    assert httpx.get(silent.http + path).status_code == 404
    assert "openapi.json" not in httpx.get(f"{silent.http}/").text
