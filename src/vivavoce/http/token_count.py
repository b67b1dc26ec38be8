"""``POST /v1/token/count`` (platform reference, section 6): how long the prompt of a chat request is."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request

from vivavoce.http.auth import Owner
from vivavoce.http.chat import MAX_BYTES
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.lifecycle import core_of
from vivavoce.protocol.bodies import inlined, read_body
from vivavoce.protocol.model_names import audio_rates
from vivavoce.protocol.platform import TokenCount, TokenRequest, TokenTotal
from vivavoce.runtime.chat.memory import ChatMemory
from vivavoce.runtime.chat.prompt import prompt_of
from vivavoce.runtime.chat.recordings import RecordingReader
from vivavoce.tiers import model_of
from vivavoce.types import GenerationOptions, Transcript

router = APIRouter(route_class=ReportingRoute, tags=["chat"], max_body_size=MAX_BYTES)

UNHEARD = Transcript("", "en")

_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": inlined(TokenRequest)}}}}


@router.post("/v1/token/count", openapi_extra=_BODY)
async def count_tokens(request: Request, owner: Owner) -> TokenCount:
    """The tokens of a prompt, counted by the tokenizer of the model that would read it; recordings are estimated."""
    core = core_of(request)
    body = await asyncio.to_thread(read_body, await request.body(), TokenRequest)
    tiers, engines, memory = core.config.tiers, core.engines, core.shared[ChatMemory]
    tier = model_of(body.model, tiers.aliases, tiers.default).tier
    async with core.request_slots.hold(owner):
        listener = RecordingReader(engines, memory.transcripts, owner, fetcher=None)
        recordings = await listener.recordings(body.messages)
        prompt = prompt_of(
            body.messages,
            dict.fromkeys(recordings, UNHEARD),
            lambda audio_id: memory.answers.get((owner, audio_id)),
            spoken=False,
        )
        model = engines.language_model(tier)
        text_tokens = await model.count_tokens(prompt.messages, GenerationOptions())
    samples = sum(len(recording.samples) for recording in recordings.values())
    audio_tokens = audio_rates(body.model).input_tokens(samples * 1000 // engines.recognition.rate_hz)
    return TokenCount(data=TokenTotal(total_tokens=text_tokens + audio_tokens))
