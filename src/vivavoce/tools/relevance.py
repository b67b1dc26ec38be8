"""Which tools a turn can be about at all, by meaning.

A small model calls a tool because it is there: somebody's brother plays the guitar, and music plays. So a request is compared
with what each tool is for and with talk that wants none; a tool that is much further away than the talk is withheld for the
turn. The tools stay in the prompt, which stays cached. What was called lately stays on offer ("and in Rome?"). What is asked
is not only what the user said: instructions of a response ask, and so does the question a "yes" answers.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from vivavoce.engines.base import Embedder
from vivavoce.errors import EngineError
from vivavoce.pending_request import request_variants
from vivavoce.types import EmbedOptions, Message, Tool, Vectors

log = logging.getLogger(__name__)

SMALL_TALK = (
    "Hi, nice to meet you.", "Good evening.", "Bye, see you later.", "Thanks, that was kind of you.", "I am tired.",
    "I feel a bit sad today.", "I love this song.", "I like the sunshine.", "My sister is a teacher.",
    "My son plays football.", "My cousin sings in a band.", "My dad sent me a letter.", "I once lived in Rome.",
    "Yesterday we went to the beach.", "We had a nice dinner.", "What do you think about love?", "Who are you?",
    "What can you help me with?", "Tell me a story.", "Sing something funny.", "Who invented the telephone?",
    "Which country is the largest?", "How does a plane fly?", "What does this word mean?", "That is true.",
    "You are right.", "It was very hot last summer.", "Do you have hobbies?", "How many hours are in a day?",
    "你好呀。", "晚上好。", "拜拜，下次见。", "谢谢，你真好。", "我好累。", "我有点难过。", "我喜欢这首歌。",
    "我喜欢晴天。", "我姐姐是老师。", "我儿子会踢足球。", "我表哥会拉小提琴。", "爸爸给我写了一封信。",
    "我以前住在罗马。", "好的，回头再说。", "昨天我们去了海边。", "晚饭很好吃。", "你是谁呀？", "你能帮我做什么？",
    "讲个故事。", "电话是谁发明的？", "哪个国家最大？", "飞机为什么会飞？", "这个词是什么意思？", "你说得对。",
    "去年夏天很热。", "你有什么爱好？", "一天有多少小时？",
)  # fmt: skip
"""What people say that no tool is for."""

NEAREST = 3
"""How much of the talk a turn is compared with: what is most like it."""

CALIBRATED = frozenset({"multilingual-e5-small"})
"""Embedders whose scale the margin was measured on; others tell nothing."""

REMEMBERED = 1024
"""Tools whose meaning is kept."""

RECENT = 6
"""Messages back in which a call keeps its tool on offer."""


class Relevance:
    """Compares turns with tools. ``margin`` is how much nearer to talk than to a tool a turn may be (cosine, ≤ 0); without one
    nothing is withheld, but tools can still be ranked."""

    def __init__(self, embedder: Embedder, margin: float | None) -> None:
        self._embedder = embedder
        self._margin = margin
        self._tools: OrderedDict[str, Vectors] = OrderedDict()
        self._talk: asyncio.Task[Vectors] | None = None
        self._learning: set[asyncio.Task[None]] = set()

    async def irrelevant(self, messages: Sequence[Message], tools: Sequence[Tool]) -> frozenset[str]:
        """Names of ``tools`` that what is asked now cannot be about. Raises ``EngineError``."""
        texts = request_variants(messages)
        if self._margin is None or not texts or not tools or messages[-1].role == "tool":
            return frozenset()
        vectors = await self._embedder.embed(texts, EmbedOptions(query=True))
        talk = vectors @ (await self._small_talk()).T
        talk_similarity = np.sort(talk, axis=1)[:, -NEAREST:].mean(axis=1)
        margins = (vectors @ (await self._meanings(tools)).T - talk_similarity[:, None]).max(axis=0)
        recent = recently_called(messages)
        return frozenset(
            tool.name
            for tool, margin in zip(tools, margins, strict=True)
            if margin < self._margin and tool.name not in recent
        )

    async def similarities(self, texts: Sequence[str], tools: Sequence[Tool]) -> list[float]:
        """How near each of ``tools`` is to one of ``texts`` (cosine). Raises ``EngineError``."""
        if not texts or not tools:
            return [0.0] * len(tools)
        vectors = await self._embedder.embed(texts, EmbedOptions(query=True))
        return [float(value) for value in (vectors @ (await self._meanings(tools)).T).max(axis=0)]

    def learn(self, tools: Sequence[Tool]) -> None:
        """Read in the background what ``tools`` are for, so that no reply has to wait for it."""
        task = asyncio.ensure_future(self._learned(tools))
        self._learning.add(task)
        task.add_done_callback(self._learning.discard)

    async def _learned(self, tools: Sequence[Tool]) -> None:
        try:
            await self._meanings(tools, interactive=False)
        except EngineError as error:
            log.warning("the descriptions of tools cannot be embedded: %s", error)

    async def _small_talk(self) -> Vectors:
        if self._talk is None or (self._talk.done() and (self._talk.cancelled() or self._talk.exception())):
            self._talk = asyncio.ensure_future(self._embedder.embed(SMALL_TALK, EmbedOptions(query=True)))
        return await asyncio.shield(self._talk)

    async def _meanings(self, tools: Sequence[Tool], *, interactive: bool = True) -> Vectors:
        texts = [f"{tool.name.replace('_', ' ')}: {tool.description}" for tool in tools]
        new = list(dict.fromkeys(text for text in texts if text not in self._tools))
        if new:
            vectors = await self._embedder.embed(new, EmbedOptions(interactive=interactive))
            for text, vector in zip(new, vectors, strict=True):
                self._tools[text] = vector
        meanings = np.stack([self._tools[text] for text in texts])
        while len(self._tools) > max(REMEMBERED, len(texts)):
            self._tools.popitem(last=False)
        return meanings


def recently_called(messages: Sequence[Message]) -> frozenset[str]:
    """Names of the tools called in the last messages."""
    return frozenset(call.name for message in messages[-RECENT:] for call in message.tool_calls)


def relevance_of(embedder: Embedder, margin: float | None) -> Relevance:
    """The comparison; it withholds tools only where that is wanted and the embedder's scale is known."""
    return Relevance(embedder, margin if embedder.name in CALIBRATED else None)
