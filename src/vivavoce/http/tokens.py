"""``POST /v1/token/count`` (platform reference, section 6): how long the prompt of a chat request is."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request

from vivavoce.http.auth import Owner
from vivavoce.http.chat import MOST_BYTES
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.serving import Serving
from vivavoce.model_names import audio_rates
from vivavoce.protocol.bodies import inlined, read_body
from vivavoce.protocol.platform import TokenCount, TokenRequest, TokenTotal
from vivavoce.runtime.chat.hearing import Listener
from vivavoce.runtime.chat.prompt import prompt_of
from vivavoce.tiers import model_of
from vivavoce.types import GenerationOptions, Transcript

router = APIRouter(route_class=ReportingRoute, tags=["chat"], max_body_size=MOST_BYTES)

UNHEARD = Transcript("", "en")

_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": inlined(TokenRequest)}}}}


@router.post("/v1/token/count", openapi_extra=_BODY)
async def count_tokens(request: Request, owner: Owner) -> TokenCount:
    """The tokens of a prompt, counted by the tokenizer of the model that would read it; recordings are estimated."""
    serving: Serving = request.app.state.serving
    wanted = await asyncio.to_thread(read_body, await request.body(), TokenRequest)
    tiers, engines, memory = serving.config.tiers, serving.engines, serving.chats
    tier = model_of(wanted.model, tiers.aliases, tiers.default).tier
    async with serving.requests.taken_for(owner):
        listener = Listener(engines, memory.transcripts, owner, fetcher=None)
        recordings = await listener.recordings(wanted.messages)
        prompt = prompt_of(
            wanted.messages,
            dict.fromkeys(recordings, UNHEARD),
            lambda audio_id: memory.answers.find(owner, audio_id),
            spoken=False,
        )
        model = engines.language_models[tier.language_model]
        written = await model.count_tokens(prompt.messages, GenerationOptions())
    samples = sum(len(recording.samples) for recording in recordings.values())
    heard = audio_rates(wanted.model).heard(samples * 1000 // engines.recognition.rate_hz)
    return TokenCount(data=TokenTotal(total_tokens=written + heard))
