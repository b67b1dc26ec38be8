"""What a configuration says of engines that run elsewhere: keys, instances, languages, tiers, fallbacks."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest
from pydantic import ValidationError

from vivavoce.config import Config, load_config
from vivavoce.config.engines import FAKE_ENGINES
from vivavoce.engines.fake import FakeAudioChat, FakeLanguageModel
from vivavoce.errors import EngineError
from vivavoce.preflight import broken_references
from vivavoce.runtime.engine_choices import engine_choices
from vivavoce.runtime.engines import load_engines
from vivavoce.runtime.fallback import FallbackModel
from vivavoce.sound import MessageAudio
from vivavoce.tiers import TIERS
from vivavoce.types import GenerationEnd, GenerationEvent, GenerationOptions, Message, TextDelta

FAR = {"engine": "openai", "settings": {"url": "http://127.0.0.1:9/v1", "model": "m"}}


def configured(tiers: dict[str, Any] | None = None, **engines: Any) -> Config:
    return load_config({"engines": {**FAKE_ENGINES.model_dump(), **engines}, "tiers": tiers or {}})


def test_a_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAR_KEY", raising=False)
    far = {"engine": "openai", "settings": {**FAR["settings"], "api_key_env": "FAR_KEY"}}  # type: ignore[dict-item]
    config = configured(language_models={"large": far, "small": {"engine": "fake"}})
    (wrong,) = broken_references(config)
    assert wrong == (
        "openai: engines.language_models.large.settings: the environment variable FAR_KEY ('api_key_env') is not set."
    )
    monkeypatch.setenv("FAR_KEY", "very-secret")
    assert not broken_references(config)
    choice = engine_choices(config, "language_models")[0]
    assert choice.own_settings()["api_key"].get_secret_value() == "very-secret"
    assert "very-secret" not in repr(choice.own_settings())


def test_what_leads_nowhere_is_named() -> None:
    tiers = {"served_by": {"step-audio-2": {"language_model": "lrage", "recognizer": "nobody"}}}
    wrong = "\n".join(broken_references(configured(tiers)))
    assert (
        "tiers.served_by.step-audio-2.language_model: there is no language model 'lrage'. Did you mean 'large'?"
        in wrong
    )
    assert "tiers.served_by.step-audio-2.recognizers: there is no engine 'nobody'" in wrong
    wrong = "\n".join(broken_references(configured(instances={"far": {"engine": "opnai"}}, recognizer="far")))
    assert "engines.instances.far.engine: there is no engine 'opnai'" in wrong
    with pytest.raises(ValidationError, match="no tier 'step-audio-9'"):
        configured({"served_by": {"step-audio-9": {}}})
    for fallback in ("large", "nobody"):
        with pytest.raises(ValidationError, match="no other language model"):
            configured(language_models={"large": {"engine": "fake", "fallback": fallback}, "small": {"engine": "fake"}})


def test_a_tier_that_is_relayed() -> None:
    tiers = {"served_by": {"step-audio-2": {"realtime": "hosted"}}}
    wrong = "\n".join(broken_references(configured(tiers)))
    assert "tiers.served_by.step-audio-2.realtime: there is no engine 'hosted' among the installed realtime" in wrong
    for engine, settings, problem in (
        ("openai", {"dialect": "gaa"}, "settings.dialect: Input should be 'ga' or 'beta'"),
        ("openai", {"vioce": "marin"}, "settings.vioce: there is no such setting; did you mean 'voice'?"),
        ("stepfun", {"session": {"tools": []}}, "'tools' comes from the conversation and cannot be set"),
        ("openai", {}, ""),
    ):
        hosted = {"engine": engine, "settings": {**FAR["settings"], **settings}}  # type: ignore[dict-item]
        wrong = "\n".join(broken_references(configured(tiers, instances={"hosted": hosted})))
        assert problem in wrong if problem else not wrong


async def test_conversations_of_a_relayed_tier_only() -> None:
    tiers = {"served_by": {"step-audio-2": {"realtime": "hosted"}, "step-1o-audio": {"realtime": "hosted"}}}
    engines = await load_engines(configured(tiers, instances={"hosted": FAR}))
    try:
        assert engines.realtime["step-audio-2"] is engines.realtime["step-1o-audio"]
        assert set(engines.realtime) == {"step-audio-2", "step-1o-audio"}
        assert "hosted" in engines.health
    finally:
        await engines.close()


def test_a_model_that_only_stands_in_is_used() -> None:
    models = {"large": {**FAR, "fallback": "spare"}, "small": {"engine": "fake"}, "spare": {"engine": "fake"}}
    assert not broken_references(configured(language_models=models))


async def test_several_of_each_by_language_and_by_tier() -> None:
    config = configured(
        {"served_by": {"step-audio-2-mini": {"language_model": "far", "recognizer": "ears", "speakers": ["mouth"]}}},
        recognizers={"zh": "chinese"},
        instances={
            "ears": {"engine": "fake"}, "chinese": {"engine": "fake"}, "unused": {"engine": "fake"},
            "mouth": {"engine": "openai", "settings": {**FAR["settings"], "voices": ["nova"]}},  # type: ignore[dict-item]
        },
        language_models={"large": {"engine": "fake"}, "small": {"engine": "fake"}, "far": FAR},
    )  # fmt: skip
    assert not broken_references(config)
    assert [choice.name for choice in engine_choices(config, "recognizers")] == ["fake", "chinese", "ears"]
    engines = await load_engines(config)
    try:
        mini, usual = TIERS["step-audio-2-mini"], TIERS["step-audio-2"]
        assert engines.language_model_name(mini) == "far"
        assert engines.language_model(usual) is engines.language_models["large"]
        assert engines.of_tier(usual) is engines
        assert len(engines.recognition.recognizers) == 2
        assert len(engines.of_tier(mini).recognition.recognizers) == 1
        assert list(engines.of_tier(mini).synthesizer.synthesizers) == ["mouth"]
        assert engines.of_tier(mini).synthesizer.route("Hello", "nova", "en") == ("mouth", "nova", "en")
        assert engines.synthesizer.route("Hello", "nova", "en")[0] == "fake"
        assert sorted(engines.health) == ["far", "mouth"]
        assert await engines.health["mouth"]() == "cannot be reached"
    finally:
        await engines.close()


# ---- models that hear


def hearing(tier: dict[str, Any] | None = None, **chat: Any) -> Config:
    served = {"served_by": {"step-audio-2-mini": {"audio_chat": "ears"} if tier is None else tier}}
    return configured(served, audio_chats={"ears": {"engine": "fake", "decoder": "fake", **chat}})


async def test_a_tier_that_hears() -> None:
    config = hearing(fallback="small")
    assert not broken_references(config)
    engines = await load_engines(config)
    try:
        mini, usual = TIERS["step-audio-2-mini"], TIERS["step-audio-2"]
        model = engines.language_model(mini)
        assert (engines.language_model_name(mini), model.audio_turns, model.speaks) == ("ears", 1, "sound")
        assert isinstance(model, FallbackModel)
        assert engines.language_model(usual).audio_turns == 0
        assert list(engines.token_decoders) == ["fake"]
    finally:
        await engines.close()


async def test_one_that_speaks_in_tokens_needs_a_decoder_and_another_one_does_not() -> None:
    with pytest.raises(EngineError, match=r"engines\.audio_chats\.ears: it speaks in tokens: name the 'decoder'"):
        await load_engines(hearing(decoder=None))
    engines = await load_engines(hearing(decoder=None, settings={"speaks": "none"}))
    assert engines.language_model(TIERS["step-audio-2-mini"]).speaks == "none"
    await engines.close()


def test_what_is_wrong_with_a_model_that_hears_is_said() -> None:
    wrong = "\n".join(broken_references(hearing({"audio_chat": "eras"}, decoder="tokn2wav", engine="opnai")))
    assert "tiers.served_by.step-audio-2-mini.audio_chat: there is no model that hears 'eras'" in wrong
    assert "Did you mean 'ears'?" in wrong
    assert "engines.audio_chats.ears: there is no tier that uses a model 'ears'" in wrong
    assert "engines.audio_chats.ears.engine: there is no engine 'opnai' among the installed audio_chats" in wrong
    assert "engines.audio_chats.ears.decoder: there is no engine 'tokn2wav' among the installed" in wrong
    with pytest.raises(ValidationError, match="both say what answers"):
        hearing({"audio_chat": "ears", "language_model": "small"})
    with pytest.raises(ValidationError, match=r"audio_chats\.ears\.fallback: there is no other language model 'ears'"):
        hearing(fallback="ears")
    with pytest.raises(ValidationError, match=r"audio_chats\.large: a language model has this name"):
        configured(audio_chats={"large": {"engine": "fake"}})


class Away(FakeAudioChat):
    async def generate(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        if messages:
            raise EngineError("ears", "is away")
        yield GenerationEnd("stop")


@pytest.mark.parametrize("words", ["Hello.", ""])
async def test_a_fallback_reads_what_it_cannot_hear_once_there_are_words(words: str) -> None:
    model = FallbackModel("ears", Away(1), "small", FakeLanguageModel(1))
    assert (model.audio_turns, model.speaks) == (1, "tokens")
    prompt = (Message("user", words, audio=MessageAudio((bytes(3200),), 16_000)),)
    answer = model.generate(prompt, GenerationOptions(voice="v"))
    if words:
        events = [event async for event in answer]
        assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "You said: Hello."
        assert model.speaks == "none"
    else:
        with pytest.raises(EngineError, match="ears: is away"):
            await anext(answer)
