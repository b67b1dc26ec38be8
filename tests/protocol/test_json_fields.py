"""What a refusal tells of the values there are."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from vivavoce.audio.audio_format import RateHz
from vivavoce.errors import ClientError
from vivavoce.protocol.json_fields import checked
from vivavoce.protocol.session_config import SessionPatch, TurnDetection


@pytest.mark.parametrize(
    ("value", "type", "param", "told"),
    [
        (1234, RateHz, "at", "; it can be 8000, 16000, 24000, 48000"),
        ("x", Literal["a", "b"], "at", "; it can be a, b"),
        ({"type": "vad"}, TurnDetection, "at.type", "; it can be semantic_vad, server_vad"),
        ({"modalities": ["text", "video"]}, SessionPatch, "at.modalities[1]", "; it can be audio, text"),
        ({"noise_reduction": "all"}, SessionPatch, "at.noise_reduction", "; it can be far_field, near_field"),
        ({"max_output_tokens": "none"}, SessionPatch, "at.max_output_tokens", "Invalid enum value 'none'"),
    ],
)
def test_a_value_that_is_not_one_of_several(value: Any, type: Any, param: str, told: str) -> None:
    with pytest.raises(ClientError) as refused:
        checked(value, type, "at")
    assert refused.value.param == param
    assert refused.value.message.endswith(told)
