"""``/v1/models`` and ``/v1/accounts``."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from openai import NotFoundError, OpenAI

from running import RunningServer, running
from vivavoce.closing import CloseStack
from vivavoce.config import load_config
from vivavoce.http.core import new_app_state
from vivavoce.http.models import Models
from vivavoce.tiers import TIERS


@pytest.fixture(scope="module")
def aliased() -> Iterator[RunningServer]:
    aliases = {"our-*": "step-1o-audio", "house": "step-audio-2-mini", "eleven": "tts-1", "parakeet": "whisper-1"}
    with running(load_config({"tiers": {"aliases": aliases}}, profile="fake")) as started:
        yield started


@pytest.fixture
def client(aliased: RunningServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{aliased.http}/v1", api_key="unused", max_retries=0) as opened:
        yield opened


def test_the_list_has_every_tier_and_the_names_they_answer_to(client: OpenAI) -> None:
    models = {model.id: model for model in client.models.list()}
    assert list(models)[:4] == list(TIERS)
    assert {"house", "gpt-audio", "gpt-4o", "tts-1", "step-tts-2", "whisper-1", "step-asr"} <= set(models)
    assert "our-*" not in models
    assert all(model.object == "model" and model.created > 1_700_000_000 for model in models.values())


def test_each_one_listed_can_be_asked_for(client: OpenAI) -> None:
    for model in client.models.list():
        assert client.models.retrieve(model.id) == model


@pytest.mark.parametrize(
    ("name", "alias_of"),
    [
        ("step-audio-2", None),
        ("house", "step-audio-2-mini"),
        ("our-kiosk", "step-1o-audio"),
        ("gpt-4o-mini-2024-07-18", "step-audio-2-mini"),
        ("gpt-4o-audio-preview-2025-06-03", "step-audio-2"),
        ("gpt-audio-mini", "step-audio-2-mini"),
        ("stepaudio-2.5-chat", "step-audio-2"),
        ("step-audio-r1.5", "step-audio-r1.1"),
    ],
)
def test_a_name_says_what_answers(client: OpenAI, name: str, alias_of: str | None) -> None:
    model = client.models.retrieve(name).model_dump()
    assert (model["id"], model.get("alias_of")) == (name, alias_of)
    assert model["capabilities"] == [
        "realtime",
        "chat",
        "tools",
        *(["thinking"] if TIERS[alias_of or name].thinks else []),
    ]
    assert model["limits"] == {"context_tokens": 4096, "sessions": 4}
    assert model["loaded"] is True


def test_other_kinds_of_models(client: OpenAI) -> None:
    assert client.models.retrieve("tts-1").model_dump()["limits"] == {"input_characters": 4096}
    assert client.models.retrieve("whisper-1").model_dump()["capabilities"] == ["transcription", "translation"]
    embedder = client.models.retrieve("text-embedding-3-small").model_dump()
    assert (embedder["capabilities"], embedder["limits"]) == (["embeddings"], {"dimensions": 256})


def test_a_tier_promises_only_what_it_does(client: OpenAI) -> None:
    """Its name is that of a model that may do more."""
    models = {name: client.models.retrieve(name).model_dump() for name in TIERS}
    for model in models.values():
        assert not re.search("emotion|sounds|music|understanding", model["description"], re.IGNORECASE)
        assert model["runs_on"] == ["fake"]
    for name, tier in TIERS.items():
        assert ("hears how" in models[name]["description"]) == tier.perceives
        assert ("reasons" in models[name]["description"]) == tier.thinks == ("thinking" in models[name]["capabilities"])
        assert ("your own" in models[name]["description"]) == tier.own_voices


def test_a_model_says_which_weights_do_its_work() -> None:
    config = load_config()
    models = Models(new_app_state(config, lambda: pytest.fail("no keys"), CloseStack()), None)
    assert models.described("step-audio-r1.1").runs_on == ["qwen2.5-coder-1.5b"]
    assert models.described("gpt-4o-mini").runs_on == ["qwen2.5-coder-0.5b"]
    assert models.described("tts-1").runs_on == ["hibari", "kokoro"]
    assert models.described("whisper-1").runs_on == ["whisper"]
    assert not any(
        models.described(name).loaded for name in ("step-audio-2", "tts-1", "whisper-1", "text-embedding-3-small")
    )


def test_a_configured_name_for_speech_or_transcription_is_served(aliased: RunningServer, client: OpenAI) -> None:
    assert client.models.retrieve("eleven").model_dump()["capabilities"] == ["speech"]
    assert client.models.retrieve("parakeet").model_dump()["capabilities"] == ["transcription", "translation"]
    spoken = client.audio.speech.create(model="eleven", voice="alloy", input="Good morning.", response_format="wav")
    heard = client.audio.transcriptions.create(model="parakeet", file=("speech.wav", spoken.content))
    assert heard.text.startswith("I heard")
    with pytest.raises(NotFoundError, match=r"\[tiers\.aliases\]"):
        client.audio.transcriptions.create(model="eleven", file=("speech.wav", spoken.content))


def test_speech_models_have_a_list_of_their_own(aliased: RunningServer) -> None:
    listed = httpx.get(f"{aliased.http}/v1/audio/models").json()
    assert listed["object"] == "list"
    assert [model["id"] for model in listed["models"]] == [model["id"] for model in listed["data"]]
    assert {"tts-1-hd", "kokoro", "step-tts-2", "eleven"} <= {model["id"] for model in listed["models"]}
    assert all(model["capabilities"] == ["speech"] for model in listed["data"])


@pytest.mark.parametrize("name", ["gpt-17", "step-audio", "a/b", "our"])
def test_what_is_not_there(client: OpenAI, name: str) -> None:
    with pytest.raises(NotFoundError) as missing:
        client.models.retrieve(name)
    assert missing.value.code == "model_not_found"


def test_nothing_is_billed(aliased: RunningServer) -> None:
    assert httpx.get(f"{aliased.http}/v1/accounts").json() == {
        "object": "account", "type": "prepaid", "balance": 0, "total_cash_balance": 0, "total_voucher_balance": 0
    }  # fmt: skip
