"""Train the intent classifiers: ``python benchmarks/intents.py``; it writes ``intents.npz`` into the package.

Each is a penalised logistic regression on the embedder's numbers, trained on ``intent_sentences.toml``, each sentence also
as a recogniser without punctuation writes it and with words before it. Printed is what was found with each subject held out
in turn, and with a whole language held out.
"""

from __future__ import annotations

import asyncio
import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from vivavoce.config import load_config
from vivavoce.intents.classifier import HEADS, IntentHeads
from vivavoce.runtime.engines import EngineLoader
from vivavoce.types import EmbedOptions

Floats = NDArray[np.float64]

SENTENCES = Path(__file__).parent / "intent_sentences.toml"
PENALTY = 0.02
"""Of the squared weights, for each example: chosen with the subjects held out."""

MIXED, PARTS = ("world", "confirm_one", "confirm_two"), 5
"""Groups that are not about one subject: a fifth of them is held out at a time."""

_CJK = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
_KANA = re.compile(r"[\u3040-\u30ff]")
BEFORE = {
    "en": ("Um, ", "Okay, so ", "Hello, ", "Listen, "),
    "zh": ("嗯，", "你好，", "那个，"),
    "ja": ("えっと、", "すみません、"),
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a class (``label``) and a subject (``group``); ``copy``: one that is only trained with."""

    text: str
    label: str
    group: str
    copy: bool = False

    @property
    def language(self) -> str:
        """By its script."""
        return "ja" if _KANA.search(self.text) else "zh" if _CJK.search(self.text) else "en"


def sentences() -> list[Sentence]:
    """All of the file, with their copies."""
    content = tomllib.loads(SENTENCES.read_text())
    written = [
        Sentence(line, label, f"{group} {number % PARTS if group in MIXED else 0}")
        for group, classes in content.items()
        for label, block in classes.items()
        for number, line in enumerate(block.strip().splitlines())
    ]
    return [copy for number, sentence in enumerate(written) for copy in copies(sentence, number)]


def copies(sentence: Sentence, number: int) -> list[Sentence]:
    """The sentence, as it is heard without marks and capitals, and behind words that say nothing."""
    plain = re.sub(r"[.,!?。，！？、]", "", sentence.text).lower()
    before = BEFORE[sentence.language][number % len(BEFORE[sentence.language])]
    longer = before + sentence.text[:1].lower() + sentence.text[1:]
    return [sentence, *(Sentence(text, sentence.label, sentence.group, copy=True) for text in (plain, longer))]


TARGETS: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "act": (("act",), ("ask", "facts", "current", "status", "recall", "talk")),
    "documents": (("ask", "facts"), ("recall", "talk")),
    "current": (("current",), ("talk", "ask", "facts", "status", "recall")),
    "status": (("status",), ("ask", "facts", "recall", "talk")),
    "recall": (("recall",), ("act", "ask", "facts", "current", "status", "talk")),
    "yes": (("yes",), ("no", "neither")),
    "no": (("no",), ("yes", "neither")),
}
"""What speaks for each intent, and what against; of the others nothing is learnt."""


def logistic(features: Floats, labels: Floats, penalty: float = PENALTY) -> tuple[Floats, float]:
    """Weights and bias by Newton's method; both classes count alike."""
    weight = np.where(labels > 0.5, 0.5 / labels.mean(), 0.5 / (1 - labels.mean())) / len(labels)
    design = np.hstack([features, np.ones((len(features), 1))])
    ridge = np.full(design.shape[1], penalty / features.shape[1])
    ridge[-1] = 0
    solution = np.zeros(design.shape[1])
    for _ in range(12):
        probability = 1 / (1 + np.exp(-design @ solution))
        gradient = design.T @ (weight * (probability - labels)) + ridge * solution
        hessian = (design.T * (weight * probability * (1 - probability))) @ design + np.diag(ridge + 1e-9)
        solution -= np.linalg.solve(hessian, gradient)
    return solution[:-1], float(solution[-1])


def area(scores: Floats, labels: Floats) -> float:
    """Under the ROC curve."""
    wins = (scores[labels > 0.5][:, None] > scores[labels < 0.5][None]).mean()
    return float(wins)


def held_out_scores(rows: Floats, labels: Floats, groups: Sequence[str], penalty: float = PENALTY) -> Floats:
    """Log odds of ``rows``, each by a classifier that was trained on the other ``groups``."""
    keys, scores = np.array(groups), np.zeros(len(labels))
    for held in sorted(set(groups)):
        weights, bias = logistic(rows[keys != held], labels[keys != held], penalty)
        scores[keys == held] = rows[keys == held] @ weights + bias
    return scores


def held_out(
    found: Sequence[Sentence], vectors: Floats, intent: str, key: Callable[[Sentence], str]
) -> tuple[list[Sentence], Floats, Floats]:
    """Sentences, log odds and labels, each by a classifier that was not trained on its ``key``."""
    positive, negative = TARGETS[intent]
    use = [index for index, one in enumerate(found) if one.label in (*positive, *negative)]
    labels = np.array([float(found[index].label in positive) for index in use])
    scores = held_out_scores(vectors[use], labels, [key(found[index]) for index in use])
    own = [number for number, index in enumerate(use) if not found[index].copy]
    return [found[use[number]] for number in own], scores[own], labels[own]


def scale(scores: Floats, labels: Floats) -> tuple[float, float]:
    """Slope and offset that make held-out log odds as right as they say (Platt)."""
    weights, bias = logistic(scores[:, None] / scores.std(), labels, 1e-3)
    return float(weights[0] / scores.std()), bias


async def embedded(texts: Sequence[str]) -> tuple[str, Floats]:
    """By the built-in embedder, as turns are; its name, and a row a text."""
    embedder = EngineLoader(load_config()).embedder()
    try:
        return embedder.name, np.asarray(await embedder.embed(texts, EmbedOptions(query=True)), np.float64)
    finally:
        embedder.close()


def save(heads: IntentHeads, path: Path) -> None:
    """Write them as ``load_heads`` reads them, in half precision."""
    np.savez_compressed(
        path,
        network=heads.network,
        intents=np.array(heads.intents),
        weights=heads.weights.astype(np.float16),
        biases=heads.biases,
    )


def main() -> None:
    """The entry point."""
    found = sentences()
    name, vectors = asyncio.run(embedded([sentence.text for sentence in found]))
    center = vectors.mean(axis=0)
    vectors = vectors - center
    table = Table(
        "intent", "sentences", "AUC, subjects held out", "right", "AUC, language held out", "wrong", title="Intents"
    )
    weights, biases = [], []
    for intent, (positive, negative) in TARGETS.items():
        own, scores, labels = held_out(found, vectors, intent, lambda sentence: sentence.group)
        slope, offset = scale(scores, labels)
        wrong = [
            one.text
            for one, score, label in zip(own, scores, labels, strict=True)
            if (slope * score + offset > 0) != (label > 0.5)
        ]
        _, by_language, language_labels = held_out(found, vectors, intent, lambda sentence: sentence.language)
        table.add_row(
            intent, str(len(own)), f"{area(scores, labels):.3f}", f"{1 - len(wrong) / len(own):.1%}",
            f"{area(by_language, language_labels):.3f}", "\n".join(wrong[:12]),
        )  # fmt: skip
        use = [index for index, one in enumerate(found) if one.label in (*positive, *negative)]
        vector, bias = logistic(vectors[use], np.array([float(found[index].label in positive) for index in use]))
        weights.append(slope * vector)
        biases.append(slope * bias + offset - slope * vector @ center)
    Console(width=160).print(table)
    save(IntentHeads(name, tuple(TARGETS), np.array(weights, np.float32), np.array(biases, np.float32)), HEADS)


if __name__ == "__main__":
    main()
