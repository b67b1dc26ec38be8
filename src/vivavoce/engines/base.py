"""What an engine is: one Protocol a kind, one verb each.

Verbs return async generators; closing the generator (``aclose``, or cancelling the task that reads it) stops the work
within one step. Engines are loaded once and shared by all sessions; native calls run in executors the engine owns, never
on the event loop. A foreign engine registers a loader under the same entry-point group as the built-in ones:

    [project.entry-points."vivavoce.recognizers"]
    mine = "my_package:load"            # load(context: EngineContext) -> Recognizer

A loader that opens weights says so with ``needs_weights``; then they are pulled before it is called.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from vivavoce.closing import Closeable
from vivavoce.speaking_style import NO_CONTROLS, Control, ControlsOf
from vivavoce.types import (
    ALL_AIDS,
    EmbedOptions,
    GenerationEvent,
    GenerationFeature,
    GenerationOptions,
    Language,
    Message,
    ModelAid,
    Samples,
    Sex,
    SpeakOptions,
    TranscribeOptions,
    Transcript,
    TranscriptDelta,
    Vectors,
)
from vivavoce.voice_facts import Perceived, PerceiveOptions, SpeechEncoding


@dataclass(frozen=True, slots=True)
class EngineContext:
    """What a loader gets.

    ``weights`` maps a catalogue name to the folder that holds its verified files, and the path of a folder to that folder
    (raises ``WeightsError``); ``threads`` is the CPU budget; ``capacity`` the number of conversations to serve at once;
    ``settings`` the engine's own table of the configuration, with what was set and nothing else. ``name`` is what the
    configuration calls this engine: several of one kind may run beside each other.
    """

    weights: Callable[[str], Path]
    threads: int
    capacity: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""


_Engine = TypeVar("_Engine")


@dataclass(frozen=True, slots=True)
class Loader(Generic[_Engine]):
    """What loads an engine, and says which weights it will open."""

    load: Callable[[EngineContext], _Engine]
    weights: Callable[[Mapping[str, Any]], Iterable[str]]

    def __call__(self, context: EngineContext) -> _Engine:
        """The engine."""
        return self.load(context)


def needs_weights(
    weights: Callable[[Mapping[str, Any]], Iterable[str]],
) -> Callable[[Callable[[EngineContext], _Engine]], Loader[_Engine]]:
    """Mark a loader: ``weights`` tells from the engine's settings which weights the loader will open.

    They are names of the catalogue, or paths of folders (with a ``/``), which are opened as they are.
    """
    return lambda load: Loader(load, weights)


class VadStream(Protocol):
    """Voice activity over one stream of audio; keeps the model's state between frames."""

    def probability(self, frame: Samples) -> float:
        """Probability in [0, 1] that ``frame`` (``frame_samples`` long, ``rate_hz``) is speech. Under 1 ms."""

    def reset(self) -> None:
        """Forget the past, as at the start of a stream."""


class SpeechDetector(Closeable, Protocol):
    """Tells speech from everything else, frame by frame."""

    rate_hz: int
    frame_samples: int

    def open(self) -> VadStream:
        """A fresh stream; streams are independent and share the model."""

    def probabilities(self, streams: Sequence[Any], frames: Sequence[Samples]) -> list[float]:
        """The next frame of each of several streams of its own at once, all of them different.

        Raises ``EngineError`` when one cannot be heard; then no stream has moved on, and each can be asked for itself.
        """


class Recognizer(Closeable, Protocol):
    """Turns an utterance into text.

    It is asked for one utterance at a time. One that can hear several at once, because it has many cores or is a service
    elsewhere, says how many in an attribute ``parallel``.
    """

    rate_hz: int

    def transcribe(
        self, samples: Samples, options: TranscribeOptions
    ) -> AsyncGenerator[SpeechEncoding | TranscriptDelta | Transcript, None]:
        """Yield deltas while recognising ``samples`` (``float32[n]`` at ``rate_hz``), or none, then exactly one ``Transcript``.

        A ``SpeechEncoding``, if one is asked for and the engine has one, comes before the decoding begins.
        An engine uses the options it can; one that cannot translate raises ``EngineError`` when asked to. Raises
        ``EngineError``.
        """


class Perceiver(Closeable, Protocol):
    """Hears what a voice says besides its words, and what else sounds.

    ``network`` names the recogniser's encoder it listens through, if it needs one. What it does not know it leaves out.
    """

    network: str | None

    async def perceive(
        self, samples: Samples, rate_hz: int, encoding: SpeechEncoding | None, options: PerceiveOptions
    ) -> Perceived:
        """What is heard in an utterance (``float32[n]``). ``encoding`` is ``None`` where the recogniser has none.

        Raises ``EngineError``.
        """


