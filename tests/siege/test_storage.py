"""Two owners, one greedy: what each may keep."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from running import RunningServer, running
from vivavoce.config import load_config
from vivavoce.http.core import most_bytes
from vivavoce.runtime.shares import Owners

KEYS = {"greedy": "key-of-the-greedy", "other": "key-of-the-other", "more": "key-of-more"}
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    settings = {"auth": {"keys": KEYS}, "limits": {"storage_mb": 2, "storage_mb_of": {"more": 4}}}
    with running(load_config(settings, profile="fake")) as started:
        yield started


def client(server: RunningServer, name: str) -> httpx.Client:
    return httpx.Client(base_url=f"{server.http}/v1", headers={"Authorization": f"Bearer {KEYS[name]}"}, timeout=60)


def upload(client: httpx.Client, size: int) -> httpx.Response:
    return client.post("/files", data={"purpose": "user_data"}, files={"file": ("a.txt", b"x" * size)})


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_an_owner_keeps_as_much_as_they_may_and_others_do_not_notice(server: RunningServer) -> None:
    full = (413, "storage_quota_exceeded")
    with client(server, "greedy") as greedy, client(server, "other") as other, client(server, "more") as more:
        first = upload(greedy, MIB)
        assert first.status_code == 200
        assert code(upload(greedy, MIB + 1)) == full, "it would be a byte too much"
        assert upload(greedy, MIB).status_code == 200
        assert code(upload(greedy, 1)) == full
        speech = {"model": "step-tts-2", "input": "Hello.", "voice": "marin", "return_url": True}
        assert code(greedy.post("/audio/speech", json=speech)) == full
        store = greedy.post("/vector_stores", json={"name": "mine"}).json()["id"]
        added = greedy.post(f"/vector_stores/{store}/files", json={"file_id": first.json()["id"]})
        assert code(added) == full
        assert other.post("/audio/speech", json=speech).status_code == 200
        assert upload(other, MIB).status_code == 200
        assert [upload(more, MIB).status_code for _ in range(5)] == [200, 200, 200, 200, 413]
        assert greedy.delete(f"/files/{first.json()['id']}").status_code == 200
        assert upload(greedy, MIB - 1).status_code == 200
        kept = [file["bytes"] for file in greedy.get("/files").json()["data"]]
        assert sum(kept) == 2 * MIB - 1, "what was refused has left nothing"


@pytest.mark.parametrize(("keys", "most"), [({}, None), ({"a": "one-owner-only"}, None), (KEYS, 10 * 1024 * MIB)])
def test_by_default_there_is_a_bound_where_there_are_several_owners(keys: dict[str, str], most: int | None) -> None:
    config = load_config({"auth": {"keys": keys}}, profile="fake")
    assert most_bytes(config, Owners(config.auth.keys), "greedy") == most
