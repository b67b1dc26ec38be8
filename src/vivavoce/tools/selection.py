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
from vivavoce.knowledge.fusion import fused_scores
from vivavoce.pending_request import request_variants
from vivavoce.signatures import estimate_tool, shortened
from vivavoce.tools.relevance import Relevance, recently_called
from vivavoce.types import GenerationOptions, Message, NamedTool, Tool

logger = logging.getLogger(__name__)

BEHIND_SHARE = 0.25
"""Of the room for tools, for those told behind the conversation: they are read in every turn that is about one."""

MAX_TRANSIENT_TOOLS = 6
"""Tools told behind the conversation; a small model chooses badly among many."""

RANK_CONSTANT = 9
"""Of the fusion of rankings: there are few, and the first ones shall count more than among many passages."""

STEM = 5
"""Letters by which words are compared: "booking" is "booked"."""

_WORDS = re.compile(
    r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_a-zA-Z\u3040-\u30ff\u3400-\u9fff]+|[\u3040-\u30ff\u3400-\u9fff]+"
)
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")


def arranged(
    options: GenerationOptions, groups: Sequence[Collection[str]], max_tool_tokens: int | None
) -> GenerationOptions:
    """``options`` with those tools ``transient`` that have no room at the head of the prompt.

    ``groups`` are names of tools that stay at the head together or not at all, the first ones rather; ``max_tool_tokens`` is
    the room for all (``None``: any). A tool that would take most of it alone is told in brief.
    """
    if max_tool_tokens is None or not options.tools:
        return options
    tools = [_in_brief(tool, max_tool_tokens // 2) for tool in options.tools]
    if sum(map(estimate_tool, tools)) <= max_tool_tokens:
        return replace(options, tools=tuple(tools))
    behind = int(max_tool_tokens * BEHIND_SHARE)
    remaining, transient = max_tool_tokens - behind, set(options.transient)
    for group in groups:
        cost = sum(estimate_tool(tool) for tool in tools if tool.name in group and tool.name not in transient)
        if cost <= remaining:
            remaining -= cost
        else:
            transient |= set(group)
    tools = [_in_brief(tool, behind // 2) if tool.name in transient else tool for tool in tools]
    return replace(options, tools=tuple(tools), transient=frozenset(transient))


async def selected(
    options: GenerationOptions, messages: Sequence[Message], relevance: Relevance | None, max_tool_tokens: int | None
) -> GenerationOptions:
    """``options`` that withhold the ``transient`` tools which what is asked now is least likely about."""
    candidates = [tool for tool in options.tools if tool.name in options.transient - options.withheld]
    if max_tool_tokens is None or not candidates:
        return options
    choice = options.tool_choice
    first = {choice.name} if isinstance(choice, NamedTool) else set()
    ranked = await _ranked(messages, candidates, relevance)
    recent = recently_called(messages)
    ranked.sort(key=lambda tool: (tool.name not in first, tool.name not in recent))
    room, chosen = max_tool_tokens * BEHIND_SHARE, set[str]()
    for tool in ranked[:MAX_TRANSIENT_TOOLS]:
        room -= estimate_tool(tool)
        if room < 0 and chosen:
            break
        chosen.add(tool.name)
    return replace(options, withheld=options.withheld | (options.transient - chosen))


async def _ranked(messages: Sequence[Message], tools: Sequence[Tool], relevance: Relevance | None) -> list[Tool]:
    """The likeliest first. Where nobody asks for anything the instructions do, at the beginning."""
    texts = request_variants(messages) or [message.content for message in messages[:1]]
    words = shared_words(texts, tools)
    rankings = [words] if any(words) else []
    if relevance is not None:
        try:
            rankings.append(await relevance.similarities(texts, tools))
        except EngineError as error:
            logger.warning("tools cannot be ranked by similarity: %s", error)
    orders = [sorted(range(len(tools)), key=lambda at: -values[at]) for values in rankings]
    scores = fused_scores(orders, RANK_CONSTANT)
    text = " ".join(texts).casefold()
    order = sorted(range(len(tools)), key=lambda at: (tools[at].name.casefold() not in text, -scores.get(at, 0.0)))
    return [tools[at] for at in order]


def shared_words(texts: Sequence[str], tools: Sequence[Tool]) -> list[float]:
    """How much of ``texts`` each tool's name and description share, rare words more (inverse document frequency)."""
    query_words = {word for text in texts for word in _words(text)}
    own = [_words(f"{tool.name} {tool.description}") for tool in tools]
    document_counts = Counter(word for words in own for word in words)
    return [sum(log(1 + len(tools) / document_counts[word]) for word in query_words & words) for words in own]


def _words(text: str) -> frozenset[str]:
    stems: set[str] = set()
    for word in _WORDS.findall(text.replace("_", " ")):
        if _WIDE.match(word):
            stems |= {word[at : at + 2] for at in range(max(len(word) - 1, 1))}
        else:
            stems.add(word.casefold()[:STEM])
    return frozenset(stems)


def _in_brief(tool: Tool, max_tokens: int) -> Tool:
    if estimate_tool(tool) <= max_tokens:
        return tool
    return replace(tool, brief=shortened(tool, max_tokens))
