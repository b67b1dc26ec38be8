"""``/v1/files`` against a running server, on both databases: openai-python's way, StepFun's way, and wrong ways."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from openai import NotFoundError, OpenAI

from running import RunningServer, running
from vivavoce.config import load_config

ALICE, BOB = "alice-secret-1", "bob-secret-22"


@pytest.fixture(scope="module")
def filing(database_url: str) -> Iterator[RunningServer]:
    settings: dict[str, Any] = {
        "storage": {"url": database_url},
        "auth": {"keys": {"alice": ALICE, "bob": BOB}},
        "net": {"allow_private": True},
    }
    with running(load_config(settings, profile="fake")) as started:
        yield started


@pytest.fixture
def alice(filing: RunningServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{filing.http}/v1", api_key=ALICE, max_retries=0) as client:
        yield client


@pytest.fixture
def bob(filing: RunningServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{filing.http}/v1", api_key=BOB, max_retries=0) as client:
        yield client


def post(server: RunningServer, **form: Any) -> httpx.Response:
    return httpx.post(f"{server.http}/v1/files", headers={"Authorization": f"Bearer {ALICE}"}, timeout=60, **form)


def blobs_of(server: RunningServer) -> list[Path]:
    assert server.core.config.storage.blobs is not None
    return [path for path in Path(server.core.config.storage.blobs).rglob("*") if path.is_file()]


def error_of(response: httpx.Response) -> tuple[int, str, str | None]:
    error = response.json()["error"]
    assert set(error) == {"message", "type", "code", "param"}
    return response.status_code, error["code"], error["param"]


def test_openai_python_uploads_lists_reads_and_deletes(alice: OpenAI, filing: RunningServer) -> None:
    made = alice.files.create(file=("notes.md", b"# Notes\n"), purpose="assistants")
    assert (made.object, made.filename, made.bytes, made.status) == ("file", "notes.md", 8, "processed")
    assert made.id.startswith("file-")
    assert alice.files.wait_for_processing(made.id).id == made.id
    assert [file.id for file in alice.files.list()] == [made.id]
    content = alice.files.content(made.id)
    assert content.read() == b"# Notes\n"
    assert content.response.headers["content-type"].startswith("text/markdown")
    assert content.response.headers["content-disposition"] == "attachment; filename*=UTF-8''notes.md"
    assert alice.files.delete(made.id).deleted
    with pytest.raises(NotFoundError) as gone:
        alice.files.retrieve(made.id)
    assert gone.value.code == "file_not_found"
    assert blobs_of(filing) == []


def test_pages_have_an_end(alice: OpenAI) -> None:
    made = {alice.files.create(file=(f"{n}.txt", b"x"), purpose="user_data").id for n in range(5)}
    assert {file.id for file in alice.files.list(limit=2, order="asc")} == made
    assert {file.id for file in alice.files.list(purpose="vision")} == set()
    for file_id in made:
        alice.files.delete(file_id)


def test_an_expiry_is_kept(alice: OpenAI) -> None:
    expiry: Any = {"anchor": "created_at", "seconds": 3600}
    made = alice.files.create(file=("a.txt", b"x"), purpose="assistants", expires_after=expiry)
    assert made.expires_at == made.created_at + 3600
    alice.files.delete(made.id)


def test_owners_see_nothing_of_each_other(alice: OpenAI, bob: OpenAI) -> None:
    made = alice.files.create(file=("hers.txt", b"hers"), purpose="assistants")
    assert list(bob.files.list()) == []
    for attempt in (bob.files.retrieve, bob.files.content, bob.files.delete):
        with pytest.raises(NotFoundError):
            attempt(made.id)
    assert alice.files.content(made.id).read() == b"hers"
    alice.files.delete(made.id)


def test_the_text_of_a_document(filing: RunningServer, alice: OpenAI) -> None:
    """StepFun's way: upload for extraction, wait for `success`, read the content as plain text."""
    made = post(filing, data={"purpose": "file-extract"}, files={"file": ("t.csv", b"name,age\nAnn,7\n")}).json()
    assert made["status"] == "success"
    content = alice.files.content(made["id"])
    assert content.response.headers["content-type"] == "text/plain; charset=utf-8"
    assert content.text == "name: Ann; age: 7"
    alice.files.delete(made["id"])


