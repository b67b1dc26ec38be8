"""Words that tell plainly whether something is good or bad: where the voice seems to say the opposite, it was misheard. Pure.

A perceiver is wrong in some turns, and a small language model condoles with whoever passed an exam when it is told that
they sound sad. What the words say outright counts for more than what the voice is taken to say.
"""

from __future__ import annotations

import re

from vivavoce.voice_facts import EmotionLabel

_NEGATED = r"(?<!not )(?<!n't )(?<!never )(?<!no )"
_GOOD = re.compile(
    _NEGATED
    + r"\b(?:thank(?:s| you)|congratulations|hooray|yay|wonderful|great|amazing|awesome|fantastic|excellent|lovely|perfect"
    r"|good news|happy|glad|excited|delighted|proud|lucky|i love|we love|passed|won|win|winning|got the job|promoted|promotion"
    r"|engaged|getting married|having a baby|have a baby|pregnant|was born|best|first (?:place|prize)|birthday|cured|recovered"
    r"|healthy|success(?:ful)?|celebrat\w+|so kind|very kind|well done|what a day|can't wait)\b"
    r"|(?<![不没])(?:谢谢|感谢|恭喜|太好了|太棒|真棒|好消息|高兴|开心|幸福|快乐|第一名|冠军|满分|通过了|考上|录取|升职|加薪|中奖|赢了"
    r"|获奖|得奖|订婚|结婚|宝宝|怀孕|出生|生日|康复|痊愈|成功|庆祝|你真好|真不错|喜欢|等不及)",
    re.IGNORECASE,
)
_BAD = re.compile(
    _NEGATED
    + r"\b(?:died|dead|death|passed away|funeral|killed|cancer|hospital|accident|injured|broke (?:my|her|his)|hurts?|pain"
    r"|sick|ill|lost (?:my|our|his|her|the)|fired|laid off|unemployed|failed|fail|rejected|robbed|stolen|stole|burned down"
    r"|crash(?:ed)?|ran away|run away|broke up|left me|divorc\w+|lonely|sad"
    r"|terrible|awful|horrible|worst|afraid|scared|worried|crying|cried"
    r"|miss (?:him|her|them|you)|debts?|bankrupt|cannot (?:go on|sleep)|can't (?:go on|sleep))\b"
    r"|去世|死了|死于|过世|走了以后|葬礼|癌|住院|医院|车祸|事故|受伤|摔断|疼|痛|生病|丢了|弄丢|跑丢|失业|被开除|被裁|不及格|没考上"
    r"|失败|被拒|被偷|被抢|着火|烧了|分手|离婚|孤单|孤独|难过|伤心|糟糕|可怕|害怕|担心|哭|想念|欠债|破产|睡不着",
    re.IGNORECASE,
)


def contradicts(text: str, emotion: EmotionLabel) -> bool:
    """Whether what is said is plainly good where the voice is taken for sad or angry, or plainly bad where for happy.

    Words of both kinds contradict nothing: who can tell?
    """
    good, bad = _GOOD.search(text) is not None, _BAD.search(text) is not None
    if emotion == "happy":
        return bad and not good
    return emotion in ("sad", "angry") and good and not bad
