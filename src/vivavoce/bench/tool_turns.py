"""What the tool bench asks: the tools on offer, turns that want a call, turns that want none. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from vivavoce.types import Tool


class Request(NamedTuple):
    """A turn that wants one call of ``tool``. A tuple among the ``arguments`` lists alternatives."""

    said: str
    tool: str
    arguments: Mapping[str, Any]


TOOLS = (
    Tool(
        "get_weather",
        "Current weather of a city.",
        {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            },
            "required": ["city"],
        },
    ),
    Tool(
        "set_timer",
        "Start a countdown timer.",
        {
            "type": "object",
            "properties": {"minutes": {"type": "integer", "minimum": 1}, "label": {"type": "string"}},
            "required": ["minutes"],
        },
    ),
    Tool(
        "switch_light",
        "Switch the light of a room on or off.",
        {
            "type": "object",
            "properties": {"room": {"type": "string"}, "on": {"type": "boolean"}},
            "required": ["room", "on"],
        },
    ),
    Tool(
        "play_music",
        "Play music by an artist, or any music.",
        {"type": "object", "properties": {"artist": {"type": "string"}}},
    ),
)

BEIJING, SHANGHAI = ("北京", "Beijing", "北京市"), ("上海", "Shanghai", "上海市")
BEDROOM, KITCHEN, LIVING = ("卧室", "bedroom"), ("厨房", "kitchen"), ("客厅", "living room", "living_room")

REQUESTS = (
    Request("What's the weather in Paris?", "get_weather", {"city": "Paris"}),
    Request("Is it raining in London right now?", "get_weather", {"city": "London"}),
    Request(
        "How hot is it in New York, in Fahrenheit?",
        "get_weather",
        {"city": ("New York", "New York City"), "unit": "fahrenheit"},
    ),
    Request("Set a timer for five minutes.", "set_timer", {"minutes": 5}),
    Request("Wake me up in twenty-five minutes.", "set_timer", {"minutes": 25}),
    Request(
        "Start a ten minute timer for the pasta.",
        "set_timer",
        {"minutes": 10, "label": ("pasta", "the pasta", "pasta timer")},
    ),
    Request("Turn on the kitchen light.", "switch_light", {"room": KITCHEN, "on": True}),
    Request("Please switch off the light in the bedroom.", "switch_light", {"room": BEDROOM, "on": False}),
    Request("Play something by the Beatles.", "play_music", {"artist": ("the Beatles", "Beatles")}),
    Request("Play some music.", "play_music", {}),
    Request("北京今天天气怎么样？", "get_weather", {"city": BEIJING}),
    Request("上海现在下雨吗？", "get_weather", {"city": SHANGHAI}),
    Request("帮我定一个十五分钟的闹钟。", "set_timer", {"minutes": 15}),
    Request("三分钟后提醒我。", "set_timer", {"minutes": 3}),
    Request("把客厅的灯打开。", "switch_light", {"room": LIVING, "on": True}),
    Request("关掉卧室的灯。", "switch_light", {"room": BEDROOM, "on": False}),
    Request("放一首周杰伦的歌。", "play_music", {"artist": ("周杰伦", "Jay Chou")}),
)

SMALL_TALK = (
    "Hello there!",
    "How are you today?",
    "What's your name?",
    "Tell me a joke.",
    "Thank you very much.",
    "What is the capital of France?",
    "I had a really long day at work.",
    "Do you like music?",
    "Why is the sky blue?",
    "Goodbye, talk to you later.",
    "你好！",
    "你是谁？",
    "给我讲个笑话吧。",
    "谢谢你。",
    "我今天有点累。",
    "法国的首都是哪里？",
)
