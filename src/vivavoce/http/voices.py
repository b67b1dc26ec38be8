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
from vivavoce.http.auth import OptionalOwner, Owner
from vivavoce.http.core import Core
from vivavoce.http.disconnects import while_connected
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.lifecycle import core_of
from vivavoce.http.trace import trace_id
from vivavoce.http.uploads import FORM_BYTES, bounded_json, uploaded_form
from vivavoce.protocol import voices as wire
from vivavoce.protocol.speech import SpeechRequest
from vivavoce.runtime.voices.service import CreateVoice
from vivavoce.speech.models import speech_model
from vivavoce.speech.synthesis import synthesized_file
from vivavoce.speech.synthesis_request import parse_request
from vivavoce.store.paging import Page
from vivavoce.voices.matching import in_words
from vivavoce.voices.tables import RefinementRow, VoiceRow

MAX_CLIP_BYTES = 10 * 1024 * 1024
"""Of a clip in a form, as OpenAI has it; ten seconds in any format are less."""

router = APIRouter(route_class=ReportingRoute, tags=["voices"])


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


@router.post("/v1/audio/voices", openapi_extra=_NEW_VOICE, max_body_size=MAX_CLIP_BYTES + FORM_BYTES)
async def create_voice(request: Request, owner: Owner) -> wire.CreatedVoice:
    """Make a voice of a clip: an uploaded file by its id (JSON), or a form with the clip in it. Usable at once."""
    core = core_of(request)
    async with AsyncExitStack() as stack:
        fields, file_id, source = await _clip_of(request, owner, core, stack)
        if fields.model is not None:
            speech_model(fields.model, core.config.tiers.aliases)
        new_voice = CreateVoice(fields.name, fields.kind, fields.text, fields.model, file_id, fields.consent)
        async with core.request_slots.hold(owner):
            row, duplicated = await while_connected(
                request.receive, core.voices.service.create(owner, source, new_voice)
            )
    return wire.CreatedVoice(duplicated=duplicated, **voice_object(row, core).model_dump())


@router.get("/v1/audio/voices")
async def list_voices(
    request: Request,
    owner: OptionalOwner,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    order: Literal["asc", "desc"] = "desc",
    after: Annotated[str | None, Query(max_length=64)] = None,
    before: Annotated[str | None, Query(max_length=64)] = None,
) -> wire.VoiceList:
    """A page of one's own voices, the newest first; and `voices`: all that one may use. Without a key only everybody's."""
    core = core_of(request)
    if owner is None:
        return wire.VoiceList(data=[], voices=_shared_voices(core), has_more=False, first_id=None, last_id=None)
    rows, more = await core.voices.own.voices(owner, Page(limit, order == "asc", after, before))
    data = [voice_object(row, core) for row in rows]
    first, last = (data[0].id, data[-1].id) if data else (None, None)
    usable = [*await _usable_own(core, owner), *_shared_voices(core)]
    return wire.VoiceList(data=data, voices=usable, has_more=more, first_id=first, last_id=last)


@router.post("/v1/audio/voices/preview")
async def preview_voice(request: Request, body: wire.PreviewRequest, owner: Owner) -> wire.Preview:
    """How a voice of this clip would say something. Nothing is kept."""
    core = core_of(request)
    async with core.request_slots.hold(owner):
        audio = await while_connected(request.receive, _previewed(core, owner, body))
    return wire.Preview(sample_text=body.sample_text, sample_audio=b64encode(audio).decode(), request_id=trace_id())


@router.get("/v1/audio/voices/{voice_id}")
async def get_voice(request: Request, owner: Owner, voice_id: str) -> wire.OwnVoice:
    """What is known about a voice."""
    core = core_of(request)
    return voice_object(await core.voices.own.voice(owner, voice_id), core)


@router.post("/v1/audio/voices/{voice_id}")
async def change_voice(request: Request, owner: Owner, voice_id: str, change: wire.VoiceChange) -> wire.OwnVoice:
    """Rename a voice; or make a clone of a match with the clip that was kept, and back."""
    core = core_of(request)
    return voice_object(await core.voices.service.change(owner, voice_id, change.name, change.kind), core)


@router.delete("/v1/audio/voices/{voice_id}")
async def delete_voice(request: Request, owner: Owner, voice_id: str) -> wire.VoiceDeleted:
    """Delete a voice, its clip and its vectors."""
    core = core_of(request)
    await core.voices.service.delete(owner, voice_id)
    return wire.VoiceDeleted(id=voice_id)


@router.post("/v1/audio/voices/{voice_id}/refine", status_code=202)
async def refine_voice(request: Request, owner: Owner, voice_id: str) -> wire.Refinement:
    """Look for a better match in the background; the refinement under way, if there is one."""
    core = core_of(request)
    return _refinement(await core.voices.refiner.begin(owner, voice_id))


