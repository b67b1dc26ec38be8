"""A server that keeps its blobs in an S3-compatible store: files, voices' clips and spoken files, and what is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import pytest

from bucket import Bucket, storage
from net.pages import served
from running import RunningServer, running
from vivavoce.config import load_config
from voicing import file_of, hum

MIB = 1024 * 1024
PREFIX = "/of/vivavoce"


@pytest.fixture(scope="module")
def bucket() -> Bucket:
    return Bucket()


@pytest.fixture(scope="module")
def keeping(bucket: Bucket) -> Iterator[RunningServer]:
    with (
        served(bucket) as port,
        running(
            load_config({"storage": storage(port, PREFIX), "net": {"allow_private": True}}, profile="fake")
        ) as started,
    ):
        yield started


@pytest.fixture
def client(keeping: RunningServer, bucket: Bucket) -> Iterator[httpx.Client]:
    assert not bucket.objects
    with httpx.Client(base_url=f"{keeping.http}/v1", timeout=60) as opened:
        yield opened
    assert not bucket.objects
    assert not bucket.uploads


def uploaded(client: httpx.Client, name: str, content: bytes, purpose: str = "storage") -> httpx.Response:
    return client.post("/files", data={"purpose": purpose}, files={"file": (name, content)})


def test_files_are_kept_listed_read_and_deleted(client: httpx.Client, bucket: Bucket) -> None:
    small, large = file_of(hum(200)), b"x,y\n" + b"1,2\n" * (3 * MIB)
    made = [uploaded(client, "me.wav", small).json(), uploaded(client, "t.csv", large, "assistants").json()]
    assert sorted(map(len, bucket.objects.values())) == sorted([len(small), len(large)])
    assert all(key.startswith("of/vivavoce/") for key in bucket.objects)
    assert {file["id"] for file in client.get("/files").json()["data"]} == {file["id"] for file in made}
    assert client.get(f"/files/{made[0]['id']}/content").content == small
    assert client.get(f"/files/{made[1]['id']}/content").content == large
    for file in made:
        assert client.delete(f"/files/{file['id']}").json()["deleted"] is True
        assert client.get(f"/files/{file['id']}/content").status_code == 404


def test_the_text_of_a_document(client: httpx.Client) -> None:
    made = uploaded(client, "t.csv", b"name,age\nAnn,7\n", "file-extract").json()
    assert made["status"] == "success"
    assert client.get(f"/files/{made['id']}/content").text == "name: Ann; age: 7"
    assert client.delete(f"/files/{made['id']}").json()["deleted"] is True


def test_a_voice_is_made_of_a_file(client: httpx.Client, bucket: Bucket) -> None:
    file = uploaded(client, "me.wav", file_of(hum(200))).json()["id"]
    voice = client.post("/audio/voices", json={"model": "step-tts-2", "file_id": file})
    assert voice.status_code == 200, voice.text
    name = voice.json()["id"]
    spoken = client.post("/audio/speech", json={"model": "step-tts-2", "voice": name, "input": "Hi."})
    assert spoken.status_code == 200, spoken.text
    assert client.delete(f"/audio/voices/{name}").json()["deleted"] is True
    assert client.delete(f"/files/{file}").json()["deleted"] is True
    assert not bucket.objects


def test_refused_uploads_leave_nothing(client: httpx.Client) -> None:
    assert uploaded(client, "a.wav", b"no sound").status_code == 400
    assert uploaded(client, "a.png", b"\x89PNG\r\n\x1a\n" + bytes(64 * MIB), "retrieval-image").status_code == 413


class _Broken(BaseHTTPRequestHandler):
    """A file that ends before it should."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(60 * MIB))
        self.end_headers()
        self.wfile.write(b"1,2\n" * (3 * MIB))

    def log_message(self, *_: object) -> None:
        pass


def test_one_that_breaks_off_leaves_nothing(client: httpx.Client, bucket: Bucket) -> None:
    web = ThreadingHTTPServer(("127.0.0.1", 0), _Broken)
    Thread(target=web.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{web.server_port}/a.csv"
    answer = client.post("/files", files={"purpose": (None, "assistants"), "url": (None, url)})
    web.shutdown()
    web.server_close()
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "url_unreachable")
    assert any(asked.startswith("POST") for asked in bucket.asked)


def test_a_spoken_file_with_an_address(keeping: RunningServer, bucket: Bucket) -> None:
    body = {"model": "step-tts-2", "voice": "alloy", "input": "Take this along.", "return_url": True}
    url = httpx.post(f"{keeping.http}/v1/audio/speech", json=body, timeout=60).json()["data"]["url"]
    (content,) = bucket.objects.values()
    assert httpx.get(url).content == content
    bucket.objects.clear()
    lost = httpx.get(url)
    assert (lost.status_code, lost.json()["error"]["code"]) == (500, "internal_error")
