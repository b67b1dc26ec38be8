"""Which tools are told to the model when there is no room for all of them.

As long as all fit, all are told at the head of the prompt, which stays cached. Where they do not, whole groups that fit keep
their place there, and of the others those are told that what is asked now is likely about: behind the conversation, so that
nothing before them has to be read again. Likely means near in meaning, or sharing words, names above all.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from math import log

from vivavoce.errors import EngineError
from vivavoce.open_request import asked
from vivavoce.signatures import estimate_tool, shortened
from vivavoce.tools.relevance import Relevance, called_lately
from vivavoce.types import GenerationOptions, Message, NamedTool, Tool

logger = logging.getLogger(__name__)

BEHIND_SHARE = 0.25
"""Of the room for tools, for those told behind the conversation: they are read in every turn that is about one."""

MOST_BEHIND = 6
"""Tools told behind the conversation; a small model chooses badly among many."""

RANK_CONSTANT = 10
"""How much the first ranks count in the fusion of rankings (reciprocal rank fusion)."""

STEM = 5
"""Letters by which words are compared: "booking" is "booked"."""

_WORDS = re.compile(
    r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_a-zA-Z\u3040-\u30ff\u3400-\u9fff]+|[\u3040-\u30ff\u3400-\u9fff]+"
)
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")


def arranged(
    options: GenerationOptions, groups: Sequence[Collection[str]], most_tokens: int | None
) -> GenerationOptions:
    """``options`` with those tools ``transient`` that have no room at the head of the prompt.

    ``groups`` are names of tools that stay at the head together or not at all, the first ones rather; ``most_tokens`` is the
    room for all (``None``: any). A tool that would take most of it alone is told in brief.
    """
    if most_tokens is None or not options.tools:
        return options
    tools = [_in_brief(tool, most_tokens // 2) for tool in options.tools]
    if sum(map(estimate_tool, tools)) <= most_tokens:
        return replace(options, tools=tuple(tools))
    behind = int(most_tokens * BEHIND_SHARE)
    left, transient = most_tokens - behind, set(options.transient)
    for group in groups:
        cost = sum(estimate_tool(tool) for tool in tools if tool.name in group and tool.name not in transient)
        if cost <= left:
            left -= cost
        else:
            transient |= set(group)
    tools = [_in_brief(tool, behind // 2) if tool.name in transient else tool for tool in tools]
    return replace(options, tools=tuple(tools), transient=frozenset(transient))


async def selected(
    options: GenerationOptions, messages: Sequence[Message], relevance: Relevance | None, most_tokens: int | None
) -> GenerationOptions:
    """``options`` that withhold the ``transient`` tools which what is asked now is least likely about."""
    candidates = [tool for tool in options.tools if tool.name in options.transient - options.withheld]
    if most_tokens is None or not candidates:
        return options
    choice = options.tool_choice
    first = {choice.name} if isinstance(choice, NamedTool) else set()
    ranked = await _ranked(messages, candidates, relevance)
    lately = called_lately(messages)
    ranked.sort(key=lambda tool: (tool.name not in first, tool.name not in lately))
    room, kept = most_tokens * BEHIND_SHARE, set[str]()
    for tool in ranked[:MOST_BEHIND]:
        room -= estimate_tool(tool)
        if room < 0 and kept:
            break
        kept.add(tool.name)
    return replace(options, withheld=options.withheld | (options.transient - kept))


async def _ranked(messages: Sequence[Message], tools: Sequence[Tool], relevance: Relevance | None) -> list[Tool]:
    """The likeliest first. Where nobody asks for anything the instructions do, at the beginning."""
    texts = asked(messages) or [message.content for message in messages[:1]]
    words = shared_words(texts, tools)
    rankings = [words] if any(words) else []
    if relevance is not None:
        try:
            rankings.append(await relevance.nearness(texts, tools))
        except EngineError as error:
            logger.warning("ranking of tools: %s", error)
    scores = [0.0] * len(tools)
    for values in rankings:
        for rank, at in enumerate(sorted(range(len(tools)), key=lambda at: -values[at])):
            scores[at] += 1 / (RANK_CONSTANT + rank)
    said = " ".join(texts).casefold()
    order = sorted(range(len(tools)), key=lambda at: (tools[at].name.casefold() not in said, -scores[at]))
    return [tools[at] for at in order]


def shared_words(texts: Sequence[str], tools: Sequence[Tool]) -> list[float]:
    """How much of ``texts`` each tool's name and description share, rare words more (inverse document frequency)."""
    said = {word for text in texts for word in _words(text)}
    own = [_words(f"{tool.name} {tool.description}") for tool in tools]
    known = Counter(word for words in own for word in words)
    return [sum(log(1 + len(tools) / known[word]) for word in said & words) for words in own]


def _words(text: str) -> frozenset[str]:
    found: set[str] = set()
    for word in _WORDS.findall(text.replace("_", " ")):
        if _WIDE.match(word):
            found |= {word[at : at + 2] for at in range(max(len(word) - 1, 1))}
        else:
            found.add(word.casefold()[:STEM])
    return frozenset(found)


def _in_brief(tool: Tool, most_tokens: int) -> Tool:
    if estimate_tool(tool) <= most_tokens:
        return tool
    return replace(tool, brief=shortened(tool, most_tokens))
