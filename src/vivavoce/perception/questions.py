"""Questions about the sound itself ("how do I sound?", "is that a dog?"), and what they ask for. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from vivavoce.perception.sound_words import SOUND_WORDS

Topic: TypeAlias = Literal[
    "heard", "voice", "mood", "rate", "loudness", "pitch", "language", "music", "singing", "sounds",
    "gender", "age", "accent", "identity", "number",
]  # fmt: skip
"""What somebody wants to know of the sound: all that is heard, all of the voice, or one thing."""

_SPEAKING = r"(?:speak|talk)(?:ing|s)?"
_SPEAKER = r"(?:(?:the|this) (?:speaker|person|voice))"
_MOODS = r"(?:sad|happy|angry|upset|tired|nervous|calm|annoyed|cheerful|stressed|worried|excited|bored|neutral)"
_MAN = r"(?:man|woman|male|female|boy|girl|men|women)"
_BACKGROUND = r"in (?:the|my) background"
_VERY = r"(?:a bit |a little |too |very |so |rather )?"
_ANY = r"(?:any |some |the |an? )?"
_IN_ENGLISH = r"(?:english|chinese|mandarin|german|french|spanish|japanese)"
_END = r"\s*(?:[?.!,]|$)"

_PATTERNS: Mapping[Topic, Sequence[str]] = {
    "heard": (
        r"\bwhat (?:else )?(?:do|can|could|did) you hear\b",
        r"\bwhat you (?:can )?hear\b",
        r"\b(?:is|was) there anything else to hear\b",
        r"你(?:能|可以|都|还)*听(?:到|见)(?:了)?(?:些)?什么|听(?:到|见)了什么",
        r"(?:描述|说说)(?:一下)?(?:你听到的|这段(?:录音|音频))",
        r"(?:何|なに)[がか]聞こえ",
    ),
    "voice": (
        rf"\bhow (?:do|did|am) i sound|\bhow (?:does|did) {_SPEAKER} sound",
        r"\bdescribe (?:my|the|this) voice\b|\bwhat (?:does|do) my voice (?:sound|tell)|\bhow is my voice\b",
        r"我(?:的声音|说话)?听(?:起来|上去)(?:怎么样|如何|怎样)",
        r"(?:描述|说说)(?:一下)?我的声音|我的声音(?:怎么样|如何)",
        r"私の声は?(?:どう|どんな)|声は?どう聞こえ",
    ),
    "mood": (
        rf"\b(?:do|did) i sound {_VERY}(?:like i(?:'m| am) )?{_MOODS}|\bam i (?:feeling )?{_VERY}{_MOODS}{_END}",
        rf"\bdoes {_SPEAKER} sound {_VERY}{_MOODS}|\bis {_SPEAKER} {_VERY}{_MOODS}\b",
        rf"\bhow (?:do|am) i feel(?:ing)?(?: (?:right )?now| today)?{_END}|\bhow (?:does|is) {_SPEAKER} feel",
        r"\b(?:what|which) (?:mood|emotion)\b|\bguess (?:how i feel|my mood)|\bmy (?:mood|emotions?|tone(?: of voice)?)\b.*\?",
        r"我(?:的声音)?听(?:起来|上去).{0,8}(?:吗|呢|么|心情|情绪|还是)",
        r"我的(?:语气|心情|情绪)|听(?:得)?出.{0,6}(?:情绪|心情|语气)|(?:什么|哪种)(?:心情|情绪|语气)",
        r"我(?:现在)?(?:是不是|是)?(?:很|有点)?(?:生气|难过|伤心|开心|高兴|累)(?:了)?(?:吗|呢|么)",
        r"私の(?:気分|気持ち|機嫌)|どんな(?:気分|気持ち)に聞こえ|(?:怒|悲し|嬉し|楽し)\S{0,4}聞こえ",
    ),
    "rate": (
        rf"\b(?:am|was|do|did) i {_SPEAKING} {_VERY}(?:fast|quick|slow)",
        rf"\bhow (?:fast|quick|slow)(?:ly)? (?:(?:am|was|do|did) i {_SPEAKING}|(?:does|is) {_SPEAKER})",
        r"\bmy (?:speaking|speech|talking) (?:speed|pace|rate)\b",
        r"我(?:说话|讲话|说得|讲得).{0,8}(?:快|慢).{0,3}(?:吗|么|呢|？|\?)|我(?:说话|讲话).{0,2}(?:是不是|有多).{0,4}(?:快|慢)|我的语速",
        r"私.{0,6}話.{0,6}(?:速|早|遅).{0,6}(?:か|？|\?)|早口.{0,4}か",
    ),
    "loudness": (
        rf"\b(?:am|was) i (?:{_SPEAKING} )?{_VERY}(?:loud|quiet|shouting|whispering)",
        r"\bhow (?:loud|quiet)(?:ly)? (?:am|was|do|did) i\b",
        r"我(?:说话|讲话|的声音|声音).{0,6}(?:大声|小声|太大|太小|很大|很小|响)",
        r"私の声は?.{0,4}(?:大き|小さ)",
    ),
    "pitch": (
        rf"\b(?:is|was) my voice {_VERY}(?:high|low|deep)|\bhow (?:high|low|deep) is my voice|\bpitch of my voice\b",
        r"我的(?:音调|音高)|我的声音.{0,4}(?:高吗|低吗|低沉)|声の高さ",
    ),
    "language": (
        rf"\b(?:what|which) language (?:am i|do i|did i|are we|is being|(?:is|was) (?:this|that)|(?:is|does) {_SPEAKER})\b",
        rf"\b(?:what|which) language is spoken(?: here| in this recording)?{_END}",
        rf"\bam i {_SPEAKING} {_IN_ENGLISH}|\bis (?:this|that|it) {_IN_ENGLISH}{_END}",
        r"(?:我|他|她|录音里|这个人)(?:现在)?(?:说|讲)的?(?:是)?(?:什么|哪种|哪国|哪一种)(?:语言|语|话)",
        r"(?:这|那)(?:段录音|段话)?是(?:什么|哪种)语言|(?:说|讲)的是(?:英语|中文|汉语|德语|日语)吗",
        r"何語(?:を話|です|で話|ですか)",
    ),
    "music": (
        rf"\b(?:is|was|are) (?:that|this|there|it) (?:also |really )?{_ANY}(?:music|song|melody|tune)"
        rf"(?: playing| on| here| {_BACKGROUND})?{_END}",
        rf"\b(?:do|can|did) you hear {_ANY}(?:music|song|melody)\b|\b(?:is|was) (?:any |some )?music (?:playing|on)\b",
        r"(?:这|那)是(?:不是)?音乐|(?:听到|听见)(?:了|没有)?.{0,4}音乐|(?:背景|后面|旁边|这里).{0,6}音乐",
        r"^有(?:没有)?音乐(?:声)?(?:吗|么|呢|？|\?|$)|音楽.{0,4}(?:聞こえ|流れ|鳴)|これは音楽",
    ),
    "singing": (
        r"\b(?:am i|(?:is|was) (?:there )?(?:somebody|someone|anybody|anyone|that|this)) singing\b",
        rf"\b(?:do|can|did) you hear (?:{_ANY}|(?:some|any)(?:one|body) )singing",
        r"\b(?:speaking|talking) or singing|\bsinging or (?:speaking|talking)",
        r"(?:我在|有人(?:在)?)唱歌(?:吗|么|还是)|歌って(?:い|る).{0,4}か",
    ),
    "sounds": (
        r"\bwhat (?:kind of |else )?(?:animal|sounds?|noises?|instrument) "
        r"(?:is|was|are|were|do|did|can) (?:that|this|it|there|those|you)\b",
        r"\bwhat(?:'s| is| was) (?:that|this|the) (?:sound|noise)",
        r"\bwhat(?:'s| is| was)? (?:else )?(?:is |was )?(?:sounds? |happening |going on |there |audible |can be heard )?"
        + _BACKGROUND,
        rf"\b(?:is|was) there {_ANY}(?:other )?(?:sound|noise)|\b(?:is|was) there (?:any|some)thing {_BACKGROUND}",
        rf"\b(?:do|can|did) you hear {_ANY}(?:other )?(?:sounds?|noises?|animals?)",
        rf"\bis it (?:quiet|noisy|loud) (?:here|{_BACKGROUND})",
        r"(?:这|那)是什么(?:声音|动静|动物)|(?:听到|听见|有)(?:了|没有)?(?:些)?(?:什么|哪些)?(?:别的|其他|其它)?声音(?:吗|么|呢|？|\?|$)",
        r"背景(?:里|中|声).{0,8}(?:什么|声音)",
        r"何の音|どんな音が(?:聞|し|す)|後ろで.{0,8}(?:音|聞こえ)|他に.{0,4}(?:音|聞こえ)",
    ),
    "gender": (
        rf"\bam i (?:a )?{_MAN}\b|\b(?:is|was) (?:{_SPEAKER}|(?:this|that)|the one speaking)[\w ]{{0,24}}\b{_MAN}\b",
        rf"\b(?:speaking|talking|voice|hear|sounds?|speaker)\b[\w ,]{{0,24}}\b{_MAN} or (?:a )?{_MAN}\b",
        rf"\b{_MAN} or (?:a )?{_MAN} (?:who is )?(?:speaking|talking)",
        r"男(?:的|人|生|性|声)还是女|女(?:的|人|生|性|声)还是男|我是(?:男|女)|(?:说话的人?|声音)是?.{0,2}(?:男|女)",
        r"(?:声|話).{0,8}男.{0,4}女|私は(?:男|女)",
    ),
    "age": (
        rf"\bhow old (?:am i|do i sound|(?:is|does) {_SPEAKER})|\bguess my age|\bmy age\b.*\?",
        rf"\bam i (?:a )?(?:child|kid|adult|grown-up|old|young){_END}",
        r"我(?:听起来)?(?:今年)?(?:多大|几岁|多少岁)|(?:听|声音|说话的人).{0,8}(?:多大|几岁|年龄|多少岁)|我的年龄",
        r"私は何歳|(?:声|何歳に).{0,6}(?:何歳|聞こえ)|私の年齢",
    ),
    "accent": (
        r"\b(?:what|which) (?:accent|dialect) (?:do|am|have|is (?:this|that))\b|\bmy (?:accent|dialect)\b",
        r"\b(?:do|does) (?:i|he|she) (?:have|speak with) an? accent|\bwhere do i sound like i(?:'m| am) from\b",
        r"(?:我|听).{0,8}口音.{0,4}(?:吗|么|？|\?|什么)|听(?:得)?出.{0,6}哪里人|私の?.{0,4}(?:訛り|なまり)",
    ),
    "identity": (
        rf"\bwho(?:'s| is| was) (?:speaking|talking)(?: here| now)?{_END}|\bwhose voice\b",
        r"\b(?:do|can) you (?:recogni[sz]e|know) (?:my|this) voice",
        r"谁在(?:说话|讲话)|说话的(?:人)?是谁|(?:认得|听得?)出我(?:是谁|的声音)|誰が話し|誰の声",
    ),
    "number": (
        r"\bhow many (?:people|persons|speakers|voices) (?:do|can|did) you hear\b",
        r"\bhow many (?:people|persons|speakers|voices) are (?:speaking|talking)",
        r"几个人(?:在)?(?:说话|讲话)|何人.{0,2}(?:話|聞)",
    ),
}

_COMPILED = {topic: re.compile("|".join(patterns), re.IGNORECASE) for topic, patterns in _PATTERNS.items()}

_NAMING = re.compile(
    r"\b(?:(?:do|can|could|did) you hear|(?:is|was) (?:that|this)) (?:any |some |the |an? |somebody |someone )?"
    r"(?P<en>[a-z]+(?: [a-z]+)?)(?: in the background| now| here| outside)?\s*\?"
    r"|\b(?:is|was) there (?:any |some |an? )?(?P<there>[a-z]+)(?: (?:barking|ringing|crying|in the background))\s*\?"
    r"|(?:听到|听见)(?:没有|了)?(?P<zh>\S{1,6}?)(?:叫声|的声音|声|叫)?(?:吗|么|？|\?|$)"
    r"|(?:有|是)(?:没有|不是)?(?P<zh_sound>\S{1,6}?)(?:叫声|的声音|声|叫)(?:吗|么|？|\?|$)"
    r"|(?P<ja>\S{1,6}?)(?:の声|の音|の鳴き声)(?:が|は)(?:聞こえ|鳴って|し)",
    re.IGNORECASE,
)
"""Where a question may name a sound."""

_OF_THE_WORLD = re.compile(r"\b(?:sounds?|noises?) (?:does|do|did) (?:an?|the) \w+ (?:make|have)\b", re.IGNORECASE)
"""What a cow says is no matter of hearing."""


MOST_CHARACTERS = 400
"""Of a longer text the end is looked at: that is where it asks."""


def topics_of(text: str) -> frozenset[Topic]:
    """What ``text`` asks about how it sounds; nothing, if it asks something else or nothing."""
    text = text[-MOST_CHARACTERS:]
    if _OF_THE_WORLD.search(text):
        return frozenset()
    found = {topic for topic, pattern in _COMPILED.items() if pattern.search(text)}
    if named_sound(text) is not None:
        found.add("sounds")
    return frozenset(found)


def named_sound(text: str) -> str | None:
    """The group of sounds a question names ("is that a dog?"), by its label; music and singing have topics of their own."""
    for match in _NAMING.finditer(text[-MOST_CHARACTERS:]):
        named = next(group for group in match.groups() if group is not None).lower()
        for label, words in SOUND_WORDS.items():
            if label not in ("Music", "Singing") and any(_names(word, named) for word in words.asked):
                return label
    return None


def _names(word: str, named: str) -> bool:
    """Whether ``word`` is what is named, perhaps with what it does."""
    return re.fullmatch(rf"(?:\w+ing )?{word}s?(?: \w+ing)?", named) is not None if word.isascii() else word in named


def asks_about_sound(text: str) -> bool:
    """Whether a user asks what is heard, and not what was said."""
    return bool(topics_of(text))
