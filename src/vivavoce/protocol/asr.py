"""StepFun's recognition of whole recordings, ``/v1/audio/asr/sse`` and ``…/file/*`` (audio reference, section 3)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, Field, StringConstraints, model_validator

from vivavoce.protocol.transcription import MAX_HOTWORDS, MAX_PROMPT_CHARACTERS, Hotword

Rate: TypeAlias = Annotated[int, Field(ge=4_000, le=192_000)]
Bits: TypeAlias = Literal[8, 16, 24, 32]


class AsrTranscription(BaseModel):
    """How to read the recording. ``enable_itn``: numbers and codes as they are typed, not as they are said."""

    model: Annotated[str, StringConstraints(min_length=1)]
    language: str | None = Field(default=None, max_length=40)
    hotwords: list[Hotword] = Field(default=[], max_length=MAX_HOTWORDS)
    prompt: str | None = Field(default=None, max_length=MAX_PROMPT_CHARACTERS)
    enable_itn: bool = True
    enable_timestamp: bool = False
    full_rerun_on_commit: bool = False


class AsrFormat(BaseModel):
    """What the recording is. Only headerless PCM has to be described; the rest describes itself."""

    type: Literal["pcm", "wav", "mp3", "ogg", "flac", "m4a", "aac", "webm"]
    codec: str | None = Field(default=None, max_length=40)
    rate: Rate | None = None
    bits: Bits | None = None
    channel: Annotated[int, Field(ge=1, le=8)] | None = None

    @model_validator(mode="after")
    def _pcm_is_described(self) -> AsrFormat:
        if self.type == "pcm" and self.codec not in (None, "pcm_s16le"):
            raise ValueError("codec must be pcm_s16le for pcm")
        if self.type == "pcm" and None in (self.rate, self.bits, self.channel):
            raise ValueError("rate, bits and channel are required for pcm")
        return self


class AsrInput(BaseModel):
    """The recording's description, and how to read it."""

    transcription: AsrTranscription
    format: AsrFormat


class AsrAudio(BaseModel):
    """``data`` is the whole recording in base64."""

    data: Annotated[str, StringConstraints(min_length=1)]
    input: AsrInput


class AsrRequest(BaseModel):
    """The body of ``/v1/audio/asr/sse``."""

    audio: AsrAudio


class AsrMeta(BaseModel):
    """Which answer an event belongs to, and when it was made (ms of the epoch)."""

    session_id: str
    timestamp: int


class AsrDelta(BaseModel):
    """More of the text. With ``enable_timestamp``, where in the recording it is said (ms)."""

    type: Literal["transcript.text.delta"] = "transcript.text.delta"
    meta: AsrMeta
    delta: str
    item_id: str | None = None
    content_index: int | None = None
    start_time: int | None = None
    end_time: int | None = None


class AsrUsage(BaseModel):
    """What the recognition counts as."""

    type: Literal["realtime_asr"] = "realtime_asr"
    input_tokens: int
    input_token_details: dict[str, int]
    output_tokens: int
    total_tokens: int


class AsrDone(BaseModel):
    """The whole text. The last event."""

    type: Literal["transcript.text.done"] = "transcript.text.done"
    meta: AsrMeta
    text: str
    usage: AsrUsage


class AsrFailure(BaseModel):
    """What went wrong after the answer had begun. The last event."""

    type: Literal["error"] = "error"
    meta: AsrMeta
    message: str


class FileAudio(BaseModel):
    """Where the recording is; ``rate``, ``bits`` and ``channel`` describe headerless PCM."""

    format: Literal["wav", "mp3", "pcm", "ogg"]
    url: Annotated[str, StringConstraints(pattern=r"^https?://", max_length=4096)]
    codec: Literal["raw", "opus"] = "raw"
    rate: Rate = 16_000
    bits: Bits = 16
    channel: Literal[1, 2] = 1


class FileRequest(BaseModel):
    """How to read it. ``enable_channel_split``: each channel for itself; ``language`` is ours."""

    model_name: Annotated[str, StringConstraints(min_length=1)]
    enable_channel_split: bool = False
    show_utterances: bool = False
    enable_speaker_info: bool = False
    language: str | None = Field(default=None, max_length=40)


class FileSubmission(BaseModel):
    """The body of ``/v1/audio/asr/file/submit``."""

    audio: FileAudio
    request: FileRequest


class FileTask(BaseModel):
    """What to ask for later."""

    task_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]


class FileWord(BaseModel):
    """A word; times in ms."""

    text: str
    start_time: int
    end_time: int


class FileUtterance(BaseModel):
    """A sentence; times in ms."""

    text: str
    start_time: int
    end_time: int
    words: list[FileWord]


class FileChannel(BaseModel):
    """What was said, in one channel or in all."""

    text: str
    utterances: list[FileUtterance] | None = None


class FileResult(BaseModel):
    """How far a task is; with its end the recording's ``duration`` (s) and text, or what went wrong."""

    status: Literal["RUNNING", "SUCCEEDED", "FAILED"]
    duration: float | None = None
    result: list[FileChannel] | None = None
    error: dict[str, Any] | None = None
