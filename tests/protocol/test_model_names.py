"""The table of model names: which row a name means, and what a refusal says."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.errors import ClientError
from vivavoce.protocol.model_names import (
    MODEL_NAMES,
    TARGETS,
    ModelKind,
    default_dialect,
    listed_names,
    model_behind,
    served_by,
)
from vivavoce.speech.models import SPEECH_MODELS
from vivavoce.tiers import TIERS


@pytest.mark.parametrize(
    ("name", "serves", "dialect"),
    [
        *((name, name, "stepfun") for name in TIERS),
        ("gpt-realtime", "step-audio-2", "openai"),
        ("gpt-realtime-2025-08-28", "step-audio-2", "openai"),
        ("gpt-realtime-mini", "step-audio-2-mini", "openai"),
        ("gpt-realtime-mini-2025-10-06", "step-audio-2-mini", "openai"),
        ("gpt-realtime-2.1-mini", "step-audio-2-mini", "openai"),
        ("gpt-5-realtime", "step-audio-2", "openai"),
        ("gpt-5-realtime-mini-2026-01-01", "step-audio-2-mini", "openai"),
        ("gpt-5-mini-realtime", "step-audio-2-mini", "openai"),
        ("gpt-4o-realtime-preview", "step-audio-2", "openai_beta"),
        ("gpt-4o-realtime-preview-2024-10-01", "step-audio-2", "openai_beta"),
        ("gpt-4o-mini-realtime-preview-2024-12-17", "step-audio-2-mini", "openai_beta"),
        ("gpt-4o-audio-preview-2025-06-03", "step-audio-2", "openai"),
        ("gpt-4o-mini-audio-preview", "step-audio-2-mini", "openai"),
        ("gpt-4o-search-preview", "step-audio-2", "openai"),
        ("chatgpt-4o-latest", "step-audio-2", "openai"),
        ("gpt-3.5-turbo", "step-audio-2-mini", "openai"),
        ("gpt-4", "step-audio-2", "openai"),
        ("gpt-4-turbo", "step-audio-2", "openai"),
        ("gpt-4.1", "step-audio-2", "openai"),
        ("gpt-4.1-nano-2025-04-14", "step-audio-2-mini", "openai"),
        ("gpt-5", "step-audio-2", "openai"),
        ("gpt-5.4-mini", "step-audio-2-mini", "openai"),
        ("gpt-5.1-codex", "step-audio-2", "openai"),
        ("gpt-6.2-sol", "step-audio-2", "openai"),
        ("o3", "step-audio-r1.1", "openai"),
        ("o4-mini", "step-audio-r1.1", "openai"),
        ("step-audio-2-think", "step-audio-r1.1", "stepfun"),
        ("step-audio-2-mini-think", "step-audio-r1.1", "stepfun"),
        ("step-audio-2-v20250909", "step-audio-2", "stepfun"),
        ("step-audio-2.5", "step-audio-2", "stepfun"),
        ("step-audio-r1.5", "step-audio-r1.1", "stepfun"),
        ("stepaudio-2.5-realtime", "step-audio-2", "stepfun"),
        ("stepaudio-3-realtime-preview", "step-audio-2", "stepfun"),
        ("stepaudio-4-chat", "step-audio-2", "stepfun"),
        ("stepaudio-3", "step-audio-2", "stepfun"),
        ("step-3.5-flash", "step-audio-2", "stepfun"),
    ],
)
def test_names_of_the_hosted_platforms(name: str, serves: str, dialect: str) -> None:
    assert served_by(name, "conversation") == serves
    assert default_dialect(name) == dialect


@pytest.mark.parametrize(
    ("name", "kind", "serves"),
    [
        ("whisper-1", "transcription", "whisper-1"),
        ("whisper-large-v3", "transcription", "whisper-1"),
        ("gpt-transcribe", "transcription", "whisper-1"),
        ("gpt-4o-transcribe-diarize", "transcription", "whisper-1"),
        ("gpt-4o-mini-transcribe-2025-12-15", "transcription", "whisper-1"),
        ("gpt-realtime-whisper", "transcription", "whisper-1"),
        ("Systran/faster-whisper-small.en", "transcription", "whisper-1"),
        ("Systran/faster-distil-whisper-large-v3", "transcription", "whisper-1"),
        ("deepdml/faster-whisper-large-v3-turbo-ct2", "transcription", "whisper-1"),
        ("mlx-community/Whisper-large-v3", "transcription", "whisper-1"),
        ("distil-large-v3", "transcription", "whisper-1"),
        ("step-asr-1.1-stream", "transcription", "whisper-1"),
        ("stepaudio-2.5-asr", "transcription", "whisper-1"),
        ("stepaudio-3-asr-max", "transcription", "whisper-1"),
        ("step-tts-3", "speech", "step-tts-2"),
        ("step-tts-vivid", "speech", "step-tts-vivid"),
        ("stepaudio-2.5-tts", "speech", "stepaudio-2.5-tts"),
        ("stepaudio-4-tts-preview", "speech", "stepaudio-3-tts"),
        ("tts-1-1106", "speech", "tts-1"),
        ("gpt-4o-mini-tts-2025-12-15", "speech", "gpt-4o-mini-tts"),
        ("gpt-5-mini-tts", "speech", "gpt-4o-mini-tts"),
        ("gpt-5-tts", "speech", "gpt-4o-mini-tts"),
        ("kokoro", "speech", "kokoro"),
        ("hexgrad/Kokoro-82M", "speech", "kokoro"),
        ("text-embedding-3-large", "embedding", "text-embedding-3-small"),
        ("text-embedding-ada-002", "embedding", "text-embedding-3-small"),
        ("intfloat/multilingual-e5-small", "embedding", "text-embedding-3-small"),
        ("sentence-transformers/all-MiniLM-L6-v2", "embedding", "text-embedding-3-small"),
        ("nomic-embed-text", "embedding", "text-embedding-3-small"),
        ("speaches-ai/Kokoro-82M-v1.0-ONNX-int8", "speech", "kokoro"),
    ],
)
def test_a_name_is_of_one_kind(name: str, kind: ModelKind, serves: str) -> None:
    assert {of: served_by(name, of) for of in get_args(ModelKind)} == {
        **dict.fromkeys(get_args(ModelKind)),
        kind: serves,
    }


def test_every_row_leads_to_a_model_and_its_listed_names_to_the_row() -> None:
    assert {target for target, kind in TARGETS.items() if kind == "conversation"} == set(TIERS)
    assert {target for target, kind in TARGETS.items() if kind == "speech"} == set(SPEECH_MODELS)
    assert len({row.pattern for row in MODEL_NAMES}) == len(MODEL_NAMES)
    for row in MODEL_NAMES:
        for name in row.listed:
            assert fnmatchcase(name, row.pattern)
            assert served_by(name, row.kind) == row.serves
    for kind in get_args(ModelKind):
        assert all(served_by(name, kind) for name in listed_names(kind))


@pytest.mark.parametrize(
    "name", ["", "gpt-17", "gpt-realtim", "step-audio", "o1x", "*", "gpt-realtime\nforged", "gpt-realtime" * 20]
)
def test_other_names_mean_nothing(name: str) -> None:
    assert not any(served_by(name, kind) for kind in get_args(ModelKind))


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("gpt-17", "conversation", ("does not exist", "step-audio-2-mini", "gpt-realtime", "[tiers.aliases]")),
        ("", "conversation", ("names no model", "step-audio-2", "[tiers.aliases]")),
        ("gpt-realtim", "conversation", ("did you mean 'gpt-realtime'?",)),
        ("step-audo-2", "conversation", ("did you mean 'step-audio-2'?",)),
        ("tts-1", "conversation", ("it is a model for speech", "step-audio-2")),
        ("whisper-1", "speech", ("it is a model for transcription", "tts-1", "[tiers.aliases]")),
        ("wisper-1", "transcription", ("model wisper-1 not supported", "did you mean 'whisper-1'?", "step-asr")),
    ],
)
def test_a_refusal_says_what_there_is_and_where_to_add_a_name(name: str, kind: ModelKind, said: tuple[str]) -> None:
    with pytest.raises(ClientError) as refused:
        model_behind(name, kind, param="session.model")
    assert (refused.value.code, refused.value.param) == ("model_not_found", "session.model")
    assert all(words in refused.value.message for words in said), refused.value.message


def test_configured_aliases_come_first() -> None:
    aliases = {
        "gpt-*": "step-1o-audio",
        "gpt-realtime-next*": "step-audio-r1.1",
        "kiosk": "step-audio-2-mini",
        "kiosk*": "step-audio-2",
        "eleven_*": "tts-1",
        "*": "whisper-1",
        "step-*": "step-1o-audio",
    }
    for name, serves in {
        "gpt-realtime": "step-1o-audio",
        "gpt-realtime-next-2": "step-audio-r1.1",
        "kiosk": "step-audio-2-mini",
        "kiosk2": "step-audio-2",
        "stepaudio-2.5-realtime": "step-audio-2",
        "step-audio-2": "step-audio-2",  # a tier's own name is its own
    }.items():
        assert served_by(name, "conversation", aliases) == serves
    assert served_by("eleven_v2", "speech", aliases) == "tts-1"
    assert served_by("gpt-4o-mini-tts", "speech", aliases) == "gpt-4o-mini-tts"  # an alias of another kind is none
    assert served_by("parakeet", "transcription", aliases) == "whisper-1"
    assert served_by("parakeet", "speech", aliases) is None


@given(
    pieces=st.lists(st.sampled_from(["gpt-", "o3", "step", "-mini", "-realtime", "-tts", "audio", "2"]), max_size=5),
    patterns=st.lists(st.sampled_from(["gpt-*", "*-mini", "gpt-o3", "step*2", "*", "*audio*"]), unique=True),
    data=st.data(),
)
def test_what_a_name_means_does_not_depend_on_the_order_of_aliases(
    pieces: list[str], patterns: list[str], data: st.DataObject
) -> None:
    """As long as no two patterns that match have as many letters: then the first of them counts."""
    name = "".join(pieces)
    matching = [len(pattern.replace("*", "")) for pattern in patterns if fnmatchcase(name, pattern)]
    aliases = dict(zip(patterns, list(TIERS) * 2, strict=False))
    shuffled = dict(data.draw(st.permutations(list(aliases.items()))))
    if len(set(matching)) == len(matching):
        assert served_by(name, "conversation", aliases) == served_by(name, "conversation", shuffled)
    if name in aliases and name not in TIERS:
        assert served_by(name, "conversation", aliases) == aliases[name]
