"""What a response is asked to do, and the prompt that makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy, deepcopy
from dataclasses import dataclass, field
from typing import Any

from msgspec import UNSET, UnsetType

from vivavoce.hosted import HistoryMessage, HostedTurn
from vivavoce.protocol.items import Item
from vivavoce.protocol.languages import requested_language
from vivavoce.protocol.session_config import FunctionChoice, ServerChoice, SessionConfig
from vivavoce.protocol.session_config import ToolChoice as Choice
from vivavoce.session.context import NOTHING_HEARD, Context
from vivavoce.session.conversation import Conversation
from vivavoce.session.default_prompt import opening
from vivavoce.session.hosted_history import history_of
from vivavoce.session.options import requested_effort
from vivavoce.session.prompt_budget import PromptBudget, functions_of
from vivavoce.session.reply_style import ReplyStyle, reply_style
from vivavoce.session.thought_questions import note_of_thoughts
from vivavoce.session.voice_perception import SessionPerception, with_note
from vivavoce.session.voice_requests import VoiceRequests
from vivavoce.speaking.delivery import Delivery, delivery
from vivavoce.speaking_style import NO_CONTROLS, Control, ControlsOf, all_controls
from vivavoce.text.token_estimates import estimate_tokens
from vivavoce.thinking import Thinking
from vivavoce.types import (
    GenerationOptions,
    Language,
    Message,
    NamedTool,
    ThinkingOptions,
    ToolCall,
    ToolChoice,
    ToolOfServer,
    Transcript,
)

SILENCE_NOTE = "(The user has said nothing for a while. Ask briefly whether they are still there or need anything.)"
"""Stands for the user's turn when they let the idle timeout pass."""


NOTICE = "({} Tell the person so in one short sentence, in the language you have been speaking.)"
"""Stands for the user's turn when something is to be told them."""

OVERRIDE = "For this reply only, instead of the instructions above:\n{}"
"""Instructions of one response. They stand behind the conversation, so that all before them stays in the model's cache."""


