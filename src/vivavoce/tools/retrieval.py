"""Search of the owner's documents as a tool of the server: what is searched for, what the model is told.

What a person says is rarely what to search for ("and how much is that one?"), and what a small model makes of it is not
always better. So both are searched, the model's words and the person's, and what they find is put in one order; words that
lean on what was said before are searched behind that. It costs no call of the model.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from typing import Any

from vivavoce.errors import ClientError, EngineError, StoreError
from vivavoce.intents.turn import TurnIntent
from vivavoce.knowledge.answerability import FIRST, OTHER_SCRIPT, answer_log_odds, in_other_script, shares_words
from vivavoce.knowledge.fusion import fused_scores
from vivavoce.knowledge.lengths import tokens_of
from vivavoce.knowledge.search import Hit, within
from vivavoce.knowledge.sentence_scoring import ScoredSentence, focused
from vivavoce.knowledge.service import KnowledgeService
from vivavoce.knowledge.versions import newest_date, superseded
from vivavoce.pending_request import sentences_of
from vivavoce.text.instruction_rules import restricts_sources
from vivavoce.tools.base import CallContext, Effects, ServerTool, ToolResult
from vivavoce.tools.queries import asks_something, queries_for, user_texts, with_figures, without_preamble
from vivavoce.types import Citation, Message, Tool

log = logging.getLogger(__name__)

NAME = "search_documents"
DESCRIPTION = "Look things up in the user's documents."
NOTHING_FOUND = (
    "The documents do not say. If it was said earlier in this conversation, answer from that. Else tell the person in one "
    "short sentence that the documents do not say, and make nothing up."
)
NOTHING_ASKED = "There was nothing to search for."
NOT_THERE = "The documents are no longer there."

KNOWLEDGE, QUERY = "{{knowledge}}", "{{query}}"

ASKS, MAY_ASK = 0.7, 0.1
"""Probabilities that documents may tell what is asked: from the first on they are searched; from the second on where they more
likely than not tell it."""

ASKS_SOURCES, MAY_ACT = 0.5, 0.25
"""Probabilities of a question from which on one is, where only documents and functions may answer, and of a request from which
on it may be one."""

ASKS_TO_ACT = 0.6
"""Probability of a request from which on nothing is looked up that is not asked for, too: what is found would be answered from,
and that nothing is found would be taken for the answer."""

SURE, SURE_LINES = 1.0, 3
"""Log odds from which on what is found has the answer, and how many lines are read then: a small model reads slowly."""

DEPTH = 3
"""How many times the hits that are wanted each wording brings in."""


@dataclass(frozen=True, slots=True)
class WeighedHits:
    """Hits that are near enough, all their lines, and the log odds that they tell what is asked."""

    hits: Sequence[Hit]
    lines: Sequence[ScoredSentence]
    log_odds: float


@dataclass(frozen=True, slots=True)
class FoundPassages:
    """What the model reads of each hit, the lines nearest to the question, and whether the answer is surely in them."""

    texts: Mapping[Hit, str]
    lines: tuple[str, ...]
    sure: bool


@dataclass(frozen=True)
class RetrievalTool(ServerTool):
    """Searches one vector store. ``template`` is the client's prompt, with ``{{knowledge}}`` and ``{{query}}`` in it."""

    knowledge: KnowledgeService
    owner: str
    store_id: str
    tool: Tool
    template: str | None = None

    kind: str = field(default="retrieval")
    effects: Effects = "none"

    @property
    def timeout_s(self) -> float:  # type: ignore[override]
        """How long the loop waits."""
        return self.knowledge.config.timeout_s

    async def run(self, arguments: Mapping[str, Any], context: CallContext) -> ToolResult:
        """Search for ``query``, in the conversation it was asked in."""
        config, query = self.knowledge.config, str(arguments.get("query") or "")
        questions = queries_for(query, context.messages)
        if not questions:
            return ToolResult(NOTHING_ASKED, failed=True, trusted=True)
        try:
            found = await self._read(query, context.messages)
        except ClientError:
            return ToolResult(NOT_THERE, failed=True, trusted=True)
        except EngineError as error:
            return ToolResult(f"The documents cannot be searched: {error.message}", failed=True, trusted=True)
        except StoreError as error:
            log.warning("documents cannot be searched: %s", error)
            return ToolResult(f"The documents cannot be searched: {error.client_message}", failed=True, trusted=True)
        read = found.texts
        hits = within(list(read), config.budget_tokens, list(map(tokens_of, read.values())))
        self.knowledge.stores.touch(self.store_id)
        payload = {"query": questions[0], "results": [hit_object(hit) for hit in hits]}
        if not hits:
            return ToolResult(NOTHING_FOUND, payload=payload, trusted=True, empty=True)
        knowledge = "\n\n".join(f"[{hit.filename}] {read[hit]}" for hit in hits)
        text = self._filled_template(knowledge, questions[0])
        return ToolResult(text, tuple(map(citation, hits)), payload, lines=found.lines, sure=found.sure)

    async def ranked(self, query: str, messages: Sequence[Message], limit: int) -> list[Hit]:
        """The best hits of all queries together, near enough or not. Raises ``ClientError`` and ``EngineError``."""
        queries = dict.fromkeys(map(with_figures, queries_for(query, messages)))
        rankings = [await self.knowledge.search(self.owner, self.store_id, text, limit * DEPTH) for text in queries]
        return merged(rankings)[:limit]

    async def arguments_in_advance(
        self, messages: Sequence[Message], intent: TurnIntent | None
    ) -> Mapping[str, Any] | None:
        """What documents may tell is looked up; other talk only where they surely tell something about it."""
        texts = user_texts(messages)
        return {"query": texts[-1]} if texts and await self._may_tell(messages, intent) else None

    async def _may_tell(self, messages: Sequence[Message], intent: TurnIntent | None) -> bool:
        knowledge, enough = self.knowledge, self.knowledge.config.sure_evidence
        if enough is None:
            return False
        asks, acts = (False, False) if intent is None else (intent.documents >= ASKS, intent.acts >= ASKS_TO_ACT)
        if (asks and not acts) or asks_sources(messages, intent):
            return True
        if not knowledge.calibrated or (acts and not asks):
            return False
        try:
            weighed = await self._weighed("", messages, least_similarity=-1.0)
        except (ClientError, StoreError):  # the store is gone or busy, which the model is told when it calls
            return False
        if not shares_words(user_texts(messages)[-1], [hit.passage for hit in weighed.hits[:FIRST]]):
            return False
        may_ask = intent is not None and intent.documents >= MAY_ASK
        only_acts = acts and len(sentences_of(user_texts(messages)[-1])) == 1
        return weighed.log_odds >= (0.0 if may_ask and not only_acts else enough)

    async def _weighed(self, query: str, messages: Sequence[Message], *, least_similarity: float) -> WeighedHits:
        """What is found, and how likely the best of it tells what is asked. Raises ``ClientError``, ``EngineError`` and
        ``StoreError``."""
        ranked = await self.ranked(query, messages, self.knowledge.config.results)
        hits = [hit for hit in ranked if hit.similarity >= least_similarity]
        passages = [hit.passage for hit in hits]
        asked = without_preamble((user_texts(messages) or [query])[-1])
        best = WeighedHits(hits, [], float("-inf"))
        for question in queries_for(query, messages):
            lines = await self.knowledge.sentence_scorer.score(question, passages)
            first = [line for line in lines if line.passage < FIRST]
            log_odds = answer_log_odds(asked, first, passages[:FIRST])
            if log_odds > best.log_odds or not best.lines:
                best = WeighedHits(hits, lines, log_odds)
        return best

    async def _read(self, query: str, messages: Sequence[Message]) -> FoundPassages:
        """The hits that can hold an answer, the best first, with what the model reads of each. Raises as ``_weighed`` does."""
        config, calibrated = self.knowledge.config, self.knowledge.calibrated
        weighed = await self._weighed(query, messages, least_similarity=config.least_similarity)
        passages = [hit.passage for hit in weighed.hits]
        asked = (user_texts(messages) or [query])[-1]
        allowed = OTHER_SCRIPT if in_other_script(asked, passages[:FIRST]) else 0.0
        if calibrated and config.least_evidence is not None and weighed.log_odds + allowed < config.least_evidence:
            return FoundPassages({}, (), sure=False)
        sure = calibrated and weighed.log_odds >= SURE
        lines = valid_lines(weighed, asked, date.today())
        most_lines = config.most_lines or (SURE_LINES if sure else len(weighed.lines))
        texts = focused(lines, passages, most_lines, all_lines=len(lines) == len(weighed.lines))
        nearest = sorted(lines, key=lambda line: -line.similarity)[:most_lines]
        read = {hit: text for hit, text in zip(weighed.hits, texts, strict=True) if text}
        return FoundPassages(read, tuple(line.text for line in nearest), sure)

    def _filled_template(self, knowledge: str, question: str) -> str:
        if self.template is None:
            return knowledge
        # One pass over the template: what stands in a document is not a template.
        parts = re.split(f"({re.escape(KNOWLEDGE)}|{re.escape(QUERY)})", self.template)
        return "".join({KNOWLEDGE: knowledge, QUERY: question}.get(part, part) for part in parts)