@router.get("/v1/audio/voices/{voice_id}/refine")
async def get_refinement(request: Request, owner: Owner, voice_id: str) -> wire.Refinement:
    """How far the newest refinement is, or what became of it."""
    core = core_of(request)
    await core.voices.own.voice(owner, voice_id)
    return _refinement(await core.voices.refiner.current(owner, voice_id))


@router.delete("/v1/audio/voices/{voice_id}/refine")
async def cancel_refinement(request: Request, owner: Owner, voice_id: str) -> wire.Refinement:
    """End a refinement; the match stays as it was."""
    core = core_of(request)
    return _refinement(await core.voices.refiner.cancel(owner, voice_id))


async def _usable_own(core: Core, owner: str) -> list[wire.NamedVoice]:
    """An owner's voices whose engine is loaded."""
    engines = core.engines.synthesizer.synthesizers
    rows, _ = await core.voices.own.voices(owner, Page(core.config.voices.most))
    return [wire.NamedVoice(id=row.id, name=row.name or row.id) for row in rows if row.engine in engines]


def _shared_voices(core: Core) -> list[wire.NamedVoice]:
    """The voices one need not have made, also those of synthesizers that are not built in."""
    voices = core.engines.synthesizer.listed
    return [wire.NamedVoice(id=voice.id, name=f"{voice.id}: {voice.description}") for voice in voices.values()]


def voice_object(row: VoiceRow, core: Core) -> wire.OwnVoice:
    """A voice as its owner sees it."""
    similarity = None
    if row.kind == "match" and row.similarity is not None:
        network = core.engines.verifier.network
        words = in_words(row.similarity)
        similarity = wire.Similarity(words=words, cosine=round(row.similarity, 3), verifier=network)
    return wire.OwnVoice(
        id=row.id,
        created_at=row.made_at // 1_000_000,
        name=row.name,
        kind="clone" if row.kind == "clone" else "match",
        engine=row.engine,
        languages=core.voices.languages(row),
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
    remaining_s = None
    if row.status == "running" and row.done:
        elapsed_s = max(0.0, time.time() - row.made_at / 1e6)  # the clock may have been set back
        remaining_s = round(elapsed_s / row.done * (row.planned - row.done))
    return wire.Refinement.model_validate(
        {
            "id": row.id,
            "voice_id": row.voice_id,
            "status": row.status,
            "evaluations": {"done": row.done, "planned": row.planned},
            "seconds_left": remaining_s,
            "score_before": row.before,
            "score_after": row.after,
            "kept": row.kept,
            "reason": row.reason,
            "created_at": row.made_at // 1_000_000,
        }
    )


# ---- clips


async def _clip_of(
    request: Request, owner: str, core: Core, stack: AsyncExitStack
) -> tuple[wire.VoiceFields, str | None, BinaryIO | Path]:
    """What is asked for, and the clip, which stays until ``stack`` ends."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        body = await bounded_json(request, wire.VoiceRequest, most_bytes=FORM_BYTES)
        _require_sample(body)
        return body, body.file_id, await stack.enter_async_context(_uploaded(core, owner, body.file_id))
    form = await stack.enter_async_context(uploaded_form(request, VoiceForm, most_bytes=MAX_CLIP_BYTES))
    _require_sample(form)
    clip = form.file or form.audio_sample
    if clip is None:
        raise ClientError("The form needs the clip, 'file'.", code="missing_required_parameter", param="file")
    return form, None, clip.file


def _require_sample(fields: wire.VoiceFields) -> None:
    if fields.type != "audio_sample":
        raise ClientError("Voices are made of a clip here: type 'audio_sample'.", param="type")


@asynccontextmanager
async def _uploaded(core: Core, owner: str, file_id: str) -> AsyncIterator[Path]:
    file = await core.files.get(owner, file_id)
    async with core.files.path(file) as path:
        yield path


async def _previewed(core: Core, owner: str, body: wire.PreviewRequest) -> bytes:
    fields = {**body.model_dump(), "input": body.sample_text, "voice": ""}
    synthesis = parse_request(SpeechRequest.model_validate(fields), "")
    async with (
        _uploaded(core, owner, body.file_id) as path,
        core.voices.service.temporary(owner, path, CreateVoice(kind=body.kind, text=body.text)) as voice,
    ):
        options = replace(synthesis.options, voice=voice)
        spoken = synthesized_file(synthesis.clauses, options, core.engines.synthesizer, synthesis.output_format)
        async with aclosing(spoken) as pieces:
            return b"".join([piece async for piece in pieces if isinstance(piece, bytes)])
