"""Random conversations against the pure core: whatever happens, what goes out stays well formed and true."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from session.driving import VAD, Driven, pcm, speech
from session.mirror import Mirror
from vivavoce.audio.audio_format import AudioFormat
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.items import NewItem, Part
from vivavoce.protocol.session_config import (
    FunctionChoice,
    FunctionTool,
    ResponseOverrides,
    SessionPatch,
    TranscriptionPatch,
    TurnDetectionPatch,
)
from vivavoce.protocol.tool_config import McpServerDeclaration, WebSearchDeclaration
from vivavoce.session.inputs import (
    Connected,
    Disconnected,
    Notification,
    PartialTranscript,
    Recognised,
    RecognitionFailed,
    Replied,
    ReplyFailed,
    Scored,
    SpeechProbabilities,
    TimerFired,
    ToolsListed,
    ToolsNotListed,
)
from vivavoce.session.outputs import (
    Listen,
    ListTools,
    Output,
    ScoreTurn,
    Send,
    StartReply,
    Transcribe,
    TranscribePartially,
    WakeAt,
)
from vivavoce.types import (
    ApprovalNeeded,
    Citation,
    ClauseCut,
    ClauseSpoken,
    GenerationEnd,
    ReplyEnd,
    ReplyEvent,
    ServerToolEnded,
    ServerToolStarted,
    Speech,
    TextDelta,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
    ToolResult,
    Transcript,
    TranscriptDelta,
)

IDS = [None, None, None, "a", "b", "root"]
FORMATS = [
    AudioFormat(),
    AudioFormat(rate_hz=8000),
    AudioFormat(rate_hz=48000),
    AudioFormat(encoding="g711_ulaw", rate_hz=8000),
    AudioFormat(encoding="g711_alaw", rate_hz=8000),
]
CLIENT_OUTPUT_TYPES = ("function_call_output", "mcp_approval_response")
CLAUSES = ["Some words, ", "one two three. ", "好的，我明白了。", " — ", "word"]
LAMP = FunctionTool(name="lamp")
DESK = McpServerDeclaration(server_label="desk", server_url="http://desk")


def audio_of(format: AudioFormat, milliseconds: int, level: int) -> bytes:
    """Noise that is (not) loud enough for the recogniser; what is in it does not matter."""
    count = milliseconds * format.rate_hz // 1000
    return bytes([level, 0x40 if level else 0]) * count if format.encoding == "pcm16" else bytes([level]) * count


class Road:
    """One reply on its way. It makes what a reply road may make, also after it was told to stop."""

    def __init__(self, work: StartReply) -> None:
        self.work = work
        self.cut = 0
        self.spoken = 0
        self.calls = 0
        self.at_work: ToolCall | None = None
        self.written = not work.messages
        self.ended = False

    def begin(self) -> list[ReplyEvent]:
        return self._clause(self.work.prefix) if self.work.prefix else []

    def step(self, kind: int, text: str, milliseconds: int) -> list[ReplyEvent]:
        """One step; ``kind`` says which, as far as it is possible now."""
        if self.ended:
            return []
        if kind == 7 and not self.written:
            return self._server_tool(milliseconds)
        if kind == 0 and not self.written:
            return self._clause(text)
        if kind == 1 and self.spoken < self.cut:
            return [Speech(self.spoken, speech(milliseconds))] if self.work.voice is not None else []
        if kind == 2 and self.spoken < self.cut:
            self.spoken += 1
            return [ClauseSpoken(self.spoken - 1)]
        if kind == 3 and not self.written:
            return [ThinkingDelta("hm ")]
        if kind == 4 and not self.written:
            self.calls += 1
            name = f"call_{self.calls}"
            return [ToolCallDelta(name, "lamp", "{"), *([ToolCall(name, "lamp", "{}")] if milliseconds % 2 else [])]
        if kind == 5 and not self.written and self.at_work is None:
            self.written = True
            return [GenerationEnd("length" if milliseconds < 50 else "stop", 5, 2, 1)]
        if self.written and self.spoken == self.cut:
            self.ended = True
            return [ReplyEnd()]
        return []

    def _server_tool(self, milliseconds: int) -> list[ReplyEvent]:
        """A tool of the server begins, or ends; the client is told of some, and asked about others."""
        label, made = ("desk" if milliseconds % 2 else None), self.at_work
        if made is not None:
            self.at_work, label = None, "desk" if made.name == "told" else None
            result = ToolResult("found", (Citation("Page", url="u"),), failed=milliseconds % 3 == 0)
            return [ServerToolEnded(made, "mcp", result, "told of it", label, "find")]
        self.calls += 1
        call = ToolCall(f"call_{self.calls}", "told" if label else "unseen", "{}")
        if milliseconds % 5 == 0:
            return [ApprovalNeeded(call, "desk", "book")]
        self.at_work = call
        return [ServerToolStarted(call, "mcp", label, "find")]

    def _clause(self, text: str) -> list[ReplyEvent]:
        self.cut += 1
        return [TextDelta(text), ClauseCut(self.cut - 1, text)]


updates = st.sampled_from(
    [
        SessionPatch(turn_detection=None),
        SessionPatch(turn_detection=TurnDetectionPatch()),
        SessionPatch(turn_detection=TurnDetectionPatch(interrupt_response=False, silence_duration_ms=100)),
        SessionPatch(turn_detection=TurnDetectionPatch(create_response=False)),
        SessionPatch(turn_detection=TurnDetectionPatch(idle_timeout_ms=1000, prefix_padding_ms=0)),
        SessionPatch(turn_detection=TurnDetectionPatch(type="semantic_vad", eagerness="high")),
        SessionPatch(voice="v2"),
        SessionPatch(voice="nobody"),
        SessionPatch(modalities=("text",)),
        SessionPatch(modalities=("text", "audio")),
        SessionPatch(kind="transcription"),
        SessionPatch(kind="realtime"),
        SessionPatch(tools=(LAMP,), tool_choice=FunctionChoice(name="lamp")),
        SessionPatch(tool_choice="required"),
        SessionPatch(tools=()),
        SessionPatch(tools=(DESK, LAMP, WebSearchDeclaration())),
        SessionPatch(tools=(msgspec.structs.replace(DESK, announced=False, require_approval="never"),)),
        SessionPatch(instructions="Be brief.", speed=1.5, transcription=TranscriptionPatch(language="en")),
    ]
) | st.sampled_from(FORMATS).flatmap(
    lambda format: st.sampled_from([SessionPatch(input_audio_format=format), SessionPatch(output_audio_format=format)])
)
new_items = st.builds(
    NewItem,
    role=st.sampled_from(["user", "user", "assistant", "system", None]),
    id=st.sampled_from(IDS),
    content=st.lists(
        st.sampled_from(
            [
                Part(type="input_text", text="hi"),
                Part(type="input_audio", audio=pcm(100)),
                Part(type="input_audio", audio=b"", transcript="said"),
                Part(type="input_audio", audio=b"\0"),
            ]
        ),
        max_size=2,
    ).map(tuple),
) | st.sampled_from(
    [
        NewItem(type="function_call", call_id="c", name="lamp", arguments="{}"),
        NewItem(type="function_call_output", call_id="c", output="o"),
        NewItem(type="mcp_approval_response", approval_request_id="nobody", approve=True),
    ]
)


def is_approval(session_input: Any) -> bool:
    return isinstance(session_input, client.ItemCreate) and session_input.item.type == "mcp_approval_response"


class Conversations(RuleBasedStateMachine):
    """A client, a microphone, a detector, a recogniser and a reply road that do anything in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.driven = Driven(VAD, audio_lead_ms=500, buffer_ms=3000, report_marks=True)
        self.mirror = Mirror()
        self.read = 0
        self.to_hear: list[Listen] = []
        self.roads: list[Road] = []
        self.works: dict[type, list[Any]] = {Transcribe: [], TranscribePartially: [], ScoreTurn: [], ListTools: []}
        self.requests: list[str] = []
        self.prompted: set[str] = set()
        self.asked_for = 0
        self.may_sound: set[str] = set()
        self.last_status = ""

    def take(self, *inputs: Any) -> None:
        for session_input in inputs:
            self.take_one(session_input)

    def take_one(self, session_input: Any) -> None:
        session = self.driven.session
        speaking, waiting, errors = session.input_turn.speaking, self.anything_waits(), self.mirror.errors
        fresh = self.driven.take(session_input)
        explicit = isinstance(session_input, client.ResponseCreate | Notification) or is_approval(session_input)
        if explicit and len(self.driven.events(ev.Error)) == errors:
            self.asked_for += 1
        self.check()
        created = self.driven.events(ev.ResponseCreated, fresh)
        if isinstance(session_input, ReplyFailed):
            assert not created or waiting, "a failure starts no response"
        if speaking and session.input_turn.speaking:
            self.nobody_is_talked_over(session_input, fresh)
        if session.input_turn.speaking and not speaking:
            self.may_sound = {self.mirror.active} if self.mirror.active is not None else set()

    def anything_waits(self) -> bool:
        arbiter = self.driven.session.arbiter
        return bool(len(arbiter._queue) or arbiter._unanswered or arbiter._notices or arbiter._barge_in.paused)

    def nobody_is_talked_over(self, session_input: Any, fresh: list[Output]) -> None:
        """While the user speaks nothing begins but what a client asks for now, and nothing goes on that they interrupt."""
        for created in self.driven.events(ev.ResponseCreated, fresh):
            out_of_band = created.response.conversation_id is None
            assert isinstance(session_input, client.ResponseCreate) or (
                out_of_band and not created.response.config.speaks
            )
            self.may_sound.add(created.response.id)
        for delta in self.driven.events(ev.AudioDelta, fresh):
            assert delta.response_id in self.may_sound

    def check(self) -> None:
        while self.read < len(self.driven.outputs):
            output = self.driven.outputs[self.read]
            self.read += 1
            self.notice(output)

    def answers_something(self, work: StartReply) -> None:
        """Each prompt of the conversation has something new to answer, or was asked for."""
        session, reply = self.driven.session, self.driven.session.responses._reply
        assert reply is not None
        if reply.work is not work or not reply.request.in_conversation or reply.request.items is not None:
            return  # the rest of a paused reply, or not of the conversation
        users = {item.id for item in session.conversation if item.role == "user" or item.type in CLIENT_OUTPUT_TYPES}
        assert users - self.prompted or self.asked_for
        self.prompted |= users
        self.asked_for = min(self.asked_for, len(session.arbiter._queue) + len(session.arbiter._notices))

    def notice(self, output: Output) -> None:
        match output:
            case Send(event=event):
                self.mirror.apply(event)
                if isinstance(event, ev.OutputItemAdded) and event.item.type == "mcp_approval_request":
                    self.requests.append(event.item.id)
                if isinstance(event, ev.ResponseDone) and event.response.status == "completed":
                    self.sent_is_made(event)
                if isinstance(event, ev.ResponseDone) and event.response.conversation_id is not None:
                    self.last_status = event.response.status
                if isinstance(event, ev.TimeoutTriggered):
                    assert self.last_status in ("completed", "incomplete"), "nobody is asked after a failure"
                    assert not self.driven.session.input_turn.speaking
            case Listen():
                self.to_hear.append(output)
            case StartReply():
                self.answers_something(output)
                self.roads.append(Road(output))
            case Transcribe() | TranscribePartially() | ScoreTurn() | ListTools():
                self.works[type(output)].append(output)

    def sent_is_made(self, event: ev.ResponseDone) -> None:
        response = self.driven.session.responses.newest
        if response is None or response.id != event.response.id or response.playback is None:
            return
        if not response.playback.silenced:
            assert abs(self.sent_ms(response.config.output_audio_format) - response.playback.duration_ms) <= 1

    def sent_ms(self, format: AudioFormat) -> float:
        sample = 2 if format.encoding == "pcm16" else 1
        return self.mirror.audio_bytes / sample / format.rate_hz * 1000

    # ---- microphone and detector

    @rule(milliseconds=st.integers(0, 400), level=st.sampled_from([0, 0x40]))
    def microphone(self, milliseconds: int, level: int) -> None:
        self.take(
            client.AudioAppend(audio=audio_of(self.driven.session.config.input_audio_format, milliseconds, level))
        )

    @precondition(lambda self: self.to_hear)
    @rule(probability=st.sampled_from([0.0, 0.9]))
    def detector(self, probability: float) -> None:
        frames = self.to_hear.pop(0).frames
        self.take(SpeechProbabilities(frames.position, [probability] * len(frames.frames)))

    @rule(milliseconds=st.integers(64, 700), probability=st.sampled_from([0.0, 0.9, 0.9]))
    def hear(self, milliseconds: int, probability: float) -> None:
        self.microphone(milliseconds, 0x40)
        while self.to_hear:
            self.detector(probability)

    # ---- the client

    @rule(
        event=st.sampled_from(
            [
                client.AudioCommit(),
                client.AudioCommit(under_vad=True),
                client.AudioClear(),
                client.ResponseCancel(),
                client.ResponseCancel(response_id="nobody"),
                client.OutputAudioClear(),
                client.AudioAppend(audio=b"\0"),
            ]
        )
    )
    def client_says(self, event: Any) -> None:
        self.take(event)

    @rule(patch=updates)
    def update(self, patch: SessionPatch) -> None:
        self.take(client.SessionUpdate(session=patch))

    @rule(item=new_items, data=st.data())
    def create_item(self, item: NewItem, data: st.DataObject) -> None:
        after = data.draw(st.sampled_from([None, "root", "nobody", *self.mirror.order]))
        self.take(client.ItemCreate(item=item, previous_item_id=after))

    @precondition(lambda self: self.mirror.order)
    @rule(data=st.data(), what=st.integers(0, 3), end_ms=st.integers(-5, 3000))
    def change_an_item(self, data: st.DataObject, what: int, end_ms: int) -> None:
        item_id = data.draw(st.sampled_from(self.mirror.order))
        if what == 0:
            self.take(client.ItemDelete(item_id=item_id))
            return
        if what == 1:
            self.take(client.ItemRetrieve(item_id=item_id))
            assert self.driven.events(ev.ItemRetrieved)[-1].item.id == item_id
            return
        index = len(self.mirror.items[item_id].parts) - 1
        self.take(client.ItemTruncate(item_id=item_id, audio_end_ms=end_ms, content_index=max(index, 0)))

    @rule(
        modalities=st.sampled_from([("text",), ("text", "audio")]),
        conversation=st.sampled_from(["auto", "auto", "none"]),
        given=st.none() | st.lists(new_items | st.just(NewItem(type="item_reference", id="a")), max_size=2).map(tuple),
        named=st.booleans(),
    )
    def create_response(self, modalities: Any, conversation: Any, given: Any, named: bool) -> None:
        fields: dict[str, Any] = {"modalities": modalities, "conversation": conversation}
        if given is not None:
            fields["input"] = given
        if named:
            fields["metadata"] = {"k": "v"}
        self.take(client.ResponseCreate(response=ResponseOverrides(**fields)))

    # ---- the engines

    @precondition(lambda self: self.works[Transcribe])
    @rule(data=st.data(), text=st.sampled_from(["", "hello", "Mhm."]), kind=st.integers(0, 3))
    def recogniser(self, data: st.DataObject, text: str, kind: int) -> None:
        work = data.draw(st.sampled_from(self.works[Transcribe][-3:]))
        if kind == 0:
            self.take(RecognitionFailed(work.item_id, work.content_index, "no"))
        elif kind == 1:
            self.take(Recognised(work.item_id, work.content_index, TranscriptDelta("he")))
        else:
            self.take(Recognised(work.item_id, work.content_index, Transcript(text, "en")))

    @precondition(lambda self: self.works[TranscribePartially])
    @rule(data=st.data(), text=st.sampled_from(["", "Mhm", "so", "so I thought", "so I thought we might", None]))
    def reading(self, data: st.DataObject, text: str | None) -> None:
        work = data.draw(st.sampled_from(self.works[TranscribePartially][-3:]))
        self.take(PartialTranscript(work.item_id, work.until, None if text is None else Transcript(text, "en")))

    @precondition(lambda self: self.works[ScoreTurn])
    @rule(data=st.data(), score=st.none() | st.floats(0, 1))
    def scorer(self, data: st.DataObject, score: float | None) -> None:
        work = data.draw(st.sampled_from(self.works[ScoreTurn][-2:]))
        self.take(Scored(work.item_id, work.voiced_until, score))

    @precondition(lambda self: self.roads)
    @rule(
        kinds=st.lists(st.integers(0, 8), min_size=1, max_size=6),
        text=st.sampled_from(CLAUSES),
        milliseconds=st.integers(1, 900),
        old=st.integers(0, 9),
    )
    def reply(self, kinds: list[int], text: str, milliseconds: int, old: int) -> None:
        road = self.roads[-2 if old == 0 and len(self.roads) > 1 else -1]
        events = [] if road.cut else road.begin()
        for kind in kinds:
            events += road.step(kind, text, milliseconds)
        self.take(*(Replied(road.work.response_id, event) for event in events))

    @precondition(lambda self: self.works[ListTools])
    @rule(good=st.booleans())
    def tool_server(self, good: bool) -> None:
        work = self.works[ListTools].pop()
        tools = ({"name": "find", "description": "", "input_schema": {}},)
        self.take(ToolsListed(work.item_id, tools) if good else ToolsNotListed(work.item_id, "no"))

    @precondition(lambda self: self.requests)
    @rule(approve=st.booleans())
    def approval(self, approve: bool) -> None:
        request = self.requests.pop()
        self.take(
            client.ItemCreate(item=NewItem(type="mcp_approval_response", approval_request_id=request, approve=approve))
        )

    @rule()
    def timer(self) -> None:
        self.take(Notification("The timer is over."))

    @precondition(lambda self: self.roads)
    @rule(text=st.sampled_from(CLAUSES), milliseconds=st.integers(50, 1500), last=st.booleans())
    def clause(self, text: str, milliseconds: int, last: bool) -> None:
        """The usual case: a clause and its speech, perhaps the end."""
        road = self.roads[-1]
        events = [] if road.cut else road.begin()
        for kind in (0, 1, 2, *((5, 6) if last else ())):
            events += road.step(kind, text, milliseconds)
        self.take(*(Replied(road.work.response_id, event) for event in events))

    @rule(text=st.sampled_from(["", "hello", "Mhm."]))
    def turn(self, text: str) -> None:
        """The usual case: something is said, or only a noise made, and recognised."""
        before = len(self.works[Transcribe])
        self.hear(200, 0.9)
        self.hear(500, 0.0)
        for work in self.works[Transcribe][before:]:
            self.take(Recognised(work.item_id, work.content_index, Transcript(text, "en")))

    @precondition(lambda self: self.roads)
    @rule(old=st.booleans())
    def reply_fails(self, old: bool) -> None:
        road = self.roads[0 if old else -1]
        if not road.ended:
            road.ended = True
            self.take(ReplyFailed(road.work.response_id, "no"))

    @rule(lost=st.booleans())
    def connection(self, lost: bool) -> None:
        self.take(Disconnected() if lost else Connected())

    @rule(seconds=st.floats(0, 3))
    def wait(self, seconds: float) -> None:
        self.driven.wait(seconds)

    # ---- what must hold

    @invariant()
    def client_and_server_agree(self) -> None:
        self.check()
        self.mirror.agrees(self.driven.session)
        response = self.driven.session.responses.newest
        if response is not None and response.active and response.playback and not response.playback.silenced:
            assert self.sent_ms(response.config.output_audio_format) <= response.playback.duration_ms + 1

    @invariant()
    def nobody_is_woken_in_vain(self) -> None:
        wakes = [output.at for output in self.driven.take(TimerFired()) if isinstance(output, WakeAt)]
        assert all(at > self.driven.now for at in wakes)

    def teardown(self) -> None:
        """When the client has had enough, everything that was accepted is given back."""
        session = self.driven.session
        self.take(client.SessionUpdate(session=SessionPatch(turn_detection=None)), client.AudioClear())
        for work in self.works[Transcribe]:
            self.take(RecognitionFailed(work.item_id, work.content_index, "no"))
        for work in self.works[TranscribePartially]:
            self.take(PartialTranscript(work.item_id, work.until, None))
        for work in self.works[Transcribe]:
            self.take(RecognitionFailed(work.item_id, work.content_index, "no"))
        while session.responses.active:
            self.take(client.ResponseCancel())
        self.driven.wait(5)
        self.check()
        assert not session.responses.active
        session.arbiter._notices.clear()  # those wait for a conversation
        assert not self.anything_waits()
        assert not session.arbiter._awaited
        assert not session.transcripts
        assert not session.conversation._out_of_band
        assert not [playback for playback in session.responses.spoken._playbacks.values() if playback.paused]
        assert session.arbiter.wake_at(session.config) is None


