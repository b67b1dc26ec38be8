"""Groups of sounds in the words of three languages. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SoundWords:
    """How a sound is told in English, Chinese and Japanese, and by which words it may be asked for."""

    en: str
    zh: str
    ja: str
    asked: tuple[str, ...]


SOUND_WORDS: Mapping[str, SoundWords] = {
    "Shouting": SoundWords("shouting", "喊叫声", "叫び声", ("shouting", "screaming", "喊", "叫び")),
    "Laughter": SoundWords("laughter", "笑声", "笑い声", ("laughter", "laughing", "笑")),
    "Baby cry": SoundWords("a baby crying", "婴儿的哭声", "赤ちゃんの泣き声", ("baby", "婴儿", "宝宝", "赤ちゃん")),
    "Crying": SoundWords("crying", "哭声", "泣き声", ("crying", "哭", "泣")),
    "Singing": SoundWords("singing", "唱歌声", "歌声", ("singing", "唱歌", "歌声")),
    "Cough": SoundWords("a cough", "咳嗽声", "咳", ("cough", "coughing", "咳")),
    "Sneeze": SoundWords("a sneeze", "打喷嚏的声音", "くしゃみ", ("sneeze", "sneezing", "喷嚏", "くしゃみ")),
    "Applause": SoundWords("applause", "掌声", "拍手", ("applause", "clapping", "掌", "拍手")),
    "Crowd": SoundWords("a crowd of people", "人群的声音", "人混みの音", ("crowd", "人群", "人混み")),
    "Dog": SoundWords("a dog", "狗叫声", "犬の鳴き声", ("dog", "barking", "狗", "犬")),
    "Cat": SoundWords("a cat", "猫叫声", "猫の鳴き声", ("cat", "猫")),
    "Bird": SoundWords("a bird", "鸟叫声", "鳥の鳴き声", ("bird", "鸟", "鳥")),
    "Animal": SoundWords("an animal", "动物的声音", "動物の声", ("animal", "动物", "動物")),
    "Music": SoundWords("music", "音乐", "音楽", ("music", "音乐", "音楽")),
    "Bell": SoundWords("a bell", "铃声", "鐘の音", ("bell", "doorbell", "钟", "门铃", "鐘", "チャイム")),
    "Telephone": SoundWords("a telephone", "电话铃声", "電話の音", ("telephone", "phone", "电话", "電話")),
    "Alarm": SoundWords("an alarm", "警报声", "警報", ("alarm", "警报", "闹钟", "警報", "アラーム")),
    "Wind": SoundWords("wind", "风声", "風の音", ("wind", "风", "風")),
    "Thunder": SoundWords("thunder", "雷声", "雷", ("thunder", "thunderstorm", "storm", "雷")),
    "Water": SoundWords("water or rain", "水声或雨声", "水か雨の音", ("water", "rain", "雨", "水")),
    "Vehicle": SoundWords("a vehicle", "车辆的声音", "車の音", ("car", "vehicle", "truck", "engine", "traffic", "车", "車")),
    "Car horn": SoundWords("a car horn", "汽车喇叭声", "クラクション", ("car horn", "horn", "honking", "喇叭", "クラクション")),
    "Siren": SoundWords("a siren", "警笛声", "サイレン", ("siren", "ambulance", "警笛", "救护车", "サイレン")),
    "Train": SoundWords("a train", "火车的声音", "電車の音", ("train", "火车", "電車")),
    "Aircraft": SoundWords("an aircraft", "飞机的声音", "飛行機の音", ("plane", "aircraft", "helicopter", "飞机", "飛行機")),
    "Door": SoundWords("a door or knocking", "敲门或关门声", "ドアの音", ("door", "knock", "knocking", "敲门", "门", "ドア")),
    "Typing": SoundWords("typing", "打字声", "キーボードの音", ("typing", "keyboard", "打字", "キーボード")),
    "Machine": SoundWords("a machine or tool", "机器的声音", "機械の音", ("machine", "drill", "vacuum", "机器", "機械")),
    "Explosion": SoundWords("a bang", "爆炸或鞭炮声", "爆発音", ("explosion", "gunshot", "fireworks", "爆炸", "鞭炮", "爆発")),
    "Glass": SoundWords("breaking glass", "玻璃声", "ガラスの音", ("glass", "玻璃", "ガラス")),
}  # fmt: skip
"""By the labels of ``sound_groups``."""
