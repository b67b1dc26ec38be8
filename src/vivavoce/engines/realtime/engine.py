"""A hosted Realtime API in the place of recogniser, language model and speaker of a tier.

[tiers.served_by.step-audio-2]
realtime = "hosted"

[engines.instances.hosted]
engine = "openai"    # or "stepfun"
settings = { url = "https://api.openai.com/v1", model = "gpt-realtime", api_key_env = "OPENAI_API_KEY" }
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from typing_extensions import override

from vivavoce.engines.base import EngineContext, needs_weights
from vivavoce.engines.realtime.base import HostedConversation, RealtimeEngine
from vivavoce.engines.realtime.conversation import RelayedConversation
from vivavoce.engines.realtime.settings import HostedSettings, OpenAISettings, StepFunSettings, WireDialect
from vivavoce.engines.realtime.shapes import Shapes
from vivavoce.engines.realtime.turn_audio import RATE_HZ
from vivavoce.engines.remote.client import RemoteClient


class HostedRealtime(RealtimeEngine):
    """``RealtimeEngine`` over a WebSocket for each conversation."""

    rate_hz = RATE_HZ

    def __init__(self, client: RemoteClient, settings: HostedSettings, dialect: WireDialect) -> None:
        self._client = client
        self._settings = settings
        self._shapes = Shapes(dialect, settings)
        self.context_tokens = settings.context_tokens
        self.transcribes = settings.transcripts == "theirs"

    @override
    def open(self, hearing_hz: int) -> HostedConversation:
        return RelayedConversation(self._client, self._shapes, self._settings, hearing_hz)

    async def health(self) -> str | None:
        """Why the other side cannot be used now; ``None``: it answers."""
        return await self._client.health()

    @override
    async def close(self) -> None:
        """Hang up."""
        await self._client.close()


def _openai_weights(settings: Mapping[str, Any]) -> Sequence[str]:
    OpenAISettings.model_validate(settings)
    return ()


def _stepfun_weights(settings: Mapping[str, Any]) -> Sequence[str]:
    StepFunSettings.model_validate(settings)
    return ()


@needs_weights(_openai_weights)
def load_openai(context: EngineContext) -> HostedRealtime:
    """Entry point. Nothing is asked for yet. Raises ``pydantic.ValidationError``."""
    settings = OpenAISettings.model_validate(context.settings)
    dialect: WireDialect = "openai" if settings.dialect == "ga" else "openai_beta"
    return HostedRealtime(RemoteClient(context.name or "openai", settings), settings, dialect)


@needs_weights(_stepfun_weights)
def load_stepfun(context: EngineContext) -> HostedRealtime:
    """Entry point. Nothing is asked for yet. Raises ``pydantic.ValidationError``."""
    settings = StepFunSettings.model_validate(context.settings)
    return HostedRealtime(RemoteClient(context.name or "stepfun", settings), settings, "stepfun")
