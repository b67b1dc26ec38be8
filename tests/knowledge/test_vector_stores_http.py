"""``/v1/vector_stores`` over the wire: StepFun's words by HTTP, OpenAI's by its own client."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from running import RunningServer, running
from vivavoce.config import load_config

from . import documents

KEYS = {"alice": "alice-key-1", "bob": "bob-key-22"}
TEXT = "# Returns\n\nGoods can be returned within thirty days.\n\n# Shipping\n\nParcels to Lyon take two days.\n"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    config = load_config({"auth": {"keys": KEYS}}, profile="fake")
    with running(config) as server:
        yield server


@pytest.fixture
def http(server: RunningServer) -> Iterator[httpx.Client]:
    with client_of(server, "alice") as client:
        yield client


@pytest.fixture
def alice(server: RunningServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.http}/v1", api_key=KEYS["alice"], max_retries=0) as client:
        yield client


def client_of(server: RunningServer, owner: str) -> httpx.Client:
    return httpx.Client(base_url=f"{server.http}/v1", headers={"Authorization": f"Bearer {KEYS[owner]}"}, timeout=30)


def uploaded(
    http: httpx.Client, content: bytes | str = TEXT, name: str = "terms.md", purpose: str = "retrieval-text"
) -> str:
    data = content.encode() if isinstance(content, str) else content
    answer = http.post("/files", files={"file": (name, data)}, data={"purpose": purpose})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def made(http: httpx.Client, **fields: Any) -> str:
    answer = http.post("/vector_stores", json={"name": "handbook", "type": "text", **fields})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def settled(http: httpx.Client, store: str, file: str, within_s: float = 30) -> dict[str, Any]:
    deadline = time.monotonic() + within_s
    while True:
        answer: dict[str, Any] = http.get(f"/vector_stores/{store}/files/{file}").json()
        if answer["status"] != "in_progress":
            return answer
        assert time.monotonic() < deadline, answer
        time.sleep(0.05)


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text


def test_the_documented_flow(http: httpx.Client) -> None:
    store = made(http)
    assert store.isdigit()
    assert len(store) == 18
    file = uploaded(http)
    answer = http.post(f"/vector_stores/{store}/files", json={"files": [{"file_id": file, "description": "terms"}]})
    assert answer.json() == {"files": [{"file_id": file, "metadata": {"description": "terms"}}]}
    done = settled(http, store, file)
    assert (done["status"], done["progress"], done["passages"], done["last_error"]) == ("completed", 1.0, 2, None)
    assert done["metadata"] == {"description": "terms", "file_name": "terms.md"}
    shown = http.get(f"/vector_stores/{store}").json()
    assert shown["object"] == "vector_store"
    assert shown["file_counts"] == {"in_progress": 0, "completed": 1, "failed": 0, "cancelled": 0, "total": 1}
    assert shown["usage_bytes"] > 0
    found = http.post(f"/vector_stores/{store}/search", json={"query": "When can goods be returned?"}).json()["data"]
    assert "thirty days" in found[0]["content"][0]["text"]
    assert found[0]["filename"] == "terms.md"
    listed = http.get(f"/vector_stores/{store}/files").json()
    assert [row["id"] for row in listed["data"]] == [file]
    deleted = http.delete(f"/vector_stores/{store}/files/{file}").json()
    assert deleted == {"id": file, "object": "vector_store.file.deleted", "deleted": True}
    assert http.post(f"/vector_stores/{store}/search", json={"query": "returned goods"}).json()["data"] == []
    assert http.get(f"/files/{file}").status_code == 200
    deleted = http.delete(f"/vector_stores/{store}").json()
    assert deleted == {"id": store, "object": "vector_store.deleted", "deleted": True}
    refused(http.get(f"/vector_stores/{store}"), 404, "vector_store_not_found")


def test_the_old_form(http: httpx.Client) -> None:
    store, file = made(http), uploaded(http)
    answer = http.post(f"/vector_stores/{store}/files", files={"file_ids": (None, file)})
    assert answer.json() == {"id": file, "usage_bytes": 0, "vector_store_id": store}
    assert settled(http, store, file)["status"] == "completed"


def test_a_deleted_file_is_found_no_more(http: httpx.Client) -> None:
    store, file = made(http), uploaded(http)
    http.post(f"/vector_stores/{store}/files", json={"file_id": file})
    settled(http, store, file)
    assert http.delete(f"/files/{file}").status_code == 200
    assert http.post(f"/vector_stores/{store}/search", json={"query": "returned goods"}).json()["data"] == []
    assert http.get(f"/vector_stores/{store}").json()["file_counts"]["total"] == 0


@pytest.mark.parametrize("name", ["_hidden", "", "a/b", "x" * 256, "two\nlines"])
def test_names_that_break_the_rules(http: httpx.Client, name: str) -> None:
    assert http.post("/vector_stores", json={"name": name}).status_code == 400


def test_what_cannot_be_asked(http: httpx.Client) -> None:
    store, file = made(http), uploaded(http)
    refused(http.post("/vector_stores", json={"name": "pictures", "type": "image"}), 400, "unsupported_value")
    refused(http.post(f"/vector_stores/{store}/files", json={}), 400, "missing_param")
    refused(http.post(f"/vector_stores/{store}/files", json={"file_id": "file-nobodys"}), 404, "file_not_found")
    refused(http.post("/vector_stores/1/files", json={"file_id": file}), 404, "vector_store_not_found")
    refused(http.get(f"/vector_stores/{store}/files", params={"after": "file-x"}), 400, "invalid_value")
    refused(http.get("/vector_stores", params={"limit": 101}), 400, "invalid_value")
    refused(http.delete(f"/vector_stores/{store}/files/{file}"), 404, "file_not_found")
    refused(http.post(f"/vector_stores/{store}/search", json={"query": ""}), 400, "invalid_value")
    refused(
        http.post(f"/vector_stores/{store}/search", json={"query": "x", "filters": {"type": "like", "key": "a"}}),
        400,
        "invalid_value",
    )
    storage = uploaded(http, b"RIFF" + bytes(4) + b"WAVEfmt " + bytes(40), "a.wav", "storage")
    refused(http.post(f"/vector_stores/{store}/files", json={"file_id": storage}), 400, "unsupported_file")
    refused(http.post(f"/vector_stores/{store}/file_batches", json={}), 400, "missing_param")
    refused(http.get(f"/vector_stores/{store}/file_batches/none"), 404, "batch_not_found")


def test_lists_have_pages(http: httpx.Client) -> None:
    ids = [made(http, name=f"page {n}") for n in range(5)]
    newest = http.get("/vector_stores", params={"limit": 2}).json()
    assert [row["id"] for row in newest["data"]] == ids[:-3:-1]
    assert (newest["first_id"], newest["last_id"], newest["has_more"]) == (ids[4], ids[3], True)
    next_page = http.get("/vector_stores", params={"limit": 2, "after": ids[3]}).json()
    assert [row["id"] for row in next_page["data"]] == [ids[2], ids[1]]
    previous = http.get("/vector_stores", params={"limit": 2, "before": ids[1]}).json()
    assert [row["id"] for row in previous["data"]] == [ids[3], ids[2]]
    rising = http.get("/vector_stores", params={"limit": 2, "order": "asc", "after": ids[0]}).json()
    assert [row["id"] for row in rising["data"]] == [ids[1], ids[2]]


def test_owners_do_not_see_each_other(server: RunningServer, http: httpx.Client) -> None:
    store, file = made(http), uploaded(http)
    http.post(f"/vector_stores/{store}/files", json={"file_id": file})
    with client_of(server, "bob") as bob:
        assert store not in [row["id"] for row in bob.get("/vector_stores").json()["data"]]
        for method, path in (
            ("GET", f"/vector_stores/{store}"),
            ("DELETE", f"/vector_stores/{store}"),
            ("GET", f"/vector_stores/{store}/files"),
            ("GET", f"/vector_stores/{store}/files/{file}"),
            ("GET", f"/vector_stores/{store}/files/{file}/content"),
            ("DELETE", f"/vector_stores/{store}/files/{file}"),
        ):
            refused(bob.request(method, path), 404, "vector_store_not_found")
        refused(bob.post(f"/vector_stores/{store}/search", json={"query": "x"}), 404, "vector_store_not_found")
        own = made(bob)
        refused(bob.post(f"/vector_stores/{own}/files", json={"file_id": file}), 404, "file_not_found")
    assert settled(http, store, file)["status"] == "completed"


def test_a_file_that_cannot_be_read_fails_with_its_reason(http: httpx.Client, tmp_path: Path) -> None:
    store = made(http)
    for path, code, words in (
        (documents.pdf(tmp_path / "locked.pdf", password="x"), "invalid_file", "password"),
        (documents.bomb(tmp_path / "bomb.docx"), "invalid_file", "unpacks"),
    ):
        file = uploaded(http, path.read_bytes(), path.name)
        http.post(f"/vector_stores/{store}/files", json={"file_id": file})
        failed = settled(http, store, file)
        assert (failed["status"], failed["last_error"]["code"]) == ("failed", code)
        assert words in failed["last_error"]["message"]
        assert failed["passages"] == 0
    counts = http.get(f"/vector_stores/{store}").json()["file_counts"]
    assert (counts["failed"], counts["in_progress"]) == (2, 0)


def test_openai_python(alice: openai.OpenAI) -> None:
    file = alice.files.create(file=("terms.md", TEXT.encode()), purpose="assistants")
    store = alice.vector_stores.create(
        name="Support FAQ", metadata={"team": "support"}, expires_after={"anchor": "last_active_at", "days": 7}
    )
    assert (store.object, store.name, store.metadata) == ("vector_store", "Support FAQ", {"team": "support"})
    assert store.expires_at == store.last_active_at + 7 * 86_400 if store.last_active_at else False
    attached = alice.vector_stores.files.create_and_poll(
        file.id, vector_store_id=store.id, attributes={"year": 2026, "team": "support"}, poll_interval_ms=50
    )
    assert (attached.status, attached.last_error) == ("completed", None)
    hits = list(alice.vector_stores.search(store.id, query=["How long do parcels take?"], max_num_results=1))
    assert [hit.filename for hit in hits] == ["terms.md"]
    assert "two days" in hits[0].content[0].text
    assert hits[0].attributes == {"year": 2026, "team": "support"}
    for value, count in ((2026, 2), (2025, 0)):
        comparison: Any = {"type": "eq", "key": "year", "value": value}
        assert len(list(alice.vector_stores.search(store.id, query="parcels", filters=comparison))) == count
    passages = list(alice.vector_stores.files.content(file.id, vector_store_id=store.id))
    assert len(passages) == 2
    changed = alice.vector_stores.update(store.id, name="FAQ", expires_after=None)
    assert (changed.name, changed.expires_after) == ("FAQ", None)
    assert [row.id for row in alice.vector_stores.files.list(store.id, filter="completed")] == [file.id]
    assert alice.vector_stores.files.delete(file.id, vector_store_id=store.id).deleted
    assert store.id in [row.id for row in alice.vector_stores.list(limit=3)]
    assert alice.vector_stores.delete(store.id).deleted
    with pytest.raises(openai.NotFoundError):
        alice.vector_stores.retrieve(store.id)


def test_openai_python_with_batches_and_sizes(alice: openai.OpenAI) -> None:
    long = "\n\n".join(f"Paragraph {n} tells of subject {n} at some length, as paragraphs do." for n in range(60))
    files = [alice.files.create(file=(f"{n}.txt", long.encode()), purpose="assistants") for n in range(3)]
    store = alice.vector_stores.create(name="batch", file_ids=[files[0].id])
    sizes: Any = {"type": "static", "static": {"max_chunk_size_tokens": 200, "chunk_overlap_tokens": 0}}
    batch = alice.vector_stores.file_batches.create_and_poll(
        store.id, file_ids=[file.id for file in files[1:]], chunking_strategy=sizes, poll_interval_ms=50
    )
    assert (batch.status, batch.file_counts.completed, batch.file_counts.total) == ("completed", 2, 2)
    rows = list(alice.vector_stores.file_batches.list_files(batch.id, vector_store_id=store.id))
    assert {row.id for row in rows} == {file.id for file in files[1:]}
    usual = alice.vector_stores.files.poll(files[0].id, vector_store_id=store.id, poll_interval_ms=50)
    larger = alice.vector_stores.files.retrieve(files[1].id, vector_store_id=store.id)
    assert usual.model_extra is not None
    assert larger.model_extra is not None
    assert usual.model_extra["passages"] > larger.model_extra["passages"]
    assert alice.vector_stores.file_batches.cancel(batch.id, vector_store_id=store.id).status == "completed"
