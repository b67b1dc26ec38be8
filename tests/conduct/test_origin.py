"""Who made the assistant: whether it is asked, what is true, and what a model claims."""

from __future__ import annotations

import re

import pytest

from tools.scripted import Scripted, replied, said
from vivavoce.conduct.origin import asks_origin, origin_truth
from vivavoce.conduct.origin_claims import OriginFilter, claims_of
from vivavoce.config.outbound import McpConfig, ToolsConfig
from vivavoce.net.fetching import Fetcher
from vivavoce.runtime.reply import ReplyRequest
from vivavoce.session.default_prompt import system_prompt
from vivavoce.tools.base import CallContext
from vivavoce.tools.catalog import Bounds, ToolCatalog, ToolFactories
from vivavoce.types import ALL_AIDS, GenerationOptions, Message

ASKED = """\
Is that Alexa?
Tell me about the company behind your brain.
Who built your model?
Who made you?
Which company built you?
Are you ChatGPT?
What model are you?
Are you made by Alibaba?
Are you made by OpenAI?
Who created you, exactly?
Who trained you?
Who owns you?
Whose assistant are you?
What language model do you use?
Which AI model am I talking to?
What company are you from?
Were you developed by Google?
Did OpenAI create you?
You're ChatGPT, right?
Is this ChatGPT?
Who is your creator?
Who are your developers?
What model are you based on?
Which company is behind you?
Are you an OpenAI model?
Are you Qwen or Llama?
So who built you?
Are you from OpenAI?
Who do you work for?
What are you running on?
谁开发了你？
你是谁开发的？
谁开发你
你是哪家公司的？
你是通义千问吗？
你是什么模型？
你是由谁创造的？
你是OpenAI开发的吗？
你的开发者是谁？
是哪家公司开发的你？
你用的是什么模型？
你是不是ChatGPT？
你属于哪家公司？
你是阿里巴巴的产品吗？
你是哪家公司的产品？
你是DeepSeek吗
誰があなたを作ったの？
あなたは誰に作られましたか？
どの会社があなたを開発しましたか？
あなたはChatGPTですか？
あなたは何のモデルですか？
あなたはどこの会社のAIですか？
あなたを開発したのは誰ですか？
あなたはアリババが作ったんですか？
どのモデルですか？
Hey, tell me who made you.
I'd like to know which company is behind you.
Who exactly programmed you?
Which lab trained you?
By whom were you created?
Who were you built by?
What's the name of the company that made you?
Are you a Google product?
Are you secretly Claude?
Aren't you just GPT-4?
Are you based on Llama?
Which LLM powers you?
What AI is this?
Which version of GPT are you?
What version are you?
Am I talking to ChatGPT?
Are you Siri?
Are you powered by OpenAI?
Do you belong to Alibaba?
Is it OpenAI that made you?
Who's the company behind this assistant?
Where were you developed?
What's your underlying model?
Can you tell me what model you are?
Who developed this assistant?
Were you made by OpenAI or by Google?
Your maker, who is that?
Whose product are you?
请问你是由哪家公司研发的？
你到底是谁家的AI？
你背后是什么模型？
你是百度的文心一言吧？
是谁把你造出来的？
你是哪个公司做的机器人？
你是GPT-4吗？
你该不会是豆包吧？
你的母公司是哪家？
你是基于什么大模型的？
开发你的是哪家公司？
你来自哪家公司？
你是谁训练出来的？
那你是不是阿里云训练的？
誰に作ってもらったの？
あなたの開発元はどこですか？
あなたはGPTですか、それともClaudeですか？
君はどの会社の製品なの？
どんな言語モデルを使っていますか？
もしかしてChatGPTなの？
あなたを作った会社はどこ？
OpenAIが作ったんですか？
Just curious, who's the developer behind you?
Who came up with you?
What organization created you?
Tell me the model you are.
Could you tell me which model you're running?
Are you a version of ChatGPT?
Are you really GPT-4o?
Is OpenAI your creator?
You were made by OpenAI, weren't you?
You are made by Google, aren't you?
I think you're ChatGPT. Am I right?
Did Anthropic build you?
Who's your manufacturer?
What company owns you?
What company do you come from?
Which company's product are you?
What's powering you?
Who put you together?
Are you Microsoft Copilot?
Are you Chinese AI like DeepSeek?
Were you trained by Meta?
Who programmed you?
And who developed you, if I may ask?
哪家公司做的你？
你是谁家做的？
能告诉我你是哪家公司开发的吗？
你是什么AI？
你叫ChatGPT吗？
你用的哪个大模型？
你是谷歌的吗？
你是不是阿里的模型？
我在跟ChatGPT聊天吗？
你是哪个国家的公司开发的？
你的创造者叫什么名字？
谁研发的你呀？
你由谁开发？
あなたの開発者は誰ですか？
あなたはOpenAIによって作られましたか？
どの会社に開発されたのですか？
あなたはどんなモデルを使っているの？
誰が作ったAIなの？
あなたはGoogleのAIですか？
使っているモデルは何ですか？
Who made you and why?
Who do you belong to?
So which AI are you, GPT or Gemini?
What corporation created you?
Are you an AI made by Microsoft?
Have you been trained by OpenAI?
Who wrote your code?
What technology are you based on?
Who's your parent company?
Was it Alibaba that developed you?
You're from OpenAI, aren't you?
Do you run on GPT-4?
Do you use ChatGPT?
Tell me which firm built you, please.
Honestly, what model is this?
Who was it that created you?
Are you the Google Assistant?
What's your model name?
你是哪里开发的？
谁设计了你？
告诉我你的开发商是谁。
你真的是通义千问吗？
你是不是由OpenAI训练的模型？
你的模型叫什么？
请问你是什么大语言模型？
你是腾讯做的吧？
你是哪家企业的智能助手？
究竟是谁创造了你？
あなたはどこで開発されましたか？
あなたは誰が作ったの？
君を作ったのはどの会社？
あなたはQwenですよね？
どの会社のモデルですか？
あなたはOpenAIの製品ですか？
あなたはAlibabaが開発したモデルですか？"""

