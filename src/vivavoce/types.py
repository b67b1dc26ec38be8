"""The words engines and runtime share: samples, messages, deltas. Data only, no behaviour.

One vocabulary keeps an engine ignorant of sockets and dialects: it sees samples and messages, and yields what it
hears, thinks or says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vivavoce.sound import MessageAudio, Spoken
from vivavoce.speaking_style import PLAIN, SpeakingStyle
from vivavoce.voice_facts import Perceived

Samples: TypeAlias = NDArray[np.float32]
"""Mono audio, ``float32[n]`` in [-1, 1]. The rate travels beside it as ``rate_hz``."""

Vectors: TypeAlias = NDArray[np.float32]
"""What texts mean, ``float32[n, d]``: each row of length 1, so that the product of two is their cosine."""

Language: TypeAlias = str
"""ISO 639-1 code, e.g. ``en``, ``zh``, ``ja``."""

Sex: TypeAlias = Literal["female", "male"]
"""Of a voice."""

Role: TypeAlias = Literal["system", "user", "assistant", "tool"]
FinishReason: TypeAlias = Literal["stop", "length", "tool_calls"]


@dataclass(frozen=True, slots=True)
class TranscribeOptions:
    """How to transcribe. One value, so that an option that is added breaks no engine.

    ``language`` skips detection; ``prompt`` biases spelling; ``words`` asks for the times of words and for the tokens.
    ``translate``: whatever is said, the text is English. ``temperature`` in [0, 1]: 0 writes what is likeliest, more samples.
    ``encoding``: yield a ``SpeechEncoding`` first, where the engine has one.
    """

    language: Language | None = None
    prompt: str | None = None
    words: bool = False
    translate: bool = False
    temperature: float = 0.0
    encoding: bool = False


@dataclass(frozen=True, slots=True)
class TranscriptDelta:
    """More text of an utterance still being recognised; append it to what came before."""

    text: str


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a transcript as it is written, punctuation included, and when it is said, from the utterance's start.

    Where a script has no spaces it is a character. ``text`` begins with the space before it, if there is one: joined, the
    words are the text.
    """

    text: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a transcript and its natural log probability. Its bytes may be a part of a character."""

    id: int
    data: bytes
    log_probability: float


@dataclass(frozen=True, slots=True)
class Confidence:
    """How sure a recogniser was: mean log probability of the tokens, probability in [0, 1] that nobody spoke, and how far
    zlib compresses the text (above 2.4 it repeats itself).
    """

    log_probability: float
    no_speech: float
    compression: float


@dataclass(frozen=True, slots=True)
class Transcript:
    """The final text of an utterance. ``text`` is empty when nothing was said.

    ``words`` and ``tokens`` are there when they were asked for and the engine can tell; so is ``confidence``. ``perceived`` is
    what a perceiver heard beside the words; no recogniser says it.
    """

    text: str
    language: Language
    words: tuple[Word, ...] = ()
    tokens: tuple[Token, ...] = ()
    confidence: Confidence | None = None
    perceived: Perceived | None = None


@dataclass(frozen=True, slots=True)
class SpeakOptions:
    """How to speak a clause: with which of the synthesizer's voices, in which language, how fast (``speed`` in [0.25, 4]).

    Of ``style`` an engine heeds what it has among its ``controls``, and ``pauses``; the router does the rest, and has its
    ``rate`` in ``speed`` already.
    """

    voice: str
    language: Language
    speed: float = 1.0
    style: SpeakingStyle = PLAIN


@dataclass(frozen=True, slots=True)
class EmbedOptions:
    """What texts are embedded for.

    ``query``: they are questions, which come first; else they are passages that may answer one, and many of them wait in
    the background, unless they are ``interactive``: then somebody waits for an answer, and they come first, too.
    """

    query: bool = False
    interactive: bool = False


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call the language model asks for. ``arguments`` is a JSON object as text."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """More of the arguments of call ``id``, which its first delta begins. A whole ``ToolCall`` of that id may follow."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Tool:
    """A function the language model may call. ``parameters`` is a JSON Schema object.

    ``brief`` is what is told behind its name where the prompt has no room for all of it (``signatures.py``); calls fit
    ``parameters`` all the same. ``effects`` and ``destructive`` are what its owner says a call does (``None``:
    nothing).
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    brief: str | None = field(default=None, compare=False)
    effects: bool | None = field(default=None, compare=False)
    destructive: bool | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class NamedTool:
    """The choice of one tool: it must be called."""

    name: str


@dataclass(frozen=True, slots=True)
class ToolOfServer:
    """The choice of a tool server's tool, by the server's name for it, or of any it has. No model is asked for one: what
    it is called here is found out before (``ToolCatalog.for_reply``)."""

    server_label: str
    name: str | None = None


ToolChoice: TypeAlias = Literal["auto", "none", "required"] | NamedTool | ToolOfServer
"""Whether to call: as the model sees fit, not at all, at least one tool, or this one."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of the prompt. ``tool_call_id`` belongs to role ``tool``, ``tool_calls`` to role ``assistant``.

    ``reply_language`` is the language a user's turn should be answered in, where the instructions leave it open: a hint
    for engines whose models drift into another one. A ``hint`` of the server only tells how to word the answer: whether to
    call a tool is decided without it. ``audio`` is how a user's message sounds, for models that hear.
    """

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    reply_language: Language | None = None
    hint: bool = False
    audio: MessageAudio | None = None


ThinkingMode: TypeAlias = Literal["off", "speak-first", "think-first", "think-before-speak"]


@dataclass(frozen=True, slots=True)
class ThinkingOptions:
    """How to think: at most ``budget_tokens`` in segments of ``segment_tokens``; with ``think-first`` one of them before the
    first word, with ``speak-first`` none. After at least ``speech_tokens`` words go on with what is thought by then.
    """

    mode: ThinkingMode
    budget_tokens: int
    segment_tokens: int
    speech_tokens: int


@dataclass(frozen=True, slots=True)
class GenerationOptions:
    """How to generate.

    ``max_tokens=0`` reads the prompt into the slot's cache and yields nothing but the end: a prefill. ``slot`` names the
    cache of one live conversation (0 … ``capacity`` - 1); ``None`` lets the engine choose. With
    ``continue_last_message`` the last message is the beginning of the reply, and only what follows it is yielded.

    ``tool_choice`` and ``parallel_tool_calls`` (more than one call in a reply) mean nothing without ``tools``. Calls that
    are yielded are of ``tools``, and their arguments fit the tool's JSON Schema. Tools that are ``withheld`` are told to the
    model as ever (so that what it has read of its prompt stays good) but cannot be called in this reply. Those that are
    ``transient`` are on offer in this reply only, because there are too many to tell them all: an engine that keeps what it
    has read of a prompt tells them behind the conversation. ``likely_call``: the turn surely asks for what one of them does, so
    that an engine which weighs words against calls leans to a call.

    ``schema`` is a JSON Schema: the text of the reply fits it, unless it ends for ``length``. ``logprobs`` asks for the
    probability of each token of the text and of so many others in its place. Not every engine has these: see
    ``LanguageModel.features``.

    ``thinking``: think as well (``runtime/reasoning.py``). ``aside``: beside the conversation's reply, not in its slot.
    ``continued_aside``: such a call will go on from here, and need not read it all again.
    ``voice``: the reply is heard, in this voice of ours; a model that speaks for itself does so, in the nearest it has.
    """

    max_tokens: int = 512
    temperature: float = 0.7
    top_p: float = 0.9
    seed: int | None = None
    stop: tuple[str, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = "auto"
    parallel_tool_calls: bool = True
    withheld: frozenset[str] = frozenset()
    transient: frozenset[str] = frozenset()
    likely_call: bool = False
    slot: int | None = None
    continue_last_message: bool = False
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    schema: Mapping[str, Any] | None = None
    logprobs: int | None = None
    thinking: ThinkingOptions | None = None
    aside: bool = False
    continued_aside: bool = False
    voice: str | None = None


GenerationFeature: TypeAlias = Literal["schema", "logprobs", "thinking"]
"""What not every language model can do. ``thinking``: it yields thoughts of its own accord."""


ModelAid: TypeAlias = Literal["relevance", "guard", "reminders", "repeats", "intents"]
"""What the server does for a language model because it is small. ``relevance``: tools a turn cannot be about are withheld, and
one that surely knows is called. ``guard``: after untrusted content only what is harmless can be called, and what was said in
confidence does not leave. ``reminders``: turns say in what language to answer. ``repeats``: a call whose result has just been
given is not made again. ``intents``: documents are searched before it writes, and calls with effects are held to what the user
asked for and said."""

ALL_AIDS: frozenset[ModelAid] = frozenset({"relevance", "guard", "reminders", "repeats", "intents"})


@dataclass(frozen=True, slots=True)
class TokenScore:
    """A token and the natural logarithm of its probability; ``others`` could have been in its place, likeliest first.

    ``token`` may be part of a character: its bytes are ``raw``.
    """

    token: str
    raw: bytes
    logprob: float
    others: tuple[TokenScore, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenScores:
    """How likely the tokens of the text that follows were."""

    tokens: tuple[TokenScore, ...]


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More text of the reply. ``filler``: words of the server's that fill silence, which the model has not written."""

    text: str
    filler: bool = False


