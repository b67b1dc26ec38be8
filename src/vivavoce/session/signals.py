"""What goes into a session beside client events, and what comes out of it.

In: client events (``protocol.client_events``), and the signals of this file, which say what the engines did.
Out: ``Send`` (a server event for the client) and commands to the engines, which the driver carries out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from vivavoce.audio.input_buffer import Frames
from vivavoce.errors import ClientError
from vivavoce.protocol.client_events import AnyClientEvent
from vivavoce.protocol.server_events import ServerEvent
from vivavoce.protocol.tool_config import McpTool, ServerSideTool
from vivavoce.types import (
    GenerationOptions,
    Language,
    Message,
    ReplyEvent,
    Samples,
    ToolCall,
    Transcript,
    TranscriptDelta,
)

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
class Scored:
    """Probability in [0, 1] that the speaker had finished at sample ``voiced_until``; ``None`` when it cannot be told."""

    item_id: str
    voiced_until: int
    probability: float | None


@dataclass(frozen=True, slots=True)
class Overheard:
    """A reading of a turn's audio up to sample ``until``; ``None`` when it could not be made, which says nothing of it."""

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
    """The reply road yielded something."""

    response_id: str
    event: ReplyEvent


@dataclass(frozen=True, slots=True)
class ReplyFailed:
    """An engine failed on the reply road, or there is no reply for the reason ``code``."""

    response_id: str
    message: str
    code: str = "engine_error"
    type: str = "server_error"


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
class Noticed:
    """Something the user is to be told as soon as nobody speaks (a timer is over)."""

    text: str


@dataclass(frozen=True, slots=True)
class Tick:
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

    ``told``: whether the client is told by an ``error`` event; it learns it from the response in progress, if there is one,
    in any case.
    """

    error: ClientError
    told: bool


Signal: TypeAlias = (
    AnyClientEvent
    | Refused
    | Heard
    | Scored
    | Overheard
    | Recognised
    | RecognitionFailed
    | Replied
    | ReplyFailed
    | ToolsListed
    | ToolsNotListed
    | Noticed
    | Tick
    | Disconnected
    | Connected
    | Expiring
    | Ended
)

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
class ScoreTurn:
    """Tell whether the speaker has finished (answer: ``Scored``): the turn so far, up to a pause."""

    item_id: str
    voiced_until: int
    samples: Samples


@dataclass(frozen=True, slots=True)
class Transcribe:
    """Recognise an utterance (answer: ``Recognised``): ``float32[n]`` at the recogniser's rate.

    ``language`` and ``prompt`` are the client's hints; ``live`` tells somebody's turn from audio a client has put into an item.
    """

    item_id: str
    content_index: int
    samples: Samples
    language: Language | None = None
    prompt: str | None = None
    live: bool = True


@dataclass(frozen=True, slots=True)
class Overhear:
    """Read the turn's audio so far, up to sample ``until`` (answer: ``Overheard``, or none if a newer one is asked for)."""

    item_id: str
    until: int
    samples: Samples
    language: Language | None = None
    prompt: str | None = None


@dataclass(frozen=True, slots=True)
class FinishReading:
    """The turn has ended with the reading up to sample ``until``, which is under way: now it is waited for."""

    item_id: str
    until: int


@dataclass(frozen=True, slots=True)
class StartReply:
    """Answer ``messages`` (answers: ``Replied``), spoken with ``voice`` if there is one, at ``speed``.

    ``begun`` is how the reply begins, written already; without ``messages`` that is all of it. ``tools`` run on the server;
    ``calls`` of them come first. ``tool_tokens``: how much of the prompt may tell of tools (``None``: any).
    """

    response_id: str
    messages: tuple[Message, ...]
    options: GenerationOptions
    voice: str | None
    language: Language
    tool_tokens: int | None = None
    speed: float = 1.0
    begun: str = ""
    tools: tuple[ServerSideTool, ...] = ()
    calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class StopReply:
    """Stop generation and synthesis of this response; nothing of it is wanted any more."""

    response_id: str


@dataclass(frozen=True, slots=True)
class Prefill:
    """Read the stable head of the prompt into the language model's cache, when it has nothing better to do."""

    messages: tuple[Message, ...]
    options: GenerationOptions
    tools: tuple[ServerSideTool, ...] = ()
    tool_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class ListTools:
    """Ask a tool server what it has (answer: ``ToolsListed`` or ``ToolsNotListed``)."""

    item_id: str | None
    tool: McpTool


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Send ``Tick`` at this time (seconds, the clock of ``receive``)."""

    at: float


Output: TypeAlias = (
    Send
    | Listen
    | ScoreTurn
    | Overhear
    | FinishReading
    | Transcribe
    | StartReply
    | StopReply
    | Prefill
    | ListTools
    | WakeAt
)
