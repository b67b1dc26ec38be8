"""``POST /v1/audio/speech`` on the wire: StepFun's fields and OpenAI's (audio reference, section 1)."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, Field

from vivavoce.protocol.bodies import Body

SpeechFormat: TypeAlias = Literal["wav", "mp3", "flac", "opus", "pcm", "aac"]
SampleRate: TypeAlias = Literal[8000, 16000, 22050, 24000, 48000]


class VoiceReference(Body):
    """OpenAI's way to name a custom voice."""

    id: str


class VoiceLabel(Body):
    """One of them: a dialect, an emotion, a style."""

    language: str | None = None
    emotion: str | None = None
    style: str | None = None


class PronunciationMap(Body):
    """``tone``: entries such as ``绯闻/fei1闻`` (tones 1 to 4) and ``LOL/laugh out loudly``."""

    tone: list[str] = Field(default_factory=list)


class SpeechRequest(Body):
    """What to say, with which voice, and how the audio is wanted."""

    model: Annotated[str, Field(description="A text-to-speech model, such as step-tts-2 or gpt-4o-mini-tts.")]
    input: Annotated[
        str, Field(description="The text: up to 1000 characters, with OpenAI's models 4096.", min_length=1)
    ]
    voice: Annotated[str | VoiceReference, Field(description="An official, native or own voice.")]
    response_format: SpeechFormat = "mp3"
    speed: Annotated[float, Field(ge=0.25, le=4.0, description="0.5 to 2 with StepFun's models.")] = 1.0
    volume: Annotated[float, Field(ge=0.1, le=2.0, description="Multiplies the loudness.")] = 1.0
    sample_rate: Annotated[SampleRate, Field(description="Hz.")] = 24000
    stream_format: Annotated[
        Literal["audio", "sse"], Field(description="The audio as it is made, or server-sent events.")
    ] = "audio"
    return_url: Annotated[bool, Field(description="Answer with an address of the file, valid for 12 hours.")] = False
    timestamp: Annotated[bool, Field(description="When each word is said; with sse or return_url.")] = False
    pronunciation_map: PronunciationMap | list[PronunciationMap] | None = None
    markdown_filter: Annotated[bool, Field(description="Accepted; marks of Markdown and code are never read.")] = False
    input_type: Annotated[
        Literal["text", "ssml"], Field(description="`ssml`: elements the voices cannot follow are named in the answer.")
    ] = "text"
    text_normalization: Literal["standard", "enhanced"] = "standard"
    language: Annotated[str | None, Field(description="Reads text that could be in two languages.", max_length=35)] = (
        None
    )
    voice_label: VoiceLabel | None = None
    instruction: Annotated[
        str | None, Field(description="How to say it; named in the answer where not all of it is followed.")
    ] = None
    instructions: Annotated[str | None, Field(description="OpenAI's name of `instruction`.")] = None

    @property
    def voice_id(self) -> str:
        """The voice's name, however it was given."""
        return self.voice if isinstance(self.voice, str) else self.voice.id

    @property
    def pronunciations(self) -> list[str]:
        """The entries of the pronunciation map, or of all of them: the reference's table and its samples disagree."""
        maps = self.pronunciation_map or []
        return [
            entry
            for pronunciation_map in (maps if isinstance(maps, list) else [maps])
            for entry in pronunciation_map.tone
        ]


class SubtitleItem(BaseModel):
    """A word and its time in ms from the beginning of the audio."""

    text: str
    start_time: int
    end_time: int


class SubtitleObject(BaseModel):
    """A sentence, when this was made (ms of the epoch), and when its words are said."""

    text: str
    request_id: str
    timestamp: int
    items: list[SubtitleItem]


class SpeechFileData(BaseModel):
    """Where the file is, and its subtitles if they were asked for."""

    url: str
    subtitles: list[SubtitleObject] | None = None


class SpeechFile(BaseModel):
    """The answer to ``return_url``; ``url`` is there twice, because clients of either form of the reference look for it."""

    created: int
    data: SpeechFileData
    url: str
    expires_at: int
