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
from vivavoce.http.core import Core
from vivavoce.http.disconnects import while_connected
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.event_stream import SendEvent, Work, event, event_stream
from vivavoce.http.lifecycle import core_of
from vivavoce.http.recordings import decoded
from vivavoce.http.uploads import bounded_json
from vivavoce.ids import random_id
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
from vivavoce.protocol.languages import requested_language
from vivavoce.protocol.model_names import model_behind
from vivavoce.protocol.transcription import recognition_prompt
from vivavoce.runtime.long_audio import recognise
from vivavoce.scheduling import WorkOwner
from vivavoce.text.inverse import inverse_normalized
from vivavoce.text.scripts import joined
from vivavoce.transcription.answers import token_usage
from vivavoce.transcription.captions import captions
from vivavoce.transcription.tasks import RecordingTasks
from vivavoce.types import Samples, TranscribeOptions

MAX_JSON_BYTES = 48 * 1024 * 1024
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
    max_body_size=MAX_JSON_BYTES,
)
async def recognise_recording(request: Request, owner: Owner) -> Response:
    """What is said in a recording, sentence by sentence."""
    core = core_of(request)
    audio = (await bounded_json(request, AsrRequest, most_bytes=MAX_JSON_BYTES)).audio
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(core.request_slots.hold(owner))
        settings = audio.input.transcription
        model_behind(
            settings.model, "transcription", core.config.tiers.aliases, param="audio.input.transcription.model"
        )
        requested_language(settings.language, "audio.input.transcription.language")
        samples = await while_connected(request.receive, _samples(core, audio.data, audio.input.format))
        del audio
        resources, answer = stack.pop_all(), _Answer()
        try:
            return await event_stream(
                request, _event_sender(core, owner, samples, settings, resources, answer), failed=answer.failure
            )
        except BaseException:
            await resources.aclose()
            raise


async def _samples(core: Core, data: str, format: AsrFormat) -> Samples:
    try:
        content = await asyncio.to_thread(from_base64, data.partition("base64,")[2] or data)
    except ValueError as error:
        raise ClientError("'audio.data' is not base64.", param="audio.data") from error
    raw = None
    if format.type == "pcm":
        raw = RawFormat(format.rate or 0, format.channel or 0, format.bits or 0)  # all there, as was checked
    return await decoded(core, content, raw=raw, param="audio.data")


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


def _event_sender(
    core: Core, owner: str, samples: Samples, settings: AsrTranscription, resources: AsyncExitStack, answer: _Answer
) -> Work:
    """What sends the events: a delta for each sentence, and the whole. ``resources`` is let go at the end."""
    prompt = recognition_prompt(settings.prompt, settings.hotwords)
    options = TranscribeOptions(requested_language(settings.language), prompt, words=True)
    reading = recognise(core.engines.recognition, core.engines.vad, samples, options, owner=WorkOwner(owner, object()))

    async def send_all(send: SendEvent) -> None:
        async with resources, aclosing(reading) as segments:
            text, token_count, item_id = "", 0, random_id("item")
            async for segment in segments:
                token_count += len(segment.tokens)
                for caption in captions([segment]):
                    said = inverse_normalized(caption.text, segment.language) if settings.enable_itn else caption.text
                    longer = joined(text, said)
                    delta = AsrDelta(meta=answer.meta(), delta=longer[len(text) :])
                    if settings.enable_timestamp:
                        delta.item_id, delta.content_index = item_id, 0
                        delta.start_time, delta.end_time = caption.start_ms, caption.end_ms
                    await send(_event(delta))
                    text = longer
            usage_counts = token_usage(len(samples) / core.engines.recognition.rate_hz, prompt, token_count)
            usage = AsrUsage(**usage_counts.model_dump(exclude={"type"}))
            await send(_event(AsrDone(meta=answer.meta(), text=text, usage=usage)))

    return send_all


def _event(body: BaseModel) -> str:
    return event(body.model_dump(exclude_none=True))


# ---- files behind URLs, read in the background


@router.post("/v1/audio/asr/file/submit")
async def submit_file(request: Request, submission: FileSubmission, owner: Owner) -> FileTask:
    """Have a recording read that is behind a URL. It is fetched and read in the background."""
    core = core_of(request)
    aliases = core.config.tiers.aliases
    model_behind(submission.request.model_name, "transcription", aliases, param="request.model_name")
    requested_language(submission.request.language, "request.language")
    if submission.request.enable_speaker_info:
        raise ClientError(
            "Only /v1/audio/transcriptions tells speakers apart.",
            param="request.enable_speaker_info",
        )
    return FileTask(task_id=await core.shared[RecordingTasks].submit(owner, submission))


@router.post("/v1/audio/asr/file/query", response_model_exclude_none=True)
async def query_file(request: Request, task: FileTask, owner: Owner) -> FileResult:
    """How far a task is, and what came of it."""
    core = core_of(request)
    return await core.shared[RecordingTasks].result(owner, task.task_id)
