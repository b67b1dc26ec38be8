"""What the words of a turn tell of how somebody feels, whatever their voice is taken for. Weights: ``heads/README.md``."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from vivavoce.errors import EngineError
from vivavoce.intents.classifier import IntentClassifier
from vivavoce.pending_request import sentences_of
from vivavoce.voice_facts import WordsTell

log = logging.getLogger(__name__)

SURE = 0.5
"""Probability from which on the likeliest is believed. Of the sentences trained with, each judged by classifiers that did not
know it, 79 % of the good, 80 % of the bad and 94 % of the plain are found so, and 9 % of the open ones taken for good or plain.
"""

DOUBT = 0.8
"""Probability of ``open`` from which on neither good nor bad is believed: chosen on neutral sentences of ``vivavoce bench
answers``."""

MOST_SENTENCES = 4
"""The last of a turn, which are judged one by one."""


class WordsReader:
    """Reads what turns tell in words; with an embedder the ``classifier`` knows nothing of, nothing is told."""

    def __init__(self, classifier: IntentClassifier) -> None:
        self._classifier = classifier

    async def told(self, text: str) -> WordsTell | None:
        """What ``text`` tells. ``None``: nothing, good and bad at once, or it cannot be known; failures are logged."""
        try:
            found = await self._classifier.probabilities(sentences_of(text)[-MOST_SENTENCES:] or [text])
        except EngineError as error:
            log.warning("what words tell of a feeling cannot be known: %s", error)
            return None
        return together(map(told_by, found)) if found is not None else None


def told_by(probabilities: Mapping[str, float]) -> WordsTell | None:
    """What a sentence tells, of the probabilities of each ``WordsTell`` and of ``open``: the voice decides."""
    likeliest = max(probabilities.values())
    labels: tuple[WordsTell, ...] = ("good", "bad", "plain") if probabilities["open"] < DOUBT else ("plain",)
    return next((label for label in labels if probabilities[label] == likeliest >= SURE), None)


def together(told: Iterable[WordsTell | None]) -> WordsTell | None:
    """What several sentences tell: a fact that is asked for after bad news is still asked by somebody who has had them."""
    found = set(told)
    if {"good", "bad"} <= found:
        return None
    return "good" if "good" in found else "bad" if "bad" in found else "plain" if "plain" in found else None