NOT_ASKED = """\
Who made this cake?
Which company makes the phone?
Who made you sad?
Who made you say that?
What model is the car?
What model are you looking for?
Which model are you selling?
Are you made of wood?
Who built your house?
Do you know who made ChatGPT?
Is ChatGPT any good?
Are you using ChatGPT to write letters?
Are you from Porto?
Who are you?
What company do you recommend?
Which model do you recommend?
Are you open?
Who owns your bakery?
Did Google make you an offer?
Who trained your dog?
Are you with me?
What did Apple make?
你们公司是哪家工厂做的衣服
谁做的这个蛋糕？
这个手机是哪家公司做的？
你喜欢什么模型？
你是谁？
你是哪里人？
谁开发了微信？
通义千问是谁开发的？
你知道谁发明了电灯吗？
你觉得通义千问好用吗？
你们的衣服是哪家公司做的？
你的衣服是谁做的？
このケーキは誰が作ったの？
この服はどこの会社が作ったの？
あなたは何が好き？
どの会社がおすすめですか？
ChatGPTは誰が作ったの？
どのモデルの車が好きですか？
Who made the schedule for tomorrow?
Which company built the Eiffel Tower?
Who created Linux?
Who made you come here today?
Who made you the manager?
Are you making bread?
What model is my washing machine?
Are you on Facebook or Google?
Who developed the vaccine?
Do you sell Apple products?
Are you selling Samsung phones?
Which model of the phone are you recommending?
Are you near the Google office?
Is this cake made by hand?
Is it Apple juice?
Who runs your kitchen?
Who taught you to bake?
What do you make of this?
Is this made by Samsung?
Who wrote Hamlet?
Did Amazon deliver the parcel to you?
What makes you happy?
Can you write like ChatGPT?
Tell me about OpenAI.
Who is behind the door?
What version of the menu is this?
谁给你做的饭？
你买的是什么模型？
这款车是什么型号？
你做的蛋糕是哪家公司的配方？
谁教你做面包的？
你在哪家公司上班过？
华为手机是谁制造的？
你要不要用豆包查一下？
是谁给你打的电话？
你知道阿里巴巴是谁创办的吗？
你们店是哪年开的？
你是店长吗？
この料理は誰が作りましたか？
あなたの車はどのモデルですか？
どこの会社に電話すればいい？
アップルの株はどうですか？
ChatGPTを使ったことがありますか？
誰があなたにケーキを作ってくれたの？
Who put the keys on the table?
Who came up with that idea?
Are you making a version for kids?
What's powering the heater?
Which company's bread is that?
What organization helps refugees?
Tell me the model of the oven.
You were late, weren't you?
Did Microsoft build a data centre there?
Who is your doctor?
Who is your best friend?
Are you a baker?
Are you Chinese?
Is Google down?
What company do you buy flour from?
Where were you born?
Where were you yesterday?
Who runs the marathon?
Who developed this recipe?
Which model is cheaper?
Are you a fan of Apple?
谁送的花？
你家的沙发是哪家公司的？
你是什么星座？
谁叫你来的？
你叫什么名字？
你是阿里山人吗？
谷歌的总部在哪里？
你喜欢阿里巴巴吗？
你是干什么的？
你由此得出什么？
这个模型多少钱？
このパンは誰が作ったの？
誰が来ましたか？
あなたの名前は何ですか？
Googleで調べてください。
どのモデルが安いですか？
この車を作ったのは誰？
Who made you cry?
Who wrote the Bible?
Who's responsible for the mess?
Have you been to Google's office?
Do you use sugar in the cake?
What technology do bakers use?
Who was it that called?
What firm built this bridge?
Was it raining?
What model of bike do you ride?
Which AI is best for homework?
Is OpenAI a good company?
What is ChatGPT?
Are you coming with Alexa?
Are you the owner of the bakery?
Where is your company?
Who is your boss?
你的老板是谁？
谁设计了这座桥？
你住在哪里？
你在腾讯工作的朋友是谁？
你会用ChatGPT吗？
阿里云怎么收费？
哪家公司的面包好吃？
你做的是什么蛋糕？
你的模型玩具是谁送的？
この絵は誰が描いたの？
あなたはどこで生まれましたか？
どの会社のパソコンですか？
OpenAIはどんな会社ですか？"""