class _Web(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/a%20file.txt?x=1" else 404)
        self.end_headers()
        self.wfile.write(b"from the web")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Web) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_file_can_come_from_a_url(filing: RunningServer, web: str, alice: OpenAI) -> None:
    form = {"purpose": (None, "retrieval-text"), "url": (None, f"{web}/a%20file.txt?x=1")}
    made = post(filing, files=form).json()
    assert (made["filename"], made["bytes"]) == ("a file.txt", 12)
    assert alice.files.content(made["id"]).read() == b"from the web"
    both = post(filing, data={"purpose": "user_data", "url": f"{web}/nothing"}, files={"file": ("b.txt", b"here")})
    assert both.json()["filename"] == "b.txt"
    for file_id in (made["id"], both.json()["id"]):
        alice.files.delete(file_id)
    missing = post(filing, files={"purpose": (None, "user_data"), "url": (None, f"{web}/nothing.txt")})
    assert error_of(missing) == (400, "url_unreachable", "url")


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"files": {"file": ("a.txt", b"x")}}, (400, "missing_required_parameter", "purpose")),
        ({"files": {"purpose": (None, "user_data")}}, (400, "missing_required_parameter", "file")),
        ({"data": {"purpose": "batch"}, "files": {"file": ("a.txt", b"x")}}, (400, "invalid_value", "purpose")),
        ({"data": {"purpose": "storage"}, "files": {"file": ("a.wav", b"x")}}, (400, "unsupported_file_type", "file")),
        ({"data": {"purpose": "storage"}, "files": {"file": ("a.wav", b"")}}, (400, "empty_file", "file")),
        (
            {"data": {"purpose": "file-extract"}, "files": {"file": ("a.pdf", b"%PDF-1.7 no")}},
            (400, "unreadable_file", "file"),
        ),
        ({"json": {"purpose": "user_data"}}, (415, "unsupported_media_type", "content-type")),
        ({}, (415, "unsupported_media_type", "content-type")),
        (
            {"content": b"nonsense", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
            (400, "invalid_request", None),
        ),
    ],
)
def test_wrong_uploads_are_refused_and_leave_nothing(
    filing: RunningServer, form: dict[str, Any], expected: tuple[int, str, str | None]
) -> None:
    headers = {"Authorization": f"Bearer {ALICE}", **form.get("headers", {})}
    response = httpx.post(f"{filing.http}/v1/files", timeout=60, **{**form, "headers": headers})
    assert error_of(response) == expected
    assert blobs_of(filing) == []


def test_too_large_a_file_is_refused(filing: RunningServer) -> None:
    """Of its purpose; and of any, by what the request says of its length."""
    large = b"x" * (65 * 1024 * 1024)
    response = post(filing, data={"purpose": "retrieval-text"}, files={"file": ("a.txt", large)})
    assert error_of(response)[:2] == (413, "request_too_large")
    connection = HTTPConnection("127.0.0.1", filing.port, timeout=30)
    headers = {"Authorization": f"Bearer {ALICE}", "Content-Type": "multipart/form-data; boundary=x"}
    connection.request("POST", "/v1/files", headers={**headers, "Content-Length": str(10**12)})
    answer = connection.getresponse()
    assert answer.status == 413
    assert json.load(answer)["error"]["code"] == "request_too_large"
    connection.close()
    assert blobs_of(filing) == []


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "order=up", "after=file-none"])
def test_wrong_lists_name_their_parameter(filing: RunningServer, query: str) -> None:
    response = httpx.get(f"{filing.http}/v1/files?{query}", headers={"Authorization": f"Bearer {ALICE}"})
    assert error_of(response) == (400, "invalid_value", query.partition("=")[0])


def test_a_large_upload_is_never_whole_in_memory(filing: RunningServer, tmp_path: Path) -> None:
    large = tmp_path / "large.mp4"
    with large.open("wb") as file:
        file.write(b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom")
        file.truncate(100 * 1024 * 1024)
    tracemalloc.start()
    try:
        with large.open("rb") as content:
            answer = post(filing, data={"purpose": "storage"}, files={"file": ("large.mp4", content)})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.json()["bytes"] == 100 * 1024 * 1024, answer.text
    assert peak < 16 * 1024 * 1024
    headers = {"Authorization": f"Bearer {ALICE}"}
    assert httpx.delete(f"{filing.http}/v1/files/{answer.json()['id']}", headers=headers).status_code == 200
