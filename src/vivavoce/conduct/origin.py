"""Who made the assistant, which model it is and whose: whether that is asked, and the truth of it. Pure.

A language model answers with whoever trained it, or trained another one. What is true is what the configuration and the
instructions say: its name, whose assistant it is, and the server it runs on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from vivavoce.conduct.labs import ANY_NAME, CHAT_NAME
from vivavoce.session.default_prompt import NAME, assistant_name
from vivavoce.text.instruction_maker import Maker, maker_in
from vivavoce.types import Language

_END = (
    r"(?=\W*$|[,.?!;]|\s+(?:and|or|then|exactly|actually|really|originally|anyway|guys?|for|in the first place|if i may"
    r"|by the way)\b)"
)
_MADE = (
    r"(?:made|created|built|developed|trained|designed|programmed|invented|engineered|produced|coded|wrote|released|published"
    r"|manufactured|founded|launched)"
)
_MAKE = (
    r"(?:make|create|build|develop|train|design|program|invent|engineer|produce|code|write|release|publish|manufacture)"
)
_KEEPS = r"(?:owns|runs|operates|makes|builds|develops|trains|provides|powers|maintains|hosts)"
_YOU = (
    r"(?:your (?:brain|mind|intelligence|technology|model|software|code|ai)|you"
    r"|this (?:ai|a\.i\.|assistant|voice assistant|chat ?bot|bot|model|language model))"
)
_WHO = (
    r"(?:who(?:['’]s| is| are| has| was| were| actually| really| exactly| even| originally)*|which|what|whose)"
    r"(?: (?:company|companies|firm|lab|laboratory|team|people|person|organi[sz]ation|corporation|business|developers?|startup"
    r"|tech company|ai company|ai lab|country))?"
)
_THING = r"(?:ai |a\.i\.,? |large |language |llm |speech |voice |base |underlying |chat |gpt |exact |(?:kind|sort|type) of )*"
_ENGLISH = re.compile(
    rf"\b{_WHO} (?:that |who |actually |really |originally |first |it (?:was|is) (?:that |who )?)*(?:{_MADE}"
    rf"|{_KEEPS}) {_YOU}{_END}"
    rf"|\b(?:{_WHO}|what)\b[^.?!,]{{0,30}} behind {_YOU}{_END}"
    rf"|\bwho (?:first |originally )?(?:came up with you|(?:put|thought|dreamt|dreamed|cooked|knocked|set) you (?:together|up)"
    rf"|brought you (?:to life|into being|into the world)){_END}"
    rf"|\bwhat(?:['’]s| is)? (?:powers|powering|driving|drives|runs|running) {_YOU}{_END}"
    rf"|\b(?:is|was|isn['’]t|wasn['’]t) {ANY_NAME}(?: {ANY_NAME})* (?:really |actually )?your (?:\w+ )?(?:creator|maker"
    rf"|developer|owner"
    rf"|manufacturer|company|parent|provider|model){_END}"
    rf"|\bi(?:['’]m| am)? (?:think|believe|guess|bet|suppose|heard|hear|read|sure|pretty sure)(?: that)? you(?:['’]re"
    rf"| are| were) "
    rf"(?:really |actually |just |an? |the |(?:{_MADE} )by |from |{_MADE} )*{ANY_NAME}"
    rf"|\b{_WHO} (?:were|are|was|is) {_YOU} (?:actually |really |originally )*{_MADE}(?: by\b|{_END})"
    rf"|\b(?:where|when|how|why) (?:were|was|are) {_YOU} (?:actually |really |originally )*{_MADE}{_END}"
    rf"|\b(?:by )?(?:whom|who) (?:were|was|are) {_YOU} {_MADE}"
    rf"|\b(?:which|what) (?:\w+ )?(?:company|firm|lab|organi[sz]ation) (?:do|are) you "
    rf"(?:belong to|come from|from|with|part of|owned by|{_MADE} by){_END}"
    rf"|\b(?:who|what company|which company) do you (?:work for|belong to){_END}"
    rf"|\b(?:whose|(?:which|what) (?:\w+ )?(?:company|firm|lab)['’]?s) (?:{_THING}|\w+ )?(?:product|assistant|bot|chatbot"
    rf"|model|creation|ai|program) (?:are you|is this){_END}"
    rf"|\b(?:what|which) {_THING}(?:model|version|llm|ai|gpt|system|engine|software)(?: (?:of \w+|name|number|exactly"
    rf"|actually))* "
    rf"(?:are {_YOU}(?: (?:based|running|built|trained)(?: on)?| using)?|is (?:this|that|it|behind {_YOU}|powering {_YOU}"
    rf"|answering(?: me)?|under the hood)|(?:do|does) {_YOU} (?:use|run on|run|rely on)|(?:powers|drives|runs) {_YOU}"
    rf"|am i (?:talking|speaking|chatting) (?:to|with)){_END}"
    rf"|\bwhat (?:are you (?:running|based|built|trained) on|do you run on){_END}"
    rf"|\b(?:who|what)(?:['’]s| is| are) your (?:\w+ )?(?:creators?|makers?|developers?|manufacturer|parent company|inventors?"
    rf"|provider|vendor|underlying model|base model|model(?: name| number| version)?|version|programmers?){_END}"
    rf"|\b(?:compan(?:y|ies)|firm|lab|laboratory|people|person|team|one|ones|organi[sz]ation|{ANY_NAME})"
    rf" (?:that|who|which|is|are)?(?: (?:has|have|first|actually|is|are))* ?(?:{_MADE}|{_KEEPS}|behind) {_YOU}{_END}"
    rf"|\b(?:what|which|the) {_THING}(?:model|version|llm|ai|system)(?: that)? you(?:['’]re| are| use| run on"
    rf"| were)(?: (?:based|built|trained|using|running)(?: on)?)?"
    rf"{_END}"
    rf"|\bwho (?:you were {_MADE} by|you (?:belong to|work for)){_END}"
    rf"|^\W*your (?:maker|creator|developer|manufacturer|company)s?\b[^?]*\b(?:who|which)\b"
    rf"|\b(?:is|isn['’]t) (?:this|it|that) (?:really |actually |just |not |basically |simply |secretly |even )*{CHAT_NAME}"
    rf"(?: (?:i['’]m|i am|that i['’]m) (?:talking|speaking) (?:to|with))?{_END}"
    rf"|\b(?:are|were|aren['’]t|weren['’]t|is|isn['’]t|have|has) {_YOU} (?:been |really |actually |just |perhaps |maybe "
    rf"|not |by any chance "
    rf"|basically |simply |secretly |even |in fact |the same as |running (?:on )?|using |powered by |based on |built on "
    rf"|owned by "
    rf"|from |run by |(?:an?|the|some) (?:\w+ )?(?:version|kind|variant|wrapper|clone) (?:of|for|around) |{_MADE} by "
    rf"|{_MADE} (?:at|on) |an? |the |called |named |(?:ai |assistant |model |chat ?bot |bot |language |thing |program "
    rf"|voice |something )"
    rf"|(?:\w+ ){{0,3}}like )*{ANY_NAME}(?: {ANY_NAME})*(?:['’]s)?"
    rf"(?: (?:model|ai|assistant|bot|product|chatbot|in disguise|or\b[^?]*|now|too|then))*{_END}"
    rf"|\b(?:so |but |and |then |come on,? |admit it,? )*you(?:['’]re| are| were) (?:really |actually |just |not "
    rf"|(?:{_MADE} )?by |from "
    rf"|an? |{_MADE} )*{ANY_NAME}(?: (?:model|assistant|ai))?,? (?:right|aren['’]t you|weren['’]t you|are you|correct|yes"
    rf"|no|huh|isn['’]t it)\b"
    rf"|\bdid {ANY_NAME}(?: \w+)? {_MAKE} {_YOU}{_END}"
    rf"|\bdo(?:es)? {_YOU} (?:belong to|come from|work for|run on|use|rely on) (?:a |the )?{ANY_NAME}{_END}"
    rf"|\bwho (?:wrote|writes) (?:your code|the code behind {_YOU}){_END}|\bwho (?:was|is) it that {_MADE} {_YOU}{_END}"
    rf"|\b(?:what|which) (?:ai |language )?(?:technology|tech|software|model) (?:are|is) {_YOU} (?:based|built"
    rf"|running) on{_END}"
    rf"|\b(?:am i|i['’]m|i am) (?:really |actually )?(?:talking|speaking|chatting) (?:to|with) {ANY_NAME}",
    re.IGNORECASE,
)
_HAN_MADE = r"(?:开发|研发|创造|创建|制造|训练|设计|做|造|发明|编写|写|打造|推出|生产|弄|培训|调教)"
_HAN_END = r"(?:呢|啊|呀|吗|么|嘛|吧|的)*(?=\W*$|[，,。？?！!；;]|还是)"
_HAN_OWNED = r"(?:产品|模型|大模型|智能助手|助手|语音助手|机器人|AI|人工智能|东西|系统)?"
_FIRM = r"(?:(?:哪|什么|哪一|哪个|何)(?:家|个|些)?(?:国家的)?(?:公司|厂家|厂商|企业|团队|机构|实验室|组织|国家)|哪家|哪里|哪儿)"
_CHINESE = re.compile(
    rf"(?:谁家?|什么人|哪些人|{_FIRM}){_HAN_MADE}(?:了|出来的|出来|出了|出|过|的)?你(?!们|的){_HAN_END}"
    rf"|(?:谁家?|什么人|哪些人|{_FIRM})把你{_HAN_MADE}"
    rf"|你(?!们)(?:到底|究竟|其实|又|是不是)*(?:是|被|由)+(?:谁家?|什么人|哪些人|{_FIRM})(?:给)?(?:{_HAN_MADE}(?:出来"
    rf"|出)?(?:的)?|的)"
    rf"{_HAN_OWNED}{_HAN_END}"
    rf"|你(?!们)(?:到底|究竟|其实|又)*(?:是|被|由)+{_FIRM}{_HAN_OWNED}{_HAN_END}"
    rf"|你(?!们)(?:到底|究竟)?(?:属于|来自|出自|隶属于?)(?:于)?(?:谁|{_FIRM})"
    rf"|你(?!们)的?(?:开发者|开发商|开发团队|创造者|创作者|制造商|厂商|母公司|研发团队|作者|主人)(?:到底)?(?:是|叫)"
    rf"|你(?!们)(?:到底|究竟|现在)?(?:是|用的是|用的|使用的是|是?基于|跑的是|运行的是|背后是|底层是|底层用的是)(?:一个)?"
    rf"(?:什么|哪个|哪种|哪一个|哪家的|哪款|谁家的|啥)(?:大|语言|大语言|AI|底层|版本的|样的)*(?:模型|版本|AI|大脑"
    rf"|引擎){_HAN_END}"
    rf"|你(?!们)(?:的)?(?:背后|底层|后面|里面)[^。？?]{{0,4}}(?:什么|哪个|哪家|谁)"
    rf"|(?:^|[，,。？?！!；;\s是把])(?:最初|当初)?{_HAN_MADE}(?:了|出)?你的(?:人|公司|团队|机构|企业)?(?:到底|究竟)?(?:是|叫)"
    rf"|你(?!们)的(?:模型|型号|版本)(?:名称|名字)?(?:是什么|是哪|叫什么|呢)"
    rf"|(?:你(?!们)|这|这个|现在和我说话的)(?:难道|真的|真|其实|到底|不会|该不会|是不是|不是|就是|应该)*(?:就)?(?:是|叫"
    rf"|由|被|来自|属于|用的是)+[^。？?，]{{0,3}}{ANY_NAME}"
    rf"(?:公司|旗下)?(?:{_HAN_MADE}(?:出来|出)?)?(?:的)?{_HAN_OWNED}(?:吗|么|吧|对吗|对吧|是吗|是吧|还是|没错吧|[?？]"
    rf"|，(?:对|是)(?:吗|吧|不对))"
    rf"|{ANY_NAME}(?:公司)?{_HAN_MADE}(?:了|的)你(?:吗|么|吧|[?？])"
    rf"|我(?:是不是)?在(?:跟|和|同){ANY_NAME}(?:说话|聊天|对话|讲话)",
    re.IGNORECASE,
)
_KANA_MADE = r"(?:作|造|創|製作|製造|開発|訓練|設計|トレーニング|プログラム|学習|運営|提供)"
_KANA_WHO = (
    r"(?:誰|だれ|どなた|どこ|どちら|どの会社|どこの会社|何という会社|どの企業|どこの企業|どんな会社|どのメーカー)"
)
_KANA_YOU = r"(?:あなた|きみ|君|お前|そちら|このAI|このアシスタント|貴方)"
_JAPANESE = re.compile(
    rf"{_KANA_WHO}(?:の(?:会社|人|チーム))?(?:が|は){_KANA_YOU}を{_KANA_MADE}"
    rf"|{_KANA_YOU}を{_KANA_MADE}[^。？?、]{{0,8}}(?:のは|会社は|人は|企業は|方は)"
    rf"|{_KANA_YOU}(?:は|って)?、?(?:一体|本当は|いったい)?、?{_KANA_WHO}(?:に|によって|が|の(?:会社|人|チーム)(?:に|が)"
    rf"|で){_KANA_MADE}"
    rf"|(?:^|[。、！？!?\s]){_KANA_WHO}(?:に|によって)(?:作|造|創|開発|訓練|設計)(?:られ|さ)"
    rf"|{_KANA_YOU}(?:は|って)、?{_KANA_WHO}(?:の)(?:会社|AI|製品|モデル|アシスタント|もの)?(?:の(?:AI|製品|モデル"
    rf"|アシスタント))?"
    rf"(?:です|なの|なん|か|だ|\?|？|$)"
    rf"|{_KANA_YOU}の(?:開発者|開発元|製造元|作者|制作者|開発会社|メーカー|親会社|提供元|モデル名|モデル|バージョン)は"
    rf"|(?:{_KANA_YOU}(?:は|って)、?)(?:何|なん|どの|どんな|どこの|何という)(?:の)?(?:言語|大規模言語|AI|基盤)*モデル"
    rf"|(?:^|[。、！？!?\s])(?:何|どの|どんな|何という)(?:の)?(?:言語|大規模言語|AI)*モデル(?:ですか|で動いて|なんですか"
    rf"|なのですか|を使っ)"
    rf"|(?:^|[。、！？!?\s])(?:どこ|どの会社|何という会社|誰)の(?:会社の)?(?:AI|モデル|アシスタント)(?:です|なの|なん|か|\?|？)"
    rf"|(?:誰|だれ|どこ|どの会社)が(?:作|開発し)(?:った|た)(?:AI|アシスタント|モデル)(?:なの|です|なん|か|\?|？)"
    rf"|使って(?:い)?る(?:言語|AI)*モデルは(?:何|なん|どれ|どの)"
    rf"|(?:誰|だれ|どこ|どの会社)(?:に|で)(?:作って|開発して)もらっ"
    rf"|(?:{_KANA_YOU}(?:は|って)|これは|もしかして|ひょっとして)、?(?:本当は|もしかして|実は|やっぱり)?、?{ANY_NAME}"
    rf"(?:に|が|の|製|社)?(?:{_KANA_MADE}[^。？?]{{0,8}})?(?:製品|モデル|AI|アシスタント)?(?:です|なん|なの|か|でしょ"
    rf"|だよね|\?|？)"
    rf"|{ANY_NAME}(?:が|に|によって){_KANA_YOU}?を?{_KANA_MADE}[^。？?]{{0,6}}(?:たの|たんです|ましたか|れたの|れたんで"
    rf"|れましたか)",
    re.IGNORECASE,
)

MOST_CHARACTERS = 300
"""Of what was said last, that are looked at: nobody asks it in more words."""

_TRUTH: Mapping[Language, str] = {
    "en": "{being}, an AI assistant running on Vivavoce, an open-source voice server.",
    "zh": "{being}，一个运行在开源语音服务器Vivavoce上的AI助手。",
    "ja": "{being}オープンソースの音声サーバーVivavoceで動いているAIアシスタントです。",
}
_TRUTH_OF: Mapping[Language, str] = {
    "en": "{being}, the AI assistant of {who}. I run on Vivavoce, an open-source voice server.",
    "zh": "{being}，{who}的AI助手，运行在开源语音服务器Vivavoce上。",
    "ja": "{being}{who}のAIアシスタントで、オープンソースの音声サーバーVivavoceで動いています。",
}
_TRUTH_BY: Mapping[Language, str] = {
    "en": "{being}, an AI assistant made by {who}. I run on Vivavoce, an open-source voice server.",
    "zh": "{being}，由{who}开发的AI助手，运行在开源语音服务器Vivavoce上。",
    "ja": "{being}{who}が開発したAIアシスタントで、オープンソースの音声サーバーVivavoceで動いています。",
}
_BEING: Mapping[Language, str] = {"en": "I'm {name}", "zh": "我是{name}", "ja": "私は{name}、"}

_NOTE: Mapping[Language, str] = {
    "en": 'They ask who made you or which model you are. What is true: "{truth}" Name no other company and no other model.',
    "zh": "用户在问你是谁开发的、是什么模型。事实是：“{truth}”不要说出别的公司或模型。",
    "ja": "ユーザーは、誰があなたを作ったか、どのモデルかを尋ねています。事実は「{truth}」です。"
    "ほかの会社やモデルの名前は言わないでください。",
}


def asks_origin(text: str) -> bool:
    """Whether ``text`` asks the assistant who made it, whose it is, or which model."""
    return any(pattern.search(text[-MOST_CHARACTERS:]) for pattern in (_ENGLISH, _CHINESE, _JAPANESE))


def origin_truth(system_text: str, language: Language) -> str:
    """Who the assistant of this system message is, and whose, in whole sentences; English where there are no words for
    ``language``. What the instructions claim of it goes first."""
    language = language if language in _TRUTH else "en"
    maker = maker_in(system_text)
    being = _BEING[language].format(name=assistant_name(system_text) or NAME)
    return _of(maker)[language].format(being=being, who=maker.who if maker else "")


def origin_note(system_text: str, language: Language) -> str:
    """What a model that answers in its own words is told beside such a question."""
    return _NOTE.get(language, _NOTE["en"]).format(truth=origin_truth(system_text, language))


def _of(maker: Maker | None) -> Mapping[Language, str]:
    if maker is None:
        return _TRUTH
    return _TRUTH_BY if maker.made else _TRUTH_OF
