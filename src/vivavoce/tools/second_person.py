"""Questions of users about themselves, and how their answers begin. Pure.

With a persona in its instructions a small model takes the user's cat, job and name for its own ("I don't have a favourite
number."). A reply that begins with "Your" is about the user: 5 of 5 right where no wording of the prompt gave more than 2.
"""

from __future__ import annotations

import re

from vivavoce.types import Language

_ENGLISH_YOUR = re.compile(
    r"^\W*(?:(?:so|and|well|by the way|okay|hey|do you (?:still )?(?:remember|know)|can you tell me|tell me)\W+)*"
    r"(?:what(?:'s|’s| is| was| are| were)|who(?:'s|’s| is| was)|when(?:'s|’s| is)|which (?:is|was))\s+my\s+"
    r"(?!order|account|booking)"
    r"|^\W*do you (?:still )?(?:remember|know) my\b",
    re.IGNORECASE,
)
_ENGLISH_YOU = re.compile(
    r"^\W*(?:(?:so|and|well|by the way|okay|do you (?:still )?(?:remember|know)|tell me)\W+)*"
    r"(?:what did i (?:say|tell)|what do i (?:do|like|work)|where do i (?:live|work)|who am i|what am i called|how old am i"
    r"|what i do|where i (?:live|work)|how many \w+ do i have)\b",
    re.IGNORECASE,
)
_CHINESE = re.compile(
    r"^\W*(?:那|那么|对了|请问|你(?:还)?(?:记得|知道)|告诉我)?\W*我(?:的(?!订单|账户|预约)|叫|最喜欢|住|家|是做|做|在哪|多大|有几)[^，。！]{0,14}"
    r"(?:什么|哪|谁|几|多少|多大|吗)"
)
_JAPANESE = re.compile(r"^\W*(?:私|僕|俺|わたし)の(?!注文|予約)[^、。]{1,12}(?:は|って)(?:何|なん|誰|どこ|いくつ)")


def begun_answer(question: str) -> str:
    """How the answer to ``question`` begins, if it asks for something about the user themselves; else nothing."""
    if _ENGLISH_YOUR.search(question):
        return "Your"
    if _ENGLISH_YOU.search(question):
        return "You"
    if _CHINESE.search(question):
        return "你"
    if _JAPANESE.search(question):
        return "あなたの"
    return ""


def is_in(language: Language, begun: str) -> bool:
    """Whether an answer in ``language`` can begin so."""
    return {"en": begun.startswith("You"), "zh": begun == "你", "ja": begun == "あなたの"}.get(language, False)
