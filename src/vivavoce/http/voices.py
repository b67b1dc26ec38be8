"""``/v1/audio/voices``: voices users make of a clip (audio reference, section 4; openai-python's ``audio.voices``)."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, BinaryIO, Literal

from fastapi import APIRouter, Query, Request, UploadFile

from vivavoce.errors import ClientError
from vivavoce.http import system_voices, voice_consents
from vivavoce.http.auth import Owner, OwnerIfNamed
from vivavoce.http.disconnects import while_connected
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.serving import Serving
from vivavoce.http.trace import trace_id
from vivavoce.http.uploads import FORM_BYTES, bounded_json, uploaded_form
from vivavoce.protocol import voices as wire
from vivavoce.protocol.speech import SpeechRequest
from vivavoce.runtime.voices.making import Wish
from vivavoce.speech.models import speech_model
from vivavoce.speech.order import understood
from vivavoce.speech.synthesis import spoken_file
from vivavoce.voices.matching import in_words
from vivavoce.voices.presets import PRESETS
from vivavoce.voices.repository import Page
from vivavoce.voices.tables import RefinementRow, VoiceRow

MOST_CLIP_BYTES = 10 * 1024 * 1024
"""Of a clip in a form, as OpenAI has it; ten seconds in any format are less."""

router = APIRouter(route_class=ReportingRoute, tags=["voices"])
router.include_router(system_voices.router)
router.include_router(voice_consents.router)


class VoiceForm(wire.VoiceFields):
    """A new voice with its clip; ``audio_sample`` is OpenAI's name of it."""

    file: UploadFile | None = None
    audio_sample: UploadFile | None = None


_NEW_VOICE = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": wire.VoiceRequest.model_json_schema()},
            "multipart/form-data": {"schema": VoiceForm.model_json_schema()},
        },
    }
}


@router.post("/v1/audio/voices", openapi_extra=_NEW_VOICE, max_body_size=MOST_CLIP_BYTES + FORM_BYTES)
async def create_voice(request: Request, owner: Owner) -> wire.CreatedVoice:
    """Make a voice of a clip: an uploaded file by its id (JSON), or a form with the clip in it. Usable at once."""
    serving: Serving = request.app.state.serving
    async with AsyncExitStack() as stack:
        fields, file_id, source = await _clip_of(request, owner, serving, stack)
        if fields.model is not None:
            speech_model(fields.model, serving.config.tiers.aliases)
        wish = Wish(fields.name, fields.kind, fields.text, fields.model, file_id, fields.consent)
        async with serving.requests.taken_for(owner):
            row, duplicated = await while_connected(request, serving.voices.maker.create(owner, source, wish))
    return wire.CreatedVoice(duplicated=duplicated, **shown(row, serving).model_dump())


@router.get("/v1/audio/voices")
async def list_voices(
    request: Request,
    owner: OwnerIfNamed,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    order: Literal["asc", "desc"] = "desc",
    after: Annotated[str | None, Query(max_length=64)] = None,
    before: Annotated[str | None, Query(max_length=64)] = None,
) -> wire.VoiceList:
    """A page of one's own voices, the newest first; and `voices`: all that one may use. Without a key only everybody's."""
    serving: Serving = request.app.state.serving
    if owner is None:
        return wire.VoiceList(data=[], voices=_everybodys(serving), has_more=False, first_id=None, last_id=None)
    rows, more = await serving.voices.own.voices(owner, Page(limit, order == "asc", after, before))
    data = [shown(row, serving) for row in rows]
    first, last = (data[0].id, data[-1].id) if data else (None, None)
    usable = [*await _usable_own(serving, owner), *_everybodys(serving)]
    return wire.VoiceList(data=data, voices=usable, has_more=more, first_id=first, last_id=last)


@router.post("/v1/audio/voices/preview")
async def preview_voice(request: Request, wanted: wire.PreviewRequest, owner: Owner) -> wire.Preview:
    """How a voice of this clip would say something. Nothing is kept."""
    serving: Serving = request.app.state.serving
    async with serving.requests.taken_for(owner):
        audio = await while_connected(request, _previewed(serving, owner, wanted))
    return wire.Preview(sample_text=wanted.sample_text, sample_audio=b64encode(audio).decode(), request_id=trace_id())


@router.get("/v1/audio/voices/{voice_id}")
async def get_voice(request: Request, owner: Owner, voice_id: str) -> wire.OwnVoice:
    """What is known about a voice."""
    serving: Serving = request.app.state.serving
    return shown(await serving.voices.own.voice(owner, voice_id), serving)


@router.post("/v1/audio/voices/{voice_id}")
async def change_voice(request: Request, owner: Owner, voice_id: str, change: wire.VoiceChange) -> wire.OwnVoice:
    """Rename a voice; or make a clone of a match with the clip that was kept, and back."""
    serving: Serving = request.app.state.serving
    return shown(await serving.voices.maker.change(owner, voice_id, change.name, change.kind), serving)


@router.delete("/v1/audio/voices/{voice_id}")
async def delete_voice(request: Request, owner: Owner, voice_id: str) -> wire.VoiceDeleted:
    """Delete a voice, its clip and its vectors."""
    serving: Serving = request.app.state.serving
    await serving.voices.maker.delete(owner, voice_id)
    return wire.VoiceDeleted(id=voice_id)


