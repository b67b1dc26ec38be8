"""Katakana as it is pronounced → phonemes of the alphabet Kokoro v1.0 was trained with (misaki 0.7's for Japanese)."""

from __future__ import annotations

import re

_TABLE = """
アa イi ウɯ エe オo  ァa ィi ゥɯ ェe ォo
カka キkʲi クkɯ ケke コko  ガɡa ギɡʲi グɡɯ ゲɡe ゴɡo  ヵka ヶke
サsa シɕi スsɨ セse ソso  ザʣa ジʥi ズzɨ ゼʣe ゾʣo
タta チʨi ツʦɨ テte トto  ダda ヂʥi ヅzɨ デde ドdo
ナna ニɲi ヌnɯ ネne ノno
ハha ヒçi フɸɯ ヘhe ホho  バba ビbʲi ブbɯ ベbe ボbo  パpa ピpʲi プpɯ ペpe ポpo
マma ミmʲi ムmɯ メme モmo
ヤja ユjɯ ヨjo  ャja ュjɯ ョjo
ラɾa リɾʲi ルɾɯ レɾe ロɾo
ワβa ヮβa ヰi ヱe ヲo  ヴvɯ ヷva ヸvʲi ヹve ヺvo
イェje ウィβi ウェβe ウォβo
キェkʲe キャkʲa キュkʲɨ キョkʲo  ギェɡʲe ギャɡʲa ギュɡʲɨ ギョɡʲo
クァkᵝa クィkᵝi クェkᵝe クォkᵝo  グァɡᵝa グィɡᵝi グェɡᵝe グォɡᵝo
シェɕe シャɕa シュɕɨ ショɕo  ジェʥe ジャʥa ジュʥɨ ジョʥo
チェʨe チャʨa チュʨɨ チョʨo  ヂャʥa ヂュʥɨ ヂョʥo
ツァʦa ツィʦʲi ツェʦe ツォʦo
ティtʲi テュtʲɨ ディdʲi デュdʲɨ トゥtɯ ドゥdɯ
ニェɲe ニャɲa ニュɲɨ ニョɲo
ヒェçe ヒャça ヒュçɨ ヒョço  ビャbʲa ビュbʲɨ ビョbʲo  ピャpʲa ピュpʲɨ ピョpʲo
ファɸa フィɸʲi フェɸe フォɸo フュɸʲɨ フョɸʲo
ミャmʲa ミュmʲɨ ミョmʲo  リャɾʲa リュɾʲɨ リョɾʲo
ヴァva ヴィvʲi ヴェve ヴォvo ヴュbʲɨ ヴョbʲo
"""
_MORAE = {match[1]: match[2] for match in re.finditer(r"([ァ-ヺ]+)(\S+)", _TABLE)}
_SMALL_VOWELS = frozenset("ァィゥェォャュョ")
_NASALS = (("mpb", "m"), ("kɡ", "ŋ"), ("ɲʨʥ", "ɲ"), ("ntdɾz", "n"))


def kana_phonemes(kana: str) -> str:
    """Phonemes of one word in katakana: ー lengthens, ッ is a glottal stop, ン takes the place of what follows it.

    Characters that are not kana are left out.
    """
    parts: list[str] = []
    at = 0
    while at < len(kana):
        size, phonemes = _mora(kana, at)
        parts.append(phonemes)
        at += size
    return "".join(parts)


def _mora(kana: str, at: int) -> tuple[int, str]:
    """How many characters the mora at ``at`` has, and its phonemes."""
    pair, char, following = kana[at : at + 2], kana[at], kana[at + 1 : at + 2]
    if len(pair) == 2 and pair in _MORAE:
        return 2, _MORAE[pair]
    if char == "ー":
        return 1, "ː"
    if char == "ッ":
        return 1, "ʔ"
    if char == "ン":
        return 1, _nasal(kana[at + 1 :])
    if following in _SMALL_VOWELS and char in _MORAE and char not in _SMALL_VOWELS:
        return 2, _MORAE[char][:-1] + _MORAE[following]
    return 1, _MORAE.get(char, "")


def _nasal(following: str) -> str:
    """ン by the place of the next sound: さんぽ [sampo], さんか [saŋka], さんにん [saɲɲiɴ]."""
    onset = _mora(following, 0)[1][:1] if following and following[0] not in "ンッー" else ""
    return next((nasal for onsets, nasal in _NASALS if onset and onset in onsets), "ɴ")
