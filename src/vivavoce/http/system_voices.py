"""The voices everybody can name, and how each of them, or one's own, sounds (audio reference, section 7)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from vivavoce.audio.encoding import CONTENT_TYPES, FileFormat
from vivavoce.http.audio_stream import audio_stream
from vivavoce.http.auth import Owner
from vivavoce.http.core import Core
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.lifecycle import core_of
from vivavoce.protocol.voices import SystemVoiceDetails, SystemVoices
from vivavoce.speech.synthesis import OutputFormat, SynthesisOptions, synthesized_file
from vivavoce.speech.text_preparation import clauses_of
from vivavoce.voices.official import official_voices
from vivavoce.voices.presets import preset

router = APIRouter(route_class=ReportingRoute, tags=["voices"])

PREVIEW_HZ = 24_000
PREVIEWS = {
    "en": "Hello, this is my voice. How can I help you today?",
    "zh": "你好，这是我的声音。今天有什么可以帮你的吗？",
    "ja": "こんにちは、これが私の声です。今日はどうしましたか？",
}

_AUDIO: dict[int | str, dict[str, Any]] = {
    200: {"content": {type: {"schema": {"type": "string", "format": "binary"}} for type in CONTENT_TYPES.values()}}
}


@router.get("/v1/audio/system_voices")
async def system_voices(owner: Owner, model: Annotated[str, Query(max_length=128)]) -> SystemVoices:
    """The official voices of a model."""
    voices = official_voices(model)
    details = {
        voice.id: SystemVoiceDetails(
            name=voice.name, description=preset(voice.id).description, recommended_scene=voice.scene
        )
        for voice in voices
    }
    return SystemVoices(voices=[voice.id for voice in voices], details=details)


@router.get("/v1/audio/voices/{voice_id}/preview", response_class=Response, responses=_AUDIO)
async def preview_system_voice(
    request: Request,
    owner: Owner,
    voice_id: str,
    language: Literal["en", "zh", "ja"] = "en",
    response_format: FileFormat = "wav",
) -> Response:
    """A sentence or two by any voice one may use: an official, an OpenAI, a native one, or one's own."""
    core = core_of(request)
    voice = await core.voices.resolve(owner, voice_id)
    return await audio_stream(
        request, _sample(core, owner, voice, language, response_format), CONTENT_TYPES[response_format], {}
    )


async def _sample(core: Core, owner: str, voice: str, language: str, format: FileFormat) -> AsyncGenerator[bytes, None]:
    async with core.request_slots.hold(owner):
        clauses = clauses_of(PREVIEWS[language], language)
        made = synthesized_file(
            clauses, SynthesisOptions(voice), core.engines.synthesizer, OutputFormat(format, PREVIEW_HZ)
        )
        async with aclosing(made) as pieces:
            async for piece in pieces:
                if isinstance(piece, bytes):
                    yield piece
