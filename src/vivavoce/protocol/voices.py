"""Voices on the wire: StepFun's shape and OpenAI's in one, and what this server says beside it (audio reference, 4)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from vivavoce.protocol.bodies import Body
from vivavoce.protocol.speech import PronunciationMap, SampleRate, SpeechFormat, VoiceLabel

VoiceKind = Literal["match", "clone"]


class VoiceFields(Body):
    """What a voice is made with, beside its clip."""

    name: Annotated[str, Field(max_length=255, description="For people; the id if there is none.")] = ""
    text: Annotated[
        str | None, Field(max_length=2000, description="What is said in the clip; checked. Else it is recognised.")
    ] = None
    kind: Annotated[
        VoiceKind | None, Field(description="`clone` where an engine for it is loaded, else `match`, if not given.")
    ] = None
    consent: Annotated[
        str | None, Field(max_length=2000, description="The id of a consent, or a statement; recorded.")
    ] = None
    model: Annotated[str | None, Field(max_length=128, description="A text-to-speech model; recorded.")] = None
    type: Annotated[str, Field(description="OpenAI's: `audio_sample`.")] = "audio_sample"


class VoiceRequest(VoiceFields):
    """``POST /v1/audio/voices`` as StepFun documents it."""

    file_id: Annotated[str, Field(description="An uploaded clip: 5 to 10 s of one person's speech.", max_length=64)]


class VoiceChange(Body):
    """``POST /v1/audio/voices/{id}``: only what is given changes."""

    name: Annotated[str | None, Field(min_length=1, max_length=255)] = None
    kind: Annotated[VoiceKind | None, Field(description="`clone` makes one of the clip that was kept.")] = None


class PreviewRequest(Body):
    """``POST /v1/audio/voices/preview``: how a voice of this clip would speak."""

    model: str
    file_id: Annotated[str, Field(max_length=64)]
    sample_text: Annotated[str, Field(min_length=1, max_length=200)]
    text: Annotated[str | None, Field(max_length=2000)] = None
    kind: VoiceKind | None = None
    response_format: SpeechFormat = "wav"
    speed: Annotated[float, Field(ge=0.25, le=4.0)] = 1.0
    volume: Annotated[float, Field(ge=0.1, le=2.0)] = 1.0
    sample_rate: SampleRate = 24000
    voice_label: VoiceLabel | None = None
    instruction: str | None = None
    pronunciation_map: PronunciationMap | list[PronunciationMap] | None = None
    markdown_filter: bool = False


class Preview(BaseModel):
    """The answer to a preview; the audio is base64 of a file in the wanted format, wav if none was wanted."""

    sample_text: str
    sample_audio: str
    request_id: str


class Similarity(BaseModel):
    """How near a match comes to its clip, as the verifier hears it. ``docs/voices.md`` says what the words mean."""

    words: Annotated[Literal["close", "similar", "no close match"], Field(description="What to show.")]
    cosine: Annotated[float, Field(description="-1 to 1; no percentage of anything.")]
    verifier: Annotated[str, Field(description="The network that judged.")]


class OwnVoice(BaseModel):
    """A voice of a user's."""

    id: str
    object: Literal["audio.voice"] = "audio.voice"
    created_at: int
    name: str
    type: Literal["audio_sample"] = "audio_sample"
    status: Literal["ready"] = "ready"
    kind: VoiceKind
    engine: str
    languages: list[str]
    similarity: Similarity | None
    refined: bool
    file_id: str | None
    model: str | None
    transcript: str
    language: str
    duration_ms: int


class CreatedVoice(OwnVoice):
    """The answer to a creation; ``duplicated``: the same request was made before, and this is what it made."""

    duplicated: bool


class NamedVoice(BaseModel):
    """A voice as applications offer it for choice."""

    id: str
    name: Annotated[str, Field(description="For people.")]


class VoiceList(BaseModel):
    """A page of one's own voices, and all that may be used. ``voices`` is what Open WebUI and others read."""

    object: Literal["list"] = "list"
    data: list[OwnVoice]
    voices: list[NamedVoice]
    has_more: bool
    first_id: str | None
    last_id: str | None


class VoiceDeleted(BaseModel):
    """A voice is gone, with its clip and its vectors."""

    id: str
    object: Literal["audio.voice.deleted"] = "audio.voice.deleted"
    deleted: Literal[True] = True


class Evaluations(BaseModel):
    """How far a refinement is."""

    done: int
    planned: int


class Refinement(BaseModel):
    """A search for a better match. Scores (of fresh sentences) and ``kept`` are there when it is completed."""

    id: str
    object: Literal["audio.voice.refinement"] = "audio.voice.refinement"
    voice_id: str
    status: Literal["queued", "running", "completed", "cancelled", "failed"]
    evaluations: Evaluations
    seconds_left: Annotated[int | None, Field(description="A guess from the pace so far.")]
    score_before: float | None
    score_after: float | None
    kept: bool
    reason: str | None
    created_at: int


class SystemVoiceDetails(BaseModel):
    """What is known of an official voice; the keys are the reference's."""

    model_config = ConfigDict(serialize_by_alias=True, populate_by_name=True)

    name: Annotated[str, Field(serialization_alias="voice-name", validation_alias=AliasChoices("voice-name", "name"))]
    description: Annotated[
        str,
        Field(
            serialization_alias="voice-description",
            validation_alias=AliasChoices("voice-description", "description"),
        ),
    ]
    recommended_scene: str


class SystemVoices(BaseModel):
    """``GET /v1/audio/system_voices``."""

    model_config = ConfigDict(serialize_by_alias=True, populate_by_name=True)

    voices: list[str]
    details: Annotated[
        dict[str, SystemVoiceDetails],
        Field(serialization_alias="voices-details", validation_alias=AliasChoices("voices-details", "details")),
    ]


class Consent(BaseModel):
    """A recording in which somebody agrees."""

    id: str
    object: Literal["audio.voice_consent"] = "audio.voice_consent"
    created_at: int
    name: str
    language: str


class ConsentList(BaseModel):
    """A page of consents."""

    object: Literal["list"] = "list"
    data: list[Consent]
    has_more: bool
    first_id: str | None
    last_id: str | None


class ConsentChange(Body):
    """``POST /v1/audio/voice_consents/{id}``."""

    name: Annotated[str, Field(min_length=1, max_length=255)]


class ConsentFields(Body):
    """What a consent is made with, beside its recording."""

    name: Annotated[str, Field(min_length=1, max_length=255)]
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)]


class ConsentDeleted(BaseModel):
    """A consent is gone, with its recording."""

    id: str
    object: Literal["audio.voice_consent"] = "audio.voice_consent"
    deleted: Literal[True] = True
