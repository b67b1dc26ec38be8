"""``POST /v1/audio/transcriptions`` and ``/translations``: recordings to text (audio reference, section 3.1; OpenAI's API)."""

from __future__ import annotations

from contextlib import AsyncExitStack, aclosing
from typing import Any

from fastapi import APIRouter, Request, Response, UploadFile
from pydantic import BaseModel

from vivavoce.errors import ClientError
from vivavoce.http import asr, asr_stream
from vivavoce.http.auth import Owner
from vivavoce.http.disconnects import while_connected
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.event_stream import SendEvent, Work, event, event_stream
from vivavoce.http.recordings import HEADERLESS, MOST_BYTES, decoded, spelling, understood_language
from vivavoce.http.serving import Serving
from vivavoce.http.uploads import FORM_BYTES, uploaded_form
from vivavoce.model_names import model_behind
from vivavoce.protocol.transcription import (
    DurationUsage,
    TextDelta,
    TextDone,
    Transcription,
    TranscriptionFields,
    TranslationFields,
    VerboseTranscription,
)
from vivavoce.runtime.long_audio import recognise
from vivavoce.runtime.scheduling import Whose
from vivavoce.scripts import joined
from vivavoce.transcription.answers import Read, Wanted, logprobs, token_usage, verbose
from vivavoce.transcription.captions import captions, srt, vtt
from vivavoce.types import Samples, Token, TranscribeOptions

router = APIRouter(route_class=ReportingRoute, tags=["audio"])

MOST_FORM_BYTES = MOST_BYTES + FORM_BYTES

router.include_router(asr.router)
router.include_router(asr_stream.router)

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
    response_model=Transcription | VerboseTranscription,
    responses=_ANSWERS,
    openapi_extra=_described(TranscriptionForm),
    max_body_size=MOST_FORM_BYTES,
)
@router.post(
    "/step_plan/v1/audio/transcriptions",
    include_in_schema=False,
    response_model=None,
    max_body_size=MOST_FORM_BYTES,
)
async def create_transcription(request: Request, owner: Owner) -> Response:
    """What is said in a recording, in the language it is said in."""
    serving: Serving = request.app.state.serving
    async with AsyncExitStack() as stack:
        form = await stack.enter_async_context(uploaded_form(request, TranscriptionForm, most_bytes=MOST_BYTES))
        await stack.enter_async_context(serving.requests.taken_for(owner))
        _require_model(form, serving)
        wanted = _transcription(form)
        samples = await while_connected(request, _samples(serving, form.file))
        if not form.stream:
            return _answer(await while_connected(request, _read(serving, owner, samples, wanted)), wanted)
        held = stack.pop_all()
        try:
            return await event_stream(request, _streaming(serving, owner, samples, wanted, held))
        except BaseException:
            await held.aclose()
            raise


@router.post(
    "/v1/audio/translations",
    response_model=Transcription | VerboseTranscription,
    responses={200: {"description": _ANSWERS[200]["description"], "content": _TEXT}},
    openapi_extra=_described(TranslationForm),
    max_body_size=MOST_FORM_BYTES,
)
@router.post(
    "/step_plan/v1/audio/translations",
    include_in_schema=False,
    response_model=None,
    max_body_size=MOST_FORM_BYTES,
)
async def create_translation(request: Request, owner: Owner) -> Response:
    """What is said in a recording, in English."""
    serving: Serving = request.app.state.serving
    async with (
        uploaded_form(request, TranslationForm, most_bytes=MOST_BYTES) as form,
        serving.requests.taken_for(owner),
    ):
        _require_model(form, serving)
        wanted = _translation(form)
        samples = await while_connected(request, _samples(serving, form.file))
        return _answer(await while_connected(request, _read(serving, owner, samples, wanted)), wanted)


# ---- what is wanted


def _require_model(form: TranslationFields, serving: Serving) -> None:
    """Any transcription model will do, and so will none: Open WebUI sends an empty name until it is told one.

    Raises ``ClientError`` for other models.
    """
    if form.model:
        model_behind(form.model, "transcription", serving.config.tiers.aliases)


