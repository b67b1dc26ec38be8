"""A request for speech, checked and understood: what is said, how, and what of the wish is left undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import chain

from vivavoce.errors import ClientError
from vivavoce.model_names import NO_ALIASES
from vivavoce.protocol.speech import SpeechRequest
from vivavoce.runtime.clauses import Clause
from vivavoce.runtime.speech_markup import has_undone
from vivavoce.speech.delivery import Delivery, delivery
from vivavoce.speech.models import SpeechModel, speech_model
from vivavoce.speech.pronunciation import Pronunciations
from vivavoce.speech.synthesis import FileShape, Manner
from vivavoce.speech.wording import DIRECTIONS, clauses_of, without_directions
from vivavoce.text.languages import LANGUAGE_NAMES, named, unreadable, written_in
from vivavoce.types import Language

SPOKEN_HERE: frozenset[Language] = frozenset({"en", "zh", "ja"})
"""What the built-in voices speak."""

LANGUAGE, UNREAD = "language", "input.language"
"""What is left undone: the text's language, read by the rules of another; and parts no voice has sounds for, left out."""

MARKUP = "input.markup"
"""Elements of SSML the voices cannot follow."""


@dataclass(frozen=True, slots=True)
class Order:
    """``undone`` names what the voices cannot do; the answer says so."""

    clauses: Sequence[Clause]
    manner: Manner
    shape: FileShape
    undone: tuple[str, ...] = ()


def understood(
    request: SpeechRequest,
    voice: str,
    aliases: Mapping[str, str] = NO_ALIASES,
    languages: Set[Language] = SPOKEN_HERE,
) -> Order:
    """The order of a request; ``voice`` as the speaker knows it and what it speaks, ``aliases`` the configured names of models.

    Raises ``ClientError`` for what is not allowed, and for a text the voice has no sounds for.
    """
    model = speech_model(request.model, aliases)
    check_limits(request, model)
    way = _delivery(request, model)
    said, directed = without_directions(request.input, model)
    manner = Manner(voice, request.speed * way.speed, request.volume, Pronunciations(request.pronunciations))
    language = way.language or request.language
    clauses, foreign = _readable(clauses_of(said, language), request.language, languages)
    return Order(
        clauses,
        manner,
        FileShape(request.response_format, request.sample_rate),
        tuple(chain(way.undone, (DIRECTIONS,) if directed else (), foreign, (MARKUP,) if has_undone(said) else ())),
    )


def _readable(
    clauses: Sequence[Clause], asked: Language | None, languages: Set[Language]
) -> tuple[Sequence[Clause], Sequence[str]]:
    """(the clauses the voice has sounds for, what is left undone). Raises ``ClientError`` when there are none."""
    unread = {clause: language for clause in clauses if (language := unreadable(clause.spoken, languages))}
    if len(unread) == len(clauses):
        name = LANGUAGE_NAMES.get(next(iter(unread.values())), "this script")
        message = f"This voice does not read {name}; it speaks {named(languages)}."
        raise ClientError(message, code="unsupported_value", param="input")
    read = [clause for clause in clauses if clause not in unread]
    written = asked.partition("-")[0] if asked else written_in(" ".join(clause.spoken for clause in read))
    foreign = written is not None and written not in languages
    return read, ((LANGUAGE,) if foreign else ()) + ((UNREAD,) if unread else ())


def check_limits(request: SpeechRequest, model: SpeechModel) -> None:
    """Raises ``ClientError`` for what this model does not take, or what contradicts itself."""
    if len(request.input) > model.most_characters:
        raise ClientError(f"The input is longer than {model.most_characters} characters.", param="input")
    check_speed(request.speed, model, "speed")
    if request.timestamp and not (request.return_url or request.stream_format == "sse"):
        raise ClientError("timestamp requires return_url=true or stream_format=sse", param="timestamp")
    if request.return_url and request.stream_format == "sse":
        raise ClientError("return_url is for answers that are not streamed.", param="return_url")


def check_speed(speed: float, model: SpeechModel, param: str) -> None:
    """Raises ``ClientError`` for a speed this model does not take."""
    least, most = model.speeds
    if not least <= speed <= most:
        raise ClientError(f"The speed must be between {least:g} and {most:g}.", param=param)


def check_delivery(label: bool, instruction: str | None, model: SpeechModel, names: tuple[str, str]) -> None:
    """Raises ``ClientError`` for a voice label (``label``: there is one) or an instruction this model does not take."""
    if label and not model.labels:
        raise ClientError("This model does not take a voice_label; say it in an instruction.", param=names[0])
    if instruction and len(instruction) > model.most_instruction:
        raise ClientError(f"The instruction is longer than {model.most_instruction} characters.", param=names[1])


def _delivery(request: SpeechRequest, model: SpeechModel) -> Delivery:
    named = "instruction" if request.instruction else "instructions"
    instruction = request.instruction or request.instructions
    check_delivery(request.voice_label is not None, instruction, model, ("voice_label", named))
    label = request.voice_label.model_dump() if request.voice_label is not None else None
    return delivery(label, instruction)
