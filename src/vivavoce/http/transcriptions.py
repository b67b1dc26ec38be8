"""``POST /v1/audio/transcriptions`` and ``/translations``: recordings to text (audio reference, section 3.1; OpenAI's API)."""

from __future__ import annotations

from contextlib import AsyncExitStack, aclosing
from typing import Any

from fastapi import APIRouter, Request, Response, UploadFile
from pydantic import BaseModel

from vivavoce.errors import ClientError
from vivavoce.http.auth import Owner
from vivavoce.http.core import Core
from vivavoce.http.disconnects import while_connected
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.event_stream import SendEvent, Work, event, event_stream
from vivavoce.http.lifecycle import core_of
from vivavoce.http.recordings import HEADERLESS, MAX_BYTES, decoded
from vivavoce.http.uploads import FORM_BYTES, uploaded_form
from vivavoce.protocol.languages import requested_language
from vivavoce.protocol.model_names import model_behind
from vivavoce.protocol.transcription import (
    DiarizedTranscription,
    DurationUsage,
    RecordingFields,
    TranscriptionAnswer,
    TranscriptionFields,
    TranscriptTextDelta,
    TranscriptTextDone,
    TranslationFields,
    VerboseTranscription,
    recognition_prompt,
)
from vivavoce.runtime.long_audio import LongTranscript, recognise, recognise_all
from vivavoce.scheduling import WorkOwner
from vivavoce.transcription.answers import (
    TranscriptionRequest,
    TranscriptionResult,
    channel_segments,
    channels_together,
    diarized,
    logprobs,
    token_usage,
    verbose,
)
from vivavoce.transcription.captions import srt, vtt, with_channel
from vivavoce.transcription.speakers import speakers
from vivavoce.types import Samples, Token, TranscribeOptions

router = APIRouter(route_class=ReportingRoute, tags=["audio"])

MAX_FORM_BYTES = MAX_BYTES + FORM_BYTES


TIMED_FORMATS = ("srt", "vtt", "verbose_json", "diarized_json")

MAX_CHANNELS = 8
"""Of a recording whose channels are read by themselves: each takes as long as the recording."""

HEADERLESS_SUFFIXES = (".pcm", ".raw")


class TranscriptionForm(TranscriptionFields):
    """A form with its recording."""

    file: UploadFile


class TranslationForm(TranslationFields):
    """A form with its recording."""

    file: UploadFile


def _described(form: type[BaseModel]) -> dict[str, Any]:
    """The form, for the OpenAPI description: it is read while it arrives, not by the framework."""
    schema = form.model_json_schema()
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


_TEXT: dict[str, Any] = {"text/plain": {"schema": {"type": "string"}}}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "JSON; or the text, or subtitles, as `response_format` says; or server-sent events (`stream`).",
        "content": {**_TEXT, "text/event-stream": {"schema": {"type": "string"}}},
    }
}


@router.post(
    "/v1/audio/transcriptions",
    response_model=TranscriptionAnswer | VerboseTranscription | DiarizedTranscription,
    responses=_ANSWERS,
    openapi_extra=_described(TranscriptionForm),
    max_body_size=MAX_FORM_BYTES,
)
async def create_transcription(request: Request, owner: Owner) -> Response:
    """What is said in a recording, in the language it is said in."""
    core = core_of(request)
    async with AsyncExitStack() as stack:
        form = await stack.enter_async_context(uploaded_form(request, TranscriptionForm, most_bytes=MAX_BYTES))
        await stack.enter_async_context(core.request_slots.hold(owner))
        _require_model(form, core)
        parameters = _transcription(form)
        if parameters.separate:
            result = await while_connected(request.receive, _channels(core, owner, form.file, parameters))
            return _answer(result, parameters)
        samples = await while_connected(request.receive, _samples(core, form.file))
        if parameters.format == "diarized_json":
            return _json(await while_connected(request.receive, _diarized(core, owner, samples, parameters)))
        if not form.stream:
            return _answer(
                await while_connected(request.receive, _transcribe(core, owner, samples, parameters)), parameters
            )
        resources = stack.pop_all()
        try:
            return await event_stream(request, _streaming(core, owner, samples, parameters, resources))
        except BaseException:
            await resources.aclose()
            raise


@router.post(
    "/v1/audio/translations",
    response_model=TranscriptionAnswer | VerboseTranscription,
    responses={200: {"description": _ANSWERS[200]["description"], "content": _TEXT}},
    openapi_extra=_described(TranslationForm),
    max_body_size=MAX_FORM_BYTES,
)
async def create_translation(request: Request, owner: Owner) -> Response:
    """What is said in a recording, in English."""
    core = core_of(request)
    async with (
        uploaded_form(request, TranslationForm, most_bytes=MAX_BYTES) as form,
        core.request_slots.hold(owner),
    ):
        _require_model(form, core)
        parameters = _translation(form)
        samples = await while_connected(request.receive, _samples(core, form.file))
        return _answer(
            await while_connected(request.receive, _transcribe(core, owner, samples, parameters)), parameters
        )


# ---- what is wanted


def _require_model(form: RecordingFields, core: Core) -> None:
    """Any transcription model will do, and so will none: Open WebUI sends an empty name until it is told one.

    Raises ``ClientError`` for other models.
    """
    if form.model:
        model_behind(form.model, "transcription", core.config.tiers.aliases)


