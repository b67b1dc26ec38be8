"""A server killed in the middle of reading files: the next one finishes, with no passage twice and none missing."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import httpx

from .served import served

FILES = 4
PARAGRAPHS = 2000


def long_text(number: int) -> str:
    return "\n\n".join(
        f"Shelf {number} row{n}x holds what the list of row {n} says it holds." for n in range(PARAGRAPHS)
    )


def counts(client: httpx.Client, store: str) -> dict[str, int]:
    return dict(client.get(f"/v1/vector_stores/{store}").json()["file_counts"])


def test_killed_while_it_reads_nothing_is_missing_and_nothing_is_there_twice(tmp_path: Path, database_url: str) -> None:
    with served(tmp_path, database_url) as (client, process):
        store = client.post("/v1/vector_stores", json={"name": "shelves"}).json()["id"]
        files = []
        for number in range(FILES):
            form = {"file": (f"{number}.txt", long_text(number).encode())}
            made = client.post("/v1/files", data={"purpose": "retrieval-text"}, files=form)
            files.append(made.json()["id"])
        client.post(f"/v1/vector_stores/{store}/files", json={"files": [{"file_id": one} for one in files]})
        # In the second file: one is done, and one is half in the index.
        deadline = time.monotonic() + 60
        while counts(client, store)["completed"] < 1:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with served(tmp_path, database_url) as (client, _):
        assert counts(client, store)["in_progress"] >= 1
        deadline = time.monotonic() + 120
        while counts(client, store)["in_progress"]:
            assert time.monotonic() < deadline, counts(client, store)
            time.sleep(0.1)
        assert counts(client, store)["completed"] == FILES
        for number, file in enumerate(files):
            content = client.get(f"/v1/vector_stores/{store}/files/{file}/content").json()["data"]
            text = "\n".join(passage["text"] for passage in content)
            row = client.get(f"/v1/vector_stores/{store}/files/{file}").json()
            assert row["passages"] == len(content)
            # Passages overlap by a little: a paragraph is there once or twice, never more.
            assert all(1 <= text.count(f"Shelf {number} row{n}x") <= 2 for n in range(PARAGRAPHS))