@dataclass(frozen=True, slots=True)
class ResponseRequest:
    """One response: with what configuration, from which items, and whether it becomes part of the history.

    ``session`` is the session's configuration, where the response overrides it: the prompt begins with what that says, because
    the model has read it. ``items`` names the items that take the history's place; ``None`` means the conversation as it
    stands. ``note`` is said in the user's place and only wants to be told: nothing is called for it. ``calls`` are those of
    the server's tools the client has allowed: they come first.
    """

    config: SessionConfig
    metadata: Mapping[str, Any] | UnsetType | None = UNSET
    in_conversation: bool = True
    items: tuple[str, ...] | None = None
    note: str | None = None
    calls: tuple[ToolCall, ...] = ()
    session: SessionConfig | None = None

    @property
    def voice(self) -> str | None:
        """Who speaks; nobody in a text-only response."""
        return self.config.voice if self.config.speaks else None

    @property
    def instructions(self) -> str | None:
        """What rules this response in place of the session's instructions, if anything does."""
        own = self.config.instructions.strip()
        return own if self.session is not None and own and own != self.session.instructions.strip() else None


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the language model gets. ``tool_tokens``: how much of it may tell of tools; ``style`` is how the reply is spoken."""

    messages: tuple[Message, ...]
    options: GenerationOptions
    tool_tokens: int
    style: ReplyStyle = field(default_factory=ReplyStyle)


class PromptBuilder:
    """Makes prompts for asks, within ``budget``."""

    def __init__(
        self,
        conversation: Conversation,
        budget: PromptBudget,
        hearing: SessionPerception,
        thinking: Thinking | None = None,
        *,
        voice_requests: VoiceRequests,
        controls_of: ControlsOf = all_controls,
        hosted: bool = False,
    ) -> None:
        """``controls_of`` tells what a voice can do with its sound; ``hosted``: an engine keeps the conversation itself."""
        self._voice_requests, self._controls_of = voice_requests, controls_of
        self._hosted = hosted
        self._conversation = conversation
        self._hearing = hearing
        self._thinking = thinking
        self._context = Context(budget.context_tokens - budget.reply_tokens, budget.system_prompt)
        self.budget = budget

    def for_request(
        self,
        request: ResponseRequest,
        languages: Mapping[str, Language] = NOTHING_HEARD,
        *,
        user_speaks: bool = False,
        spoken: Item | None = None,
    ) -> Prompt:
        """What the language model gets now; ``languages`` tells by item id in what language it was spoken.

        ``user_speaks``: a turn of the user follows, so that it need not be said what to do where nobody has said anything.
        ``spoken`` is the item that turn would be, if it ended now.
        """
        session, head = request.session or request.config, self._head(request)
        options, context = self._options(request), self._context
        behind = _behind(None if head is request.config else request.instructions, request.note)
        items = self._items(request) if spoken is None else [*self._conversation, spoken]
        if request.items is not None:
            context = Context(self.budget.context_tokens - self.budget.reply_tokens, self.budget.system_prompt)
        usual = self.budget.head(session)
        tone, answered = None, None
        if not user_speaks and request.note is None and (last := _turn_answered(items)) is not None:
            spoken_items = [item for item in items if item.type == "message"]
            tone, answered = self._hearing.note_for(spoken_items, languages.get(last.id)), last.id
            notes = self._notes(request.config, items, languages.get(last.id, "en"))
            behind = (*(Message("system", note, hint=True) for note in notes), *behind)
        transient = sum(map(estimate_tokens, behind)) + (estimate_tokens(Message("system", tone)) if tone else 0)
        messages = context.messages(
            head.instructions,
            items,
            languages,
            head_tokens=usual,
            reserved_tokens=self.budget.reserved_tokens(session, options.tools),
            transient_tokens=transient + self.budget.head(head) - usual,
            continued=self._conversation.continued,
            audio_of=self._conversation.audio.of if self._conversation.audio else None,
        )
        if tone is not None:
            messages = with_note(messages, tone)
        if len(messages) == 1 and not (behind or user_speaks) and self.budget.with_tools(session):
            behind = (Message("system", opening(head.instructions)),)
        style = self._style(request.config, answered, languages.get(answered or "", "en"))
        return Prompt((*messages, *behind), options, self.budget.most_tools(head), style)

    def hosted(self, request: ResponseRequest, *, continues: bool = False) -> HostedTurn | None:
        """The same for an engine that keeps the conversation itself; ``None`` where none does.

        It speaks for itself, so it is not told how; who it is, it is. ``continues``: the reply goes on where it was cut.
        """
        if not self._hosted:
            return None
        config = request.config
        items = self._items(request)
        note = (
            () if request.note is None else (HistoryMessage(f"note:{len(items)}:{request.note}", "user", request.note),)
        )
        return HostedTurn(
            self.budget.system_prompt(config.instructions, spoken=False),
            request.voice,
            (*history_of(items, self._conversation), *note),
            config.speed,
            None if config.max_output_tokens == "inf" else config.max_output_tokens,
            None if config.transcription is None else requested_language(config.transcription.language),
            apart=request.items is not None or not request.in_conversation,
            continues=continues,
        )

    def _items(self, request: ResponseRequest) -> list[Item]:
        """What a response is made from: the conversation, or the items that take its place."""
        if request.items is None:
            return [*self._conversation]
        return [item for item_id in request.items if (item := self._conversation.find(item_id)) is not None]

    def for_turn(
        self, request: ResponseRequest, languages: Mapping[str, Language], item: Item, transcript: Transcript
    ) -> Prompt:
        """What the language model gets if the user's turn, which would be ``item``, ends with this transcript. Nothing of it is
        remembered."""
        ahead = copy(self)
        ahead._hearing, ahead._voice_requests = deepcopy(self._hearing), deepcopy(self._voice_requests)
        ahead._voice_requests.take(transcript.text)
        ahead._hearing.heard(item.id, transcript, ())
        return ahead.for_request(request, languages, spoken=item)

    def _thinking_for(self, request: ResponseRequest) -> ThinkingOptions | None:
        """What is thought for it: nothing, where there is only something to tell."""
        if self._thinking is None or request.note is not None:
            return None
        return self._thinking.options(requested_effort(request.config), "response.reasoning.effort")

    def _style(self, config: SessionConfig, answered: str | None, language: Language) -> ReplyStyle:
        """How the reply to the item ``answered`` is spoken."""
        return reply_style(
            asked_delivery(config),
            config.instructions,
            self._voice_requests,
            self._hearing.style(answered),
            speed=config.speed,
            controls=self._controls(config, language),
        )

    def _controls(self, config: SessionConfig, language: Language) -> frozenset[Control]:
        return self._controls_of(config.voice, language) if config.speaks else NO_CONTROLS

    def _notes(self, config: SessionConfig, items: Sequence[Item], language: Language) -> Iterator[str]:
        """What is to be told behind the user's turn: what it asks of the voice, and of thoughts before it."""
        controls = self._controls(config, language)
        asked = self._voice_requests.note(language, controls, asked_delivery(config).dialect)
        thoughts = note_of_thoughts([item for item in items if item.type == "message"], language)
        yield from (note for note in (asked, thoughts) if note is not None)

    def _head(self, request: ResponseRequest) -> SessionConfig:
        """Whose instructions the prompt begins with: the session's, unless there is no room for the response's beside them."""
        if request.session is None or request.instructions is None:
            return request.session or request.config
        lengths, both = self.budget.lengths, (request.session.instructions.strip(), request.instructions)
        fits = sum(map(lengths.tokens, both)) <= self.budget.most_instructions(request.config)
        return request.session if fits else request.config

    def _options(self, request: ResponseRequest) -> GenerationOptions:
        config, most = request.config, self.budget.reply_tokens
        limit = most if config.max_output_tokens == "inf" else config.max_output_tokens
        offered = functions_of(config)
        session_tools = functions_of(request.session) if request.session is not None else offered
        own = frozenset(tool.name for tool in offered if tool not in session_tools)
        head = tuple(tool for tool in session_tools if tool.name not in own)
        return GenerationOptions(
            max_tokens=min(limit, most),
            temperature=config.temperature,
            tools=(*head, *(tool for tool in offered if tool.name in own)),
            tool_choice="none" if request.note is not None else chosen(config.tool_choice),
            parallel_tool_calls=config.parallel_tool_calls,
            withheld=frozenset(tool.name for tool in head if tool not in offered),
            transient=own,
            thinking=self._thinking_for(request),
        )


def asked_delivery(config: SessionConfig) -> Delivery:
    """What the client's ``voice_label`` and ``instruction`` ask for."""
    return delivery(config.voice_label, config.instruction)


def _turn_answered(items: Sequence[Item]) -> Item | None:
    """The user's turn that is answered now, if it is the newest message."""
    last = next((item for item in reversed(items) if item.type == "message"), None)
    return last if last is not None and last.role == "user" else None


def _behind(instructions: str | None, note: str | None) -> tuple[Message, ...]:
    """What stands behind the conversation, in this prompt only."""
    override = [Message("system", OVERRIDE.format(instructions))] if instructions is not None else []
    return (*override, *([Message("user", note)] if note is not None else []))


def chosen(choice: Choice) -> ToolChoice:
    """What a client chose, for those who ask the language model."""
    match choice:
        case FunctionChoice(name=name):
            return NamedTool(name)
        case ServerChoice(server_label=label, name=name):
            return ToolOfServer(label, name)
        case word:
            return word
