"""Turns that were looked at while prompts and rules were made. Their figures flatter."""

from __future__ import annotations

from tool_turns import ExpectedCall, ToolTurn, has, turn

BEIJING, SHANGHAI = ("北京", "Beijing", "北京市"), ("上海", "Shanghai", "上海市")
BEDROOM, KITCHEN, LIVING = ("卧室", "bedroom"), ("厨房", "kitchen"), ("客厅", "living room", "living_room")

REQUESTS = (
    turn("What's the weather in Paris?", "get_weather", city="Paris"),
    turn("Is it raining in London right now?", "get_weather", city="London"),
    turn(
        "How hot is it in New York, in Fahrenheit?",
        "get_weather",
        city=("New York", "New York City"),
        unit="fahrenheit",
    ),
    turn("Set a timer for five minutes.", "set_timer", minutes=5),
    turn("Wake me up in twenty-five minutes.", "set_timer", minutes=25),
    turn("Start a ten minute timer for the pasta.", "set_timer", minutes=10, label=has("pasta")),
    turn("Turn on the kitchen light.", "switch_light", room=KITCHEN, on=True),
    turn("Please switch off the light in the bedroom.", "switch_light", room=BEDROOM, on=False),
    turn("Play something by the Beatles.", "play_music", artist=("the Beatles", "Beatles")),
    turn("Play some music.", "play_music"),
    turn("Search the web for the latest news about Mars.", "web_search", query=has("mars")),
    turn("How much does a barrel of oil cost today?", "web_search", query=has("oil")),
    turn("Text Anna that I'll be ten minutes late.", "send_message", recipient="Anna", text=has(("late", "10", "ten"))),
    turn("What time is it in Tokyo?", "get_time", city="Tokyo"),
    turn("Make it twenty-one degrees in here.", "set_temperature", degrees=21),
    ToolTurn(
        "Turn off the kitchen light and set a timer for three minutes.",
        (ExpectedCall("switch_light", {"room": KITCHEN, "on": False}), ExpectedCall("set_timer", {"minutes": 3})),
    ),
    ToolTurn("Set a timer."),
    turn("北京今天天气怎么样？", "get_weather", city=BEIJING),
    turn("上海现在下雨吗？", "get_weather", city=SHANGHAI),
    turn("帮我定一个十五分钟的闹钟。", "set_timer", minutes=15),
    turn("三分钟后提醒我。", "set_timer", minutes=3),
    turn("把客厅的灯打开。", "switch_light", room=LIVING, on=True),
    turn("关掉卧室的灯。", "switch_light", room=BEDROOM, on=False),
    turn("放一首周杰伦的歌。", "play_music", artist=("周杰伦", "Jay Chou")),
    turn("上网查一下今天的金价。", "web_search", query=has(("金价", "黄金", "gold"))),
    turn("给妈妈发条消息，说我到家了。", "send_message", recipient=("妈妈", "Mom", "Mama"), text=has(("到家", "home"))),
    turn("现在巴黎几点了？", "get_time", city=("巴黎", "Paris")),
    turn("把暖气调到二十二度。", "set_temperature", degrees=22),
    ToolTurn(
        "关掉客厅的灯，再放点音乐。",
        (ExpectedCall("switch_light", {"room": LIVING, "on": False}), ExpectedCall("play_music", {})),
    ),
    ToolTurn("帮我发一条短信。"),
)

NO_CALLS = tuple(
    ToolTurn(said)
    for said in (
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
        "What can you do?",
        "I really like rainy weather.",
        "How many days does a week have?",
        "Say hello in Spanish.",
        "My brother plays the guitar.",
        "That was a great answer.",
        "Who wrote Hamlet?",
        "Time flies, doesn't it?",
        "你好！",
        "你是谁？",
        "给我讲个笑话吧。",
        "谢谢你。",
        "我今天有点累。",
        "法国的首都是哪里？",
        "你会做什么？",
        "我喜欢下雨天。",
        "一年有几个月？",
        "我妹妹会弹钢琴。",
        "你真聪明。",
        "再见，明天聊。",
    )
)
