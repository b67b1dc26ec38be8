"""A business's documents in a vector store of the server under test, put in the way a client does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx

from vivavoce.bench.service.documents import content
from vivavoce.bench.service.scripts import BenchDocument
from vivavoce.client.address import ServerAddress
from vivavoce.client.connection import http_url
from vivavoce.client.errors import ConnectError

READ_WITHIN_S = 120.0
_POLL_S = 0.2


@asynccontextmanager
async def shelf(server: ServerAddress, documents: Sequence[BenchDocument]) -> AsyncIterator[str]:
    """The id of a store with these documents, all read; store and files are deleted at the end. Raises ``ConnectError``."""
    headers = {"Authorization": f"Bearer {server.api_key}"} if server.api_key else {}
    async with httpx.AsyncClient(
        base_url=http_url(server.url),
        headers=headers,
        timeout=READ_WITHIN_S,
        verify=server.tls or True,
        trust_env=False,
    ) as client:
        store = await _asked(client, "POST", "/v1/vector_stores", json={"name": "bench_service", "type": "text"})
        files: list[str] = []
        try:
            for document in documents:
                upload = {"file": (document.file, content(document))}
                file = await _asked(client, "POST", "/v1/files", data={"purpose": "retrieval-text"}, files=upload)
                files.append(file["id"])
            added = {
                "files": [
                    {"file_id": file_id, "description": document.file}
                    for file_id, document in zip(files, documents, strict=True)
                ]
            }
            await _asked(client, "POST", f"/v1/vector_stores/{store['id']}/files", json=added)
            await _read(client, store["id"], len(files))
            yield store["id"]
        finally:
            await client.delete(f"/v1/vector_stores/{store['id']}")
            for file_id in files:
                await client.delete(f"/v1/files/{file_id}")


async def _read(client: httpx.AsyncClient, store: str, count: int) -> None:
    until_s = time.perf_counter() + READ_WITHIN_S
    while time.perf_counter() < until_s:
        counts = (await _asked(client, "GET", f"/v1/vector_stores/{store}"))["file_counts"]
        if counts["completed"] == count:
            return
        if counts["failed"]:
            raise ConnectError(f"{counts['failed']} of {count} documents could not be read.")
        await asyncio.sleep(_POLL_S)
    raise ConnectError(f"The documents were not read within {READ_WITHIN_S:.0f} s.")


async def _asked(client: httpx.AsyncClient, method: str, path: str, **body: Any) -> dict[str, Any]:
    try:
        answer = await client.request(method, path, **body)
    except httpx.HTTPError as error:
        raise ConnectError(f"{path}: {error!r}") from error
    if answer.is_error:
        raise ConnectError(f"{path}: {answer.status_code} {answer.text}")
    result: dict[str, Any] = answer.json()
    return result
