"""Questions about the user themselves, and all others."""

from __future__ import annotations

import pytest

from vivavoce.tools.second_person import begun_answer, is_in


@pytest.mark.parametrize(
    ("question", "begun"),
    [
        ("What is my favourite number?", "Your"),
        ("So, what's my cat called?", "Your"),
        ("Do you remember my name?", "Your"),
        ("Who is my boss?", "Your"),
        ("Where do I work?", "You"),
        ("What do I do for a living?", "You"),
        ("Do you remember where I live?", "You"),
        ("我叫什么名字？", "你"),
        ("你还记得我的猫叫什么吗？", "你"),
        ("我最喜欢的数字是几？", "你"),
        ("我住在哪里？", "你"),
        ("私の猫の名前は何？", "あなたの"),
        ("What is your name?", ""),
        ("What is my order number?", ""),
        ("My cat is called Minka.", ""),
        ("Is my cat ill?", ""),
        ("What did my boss mean?", ""),
        ("你叫什么名字？", ""),
        ("我的订单到哪了？", ""),
        ("我的猫病了。", ""),
    ],
)
def test_who_is_asked_about(question: str, begun: str) -> None:
    assert begun_answer(question) == begun


def test_an_answer_begins_in_its_language() -> None:
    assert is_in("en", "Your")
    assert not is_in("zh", "Your")
    assert not is_in("fr", "Your")
