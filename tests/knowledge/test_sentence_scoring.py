"""What of the passages the model reads: the lines nearest to the question, in their order, behind their headings."""

from __future__ import annotations

from collections.abc import Sequence

from vivavoce.engines.fake import FakeEmbedder
from vivavoce.knowledge.passages import Passage
from vivavoce.knowledge.sentence_scoring import SentenceScorer, focused
from vivavoce.types import EmbedOptions, Vectors

BATTERY = Passage(0, "Wind costs range. The battery lasts eleven hours. Keep it dry.", ("Aurora", "Battery"))
PRICES = Passage(1, "Model: Two; Price: 399\nModel: Three; Price: 499")


async def _focused(question: str, most: int) -> list[str]:
    passages = [BATTERY, PRICES]
    return focused(await SentenceScorer(FakeEmbedder()).score(question, passages), passages, most)


async def test_the_nearest_lines_are_kept_behind_their_headings() -> None:
    texts = await _focused("How many hours lasts the battery?", 1)
    assert texts == ["Aurora › Battery\nThe battery lasts eleven hours.", ""]


async def test_lines_keep_their_order() -> None:
    (text, _) = await _focused("keep it dry, the battery lasts hours", 2)
    assert text.index("eleven") < text.index("dry")


async def test_what_is_short_enough_is_left_whole() -> None:
    assert await _focused("x", 5) == [BATTERY.whole, PRICES.whole]


async def test_lines_read_lately_are_not_read_again() -> None:
    class Counting(FakeEmbedder):
        read = 0

        async def embed(self, texts: Sequence[str], options: EmbedOptions) -> Vectors:
            self.read += 0 if options.query else len(texts)
            return await super().embed(texts, options)

    embedder = Counting()
    scorer = SentenceScorer(embedder)
    first = await scorer.score("how long", [BATTERY])
    assert embedder.read == 3
    assert await scorer.score("how long", [BATTERY, PRICES]) == [
        *first,
        *(await scorer.score("how long", [BATTERY, PRICES]))[3:],
    ]
    assert embedder.read == 5
