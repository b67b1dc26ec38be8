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
from vivavoce.http.chat import CLIENT_GONE, MAX_BYTES
from vivavoce.http.core import Core
from vivavoce.http.disconnects import while_connected
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.lifecycle import core_of
from vivavoce.http.principals import Principal
from vivavoce.knowledge.lengths import tokens_of
from vivavoce.protocol.bodies import inlined, read_body
from vivavoce.protocol.embeddings import EmbeddingList, EmbeddingsRequest
from vivavoce.protocol.model_names import model_behind
from vivavoce.runtime.embedding import TextEmbedding
from vivavoce.types import Vectors

router = APIRouter(route_class=ReportingRoute, tags=["embeddings"], max_body_size=MAX_BYTES)

MAX_TOKENS_EACH = 8192
MAX_TOKENS = 300_000
"""Of one text, and of all in a request (OpenAI); about."""

_BODY = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": inlined(EmbeddingsRequest)}}},
}


@router.post("/v1/embeddings", response_class=Response, responses={200: {"model": EmbeddingList}}, openapi_extra=_BODY)
async def create_embeddings(request: Request, caller: Caller) -> Response:
    """The vectors of one or many texts, all of length 1."""
    core = core_of(request)
    try:
        body = await asyncio.to_thread(read_body, await request.body(), EmbeddingsRequest)
        model_behind(body.model, "embedding", core.config.tiers.aliases)
        encoded = await while_connected(request.receive, _embedded(core, caller, body))
    except ClientDisconnect:
        return Response(status_code=CLIENT_GONE)
    return Response(encoded, media_type="application/json")


async def _embedded(core: Core, caller: Principal, body: EmbeddingsRequest) -> bytes:
    """The answer as JSON. Raises ``ClientError`` and ``EngineError``."""
    texts, embedder = body.texts(), core.engines.embedder
    query = body.is_query
    if body.dimensions not in (None, embedder.dimensions):
        raise ClientError(
            f"The vectors of this model have {embedder.dimensions} dimensions, and no others.",
            code="unsupported_value",
            param="dimensions",
        )
    tokens = await asyncio.to_thread(_count, texts, listed=isinstance(body.input, list))
    async with core.request_slots.hold(caller.owner):
        vectors = await core.shared[TextEmbedding].vectors(embedder, texts, query=query, owner=caller.owner)
    core.key_use.spend(caller.key, tokens)
    return await asyncio.to_thread(_encoded, vectors, body, tokens)


def _count(texts: list[str], *, listed: bool) -> int:
    """All tokens. Raises ``ClientError`` when there are too many."""
    counts = [tokens_of(text) for text in texts]
    longest = max(range(len(counts)), key=counts.__getitem__)
    if counts[longest] > MAX_TOKENS_EACH:
        raise ClientError(
            f"The text has about {counts[longest]} tokens; {MAX_TOKENS_EACH} is the most.",
            code="context_length_exceeded",
            param=f"input[{longest}]" if listed else "input",
        )
    if sum(counts) > MAX_TOKENS:
        raise ClientError(
            f"The texts have about {sum(counts)} tokens together; {MAX_TOKENS} is the most.",
            code="context_length_exceeded",
            param="input",
        )
    return sum(counts)


def _encoded(vectors: Vectors, body: EmbeddingsRequest, tokens: int) -> bytes:
    def encode(vector: Any) -> Any:
        if body.encoding_format == "base64":
            return b64encode(vector.astype("<f4").tobytes()).decode("ascii")
        return vector.tolist()

    data = [{"object": "embedding", "index": row, "embedding": encode(vector)} for row, vector in enumerate(vectors)]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return msgspec.json.encode({"object": "list", "data": data, "model": body.model, "usage": usage})