def _transcription(form: TranscriptionForm) -> Wanted:
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
    languages = form.languages if len(form.languages) == 1 else []
    options = TranscribeOptions(
        understood_language(form.language or next(iter(languages), None)),
        spelling(form.prompt, [*form.hotwords, *form.keywords]),
        temperature=form.temperature,
        words=form.stream or bool(form.include) or form.response_format in ("srt", "vtt", "verbose_json"),
    )
    return Wanted(
        form.response_format,
        options,
        granularities=form.timestamp_granularities or ("segment",),
        logprobs=bool(form.include),
    )


def _translation(form: TranslationForm) -> Wanted:
    options = TranscribeOptions(
        prompt=spelling(form.prompt, []),
        temperature=form.temperature,
        words=form.response_format in ("srt", "vtt", "verbose_json"),
        translate=True,
    )
    return Wanted(form.response_format, options)


async def _samples(serving: Serving, file: UploadFile) -> Samples:
    """The recording. One named ``.pcm`` that has no header is taken for 16 kHz mono with 16 bits."""
    headerless = (file.filename or "").lower().endswith(HEADERLESS_SUFFIXES)
    try:
        return await decoded(serving, file.file)
    except ClientError as error:
        if not headerless or error.code != "unsupported_format":
            raise
    return await decoded(serving, file.file, raw=HEADERLESS)


# ---- the answer


async def _read(serving: Serving, owner: str, samples: Samples, wanted: Wanted) -> Read:
    engines = serving.engines
    async with aclosing(
        recognise(engines.recognition, engines.ears, samples, wanted.options, owner=Whose(owner, object()))
    ) as found:
        segments = [segment async for segment in found]
    text = ""
    for segment in segments:
        text = joined(text, segment.text)
    return Read(text, segments, len(samples) / engines.recognition.rate_hz)


def _answer(read: Read, wanted: Wanted) -> Response:
    match wanted.format:
        case "text":
            return _plain(f"{read.text}\n")
        case "srt":
            return _plain(srt(captions(read.segments)))
        case "vtt":
            return _plain(vtt(captions(read.segments)))
        case "verbose_json":
            return _json(verbose(read, wanted))
    tokens = [token for segment in read.segments for token in segment.tokens]
    return _json(
        Transcription(
            text=read.text,
            logprobs=logprobs(tokens) if wanted.logprobs else None,
            usage=DurationUsage(seconds=round(read.duration_s, 3)),
        )
    )


def _plain(text: str) -> Response:
    return Response(text, media_type="text/plain")


def _json(body: BaseModel) -> Response:
    return Response(body.model_dump_json(exclude_none=True), media_type="application/json")


# ---- server-sent events


def _streaming(serving: Serving, owner: str, samples: Samples, wanted: Wanted, held: AsyncExitStack) -> Work:
    """What sends the events: a delta for each segment, and the whole. ``held`` is let go at the end."""

    engines = serving.engines
    reading = recognise(engines.recognition, engines.ears, samples, wanted.options, owner=Whose(owner, object()))

    async def send_all(send: SendEvent) -> None:
        async with held, aclosing(reading) as segments:
            text, tokens = "", list[Token]()
            async for segment in segments:
                longer = joined(text, segment.text)
                delta = TextDelta(
                    delta=longer[len(text) :], logprobs=logprobs(segment.tokens) if wanted.logprobs else None
                )
                await send(_event(delta))
                text = longer
                tokens += segment.tokens
            duration_s = len(samples) / engines.recognition.rate_hz
            done = TextDone(
                text=text,
                logprobs=logprobs(tokens) if wanted.logprobs else None,
                usage=token_usage(duration_s, wanted.options.prompt, len(tokens)),
            )
            await send(_event(done))

    return send_all


def _event(body: BaseModel) -> str:
    return event(body.model_dump(exclude_none=True))
