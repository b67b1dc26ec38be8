from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.text.clauses import FIRST_FORCED_REPLY, Clause, ClauseSplitter
from vivavoce.text.speakable import is_speakable

FRAGMENTS = (
    "Sure, ", "I can help. ", "Dr. Smith", "U.S. ", "e.g. ", "3", ".", "14", " ", "\n", "\n\n", "- ", "1. ", "**bold**",
    "```", "`code`", "https://example.com/a.b?c=d", "😀", "你好", "，", "。", "今天天气很好", "？", "！", "……", "…", "...",
    "今日は", "天気です", "、", "「はい」", "“", "”", '"', "'", "(", ")", "—", "--", "a.m. ", "10:30", "1,000", "| a |",
    "Python", "the quick brown fox jumps over the lazy dog ", "한국어", "Ünïcode ", "\t", "?!", "#", "*", "_x_", "<br>",
    "３", "{", '{"a": 1. ', '{"a": {"b": "x. y, z"}} ', "}", "[{", "]", "\\",
)  # fmt: skip
TEXTS = st.one_of(st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join), st.text(max_size=200))
LANGUAGES = st.sampled_from([None, "en", "zh", "ja", "fr"])


def split(*pieces: str, language: str | None = None) -> list[Clause]:
    splitter = ClauseSplitter(language)
    clauses = [clause for piece in pieces for clause in splitter.push(piece)]
    return clauses + splitter.flush()


def texts(*pieces: str, language: str | None = None) -> list[str]:
    return [clause.text.strip() for clause in split(*pieces, language=language)]


def spoken(text: str, language: str | None = None) -> list[str]:
    return [clause.spoken for clause in split(text, language=language)]


@given(TEXTS, LANGUAGES, st.data())
@settings(max_examples=400, deadline=None)
def test_clauses_join_to_the_text_and_do_not_depend_on_how_it_arrived(
    text: str, language: str | None, data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=12)) | {0, len(text)})
    whole = split(text, language=language)
    assert "".join(clause.text for clause in whole) == text
    assert split(*(text[a:b] for a, b in pairwise(cuts)), language=language) == whole
    assert split(*text, language=language) == whole


@given(TEXTS, LANGUAGES)
@settings(max_examples=400, deadline=None)
def test_every_clause_but_the_last_can_be_spoken(text: str, language: str | None) -> None:
    clauses = split(text, language=language)
    assert all(clause.text for clause in clauses)
    assert all(is_speakable(clause.spoken) for clause in clauses[:-1])


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Sure, I can help with that.", "Sure,"),
        ("I think that learning a new language takes time and patience.", "I think that learning a new language takes"),
        ("The weather in the city of light is nice", "The weather in the city of light is nice"),
        ("好的，没问题。", "好的，"),
        ("我觉得学习一门新的语言最重要的是每天坚持练习", "我觉得学习"),
        ("今日はとても天気がいいので散歩に行きましょう", "今日はとても"),
        ("苹果、香蕉和梨都很好吃。", "苹果、香蕉"),
        ("Hello! 你好。", "Hello!"),
        ("Why?! Because.", "Why?!"),
    ],
)
def test_the_first_clause_comes_early(text: str, first: str) -> None:
    assert texts(text)[0] == first


def test_the_first_clause_is_ready_before_the_sentence_ends() -> None:
    assert [c.text for c in ClauseSplitter().push("好的，我")] == ["好的，"]
    assert [c.text for c in ClauseSplitter().push("Well, ")] == ["Well, "]


