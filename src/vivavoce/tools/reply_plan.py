"""What is settled before the model writes: which searches are made, which calls may be, and what it is told of it."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from vivavoce.conduct.manner import Manner, manner_of
from vivavoce.errors import EngineError
from vivavoce.ids import random_id
from vivavoce.intents.classifier import IntentClassifier
from vivavoce.intents.turn import TurnIntent, turn_intent
from vivavoce.tools.base import CallContext, ServerTool
from vivavoce.tools.beginnings import Beginning, beginning_of, has_last_word, is_overridden
from vivavoce.tools.call_guard import MAY_ASK_FOR, CallGuard, ConfirmPolicy, levels_of
from vivavoce.tools.confirmations import Confirmations, answer_of
from vivavoce.tools.corrections import Correction, correction_of
from vivavoce.tools.grounding import numbers_of
from vivavoce.tools.interrupted import interrupted_request
from vivavoce.tools.queries import points_back, user_texts
from vivavoce.tools.recollection import recollection
from vivavoce.tools.relevance import RECENT
from vivavoce.tools.rendering import in_language, is_quoted
from vivavoce.tools.retrieval import asks_sources
from vivavoce.tools.selection import shared_words
from vivavoce.types import GenerationOptions, Language, Message, NamedTool, Tool, ToolCall

log = logging.getLogger(__name__)

_DECLINED: Mapping[Language, str] = {
    "en": "The person said no. Nothing was done and nothing will be: say so in a few words.",
    "zh": "用户说不。什么都没有办理，也不会办理：用几个字告诉用户。",
    "ja": "ユーザーは断りました。何も実行していません。短くそう伝えてください。",
}
_ONLY_ASKING: Mapping[Language, str] = {
    "en": "The person only asks. Nothing has been done: do not say that anything was.",
    "zh": "用户只是在询问。什么都没有办理：不要说已经办了。",
    "ja": "ユーザーは質問しているだけです。何も実行していません。実行したと言わないでください。",
}


@dataclass(frozen=True, slots=True)
class ReplyPlan:
    """Options of a reply, the ``calls`` the server makes first, the ``guard`` of the model's calls, a ``note`` to it, how the
    reply has to begin (``begun``) and in what ``manner`` it is told. ``asks_documents``: what they tell, if they do, is the
    answer."""

    options: GenerationOptions
    calls: Sequence[ToolCall] = ()
    guard: CallGuard | None = None
    note: str = ""
    begun: str = ""
    manner: Manner | None = None
    asks_documents: bool = False


@dataclass(frozen=True, slots=True)
class ReplyPlanner:
    """Plans replies to what users say. Without a ``classifier``, or where it knows nothing, everything counts as a request."""

    classifier: IntentClassifier | None
    confirmations: Confirmations
    policy: ConfirmPolicy

    async def plan(
        self,
        messages: Sequence[Message],
        options: GenerationOptions,
        tools: Sequence[ServerTool],
        context: CallContext,
    ) -> ReplyPlan:
        """The plan for a reply to ``messages`` with ``options``; ``tools`` are the server's."""
        overridden = is_overridden(messages)
        manner = manner_of(messages, context.language, overridden=overridden)
        beginning = Beginning() if overridden else beginning_of(messages, options, context.language, manner)
        if not options.tools or options.tool_choice == "none" or beginning.settled:
            return ReplyPlan(options, note=beginning.note, begun=beginning.begun, manner=manner)
        return replace(await self._with_tools(messages, options, tools, context, beginning), manner=manner)

    # ---- inside

    async def _with_tools(
        self,
        messages: Sequence[Message],
        options: GenerationOptions,
        tools: Sequence[ServerTool],
        context: CallContext,
        beginning: Beginning,
    ) -> ReplyPlan:
        intent = await self._intent(messages)
        if intent is not None and (before := interrupted_request(messages)):
            earlier = await self._intent(before)
            intent = intent if earlier is None else intent.joined(earlier)
        own = {tool.tool.name: tool for tool in tools}
        guarded = [tool for tool in options.tools if tool.name not in own or own[tool.name].kind == "mcp"]
        guard = self._guard(guarded, context, intent)
        if intent is not None and not has_last_word(messages):
            # A result is to be told. It is no reason to do something, unless the turn as a whole asked for that.
            guard = replace(guard, acts=min(intent.acts, intent.whole_acts))
        asked = self.confirmations.pending(context.owner, messages)
        asked = asked if asked is not None and asked.name in guard.tools else None
        correction = correction_of(messages, asked) if has_last_word(messages) else None
        if correction is not None and _may_be_put_right(correction, guard, asked):
            return _put_right(options, guard, correction, by_server=correction.name in own)
        if asked is not None:
            match answer_of(user_texts(messages)[-1], intent.answer if intent else None):
                case "yes":
                    return _confirmed(options, guard, asked, by_server=asked.name in own)
                case "no":
                    return _declined(options, guard)
                case "neither":
                    guard = replace(guard, acts=1.0)  # the request stands, and is put right
        elif note := recollected(intent, messages, context.language):
            return ReplyPlan(replace(options, tool_choice="none"), (), guard, beginning.note or note, beginning.begun)
        withheld = frozenset(guard.tools) if _is_talk(intent) else guard.withheld() | _beside_the_act(intent, guard)
        options = replace(options, withheld=options.withheld | withheld)
        fresh = has_last_word(messages)
        looks_up = fresh and _surely_looks_up(intent, guard)
        calls = await self._searches(messages, options, tools, intent) if fresh and not looks_up else []
        # What has been looked up is not looked up again by the model.
        options = replace(options, withheld=options.withheld | {call.name for call in calls} | _useless(tools, intent))
        callable_ = {tool.name for tool in guarded} - options.withheld
        surely_acts = fresh and intent is not None and intent.whole_acts >= SURELY_ACTS
        options = replace(options, likely_call=surely_acts or looks_up)
        if looks_up:
            options = _with_only_look_up(options, callable_, guard, intent)
        if beginning.begun and beginning.personal and not callable_ and not calls:
            return ReplyPlan(options, calls, guard, beginning.note, beginning.begun)
        note = (
            _note(intent, messages, context.language, searches=bool(calls), withholds=bool(withheld)) if fresh else ""
        )
        note = note or ("" if beginning.begun else beginning.note)
        return ReplyPlan(options, calls, guard, note, asks_documents=_asks_documents(intent, messages))

    async def _intent(self, messages: Sequence[Message]) -> TurnIntent | None:
        if self.classifier is None:
            return None
        try:
            return await turn_intent(self.classifier, messages)
        except EngineError as error:
            log.warning("what a turn wants cannot be told: %s", error)
            return None

    def _guard(self, tools: Sequence[Tool], context: CallContext, intent: TurnIntent | None) -> CallGuard:
        return CallGuard(
            {tool.name: tool for tool in tools},
            self.policy,
            context.language,
            intent.acts if intent else None,
            levels=levels_of(tools),
        )

    async def _searches(
        self,
        messages: Sequence[Message],
        options: GenerationOptions,
        tools: Sequence[ServerTool],
        intent: TurnIntent | None,
    ) -> list[ToolCall]:
        """Calls of what should have the answer, however long it takes to find out: a model that is not told guesses."""
        offered = [tool for tool in tools if tool.tool in options.tools and tool.tool.name not in options.withheld]
        try:
            found = await asyncio.gather(*(tool.arguments_in_advance(messages, intent) for tool in offered))
        except EngineError as error:
            log.warning("the evidence of tools cannot be computed: %s", error)
            return []
        return [
            ToolCall(random_id("call"), tool.tool.name, json.dumps(arguments, ensure_ascii=False))
            for tool, arguments in zip(offered, found, strict=True)
            if arguments is not None
        ]


