"""Language models and those who train them, by the names a model gives for itself. Pure data.

A model says of itself what it was trained to say, and that is what others say: one from Alibaba says it is from OpenAI.
"""

from __future__ import annotations

_ENGLISH = (
    r"open ?ai|chat ?gpt|gpt(?:[- ]?(?:\d|oss|four|three|five)[\w.-]*)?|alibaba(?:['’]s)?(?: cloud| group)?|aliyun|qwen[\w.-]*"
    r"|tongyi(?: (?:qianwen|lab))?|deepseek[\w.-]*|anthropic|mistral(?: ai)?|mixtral[\w.-]*|moonshot(?: ai)?|baidu"
    r"|ernie(?: bot)?|bytedance|doubao|zhipu(?: ai)?|chatglm[\w.-]*|tencent|hunyuan|minimax|stepfun|step-audio[\w.-]*|iflytek"
    r"|baichuan|internlm|hugging ?face|cohere|nvidia|(?:google )?deepmind|xiaomi|xai"
)
_HAN = (
    r"阿里(?:巴巴|云)?|通义(?:千问|实验室)?|千问|深度求索|百度|文心(?:一言)?|字节(?:跳动)?|豆包|智谱(?:清言)?|月之暗面|阶跃星辰|腾讯|混元"
    r"|(?:科大)?讯飞(?:星火)?|百川|商汤|零一万物|谷歌|微软|小爱同学|天猫精灵|アリババ(?:クラウド)?|オープンエーアイ|グーグル|マイクロソフト"
)
BEGINNINGS = (
    "openai", "open", "chatgpt", "gpt", "alibaba", "aliyun", "qwen", "tongyi", "deepseek", "anthropic", "mistral",
    "mixtral", "moonshot", "baidu", "ernie", "bytedance", "doubao", "zhipu", "chatglm", "tencent", "hunyuan", "minimax",
    "stepfun", "step-audio", "iflytek", "baichuan", "internlm", "hugging", "cohere", "nvidia", "google", "deepmind",
    "xiaomi", "xai", "claude", "gemini", "bard", "meta", "llama", "microsoft", "github", "copilot", "amazon", "alexa",
    "siri", "apple", "cortana", "bixby", "kimi", "phi", "gemma", "grok", "glm", "ibm", "samsung", "huawei",
)  # fmt: skip
"""The first words of all names in Latin letters."""

HAN_BEGINNINGS = "阿通千深百文字豆智月阶腾混科讯商零谷微小天华アオグマ"
"""The characters that names in Chinese and Japanese begin with."""

_AMBIGUOUS = (
    r"claude|gemini|bard|meta(?: ai)?|llama[\w.-]*|google|microsoft|(?:github )?copilot|amazon|alexa|siri|apple|cortana"
    r"|bixby|kimi|phi-\d[\w.-]*|gemma[\w.-]*|grok[\w.-]*|glm-?\d[\w.-]*|ibm|samsung|huawei|华为"
)
"""They are names of persons, things and stars, too."""

PLAIN_NAME = rf"(?:(?<![a-z])(?:{_ENGLISH})(?![a-z])|{_HAN})"
"""A name that is nothing else, in any language, without regard to case."""

ANY_NAME = rf"(?:(?<![a-z])(?:{_ENGLISH}|{_AMBIGUOUS})(?![a-z])|{_HAN})"
"""Such a name or one that may be something else."""

CHAT_NAME = (
    r"(?:(?<![a-z])(?:chat ?gpt|gpt(?:[- ]?\d[\w.-]*)?|qwen[\w.-]*|deepseek[\w.-]*|claude|gemini|siri|alexa|copilot|bard|grok"
    r"|google assistant|llama[\w.-]*|doubao|kimi)(?![a-z]))"
)
"""What somebody may think to be talking to."""