Conversations.TestCase.settings = settings(
    max_examples=200, stateful_step_count=50, deadline=None, derandomize=True, database=None
)
TestConversations = Conversations.TestCase


class Endings(Conversations):
    """The same, until the client has nothing more to say: in silence, and with engines that work, all comes to its end."""

    def teardown(self) -> None:
        session = self.driven.session
        for _ in range(20):
            self.engines_work()
            if session.config.turn_detection is not None:
                self.microphone(400, 0)
                self.engines_work()
            self.driven.wait(1.0)
            self.check()
        vad = session.config.turn_detection
        if vad is not None and vad.idle_timeout_ms is not None:
            return  # it goes on asking
        assert not session.responses.active
        assert not session.transcripts
        assert not session.arbiter._awaited
        assert session.config.kind == "transcription" or not self.anything_waits()

    def engines_work(self) -> None:
        while self.to_hear:
            self.detector(0.0)
        for work in self.works[TranscribePartially]:
            self.take(PartialTranscript(work.item_id, work.until, Transcript("", "en")))
        for work in self.works[Transcribe]:
            self.take(Recognised(work.item_id, work.content_index, Transcript("", "en")))
        self.works[TranscribePartially].clear()
        self.works[Transcribe].clear()
        road = self.roads[-1] if self.roads else None
        if road is not None and not road.ended:
            road.ended = True
            self.take(*(Replied(road.work.response_id, event) for event in (GenerationEnd("stop"), ReplyEnd())))


