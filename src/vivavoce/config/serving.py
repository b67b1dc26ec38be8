"""What a server lets in and how much of it: ``[limits]``, ``[turns]``, ``[auth]``, ``[tls]``, ``[http]``, ``[tiers]``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator, model_validator

from vivavoce.config.table import Table
from vivavoce.permissions import Scope
from vivavoce.protocol.model_names import TARGETS
from vivavoce.protocol.session_config import LANGUAGE_KEY
from vivavoce.thinking import THINKING_BUDGETS, Effort, Thinking
from vivavoce.tiers import TIERS
from vivavoce.turns.backchannel import DEFAULT_POLICY
from vivavoce.types import ThinkingMode

DEFAULT_STORAGE_MB = 10_240


class LimitsConfig(Table):
    """Capacity and bounds. One more than ``sessions`` is refused before the upgrade with 429, after a moment.

    A chat completion takes a place of ``sessions`` for as long as it runs; ``requests`` bounds what needs none: speech,
    transcriptions and the like at once.
    ``storage_mb`` is how much each owner may keep; left out, ``DEFAULT_STORAGE_MB`` while there are several owners, and no
    limit else. ``storage_mb_of`` maps owners' names to what takes its place for them.
    ``conversation_mb`` bounds what the client of a conversation may have it keep: items, instructions and tools; and as much
    again for frames that wait for the client or are kept for it.
    A conversation in which the client sends nothing at all ends after ``idle_s``, and gives way to others, when there is no
    other place, after ``idle_yields_s``.
    ``body_mb`` is what the bodies of all requests may take of the memory at once, uploads not counted, which go to the disk.
    ``connections`` may be open at once, of each address of another machine ``connections_per_address``.
    ``client_secrets`` bounds the ephemeral secrets that have not expired. A session lasts ``session_minutes``; one that
    asked for it can be resumed for ``resume_grace_s`` after its connection broke. When the server is told to stop, replies
    and answers in progress have ``drain_s`` to come to their end. A recording to transcribe may last ``recording_minutes``,
    and takes 4 MB of memory a minute.
    """

    sessions: int = Field(default=4, ge=1)
    requests: int = Field(default=8, ge=1)
    body_mb: int = Field(default=192, ge=64)
    connections: int = Field(default=1000, ge=10)
    connections_per_address: int = Field(default=100, ge=1)
    client_secrets: int = Field(default=1000, ge=1)
    buffer_ms: int = Field(default=600_000, ge=1000)
    audio_lead_ms: int = Field(default=2_000, ge=100)
    storage_mb: int | None = Field(default=None, ge=1)
    storage_mb_of: Mapping[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    conversation_mb: int = Field(default=16, ge=1)
    idle_s: float = Field(default=900.0, gt=0)
    idle_yields_s: float = Field(default=60.0, gt=0)
    session_minutes: float = Field(default=30.0, gt=0)
    recording_minutes: float = Field(default=60.0, gt=0)
    resume_grace_s: float = Field(default=60.0, gt=0)
    drain_s: float = Field(default=15.0, ge=0)


class InterruptionConfig(Table):
    """Which speech stops a reply for good when the client sets nothing (``turn_detection.interruption``).

    ``ignore_words`` are phrases by language, which take the place of the built-in ones of that language, or one list instead
    of all. ``min_words`` and ``min_speech_ms`` are the least that interrupts.
    """

    ignore_words: Mapping[Annotated[str, Field(pattern=LANGUAGE_KEY)], tuple[str, ...]] | tuple[str, ...] = Field(
        default_factory=dict
    )
    min_words: int = Field(default=0, ge=0, le=100)
    min_speech_ms: int = Field(default=DEFAULT_POLICY.min_speech_ms, ge=0, le=60_000)


class TurnsConfig(Table):
    """Turn-taking when the client sets nothing.

    StepFun's reference and guide disagree on whether voice activity detection is on by default, so it is a setting.
    Without ``silence_duration_ms`` a pause ends a turn by how finished the user seems to be; with it, after so much silence.
    ``false_interruption_ms`` is how long the user must have been silent, without a word so far, before a reply they spoke
    into goes on although their turn is not over. ``reopen_ms`` is for how long after the end of a turn its user may go on with
    it, before they have heard the answer: then both are one turn. ``preparations`` is how many replies may be in the making
    when one is prepared before its turn is over, itself included: 0 prepares none, 1 only while nobody else is being answered.
    """

    server_vad: bool = True
    threshold: float = Field(default=0.5, ge=0.0, le=1.0)
    prefix_padding_ms: int = Field(default=500, ge=0)
    silence_duration_ms: int | None = Field(default=None, ge=0)
    false_interruption_ms: int = Field(default=2_000, ge=0)
    reopen_ms: int = Field(default=3_000, ge=0)
    preparations: int = Field(default=1, ge=0)
    interruption: InterruptionConfig = Field(default_factory=InterruptionConfig)


class PerceptionConfig(Table):
    """Hearing the voice and not only the words. Switched off, nothing of it is loaded or done.

    ``emotion`` and ``gender``: whether they may be inferred at all; that is regulated in some places. Gender is told only to
    clients that ask for it in any case. ``sounds``: whether to listen for what else sounds. ``instruct``: whether the language
    model is told how to answer to what was heard; ``style``: whether replies are spoken as fits it, slower and softer to
    somebody who is sad.
    ``patience_ms`` is how long a turn whose transcript is there waits for what was heard.
    """

    enabled: bool = True
    emotion: bool = True
    gender: bool = True
    sounds: bool = True
    instruct: bool = True
    style: bool = True
    patience_ms: int = Field(default=15, ge=0, le=10_000)


class ThinkingConfig(Table):
    """How the thinking tiers think while they speak. A client's ``reasoning.effort`` sets the budget.

    ``mode``: ``think-first`` thinks ``segment_tokens`` before the first word, ``speak-first`` none, ``think-before-speak`` all.
    After ``speech_tokens`` words go on with what is thought by then. ``budgets`` are tokens by effort.
    """

    mode: ThinkingMode = "think-first"
    effort: Effort = "medium"
    segment_tokens: int = Field(default=12, ge=4, le=1024)
    speech_tokens: int = Field(default=20, ge=4, le=1024)
    budgets: Mapping[Effort, Annotated[int, Field(ge=0, le=8192)]] = THINKING_BUDGETS

    @field_validator("budgets", mode="after")
    @classmethod
    def _complete(cls, budgets: Mapping[Effort, int]) -> Mapping[Effort, int]:
        return {**THINKING_BUDGETS, **budgets}

    @property
    def thinking(self) -> Thinking:
        """As a value."""
        return Thinking(self.mode, self.effort, self.segment_tokens, self.speech_tokens, self.budgets)


CLIENT_SECRET_PREFIX = "ek_"
"""What every ephemeral client secret begins with, and so no configured key may."""


class KeyLimitsConfig(Table):
    """What a configured key may do, as ``vivavoce keys create`` says it of a created one; left out, without a limit."""

    scopes: tuple[Scope, ...] = ()
    requests_per_minute: int | None = Field(default=None, ge=1)
    tokens_per_minute: int | None = Field(default=None, ge=1)
    sessions: int | None = Field(default=None, ge=0)


class AuthConfig(Table):
    """Who may come in. ``keys`` maps an owner's name to a secret; what is stored belongs to the owner, not to the secret.
    ``limits`` maps an owner's name to what their configured key may do.

    Without keys the server is open, but only to programs of this machine; ``open`` lifts that limit.
    """

    keys: Mapping[str, SecretStr] = Field(default_factory=dict)
    limits: Mapping[str, KeyLimitsConfig] = Field(default_factory=dict)
    open: bool = False

    @field_validator("keys")
    @classmethod
    def _check_header_characters(cls, keys: Mapping[str, SecretStr]) -> Mapping[str, SecretStr]:
        """A key has to fit into a header and a URL as it is, and must not be taken for something else."""
        secrets = [key.get_secret_value() for key in keys.values()]
        for owner, secret in zip(keys, secrets, strict=True):
            if len(secret) < 8 or not all("!" <= character <= "~" for character in secret):
                raise ValueError(f"the key of '{owner}' must be 8 or more printable ASCII characters without spaces")
            if secret.startswith(CLIENT_SECRET_PREFIX):
                raise ValueError(f"the key of '{owner}' must not begin with '{CLIENT_SECRET_PREFIX}'")
        if len(set(secrets)) < len(secrets):
            raise ValueError("two owners have the same key")
        return keys

    @model_validator(mode="after")
    def _open_or_locked(self) -> AuthConfig:
        if self.open and self.keys:
            raise ValueError("'open' contradicts 'keys': leave one of them out")
        if unknown := sorted(self.limits.keys() - self.keys.keys()):
            raise ValueError(f"there is no key of '{unknown[0]}' in 'keys' for its 'limits'")
        return self


class TlsConfig(Table):
    """HTTPS and WSS: with a certificate of one's own (PEM files), or with one made for this machine."""

    cert: Path | None = None
    key: Path | None = None
    self_signed: bool = False

    @model_validator(mode="after")
    def _check_pair(self) -> TlsConfig:
        if (self.cert is None) != (self.key is None):
            raise ValueError("'cert' and 'key' belong together")
        if self.self_signed and self.cert is not None:
            raise ValueError("'self_signed' makes a certificate, 'cert' names one: choose")
        return self

    @property
    def enabled(self) -> bool:
        """Whether the server speaks TLS."""
        return self.self_signed or self.cert is not None