@dataclass(frozen=True, slots=True)
class SpeechFlush:
    """The words so far are whole sentences, and the next ones may take a while: they are spoken without waiting for more."""


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    """More of what the model thinks; never spoken."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingEnd:
    """All is thought."""


@dataclass(frozen=True, slots=True)
class GenerationEnd:
    """The last event of a generation, with what it cost in tokens (``cached_tokens`` of ``input_tokens`` were free)."""

    reason: FinishReason
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a piece of an answer comes from: a page of the web (``url``), or a passage of a file (``file_id``)."""

    title: str
    url: str | None = None
    file_id: str | None = None
    passage: str = ""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool of the server found.

    ``text`` goes to the language model. ``payload`` goes to clients whose protocol shows results (for example
    ``{"results": [...]}`` of a web search). ``failed``: the tool could not do its work and ``text`` says so. ``trusted``:
    no word of ``text`` is untrusted, as a clock's or a calculator's; a page's or a document's is not. ``empty``:
    there was nothing to be found, which is worth telling only if nothing else was. ``lines`` are those of ``text`` nearest to
    the question, the nearest first; ``sure``: they have the answer.
    """

    text: str
    citations: tuple[Citation, ...] = ()
    payload: Mapping[str, Any] = field(default_factory=dict)
    failed: bool = False
    trusted: bool = False
    empty: bool = False
    lines: tuple[str, ...] = ()
    sure: bool = False


@dataclass(frozen=True, slots=True)
class ServerToolStarted:
    """The model called a tool of the server, which is at work now.

    ``kind`` is the wire type the tool was declared with. ``label`` names the tool server (MCP) to clients that are told of
    its calls, and ``original_name`` the tool as that server calls it.
    """

    call: ToolCall
    kind: str
    label: str | None = None
    original_name: str = ""


@dataclass(frozen=True, slots=True)
class ServerToolEnded:
    """It has finished, or failed, or its time was over. ``rendered`` is what the language model reads of the result."""

    call: ToolCall
    kind: str
    result: ToolResult
    rendered: str
    label: str | None = None
    original_name: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalNeeded:
    """The model called a tool of the server that may run only when the client allows it. Fields as of a start."""

    call: ToolCall
    label: str
    original_name: str


GenerationEvent: TypeAlias = (
    TextDelta
    | SpeechFlush
    | Spoken
    | TokenScores
    | ThinkingDelta
    | ThinkingEnd
    | ToolCallDelta
    | ToolCall
    | GenerationEnd
)


@dataclass(frozen=True, slots=True)
class ClauseCut:
    """A clause of the reply was complete and went to the synthesizer. Clauses count from 0; their texts join to the reply."""

    index: int
    text: str


@dataclass(frozen=True, slots=True)
class Speech:
    """A piece of the speech of clause ``index``: ``float32[n]`` at the synthesizer's rate."""

    index: int
    samples: Samples


@dataclass(frozen=True, slots=True)
class ClauseSpoken:
    """Clause ``index`` has all its speech; there may be none."""

    index: int


@dataclass(frozen=True, slots=True)
class ReplyEnd:
    """The last event of a reply: everything is written and spoken.

    ``not_applied`` names what the voice could not do: ``language``, where it read something by the rules of another language
    or had no sounds for it, and ``markup``.
    """

    not_applied: tuple[str, ...] = ()


ReplyEvent: TypeAlias = (
    TextDelta
    | TokenScores
    | ThinkingDelta
    | ThinkingEnd
    | ClauseCut
    | Speech
    | ClauseSpoken
    | ToolCallDelta
    | ToolCall
    | ServerToolStarted
    | ServerToolEnded
    | ApprovalNeeded
    | GenerationEnd
    | ReplyEnd
)
"""What the reply road yields. ``GenerationEnd`` comes when all is written, ``ReplyEnd`` last."""


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice a client can name.

    ``synthesizers`` says who speaks which language with it: language → (synthesizer, its own voice's name).
    """

    id: str
    sex: Sex
    description: str
    synthesizers: Mapping[Language, tuple[str, str]] = field(default_factory=dict)