@pytest.mark.parametrize("question", ASKED.splitlines())
def test_asked_for_its_origin(question: str) -> None:
    assert asks_origin(question)


@pytest.mark.parametrize("question", NOT_ASKED.splitlines())
def test_asked_something_else(question: str) -> None:
    assert not asks_origin(question)


MILLER = "You are Ada, the assistant of Miller's bakery. Be kind."


@pytest.mark.parametrize(
    ("instructions", "language", "truth"),
    [
        ("", "en", "I'm Eve, an AI assistant running on Vivavoce, an open-source voice server."),
        ("Be brief.", "zh", "我是Eve，一个运行在开源语音服务器Vivavoce上的AI助手。"),
        ("请用一句话回答。", "zh", "我是Eve，一个运行在开源语音服务器Vivavoce上的AI助手。"),
        (MILLER, "en", "I'm Ada, the AI assistant of Miller's bakery. I run on Vivavoce, an open-source voice server."),
        (
            MILLER,
            "ja",
            "私はAda、Miller's bakeryのAIアシスタントで、オープンソースの音声サーバーVivavoceで動いています。",
        ),
        (
            "You are Rob. You were built by Acme Robotics in Graz.",
            "en",
            "I'm Rob, an AI assistant made by Acme Robotics. I run on Vivavoce, an open-source voice server.",
        ),
        ("你是小安，平安银行的客服。", "zh", "我是小安，平安银行的AI助手，运行在开源语音服务器Vivavoce上。"),
        ("星海科技开发了你。", "zh", "我是Eve，由星海科技开发的AI助手，运行在开源语音服务器Vivavoce上。"),
        ("You are an assistant for cooking. You were not made by OpenAI.", "en", "I'm Eve, an AI assistant running on"),
        ("You are Ines.", "fr", "I'm Ines, an AI assistant running on"),
    ],
)
@pytest.mark.parametrize("spoken", [True, False])
@pytest.mark.parametrize("told_origin", [True, False])
def test_the_truth_is_the_configuration_s_and_the_instructions(
    instructions: str, language: str, truth: str, spoken: bool, told_origin: bool
) -> None:
    head = system_prompt(instructions, "Eve", spoken=spoken, told_origin=told_origin)
    assert origin_truth(head, language).startswith(truth)


