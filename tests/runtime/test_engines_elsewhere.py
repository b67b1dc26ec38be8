"""What a configuration says of engines that run elsewhere: keys, instances, languages, tiers, fallbacks."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from vivavoce.config import Config, load_config
from vivavoce.config.engines import FAKE_ENGINES
from vivavoce.preflight import broken_references
from vivavoce.runtime.engine_choices import engine_choices
from vivavoce.runtime.engines import load_engines
from vivavoce.tiers import TIERS

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
