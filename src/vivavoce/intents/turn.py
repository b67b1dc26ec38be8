"""What a turn wants, out of the conversation before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vivavoce.intents.classifier import IntentClassifier
from vivavoce.pending_request import question_before, sentences_of, stands_unanswered
from vivavoce.types import Message


@dataclass(frozen=True, slots=True)
class TurnIntent:
    """Probabilities of a user's turn. ``acts``: something is to be done, also where one of its sentences says so, or the turn
    answers a question about an earlier request or adds to one nobody has answered; ``whole_acts`` is that of the turn as it
    stands. ``documents`` and ``current``: where what is asked may stand; ``answer`` holds those of a yes and a no.
    """

    text: str
    acts: float
    documents: float
    current: float
    answer: Mapping[str, float] = field(default_factory=dict)
    whole_acts: float = 1.0


async def turn_intent(classifier: IntentClassifier, messages: Sequence[Message]) -> TurnIntent | None:
    """Of the user's last words; ``None`` where nobody has spoken, or nothing can be known. Raises ``EngineError``."""
    texts = [message.content.strip() for message in messages if message.role == "user" and message.content.strip()]
    if not texts:
        return None
    last = texts[-1]
    sentences = sentences_of(last)
    before = texts[-2] if question_before(messages) and len(texts) > 1 else stands_unanswered(messages)
    wanted = [last, *sentences[-1:], *([before] if before else [])]
    found = await classifier.probabilities(wanted)
    if found is None:
        return None
    whole = found[0]
    own = max(one["act"] for one in found[: 1 + len(sentences[-1:])])
    earlier = found[-1]["act"] if before else 0.0
    documents = max(one["documents"] for one in found[: 1 + len(sentences[-1:])])
    return TurnIntent(
        last, max(own, earlier), documents, whole["current"], {"yes": whole["yes"], "no": whole["no"]}, whole["act"]
    )