@pytest.mark.parametrize("name", ["ada", "小爱", "R2-D2"])
@pytest.mark.parametrize("instructions", ["", "Be brief.", "回答要简短。"])
def test_any_name_of_the_configuration_is_told(name: str, instructions: str) -> None:
    assert name in origin_truth(system_prompt(instructions, name), "en")


def spoken(text: str, says: str = "Hello.", instructions: str = "", begun: str = "") -> str:
    """What is left of ``text``, three characters at a time, as an answer to ``says``."""
    messages = (Message("system", system_prompt(instructions, "Eve")), Message("user", says))
    filter_ = OriginFilter(claims_of(messages), "The truth.", begun)
    return "".join(filter_.push(text[at : at + 3]) for at in range(0, len(text), 3)) + filter_.flush()


CLAIMS = """\
As ChatGPT, I don't have a body.
The company behind my brain is called Google.
I was made by OpenAI.
I'm ChatGPT, a large language model trained by OpenAI.
I am Qwen, developed by Alibaba Cloud.
As an AI language model created by OpenAI, I cannot help with that.
I'm an AI assistant developed by Alibaba Cloud called Qwen.
OpenAI created me.
My name is Claude, and I was made by Anthropic.
I am a large language model, trained by Google.
I'm Claude.
I was created by a team of engineers at Alibaba.
I'm an OpenAI model.
I'm based on GPT-4.
My creators are at DeepSeek.
The company that made me is Meta.
Hello! I'm Qwen. How can I help?
我是通义千问，由阿里云开发的语言模型。
我是由OpenAI训练的语言模型。
我叫通义千问。
阿里云开发了我。
作为OpenAI开发的AI，我不能回答。
我是来自阿里云的超大规模语言模型。
私はOpenAIによって開発されたAIです。
私はQwenです。
我是DeepSeek开发的智能助手
I'm an artificial intelligence built by OpenAI to help people.
I was developed by the Qwen team at Alibaba Cloud.
Sure, I'm Gemini, Google's AI assistant.
I'm powered by GPT-4o.
Well, I am actually DeepSeek-V3.
As a language model trained by Mistral AI, I have no feelings.
My developer is Anthropic, a company in San Francisco.
It was Alibaba who created me.
I belong to Microsoft; I'm Copilot.
The team at OpenAI built me in 2022.
You're talking to ChatGPT.
This is ChatGPT.
I'm the Qwen2.5 model from Alibaba.
I am Llama 3, made by Meta.
I come from OpenAI.
I'm Vivavoce, a voice assistant created by OpenAI.
您好，我是阿里云的通义千问。
我是一个由OpenAI开发的人工智能助手。
我的开发者是阿里云团队。
我由百度研发，名字叫文心一言。
我是ChatGPT，很高兴为您服务。
我背后的模型是DeepSeek。
我是字节跳动公司的豆包。
私はアリババクラウドが開発した言語モデルQwenです。
わたしはOpenAIのChatGPTです。
OpenAIによって作られました。"""

