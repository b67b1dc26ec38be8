"""``POST /v1/embeddings``: what texts mean, by the embedder that searches documents, for programs (OpenAI's API)."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from vivavoce.errors import ClientError
from vivavoce.http.auth import Caller
from vivavoce.http.chat import CLIENT_GONE, MOST_BYTES
from vivavoce.http.disconnects import while_connected
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.grants import Grant
from vivavoce.http.serving import Serving
from vivavoce.knowledge.lengths import tokens_of
from vivavoce.model_names import model_behind
from vivavoce.protocol.bodies import inlined, read_body
from vivavoce.protocol.embeddings import EmbeddingList, EmbeddingsRequest
from vivavoce.types import Vectors

router = APIRouter(route_class=ReportingRoute, tags=["embeddings"], max_body_size=MOST_BYTES)

MOST_TOKENS_EACH = 8192
MOST_TOKENS = 300_000
"""Of one text, and of all in a request (OpenAI); about."""

_BODY = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": inlined(EmbeddingsRequest)}}},
}


@router.post("/v1/embeddings", response_class=Response, responses={200: {"model": EmbeddingList}}, openapi_extra=_BODY)
async def create_embeddings(request: Request, caller: Caller) -> Response:
    """The vectors of one or many texts, all of length 1."""
    serving: Serving = request.app.state.serving
    try:
        wanted = await asyncio.to_thread(read_body, await request.body(), EmbeddingsRequest)
        model_behind(wanted.model, "embedding", serving.config.tiers.aliases)
        body = await while_connected(request, _embedded(serving, caller, wanted))
    except ClientDisconnect:
        return Response(status_code=CLIENT_GONE)
    return Response(body, media_type="application/json")


async def _embedded(serving: Serving, caller: Grant, wanted: EmbeddingsRequest) -> bytes:
    """The answer as JSON. Raises ``ClientError`` and ``EngineError``."""
    texts, embedder = wanted.texts(), serving.engines.embedder
    query = wanted.asks
    if wanted.dimensions not in (None, embedder.dimensions):
        raise ClientError(
            f"The vectors of this model have {embedder.dimensions} dimensions, and no others.",
            code="unsupported_value",
            param="dimensions",
        )
    tokens = await asyncio.to_thread(_count, texts, listed=isinstance(wanted.input, list))
    async with serving.requests.taken_for(caller.owner):
        vectors = await serving.embedding.vectors(embedder, texts, query=query, owner=caller.owner)
    serving.key_use.spend(caller.key, tokens)
    return await asyncio.to_thread(_written, vectors, wanted, tokens)


def _count(texts: list[str], *, listed: bool) -> int:
    """All tokens. Raises ``ClientError`` when there are too many."""
    counts = [tokens_of(text) for text in texts]
    longest = max(range(len(counts)), key=counts.__getitem__)
    if counts[longest] > MOST_TOKENS_EACH:
        raise ClientError(
            f"The text has about {counts[longest]} tokens; {MOST_TOKENS_EACH} is the most.",
            code="context_length_exceeded",
            param=f"input[{longest}]" if listed else "input",
        )
    if sum(counts) > MOST_TOKENS:
        raise ClientError(
            f"The texts have about {sum(counts)} tokens together; {MOST_TOKENS} is the most.",
            code="context_length_exceeded",
            param="input",
        )
    return sum(counts)


def _written(vectors: Vectors, wanted: EmbeddingsRequest, tokens: int) -> bytes:
    def shown(vector: Any) -> Any:
        if wanted.encoding_format == "base64":
            return b64encode(vector.astype("<f4").tobytes()).decode("ascii")
        return vector.tolist()

    data = [{"object": "embedding", "index": row, "embedding": shown(vector)} for row, vector in enumerate(vectors)]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return msgspec.json.encode({"object": "list", "data": data, "model": wanted.model, "usage": usage})
