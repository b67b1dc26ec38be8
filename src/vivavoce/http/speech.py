"""``POST /v1/audio/speech``: text to speech, as StepFun's and OpenAI's clients ask for it (audio reference, section 1)."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse

from vivavoce.audio.encoding import CONTENT_TYPES, wav_header
from vivavoce.errors import ClientError
from vivavoce.http import speech_socket
from vivavoce.http.audio_stream import audio_stream
from vivavoce.http.auth import Owner
from vivavoce.http.disconnects import while_connected
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.event_stream import SendEvent, event, event_stream
from vivavoce.http.serving import Serving
from vivavoce.protocol.speech import SpeechFile, SpeechFileData, SpeechRequest, SubtitleItem, SubtitleObject
from vivavoce.session.outbox import random_id
from vivavoce.speech.links import SpeechLinks
from vivavoce.speech.order import SPOKEN_HERE, Order, understood
from vivavoce.speech.subtitles import Subtitle
from vivavoce.speech.synthesis import FileShape, Made, Spoken, spoken_file

router = APIRouter(route_class=ReportingRoute, tags=["audio"])
router.include_router(speech_socket.router)

UNDONE_HEADER = "X-Vivavoce-Not-Applied"
"""Names what the request asked for and the voices cannot do; without it everything was done."""

CLIENT_GONE = 499
"""For the log alone: nobody reads the answer."""

TOKENS_PER_S = 25
"""The rate at which the platform's speech models write audio; what ``usage`` counts is made of it."""

FILES = "/v1/audio/speech/files"

_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The audio; or server-sent events (`stream_format: sse`); or where the file is (`return_url`).",
        "content": {
            **{type: {"schema": {"type": "string", "format": "binary"}} for type in CONTENT_TYPES.values()},
            "text/event-stream": {"schema": {"type": "string"}},
        },
    }
}


@router.post("/v1/audio/speech", response_model=SpeechFile, responses=_ANSWERS)
@router.post("/step_plan/v1/audio/speech", include_in_schema=False, response_model=None)
async def create_speech(request: Request, wanted: SpeechRequest, owner: Owner) -> Response:
    """Speech from text: as it is made, as events, or as a file with an address."""
    serving: Serving = request.app.state.serving
    voice = await serving.voices.usable(owner, wanted.voice_id)
    languages = serving.engines.speaker.voices.get(voice, SPOKEN_HERE)
    order = understood(wanted, voice, serving.config.tiers.aliases, languages)
    headers = {UNDONE_HEADER: ", ".join(order.undone)} if order.undone else {}
    try:
        if wanted.return_url:
            return await _kept(request, serving, owner, wanted, order, headers)
        if wanted.stream_format == "sse":
            return await _events(request, serving, owner, wanted, order, headers)
        content_type = CONTENT_TYPES[wanted.response_format]
        return await audio_stream(request, _audio(serving, owner, order), content_type, headers)
    except ClientDisconnect:
        return Response(status_code=CLIENT_GONE)


@router.get(FILES + "/{name}", response_class=Response, responses=_ANSWERS)
async def speech_file(request: Request, name: str) -> Response:
    """A file of ``return_url``. Its address is all that is needed to have it, until 12 hours are over."""
    serving: Serving = request.app.state.serving
    file = await SpeechLinks(serving.store).find(name.partition(".")[0])
    headers = {"content-length": str(file.bytes), "cache-control": "private, max-age=3600"}
    audio = await serving.store.blobs.opened(file.blob)
    return StreamingResponse(audio, media_type=file.content_type, headers=headers)


async def _making(
    serving: Serving, owner: str, order: Order, shape: FileShape, *, subtitles: bool = False
) -> AsyncGenerator[Made, None]:
    """The order's file in a place of its own. Raises ``RateLimitError`` when there is none."""
    async with serving.requests.taken_for(owner):
        made = spoken_file(order.clauses, order.manner, serving.engines.speaker, shape, subtitles=subtitles)
        async with aclosing(made) as pieces:
            async for piece in pieces:
                yield piece