class HttpConfig(Table):
    """How web pages may use the server. ``cors_origins`` are pages of other origins that may read its answers: origins such as
    ``https://app.example.org`` or ``app://obsidian.md``, ``null``, or ``*`` for all. ``docs``: the HTTP endpoints are described
    at ``/docs`` and ``/openapi.json``, to everybody. ``console``: the page at ``/`` is the console. ``trusted_proxies`` are
    addresses and networks of reverse proxies, whose ``X-Forwarded-For`` is believed.
    """

    cors_origins: tuple[str, ...] = ()
    docs: bool = True
    console: bool = True
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")

    @field_validator("trusted_proxies")
    @classmethod
    def _addresses(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            try:
                ip_network(proxy)
            except ValueError:
                raise ValueError(
                    f"'{proxy}' is no address or network; one is like '10.0.0.5' or '10.0.0.0/24'"
                ) from None
        return proxies

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        """As browsers write them: in lower case, without a slash at the end or a path."""
        plain = tuple(origin.lower().removesuffix("/") for origin in origins)
        for text, origin in zip(origins, plain, strict=True):
            if origin not in ("*", "null") and not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    f"'{text}' is no origin; one is like 'https://app.example.org' or 'http://localhost:3000'"
                )
        return plain


_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@*\s]+")
"""Scheme, host and, unless it is the scheme's own, port."""


