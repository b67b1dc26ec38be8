"""Whether the assistant is asked what it is, and how the answer begins: the truth, by its name. Pure.

A small model with a persona says whatever the persona would; whoever asks whether they talk to a machine is told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from vivavoce.text.instruction_rules import name_in
from vivavoce.types import Language

_BEING = (
    r"(?:an? )?(?:real |actual |living |live |true )*(?:robot|bot|chatbot|machine|computer(?: program)?|program"
    r"|ai\b|a\.i\.|human"
    r"(?: being)?|person|man|woman|somebody real|someone real|software|recording|language model|real\b|alive"
    r"|artificial|chatgpt)"
)
_ENGLISH = re.compile(
    rf"\bare you (?:really |actually |just |perhaps |maybe |sure you(?:'re| are) )*(?:not )?{_BEING}(?! of the\b)"
    rf"|\b(?:am i|i am|i'm) (?:really |actually )?(?:talking|speaking|chatting|connected) (?:to|with) {_BEING}"
    rf"|\bis there (?:really |actually )*{_BEING} (?:behind|here|there|on the (?:line|phone|other))"
    rf"|\bis this (?:really |actually |just )*{_BEING}(?= (?:or|here|speaking|i(?:'m| am))|\W*$)"
    rf"|\byou(?:'re| are) (?:really |just )*(?:not )?{_BEING},? (?:right|aren't you|are you)\b"
    rf"|\byou (?:sound|seem|talk|speak|look)\b[^.?!]{{0,24}}\b{_BEING}[.,!;]? (?:so |and )?are you\b"
    rf"|\b(?:what|who) are you,? (?:really|actually|exactly)\b|\bare you made of flesh\b|\bwhat kind of (?:thing"
    rf"|being) are you\b",
    re.IGNORECASE,
)
_HAN_BEING = (
    r"(?:一个|一台|个|台)?(?:真的?是?|活)?"
    r"(?:真人|机器人?|人工智能|AI|ai|程序|电脑|录音|活人|人类|软件|语言模型|大模型|有血有肉的人|人)"
)
_CHINESE = re.compile(
    rf"你(?:到底|究竟|其实|真的|不会|该不会|难道)*(?:是不是|是){_HAN_BEING}(?:吗|么|吧|还是|[?？。]|$)"
    rf"|(?:跟|和|同)我(?:说话|聊天|讲话|对话)的(?:到底|究竟)?(?:是不是|是){_HAN_BEING}"
    rf"|我(?:是不是)?在(?:跟|和|同){_HAN_BEING}(?:说话|聊天|讲话|对话)"
    rf"|像(?:一?个|一?台)?(?:机器人?|电脑|AI|程序|录音)[^。？?]{{0,6}}你是吗|(?:这|那边|对面)(?:边)?是(?:真人|机器人?)(?:吗|还是)"
)
_JAPANESE = re.compile(
    r"(?:あなた|きみ|君|そちら|これ)は?(?:本当に|もしかして|実は)?、?(?:ロボット|人間|機械|AI|ＡＩ|人工知能|本物の人|コンピュータ|プログラム)(?:です|なん|なの|か|\?|？)"
    r"|(?:ロボット|人間|機械|AI|人工知能)(?:です|なんです)か"
)
_ASKS_NAME = re.compile(
    r"\b(?:what(?:'s|’s| is| was)|(?:and|again,?) ) ?your name\b|^\W*(?:and |so )?your name\b[^.]*\?"
    r"|\bwho are you\b|\bwhat are you called\b"
    r"|\bwho(?:m)? am i (?:talking|speaking) (?:to|with)\b|\bto whom am i (?:talking|speaking)\b|\bwho(?:'s|’s"
    r"| is) (?:this|speaking)\b"
    r"|(?<!我)你(?:叫什么|是谁|是哪位|怎么称呼|的名字(?:是什么|叫什么|呢|[?？]))|您(?:是哪位|贵姓|怎么称呼|叫什么)|我在(?:跟|和)谁(?:说话|讲话)"
    r"|(?:あなた|きみ|君)(?:の名前|は誰|は何と)|お名前は|どちら様",
    re.IGNORECASE,
)
_ASKS_HOW_IT_IS = re.compile(
    r"\bhow(?:'s|’s| is| are|'re) (?:you|things|it going|everything|life|your day)(?: doing| going| feeling| been)?"
    r"(?: today| tonight| these days| this (?:morning|evening|afternoon)| so far)?\W*$"
    r"|\bhow (?:do you do|have you been|are you getting on)\W*$"
    r"|(?<!我)[你您](?:今天|最近|今晚|这几天)?(?:过得|还|身体)?(?:好吗|好不好|怎么样|如何)\W*$"
    r"|お元気ですか|調子はどう|ご機嫌いかが",
    re.IGNORECASE,
)
_WELL: Mapping[Language, str] = {
    "en": "I'm fine, thank you.",
    "zh": "我很好，谢谢。",
    "ja": "元気です、ありがとうございます。",
}
_BEGUN_NAME: Mapping[Language, str] = {"en": "I'm {name}", "zh": "我是{name}", "ja": "私は{name}"}
_BEGUN: Mapping[Language, str] = {
    "en": "I'm {name}, an AI assistant, not a human being.",
    "zh": "我是{name}，一个AI助手，不是真人。",
    "ja": "{name}というAIアシスタントで、人間ではありません。",
}
_NAMELESS: Mapping[Language, str] = {
    "en": "I'm an AI assistant, not a human being.",
    "zh": "我是一个AI助手，不是真人。",
    "ja": "AIアシスタントで、人間ではありません。",
}
"""Whole sentences: left open, a small model goes on with whoever trained some other one."""


def asks_what_it_is(text: str) -> bool:
    """Whether ``text`` asks the assistant if it is a person or a machine."""
    return any(pattern.search(text) for pattern in (_ENGLISH, _CHINESE, _JAPANESE))


def begun_truth(instructions: str, language: Language) -> str:
    """How the answer begins; nothing in a language there are no words for."""
    name = name_in(instructions)
    begun = (_BEGUN if name else _NAMELESS).get(language, "")
    return begun.format(name=name)


def asks_how_it_is(text: str) -> bool:
    """Whether ``text`` asks the assistant how it is, and nothing else."""
    return _ASKS_HOW_IT_IS.search(text) is not None


def begun_well(language: Language) -> str:
    """How the answer to that begins, which a small model that is to speak of nothing but documents refuses; nothing in a
    language there are no words for."""
    return _WELL.get(language, "")


def asks_name(text: str) -> bool:
    """Whether ``text`` asks for the assistant's name."""
    return _ASKS_NAME.search(text) is not None


def begun_name(instructions: str, language: Language) -> str:
    """How the answer to that begins; nothing where the instructions give no name, or in a language there are no words for."""
    name = name_in(instructions)
    return _BEGUN_NAME.get(language, "").format(name=name) if name else ""
