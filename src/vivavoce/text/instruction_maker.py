"""Whose the assistant is, as far as a client's instructions say so in words that code can read. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from vivavoce.text.instruction_rules import is_negated, names_language, unwrapped

OWN_ORIGIN = "由开源项目 Vivavoce 开发的"
"""What this server says of the assistant before Chinese instructions: no claim of theirs."""

_WHO = r"(?:['’&\w-]|\.(?=\w)|[ ](?!(?:who|which|that|and|in|on|with|to|but|so|since|where|when|answering|helping|serving)\b))"
_ROLE = (
    r"(?:assistants?|agents?|receptionist|concierge|chat ?bot|bot|representative|helper|guide|operator|advis[eo]r|clerk|host|ai"
    r"|telephone|phone|help ?desk|hotline)"
)
_MAKING = r"(?:made|built|created|developed|designed|trained|operated|run|provided|owned|programmed|hosted)"
_MADE_BY = (
    re.compile(
        rf"\byou(?:['’]re| are| were| have been)\b[^.!?\n]{{0,80}}?\b{_MAKING} (?:and \w+ )?(?:by|at) ({_WHO}{{2,60}})"
        rf"|(?:^|[.!?\n] ?)({_WHO}{{2,60}}?) (?:has |have )?{_MAKING} you\b"
        rf"|\byour (?:\w+ )?(?:maker|creator|developer|company|manufacturer|owner)s? (?:is|are|was|were) ({_WHO}{{2,60}})",
        re.IGNORECASE,
    ),
    re.compile(
        r"你是[^。！？\n]{0,16}?由([^，,。、：:；\s]{2,20}?)(?:公司)?(?:自主)?(?:开发|研发|打造|推出|创建|训练|制作|设计|提供)"
        r"|([^，,。、：:；\s的是]{2,20})(?:开发|研发|打造|创建|训练|制作|设计)了你"
        r"|你是([^，,。、：:；\s]{2,20}?)(?:自主)?(?:开发|研发|打造|推出|创建|训练|制作|设计)的"
    ),
    re.compile(
        r"あなたは、?([^。、\n]{2,20}?)(?:が|に(?:よって|より))(?:開発|作|製作|提供|運営|設計)"
        r"|([^。、\n]{2,20}?)があなたを(?:開発|作)"
    ),
)
_ASSISTANT_OF = (
    re.compile(
        rf"\b(?i:you are|you['’]re)\b[^.!?\n]{{0,60}}?\b(?i:{_ROLE}) (?:of|for|at|from) ({_WHO}{{2,60}})"
        rf"|\b(?i:you are|you['’]re) (?:[\w -]+, )?(?:the )?((?:[A-Z][\w&.-]*[ ])*[A-Z][\w&.-]*)['’]s? "
        rf"(?:[\w-]+ ){{0,3}}?(?i:{_ROLE})\b"
        rf"|\b(?i:you work for|you answer the (?:tele)?phone (?:of|for|at)|you belong to) ({_WHO}{{2,60}})"
        rf"|\bwho (?:answers the (?:tele)?phone|works) (?:of|for|at) ({_WHO}{{2,60}})"
    ),
    re.compile(
        r"你(?:是|叫)(?:[^，,。、\s]{1,8}[，,])?(?:是)?([^，,。、：:；\s是]{2,20}?)的(?:[^。，,的\n]{0,8})"
        r"(?:助手|客服|助理|机器人|前台|接待员?|导购|管家|店员|顾问|服务员|向导|AI)"
        r"|你(?:是[^，,。\n]{1,10}[，,])?(?:在|为)([^，,。、\s]{2,20}?)(?:工作|服务|上班)"
    ),
    re.compile(
        r"あなたは、?(?:[^、。\n]{1,10}(?:という(?:名前の)?|、))?([^。、\n]{2,20}?)の(?:[^。、の\n]{0,8})"
        r"(?:アシスタント|店員|受付|スタッフ|オペレーター|案内係|AI)"
    ),
)
_FIRM = re.compile(
    r"\b(?!I\b)[A-Z]|^(?:the|our|a|an|my)\b|[A-Z]|公司|店|银行|酒店|集团|医院|学校|大学|馆|厂|社|科技|部|局|站|所|院|平台|网|中心|餐厅|航空|保险|家"
    r"|銀行|ホテル|病院|学校|大学|堂|屋|旅館|会社|[ァ-ヶー]{3}"
)


@dataclass(frozen=True, slots=True)
class Maker:
    """Whose assistant it is: that of ``who``, which has ``made`` it."""

    who: str
    made: bool


@lru_cache(256)
def maker_in(instructions: str) -> Maker | None:
    """Whose the assistant is, or who made it, by its instructions; ``None`` where they claim nothing of it.

    "You are Ada, the assistant of Miller's bakery." and "You were built by Acme Robotics." do.
    """
    text = unwrapped(instructions.replace(OWN_ORIGIN, ""))
    for made, patterns in ((True, _MADE_BY), (False, _ASSISTANT_OF)):
        for match in (found for pattern in patterns for found in pattern.finditer(text)):
            sentence_start = max((text.rfind(mark, 0, match.start()) for mark in ".!?。！？\n"), default=-1) + 1
            who = next(filter(None, match.groups())).strip()
            if not is_negated(text[sentence_start : match.end()]) and _is_firm(who):
                return Maker(who, made)
    return None


def _is_firm(who: str) -> bool:
    """Whether it can be somebody's name: not "cooking", nor "English"."""
    return bool(_FIRM.search(who)) and not (names_language(who) and len(who.split()) < 3)
