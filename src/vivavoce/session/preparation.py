"""The reply to a turn that is not over yet: prepared in a pause, so that it is ready when the pause turns out to be the end.

Nothing of it is observable: it is work for the engines, which hold back what comes of it until a ``StartReply`` asks for the
answer to the same words.
"""

from __future__ import annotations

from vivavoce.protocol.items import Item, Part
from vivavoce.protocol.session_config import SessionConfig
from vivavoce.protocol.tool_config import server_side
from vivavoce.session.input_turn import InputTurn
from vivavoce.session.inputs import PromptEvaluated, ReplyBegun
from vivavoce.session.outbox import Outbox
from vivavoce.session.outputs import DropPreparation, Prefill, PrepareReply
from vivavoce.session.prompt_builder import PromptBuilder, ResponseRequest
from vivavoce.session.reply import reply_work
from vivavoce.session.response import Response
from vivavoce.session.transcripts import Transcripts
from vivavoce.session.turn_audio import TurnAudio
from vivavoce.text.instruction_rules import names_language
from vivavoce.types import Language, Message, Transcript

REPLY_TAKES_MS = 300
"""About how long the first clause of a reply takes. Whether the sentence is whole is not asked where the turn ends sooner: the
answer would only delay the reply (by 40 to 120 ms), which is not ready before then."""


class ReplyPreparation:
    """Has replies prepared, and tells when one is void. ``active`` while there may be one.

    ``heard`` are the turns that can be answered before they are read.
    """

    def __init__(self, outbox: Outbox, prompts: PromptBuilder, transcripts: Transcripts, heard: TurnAudio) -> None:
        self._outbox = outbox
        self._prompts = prompts
        self._transcripts = transcripts
        self._heard = heard
        self._begun_at: float | None = None
        self.active = False

    def prepare(self, input_turn: InputTurn, transcript: Transcript, config: SessionConfig, now: float) -> None:
        """Prepare the reply to the turn in progress, if it ended with these words."""
        item_id = input_turn.item_id
        input_turn.keep_audio()
        item = _spoken(item_id, transcript)
        request = ResponseRequest(config)
        languages = {**self._transcripts.languages, item_id: transcript.language}
        prompt = self._prompts.for_turn(request, languages, item, transcript)
        vad = config.turn_detection
        score_sentence = vad is not None and input_turn.ends_in_ms(vad, now) > REPLY_TAKES_MS
        work = reply_work("", request, prompt, transcript.language)
        self._outbox.command(PrepareReply(item_id, input_turn.voiced_until, score_sentence, work))
        self.active, self._begun_at = True, now

    def prefill(self, config: SessionConfig, item_id: str = "", transcript: Transcript | None = None) -> None:
        """Have the language model read what is known of the next prompt: all up to the user's turn, or up to the words of it,
        which will be ``item_id``, that the ``transcript`` has by now."""
        if config.kind == "transcription":
            return
        request, languages = ResponseRequest(config), self._transcripts.languages
        if transcript is None:
            expected = None if names_language(config.instructions) else self._transcripts.language
            prompt = self._prompts.for_request(request, languages, user_speaks=True)
            messages = (*prompt.messages, Message("user", "", reply_language=expected))
        else:
            spoken = _spoken(item_id, transcript)
            languages = {**languages, item_id: transcript.language}
            prompt = self._prompts.for_request(request, languages, user_speaks=True, spoken=spoken)
            messages = prompt.messages
        hosted = self._prompts.hosted(request)
        self._outbox.command(Prefill(messages, prompt.options, server_side(config.tools), prompt.tool_tokens, hosted))

    def prepare_unread(self, request: ResponseRequest, item_id: str | None, language: Language, now: float) -> None:
        """Prepare the reply to a turn that is over from its sound alone, if that can be, while its transcript, in ``language``
        as far as is known, is being made: only words make it a turn that is answered."""
        if item_id is None or item_id not in self._heard or self.active:
            return
        languages = {**self._transcripts.languages, item_id: language}
        work = reply_work("", request, self._prompts.for_request(request, languages), language)
        self._outbox.command(PrepareReply(item_id, 0, False, work))
        self.active, self._begun_at = True, now

    def drop(self) -> None:
        """The user goes on, or is not answered."""
        if self.active:
            self.active = False
            self._outbox.command(DropPreparation())

    def answered(self) -> None:
        """A response has begun: what was prepared is its reply, or void."""
        self.active = False

    def measured(self, result: ReplyBegun | PromptEvaluated, response: Response | None) -> None:
        """Note in the marks of the newest ``response`` what the engines tell of how its reply is made."""
        if response is None or response.id != result.response_id:
            return
        match result:
            case ReplyBegun(prepared=prepared, discarded=discarded):
                response.marks.discarded_preparations = discarded
                response.marks.prepared = self._begun_at if prepared else None
            case PromptEvaluated(tokens=tokens):
                response.marks.evaluated_tokens = tokens


def _spoken(item_id: str, transcript: Transcript) -> Item:
    """The user's turn as an item, if these are its words."""
    return Item(id=item_id, role="user", content=(Part(type="input_audio", transcript=transcript.text),))
