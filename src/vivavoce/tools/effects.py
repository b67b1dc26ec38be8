"""What calling a function does in the world: nothing but answer, something, or something that is hard to undo. Pure.

A client says so (``x_effects``, or ``annotations`` as the Model Context Protocol has them); else the function's name and
description tell.
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from vivavoce.types import Tool

EffectLevel: TypeAlias = Literal["none", "acts", "risky"]
"""``risky``: it moves money, or takes away what cannot easily be had back."""

_RISKY = re.compile(
    r"\b(?:refund|reimburse|pay|payout|payment|transfer|wire|withdraw|purchase|buy|checkout|donate|charge|topup|invest|sell"
    r"|block|freeze|suspend|delete|remove|erase|wipe|reset|terminate|cancel|close|unsubscribe|deactivate|revoke|destroy|drop)\w{0,3}\b"
    r"|\b(?:end|stop|quit|finish|discontinue|void|annul)\w{0,4} (?:[\w']+ ){0,3}"
    r"(?:contract|subscription|membership|lease|tenancy|agreement|policy|service|supply|account|plan)s?\b"
    r"|\b(?:send|move)\w{0,3} (?:money|funds|cash)\b"
    r"|退款|退钱|支付|付款|缴费|转账|汇款|取款|购买|扣款|充值|删除|清空|注销|终止|中止|解除|退订|退租|挂失|冻结|停用|取消|解约|销户|重置|格式化"
    r"|返金|支払|送金|振込|購入|削除|解約|退会|キャンセル|取り消",
    re.IGNORECASE,
)
_HARMLESS_OBJECTS = re.compile(
    r"\b(?:timer|alarm|reminder|music|song|playback)s?\b|闹钟|提醒|音乐|计时|アラーム|タイマー", re.IGNORECASE
)
"""What can be cancelled or removed without asking: it is as quickly there again."""

_ACTS = re.compile(
    r"\b(?:order|place|book|reserve|schedule|reschedule|send|submit|create|add|update|change|set|switch|turn|open|unlock|lock"
    r"|start|stop|activate|enable|disable|block|unblock|register|enroll|sign|subscribe|apply|request|return|exchange|replace"
    r"|call|dial|message|email|mail|post|publish|upload|write|move|extend|upgrade|downgrade|assign|approve|accept|reject"
    r"|confirm|issue|renew|report|play|navigate|control|adjust|increase|decrease|raise|lower|transfer|dispatch|escalate|make"
    r"|execute|run|launch|trigger|arm|disarm|heat|cool|dim)\b"
    r"|下单|预订|预约|挂号|发送|提交|创建|新建|添加|更新|修改|更改|设置|打开|关闭|开启|解锁|上锁|启动|停止|冻结|挂失|登记|注册|报名"
    r"|订阅|申请|退货|换货|拨打|呼叫|发布|上传|写入|移动|延长|升级|续|播放|导航|调节|调高|调低|安排|派"
    r"|予約|注文|送信|登録|変更|設定|開け|閉め|点け|消す|開始|停止|申請",
    re.IGNORECASE,
)
_READS = re.compile(
    r"^(?:get|look_?up|find|search|list|check|show|read|fetch|query|view|count|calculate|compute|convert|estimate|describe"
    r"|retrieve|track|locate|is|has|what|which|where|when|weather|current)(?:\b|_)",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SENTENCE_END = re.compile(r"[.。！!？?\n]")


def effect_level(tool: Tool) -> EffectLevel:
    """How much harm a call nobody asked for does."""
    words = _CAMEL.sub("_", tool.name).replace("-", "_")
    spaced = words.replace("_", " ")
    if tool.effects is False or (tool.effects is None and _READS.match(words)):
        return "none"
    told = f"{spaced}. {_SENTENCE_END.split(tool.description.strip(), maxsplit=1)[0]}"
    if tool.destructive or (tool.destructive is None and _risky(spaced, told)):
        return "risky"
    if tool.effects or _ACTS.search(told) or _RISKY.search(told):
        return "acts"
    return "none"


def _risky(name: str, told: str) -> bool:
    return _RISKY.search(told) is not None and _HARMLESS_OBJECTS.search(name) is None