class LanguageModel(Closeable, Protocol):
    """Answers messages. ``capacity`` slots each keep the prompt prefix of one conversation.

    Options that need a feature it does not have are not for it. One that is large says in ``aids`` which of the server's aids
    for small models it wants all the same; left out, it has them all. One that runs elsewhere may have a coroutine
    ``health()``: why it cannot be used now, or ``None``. ``context_tokens`` may become known later, then it changes.
    One that yields thoughts of its own accord says so in ``features`` (``thinking``): it is not made to think on top of that.
    """

    capacity: int
    features: frozenset[GenerationFeature]
    aids: frozenset[ModelAid] = ALL_AIDS
    speculative: bool = True
    """Whether replies may be begun that perhaps nobody wants: not where each costs money."""

    def generate(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        """Yield text deltas and tool calls, then exactly one ``GenerationEnd``.

        Raises ``EngineError``, and ``ClientError`` (``unsupported_schema``) for a schema it cannot hold a text to.
        """

    async def count_tokens(self, messages: Sequence[Message], options: GenerationOptions) -> int:
        """Length of the prompt these messages make under these options, in tokens."""

    async def sentence_end(self, messages: Sequence[Message], options: GenerationOptions) -> float | None:
        """The probability in [0, 1] that the next token after the last message, the user's words so far, ends their sentence.

        The words come without their final mark (``unfinished_words.without_final_mark``). Of ``options`` those count that
        make the prompt, and ``slot``: what is read here need not be read again for the reply. ``None``: the engine cannot tell,
        as one that does not implement this. Raises ``EngineError``.
        """
        return None

    context_tokens: int


class Synthesizer(Closeable, Protocol):
    """Speaks clauses.

    One that does something of a ``SpeakingStyle`` by itself says so in ``controls``, or by voice and language in a method
    ``controls_of``; left out, it does nothing of that kind.
    """

    rate_hz: int

    @property
    def voices(self) -> Mapping[str, frozenset[Language]]:
        """Voices by name, and the languages each speaks."""

    def speak(self, text: str, options: SpeakOptions) -> AsyncGenerator[Samples, None]:
        """Yield the speech of one clause, leading and trailing silence trimmed, in pieces as they are ready.

        Raises ``EngineError``.
        """


def controls_of(synthesizer: Synthesizer, voice: str, language: Language) -> frozenset[Control]:
    """What of a style this voice does by itself when it speaks this language."""
    own: ControlsOf | None = getattr(synthesizer, "controls_of", None)
    controls: frozenset[Control] = getattr(synthesizer, "controls", NO_CONTROLS)
    return own(voice, language) if own is not None else controls


@runtime_checkable
class VectorSynthesizer(Synthesizer, Protocol):
    """A synthesizer whose voices are vectors, so that others can be mixed out of its own.

    ``network`` names the model the vectors belong to; ``builtin_voices`` are the published ones, ``float32[rows, size]``.
    """

    network: str

    @property
    def builtin_voices(self) -> Mapping[str, NDArray[np.float32]]:
        """The published voices by name; the second letter of a name is ``f`` or ``m``."""

    def mix(self, recipe: Mapping[str, int]) -> NDArray[np.float16]:
        """The voice made of so many parts of each, ``float16[rows, size]``. Raises ``EngineError``."""

    def add_voice(self, name: str, vectors: NDArray[np.float16], sex: Sex) -> frozenset[Language]:
        """From now on ``name`` is a voice; in which languages. Replaces one of this name. Raises ``EngineError``."""

    def remove_voice(self, name: str) -> None:
        """Forget a voice that was added; it need not be there."""

    async def synthesize_offline(self, text: str, vectors: NDArray[np.float16]) -> Samples:
        """English ``text`` with these vectors, ``float32[n]``, by a thread that yields to everything else.

        Cancelling stops it within a layer of the network. Raises ``EngineError``.
        """

    def end_offline_synthesis(self) -> None:
        """Free what only ``synthesize_offline`` needs."""


@runtime_checkable
class CloningSynthesizer(Synthesizer, Protocol):
    """A synthesizer that takes a voice from a recording of it."""

    clones: frozenset[Language]
    """The languages it speaks with such a voice."""

    async def add_clone(self, name: str, clip: Samples, rate_hz: int, transcript: str) -> None:
        """From now on ``name`` is the voice of ``clip``, in which ``transcript`` is said.

        Raises ``ClientError`` (``cloning_unavailable``) for a clip it cannot clone, and ``EngineError``.
        """

    def remove_voice(self, name: str) -> None:
        """Forget a voice that was added; it need not be there."""


class EndOfTurnModel(Closeable, Protocol):
    """Tells from how an utterance sounds whether the speaker has finished or only pauses."""

    rate_hz: int
    window_s: float
    """How much of the end of an utterance is looked at; more need not be handed over."""

    async def score(self, samples: Samples) -> float:
        """Probability in [0, 1] that the speaker has finished.

        ``samples`` (``float32[n]`` at ``rate_hz``) are the turn so far and the beginning of the pause after it.
        Cancelling takes it out of the queue. Raises ``EngineError``.
        """


class SpeakerVerifier(Closeable, Protocol):
    """Tells voices apart: an utterance becomes a direction; two of one person point nearly the same way.

    ``network`` names what made a direction, because only those of one network can be compared.
    """

    rate_hz: int
    network: str
    min_s: float
    """Less speech than this tells too little."""

    async def embed(self, samples: Samples) -> NDArray[np.float32]:
        """The voice in ``samples`` (``float32[n]`` at ``rate_hz``): ``float32[m]`` of length 1. Raises ``EngineError``."""


class Embedder(Closeable, Protocol):
    """Says what texts mean, so that a question finds the passages that answer it."""

    name: str
    """Which model: vectors of different models must not be compared, so what is stored is stored with this name."""

    dimensions: int

    async def embed(self, texts: Sequence[str], options: EmbedOptions) -> Vectors:
        """One row of length 1 for each text, ``float32[n, dimensions]``.

        A text too long for the model is cut. Raises ``EngineError``.
        """
