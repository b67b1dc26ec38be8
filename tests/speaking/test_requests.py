"""Which sentences ask something of the voice, in three languages, and which do not."""

from __future__ import annotations

import pytest

from vivavoce.session.default_prompt import opening, system_prompt
from vivavoce.speaking.requests import asked_of_voice, told_of_voice


@pytest.mark.parametrize(
    ("text", "requests"),
    [
        ("Could you speak a bit slower, please?", ["slower"]), ("Slow down, please.", ["slower"]), ("请说慢一点。", ["slower"]),
        ("慢慢说", ["slower"]), ("もっとゆっくり話してください。", ["slower"]), ("ゆっくりお願いします", ["slower"]),
        ("Please talk faster.", ["faster"]), ("你说快点", ["faster"]), ("もっと速く話して", ["faster"]),
        ("Speak normally again.", ["usual"]), ("正常说话吧", ["usual"]), ("普通に話してください", ["usual"]),
        ("Can you whisper?", ["whisper"]), ("悄悄说", ["whisper"]), ("ささやいて", ["whisper"]),
        ("Stop whispering.", ["aloud"]), ("别悄悄说了", ["aloud"]),
        ("Can you speak louder?", ["louder"]), ("Speak up!", ["louder"]), ("大声一点", ["louder"]),
        ("もっと大きな声で", ["louder"]),
        ("Please lower your voice.", ["quieter"]), ("小声一点", ["quieter"]), ("声音小点", ["quieter"]),
        ("小声说", ["quieter"]),
        ("もう少し小さい声でお願い", ["quieter"]), ("Speak more quietly, please.", ["quieter"]),
        ("Could you speak in a higher voice?", ["higher"]), ("Speak a little higher.", ["higher"]), ("音调高一点", ["higher"]),
        ("高い声で話して", ["higher"]), ("Please use a deeper voice.", ["lower"]), ("声音粗一点", ["lower"]),
        ("低い声で", ["lower"]),
        ("Sound more cheerful.", ["cheerful"]), ("More cheerful, please!", ["cheerful"]), ("开心一点", ["cheerful"]),
        ("明るく話して", ["cheerful"]), ("Speak more gently.", ["calm"]), ("温柔一点", ["calm"]), ("優しく話して", ["calm"]),
        ("严肃一点", ["serious"]), ("用四川话说", ["sichuanese"]), ("请用粤语说", ["cantonese"]),
        ("Speak slower and louder", ["slower", "louder"]), ("Don't speak so fast.", ["slower"]),
        ("You speak too loud", ["quieter"]),
        ("你说得太快了", ["slower"]), ("别说这么快", ["slower"]), ("声音太小了", ["louder"]), ("速すぎます", ["slower"]),
        ("You're talking too fast!", ["slower"]), ("I can't hear you.", ["louder"]),
        ("Can you sound a bit happier?", ["cheerful"]),
        ("I want you to be more serious.", ["serious"]), ("Please be gentle.", ["calm"]),
    ],
)  # fmt: skip
def test_requests_are_understood(text: str, requests: list[str]) -> None:
    assert sorted(asked_of_voice(text)) == sorted(requests)


@pytest.mark.parametrize(
    "text",
    ["The train is slower than the bus today.", "Is light faster than sound?", "Tell me about whisper networks.",
     "Who speaks Chinese?", "What is a slow cooker?", "我今天很开心。", "火车快到了吗？", "My neighbours are very loud.",
     "The prices are higher this year.", "He has a deep understanding of it.", "声音是怎么传播的？", "小声的反义词是什么？",
     "今日はゆっくり寝ました。", "値段が高いです。", "電車は速いですか。", "How do I lower my blood pressure?"],
)  # fmt: skip
def test_other_sentences_are_none(text: str) -> None:
    assert asked_of_voice(text) == ()


@pytest.mark.parametrize(
    ("instructions", "requests"),
    [
        ("You are a helpful guide. Talk quickly.", ("faster",)),
        ("你是一个导游。说话慢一点，慢慢说。", ("slower",)),
        ("If the user is upset, speak calmly.", ()),
        ("Never speak loudly.", ()),
        ("The user likes it when you talk faster.", ()),
        ("You are a helpful assistant.", ()),
        ("Be happy to help, and be calm about it.", ()),
        ("Be calm and gentle.", ("calm",)),
    ],
)
def test_instructions_count_where_they_say_it_in_so_many_words(instructions: str, requests: tuple[str, ...]) -> None:
    assert told_of_voice(instructions) == requests


def test_the_prompts_of_the_project_ask_for_nothing() -> None:
    for language_rules in (False, True):
        assert told_of_voice(system_prompt("", "Vivavoce", spoken=language_rules)) == ()
    assert told_of_voice(opening("")) == ()