@pytest.mark.parametrize(
    "whole",
    [
        "it costs 3.14 or 1,000 yen at 10:30 on a day like this one.",
        "so Dr. Smith met Mr. J. R. Jones of the U.S. Army in Boston.",
        "we like fruit, e.g. apples, and meet at 9 a.m. every day here.",
        "the rate rose by 3.5% to No. 5 in v1.0 at www.example.com today.",
        "they met on March 3, 2025 in the old town of Vienna again.",
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_numbers_and_abbreviations_are_not_cut(whole: str, size: int) -> None:
    text = f"Yes, indeed, and now {whole}"
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    for clause in texts(*pieces):
        for word in ("3.14", "1,000", "10:30", "Dr. Smith", "J. R. Jones", "U.S. Army", "e.g. apples", "9 a.m. every"):
            assert word not in whole or not clause.endswith(word[: word.rindex(" ") if " " in word else 2])
        assert not clause.endswith(("3.", "March 3,", "No."))


def test_later_clauses_are_sentences_and_short_ones_are_joined() -> None:
    text = "Sure. This is a longer sentence, with a comma. OK. Right. Then another sentence follows here. End."
    assert texts(text) == [
        "Sure.",
        "This is a longer sentence, with a comma.",
        "OK. Right. Then another sentence follows here.",
        "End.",
    ]


def test_a_decimal_in_two_pushes_stays_whole() -> None:
    splitter = ClauseSplitter()
    assert splitter.push("It is 3") == []
    assert splitter.push(".") == []
    assert splitter.push("14") == []
    assert [c.text for c in splitter.push(". Next")] == ["It is 3.14. "]


def test_quotes_and_brackets_close_with_their_sentence() -> None:
    assert texts("“Stop!” Then they all went home (at last.) Now it is over and done.")[0] == "“Stop!”"
    assert texts("他说：“今天的天气真的很好。”然后大家一起走了出去。")[1] == "“今天的天气真的很好。”"


def test_languages_follow_the_script() -> None:
    clauses = split("Hello there! 你好，很高兴认识你。こんにちは、元気ですか。")
    assert [clause.language for clause in clauses] == ["en", "zh", "ja"]
    assert {c.language for c in split("我喜欢用 Python 写程序。")} == {"zh"}
    assert {c.language for c in split("東京、大阪。", language="ja")} == {"ja"}
    assert {c.language for c in split("東京、大阪。")} == {"zh"}
    assert [c.language for c in split("今日はいい天気です。東京。")][-1] == "ja"
    assert {c.language for c in split("Bonjour, ça va bien.", language="fr")} == {"fr"}
    assert {c.language for c in split("Hello, all is well.", language="zh")} == {"en"}


def test_a_long_english_run_in_chinese_is_a_clause_of_its_own() -> None:
    clauses = split("好的，用英语说就是 how are you doing today 这样一句话。")
    assert [(c.language, c.spoken) for c in clauses[1:]] == [
        ("zh", "用英语说就是"),
        ("en", "how are you doing today"),
        ("zh", "这样一句话。"),
    ]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("# Title\n", ["Title."]),
        ("- one item\n* two items\n", ["one item.", "two items."]),
        ("This is **very** _important_ and `quoted` text.", ["This is very important and quoted text."]),
        ("It opens at nine. [1] Tickets are free [2, 3].", ["It opens at nine.", "Tickets are free."]),
        ("It costs ten (https://example.com/prices?x=1).", ["It costs ten."]),
        ("It costs ten【4†prices】 now.", ["It costs ten now."]),
        ('Here: {"temperature": 20, "unit": "C"} outside.', ["Here:", "outside."]),
        ('It says {"a": {"b": 1, "c": [1, 2]}} today.', ["It says today."]),
        ('[{"title": "Ferry", "url": "https://x.org"}, {"title": "B"}] That is it.', ["That is it."]),
        ('Result: {"temperature": 20,\n "unit": "C"}\nDone.', ["Result:", "Done."]),
        ("{'a': 1, 'b': 'two'} is it.", ["is it."]),
        ('Well. {"name": "find", "arguments": {"query": "a', ["Well.", ""]),
        ("The set {1, 2} and the list [one, two].", ["The set {1, 2} and the list [one,", "two]."]),
        ("Look at example.com/ferry-times?x=1 for more.", ["Look at example dot com for more."]),
        ("Get ftp://files.example.org/a.zip now.", ["Get files dot example dot org now."]),
        ("Use node.js and/or example.com.", ["Use node.js and/or example.com."]),
        ("See [the docs](https://example.com/a) now.", ["See the docs now."]),
        ("Go to https://www.python.org/x?y=1 now.", ["Go to python dot org now."]),
        ("请看 https://example.com。", ["请看 example点com。"]),
        ("Hi 👋🏽 there 🇩🇪!", ["Hi there !"]),
        ("It is 25°C.", ["It is 25°C."]),
        ("snake_case and 3 * 4.", ["snake_case and 3 * 4."]),
        ("```\ncode. here\n```\nDone.", ["Done."]),
        ("| a | b |\n|---|---|\n", ["a, b.", ""]),
        ("好的", ["好的。"]),
        ("😀 ...", [""]),
        ("", []),
    ],
)
def test_marks_for_the_eye_are_not_spoken(written: str, said: list[str]) -> None:
    assert spoken(written) == said


