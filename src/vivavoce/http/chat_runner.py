"""One request to answer messages on its way: its slot, its prompt, its answers. Chat Completions and Responses share it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from vivavoce.engines.audio_chat import answers_unread
from vivavoce.engines.base import controls_of
from vivavoce.errors import ClientError
from vivavoce.http.auth import wrong_key
from vivavoce.http.chat_answers import UsageCounter
from vivavoce.http.conversation_slots import conversation_slot
from vivavoce.http.core import Core
from vivavoce.http.principals import Principal
from vivavoce.protocol.chat.request import ChatRequest
from vivavoce.runtime.chat.memory import ChatMemory
from vivavoce.runtime.chat.perceived import perceived_in
from vivavoce.runtime.chat.prompt import ChatPrompt, prompt_of
from vivavoce.runtime.chat.recordings import Place, RecordingReader
from vivavoce.runtime.chat.reply_request import PreparedRequest, Take, prepare
from vivavoce.runtime.chat.style import ChatStyle, chat_style
from vivavoce.runtime.chat.thoughts import notes_of_thoughts
from vivavoce.runtime.fallback import FallbackModel
from vivavoce.scheduling import WorkOwner
from vivavoce.speaking_style import SpeakingStyle
from vivavoce.tiers import Model
from vivavoce.tools.session_tools import SessionTools
from vivavoce.types import ThinkingOptions, Transcript
from vivavoce.voice_facts import VoiceFacts


class ChatRunner:
    """A caller, and the model that answers.

    ``keeps_words``: what was said is kept, so that a transcript is made of it, even if the model hears it.
    """

    def __init__(self, core: Core, caller: Principal, model: Model, *, keeps_words: bool = False) -> None:
        self._core = core
        self._owner = caller.owner
        self._key = caller.key
        self._scopes = caller.scopes
        self._tier = model.tier
        self._engines = core.engines.of_tier(model.tier)
        self._model = self._engines.language_model(model.tier)
        may_be_read = keeps_words or isinstance(self._model, FallbackModel)
        self._unread = answers_unread(self._model) and not may_be_read
        self.transcripts: Mapping[Place, Transcript] = {}
        """What was said in the recordings of the messages, as far as they are read, once it was asked."""
        self.perception: VoiceFacts | None = None
        """How the last message sounds, if it is spoken and the client is told."""

    @property
    def _perceives(self) -> bool:
        return self._core.config.perception.enabled and self._tier.perceives

    def _thinking(self, body: ChatRequest) -> ThinkingOptions | None:
        """What is thought for the answer, on tiers that think. Raises ``ClientError`` for an effort there is not."""
        if not self._tier.thinks:
            return None
        return self._core.config.thinking.thinking.options(body.reasoning_effort, "reasoning_effort")

    @property
    def synthesis_hz(self) -> int:
        """The rate of the speech."""
        return self._engines.synthesizer.rate_hz

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[int]:
        """A slot of the conversations, for as long as the key is good. Raises ``RateLimitError`` and ``ClientError``."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(None) as valid:
                acquired = await conversation_slot(
                    self._core, self._owner, self._key, lambda: valid.reschedule(loop.time())
                )
                try:
                    yield acquired.slot
                finally:
                    acquired.give_back()
        except TimeoutError:
            if not valid.expired():
                raise
            raise wrong_key() from None

    async def prepare(self, body: ChatRequest, slot: int) -> PreparedRequest:
        """Listen, and make the prompt of ``body``. Raises ``ClientError`` and ``EngineError``."""
        memory, fetches = self._core.shared[ChatMemory], self._core.config.net.fetch_audio
        tools = SessionTools(self._core.tools, self._owner, scopes=self._scopes)
        declared = await asyncio.to_thread(body.declared_tools)  # they may be megabytes
        await tools.require_usable(declared, body.store_param)
        voice = await self._voice(body)
        perceive = self._perceives and (body.shows_perception or not self._unread)
        listener = RecordingReader(
            self._engines,
            memory.transcripts,
            self._owner,
            self._core.fetcher if fetches else None,
            perceive=perceive,
            heard_turns=self._model.audio_turns,
            unread=self._unread and not perceive,
        )
        self.transcripts = await listener.transcripts(body.messages)
        prompt = prompt_of(
            body.messages,
            self.transcripts,
            lambda audio_id: memory.answers.get((self._owner, audio_id)),
            spoken=body.speaks,
            tools=bool(declared) or self._core.tools.has_server_tools,
            name=self._core.config.persona.name,
            told_origin=self._unread and body.speaks,
            heard=listener.heard,
            rate_hz=listener.rate_hz,
        )
        perception = self._core.config.perception
        heard = perceived_in(body.messages, self.transcripts, instruct=perception.instruct, style=perception.style)
        self.perception = heard.facts if body.shows_perception else None
        spoken = self._style(body, prompt, voice, heard.style)
        thoughts = notes_of_thoughts(body.messages, prompt.messages, prompt.language)
        prompt = replace(prompt, messages=(*heard.noted(prompt.messages), *spoken.notes, *thoughts))
        prepared = await prepare(
            body, declared, prompt, self._model, tools, slot=slot, voice=voice, thinking=self._thinking(body)
        )
        request = replace(prepared.request, speed=spoken.speed, style=spoken.reply.style)
        return replace(prepared, request=request, audio_ms=listener.audio_ms, not_applied=spoken.reply.not_applied)

    def _style(self, body: ChatRequest, prompt: ChatPrompt, voice: str | None, perceived: SpeakingStyle) -> ChatStyle:
        """How the answer is spoken, if it is. Raises ``ClientError`` for a label there is not."""
        if voice is None:
            return ChatStyle()
        controls = controls_of(self._engines.synthesizer, voice, prompt.language)
        return chat_style(body.audio, prompt.messages, prompt.language, controls, perceived)

    async def answer(self, prepared: PreparedRequest, take: Take, usage_counter: UsageCounter) -> None:
        """All answers; what they cost is counted, also when they fail or nobody waits for them any more.

        Raises ``EngineError``.
        """
        try:
            interactive = self._engines.recognition.interactive(WorkOwner(self._owner, self))
            with interactive, self._engines.preparations.live():
                await prepared.answer(self._model, self._engines.synthesizer, take)
        finally:
            self._core.key_use.spend(self._key, usage_counter.text_tokens)

    async def _voice(self, body: ChatRequest) -> str | None:
        """Whose voice the answer has. Raises ``ClientError``."""
        if not body.speaks:
            return None
        audio = body.audio
        named = audio.voice_id if audio is not None else None
        try:
            return await self._core.voices.resolve(
                self._owner, named or self._tier.default_voice, self._tier, self._scopes
            )
        except ClientError as error:
            error.param = "audio.voice"
            raise
