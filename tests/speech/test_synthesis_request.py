"""What a request may ask for: limits by model, labels, contradictions, and what is left undone."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from vivavoce.errors import ClientError
from vivavoce.protocol.speech import SpeechRequest
from vivavoce.speaking.labels import HAPPY
from vivavoce.speaking_style import SpeakingStyle
from vivavoce.speech.delivery import spoken_delivery
from vivavoce.speech.models import SPEECH_MODELS, speech_model
from vivavoce.speech.synthesis_request import SynthesisRequest, parse_request

HELLO = {"model": "step-tts-2", "input": "Hello there.", "voice": "cixingnansheng"}


def order(**fields: Any) -> SynthesisRequest:
    request = SpeechRequest.model_validate(HELLO | fields)
    return parse_request(request, request.voice_id)


def refusal(**fields: Any) -> ClientError:
    with pytest.raises(ClientError) as refused:
        order(**fields)
    return refused.value


def test_the_least_request() -> None:
    plain = order()
    assert [clause.spoken for clause in plain.clauses] == ["Hello there."]
    assert (plain.options.voice, plain.options.speed, plain.options.volume) == ("cixingnansheng", 1.0, 1.0)
    assert (plain.output_format.format, plain.output_format.rate_hz, plain.unsupported) == ("mp3", 24_000, ())


def test_every_field_of_both_platforms() -> None:
    request = SpeechRequest.model_validate(
        {
            "model": "step-tts-2",
            "input": "LOL, *that* is 1 thing.",
            "voice": {"id": "voice_1234"},
            "response_format": "wav",
            "speed": 1.1,
            "volume": 0.5,
            "sample_rate": 16000,
            "voice_label": {"style": "慢速"},
            "instructions": "Cheerfully.",
            "text_normalization": "enhanced",
            "pronunciation_map": {"tone": ["LOL/laugh out loudly"]},
            "stream_format": "sse",
            "markdown_filter": True,
            "return_url": False,
            "timestamp": True,
            "language": "en",
            "no_such_field": [1],
        }
    )
    understood_order = parse_request(request, request.voice_id)
    assert understood_order.options.voice == "voice_1234"
    assert understood_order.options.speed == pytest.approx(1.1)
    assert understood_order.options.style == SpeakingStyle(rate=0.8).then(HAPPY)
    assert understood_order.options.pronounce("LOL, that") == "laugh out loudly, that"
    assert "".join(clause.text for clause in understood_order.clauses) == request.input
    assert understood_order.unsupported == ()


def test_null_means_not_given() -> None:
    names = [name for name in SpeechRequest.model_fields if name not in HELLO]
    assert order(**dict.fromkeys(names)).output_format == order().output_format


@pytest.mark.parametrize(
    ("model", "most", "speeds"),
    [("step-tts-2", 1000, (0.5, 2.0)), ("stepaudio-3-tts", 1000, (0.5, 2.0)), ("gpt-4o-mini-tts", 4096, (0.25, 4.0))],
)
def test_limits_are_those_of_the_model(model: str, most: int, speeds: tuple[float, float]) -> None:
    text = ("word " * 1000)[:most]
    assert order(model=model, input=text).clauses
    assert refusal(model=model, input=text + "x").param == "input"
    for speed in speeds:
        assert order(model=model, speed=speed).options.speed == speed
    for speed in (speeds[0] * 0.9, speeds[1] * 1.1):
        with pytest.raises((ClientError, ValidationError)):
            order(model=model, speed=speed)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("volume", 0.05),
        ("volume", 2.5),
        ("sample_rate", 44100),
        ("response_format", "ogg"),
        ("stream_format", "events"),
        ("input", ""),
        ("text_normalization", "none"),
        ("speed", "fast"),
        ("voice", 5),
    ],
)
def test_what_no_model_takes(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        SpeechRequest.model_validate(HELLO | {field: value})
    assert refused.value.errors()[0]["loc"][0] == field


def test_models_are_known_by_name() -> None:
    assert speech_model("gpt-4o-mini-tts-2025-12-15") is SPEECH_MODELS["gpt-4o-mini-tts"]
    for name in ("step-audio-2", "", "tts-1-nonsense", "step-tts-2 "):
        with pytest.raises(ClientError) as refused:
            speech_model(name)
        assert (refused.value.code, refused.value.param) == ("model_not_found", "model")


def test_contradictions() -> None:
    error = refusal(timestamp=True)
    assert error.message == "timestamp requires return_url=true or stream_format=sse"
    assert refusal(return_url=True, stream_format="sse").param == "return_url"
    assert order(timestamp=True, return_url=True).clauses
    assert order(timestamp=True, stream_format="sse").clauses


@pytest.mark.parametrize("text", ["...", "🙂", "**", "   ", "```"])
def test_nothing_to_say(text: str) -> None:
    assert refusal(input=text).param == "input"


# ---- how


def test_what_would_be_other_words_is_refused() -> None:
    assert spoken_delivery({"language": "日语"}, None).language == "ja"
    for label in ("粤语", "四川话"):
        with pytest.raises(ClientError) as refused:
            spoken_delivery({"language": label}, None)
        assert (refused.value.code, refused.value.param) == ("unsupported_value", "voice_label.language")


def test_labels_there_are_not() -> None:
    for label in ({"emotion": "sleepy"}, {"style": "高兴"}, {"language": "en"}):
        with pytest.raises(ClientError, match="is no"):
            spoken_delivery(label, None)
    with pytest.raises(ClientError, match="one of"):
        spoken_delivery({"emotion": "高兴", "style": "慢速"}, None)
    assert spoken_delivery({}, "  ") == spoken_delivery(None, None)


def test_labels_and_instructions_by_model() -> None:
    for model in ("stepaudio-2.5-tts", "stepaudio-3-tts"):
        assert refusal(model=model, voice_label={"emotion": "高兴"}).param == "voice_label"
    assert refusal(model="stepaudio-2.5-tts", instruction="x" * 201).param == "instruction"
    assert order(model="stepaudio-3-tts", instruction="x" * 500).unsupported == ("instruction",)
    assert refusal(model="stepaudio-3-tts", instructions="x" * 501).param == "instructions"


def test_directions_are_not_spoken_by_models_that_take_them() -> None:
    text = "(whispering) Come （very (very) slowly） here."
    directed = order(model="stepaudio-3-tts", input=text)
    assert " ".join(clause.spoken for clause in directed.clauses) == "Come here."
    assert directed.unsupported == ("input.directions",)
    assert "whispering" in order(input=text).clauses[0].spoken


def test_japanese_is_read_as_asked_for() -> None:
    assert {
        clause.language for clause in order(input="大学生です。東京大学。", voice_label={"language": "日语"}).clauses
    } == {"ja"}
    assert [clause.language for clause in order(input="東京大学。").clauses] == ["zh"]
    assert [clause.language for clause in order(input="東京大学。", language="ja").clauses] == ["ja"]


@pytest.mark.parametrize("markdown_filter", [True, False])
def test_code_is_never_read(markdown_filter: bool) -> None:
    text = "Look:\n```python\nprint one\n```\nDone."
    spoken = " ".join(clause.spoken for clause in order(input=text, markdown_filter=markdown_filter).clauses)
    assert "print" not in spoken
    assert "Done" in spoken


@pytest.mark.parametrize("text", ["안녕하세요", "안녕하세요, 만나서 정말 반갑습니다. " * 6, "مرحبا", "नमस्ते", "สวัสดี"])
def test_text_no_voice_reads_is_refused_with_the_languages_there_are(text: str) -> None:
    error = refusal(input=text)
    assert (error.code, error.param) == ("unsupported_value", "input")
    assert "Chinese, English and Japanese" in error.message


def test_what_is_left_out_or_read_by_other_rules_is_said() -> None:
    mixed = order(input="This is Korean, as I have heard:\n안녕하세요.")
    assert mixed.unsupported == ("input.language",)
    assert order(input="Say 감사합니다 to them.").unsupported == ("input.language",)
    assert "".join(clause.spoken for clause in mixed.clauses) == "This is Korean,as I have heard:"
    assert order(input="Bonjour, comment ça va?").unsupported == ("language",)
    assert order(input="Bonjour.", language="fr-FR").unsupported == ("language",)
    assert order(input="Hello there, how are you?").unsupported == ()
