"""One request to answer messages on its way: its place, its prompt, its answers. Chat Completions and Responses share it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from vivavoce.errors import ClientError
from vivavoce.http.auth import wrong_key
from vivavoce.http.chat_answers import Meter
from vivavoce.http.grants import Grant
from vivavoce.http.places import conversation_place
from vivavoce.http.serving import Serving
from vivavoce.protocol.chat.request import ChatRequest
from vivavoce.runtime.chat.asking import Asked, Take, ask
from vivavoce.runtime.chat.hearing import Listener, Place
from vivavoce.runtime.chat.prompt import prompt_of
from vivavoce.runtime.scheduling import Whose
from vivavoce.tiers import Model
from vivavoce.tools.offering import SessionTools
from vivavoce.types import Transcript


class Answering:
    """A caller, and the model that answers."""

    def __init__(self, serving: Serving, caller: Grant, model: Model) -> None:
        self._serving = serving
        self._owner = caller.owner
        self._key = caller.key
        self._scopes = caller.scopes
        self._tier = model.tier
        self._engines = serving.engines
        self._model = self._engines.language_models[model.tier.language_model]
        self.heard: Mapping[Place, Transcript] = {}
        """What was said in the recordings of the messages, once it was asked."""

    @property
    def speaker_hz(self) -> int:
        """The rate of the speech."""
        return self._engines.speaker.rate_hz

    @asynccontextmanager
    async def place(self) -> AsyncIterator[int]:
        """A place of the conversations, for as long as the key is good. Raises ``RateLimitError`` and ``ClientError``."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(None) as valid:
                place = await conversation_place(
                    self._serving, self._owner, self._key, lambda: valid.reschedule(loop.time())
                )
                try:
                    yield place.seat
                finally:
                    place.give_back()
        except TimeoutError:
            if not valid.expired():
                raise
            raise wrong_key() from None

    async def asked(self, wanted: ChatRequest, seat: int) -> Asked:
        """Listen, and make the prompt of ``wanted``. Raises ``ClientError`` and ``EngineError``."""
        memory, fetches = self._serving.chats, self._serving.config.net.fetch_audio
        tools = SessionTools(self._serving.tools, self._owner, scopes=self._scopes)
        declared = await asyncio.to_thread(wanted.declared_tools)  # they may be megabytes
        await tools.require_usable(declared, wanted.store_param)
        voice = await self._voice(wanted)
        listener = Listener(self._engines, memory.transcripts, self._owner, self._serving.fetcher if fetches else None)
        self.heard = await listener.words(wanted.messages)
        prompt = prompt_of(
            wanted.messages,
            self.heard,
            lambda audio_id: memory.answers.find(self._owner, audio_id),
            spoken=wanted.speaks,
            tools=bool(declared) or self._serving.tools.anything,
        )
        asked = await ask(wanted, declared, prompt, self._model, tools, slot=seat, voice=voice)
        return replace(asked, heard_ms=listener.heard_ms)

    async def answer(self, asked: Asked, take: Take, meter: Meter) -> None:
        """All answers; what they cost is counted, also when they fail or nobody waits for them any more.

        Raises ``EngineError``.
        """
        try:
            with self._engines.recognition.attended(Whose(self._owner, self)):
                await asked.answer(self._model, self._engines.speaker, take)
        finally:
            self._serving.key_use.spend(self._key, meter.text_tokens)

    async def _voice(self, wanted: ChatRequest) -> str | None:
        """Whose voice the answer has. Raises ``ClientError``."""
        if not wanted.speaks:
            return None
        audio = wanted.audio
        named = audio.voice_id if audio is not None else None
        try:
            return await self._serving.voices.usable(
                self._owner, named or self._tier.default_voice, self._tier, self._scopes
            )
        except ClientError as error:
            error.param = "audio.voice"
            raise
