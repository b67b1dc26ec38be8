"""The console's files: who gets them, how they are sent, and what a page of them may do."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator

import httpx
import pytest

from running import RunningServer, running
from vivavoce.config import load_config
from vivavoce.http.console import console_files
from vivavoce.http.lifecycle import Loading

pytestmark = pytest.mark.skipif(not console_files(), reason="the console is not built: python console/build.py")

MAX_PAGE_BYTES = 400_000
"""Of all files as they are sent."""


@pytest.fixture(scope="module")
def locked() -> Iterator[RunningServer]:
    with running(load_config({"auth": {"keys": {"alice": "alice-secret-1"}}}, profile="fake")) as started:
        yield started


def test_nobody_needs_a_key_for_the_page_and_what_it_is_made_of(locked: RunningServer) -> None:
    page = httpx.get(f"{locked.http}/")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    links = re.findall(r'(?:href|src)="\./([^"]+)"', page.text)
    assert len(links) >= 3
    for link in links:
        assert httpx.get(f"{locked.http}/{link}").status_code == 200
    assert {f"assets/{link.split('/')[-1]}" for link in links if link.startswith("assets/")} < set(console_files())


def test_the_page_is_there_while_the_models_load(locked: RunningServer) -> None:
    with locked.at(Loading()):
        assert httpx.get(f"{locked.http}/").status_code == 200


def test_it_is_small_and_packed(locked: RunningServer) -> None:
    total = 0
    for path, file in console_files().items():
        url = f"{locked.http}/{'' if path == 'index.html' else path}"
        with httpx.stream("GET", url, headers={"Accept-Encoding": "gzip"}) as answer:
            sent = b"".join(answer.iter_raw())
        packed = answer.headers.get("content-encoding") == "gzip"
        assert (gzip.decompress(sent) if packed else sent) == file.body
        assert httpx.get(url, headers={"Accept-Encoding": "identity"}).content == file.body
        total += len(sent)
    assert total < MAX_PAGE_BYTES


def test_files_with_a_digest_in_their_names_are_kept_for_ever_and_the_page_is_asked_for_again(
    locked: RunningServer,
) -> None:
    asset = next(path for path in console_files() if path.startswith("assets/"))
    assert "immutable" in httpx.get(f"{locked.http}/{asset}").headers["cache-control"]
    page = httpx.get(f"{locked.http}/")
    assert page.headers["cache-control"] == "no-cache"
    again = httpx.get(f"{locked.http}/", headers={"If-None-Match": page.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_page_may_run_and_ask_nothing_but_its_own_origin(locked: RunningServer) -> None:
    page = httpx.get(f"{locked.http}/")
    policy = dict(rule.strip().split(" ", 1) for rule in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in page.headers["content-security-policy"]
    assert "<style" not in page.text
    assert re.findall(r"<script(?![^>]*\bsrc=)", page.text) == []
    assert "://" not in page.text


@pytest.mark.parametrize("path", ["assets/nothing.js", "assets/..%2f..%2fconsole.py", "assets/index.html"])
def test_there_is_nothing_else(locked: RunningServer, path: str) -> None:
    answer = httpx.get(f"{locked.http}/{path}")
    assert (answer.status_code, answer.json()["error"]["code"]) in {(404, "not_found"), (401, "invalid_api_key")}


def test_head(locked: RunningServer) -> None:
    head = httpx.head(f"{locked.http}/")
    assert (head.status_code, head.content) == (200, b"")


def test_it_can_be_left_out() -> None:
    with running(load_config({"http": {"console": False}}, profile="fake")) as server:
        assert 'data-status="ok"' in httpx.get(f"{server.http}/").text
        assert httpx.get(f"{server.http}/favicon.svg").status_code == 404
