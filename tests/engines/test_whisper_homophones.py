"""Mandarin names a client declares, in place of what sounds the same."""

from __future__ import annotations

from threading import Event
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vivavoce.engines.fake import FakeSpeechDetector
from vivavoce.engines.whisper.chinese import PLAIN_PROMPT
from vivavoce.engines.whisper.homophones import declared_names, with_names
from vivavoce.engines.whisper.listener import Utterance, WhisperListener
from vivavoce.engines.whisper.model import DecodedText
from vivavoce.engines.whisper.settings import WhisperSettings
from vivavoce.types import TranscribeOptions


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        (None, []),
        ("", []),
        ("张伟, 王芳.", ["张伟", "王芳"]),
        ("张伟，阶跃星辰、Siobhan。我们开会", ["张伟", "阶跃星辰"]),
        ("我们今天开会讨论语音识别的准确率", []),
        ("字, 张伟", ["张伟"]),
    ],
)
def test_names_are_the_list_a_prompt_begins_with(prompt: str | None, names: list[str]) -> None:
    assert declared_names(prompt) == names


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("请给章伟打个电话", "请给张伟打个电话"),
        ("皆越星辰的模型", "阶跃星辰的模型"),
        ("张伟和章伟", "张伟和章伟"),
        ("Call 章伟 now", "Call 张伟 now"),
        ("请给长尾打个电话", "请给长尾打个电话"),
        ("今天天气很好", "今天天气很好"),
        ("", ""),
    ],
)
def test_what_sounds_like_a_name_is_the_name(heard: str, written: str) -> None:
    assert with_names(heard, ["张伟", "阶跃星辰"]) == written


@pytest.mark.parametrize(
    ("options", "prompt", "text"),
    [
        (TranscribeOptions("zh"), PLAIN_PROMPT, "请给章伟打电话"),
        (TranscribeOptions("zh", "张伟."), "张伟.", "请给张伟打电话"),
        (TranscribeOptions("zh", translate=True), None, "請給章伟打电话"),
        (TranscribeOptions("ja"), None, "請給章伟打电话"),
    ],
)
def test_mandarin_is_read_after_a_simplified_sentence(options: TranscribeOptions, prompt: str, text: str) -> None:
    asked: list[Any] = []

    def read(encoded: Any, **how: Any) -> DecodedText:
        asked.append(how["prompt"])
        return DecodedText("請給章伟打电话", no_speech=0.0, log_probability=-0.1, cut_off=False)

    model: Any = SimpleNamespace(encode=lambda samples, context_s: None, read=read)
    detector: Any = FakeSpeechDetector()
    utterance = Utterance(np.ones(16_000, np.float32), options, Event())
    assert WhisperListener(model, detector, WhisperSettings()).hear(utterance).text == text
    assert asked == [prompt]
