"""Whether somebody tells of something that hurts, and how the answer begins then: with them, before any advice. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from vivavoce.types import Language

_ENGLISH = re.compile(
    r"\bi(?:'m| am| feel| felt| was| have been|'ve been)\b[^.?!]{0,24}\b(?:terrible|awful|sad|lonely|depressed"
    r"|heartbroken|miserable|devastated"
    r"|scared|afraid|anxious|stressed|exhausted|upset|humiliated|embarrassed|hurt|ashamed|desperate|hopeless"
    r"|overwhelmed|worn out|really tired|so tired|worried)\b"
    r"|\b(?:shouted|yelled|screamed|laughed|swore) at me\b|\bmade fun of me\b|\b(?:left|dumped|betrayed"
    r"|cheated on|fired|insulted|ignored) me\b"
    r"|\b(?:was|were|been|got) (?:stolen|robbed|fired|mugged|dumped|bullied)\b|\b(?:passed away|has died"
    r"|died (?:last|yesterday|this|today))\b"
    r"|\bi (?:can't|cannot|couldn't) (?:sleep|stop crying|take it|cope|go on)\b|\bi (?:lost|miss) my (?:job"
    r"|mother|father|dog|cat|wife|husband|son|daughter|friend)\b"
    r"|\bbroke up with me\b|\bnobody (?:likes|loves|understands) me\b|\bi(?:'ve been| was| have been) crying\b",
    re.IGNORECASE,
)
_CHINESE = re.compile(
    r"难过|难受|伤心|害怕|被偷|被抢|被骂|骂了?我|吼了?我|去世|过世|失眠|睡不着|(?:真的?|好|很|太)累|委屈|孤独|分手|失业|被(?:开除|裁|欺负|嘲笑)"
    r"|焦虑|崩溃|压力(?:很|好|太)大|想哭|哭了|心情(?:很|不|太)|绝望|丢了工作"
)
_JAPANESE = re.compile(r"悲しい|つらい|辛い|寂しい|怖い|盗まれ|怒鳴られ|亡くなっ|眠れな|疲れました|疲れた|泣い|落ち込")
_ASKS = re.compile(
    r"[?？]\s*$|\b(?:what|how) (?:should|can|do|could) i\b|\b(?:please|can you|could you)\b|怎么办|吗\W*$|呢\W*$"
)
_BEGUN: Mapping[Language, str] = {"en": "That sounds", "zh": "听起来", "ja": "それは"}


def tells_of_hurt(text: str) -> bool:
    """Whether ``text`` tells of something that hurts, and asks for nothing."""
    hurts = any(pattern.search(text.replace("’", "'")) for pattern in (_ENGLISH, _CHINESE, _JAPANESE))
    return hurts and not _ASKS.search(text)


def begun_comfort(language: Language) -> str:
    """How the answer begins; nothing in a language there are no words for."""
    return _BEGUN.get(language, "")
