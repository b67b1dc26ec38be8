"""``/v1/audio/voice_consents``: recordings in which somebody agrees that a voice is made of theirs (OpenAI's shape)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request, UploadFile

from vivavoce.errors import ClientError
from vivavoce.http.auth import Owner
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.serving import Serving
from vivavoce.http.uploads import FORM_BYTES, uploaded_form
from vivavoce.protocol import voices as wire
from vivavoce.store.files import new_id
from vivavoce.voices.repository import Page, now_us
from vivavoce.voices.tables import ConsentRow

MOST_RECORDING_BYTES = 10 * 1024 * 1024
MOST_RECORDING_S = 120.0
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


@router.post("/v1/audio/voice_consents", openapi_extra=_FORM, max_body_size=MOST_RECORDING_BYTES + FORM_BYTES)
async def create_consent(request: Request, owner: Owner) -> wire.Consent:
    """Keep a recording of the speaker's agreement."""
    serving: Serving = request.app.state.serving
    own = serving.voices.own
    async with uploaded_form(request, ConsentForm, most_bytes=MOST_RECORDING_BYTES) as form:
        await _require_audio(serving, form.recording)
        await own.require_room(owner, ConsentRow)
        blob = await serving.store.blobs.put(_pieces(form.recording), most_bytes=MOST_RECORDING_BYTES)
        consent = ConsentRow(
            id=new_id("cons_"),
            owner=owner,
            name=form.name,
            language=form.language,
            recording=blob.key,
            made_at=now_us(),
        )
        try:
            await own.add_consent(consent)
        except BaseException:
            await serving.store.blobs.delete(blob.key)
            raise
    return _shown(consent)


@router.get("/v1/audio/voice_consents")
async def list_consents(
    request: Request,
    owner: Owner,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    after: Annotated[str | None, Query(max_length=64)] = None,
) -> wire.ConsentList:
    """A page of one's own consents, the newest first."""
    serving: Serving = request.app.state.serving
    rows, more = await serving.voices.own.consents(owner, Page(limit, after=after))
    data = [_shown(row) for row in rows]
    first, last = (data[0].id, data[-1].id) if data else (None, None)
    return wire.ConsentList(data=data, has_more=more, first_id=first, last_id=last)


@router.get("/v1/audio/voice_consents/{consent_id}")
async def get_consent(request: Request, owner: Owner, consent_id: str) -> wire.Consent:
    """What is known about a consent."""
    serving: Serving = request.app.state.serving
    return _shown(await serving.voices.own.consent(owner, consent_id))


@router.post("/v1/audio/voice_consents/{consent_id}")
async def change_consent(request: Request, owner: Owner, consent_id: str, change: wire.ConsentChange) -> wire.Consent:
    """Give a consent another name."""
    serving: Serving = request.app.state.serving
    return _shown(await serving.voices.own.rename_consent(owner, consent_id, change.name))


@router.delete("/v1/audio/voice_consents/{consent_id}")
async def delete_consent(request: Request, owner: Owner, consent_id: str) -> wire.ConsentDeleted:
    """Delete a consent and its recording. Voices made with it stay, and keep the record that there was one."""
    serving: Serving = request.app.state.serving
    await serving.voices.own.delete_consent(owner, consent_id)
    return wire.ConsentDeleted(id=consent_id)


async def _require_audio(serving: Serving, recording: UploadFile) -> None:
    try:
        await serving.engines.decoder.decode(recording.file, rate_hz=_CHECKED_HZ, most_s=MOST_RECORDING_S)
    except ClientError as error:
        error.param = error.param or "recording"
        raise
    await recording.seek(0)


async def _pieces(recording: UploadFile) -> AsyncIterator[bytes]:
    while piece := await recording.read(_PIECE_BYTES):
        yield piece


def _shown(row: ConsentRow) -> wire.Consent:
    return wire.Consent(id=row.id, created_at=row.made_at // 1_000_000, name=row.name, language=row.language)