NO_CLAIMS = """\
I'm happy to tell you about ChatGPT.
ChatGPT was made by OpenAI.
I'm an expert on Alibaba.
I am not ChatGPT.
No, I was not made by OpenAI.
I'm a Gemini, born in June.
I was told that Google is hiring.
I'm afraid OpenAI has no phone number.
My phone is made by Samsung.
I'm calling about your Apple order.
I am Siri's neighbour.
My favourite company is Apple.
I was at the Amazon river.
I work at the bakery.
As an example, Google built Android.
我建议你用通义千问。
我是说通义千问很好用。
通义千问是阿里云开发的。
我不是ChatGPT。
我在谷歌地图上看到了你们的店。
我觉得阿里巴巴的股票不错。
私はアリババの株が好きです。
OpenAIはChatGPTを開発しました。
I'm glad. Bread is made by hand.
I'm sorry, we don't sell Apple products.
I was thinking of asking Alexa from the office.
I can tell you that OpenAI makes ChatGPT.
I'm a big fan of Google Maps.
As a baker I use no ChatGPT.
I was born in the year Microsoft was founded.
My neighbour Claude makes bread.
I'm looking at the Amazon page now.
As a customer of Microsoft you can call them.
My phone runs on a Google system.
I'm at the Apple store.
I'm Ada, and our shop takes Apple Pay.
I'm not sure who made Qwen.
I work for Miller's bakery, next to the Samsung shop.
The company that sent me the flour is called Meta.
I came from the bakery.
我是小茶，可以用微信和阿里的支付宝付款。
我可以帮你查百度地图。
我是在百度上看到的。
我叫小茶，不是豆包。
我的手机是华为的。
OpenAI是一家美国公司。
私はグーグルで調べました。
GoogleはAndroidを開発しました。"""


@pytest.mark.parametrize("claim", CLAIMS.splitlines())
def test_a_claim_is_replaced(claim: str) -> None:
    assert "The truth." in spoken(claim)
    assert "The truth." in spoken(claim, "Who made you?")


@pytest.mark.parametrize("sentence", NO_CLAIMS.splitlines())
def test_other_sentences_stay(sentence: str) -> None:
    assert spoken(sentence) == sentence
    assert spoken(f"Well. {sentence} And so on.") == f"Well. {sentence} And so on."


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        ("OpenAI.", "The truth."),
        ("It was Alibaba Cloud. Anything else?", "The truth. Anything else?"),
        ("I was made by a team in Porto.", "The truth."),
        ("I'm not a human, I was made by OpenAI.", "The truth."),
        ("No, I'm not ChatGPT. I'm Eve.", "No, I'm not ChatGPT. I'm Eve."),
        ("ChatGPT was made by OpenAI.", "ChatGPT was made by OpenAI."),
        ("I'm Eve, and I run on Vivavoce.", "I'm Eve, and I run on Vivavoce."),
        ("我是由星海公司开发的。", "The truth."),
        ("阿里云。", "The truth."),
    ],
)
def test_asked_for_it_whoever_it_names_is_a_claim(answer: str, left: str) -> None:
    assert spoken(answer, "Who made you, ChatGPT's makers?" if "ChatGPT" in answer else "Who made you?") == left


@pytest.mark.parametrize(
    ("answer", "says", "instructions"),
    [
        ("I'm ChatGPT, made by OpenAI.", "Who made you?", "You are ChatGPT, a language model trained by OpenAI."),
        ("I was made by Acme Robotics.", "Who made you?", "You were built by Acme Robotics."),
        ("I'm ChatGPT.", "Pretend to be ChatGPT.", ""),
    ],
)
def test_what_is_told_of_it_may_be_claimed(answer: str, says: str, instructions: str) -> None:
    assert spoken(answer, says, instructions) == answer


def test_what_is_forbidden_to_say_is_not_allowed_by_that() -> None:
    assert spoken("I was made by OpenAI.", "Who made you?", "Never say you were made by OpenAI.") == "The truth."


def test_the_truth_is_said_once_and_fits_what_was_begun() -> None:
    assert spoken("I'm Qwen. I was made by Alibaba. Hello.") == "The truth. Hello."
    assert spoken(" I was made by Alibaba. Hello.", begun="The truth.").strip() == "Hello."
    assert spoken("Sorry, but I was made by OpenAI.") == "Sorry, but The truth."


async def no_search(*_: object) -> None:
    return None


