"""What comes out of a session: ``Send`` (a server event for the client) and commands, which the driver carries out.

The answers of the engines are in ``inputs``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from vivavoce.audio.input_buffer import Frames
from vivavoce.hosted import HostedTurn, TurnStep
from vivavoce.protocol.server_events import ServerEvent
from vivavoce.protocol.tool_config import McpServerDeclaration, ServerSideTool
from vivavoce.speaking_style import PLAIN, SpeakingStyle
from vivavoce.types import GenerationOptions, Language, Message, Samples, ToolCall


@dataclass(frozen=True, slots=True)
class Send:
    """A server event for the client."""

    event: ServerEvent


@dataclass(frozen=True, slots=True)
class Listen:
    """Tell the speech probability of these frames (answer: ``SpeechProbabilities``)."""

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

    ``language`` and ``prompt`` are the client's hints; ``perceive``: hear what is not words, too; ``live`` tells somebody's
    turn from audio a client has put into an item.
    """

    item_id: str
    content_index: int
    samples: Samples
    language: Language | None = None
    prompt: str | None = None
    perceive: bool = False
    live: bool = True


@dataclass(frozen=True, slots=True)
class TranscribePartially:
    """Read the turn's audio so far, up to sample ``until`` (answer: ``PartialTranscript``, or none if a newer is wanted)."""

    item_id: str
    until: int
    samples: Samples
    language: Language | None = None
    prompt: str | None = None
    perceive: bool = False


@dataclass(frozen=True, slots=True)
class AwaitPartialTranscript:
    """The turn has ended with the partial transcript up to sample ``until``, which is under way: now it is waited for."""

    item_id: str
    until: int


@dataclass(frozen=True, slots=True)
class HearTurn:
    """More audio of the user's turn that will be the item ``item_id``, as it is spoken: for an engine that hears for itself."""

    item_id: str
    samples: Samples


@dataclass(frozen=True, slots=True)
class EndTurnAudio:
    """All audio of the turn has been handed on; or it is void, and what follows under this id begins anew."""

    item_id: str
    step: TurnStep


@dataclass(frozen=True, slots=True)
class HearItem:
    """The audio of an item that a client has created: for an engine that hears for itself."""

    item_id: str
    samples: Samples


@dataclass(frozen=True, slots=True)
class StartReply:
    """Answer ``messages`` (answers: ``Replied``), spoken with ``voice`` if there is one, at ``speed``, in this ``style``.

    ``prefix`` is how the reply begins, written already; without ``messages`` that is all of it. ``tools`` run on the server;
    ``calls`` of them come first. ``tool_tokens``: how much of the prompt may tell of tools (``None``: any). ``hosted`` is the
    same for an engine that keeps the conversation itself, where one serves. ``silent_since``: when the user fell silent who
    waits for it (seconds of the session's clock).
    """

    response_id: str
    messages: tuple[Message, ...]
    options: GenerationOptions
    voice: str | None
    language: Language
    tool_tokens: int | None = None
    speed: float = 1.0
    style: SpeakingStyle = PLAIN
    prefix: str = ""
    tools: tuple[ServerSideTool, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    hosted: HostedTurn | None = field(default=None, compare=False)
    silent_since: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class PrepareReply:
    """Make the reply to what the user seems to have said, and hold back all of it until a ``StartReply`` with the same words.

    Anything else that is begun with the language model drops it. With ``score_sentence``, tell before whether the words are a
    whole sentence (answer: ``SentenceScored``).
    """

    item_id: str
    voiced_until: int
    score_sentence: bool
    work: StartReply


@dataclass(frozen=True, slots=True)
class DropPreparation:
    """The user goes on, or is not to be answered: what was prepared is void."""


@dataclass(frozen=True, slots=True)
class StopReply:
    """Stop generation and synthesis of this response; nothing of it is wanted any more.

    ``played_ms`` is how much of its audio was heard; ``None``: it has none.
    """

    response_id: str
    played_ms: int | None = None


@dataclass(frozen=True, slots=True)
class CutReply:
    """Of a response that is over, only the first ``played_ms`` of its audio were heard."""

    response_id: str
    played_ms: int


@dataclass(frozen=True, slots=True)
class Prefill:
    """Read the stable head of the prompt into the language model's cache, when it has nothing better to do."""

    messages: tuple[Message, ...]
    options: GenerationOptions
    tools: tuple[ServerSideTool, ...] = ()
    tool_tokens: int | None = None
    hosted: HostedTurn | None = None


@dataclass(frozen=True, slots=True)
class ListTools:
    """Ask a tool server what it has (answer: ``ToolsListed`` or ``ToolsNotListed``)."""

    item_id: str | None
    tool: McpServerDeclaration


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Send ``TimerFired`` at this time (seconds, the clock of ``receive``)."""

    at: float


EngineCommand: TypeAlias = (
    ScoreTurn
    | TranscribePartially
    | AwaitPartialTranscript
    | Transcribe
    | PrepareReply
    | DropPreparation
    | HearTurn
    | EndTurnAudio
    | HearItem
    | StartReply
    | StopReply
    | CutReply
    | Prefill
    | ListTools
)
"""Work for an engine that goes beside everything else."""

Output: TypeAlias = Send | Listen | WakeAt | EngineCommand
