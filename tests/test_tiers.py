"""Which tier serves a model name, and the configured aliases."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from vivavoce.config import load_config
from vivavoce.errors import ClientError
from vivavoce.protocol.model_names import NO_ALIASES
from vivavoce.tiers import TIERS, model_of, tier


def test_a_name_is_served_by_a_tier() -> None:
    assert tier("gpt-realtime", NO_ALIASES) is TIERS["step-audio-2"]
    assert tier("kiosk", {"kiosk": "step-1o-audio"}) is TIERS["step-1o-audio"]
    with pytest.raises(ClientError) as refused:
        tier("gpt-17", NO_ALIASES)
    assert refused.value.code == "model_not_found"


def test_a_transcription_model_serves_transcription_only() -> None:
    assert model_of("gpt-4o-transcribe", {}, "step-audio-2", transcription=True).tier is TIERS["step-audio-2"]
    assert model_of("whisper-1", {}, "step-audio-2-mini", transcription=True).name == "whisper-1"
    assert model_of("parakeet", {"parakeet": "whisper-1"}, "step-audio-2", transcription=True).name == "parakeet"
    with pytest.raises(ClientError):
        model_of("gpt-4o-transcribe", {}, "step-audio-2")
    with pytest.raises(ClientError):
        model_of("gpt-17", {}, "step-audio-2", transcription=True)


def test_aliases_are_read_from_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text('[tiers.aliases]\n"kiosk-*" = "step-audio-2-mini"\n"eleven_*" = "tts-1"\n')
    assert load_config(file=file).tiers.aliases == {"kiosk-*": "step-audio-2-mini", "eleven_*": "tts-1"}
    for wrong in ({"aliases": {"kiosk": "step-audio-3"}}, {"default": "step-audio-3"}, {"default": "tts-1"}):
        with pytest.raises(ValidationError, match=r"no tier '(step-audio-3|tts-1)'"):
            load_config({"tiers": wrong})