async def _audio(serving: Serving, owner: str, order: Order) -> AsyncGenerator[bytes, None]:
    async with aclosing(_making(serving, owner, order, order.shape)) as pieces:
        async for piece in pieces:
            if isinstance(piece, bytes):
                yield piece


# ---- server-sent events


async def _events(
    request: Request, serving: Serving, owner: str, wanted: SpeechRequest, order: Order, headers: dict[str, str]
) -> Response:
    async def send_all(send: SendEvent) -> None:
        async with aclosing(_making(serving, owner, order, order.shape, subtitles=wanted.timestamp)) as pieces:
            async for piece in pieces:
                await send(event(_told(piece, wanted)))
        await send("data: [DONE]\n\n")

    response = await event_stream(request, send_all, failed=_failure)
    response.headers.update(headers)
    return response


def _told(piece: Made, wanted: SpeechRequest) -> dict[str, Any]:
    match piece:
        case bytes():
            return {"type": "speech.audio.delta", "audio": b64encode(piece).decode("ascii")}
        case Subtitle():
            data = subtitle_object(piece).model_dump()
            return {"type": "response.subtitle", "event_id": random_id("event"), "data": data}
        case Spoken(duration_ms=duration_ms):
            return {"type": "speech.audio.done", "audio": "", "usage": _usage(wanted, duration_ms)}


def _usage(wanted: SpeechRequest, duration_ms: int) -> dict[str, int]:
    """OpenAI's counts. A character of input is a token; the audio has ``TOKENS_PER_S``."""
    read, made = len(wanted.input), round(duration_ms * TOKENS_PER_S / 1000)
    return {"input_tokens": read, "output_tokens": made, "total_tokens": read + made}


def _failure(error: ClientError) -> str:
    body = {"message": error.message, "type": error.type, "code": error.code, "param": error.param}
    return event({"type": "speech.audio.error", "error": body})


def subtitle_object(subtitle: Subtitle) -> SubtitleObject:
    """A sentence's subtitle as the wire has it."""
    items = [SubtitleItem(text=one.text, start_time=one.start_ms, end_time=one.end_ms) for one in subtitle.items]
    return SubtitleObject(
        text=subtitle.text, request_id=random_id("sentence"), timestamp=int(time.time() * 1000), items=items
    )


# ---- a file with an address


async def _kept(
    request: Request, serving: Serving, owner: str, wanted: SpeechRequest, order: Order, headers: dict[str, str]
) -> Response:
    subtitles: list[SubtitleObject] = []
    chunks = _whole(serving, owner, order, subtitles if wanted.timestamp else None)
    content_type = CONTENT_TYPES[wanted.response_format]
    secret, expires_at = await while_connected(request, SpeechLinks(serving.store).keep(owner, chunks, content_type))
    url = f"{str(request.base_url).rstrip('/')}{FILES}/{secret}.{wanted.response_format}"
    answer = SpeechFile(
        created=int(time.time()),
        data=SpeechFileData(url=url, subtitles=subtitles if wanted.timestamp else None),
        url=url,
        expires_at=expires_at,
    )
    return Response(answer.model_dump_json(exclude_none=True), media_type="application/json", headers=headers)


async def _whole(
    serving: Serving, owner: str, order: Order, subtitles: list[SubtitleObject] | None
) -> AsyncGenerator[bytes, None]:
    """The order's file; a wav knows how long it is. Fills ``subtitles``."""
    wav = order.shape.format == "wav"
    shape = FileShape("pcm", order.shape.rate_hz) if wav else order.shape
    held: list[bytes] = []
    async with aclosing(_making(serving, owner, order, shape, subtitles=subtitles is not None)) as pieces:
        async for piece in pieces:
            if isinstance(piece, Subtitle):
                assert subtitles is not None
                subtitles.append(subtitle_object(piece))
            elif isinstance(piece, bytes) and wav:
                held.append(piece)
            elif isinstance(piece, bytes):
                yield piece
    if wav:
        yield wav_header(shape.rate_hz, sum(map(len, held)))
        for piece in held:
            yield piece
