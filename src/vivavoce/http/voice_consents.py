"""``/v1/audio/voice_consents``: recordings in which somebody agrees that a voice is made of theirs (OpenAI's shape)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request, UploadFile

from vivavoce.errors import ClientError
from vivavoce.http.auth import Owner
from vivavoce.http.core import Core
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.lifecycle import core_of
from vivavoce.http.uploads import FORM_BYTES, uploaded_form
from vivavoce.protocol import voices as wire
from vivavoce.store.paging import Page
from vivavoce.voices.tables import ConsentRow

MAX_RECORDING_BYTES = 10 * 1024 * 1024
MAX_RECORDING_S = 120.0
_CHECKED_HZ = 8_000
_PIECE_BYTES = 256 * 1024

router = APIRouter(route_class=ReportingRoute, tags=["voices"])


class ConsentForm(wire.ConsentFields):
    """A new consent with its recording."""

    recording: UploadFile


_FORM = {
    "requestBody": {
        "required": True,
        "content": {"multipart/form-data": {"schema": ConsentForm.model_json_schema()}},
    }
}


@router.post("/v1/audio/voice_consents", openapi_extra=_FORM, max_body_size=MAX_RECORDING_BYTES + FORM_BYTES)
async def create_consent(request: Request, owner: Owner) -> wire.Consent:
    """Keep a recording of the speaker's agreement."""
    core = core_of(request)
    async with uploaded_form(request, ConsentForm, most_bytes=MAX_RECORDING_BYTES) as form:
        await _require_audio(core, form.recording)
        pieces = _pieces(form.recording)
        consent = await core.voices.own.add_consent(owner, form.name, form.language, pieces, MAX_RECORDING_BYTES)
    return _consent_object(consent)


@router.get("/v1/audio/voice_consents")
async def list_consents(
    request: Request,
    owner: Owner,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    after: Annotated[str | None, Query(max_length=64)] = None,
) -> wire.ConsentList:
    """A page of one's own consents, the newest first."""
    core = core_of(request)
    rows, more = await core.voices.own.consents(owner, Page(limit, after=after))
    data = [_consent_object(row) for row in rows]
    first, last = (data[0].id, data[-1].id) if data else (None, None)
    return wire.ConsentList(data=data, has_more=more, first_id=first, last_id=last)


@router.get("/v1/audio/voice_consents/{consent_id}")
async def get_consent(request: Request, owner: Owner, consent_id: str) -> wire.Consent:
    """What is known about a consent."""
    core = core_of(request)
    return _consent_object(await core.voices.own.consent(owner, consent_id))


@router.post("/v1/audio/voice_consents/{consent_id}")
async def change_consent(request: Request, owner: Owner, consent_id: str, change: wire.ConsentChange) -> wire.Consent:
    """Give a consent another name."""
    core = core_of(request)
    return _consent_object(await core.voices.own.rename_consent(owner, consent_id, change.name))


@router.delete("/v1/audio/voice_consents/{consent_id}")
async def delete_consent(request: Request, owner: Owner, consent_id: str) -> wire.ConsentDeleted:
    """Delete a consent and its recording. Voices made with it stay, and keep the record that there was one."""
    core = core_of(request)
    await core.voices.own.delete_consent(owner, consent_id)
    return wire.ConsentDeleted(id=consent_id)


async def _require_audio(core: Core, recording: UploadFile) -> None:
    try:
        await core.engines.decoder.decode(recording.file, rate_hz=_CHECKED_HZ, max_s=MAX_RECORDING_S)
    except ClientError as error:
        error.param = error.param or "recording"
        raise
    await recording.seek(0)


async def _pieces(recording: UploadFile) -> AsyncIterator[bytes]:
    while piece := await recording.read(_PIECE_BYTES):
        yield piece


def _consent_object(row: ConsentRow) -> wire.Consent:
    return wire.Consent(id=row.id, created_at=row.made_at // 1_000_000, name=row.name, language=row.language)
