"""How a session starts: the server's defaults for a model, changed by what a client secret was made with."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from vivavoce.config import Config
from vivavoce.protocol.dialect import DialectName
from vivavoce.protocol.session_config import (
    Interruption,
    SessionConfig,
    SessionPatch,
    Transcription,
    TurnDetection,
    patched,
)
from vivavoce.tiers import Model
from vivavoce.turns.backchannel import DEFAULT_POLICY, InterruptionPolicy


def turn_detection_defaults(config: Config) -> TurnDetection:
    """Voice activity detection as this server does it when a client does not say otherwise."""
    return TurnDetection(
        threshold=config.turns.threshold,
        prefix_padding_ms=config.turns.prefix_padding_ms,
        silence_duration_ms=config.turns.silence_duration_ms,
    )


OPENAI_VOICES: Mapping[DialectName, str] = {"openai": "marin", "openai_beta": "alloy"}
"""What a session speaks with that begins in a dialect of OpenAI's, as on its platform; others have their tier's voice."""


def interruption_policy(config: Config) -> InterruptionPolicy:
    """Which speech stops a reply for good when a client does not say otherwise."""
    return DEFAULT_POLICY.patched(msgspec.convert(config.turns.interruption.model_dump(), Interruption))


def starting_config(
    config: Config, model: Model, patch: SessionPatch | None, dialect: DialectName, *, transcribes: bool = False
) -> SessionConfig:
    """The configuration in ``session.created``.

    ``dialect`` is the one the connection begins in; ``transcribes``: it asked for transcripts only.
    """
    defaults = turn_detection_defaults(config)
    fresh = SessionConfig(
        model=model.name,
        voice=OPENAI_VOICES.get(dialect, model.tier.default_voice),
        kind="transcription" if transcribes else "realtime",
        transcription=Transcription() if transcribes else None,
        turn_detection=defaults if config.turns.server_vad else None,
    )
    return fresh if patch is None else patched(fresh, patch, defaults)