@router.post("/v1/audio/voices/{voice_id}/refine", status_code=202)
async def refine_voice(request: Request, owner: Owner, voice_id: str) -> wire.Refinement:
    """Look for a better match in the background; the refinement under way, if there is one."""
    serving: Serving = request.app.state.serving
    return _refinement(await serving.voices.refiner.begin(owner, voice_id))


@router.get("/v1/audio/voices/{voice_id}/refine")
async def get_refinement(request: Request, owner: Owner, voice_id: str) -> wire.Refinement:
    """How far the newest refinement is, or what became of it."""
    serving: Serving = request.app.state.serving
    await serving.voices.own.voice(owner, voice_id)
    return _refinement(await serving.voices.refiner.current(owner, voice_id))


@router.delete("/v1/audio/voices/{voice_id}/refine")
async def cancel_refinement(request: Request, owner: Owner, voice_id: str) -> wire.Refinement:
    """End a refinement; the match stays as it was."""
    serving: Serving = request.app.state.serving
    return _refinement(await serving.voices.refiner.cancel(owner, voice_id))


async def _usable_own(serving: Serving, owner: str) -> list[wire.NamedVoice]:
    """An owner's voices whose engine is loaded."""
    engines = serving.engines.speaker.speakers
    rows, _ = await serving.voices.own.voices(owner, Page(serving.config.voices.most))
    return [wire.NamedVoice(id=row.id, name=row.name or row.id) for row in rows if row.engine in engines]


def _everybodys(serving: Serving) -> list[wire.NamedVoice]:
    """The voices one need not have made, also those of speakers that are not built in."""
    voices = PRESETS if serving.loaded is None else serving.loaded.speaker.listed
    return [wire.NamedVoice(id=voice.id, name=f"{voice.id}: {voice.description}") for voice in voices.values()]


def shown(row: VoiceRow, serving: Serving) -> wire.OwnVoice:
    """A voice as its owner sees it."""
    similarity = None
    if row.kind == "match" and row.similarity is not None:
        network = serving.engines.verifier.network
        words = in_words(row.similarity)
        similarity = wire.Similarity(words=words, cosine=round(row.similarity, 3), verifier=network)
    return wire.OwnVoice(
        id=row.id,
        created_at=row.made_at // 1_000_000,
        name=row.name,
        kind="clone" if row.kind == "clone" else "match",
        engine=row.engine,
        languages=serving.voices.languages(row),
        similarity=similarity,
        refined=row.refined,
        file_id=row.file_id,
        model=row.model,
        transcript=row.transcript,
        language=row.language,
        duration_ms=row.duration_ms,
    )


def _refinement(row: RefinementRow | None) -> wire.Refinement:
    if row is None:
        raise ClientError("This voice has not been refined.", code="not_found", param="voice_id")
    left = None
    if row.status == "running" and row.done:
        elapsed_s = max(0.0, time.time() - row.made_at / 1e6)  # the clock may have been set back
        left = round(elapsed_s / row.done * (row.planned - row.done))
    return wire.Refinement.model_validate(
        {
            "id": row.id,
            "voice_id": row.voice_id,
            "status": row.status,
            "evaluations": {"done": row.done, "planned": row.planned},
            "seconds_left": left,
            "score_before": row.before,
            "score_after": row.after,
            "kept": row.kept,
            "reason": row.reason,
            "created_at": row.made_at // 1_000_000,
        }
    )


# ---- clips


async def _clip_of(
    request: Request, owner: str, serving: Serving, stack: AsyncExitStack
) -> tuple[wire.VoiceFields, str | None, BinaryIO | Path]:
    """What is wished, and the clip, which stays until ``stack`` ends."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        wanted = await bounded_json(request, wire.VoiceRequest, most_bytes=FORM_BYTES)
        _require_sample(wanted)
        return wanted, wanted.file_id, await stack.enter_async_context(_uploaded(serving, owner, wanted.file_id))
    form = await stack.enter_async_context(uploaded_form(request, VoiceForm, most_bytes=MOST_CLIP_BYTES))
    _require_sample(form)
    clip = form.file or form.audio_sample
    if clip is None:
        raise ClientError("The form needs the clip, 'file'.", code="missing_required_parameter", param="file")
    return form, None, clip.file


def _require_sample(fields: wire.VoiceFields) -> None:
    if fields.type != "audio_sample":
        raise ClientError("Voices are made of a clip here: type 'audio_sample'.", param="type")


@asynccontextmanager
async def _uploaded(serving: Serving, owner: str, file_id: str) -> AsyncIterator[Path]:
    file = await serving.files.get(owner, file_id)
    async with serving.files.path(file) as path:
        yield path


async def _previewed(serving: Serving, owner: str, wanted: wire.PreviewRequest) -> bytes:
    fields = {**wanted.model_dump(), "input": wanted.sample_text, "voice": ""}
    order = understood(SpeechRequest.model_validate(fields), "")
    async with (
        _uploaded(serving, owner, wanted.file_id) as path,
        serving.voices.maker.passing(owner, path, Wish(kind=wanted.kind, text=wanted.text)) as voice,
    ):
        manner = replace(order.manner, voice=voice)
        made = spoken_file(order.clauses, manner, serving.engines.speaker, order.shape)
        async with aclosing(made) as pieces:
            return b"".join([piece async for piece in pieces if isinstance(piece, bytes)])
