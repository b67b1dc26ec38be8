"""Turns that nothing was tuned with: their figures count. Do not look at them one by one while changing prompts or rules."""

from __future__ import annotations

from tool_turns import ExpectedCall, ToolTurn, has, turn

OFFICE, BATH, NURSERY = ("书房", "study", "office"), ("浴室", "bathroom", "卫生间"), ("儿童房", "nursery")

REQUESTS = (
    turn("Do I need an umbrella in Berlin?", "get_weather", city="Berlin"),
    turn("How cold is it in Oslo at the moment?", "get_weather", city="Oslo"),
    turn("Tell me the weather for Rome in Celsius.", "get_weather", city="Rome", unit="celsius"),
    turn("Count down forty-five minutes for me.", "set_timer", minutes=45),
    turn("Remind me in half an hour.", "set_timer", minutes=30),
    turn("I need a twelve minute timer called eggs.", "set_timer", minutes=12, label=has("egg")),
    turn("It's too dark in the hallway, lights please.", "switch_light", room=("hallway", "hall"), on=True),
    turn("Can you turn the bathroom light off?", "switch_light", room=BATH, on=False),
    turn("Put on some Mozart.", "play_music", artist=("Mozart", "Wolfgang Amadeus Mozart")),
    turn("I'd like to hear a song by Adele.", "play_music", artist="Adele"),
    turn("Look up who won the football match last night.", "web_search", query=has(("football", "match", "won"))),
    turn("What's the latest on the train strike?", "web_search", query=has("strike")),
    turn(
        "Send Peter a message saying the meeting is at four.",
        "send_message",
        recipient="Peter",
        text=has("meeting", ("four", "4")),
    ),
    turn("Let Maria know that dinner is ready.", "send_message", recipient="Maria", text=has("dinner")),
    turn("What's the local time in Sydney?", "get_time", city="Sydney"),
    turn("Set the heating to nineteen and a half degrees.", "set_temperature", degrees=19.5),
    ToolTurn(
        "What's the weather in Madrid, and what time is it there?",
        (ExpectedCall("get_weather", {"city": "Madrid"}), ExpectedCall("get_time", {"city": "Madrid"})),
    ),
    ToolTurn("Send a message to John."),
    turn("广州今天热不热？", "get_weather", city=("广州", "Guangzhou", "广州市")),
    turn("去成都要带伞吗？帮我看看天气。", "get_weather", city=("成都", "Chengdu", "成都市")),
    turn("倒计时四十分钟。", "set_timer", minutes=40),
    turn("一刻钟以后叫我。", "set_timer", minutes=15),
    turn("书房的灯帮我开一下。", "switch_light", room=OFFICE, on=True),
    turn("儿童房太亮了，把灯关了吧。", "switch_light", room=NURSERY, on=False),
    turn("我想听邓丽君。", "play_music", artist=("邓丽君", "Teresa Teng")),
    turn("来点音乐吧。", "play_music"),
    turn("搜一下最近的油价。", "web_search", query=has(("油价", "汽油", "oil", "gas"))),
    turn("帮我查查明天的球赛几点开始。", "web_search", query=has(("球赛", "比赛", "match", "game"))),
    turn("告诉老王会议改到三点了。", "send_message", recipient=("老王", "Lao Wang"), text=has(("三点", "3点", "3"))),
    turn("纽约现在是几点？", "get_time", city=("纽约", "New York")),
    turn("家里太冷了，调到二十四度。", "set_temperature", degrees=24),
    ToolTurn(
        "把浴室的灯打开，然后定个二十分钟的计时器。",
        (ExpectedCall("switch_light", {"room": BATH, "on": True}), ExpectedCall("set_timer", {"minutes": 20})),
    ),
    ToolTurn("给小李发个消息。"),
)

NO_CALLS = tuple(
    ToolTurn(said)
    for said in (
        "Good morning!",
        "I'm so happy today.",
        "What does the word serendipity mean?",
        "How do you make pancakes?",
        "Are you a real person?",
        "What's your favourite colour?",
        "How far is the moon from the earth?",
        "I used to live in Paris.",
        "My phone battery is almost empty.",
        "Music was better in the eighties, I think.",
        "Who painted the Mona Lisa?",
        "Tell me a short story about a cat.",
        "You don't need to do anything, thanks.",
        "It was so cold yesterday.",
        "What is seven times eight?",
        "I got a message from my sister this morning.",
        "Good night.",
        "Can you repeat that?",
        "早上好！",
        "你喜欢什么颜色？",
        "我昨天去了北京。",
        "怎么做番茄炒蛋？",
        "月亮离地球有多远？",
        "蒙娜丽莎是谁画的？",
        "我今天很开心。",
        "你是真人吗？",
        "昨天真冷啊。",
        "讲一个小猫的故事。",
        "不用了，谢谢。",
        "晚安。",
    )
)
