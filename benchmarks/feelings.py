"""Train what tells from the words alone how somebody feels: ``python benchmarks/feelings.py``; it writes ``feelings.npz`` into
the package.

Classifiers as those of ``intents.py``, trained on ``feeling_sentences.toml``. Printed is what a fifth of the sentences at a
time came to, which was not trained on, and what became of the sentences that were held out from the beginning.
"""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from intents import Floats, Sentence, area, copies, embedded, held_out_scores, logistic, save, scale
from vivavoce.intents.classifier import FEELING_HEADS, IntentHeads
from vivavoce.intents.feelings import told_by

SENTENCES = Path(__file__).parent / "feeling_sentences.toml"
LABELS = ("good", "bad", "plain", "open")

PARTS = 5
PENALTY = 0.05


@dataclass(frozen=True, slots=True)
class Corpus:
    """Sentences with a row of ``vectors`` each."""

    sentences: Sequence[Sentence]
    vectors: Floats


def written(part: str) -> list[Sentence]:
    """The sentences of one part of the file."""
    content = tomllib.loads(SENTENCES.read_text(encoding="utf-8"))[part]
    return [
        Sentence(line, label, str(number % PARTS))
        for classes in content.values()
        for label, block in classes.items()
        for number, line in enumerate(block.strip().splitlines())
    ]


def cross_validated(corpus: Corpus, label: str) -> tuple[Floats, Floats]:
    """Log odds and labels of all sentences, each by a classifier that was trained on the other parts; copies left out."""
    labels = np.array([float(one.label == label) for one in corpus.sentences])
    scores = held_out_scores(corpus.vectors, labels, [one.group for one in corpus.sentences], PENALTY)
    own = [at for at, one in enumerate(corpus.sentences) if not one.copy]
    return scores[own], labels[own]


def trained(corpus: Corpus, name: str, table: Table) -> IntentHeads:
    """The heads, calibrated on what was not trained on; a row of ``table`` each."""
    center = corpus.vectors.mean(axis=0)
    centered = Corpus(corpus.sentences, corpus.vectors - center)
    weights, biases = [], []
    for label in LABELS:
        scores, labels = cross_validated(centered, label)
        slope, offset = scale(scores, labels)
        right = ((slope * scores + offset > 0) == (labels > 0.5)).mean()
        table.add_row(label, str(len(labels)), f"{area(scores, labels):.3f}", f"{right:.1%}")
        all_labels = np.array([float(one.label == label) for one in corpus.sentences])
        vector, bias = logistic(centered.vectors, all_labels, PENALTY)
        weights.append(slope * vector)
        biases.append(slope * bias + offset - slope * vector @ center)
    return IntentHeads(name, LABELS, np.array(weights, np.float16).astype(np.float32), np.array(biases, np.float32))


def held_out_table(heads: IntentHeads, corpus: Corpus) -> Table:
    """Of each class and language how many are taken for what."""
    table = Table("language", "class", "good", "bad", "plain", "open", "wrong", title="Held out from the beginning")
    told = [told_by(heads.probabilities(vector.astype(np.float32))) or "open" for vector in corpus.vectors]
    for language in ("en", "zh", "ja"):
        for label in LABELS:
            own = [
                (one.text, found)
                for one, found in zip(corpus.sentences, told, strict=True)
                if one.language == language and one.label == label
            ]
            counts = [str(sum(found == other for _, found in own)) for other in LABELS]
            wrong = [f"{text} ({found})" for text, found in own if found != label]
            table.add_row(language, label, *counts, "\n".join(wrong))
    return table


def main() -> None:
    """The entry point."""
    train = [copy for number, one in enumerate(written("train")) for copy in copies(one, number)]
    held_out = written("held_out")
    name, vectors = asyncio.run(embedded([one.text for one in [*train, *held_out]]))
    table = Table("class", "sentences", "AUC, a fifth held out", "right", title="Feelings in words")
    heads = trained(Corpus(train, vectors[: len(train)]), name, table)
    console = Console(width=160)
    console.print(table, held_out_table(heads, Corpus(held_out, vectors[len(train) :])))
    save(heads, FEELING_HEADS)


if __name__ == "__main__":
    main()
