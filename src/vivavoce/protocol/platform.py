"""``/v1/models``, ``/v1/token/count``, ``/v1/accounts``: what goes over the wire (platform reference, sections 5 and 6)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from vivavoce.protocol.bodies import Body
from vivavoce.protocol.chat.messages import ChatMessage

Ability = Literal["realtime", "chat", "tools", "thinking", "speech", "transcription", "translation", "embeddings"]


class ModelLimits(BaseModel):
    """What a model takes; what does not apply to it is left out."""

    context_tokens: int | None = None
    sessions: int | None = None
    input_characters: int | None = None
    recording_minutes: float | None = None
    dimensions: int | None = None


class ModelObject(BaseModel):
    """A model. ``alias_of`` is the one that answers under this name; ``runs_on`` names the weights or engines that do its
    work, ``loaded``: it can be asked now."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: Literal["vivavoce"] = "vivavoce"
    alias_of: str | None = None
    description: str
    runs_on: list[str]
    capabilities: list[Ability]
    limits: ModelLimits
    loaded: bool


class ModelList(BaseModel):
    """All models."""

    object: Literal["list"] = "list"
    data: list[ModelObject]
    has_more: Literal[False] = False


class NamedModel(BaseModel):
    """A model as applications offer it for choice."""

    id: str
    name: str


class SpeechModelList(ModelList):
    """The models that speak. ``models`` is what Open WebUI and others read."""

    models: list[NamedModel]


class TokenRequest(Body):
    """What to count: the messages of a chat request, for its model."""

    model: str
    messages: Annotated[list[ChatMessage], Field(min_length=1)]


class TokenTotal(BaseModel):
    """How many tokens."""

    total_tokens: int


class TokenCount(BaseModel):
    """The answer to a count."""

    data: TokenTotal


class Account(BaseModel):
    """An account of the hosted platform has a balance. Here nothing is billed: it is always 0."""

    object: Literal["account"] = "account"
    type: Literal["prepaid"] = "prepaid"
    balance: float = 0.0
    total_cash_balance: float = 0.0
    total_voucher_balance: float = 0.0
