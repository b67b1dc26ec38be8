"""What the language model is given for a response: overrides at little cost, notes, and what fits into its context."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from session.driving import VAD, Driven
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.items import NewItem, Part
from vivavoce.protocol.session_config import FunctionTool, ResponseOverrides, SessionConfig, SessionPatch
from vivavoce.protocol.tool_config import WebSearchDeclaration
from vivavoce.session.outputs import Prefill, PrepareReply, StartReply
from vivavoce.session.prompt_budget import PromptBudget, TextLengths
from vivavoce.signatures import estimate_tools
from vivavoce.text.token_estimates import estimate_tokens
from vivavoce.types import Message

LAMP, DOOR = (
    FunctionTool(name="lamp", description="Switch the lamp."),
    FunctionTool(name="door", description="Open it."),
)
HOTEL = "You are the voice of a hotel."


def patch(driven: Driven, **fields: object) -> None:
    driven.take(client.SessionUpdate(session=SessionPatch(**fields), event_id="update"))  # type: ignore[arg-type]


def say(driven: Driven, text: str, **overrides: object) -> StartReply:
    driven.take(client.ItemCreate(item=NewItem(role="user", content=(Part(type="input_text", text=text),))))
    return create(driven, **overrides)


def create(driven: Driven, **overrides: object) -> StartReply:
    driven.take(client.ResponseCreate(response=ResponseOverrides(**overrides), event_id="create"))  # type: ignore[arg-type]
    return driven.commands(StartReply)[-1]


def answered(driven: Driven, *clauses: str) -> None:
    driven.whole_reply(*((clause, 100) for clause in clauses))
    driven.wait(1)


# ---- overrides of one response


def test_instructions_of_one_response_stand_behind_what_the_model_has_read() -> None:
    driven = Driven(None)
    patch(driven, instructions=HOTEL, tools=(LAMP,))
    say(driven, "Good morning.")
    answered(driven, "Good morning.")
    read = driven.commands(Prefill)[-1]
    work = say(driven, "When is breakfast?", instructions="Answer in French only.")
    assert work.messages[: len(read.messages) - 1] == read.messages[:-1]
    assert work.options.tools == read.options.tools
    last, user = work.messages[-1], work.messages[-2]
    assert (user.role, user.content, last.role) == ("user", "When is breakfast?", "system")
    assert "Answer in French only." in last.content
    answered(driven, "De sept à dix heures.")
    assert "French" not in str(say(driven, "And dinner?").messages), "it ruled one response"


@pytest.mark.parametrize("instructions", ["", "   ", HOTEL, f" {HOTEL}\n"])
def test_instructions_that_say_nothing_new_change_nothing(instructions: str) -> None:
    driven = Driven(None)
    patch(driven, instructions=HOTEL)
    assert [message.role for message in say(driven, "Hello.", instructions=instructions).messages] == ["system", "user"]


def test_a_response_with_items_of_its_own_keeps_the_head_of_the_prompt_too() -> None:
    driven = Driven(None)
    patch(driven, instructions=HOTEL)
    own = NewItem(role="user", content=(Part(type="input_text", text="Is it polite?"),))
    work = create(driven, conversation="none", input=(own,), instructions="Answer yes or no.")
    assert [message.role for message in work.messages] == ["system", "user", "system"]
    assert work.messages[0].content.partition("\n")[2].startswith(HOTEL)
    assert "Answer yes or no." in work.messages[-1].content


def test_tools_of_one_response_leave_the_head_of_the_prompt_alone() -> None:
    driven = Driven(None)
    patch(driven, tools=(LAMP, DOOR))
    session = driven.commands(Prefill)[-1].options.tools
    bell = FunctionTool(name="bell", description="Ring it.")
    options = say(driven, "Hello.", tools=(DOOR, bell)).options
    assert options.tools[:2] == session
    assert options.withheld == {"lamp"}
    assert options.transient == {"bell"}
    answered(driven, "Hello.")
    options = create(driven, tools=()).options
    assert options.tools == session
    assert options.withheld == {"lamp", "door"}


# ---- what nobody said


@pytest.mark.parametrize(("instructions", "told"), [("", "Greet"), (HOTEL, HOTEL)])
def test_where_nobody_has_said_anything_the_model_is_told_what_to_do(instructions: str, told: str) -> None:
    """With tools: else it answers what it is shown as an example of a turn."""
    driven = Driven(None)
    patch(driven, instructions=instructions)
    assert [message.role for message in create(driven).messages] == ["system"]
    answered(driven, "Hello.")
    for item in list(driven.session.conversation):
        driven.take(client.ItemDelete(item_id=item.id))
    patch(driven, tools=(LAMP,))
    head, last = create(driven).messages
    assert last.role == "system"
    assert told in last.content
    assert [message.role for message in driven.commands(Prefill)[-1].messages] == ["system", "user"]
    assert driven.commands(Prefill)[-1].messages[0] == head


def test_a_note_only_wants_to_be_told() -> None:
    from vivavoce.session.inputs import Notification

    driven = Driven(None)
    patch(driven, tools=(LAMP,), tool_choice="required")
    driven.take(Notification("The timer is over."))
    work = driven.commands(StartReply)[-1]
    assert "The timer is over." in work.messages[-1].content
    assert work.options.tool_choice == "none"
    assert [tool.name for tool in work.options.tools] == ["lamp"], "the head of the prompt stays"


# ---- what has no room


def test_instructions_beyond_the_context_are_refused_with_the_figures() -> None:
    driven = Driven(None)
    patch(driven, instructions="You know every house of this street. " * 800)
    [error] = [event.error for event in driven.events(ev.Error)]
    assert (error.code, error.param, error.event_id) == ("context_length_exceeded", "session.instructions", "update")
    most = driven.session.prompts.budget.most_instructions(driven.session.config)
    assert str(most) in error.message
    assert "4096" in error.message
    assert driven.session.config.instructions == ""
    assert say(driven, "Hello.").messages[-1].content == "Hello."


def test_what_a_response_brings_along_is_refused_likewise() -> None:
    driven = Driven(None)
    driven.take(client.ResponseCreate(response=ResponseOverrides(instructions="a b c " * 5000), event_id="create"))
    [error] = [event.error for event in driven.events(ev.Error)]
    assert (error.code, error.param, error.event_id) == ("context_length_exceeded", "response.instructions", "create")
    assert not driven.commands(StartReply)


def test_tools_that_leave_instructions_no_room_are_refused() -> None:
    driven = Driven(None)
    most = driven.session.prompts.budget.most_instructions(driven.session.config)
    patch(driven, instructions="a" * int(most / 0.3))
    assert not driven.events(ev.Error)
    patch(driven, tools=(WebSearchDeclaration(),))
    assert [event.error.param for event in driven.events(ev.Error)] == ["session.tools"]
    patch(driven, voice="v2")
    assert len(driven.events(ev.Error)) == 1, "what is not touched is not looked at"


def test_a_length_that_was_measured_counts() -> None:
    driven = Driven(None)
    text = "word " * 2500
    driven.session.options.lengths.measured(text.strip(), 2500)
    patch(driven, instructions=text)
    assert not driven.events(ev.Error)
    assert say(driven, "Hello.").messages[-1].content == "Hello."


def test_two_instructions_that_do_not_fit_together_each_rule_alone() -> None:
    driven = Driven(None)
    most = driven.session.prompts.budget.most_instructions(driven.session.config)
    patch(driven, instructions="session " * int(most / 4))
    work = say(driven, "Hello.", instructions="response " * int(most / 4))
    assert work.messages[0].content.partition("\n")[2].startswith("response")
    assert len(work.messages) == 2


@pytest.mark.parametrize("text", ["And on. " * 40_000, "九" * 30_000, "4711 " * 20_000, "x" * 200_000])
def test_one_message_of_any_length_is_told_by_its_ends(text: str) -> None:
    driven = Driven(None)
    work = say(driven, f"Listen. {text} Did you get that?")
    assert work.messages[-1].content.startswith("Listen.")
    assert work.messages[-1].content.endswith("Did you get that?")
    assert fits(work)


def test_the_output_of_a_function_of_any_length_is_told_beside_the_question() -> None:
    driven = Driven(None)
    patch(driven, tools=(LAMP,))
    say(driven, "Which lamps are there?")
    answered(driven, "Let me see.")
    call = NewItem(type="function_call", call_id="c1", name="lamp", arguments="{}")
    output = NewItem(type="function_call_output", call_id="c1", output=json.dumps([{"id": n} for n in range(9000)]))
    driven.take(client.ItemCreate(item=call), client.ItemCreate(item=output))
    work = create(driven)
    assert [message.role for message in work.messages] == ["system", "user", "assistant", "tool"]
    assert fits(work)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["user", "assistant", "system"]), st.text("a 1я你}😀", max_size=60)), max_size=12
    ),
    st.integers(1, 400),
    st.integers(0, 30),
    st.text("ab 7你", max_size=40),
)
def test_whatever_was_accepted_leaves_every_reply_its_room(
    items: list[tuple[str, str]], longer: int, tools: int, instructions: str
) -> None:
    driven = Driven(None)
    patch(driven, instructions=instructions * longer)
    patch(driven, tools=tuple(FunctionTool(name=f"f{n}", description="does things " * 9) for n in range(tools)))
    for role, text in items:
        kind = "text" if role == "assistant" else "input_text"
        part = Part(type=kind, text=text * longer)  # type: ignore[arg-type]
        driven.take(client.ItemCreate(item=NewItem(role=role, content=(part,))))  # type: ignore[arg-type]
    assert fits(create(driven))


def fits(work: StartReply, context_tokens: int = 4096) -> bool:
    """Whether messages, tools (all of them, or those chosen by the turn) and the reply have room together."""
    most = work.tool_tokens or 0
    rules = estimate_tools(work.options) and 540
    told = min(estimate_tools(work.options), most + rules)
    return sum(map(estimate_tokens, work.messages)) + told + work.options.max_tokens <= context_tokens


@given(st.integers(0, 4000), st.booleans(), st.booleans())
def test_the_shares_never_exceed_the_context(given_tokens: int, functions: bool, searches: bool) -> None:
    lengths = TextLengths()
    lengths.measured("x", given_tokens)
    budget = PromptBudget(4096, 512, own_tools=False, lengths=lengths)
    tools = ((LAMP,) if functions else ()) + ((WebSearchDeclaration(),) if searches else ())
    config = SessionConfig(model="m", voice="v", instructions="x", tools=tools)
    if given_tokens > budget.most_instructions(config):
        return
    left = 4096 - 512 - budget.head(config)
    assert budget.most_tools(config) + (540 if tools else 0) <= left or not tools
    assert left - budget.reserved_tokens(config, ()) >= int(4096 * 0.1) - 1


def test_an_idle_user_is_asked_and_nothing_is_called() -> None:
    from vivavoce.protocol.session_config import TurnDetection

    vad = TurnDetection(**{**{f: getattr(VAD, f) for f in VAD.__struct_fields__}, "idle_timeout_ms": 5000})
    driven = Driven(vad)
    patch(driven, tools=(LAMP,), tool_choice="required")
    say(driven, "Hello.", tool_choice="none")
    answered(driven, "Hi.")
    driven.wait(10)
    work = driven.commands(StartReply)[-1]
    assert (work.messages[-1].role, work.options.tool_choice) == ("user", "none")
    assert work.messages[-1] != Message("user", "Hello.")


def test_words_that_are_still_being_said_are_read_as_they_will_be_answered() -> None:
    """With the language they are to be answered in, which stands before them: else all of them are read again."""
    driven = Driven(VAD)
    patch(driven, instructions="Be brief.")
    assert driven.commands(Prefill)[-1].messages[-1] == Message("user", "", reply_language="en")
    driven.hear(1300, 0.9)
    driven.hear(300, 0.9)
    driven.partially_transcribed("Where can I", "en")
    ahead = driven.commands(Prefill)[-1].messages
    assert ahead[-1] == Message("user", "Where can I", reply_language="en")
    driven.hear(64, 0.0)
    driven.partially_transcribed("Where can I park?", "en")
    assert driven.commands(PrepareReply)[-1].work.messages == (
        *ahead[:-1],
        replace(ahead[-1], content="Where can I park?"),
    )