Endings.TestCase.settings = settings(
    max_examples=80, stateful_step_count=50, deadline=None, derandomize=True, database=None
)
TestEndings = Endings.TestCase


@given(
    clauses=st.lists(st.tuples(st.sampled_from(CLAUSES), st.integers(0, 900)), min_size=1, max_size=5),
    noises=st.lists(st.floats(0.01, 1.5), max_size=4),
    lead_ms=st.sampled_from([200, 1000, 5000]),
    written=st.integers(0, 5),
)
@settings(max_examples=150, deadline=None, derandomize=True, database=None)
def test_a_reply_is_whole_however_often_noise_cuts_it(
    clauses: list[tuple[str, int]], noises: list[float], lead_ms: int, written: int
) -> None:
    """``written``: how many clauses are there before the first noise; the rest is made after the last one."""
    driven = Driven(VAD, audio_lead_ms=lead_ms)
    driven.take(client.ResponseCreate())

    def speak(index: int, text: str, milliseconds: int) -> None:
        driven.reply(TextDelta(text), ClauseCut(index, text))
        driven.reply(*([Speech(index, speech(milliseconds))] if milliseconds else []), ClauseSpoken(index))

    for index, (text, milliseconds) in enumerate(clauses[:written]):
        speak(index, text, milliseconds)
    heard_ms = 0
    for seconds in noises:
        driven.wait(seconds)
        driven.hear(160, 0.9)
        cut = driven.session._barge_in._paused
        assert cut is not None
        heard_ms += cut.position_ms
        driven.hear(320, 0.0)
        driven.transcript("")
    work = driven.commands(StartReply)[-1]
    begun = [(work.prefix, 100)] if work.prefix else []
    for index, (text, milliseconds) in enumerate(begun + clauses[written:]):
        speak(index, text, milliseconds)
    driven.reply(GenerationEnd("stop"), ReplyEnd())
    driven.wait(10)
    said = "".join(item.parts[0].words for item in driven.session.conversation if item.role == "assistant")
    assert said.replace(" ", "") == "".join(text for text, _ in clauses).replace(" ", "")
    last = driven.events(ev.ResponseDone)[-1].response
    assert last.status == "completed"
    if written >= len(clauses):
        sent_ms = sum(len(delta.delta) for delta in driven.events(ev.AudioDelta) if delta.response_id == last.id) / 48
        assert heard_ms + sent_ms == sum(milliseconds for _, milliseconds in clauses)
