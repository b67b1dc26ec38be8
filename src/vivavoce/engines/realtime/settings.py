"""What can be set about a hosted Realtime API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from pydantic import Field, field_validator

from vivavoce.engines.remote.settings import RemoteSettings

WireDialect: TypeAlias = Literal["openai", "openai_beta", "stepfun"]
"""How the other side is spoken to: OpenAI's GA or beta API, or StepFun's."""

RESERVED = frozenset({"turn_detection", "tools", "instructions", "modalities", "output_modalities", "audio"})
"""Fields of the session that are made from the conversation."""


class HostedSettings(RemoteSettings):
    """Settings of one hosted Realtime API, beside those of its connection. Behind ``url``, the base, are ``/realtime`` and
    ``/models``.

    ``voices`` says by the names of our voices which of the other side's speaks in their place, ``voice`` which speaks for all
    others; without it names that are known there are passed on, and for others the other side chooses. ``transcripts``: what
    the user says is written down by our recogniser (``ours``) or by the other side (``theirs``, with ``transcription_model``).
    ``session`` are fields put into the other side's session (``temperature``, ``reasoning``). ``context_tokens`` bounds the
    instructions, and what is told again on a new connection. ``session_minutes``: a connection that old is renewed between
    two turns. ``prewarm``: it is made when a conversation begins, not when something is first said.

    ``first_s`` bounds the time to the first sound or word of a reply, ``between_s`` that to each further one.
    """

    voices: Mapping[str, str] = Field(default_factory=dict)
    voice: str | None = None
    transcripts: Literal["ours", "theirs"] = "ours"
    transcription_model: str | None = None
    session: Mapping[str, Any] = Field(default_factory=dict)
    context_tokens: int = Field(default=16_384, ge=1024)
    session_minutes: float = Field(default=55.0, gt=0)
    prewarm: bool = True
    first_s: float = Field(default=20.0, gt=0)

    @field_validator("session")
    @classmethod
    def _check_session(cls, session: Mapping[str, Any]) -> Mapping[str, Any]:
        if taken := sorted(RESERVED & session.keys()):
            raise ValueError(f"'{taken[0]}' comes from the conversation and cannot be set")
        return session


class OpenAISettings(HostedSettings):
    """Settings of one that speaks OpenAI's protocol. ``dialect``: as it is generally available (``ga``), or its ``beta``."""

    dialect: Literal["ga", "beta"] = "ga"


class StepFunSettings(HostedSettings):
    """Settings of one that speaks StepFun's. Connections there last 30 minutes (Realtime guide): they are renewed earlier."""

    session_minutes: float = Field(default=27.0, gt=0)
