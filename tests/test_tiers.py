"""What model names mean: tiers, aliases, the dialect they suggest."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from vivavoce.config import load_config
from vivavoce.errors import ClientError
from vivavoce.tiers import TIERS, default_dialect, model_of, tier


@pytest.mark.parametrize(
    ("name", "expected", "dialect"),
    [
        *((name, name, "stepfun") for name in TIERS),
        ("gpt-realtime", "step-audio-2", "openai"),
        ("gpt-realtime-2025-08-28", "step-audio-2", "openai"),
        ("gpt-realtime-mini", "step-audio-2-mini", "openai"),
        ("gpt-realtime-mini-2025-10-06", "step-audio-2-mini", "openai"),
        ("gpt-realtime-2.1-mini", "step-audio-2-mini", "openai"),
        ("gpt-4o-realtime-preview", "step-audio-2", "openai_beta"),
        ("gpt-4o-realtime-preview-2024-10-01", "step-audio-2", "openai_beta"),
        ("gpt-4o-mini-realtime-preview-2024-12-17", "step-audio-2-mini", "openai_beta"),
        ("step-audio-2-think", "step-audio-r1.1", "stepfun"),
        ("step-audio-2-mini-think", "step-audio-r1.1", "stepfun"),
        ("step-audio-r1.5", "step-audio-r1.1", "stepfun"),
        ("stepaudio-2.5-realtime", "step-audio-2", "stepfun"),
        ("stepaudio-3-realtime-preview", "step-audio-2", "stepfun"),
    ],
)
def test_names_of_the_hosted_platforms(name: str, expected: str, dialect: str) -> None:
    assert tier(name).name == expected
    assert default_dialect(name) == dialect


@pytest.mark.parametrize(
    "name", ["", "gpt-17", "gpt-realtim", "step-audio", "*", "gpt-realtime\nforged", "gpt-realtime" * 20]
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ClientError) as refused:
        tier(name)
    assert (refused.value.code, refused.value.param) == ("model_not_found", "model")
    assert "step-audio-2-mini" in refused.value.message


def test_configured_aliases_come_first_and_the_longest_pattern_wins() -> None:
    aliases = {"gpt-*": "step-1o-audio", "gpt-realtime-next*": "step-audio-r1.1", "kiosk": "step-audio-2-mini"}
    assert tier("gpt-realtime", aliases).name == "step-1o-audio"
    assert tier("gpt-realtime-next-2", aliases).name == "step-audio-r1.1"
    assert tier("kiosk", aliases).name == "step-audio-2-mini"
    assert tier("stepaudio-2.5-realtime", aliases).name == "step-audio-2"
    assert tier("step-audio-2", {"step-*": "step-1o-audio"}).name == "step-audio-2"  # a tier's own name is its own


def test_a_transcription_model_serves_transcription_only() -> None:
    assert model_of("gpt-4o-transcribe", {}, "step-audio-2", transcription=True).tier is TIERS["step-audio-2"]
    assert model_of("whisper-1", {}, "step-audio-2-mini", transcription=True).name == "whisper-1"
    with pytest.raises(ClientError):
        model_of("gpt-4o-transcribe", {}, "step-audio-2")
    with pytest.raises(ClientError):
        model_of("gpt-17", {}, "step-audio-2", transcription=True)


def test_aliases_are_read_from_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text('[tiers.aliases]\n"kiosk-*" = "step-audio-2-mini"\n')
    assert load_config(file=file).tiers.aliases == {"kiosk-*": "step-audio-2-mini"}
    for wrong in ({"aliases": {"kiosk": "step-audio-3"}}, {"default": "step-audio-3"}):
        with pytest.raises(ValidationError, match="no tier 'step-audio-3'"):
            load_config({"tiers": wrong})