ASKS_DOCUMENTS = 0.9
"""Probability from which on documents are asked for, and nothing beside them."""

LEAST_LOOKED_UP = 100
"""Smaller numbers are counts and measures; orders, patients and bills have longer ones."""

LIKELY_RECALLS, SURELY_RECALLS = 0.7, 0.9
"""Probabilities that a turn asks for what came up before: where it shares words with that, and where it does not."""

SURELY_ACTS = 0.9
"""Probability of a request from which on it surely is one."""

_LOOKS_UP = re.compile(
    r"\b(?:look|check|find|search|see|show|tell|know|where|when|which|what|who|how)\b|查|看看|找|告诉|哪|几|多少|什么|調べ|確認|教えて|探",
    re.IGNORECASE,
)
"""Words of somebody who wants to know something first."""

MAY_BE_STATUS, IS_OWN, IS_STATUS = 0.5, 0.8, 0.9
"""Probabilities from which on a turn may ask how something of the user's own stands; from which on it does, where its number is
given; and from which on it surely does."""

TALK = 0.1
"""Probability below which a turn asks for nothing of a kind."""

ABOUT_ACTING = 0.5
"""Probability of a question from which on a turn without a request is one about the functions there are."""


def _is_talk(intent: TurnIntent | None) -> bool:
    """Whether a turn surely wants nothing looked up or done: to ask the model takes a prompt of its own."""
    if intent is None or intent.status >= MAY_BE_STATUS or _has_looked_up_number(intent):
        return False
    return max(intent.acts, intent.documents, intent.current) < TALK


def _asks_documents(intent: TurnIntent | None, messages: Sequence[Message]) -> bool:
    """Whether a turn surely asks what documents tell: nothing is to be done, no number is given that could be looked up, and
    nothing that was looked up is pointed back at."""
    if intent is None or intent.acts >= MAY_ASK_FOR or intent.status >= IS_STATUS:
        return False
    if _has_looked_up_number(intent) or _may_mean_result(messages):
        return False
    return intent.documents >= ASKS_DOCUMENTS or asks_sources(messages, intent)


