"""``/v1/models`` and ``/v1/accounts`` (platform reference, sections 5 and 6)."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, Request

from vivavoce.http.auth import Owner, OwnerIfNamed
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.serving import Serving
from vivavoce.model_names import ModelKind, listed_names, served_by
from vivavoce.protocol.platform import Account, ModelLimits, ModelList, ModelObject, NamedModel, SpeechModelList
from vivavoce.speech.models import speech_model
from vivavoce.tiers import TIERS, tier

router = APIRouter(route_class=ReportingRoute, tags=["models"])


@router.get("/v1/models", response_model_exclude_none=True)
async def list_models(request: Request, _: Owner) -> ModelList:
    """Every model there is, under its own name and under those applications may know it by."""
    return ModelList(data=[described(request.app.state.serving, name) for name in _names(request.app.state.serving)])


@router.get("/v1/audio/models", response_model_exclude_none=True)
async def list_speech_models(request: Request, _: OwnerIfNamed) -> SpeechModelList:
    """The models that speak. Asked without a key it answers all the same: the names are no secret."""
    serving: Serving = request.app.state.serving
    names = [name for name in _names(serving) if served_by(name, "speech", serving.config.tiers.aliases)]
    return SpeechModelList(
        data=[_speaker(serving, name) for name in names], models=[NamedModel(id=name, name=name) for name in names]
    )


@router.get("/v1/models/{model:path}", response_model_exclude_none=True)
async def get_model(request: Request, _: Owner, model: str) -> ModelObject:
    """One model, under any name that is understood: also those `/v1/models` does not list, such as dated ones."""
    return described(request.app.state.serving, model)


@router.get("/v1/accounts")
async def get_account(_: Owner) -> Account:
    """The balance, which is 0: nothing is billed here."""
    return Account()


def _names(serving: Serving) -> Iterator[str]:
    configured = (name for name in serving.config.tiers.aliases if "*" not in name)
    kinds: tuple[ModelKind, ...] = ("conversation", "speech", "transcription", "embedding")
    yield from dict.fromkeys([*TIERS, *configured, *(name for kind in kinds for name in listed_names(kind))])


def described(serving: Serving, name: str) -> ModelObject:
    """What a model is under this name. Raises ``ClientError`` (``model_not_found``)."""
    aliases = serving.config.tiers.aliases
    if served_by(name, "transcription", aliases):
        return _transcriber(serving, name)
    if served_by(name, "speech", aliases):
        return _speaker(serving, name)
    if served_by(name, "embedding", aliases):
        return _embedder(serving, name)
    return _tier(serving, name)


def _tier(serving: Serving, name: str) -> ModelObject:
    found = tier(name, serving.config.tiers.aliases)
    model = serving.loaded.language_models[found.language_model] if serving.loaded else None
    limits = ModelLimits(
        context_tokens=model.context_tokens if model else None, sessions=serving.config.limits.sessions
    )
    return ModelObject(
        id=name,
        created=serving.started_at,
        alias_of=None if found.name == name else found.name,
        description=found.description,
        runs_on=[_weights(serving, found.language_model)],
        capabilities=["realtime", "chat", "tools"],
        limits=limits,
        loaded=model is not None,
    )


def _speaker(serving: Serving, name: str) -> ModelObject:
    return ModelObject(
        id=name,
        created=serving.started_at,
        description="text to speech, by the voices of this server",
        runs_on=list(serving.config.engines.speakers),
        capabilities=["speech"],
        limits=ModelLimits(input_characters=speech_model(name, serving.config.tiers.aliases).most_characters),
        loaded=serving.loaded is not None,
    )


def _transcriber(serving: Serving, name: str) -> ModelObject:
    return ModelObject(
        id=name,
        created=serving.started_at,
        description="speech to text, by the recogniser of this server",
        runs_on=[serving.config.engines.recognizer],
        capabilities=["transcription", "translation"],
        limits=ModelLimits(recording_minutes=serving.config.limits.recording_minutes),
        loaded=serving.loaded is not None,
    )


def _embedder(serving: Serving, name: str) -> ModelObject:
    engine = serving.loaded.embedder if serving.loaded else None
    return ModelObject(
        id=name,
        created=serving.started_at,
        description="texts to vectors, by the embedder of this server",
        runs_on=[engine.name if engine else serving.config.engines.embedder],
        capabilities=["embeddings"],
        limits=ModelLimits(dimensions=engine.dimensions if engine else None),
        loaded=engine is not None,
    )


def _weights(serving: Serving, language_model: str) -> str:
    """What a tier's words come from: the weights, or an engine that has none by name."""
    configured = serving.config.engines.language_models[language_model]
    return configured.weights or configured.engine
