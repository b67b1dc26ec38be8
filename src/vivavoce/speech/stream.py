"""Streaming text to speech, sans-IO: what a client says and what was spoken go in, frames and sentences come out.

``opened`` → ``create`` → ``text`` … ``flush`` … ``done`` is the client's side; ``sentence_started``, ``audio``,
``sentence_ended`` and ``ended`` are the synthesizer's. Times are milliseconds of the epoch.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from vivavoce.errors import ClientError
from vivavoce.protocol.speech_events import Create, server_event
from vivavoce.speech.delivery import spoken_delivery
from vivavoce.speech.models import SpeechModel
from vivavoce.speech.pronunciation import Pronunciations
from vivavoce.speech.sentences import GrowingText, Sentence, SentenceSource, WholeSentences
from vivavoce.speech.subtitles import Subtitle
from vivavoce.speech.synthesis import OutputFormat, SynthesisOptions
from vivavoce.speech.synthesis_request import check_delivery

MAX_PENDING_CHARACTERS = 10_000
"""Characters of which nothing can be spoken yet; more is not text."""


@dataclass(frozen=True, slots=True)
class TtsStreamOptions:
    """How everything on a connection is spoken. ``joined``: the pieces of audio make one file; else each is a file."""

    synthesis: SynthesisOptions
    output_format: OutputFormat
    joined: bool
    subtitles: bool


@dataclass(slots=True)
class _SentenceInProgress:
    """The sentence being spoken."""

    request_id: str
    text: str
    number: int
    started_ms: int


class TtsStream:
    """One connection. ``now_ms`` tells the time, ``new_id`` makes an id of 32 hexadecimal digits."""

    def __init__(
        self,
        model: SpeechModel,
        *,
        now_ms: Callable[[], int],
        new_id: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._model = model
        self._now_ms = now_ms
        self._new_id = new_id
        self.session_id = new_id()
        self._source: SentenceSource | None = None
        self._options: TtsStreamOptions | None = None
        self._waiting = 0
        self._sentences = 0
        self._sentence: _SentenceInProgress | None = None
        self.is_finished = False
        """The client has said that no more text will come."""

    @property
    def options(self) -> TtsStreamOptions:
        """How to speak. Raises ``ClientError`` before ``create``."""
        if self._options is None:
            raise ClientError("The first event must be tts.create.", code="invalid_value", param="type")
        return self._options

    # ---- the client's side

    def opened(self) -> str:
        """The first frame."""
        return self._event("tts.connection.done")

    def create(self, request: Create, voice: str) -> str:
        """Begin; ``voice`` as the synthesizer knows it. The frame to answer with. Raises ``ClientError``."""
        if self._options is not None:
            raise ClientError("tts.create was already sent on this connection.", param="type")
        label, instruction = request.voice_label, request.instruction
        check_delivery(label is not None, instruction, self._model, ("data.voice_label", "data.instruction"))
        way = spoken_delivery(label, instruction, param="data.voice_label")
        pronunciations = Pronunciations(request.pronunciations, param="data.pronunciation_map")
        format, _, joined = request.response_format.partition("_")
        source = GrowingText if request.mode == "default" else WholeSentences
        self._source = source(self._model, way.language)
        self._options = TtsStreamOptions(
            SynthesisOptions(voice, request.speed_ratio, request.volume_ratio, pronunciations, style=way.style),
            OutputFormat(format, request.sample_rate),  # type: ignore[arg-type]
            joined=bool(joined) or format == "pcm",
            subtitles=request.timestamp,
        )
        return self._event("tts.response.created", not_applied=list(way.unsupported) or None)

    def text(self, text: str) -> list[Sentence]:
        """More text: what can be spoken now. Raises ``ClientError``."""
        sentences = self._open_source().push(text)
        self._waiting = 0 if sentences else self._waiting + len(text)
        if self._waiting > MAX_PENDING_CHARACTERS:
            raise ClientError(
                f"{MAX_PENDING_CHARACTERS} characters came of which nothing can be spoken.", param="data.text"
            )
        return sentences

    def flush(self) -> tuple[str, list[Sentence]]:
        """Speak what there is: (the frame to answer with, what is to be spoken). Raises ``ClientError``."""
        sentences = self._open_source().flush()
        self._waiting = 0
        return self._event("tts.text.flushed"), sentences

    def done(self) -> list[Sentence]:
        """The text is over: what is left to be spoken. Raises ``ClientError``."""
        sentences = self._open_source().flush()
        self.is_finished = True
        return sentences

    def refused(self, error: ClientError, status: int) -> str:
        """An error frame. ``status`` is what HTTP would have said."""
        details = {"error": error.message, "type": error.type, "code": error.code, "param": error.param}
        return self._event("tts.response.error", code=str(status), message=error.message[:500], details=details)

    def _open_source(self) -> SentenceSource:
        _ = self.options
        if self.is_finished:
            raise ClientError("No text can follow tts.text.done.", param="type")
        assert self._source is not None
        return self._source

    # ---- the synthesizer's side

    def sentence_started(self, sentence: Sentence, not_applied: Sequence[str] = ()) -> str:
        """The synthesizer begins with a sentence; ``not_applied`` names what the voice cannot do with it."""
        self._sentences += 1
        self._sentence = _SentenceInProgress(
            f"{self.session_id}-tts.{self._sentences}", sentence.text, self._sentences, self._now_ms()
        )
        return self._sentence_event("start", not_applied=list(not_applied) or None)

    def audio(self, data: bytes, duration_ms: int, *, last: bool) -> str:
        """A piece of the sentence's audio; ``last`` of the sentence."""
        status = "finished" if last else "unfinished"
        return self._event(
            "tts.response.audio.delta", status=status, audio=_base64(data), duration=round(duration_ms / 1000, 3)
        )

    def subtitle(self, subtitle: Subtitle) -> str:
        """When the words of the sentence are said, counted from the beginning of all audio."""
        assert self._sentence is not None
        items = [{"text": item.text, "start_time": item.start_ms, "end_time": item.end_ms} for item in subtitle.items]
        data = {"request_id": self._sentence.request_id, "text": subtitle.text, "items": items}
        return self._event("tts.response.subtitle", top={"timestamp": self._now_ms()}, **data)

    def sentence_ended(self) -> str:
        """The synthesizer has finished the sentence."""
        return self._sentence_event("end")

    def ended(self, file: bytes) -> str:
        """Everything has been spoken: ``file`` is all of it as one file."""
        return self._event("tts.response.audio.done", audio=_base64(file))

    def _sentence_event(self, phase: str, not_applied: list[str] | None = None) -> str:
        """As the reference has it, and with the names the official SDK looks for."""
        sentence, now_ms = self._sentence, self._now_ms()
        assert sentence is not None
        return self._event(
            f"tts.response.sentence.{phase}",
            text=sentence.text,
            request_id=sentence.request_id,
            timestamp=now_ms,
            sentence_id=str(sentence.number),
            started_at=sentence.started_ms,
            ended_at=now_ms if phase == "end" else None,
            not_applied=not_applied,
        )

    def _event(self, type: str, *, top: dict[str, Any] | None = None, **data: Any) -> str:
        fields = {name: value for name, value in data.items() if value is not None}
        return server_event(type, self._new_id(), {"session_id": self.session_id, **fields}, **(top or {}))


def _base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")
