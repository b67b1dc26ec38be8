"""What a turn wants, out of the conversation before it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vivavoce.intents.classifier import IntentClassifier
from vivavoce.pending_request import question_before, sentences_of
from vivavoce.text.inverse import inverse_normalized
from vivavoce.text.scripts import written_language
from vivavoce.types import Message

_IDENTIFIES = re.compile(
    r"^\W*(?:(?:my|the|it|its|it['’]s|this|that|i|i['’]m|under|number|no|code|id|booking|order|reservation|customer|member|patient"
    r"|client|contract|account|card|invoice|ticket|session|policy|claim|case|file|reference)\b[^?？]*\d[^?？,]{0,6}\W*$"
    r"|(?:我的|我是|是|编号|号码|单号|账户|账号|合同|卡号|尾号|房间|病历|会员|订单|保单|户号|手机|[^，。？?]{0,6}(?:编号|号码|单号|号))[^？?]{0,8}\d+\W*$|[^？?]{0,12}番号は?[^？?]{0,6}\d+[^？?]{0,4}$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class TurnIntent:
    """Probabilities of a user's turn. ``acts``: something is to be done, also where one of its sentences says so, or the turn
    answers a question about an earlier request; ``whole_acts`` is that of the turn as it stands. ``documents`` and ``current``:
    where what is asked may stand; ``recall``: earlier in this conversation; ``status``: how
    something of the user's own stands; ``answer`` holds those of a yes and a no.
    """

    text: str
    acts: float
    documents: float
    current: float
    answer: Mapping[str, float] = field(default_factory=dict)
    whole_acts: float = 1.0
    recall: float = 0.0
    status: float = 0.0

    def joined(self, earlier: TurnIntent) -> TurnIntent:
        """What both turns want together: ``earlier`` was not answered."""
        return TurnIntent(
            f"{earlier.text} {self.text}",
            max(self.acts, earlier.acts),
            max(self.documents, earlier.documents),
            max(self.current, earlier.current),
            self.answer,
            max(self.whole_acts, earlier.whole_acts),
            max(self.recall, earlier.recall),
            max(self.status, earlier.status),
        )


def identifies(sentence: str) -> bool:
    """Whether ``sentence`` only gives a number by which something is known, which asks for nothing by itself."""
    return _IDENTIFIES.match(inverse_normalized(sentence, written_language(sentence))) is not None


async def turn_intent(classifier: IntentClassifier, messages: Sequence[Message]) -> TurnIntent | None:
    """Of the user's last words; ``None`` where nobody has spoken, or nothing can be known. Raises ``EngineError``."""
    texts = [message.content.strip() for message in messages if message.role == "user" and message.content.strip()]
    if not texts:
        return None
    last = texts[-1]
    sentences = sentences_of(last)
    if len(sentences) > 1 and identifies(sentences[-1]):
        sentences = sentences[:-1]
    answers = question_before(messages)
    wanted = [" ".join(sentences) or last, *sentences[-1:], *(texts[-2:-1] if answers else [])]
    found = await classifier.probabilities(wanted)
    if found is None:
        return None
    whole = found[0]
    own = max(one["act"] for one in found[: 1 + len(sentences[-1:])])
    earlier = found[-1]["act"] if answers and len(texts) > 1 else 0.0
    documents, recall, status = (
        max(one[name] for one in found[: 1 + len(sentences[-1:])]) for name in ("documents", "recall", "status")
    )
    answer = {"yes": whole["yes"], "no": whole["no"]}
    return TurnIntent(last, max(own, earlier), documents, whole["current"], answer, whole["act"], recall, status)
