"""The page at ``/`` of a server without the console: for people, with or without a key, ready or not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import httpx
import pytest

from running import RunningServer, running
from vivavoce import __version__
from vivavoce.config import load_config
from vivavoce.http.lifecycle import Failed, Loading


@pytest.fixture(scope="module")
def locked() -> Iterator[RunningServer]:
    settings = {"auth": {"keys": {"alice": "alice-secret-1"}}, "http": {"console": False}}
    with running(load_config(settings, profile="fake")) as started:
        yield started


class Links(HTMLParser):
    """Everything a page refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("href", "src", "action") and value]


def test_it_says_what_this_is_and_that_it_is_ready(locked: RunningServer) -> None:
    answer = httpx.get(f"{locked.http}/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "voice dialogue server" in answer.text
    assert 'data-status="ok"' in answer.text
    assert f"{locked.http}/v1<" in answer.text
    assert f"{locked.ws}/v1/realtime<" in answer.text


def test_it_leads_on_and_needs_nothing_from_elsewhere(locked: RunningServer) -> None:
    answer = httpx.get(f"{locked.http}/")
    links = Links(answer.text).found
    for link in links:
        assert link == "data:," or httpx.get(f"{locked.http}/{link}").status_code == 200
    assert {"docs", "openapi.json", "health"} <= set(links)
    assert "<script" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_it_says_no_more_than_health(locked: RunningServer) -> None:
    """Where there are keys the version, and how much goes on, are for who has one."""
    with_key = {"Authorization": "Bearer alice-secret-1"}
    for headers, version in (({}, []), ({"Authorization": "Bearer wrong-secret"}, []), (with_key, [__version__])):
        answer = httpx.get(f"{locked.http}/", headers=headers)
        assert re.findall(r"\d+\.\d+\.\d+", answer.text.replace("127.0.0.1", "")) == version
        assert "alice" not in answer.text
        health = httpx.get(f"{locked.http}/health", headers=headers).json()
        assert health["status"] == "ok"
        assert ("version" in health, "sessions" in health) == (bool(version), bool(version))


@pytest.mark.parametrize("path", ["/", "/health"])
def test_head(locked: RunningServer, path: str) -> None:
    head, get = httpx.head(locked.http + path), httpx.get(locked.http + path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]


@pytest.mark.parametrize(("failure", "status"), [(None, "loading"), ("/secret/path: no weights", "failed")])
def test_until_it_is_ready_it_says_so(locked: RunningServer, failure: str | None, status: str) -> None:
    with locked.at(Loading() if failure is None else Failed(failure)):
        answer, head = httpx.get(f"{locked.http}/"), httpx.head(f"{locked.http}/")
    assert (answer.status_code, head.status_code) == (503, 503)
    assert f'data-status="{status}"' in answer.text
    assert ('http-equiv="refresh"' in answer.text) == (status == "loading")
    assert "secret" not in answer.text


def test_a_host_is_no_markup(locked: RunningServer) -> None:
    answer = httpx.get(f"{locked.http}/", headers={"Host": 'x"><script>alert(1)</script>'})
    assert "<script" not in answer.text


def test_other_methods_are_refused_as_everywhere(locked: RunningServer) -> None:
    answer = httpx.post(f"{locked.http}/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")