def _surely_looks_up(intent: TurnIntent | None, guard: CallGuard) -> bool:
    """Whether a turn asks how something of the user's own stands and gives its number, where a function may look that up: what
    documents tell about such things in general would be answered instead."""
    if intent is None or intent.status < MAY_BE_STATUS or not _has_looked_up_number(intent):
        return False
    return any(level == "none" for level in guard.levels.values())


def _with_only_look_up(
    options: GenerationOptions, names: Collection[str], guard: CallGuard, intent: TurnIntent | None
) -> GenerationOptions:
    """``options`` that demand the one function of ``names``, where there is no other and it only looks up."""
    if intent is None or intent.status < IS_OWN or options.tool_choice != "auto" or len(names) != 1:
        return options
    (only,) = names
    return replace(options, tool_choice=NamedTool(only)) if guard.levels[only] == "none" else options


def _note(
    intent: TurnIntent | None, messages: Sequence[Message], language: Language, *, searches: bool, withholds: bool
) -> str:
    """What the model is told beside the user's turn: what a function told that they point back at; or, where functions that act
    are withheld and nothing has been looked up for it, that they only ask."""
    if searches:
        return recollection(messages, language).note if _may_mean_result(messages) else ""
    about_acting = withholds and intent is not None and intent.documents >= ABOUT_ACTING
    return in_language(_ONLY_ASKING, language) if about_acting else ""


def _has_looked_up_number(intent: TurnIntent) -> bool:
    return any(number >= LEAST_LOOKED_UP for number in numbers_of(intent.text))


def recollected(intent: TurnIntent | None, messages: Sequence[Message], language: Language) -> str:
    """What came up before, for a turn that surely asks for something of it; else nothing. Such a turn wants no search, which
    would find something else of the kind, and no call."""
    if intent is None or intent.acts >= MAY_ASK_FOR or not has_last_word(messages) or _has_looked_up_number(intent):
        return ""
    earlier = recollection(messages, language)
    if (earlier.matches and intent.recall >= LIKELY_RECALLS) or intent.recall >= SURELY_RECALLS:
        return earlier.note
    return ""


def _beside_the_act(intent: TurnIntent | None, guard: CallGuard) -> frozenset[str]:
    """Look-ups that are left out where a turn surely asks for an act that shares words with a function that acts, and more than
    with those that look up: a small model looks the order up, tells of it, and leaves it at that."""
    if intent is None or intent.whole_acts < SURELY_ACTS or _LOOKS_UP.search(intent.text):
        return frozenset()
    tools = list(guard.tools.values())
    scores = dict(zip((tool.name for tool in tools), shared_words([intent.text], tools), strict=True))
    looking = {name for name, level in guard.levels.items() if level == "none"}
    acting = max((score for name, score in scores.items() if name not in looking), default=0.0)
    if acting <= max((scores[name] for name in looking), default=0.0):
        return frozenset()
    return frozenset(looking)


def _may_mean_result(messages: Sequence[Message]) -> bool:
    """Whether the user's last words point back, and what a function told is not far back."""
    told = any(message.role == "tool" and not is_quoted(message) for message in messages[-RECENT:])
    return told and points_back(user_texts(messages)[-1])


def _useless(tools: Sequence[ServerTool], intent: TurnIntent | None) -> frozenset[str]:
    """Searches of documents that were not made in advance: where it is known what a turn wants, they have nothing for it, and a
    small model would search them for whatever is asked."""
    return frozenset(tool.tool.name for tool in tools if intent is not None and tool.kind == "retrieval")


def _confirmed(options: GenerationOptions, guard: CallGuard, call: ToolCall, *, by_server: bool) -> ReplyPlan:
    """The user has said yes: the call is made as it was read to them."""
    call = replace(call, id=random_id("call"))
    if by_server:
        return ReplyPlan(options, (call,), guard)
    return ReplyPlan(options, (), replace(guard, confirmed=call))


def _may_be_put_right(correction: Correction, guard: CallGuard, asked: ToolCall | None) -> bool:
    """What has been looked up is looked up anew, and what was only asked about is asked about anew; what was done, is done."""
    level = guard.levels.get(correction.name)
    return level == "none" or (level is not None and asked is not None and asked.name == correction.name)


def _put_right(options: GenerationOptions, guard: CallGuard, correction: Correction, *, by_server: bool) -> ReplyPlan:
    """The call is made as it was put right; where only its function is known, the model writes it."""
    options = replace(options, withheld=options.withheld - {correction.name})
    if correction.call is None or (by_server and guard.levels[correction.name] != "none"):
        return ReplyPlan(replace(options, tool_choice=NamedTool(correction.name)), (), guard)
    if by_server:
        return ReplyPlan(options, (correction.call,), guard)
    return ReplyPlan(options, (), replace(guard, proposed=correction.call))


def _declined(options: GenerationOptions, guard: CallGuard) -> ReplyPlan:
    """The user has said no: nothing is done, and the model says so."""
    acting = {name for name, level in guard.levels.items() if level != "none"}
    return ReplyPlan(
        replace(options, withheld=options.withheld | acting), (), guard, in_language(_DECLINED, guard.language)
    )