def _transcription(form: TranscriptionForm) -> TranscriptionRequest:
    """Raises ``ClientError`` for fields that contradict each other."""
    verbose = form.response_format == "verbose_json"
    if form.timestamp_granularities and not verbose:
        raise ClientError(
            "'timestamp_granularities' needs 'response_format' verbose_json.", param="timestamp_granularities"
        )
    if form.include and form.response_format != "json":
        raise ClientError("'include' needs 'response_format' json.", param="include")
    if form.stream and form.response_format not in ("json", "text"):
        raise ClientError("Only json and text can be streamed.", param="response_format")
    separate = form.channels == "separate"
    if separate and (form.stream or form.response_format == "diarized_json"):
        raise ClientError("Separate channels are neither streamed nor diarized.", param="channels")
    languages = form.languages if len(form.languages) == 1 else []
    options = TranscribeOptions(
        requested_language(form.language or next(iter(languages), None)),
        recognition_prompt(form.prompt, [*form.hotwords, *form.keywords]),
        temperature=form.temperature,
        words=form.stream or separate or bool(form.include) or form.response_format in TIMED_FORMATS,
    )
    return TranscriptionRequest(
        form.response_format,
        options,
        granularities=form.timestamp_granularities or ("segment",),
        logprobs=bool(form.include),
        separate=separate,
    )


def _translation(form: TranslationForm) -> TranscriptionRequest:
    options = TranscribeOptions(
        prompt=recognition_prompt(form.prompt, []),
        temperature=form.temperature,
        words=form.response_format in TIMED_FORMATS,
        translate=True,
    )
    return TranscriptionRequest(form.response_format, options)


async def _samples(core: Core, file: UploadFile, channel: int | None = None) -> Samples:
    """The recording, or one channel of it. One named ``.pcm`` that has no header is taken for 16 kHz mono with 16 bits."""
    headerless = (file.filename or "").lower().endswith(HEADERLESS_SUFFIXES)
    try:
        return await decoded(core, file.file, channel=channel)
    except ClientError as error:
        if not headerless or error.code != "unsupported_format":
            raise
    return await decoded(core, file.file, raw=HEADERLESS, channel=channel)


# ---- the answer


async def _transcribe(
    core: Core, owner: str, samples: Samples, parameters: TranscriptionRequest
) -> TranscriptionResult:
    engines = core.engines
    whose = WorkOwner(owner, object())
    whole = await recognise_all(engines.recognition, engines.vad, samples, parameters.options, whose)
    return TranscriptionResult(whole.text, whole.segments, len(samples) / engines.recognition.rate_hz)


async def _channels(core: Core, owner: str, file: UploadFile, parameters: TranscriptionRequest) -> TranscriptionResult:
    """All channels of a recording, read one after the other. Raises ``ClientError`` for more than ``MAX_CHANNELS``."""
    channels: list[TranscriptionResult] = []
    while True:
        try:
            samples = await _samples(core, file, len(channels))
        except ClientError as error:
            if channels and error.code == "no_such_channel":
                return channels_together(channels)
            raise
        if len(channels) == MAX_CHANNELS:
            raise ClientError(f"The recording has more than {MAX_CHANNELS} channels.", param="channels")
        channels.append(await _transcribe(core, owner, samples, parameters))


async def _diarized(
    core: Core, owner: str, samples: Samples, parameters: TranscriptionRequest
) -> DiarizedTranscription:
    result = await _transcribe(core, owner, samples, parameters)
    return diarized(
        result, await speakers(result.captions, samples, core.engines.recognition.rate_hz, core.engines.verifier)
    )


def _answer(result: TranscriptionResult, parameters: TranscriptionRequest) -> Response:
    match parameters.format:
        case "text":
            lines = map(with_channel, result.captions) if parameters.separate else [result.text]
            return _plain("".join(f"{line}\n" for line in lines))
        case "srt":
            return _plain(srt(result.captions))
        case "vtt":
            return _plain(vtt(result.captions))
        case "verbose_json":
            return _json(verbose(result, parameters))
    tokens = [token for segment in result.segments for token in segment.tokens]
    return _json(
        TranscriptionAnswer(
            text=result.text,
            segments=channel_segments(result) if parameters.separate else None,
            logprobs=logprobs(tokens) if parameters.logprobs else None,
            usage=DurationUsage(seconds=round(result.duration_s, 3)),
        )
    )


def _plain(text: str) -> Response:
    return Response(text, media_type="text/plain")


def _json(body: BaseModel) -> Response:
    return Response(body.model_dump_json(exclude_none=True), media_type="application/json")


# ---- server-sent events


def _streaming(
    core: Core, owner: str, samples: Samples, parameters: TranscriptionRequest, resources: AsyncExitStack
) -> Work:
    """What sends the events: a delta for each segment, and the whole. ``resources`` is let go at the end."""

    engines = core.engines
    reading = recognise(engines.recognition, engines.vad, samples, parameters.options, owner=WorkOwner(owner, object()))

    async def send_all(send: SendEvent) -> None:
        async with resources, aclosing(reading) as segments:
            so_far, tokens = LongTranscript(), list[Token]()
            async for segment in segments:
                delta = TranscriptTextDelta(
                    delta=so_far.add(segment), logprobs=logprobs(segment.tokens) if parameters.logprobs else None
                )
                await send(_event(delta))
                tokens += segment.tokens
            duration_s = len(samples) / engines.recognition.rate_hz
            done = TranscriptTextDone(
                text=so_far.text,
                logprobs=logprobs(tokens) if parameters.logprobs else None,
                usage=token_usage(duration_s, parameters.options.prompt, len(tokens)),
            )
            await send(_event(done))

    return send_all


def _event(body: BaseModel) -> str:
    return event(body.model_dump(exclude_none=True))
