"""The language of a transcription: in every dialect understood by tag and name, or refused where it stands."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vivavoce.errors import ClientError
from vivavoce.protocol.asr_stream import AsrStream
from vivavoce.protocol.dialect import Dialect
from vivavoce.protocol.languages import requested_language
from vivavoce.protocol.openai import OpenAI
from vivavoce.protocol.openai_beta import OpenAIBeta
from vivavoce.protocol.stepfun import StepFun
from vivavoce.protocol.translator import Translator

UNDERSTOOD = {
    "en": "en", "EN": "en", "en-US": "en", "english": "en", " English ": "en", "zh": "zh", "zh-CN": "zh", "zh_Hans_CN": "zh",
    "cmn-Hans": "zh", "yue": "zh", "Mandarin": "zh", "nb": "no", "nb-NO": "no", "nn-NO": "nn", "no": "no", "iw": "he",
    "中文": "zh", "普通话": "zh", "日本語": "ja", "英语": "en", "eng": "en", "jpn": "ja", "zho": "zh", "chi": "zh",
    "Japanese (Japan)": "ja", "中文（普通话）": "zh", "Deutsch": "de",
    "jv": "jw", "fil-PH": "tl", "pt-BR": "pt", "es-419": "es", "haw": "haw", "Haitian Creole": "ht", "Farsi": "fa",
    "auto": None, "AUTO": None, "multi": None, "detect": None, "und": None, "": None, None: None,
}  # fmt: skip

UNKNOWN = ("tlh", "klingon", "englisch", "en-", "en US", "-", "eng lish", "123", "e", "zh-CN-!", "en,zh")


@pytest.mark.parametrize(("given", "code"), UNDERSTOOD.items())
def test_tags_and_names_are_understood(given: str | None, code: str | None) -> None:
    assert requested_language(given) == code


@pytest.mark.parametrize("given", UNKNOWN)
def test_what_is_no_language_is_refused(given: str) -> None:
    with pytest.raises(ClientError, match="not known") as refused:
        requested_language(given, "here.language")
    assert refused.value.param == "here.language"


def flat(value: Any) -> dict[str, Any]:
    return {"input_audio_transcription": {"language": value}}


def nested(value: Any) -> dict[str, Any]:
    return {"type": "realtime", "audio": {"input": {"transcription": {"language": value}}}}


DIALECTS: dict[str, tuple[Dialect, Any, str]] = {
    "stepfun": (StepFun(), flat, "session.input_audio_transcription.language"),
    "openai_beta": (OpenAIBeta(), flat, "session.input_audio_transcription.language"),
    "openai": (OpenAI(), nested, "session.audio.input.transcription.language"),
    "asr_stream": (AsrStream(), nested, "session.audio.input.transcription.language"),
}


def update(name: str, value: Any) -> Any:
    dialect, shape, _ = DIALECTS[name]
    frame = json.dumps({"type": "session.update", "event_id": "e1", "session": shape(value)})
    return Translator(dialect).decode(frame).session.transcription  # type: ignore[union-attr]


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("value", ["auto", "english", "multi", "nb-NO"])
def test_every_dialect_takes_it_as_it_is_given(name: str, value: str) -> None:
    assert update(name, value).language == value


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("value", ["klingon", "tlh", 7])
def test_every_dialect_refuses_what_is_not_understood(name: str, value: Any) -> None:
    with pytest.raises(ClientError) as refused:
        update(name, value)
    assert refused.value.param == DIALECTS[name][2]
    assert refused.value.event_id == "e1"
