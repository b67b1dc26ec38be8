"""What of the passages the model reads: the lines nearest to the question, in their order, behind their headings."""

from __future__ import annotations

from vivavoce.engines.fake import FakeEmbedder
from vivavoce.knowledge.lines import focused, read_lines
from vivavoce.knowledge.passages import Passage

BATTERY = Passage(0, "Wind costs range. The battery lasts eleven hours. Keep it dry.", ("Aurora", "Battery"))
PRICES = Passage(1, "Model: Two; Price: 399\nModel: Three; Price: 499")


async def _focused(question: str, most: int) -> list[str]:
    passages = [BATTERY, PRICES]
    return focused(await read_lines(FakeEmbedder(), question, passages), passages, most)


async def test_the_nearest_lines_are_kept_behind_their_headings() -> None:
    texts = await _focused("How many hours lasts the battery?", 1)
    assert texts == ["Aurora › Battery\nThe battery lasts eleven hours.", ""]


async def test_lines_keep_their_order() -> None:
    (text, _) = await _focused("keep it dry, the battery lasts hours", 2)
    assert text.index("eleven") < text.index("dry")


async def test_what_is_short_enough_is_left_whole() -> None:
    assert await _focused("x", 5) == [BATTERY.whole, PRICES.whole]
