"""What goes into a session beside client events, and what comes out of it.

In: client events (``protocol.client_events``), and the signals of this file, which say what the engines did.
Out: ``Send`` (a server event for the client) and commands to the engines, which the driver carries out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from vivavoce.audio.input_buffer import Frames
from vivavoce.errors import ClientError
from vivavoce.protocol.client_events import AnyClientEvent
from vivavoce.protocol.server_events import ServerEvent
from vivavoce.types import GenerationOptions, Message, ReplyEvent, Samples, Transcript, TranscriptDelta

# ---- in


@dataclass(frozen=True, slots=True)
class Refused:
    """A frame that could not be read."""

    error: ClientError


@dataclass(frozen=True, slots=True)
class Heard:
    """Speech probabilities of the frames beginning at sample ``position``."""

    position: int
    probabilities: Sequence[float]


@dataclass(frozen=True, slots=True)
class Recognised:
    """The recogniser yielded something for an utterance."""

    item_id: str
    content_index: int
    event: TranscriptDelta | Transcript


@dataclass(frozen=True, slots=True)
class RecognitionFailed:
    """The recogniser failed on an utterance."""

    item_id: str
    content_index: int
    message: str


@dataclass(frozen=True, slots=True)
class Replied:
    """The reply road yielded something."""

    response_id: str
    event: ReplyEvent


@dataclass(frozen=True, slots=True)
class ReplyFailed:
    """An engine failed on the reply road."""

    response_id: str
    message: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed: audio may leave."""


Signal: TypeAlias = AnyClientEvent | Refused | Heard | Recognised | RecognitionFailed | Replied | ReplyFailed | Tick

# ---- out


@dataclass(frozen=True, slots=True)
class Send:
    """A server event for the client."""

    event: ServerEvent


@dataclass(frozen=True, slots=True)
class Listen:
    """Tell the speech probability of these frames (answer: ``Heard``)."""

    frames: Frames


@dataclass(frozen=True, slots=True)
class Transcribe:
    """Recognise an utterance (answer: ``Recognised``): ``float32[n]`` at the recogniser's rate."""

    item_id: str
    content_index: int
    samples: Samples


@dataclass(frozen=True, slots=True)
class StartReply:
    """Answer ``messages`` (answers: ``Replied``), spoken with ``voice`` if there is one."""

    response_id: str
    messages: tuple[Message, ...]
    options: GenerationOptions
    voice: str | None
    language: str


@dataclass(frozen=True, slots=True)
class StopReply:
    """Stop generation and synthesis of this response; nothing of it is wanted any more."""

    response_id: str


@dataclass(frozen=True, slots=True)
class Prefill:
    """Read the stable head of the prompt into the language model's cache, when it has nothing better to do."""

    messages: tuple[Message, ...]
    options: GenerationOptions


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Send ``Tick`` at this time (seconds, the clock of ``receive``)."""

    at: float


Output: TypeAlias = Send | Listen | Transcribe | StartReply | StopReply | Prefill | WakeAt
