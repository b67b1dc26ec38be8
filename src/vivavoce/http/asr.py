"""``POST /v1/audio/asr/sse`` and ``/v1/audio/asr/file/*``: StepFun's recognition of whole recordings (audio reference, 3)."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, aclosing
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from vivavoce.audio.recordings import RawFormat
from vivavoce.errors import ClientError
from vivavoce.http.auth import Owner
from vivavoce.http.disconnects import while_connected
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.event_stream import SendEvent, Work, event, event_stream
from vivavoce.http.recordings import decoded, spelling, understood_language
from vivavoce.http.serving import Serving
from vivavoce.http.uploads import bounded_json
from vivavoce.model_names import model_behind
from vivavoce.protocol.asr import (
    AsrDelta,
    AsrDone,
    AsrFailure,
    AsrFormat,
    AsrMeta,
    AsrRequest,
    AsrTranscription,
    AsrUsage,
    FileResult,
    FileSubmission,
    FileTask,
)
from vivavoce.protocol.base64_text import from_base64
from vivavoce.runtime.long_audio import recognise
from vivavoce.runtime.scheduling import Whose
from vivavoce.scripts import joined
from vivavoce.session.outbox import random_id
from vivavoce.transcription.answers import token_usage
from vivavoce.transcription.captions import captions
from vivavoce.types import Samples, TranscribeOptions

MOST_JSON_BYTES = 48 * 1024 * 1024
"""Base64 in JSON is in memory whole: 36 MB of audio are enough, larger recordings are uploaded as files."""

router = APIRouter(route_class=ReportingRoute, tags=["audio"])

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": AsrRequest.model_json_schema()}},
    }
}
_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Server-sent events.", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
}


@router.post(
    "/v1/audio/asr/sse",
    response_class=Response,
    responses=_EVENTS,
    openapi_extra=_BODY,
    max_body_size=MOST_JSON_BYTES,
)
@router.post(
    "/step_plan/v1/audio/asr/sse",
    include_in_schema=False,
    response_class=Response,
    max_body_size=MOST_JSON_BYTES,
)
async def recognise_recording(request: Request, owner: Owner) -> Response:
    """What is said in a recording, sentence by sentence."""
    serving: Serving = request.app.state.serving
    audio = (await bounded_json(request, AsrRequest, most_bytes=MOST_JSON_BYTES)).audio
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(serving.requests.taken_for(owner))
        wanted = audio.input.transcription
        model_behind(
            wanted.model, "transcription", serving.config.tiers.aliases, param="audio.input.transcription.model"
        )
        understood_language(wanted.language, "audio.input.transcription.language")
        samples = await while_connected(request, _samples(serving, audio.data, audio.input.format))
        del audio
        held, answer = stack.pop_all(), _Answer()
        try:
            return await event_stream(
                request, _sending(serving, owner, samples, wanted, held, answer), failed=answer.failure
            )
        except BaseException:
            await held.aclose()
            raise


async def _samples(serving: Serving, data: str, format: AsrFormat) -> Samples:
    try:
        content = await asyncio.to_thread(from_base64, data.partition("base64,")[2] or data)
    except ValueError as error:
        raise ClientError("'audio.data' is not base64.", param="audio.data") from error
    raw = None
    if format.type == "pcm":
        raw = RawFormat(format.rate or 0, format.channel or 0, format.bits or 0)  # all there, as was checked
    return await decoded(serving, content, raw=raw, param="audio.data")


class _Answer:
    """One stream of events, by which name and when."""

    def __init__(self) -> None:
        self._session_id = random_id("sess")

    def meta(self) -> AsrMeta:
        """What every event carries."""
        return AsrMeta(session_id=self._session_id, timestamp=int(time.time() * 1000))

    def failure(self, error: ClientError) -> str:
        """The event of an error that came late."""
        return _event(AsrFailure(meta=self.meta(), message=error.message))


def _sending(
    serving: Serving, owner: str, samples: Samples, wanted: AsrTranscription, held: AsyncExitStack, answer: _Answer
) -> Work:
    """What sends the events: a delta for each sentence, and the whole. ``held`` is let go at the end."""
    prompt = spelling(wanted.prompt, wanted.hotwords)
    options = TranscribeOptions(understood_language(wanted.language), prompt, words=True)
    reading = recognise(
        serving.engines.recognition, serving.engines.ears, samples, options, owner=Whose(owner, object())
    )

    async def send_all(send: SendEvent) -> None:
        async with held, aclosing(reading) as segments:
            text, written, item_id = "", 0, random_id("item")
            async for segment in segments:
                written += len(segment.tokens)
                for caption in captions([segment]):
                    longer = joined(text, caption.text)
                    delta = AsrDelta(meta=answer.meta(), delta=longer[len(text) :])
                    if wanted.enable_timestamp:
                        delta.item_id, delta.content_index = item_id, 0
                        delta.start_time, delta.end_time = caption.start_ms, caption.end_ms
                    await send(_event(delta))
                    text = longer
            counted = token_usage(len(samples) / serving.engines.recognition.rate_hz, prompt, written)
            usage = AsrUsage(**counted.model_dump(exclude={"type"}))
            await send(_event(AsrDone(meta=answer.meta(), text=text, usage=usage)))

    return send_all


def _event(body: BaseModel) -> str:
    return event(body.model_dump(exclude_none=True))


# ---- files behind URLs, read in the background


@router.post("/v1/audio/asr/file/submit")
@router.post("/step_plan/v1/audio/asr/file/submit", include_in_schema=False)
async def submit_file(request: Request, wanted: FileSubmission, owner: Owner) -> FileTask:
    """Have a recording read that is behind a URL. It is fetched and read in the background."""
    serving: Serving = request.app.state.serving
    aliases = serving.config.tiers.aliases
    model_behind(wanted.request.model_name, "transcription", aliases, param="request.model_name")
    understood_language(wanted.request.language, "request.language")
    if wanted.request.enable_speaker_info:
        raise ClientError("Speakers are not told apart on this server.", param="request.enable_speaker_info")
    return FileTask(task_id=await serving.recordings.submit(owner, wanted))


@router.post("/v1/audio/asr/file/query", response_model_exclude_none=True)
@router.post("/step_plan/v1/audio/asr/file/query", include_in_schema=False, response_model_exclude_none=True)
async def query_file(request: Request, wanted: FileTask, owner: Owner) -> FileResult:
    """How far a task is, and what came of it."""
    serving: Serving = request.app.state.serving
    return await serving.recordings.result(owner, wanted.task_id)
