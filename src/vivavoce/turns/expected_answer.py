"""What kind of answer a question asks for: one that takes its time to say, or a word. Pure."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

ExpectedAnswer: TypeAlias = Literal["long", "short", "plain"]
"""``long``: numbers, addresses, names to spell, lists, stories; ``short``: yes or no; ``plain``: the rest, and no question."""

_LONG = re.compile(
    r"\b(?:number|address|e-?mail|spell|digits|code|pin|password|iban|date of birth|birthday|full name|names|list|items|"
    r"ingredients|describe|explain|tell me (?:more |a bit |a little )?about|what happened|how did|walk me through|"
    r"anything else|which (?:ones|things|products|items)|what (?:would|can|do) you (?:like|need|want|remember)|story|"
    r"details|why)\b"
    r"|号码|电话|手机|地址|邮箱|邮编|密码|验证码|编号|单号|卡号|生日|怎么写|哪些|什么事|描述|介绍|讲讲|说说|为什么|怎么回事|还需要什么"
    r"|番号|電話|住所|メール|アドレス|生年月日|パスワード|お名前|名前|どんな|詳しく|教えて|説明|なぜ|どうして|何が必要|何があった",
    re.IGNORECASE,
)

_YES_NO_EN = re.compile(
    r"(?:^|[,:] )(?:(?:so|okay|ok|well|and|or|great|sure|alright) )*"
    r"(?:shall|should|do|does|did|is|are|am|was|were|can|could|may|will|would|have|has|had|isn't|aren't|don't|doesn't|won't) "
    r"\w+.*|.*, (?:right|okay|ok|correct|yes|isn't it|is that right)$",
    re.IGNORECASE,
)
_YES_NO_ZH = re.compile(r"(?:吗|吧|好不好|对不对|是不是|行不行|可不可以|要不要.*|需不需要.*|能不能.*|是否.*)$")
_YES_NO_JA = re.compile(
    r"(?:ませんか|ましょうか|ですか|ますか|でしょうか|よろしいですか|いいですか|ですよね|ますよね|かな)$"
)
_ASKS_JA = re.compile(r"何|なに|なん|どこ|いつ|誰|だれ|どの|どち|どれ|どう|どん|いくつ|いくら|なぜ|ご用件")
_ASKS_EN = re.compile(r"\b(?:what|which|who|whom|whose|where|when|why|how)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"[^.!?。！？\n]+")


def expected_answer(question: str | None) -> ExpectedAnswer:
    """What ``question``, the assistant's words before the user's turn, leads one to expect."""
    sentences = [part.strip() for part in _SENTENCE.findall(question or "") if part.strip()]
    if (
        not question
        or not sentences
        or not question.rstrip(" \t\n\"'”’」』)").endswith(("?", "？", "吗", "か。", "か"))
    ):
        asks = bool(sentences) and _LONG.search(sentences[-1]) and _REQUESTS.search(sentences[-1])
        return "long" if asks else "plain"
    last = sentences[-1]
    if _LONG.search(last):
        return "long"
    yes_no = (
        (_YES_NO_EN.match(last) and not _ASKS_EN.search(last))
        or _YES_NO_ZH.search(last)
        or (_YES_NO_JA.search(last) and not _ASKS_JA.search(last))
    )
    return "short" if yes_no else "plain"


_REQUESTS = re.compile(r"\b(?:please|tell|give|spell|say|read|enter)\b|请|告诉|ください|下さい|お願い", re.IGNORECASE)
"""Questions without their mark: "Please tell me your phone number"."""