class PersonaConfig(Table):
    """Who the assistant is. ``name`` is what it calls itself, whichever language model answers, unless a client's instructions
    give it another one."""

    name: str = Field(default="Vivavoce", min_length=1, max_length=80, pattern=r"^[^\r\n]+$")


class TierConfig(Table):
    """What serves a tier; what is left out is what serves all: a language model by its name in ``engines.language_models``, or
    in its place a model that hears for itself by its name in ``engines.audio_chats``; a recogniser and speakers by their names
    as engines or instances. ``realtime`` is an engine that hears, answers and speaks in their place, in conversations."""

    language_model: str | None = None
    audio_chat: str | None = None
    recognizer: str | None = None
    speakers: tuple[str, ...] = ()
    realtime: str | None = None

    @property
    def model(self) -> str | None:
        """What answers, by its name among language models and those that hear; ``None``: what always does."""
        return self.audio_chat if self.language_model is None else self.language_model

    @model_validator(mode="after")
    def _check_model(self) -> TierConfig:
        if self.language_model is not None and self.audio_chat is not None:
            raise ValueError("'language_model' and 'audio_chat' both say what answers: leave one of them out")
        return self


class TiersConfig(Table):
    """More names for models: ``aliases`` maps a name, or a pattern with ``*``, to a tier, or to a model for speech or
    transcription (``TARGETS``).

    They come before the built-in names, which stay. ``default`` serves connections that may leave the model out. ``served_by``
    says by tier which engines serve it.
    """

    aliases: Mapping[str, str] = Field(default_factory=dict)
    default: str = "step-audio-2"
    served_by: Mapping[str, TierConfig] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_models(self) -> TiersConfig:
        for alias, target in self.aliases.items():
            if target not in TARGETS:
                others = ", ".join(name for name in TARGETS if name not in TIERS)
                raise ValueError(
                    f"the alias '{alias}' leads nowhere: there is no tier '{target}'; there are {', '.join(TIERS)} "
                    f"(and for speech and transcription {others})"
                )
        for name in self.served_by:
            if name not in TIERS:
                raise ValueError(f"there is no tier '{name}' for 'served_by'; there are {', '.join(TIERS)}")
        if self.default not in TIERS:
            raise ValueError(f"there is no tier '{self.default}' for 'default'; there are {', '.join(TIERS)}")
        return self
