"""``/v1/models`` and ``/v1/accounts`` (platform reference, sections 5 and 6)."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, Request

from vivavoce.http.auth import OptionalOwner, Owner
from vivavoce.http.core import AppState
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.lifecycle import app_state_of, lifecycle_of
from vivavoce.protocol.model_names import ModelKind, listed_names, served_by
from vivavoce.protocol.platform import (
    Ability,
    Account,
    ModelLimits,
    ModelList,
    ModelObject,
    NamedModel,
    SpeechModelList,
)
from vivavoce.runtime.engines import Engines
from vivavoce.speech.models import speech_model
from vivavoce.tiers import TIERS, tier

router = APIRouter(route_class=ReportingRoute, tags=["models"])


@router.get("/v1/models", response_model_exclude_none=True)
async def list_models(request: Request, _: Owner) -> ModelList:
    """Every model there is, under its own name and under those applications may know it by."""
    models = _models_of(request)
    return ModelList(data=[models.described(name) for name in models.names()])


@router.get("/v1/audio/models", response_model_exclude_none=True)
async def list_speech_models(request: Request, _: OptionalOwner) -> SpeechModelList:
    """The models that speak. Asked without a key it answers all the same: the names are no secret."""
    models, aliases = _models_of(request), app_state_of(request).config.tiers.aliases
    names = [name for name in models.names() if served_by(name, "speech", aliases)]
    return SpeechModelList(
        data=[models.synthesizer(name) for name in names], models=[NamedModel(id=name, name=name) for name in names]
    )


@router.get("/v1/models/{model:path}", response_model_exclude_none=True)
async def get_model(request: Request, _: Owner, model: str) -> ModelObject:
    """One model, under any name that is understood: also those `/v1/models` does not list, such as dated ones."""
    return _models_of(request).described(model)


@router.get("/v1/accounts")
async def get_account(_: Owner) -> Account:
    """The balance, which is 0: nothing is billed here."""
    return Account()


class Models:
    """Describes the models of a server; ``engines`` are ``None`` until they are loaded."""

    def __init__(self, state: AppState, engines: Engines | None) -> None:
        self._state = state
        self._engines = engines

    def names(self) -> Iterator[str]:
        """Those that are listed."""
        configured = (name for name in self._state.config.tiers.aliases if "*" not in name)
        kinds: tuple[ModelKind, ...] = ("conversation", "speech", "transcription", "embedding")
        yield from dict.fromkeys([*TIERS, *configured, *(name for kind in kinds for name in listed_names(kind))])

    def described(self, name: str) -> ModelObject:
        """What a model is under this name. Raises ``ClientError`` (``model_not_found``)."""
        aliases = self._state.config.tiers.aliases
        if served_by(name, "transcription", aliases):
            return self._transcriber(name)
        if served_by(name, "speech", aliases):
            return self.synthesizer(name)
        if served_by(name, "embedding", aliases):
            return self._embedder(name)
        return self._tier(name)

    def _tier(self, name: str) -> ModelObject:
        found = tier(name, self._state.config.tiers.aliases)
        model = self._engines.language_model(found) if self._engines else None
        served = self._state.config.tiers.served_by.get(found.name)
        named = served.model if served is not None else None
        thinking: list[Ability] = ["thinking"] if found.thinks else []
        limits = ModelLimits(
            context_tokens=model.context_tokens if model else None, sessions=self._state.config.limits.sessions
        )
        return ModelObject(
            id=name,
            created=self._state.started_at,
            alias_of=None if found.name == name else found.name,
            description=found.description,
            runs_on=[self._weights(named or found.language_model)],
            capabilities=["realtime", "chat", "tools", *thinking],
            limits=limits,
            loaded=model is not None,
        )

    def synthesizer(self, name: str) -> ModelObject:
        """What a model that speaks is."""
        return ModelObject(
            id=name,
            created=self._state.started_at,
            description="text to speech, by the voices of this server",
            runs_on=list(self._state.config.engines.speakers),
            capabilities=["speech"],
            limits=ModelLimits(input_characters=speech_model(name, self._state.config.tiers.aliases).max_characters),
            loaded=self._engines is not None,
        )

    def _transcriber(self, name: str) -> ModelObject:
        return ModelObject(
            id=name,
            created=self._state.started_at,
            description="speech to text, by the recogniser of this server",
            runs_on=[self._state.config.engines.recognizer],
            capabilities=["transcription", "translation"],
            limits=ModelLimits(recording_minutes=self._state.config.limits.recording_minutes),
            loaded=self._engines is not None,
        )

    def _embedder(self, name: str) -> ModelObject:
        engine = self._engines.embedder if self._engines else None
        return ModelObject(
            id=name,
            created=self._state.started_at,
            description="texts to vectors, by the embedder of this server",
            runs_on=[engine.name if engine else self._state.config.engines.embedder],
            capabilities=["embeddings"],
            limits=ModelLimits(dimensions=engine.dimensions if engine else None),
            loaded=engine is not None,
        )

    def _weights(self, language_model: str) -> str:
        """What a tier's words come from: the weights, the model elsewhere, or an engine that has neither by name."""
        engines = self._state.config.engines
        if (chat := engines.audio_chats.get(language_model)) is not None:
            return str(chat.settings.get("model") or chat.engine)
        configured = engines.language_models[language_model]
        return str(configured.weights or configured.settings.get("model") or configured.engine)


def _models_of(request: Request) -> Models:
    return Models(app_state_of(request), lifecycle_of(request).engines)
