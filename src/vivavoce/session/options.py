"""What the server decides about a session, and what of its configuration the client may change. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec import UNSET

from vivavoce.errors import ClientError
from vivavoce.protocol.items import Item
from vivavoce.protocol.session_config import (
    Frozen,
    FunctionChoice,
    ServerChoice,
    SessionConfig,
    SessionPatch,
    TurnDetection,
    can_be_chosen,
    choice_name,
    patched,
)
from vivavoce.session.default_prompt import NAME
from vivavoce.session.known_voices import KnownVoices
from vivavoce.session.prompt_budget import PromptBudget, TextLengths
from vivavoce.speaking_style import ControlsOf, all_controls
from vivavoce.thinking import Thinking
from vivavoce.turns.backchannel import DEFAULT_POLICY, InterruptionPolicy

REPLY_TOKENS = 512
"""What a reply may be long, unless the client wants less: minutes of speech."""


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What the server decides about a session.

    Rates in Hz; ``context_tokens`` is the language model's slot, ``expires_at`` in seconds of the epoch;
    ``interruption`` says which speech stops a reply for good; ``false_interruption_ms`` is how long the user must have been
    silent, without a word, before an interrupted reply goes on in the middle of their turn; ``reopen_ms`` for how long after
    the end of a turn the user may go on with it. ``own_tools``: the server has tools that no client declares; ``name`` is the
    assistant's; ``frozen`` are fields that its client cannot change; ``most_bytes`` bounds what a client may have the
    conversation keep. ``perceives``: it hears more than words without being asked, ``announces_perception``: and tells its
    client; ``instructs_by_perception``: the language model is told how to answer to it; ``speaks_by_perception``: and replies
    are spoken as fits it. ``controls_of`` tells what voices can do with their sound. ``thinking``: replies are thought about,
    so. ``hosted``: an engine that hears for itself and keeps the conversation answers.
    """

    config: SessionConfig
    turn_detection: TurnDetection
    voices: KnownVoices
    context_tokens: int
    synthesis_hz: int = 24_000
    hearing_hz: int = 16_000
    frame_samples: int = 512
    reply_tokens: int = REPLY_TOKENS
    buffer_ms: int = 600_000
    audio_lead_ms: int = 2_000
    false_interruption_ms: int = 2_000
    reopen_ms: int = 3_000
    most_bytes: int = 16 * 1024 * 1024
    interruption: InterruptionPolicy = DEFAULT_POLICY
    lengths: TextLengths = field(default_factory=TextLengths)
    own_tools: bool = False
    perceives: bool = False
    announces_perception: bool = False
    instructs_by_perception: bool = True
    speaks_by_perception: bool = True
    controls_of: ControlsOf = all_controls
    thinking: Thinking | None = None
    hosted: bool = False
    name: str = NAME
    frozen: frozenset[Frozen] = frozenset()
    expires_at: int | None = None
    report_marks: bool = False


def checked_config(
    current: SessionConfig, patch: SessionPatch, options: SessionOptions, budget: PromptBudget, param: str
) -> SessionConfig:
    """``current`` with a client's changes. Raises ``ClientError`` for what is settled, not there, or has no room."""
    config = patched(current, patch, options.turn_detection)
    for name in sorted(options.frozen):
        if getattr(config, name) != getattr(current, name):
            raise _frozen(f"'{name}'", f"{param}.{name}")
    if options.thinking is not None:
        options.thinking.options(requested_effort(config), f"{param}.reasoning.effort")
    options.voices.require(config.voice, f"{param}.voice")
    if not config.modalities or "text" not in config.modalities:
        # GA names audio alone; in this dialect words always come along (reference 2.1).
        raise ClientError('\'modalities\' must be ["text"] or ["text", "audio"].', param=f"{param}.modalities")
    choice = config.tool_choice
    if isinstance(choice, FunctionChoice | ServerChoice) and not can_be_chosen(choice, config.tools):
        raise ClientError(f"there is no tool '{choice_name(choice)}' to choose", param=f"{param}.tool_choice")
    if patch.instructions is not UNSET or patch.tools is not UNSET:
        at_fault = "tools" if patch.instructions is UNSET else "instructions"
        budget.require_room(config, f"{param}.{at_fault}")
    return config


def requested_effort(config: SessionConfig) -> object:
    """What the client wants to be thought (``reasoning.effort``); ``None`` where it does not say."""
    reasoning = config.extras.get("reasoning")
    return reasoning.get("effort") if isinstance(reasoning, Mapping) else None


def require_no_instructions(item: Item, options: SessionOptions, param: str) -> None:
    """Raises ``ClientError`` for an item that instructs, where instructions are settled."""
    if item.role == "system" and "instructions" in options.frozen:
        raise _frozen("instructions", param)


def _frozen(what: str, param: str) -> ClientError:
    return ClientError(f"Whoever opened this session has settled its {what}.", code="field_frozen", param=param)