def retrieval_tool(
    knowledge: KnowledgeService,
    owner: str,
    store_id: str,
    *,
    description: str = "",
    name: str = NAME,
    template: str | None = None,
) -> RetrievalTool:
    """The tool with a client's options; the store is looked up when it is called."""
    schema = {
        "type": "object",
        "properties": {"query": {"type": "string", "description": "the question, whole and on its own"}},
        "required": ["query"],
    }
    return RetrievalTool(knowledge, owner, store_id, Tool(name, description.strip() or DESCRIPTION, schema), template)


def asks_sources(messages: Sequence[Message], intent: TurnIntent | None) -> bool:
    """Whether a turn asks something that, by the client's instructions, nothing but documents and functions may answer."""
    head = messages[0].content if messages and messages[0].role == "system" else ""
    if (
        intent is None
        or intent.acts >= MAY_ACT
        or max(intent.recall, intent.status) >= ASKS
        or not restricts_sources(head)
    ):
        return False
    return max(intent.documents, intent.current) >= ASKS_SOURCES and asks_something(user_texts(messages)[-1])


def valid_lines(weighed: WeighedHits, question: str, today: date) -> list[ScoredSentence]:
    """The lines without those that a newer document says otherwise."""
    told = [
        newest_date((*hit.passage.headings, hit.filename), today)
        or newest_date(hit.passage.text.splitlines()[:1], today)  # a plain text has no headings
        for hit in weighed.hits
    ]
    dates = [told[line.passage] for line in weighed.lines]
    old = superseded([line.text for line in weighed.lines], dates, question)
    return [line for number, line in enumerate(weighed.lines) if number not in old]


def merged(rankings: Sequence[Sequence[Hit]]) -> list[Hit]:
    """Several rankings as one, by reciprocal rank fusion; of a passage's similarities the highest counts."""
    scores = fused_scores([[_identity(hit) for hit in ranking] for ranking in rankings])
    best: dict[tuple[str, int], Hit] = {}
    for hit in chain.from_iterable(rankings):
        key = _identity(hit)
        if key not in best or hit.similarity > best[key].similarity:
            best[key] = hit
    return [best[key] for key in sorted(best, key=lambda key: (scores[key], best[key].similarity), reverse=True)]


def _identity(hit: Hit) -> tuple[str, int]:
    return hit.file_id, hit.passage.ordinal


def citation(hit: Hit) -> Citation:
    """Where an answer comes from."""
    return Citation(hit.filename, file_id=hit.file_id, passage=hit.passage.whole)


def hit_object(hit: Hit) -> dict[str, Any]:
    """A hit as clients see it."""
    return {
        "file_id": hit.file_id,
        "filename": hit.filename,
        "page": hit.passage.page,
        "score": round(hit.score, 4),
        "text": hit.passage.whole,
    }