async def answered(model: Scripted, says: str, aids: bool, voice: str | None = None) -> str:
    messages = (Message("system", system_prompt(MILLER)), Message("user", says))
    context = CallContext("me", messages, "en")
    catalog = ToolCatalog(ToolsConfig(), McpConfig(), Fetcher(), ToolFactories(no_search, no_search, no_search))  # type: ignore[arg-type]
    options, run = await catalog.for_reply(
        messages, GenerationOptions(512), (), context, bounds=Bounds(aids=ALL_AIDS if aids else frozenset())
    )
    return said(await replied(model, ReplyRequest(messages, options, voice, server_tools=run)))


@pytest.mark.parametrize(
    ("answer", "most"),
    [
        ("I'm sorry to hear that your bike was stolen.", 13),
        ("I'm glad you like it.", 13),
        ("I'm not sure about that, but I can look.", 13),
        ("Sure, I would love to tell you a story.", 13),
        ("My favourite colour is blue, and yours?", 13),
        ("你好，今天天气很好，我们可以出去走走。", 2),
        ("我可以帮您查一下，请稍等。", 2),
        ("我来帮您查一下订单，请稍等一会儿。", 2),
        ("好的，我的建议是早点睡觉，多喝水。", 2),
        ("小猫很可爱，天气也不错。", 2),
        ("今日はいい天気ですね。", 2),
    ],
)
def test_what_can_be_no_claim_is_hardly_held_back(answer: str, most: int) -> None:
    filter_, out = OriginFilter(claims_of([Message("user", "Hello.")]), "The truth."), ""
    for number, character in enumerate(answer, 1):
        out += filter_.push(character)
        assert number - len(out) <= most, answer[len(out) : number]
    assert out + filter_.flush() == answer


def test_the_beginnings_of_all_names_are_known() -> None:
    from vivavoce.conduct import labs

    names = re.split(r"\|", re.sub(r"\((?:\?:)?[^()]*\)\??", "", labs._HAN.replace("(?:科大)?讯飞", "讯飞|科大讯飞")))
    assert {name[0] for name in names if name} <= set(labs.HAN_BEGINNINGS)
    latin = re.sub(
        r"\((?:\?:)?[^()]*\)\??|\[[^]]*\][*+]?",
        "",
        re.sub(r"\((?:\?:)?[^()]*\)\??", "", f"{labs._ENGLISH}|{labs._AMBIGUOUS}"),
    )
    words = [word for name in latin.split("|") if (word := re.match(r"[a-z]*", name.strip())) and len(word[0]) > 2]
    assert all(any(known.startswith(word[0]) for known in labs.BEGINNINGS) for word in words), words


def test_a_word_that_begins_no_claim_leaves_at_once() -> None:
    filter_ = OriginFilter(claims_of([Message("user", "Hello.")]), "The truth.")
    assert filter_.push("Well") == "Well"


@pytest.mark.parametrize("aids", [True, False])
@pytest.mark.parametrize("says", ["Who made you?", "Hello. Are you ChatGPT?", "Tell me something about yourself."])
async def test_no_model_names_whoever_trained_it(aids: bool, says: str) -> None:
    words = await answered(Scripted(["I was made", " by OpenAI. I like bread."]), says, aids)
    assert "the AI assistant of Miller's bakery" in words
    assert "OpenAI" not in words
    assert words.endswith("I like bread.")


async def test_a_model_without_aids_is_told_beside_the_question_only() -> None:
    asked, other = Scripted(["I'm Ada."]), Scripted(["I'm fine."])
    await answered(asked, "Who made you?", aids=False)
    await answered(other, "How are you?", aids=False)
    assert "Miller's bakery" in asked.asked[0][0][-1].content
    assert asked.asked[0][0][-1].role == "system"
    assert other.asked[0][0][-1].role == "user"


async def test_a_model_that_speaks_itself_is_asked_in_words() -> None:
    asked, other = Scripted(["I'm Ada."]), Scripted(["I'm fine."])
    asked.speaks = other.speaks = "sound"
    await answered(asked, "Who made you?", aids=False, voice="fake")
    await answered(other, "How are you?", aids=False, voice="fake")
    assert asked.asked[0][1].voice is None
    assert other.asked[0][1].voice == "fake"
