"""What goes into a session: client events (``protocol.client_events``), and what the engines and the driver tell it.

What comes out of it is in ``outputs``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from vivavoce.errors import ClientError
from vivavoce.protocol.client_events import AnyClientEvent
from vivavoce.types import ReplyEvent, Transcript, TranscriptDelta


@dataclass(frozen=True, slots=True)
class Refused:
    """A frame that could not be read."""

    error: ClientError


@dataclass(frozen=True, slots=True)
class SpeechProbabilities:
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
class Scored:
    """Probability in [0, 1] that the speaker had finished at sample ``voiced_until``; ``None`` when it cannot be told."""

    item_id: str
    voiced_until: int
    probability: float | None


@dataclass(frozen=True, slots=True)
class SentenceScored:
    """Probability in [0, 1] that the words said until sample ``voiced_until`` are a whole sentence."""

    item_id: str
    voiced_until: int
    probability: float | None


@dataclass(frozen=True, slots=True)
class PartialTranscript:
    """A partial transcript of a turn's audio up to sample ``until``; ``None`` when it could not be made, which says nothing of
    it.
    """

    item_id: str
    until: int
    transcript: Transcript | None


@dataclass(frozen=True, slots=True)
class RecognitionFailed:
    """The recogniser failed on an utterance."""

    item_id: str
    content_index: int
    message: str


@dataclass(frozen=True, slots=True)
class Replied:
    """The reply pipeline yielded something."""

    response_id: str
    event: ReplyEvent


@dataclass(frozen=True, slots=True)
class ReplyFailed:
    """An engine failed on the reply pipeline, or there is no reply for the reason ``code``."""

    response_id: str
    message: str
    code: str = "engine_error"
    type: str = "server_error"


@dataclass(frozen=True, slots=True)
class ReplyBegun:
    """A reply is being made; ``prepared``: it has been since before the turn was over. So many replies prepared since the one
    before it were ``discarded``.
    """

    response_id: str
    prepared: bool
    discarded: int


@dataclass(frozen=True, slots=True)
class PromptEvaluated:
    """For a reply that is written the language model has read so many tokens of prompts since the turn was over."""

    response_id: str
    tokens: int


@dataclass(frozen=True, slots=True)
class ToolsListed:
    """A tool server has said what it has: objects with ``name``, ``description``, ``input_schema``, ``annotations``."""

    item_id: str | None
    tools: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class ToolsNotListed:
    """A tool server could not be asked."""

    item_id: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Notification:
    """Something the user is to be told as soon as nobody speaks (a timer is over)."""

    text: str


@dataclass(frozen=True, slots=True)
class TimerFired:
    """Time has passed: audio may leave."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The client's connection is lost; it may come back."""


@dataclass(frozen=True, slots=True)
class Connected:
    """The client is there, or there again."""


@dataclass(frozen=True, slots=True)
class Expiring:
    """The session will be over in so many seconds."""

    in_s: float


@dataclass(frozen=True, slots=True)
class Ended:
    """The session is over, because of ``error``: nothing is taken in or begun any more.

    ``send_error``: whether the client is told by an ``error`` event; it learns it from the response in progress, if there is
    one, in any case.
    """

    error: ClientError
    send_error: bool


SessionInput: TypeAlias = (
    AnyClientEvent
    | Refused
    | SpeechProbabilities
    | Scored
    | SentenceScored
    | PartialTranscript
    | Recognised
    | RecognitionFailed
    | Replied
    | ReplyFailed
    | ReplyBegun
    | PromptEvaluated
    | ToolsListed
    | ToolsNotListed
    | Notification
    | TimerFired
    | Disconnected
    | Connected
    | Expiring
    | Ended
)
