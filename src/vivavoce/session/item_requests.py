"""What clients ask of the conversation's items: create, delete, truncate; and the items of one response only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from msgspec import UNSET

from vivavoce.errors import ClientError
from vivavoce.protocol import client_events as client
from vivavoce.protocol.client_events import AnyClientEvent
from vivavoce.protocol.items import Item, NewItem
from vivavoce.protocol.session_config import SessionConfig
from vivavoce.session.conversation import Conversation, id_taken
from vivavoce.session.input_turn import InputTurn
from vivavoce.session.item_audio import ItemAudio
from vivavoce.session.mcp_servers import SessionMcpServers
from vivavoce.session.memory_budget import item_bytes
from vivavoce.session.new_items import accept_input, accept_item, require_call
from vivavoce.session.options import SessionOptions, require_no_instructions
from vivavoce.session.outbox import Outbox
from vivavoce.session.prompt_builder import ResponseRequest
from vivavoce.session.response_controller import ResponseController
from vivavoce.session.turn_arbiter import TurnArbiter
from vivavoce.session.user_transcription import UserTranscription
from vivavoce.session.voice_requests import VoiceRequests
from vivavoce.types import Samples


class ItemRequests:
    """Checks what a client asks of items, does it, and tells whoever has to do with them."""

    def __init__(
        self,
        outbox: Outbox,
        conversation: Conversation,
        input_turn: InputTurn,
        transcription: UserTranscription,
        responses: ResponseController,
        mcp_servers: SessionMcpServers,
        arbiter: TurnArbiter,
        *,
        options: SessionOptions,
        voice_requests: VoiceRequests,
    ) -> None:
        self._outbox = outbox
        self._conversation = conversation
        self._input_turn = input_turn
        self._transcription = transcription
        self._responses = responses
        self._mcp_servers = mcp_servers
        self._arbiter = arbiter
        self._options = options
        self._voice_requests = voice_requests
        self._item_audio = ItemAudio(options.hearing_hz)

    def decode_ahead(self, event: AnyClientEvent, config: SessionConfig) -> Iterator[None]:
        """Steps to take before this event is taken: each decodes a piece of the audio in its items, if it is long."""
        items: tuple[NewItem, ...] = ()
        if isinstance(event, client.ItemCreate):
            items = (event.item,)
        elif isinstance(event, client.ResponseCreate) and event.response.input is not UNSET:
            items = event.response.input
        return self._item_audio.decode_ahead(items, config.input_audio_format)

    def create(self, event: client.ItemCreate, config: SessionConfig, now: float) -> None:
        """A new item of the client's; its audio is transcribed. Raises ``ClientError`` when it cannot be added."""
        item, audio = accept_item(event.item, self._outbox.new_id, decode=self._decoder(config))
        if self._input_turn.current(item.id):
            raise id_taken(item.id)
        if item.type == "mcp_approval_response":
            self._approval_answered(event, item, config, now)
            return
        if event.item.type == "function_call_output":
            out_of_band = self._conversation.count_out_of_band_calls(event.item.call_id)
            require_call(event.item.call_id, self._conversation, "item.call_id", out_of_band=out_of_band)
        require_no_instructions(item, self._options, "item.role")
        self._conversation.budget.require(item_bytes(item), "item")
        self._transcription.require_room(audio.values(), "item.content")
        self._conversation.add(item, after=event.previous_item_id)
        self._arbiter.item_created(item)
        self._input_turn.stream.of_item(item.id, audio, config)
        if item.role == "user" and (words := " ".join(part.words for part in item.parts).strip()):
            self._voice_requests.take(words)
        self._transcription.transcribe_parts(item, audio, config)

    def delete(self, event: client.ItemDelete, config: SessionConfig, now: float) -> None:
        """An item is gone, and with it all that was to come of it. Raises ``ClientError`` if there is none."""
        self._conversation.delete(event.item_id)
        self._transcription.transcripts.forget(event.item_id)
        self._transcription.hearing.forget(event.item_id)
        self._responses.spoken.forget(event.item_id)
        self._arbiter.item_deleted(event.item_id, config, now)

    def truncate(self, event: client.ItemTruncate, now: float) -> None:
        """The client says how much of a spoken item was heard. Raises ``ClientError`` where it cannot be."""
        item = self._conversation.get(event.item_id, "truncate")
        index = self._responses.audio_index(item)
        if index is None:
            raise ClientError("Only spoken assistant messages can be truncated.", param="item_id")
        if event.content_index not in (0, index):  # 0 for those who are not shown thoughts
            raise ClientError("There is no such audio part.", param="content_index")
        if event.audio_end_ms < 0:
            raise ClientError("'audio_end_ms' must not be negative.", param="audio_end_ms")
        self._arbiter.truncate(item, event.audio_end_ms, now)

    def for_response(self, items: tuple[NewItem, ...], config: SessionConfig) -> tuple[str, ...]:
        """The ids of the items of one response only, all or (``ClientError``) none."""
        ids, own = accept_input(items, self._conversation, self._outbox.new_id, decode=self._decoder(config))
        for item, _ in own:
            require_no_instructions(item, self._options, "response.input")
        self._conversation.budget.require(sum(item_bytes(item) for item, _ in own), "response.input")
        self._transcription.require_room([samples for _, audio in own for samples in audio.values()], "response.input")
        for item, audio in own:
            self._conversation.add_out_of_band(item)
            self._input_turn.stream.of_item(item.id, audio, config)
            self._transcription.transcribe_parts(item, audio, config)
        return ids

    # ---- inside

    def _decoder(self, config: SessionConfig) -> Callable[[bytes], Samples]:
        return lambda audio: self._item_audio.decoded(audio, config.input_audio_format)

    def _approval_answered(self, event: client.ItemCreate, item: Item, config: SessionConfig, now: float) -> None:
        """A tool server may be called, or not; either way the conversation goes on by itself."""
        request = ResponseRequest(config)
        self._arbiter.check_queue(request)
        call = self._mcp_servers.waiting(event.item)
        self._conversation.add(item, after=event.previous_item_id)
        self._mcp_servers.answered(event.item)
        self._arbiter.respond(request if call is None else replace(request, calls=(call,)), now)