@given(
    st.dictionaries(
        st.just("qx"),
        st.recursive(
            st.text("qx.\\\"'}]{[ ", max_size=9) | st.integers(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("qx. ", max_size=3), inner, max_size=3),
            max_leaves=6,
        ),
        min_size=1,
    ),
    st.sampled_from([None, 1, 2]),
    st.booleans(),
)
def test_json_is_never_spoken(value: object, indent: int | None, alone: bool) -> None:
    written = json.dumps([value] if alone else value, indent=indent)
    words = " ".join(spoken(f"Here you are: {written} That was all. Goodbye."))
    assert words == "Here you are: That was all. Goodbye."


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("<think>They ask. I answer. So be it.</think>Hello there.", "Hello there."),
        ("<think>Nobody closes this. At all.", ""),
        ("and so on.</think> Hello.", "and so on. Hello."),
        ("*smiles* Hello there.", "Hello there."),
        ("He left (*winks*) and came [sighs] back (smiling).", "He left and came back."),
        ("The [clears throat] hall (bowls) [see below].", "The hall (bowls) [see below]."),
        ("好的（微笑）我来【笑】。", "好的我来。"),
        ("Well. *pauses, then laughs softly* Sure.", "Well. Sure."),
        ("（好的。）*微笑*今天见。", "（好的。）今天见。"),
        ("*Important*: call me.", "Important: call me."),
        ("That is *really* good.", "That is really good."),
        ("**Note** this.", "Note this."),
        ("R&amp;D &lt; 5", "R&D < 5."),
        ("It is \\(\\frac{1}{2}\\) of it.", "It is 1/2 of it."),
        ("So \\[ \\int_0^1 f(x). dx. \\] is it.", "So is it."),
        ("Take $x^2$ and $y$.", "Take x² and y."),
        ("It costs $5 and not $10.", "It costs $5 and not $10."),
        ("Rich $$ is money.\n\nYes. No.", "Rich is money. Yes. No."),
        ("We have $$\\sum_{i=1}^n i. $$ here.", "We have here."),
    ],
)
def test_what_is_for_the_eye_is_not_spoken(written: str, said: str) -> None:
    clauses = split(written)
    assert "".join(clause.text for clause in clauses) == written
    assert (
        " ".join(" ".join(clause.spoken for clause in clauses).split()).replace("。 ", "。").replace("） ", "）")
        == said
    )


def test_an_open_code_fence_is_never_spoken() -> None:
    clauses = split("Look here:\n```python\nprint(1)\nprint(2). ")
    assert [clause.spoken for clause in clauses] == ["Look here:", ""]


def test_total_work_is_linear() -> None:
    splitter = ClauseSplitter()
    looked = 0
    original = splitter._look

    def counted() -> object:
        nonlocal looked
        looked += 1
        return original()

    splitter._look = counted  # type: ignore[method-assign,assignment]
    text = "This sentence goes on, and on. " * 50 + "今天天气很好我们一起去公园散步吧" * 50
    for char in text:
        splitter.push(char)
    assert looked < 6 * len(text)


def test_a_katakana_word_is_not_cut_at_its_long_mark() -> None:
    splitter = ClauseSplitter("ja")
    clauses = [*splitter.push("次のシーズンのユーザーインターフェース"), *splitter.flush()]
    assert not any(left.text.endswith("ー") and right.text[0] in "ズザインフ" for left, right in pairwise(clauses))


def test_the_first_clause_of_a_reply_is_shorter() -> None:
    splitter = ClauseSplitter("en", first_forced=FIRST_FORCED_REPLY)
    text = "I think that learning a new language takes time and patience."
    assert [clause.text for clause in splitter.push(text) + splitter.flush()] == [
        "I think that learning ",
        "a new language takes time and patience.",
    ]


@pytest.mark.parametrize(
    ("language", "text", "kept"),
    [
        ("en", "Call me at +1 415 555 2671 or at +44 20 7946 0958 please.", ["+1 415 555 2671", "+44 20 7946 0958"]),
        ("zh", "您的号码是010 8888 6666和010 7777 8888请记下。", ["010 8888 6666", "010 7777 8888"]),
        ("ja", "お客様の便名はJL515です。", ["便名はJL515"]),
        ("zh", "您的房间是1205请上楼。", ["房间是1205"]),
        ("zh", "航班CA1831九点三十分起飞。", ["九点三十分"]),
    ],
)
def test_a_number_is_not_parted_from_its_groups_and_from_what_tells_of_it(
    language: str, text: str, kept: list[str]
) -> None:
    for size in (1, 3, len(text)):
        clauses = texts(*(text[at : at + size] for at in range(0, len(text), size)), language=language)
        assert all(any(whole in clause for clause in clauses) for whole in kept), clauses


def test_groups_of_digits_without_end_are_cut_all_the_same() -> None:
    assert len(texts("1234 " * 40, language="en")) > 2


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        (
            "zh",
            '请拨打<say-as interpret-as="telephone">13800138000</say-as>和<say-as interpret-as="cardinal">2024</say-as>。',
            "请拨打幺三八零零幺三八零零零和二千零二十四。",
        ),
        ("zh", '这是<sub alias="一 二 三 four five six seven">W</sub>吗？', "这是一 二 三 four five six seven吗？"),
        ("en", 'Open <sub alias="the World Wide Web Consortium of all the people">W3C</sub> now.', None),
        ("en", "Say [live](/laɪv/) now.", "Say [live](/lˈIv/) now."),
        ("en", "If a <b and c> d then <go on", None),
    ],
)
def test_elements_are_not_cut(language: str, text: str, said: str | None) -> None:
    for size in (1, 5, len(text)):
        clauses = split(*(text[at : at + size] for at in range(0, len(text), size)), language=language)
        assert "".join(clause.text for clause in clauses) == text
        spoken_text = " ".join(clause.spoken for clause in clauses)
        assert not {"alias", "interpret"} & set(spoken_text.replace("-", " ").split())
        assert said is None or spoken_text == said
