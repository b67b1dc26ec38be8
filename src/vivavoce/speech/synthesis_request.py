"""A request for speech, checked and understood: what is said, how, and what of it is left undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import chain

from vivavoce.errors import ClientError
from vivavoce.protocol.model_names import NO_ALIASES
from vivavoce.protocol.speech import SpeechRequest
from vivavoce.speaking.delivery import Delivery
from vivavoce.speech.delivery import spoken_delivery
from vivavoce.speech.models import SpeechModel, speech_model
from vivavoce.speech.pronunciation import Pronunciations
from vivavoce.speech.synthesis import OutputFormat, SynthesisOptions
from vivavoce.speech.text_preparation import STAGE_DIRECTIONS, clauses_of, without_stage_directions
from vivavoce.text.clauses import Clause
from vivavoce.text.languages import LANGUAGE_NAMES, foreign_language, language_list, partly_unreadable, unreadable
from vivavoce.text.speech_markup import has_unsupported
from vivavoce.types import Language

SUPPORTED_LANGUAGES: frozenset[Language] = frozenset({"en", "zh", "ja"})
"""What the built-in voices speak."""

LANGUAGE, UNREAD = "language", "input.language"
"""What is left undone: the text's language, read by the rules of another; and parts no voice has sounds for, left out."""

MARKUP = "input.markup"
"""Elements of SSML the voices cannot follow."""


@dataclass(frozen=True, slots=True)
class SynthesisRequest:
    """``unsupported`` names what the voices cannot do; the answer says so."""

    clauses: Sequence[Clause]
    options: SynthesisOptions
    output_format: OutputFormat
    unsupported: tuple[str, ...] = ()


def parse_request(
    request: SpeechRequest,
    voice: str,
    aliases: Mapping[str, str] = NO_ALIASES,
    languages: Set[Language] = SUPPORTED_LANGUAGES,
) -> SynthesisRequest:
    """What a request asks for; ``voice`` as the synthesizer knows it and what it speaks, ``aliases`` the configured names of
    models.

    Raises ``ClientError`` for what is not allowed, and for a text the voice has no sounds for.
    """
    model = speech_model(request.model, aliases)
    check_limits(request, model)
    way = _delivery(request, model)
    spoken_text, directed = without_stage_directions(request.input, model)
    options = SynthesisOptions(
        voice, request.speed, request.volume, Pronunciations(request.pronunciations), style=way.style
    )
    language = way.language or request.language
    clauses, foreign = _readable_clauses(clauses_of(spoken_text, language), request.language, languages)
    return SynthesisRequest(
        clauses,
        options,
        OutputFormat(request.response_format, request.sample_rate),
        tuple(
            chain(
                way.unsupported,
                (STAGE_DIRECTIONS,) if directed else (),
                foreign,
                (MARKUP,) if has_unsupported(spoken_text) else (),
            )
        ),
    )


def _readable_clauses(
    clauses: Sequence[Clause], requested: Language | None, languages: Set[Language]
) -> tuple[Sequence[Clause], Sequence[str]]:
    """(the clauses the voice has sounds for, what is left undone). Raises ``ClientError`` when there are none."""
    unreadable_clauses = {clause: language for clause in clauses if (language := unreadable(clause.spoken, languages))}
    read = [clause for clause in clauses if clause not in unreadable_clauses]
    if not read:
        name = LANGUAGE_NAMES.get(next(iter(unreadable_clauses.values())), "this script")
        message = f"This voice does not read {name}; it speaks {language_list(languages)}."
        raise ClientError(message, code="unsupported_value", param="input")
    foreign = (
        requested.partition("-")[0] not in languages
        if requested
        else foreign_language(" ".join(clause.spoken for clause in read), languages) is not None
    )
    left_out = any(partly_unreadable(clause.spoken, languages) for clause in clauses)
    return read, ((LANGUAGE,) if foreign else ()) + ((UNREAD,) if left_out else ())


def check_limits(request: SpeechRequest, model: SpeechModel) -> None:
    """Raises ``ClientError`` for what this model does not take, or what contradicts itself."""
    if len(request.input) > model.max_characters:
        raise ClientError(f"The input is longer than {model.max_characters} characters.", param="input")
    check_speed(request.speed, model, "speed")
    if request.timestamp and not (request.return_url or request.stream_format == "sse"):
        raise ClientError("timestamp requires return_url=true or stream_format=sse", param="timestamp")
    if request.return_url and request.stream_format == "sse":
        raise ClientError("return_url is for answers that are not streamed.", param="return_url")


def check_speed(speed: float, model: SpeechModel, param: str) -> None:
    """Raises ``ClientError`` for a speed this model does not take."""
    low, high = model.speeds
    if not low <= speed <= high:
        raise ClientError(f"The speed must be between {low:g} and {high:g}.", param=param)


def check_delivery(label: bool, instruction: str | None, model: SpeechModel, names: tuple[str, str]) -> None:
    """Raises ``ClientError`` for a voice label (``label``: there is one) or an instruction this model does not take."""
    if label and not model.labels:
        raise ClientError("This model does not take a voice_label; say it in an instruction.", param=names[0])
    if instruction and len(instruction) > model.max_instruction_characters:
        raise ClientError(
            f"The instruction is longer than {model.max_instruction_characters} characters.", param=names[1]
        )


def _delivery(request: SpeechRequest, model: SpeechModel) -> Delivery:
    instruction_param = "instruction" if request.instruction else "instructions"
    instruction = request.instruction or request.instructions
    check_delivery(request.voice_label is not None, instruction, model, ("voice_label", instruction_param))
    label = request.voice_label.model_dump() if request.voice_label is not None else None
    return spoken_delivery(label, instruction)
