"""The conversations of a process: they live beside their connections, so that a lost one can be taken up again.

A conversation whose client may resume outlives a connection that broke by a time of grace; every other ends with its
connection, and at once all it held is free.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from hmac import compare_digest
from traceback import clear_frames
from typing import Protocol

from vivavoce.errors import ClientError
from vivavoce.runtime.driver import Driver
from vivavoce.runtime.replay_buffer import SlowClientError
from vivavoce.session.inputs import Ended
from vivavoce.waiting import first_of

log = logging.getLogger(__name__)

NORMAL, GOING_AWAY, POLICY_VIOLATION, INTERNAL_ERROR, TRY_AGAIN_LATER = 1000, 1001, 1008, 1011, 1013
"""Close codes (RFC 6455, section 7.4.1, and the IANA registry)."""

UNUSED_EVICTABLE_AFTER_S = 10.0
"""So long a conversation whose client has never said anything keeps its slot from others: there is nothing to lose with it."""

HANG_UP_S = 2.0
"""How long a server that goes down waits until the last connections have been told."""


def new_resume_token(session_id: str) -> str:
    """What proves that a connection is the lost one's heir: the session's id and a secret."""
    return f"{session_id}.{secrets.token_urlsafe(24)}"


class ClientSocket(Protocol):
    """A client's socket, as a conversation sees it."""

    closed_by_client: bool
    """Whether the client hung up; known when its frames have ended."""

    def frames(self) -> AsyncIterator[str | bytes]:
        """What the client says, until it hangs up or the connection breaks."""

    async def send(self, frame: str) -> None:
        """Say something. Raises ``ConnectionError`` when the connection has broken."""

    async def close(self, code: int, reason: str = "") -> None:
        """Hang up. Never raises: the client may have gone already."""


class RealtimeConnection:
    """One conversation: its driver, whose it is, and what takes it up again (``token``, if anything).

    ``key_id`` is that of the key with limits it was begun with, if any: an owner may have several. ``evictable_after_s`` is how
    long its client may be silent before others may have its slot.
    """

    def __init__(
        self,
        driver: Driver,
        owner: str,
        token: str | None,
        *,
        grace_s: float,
        evictable_after_s: float,
        key_id: str | None = None,
        scopes: frozenset[str] = frozenset(),
    ) -> None:
        self.driver = driver
        self.scopes = scopes
        self.owner = owner
        self.key_id = key_id
        self.token = token
        self.close_code = NORMAL
        self.close_reason = ""
        self._grace_s = grace_s
        self._evictable_after_s = evictable_after_s
        self._serving: asyncio.Task[None] | None = None
        self._grace: asyncio.TimerHandle | None = None
        self.ended = asyncio.Event()
        self.disconnected = asyncio.Event()
        self.disconnected.set()

    @property
    def connected(self) -> bool:
        """Whether there is a client."""
        return self._serving is not None

    @property
    def orphaned_until(self) -> float | None:
        """Until when (seconds of the event loop's clock) it waits for a client it has lost; ``None`` if it does not."""
        return None if self._grace is None or self.driver.ending else self._grace.when()

    def evictable_idle_s(self) -> float | None:
        """How long nobody has used it, though there is a client, if that is long enough to be evicted; else ``None``."""
        driver = self.driver
        if not self.connected or driver.ending:
            return None
        enough_s = self._evictable_after_s if driver.used else min(self._evictable_after_s, UNUSED_EVICTABLE_AFTER_S)
        return driver.inactive_s if driver.inactive_s >= enough_s else None

    async def run(self) -> None:
        """The whole life. Never raises: what goes wrong is logged and becomes the close code."""
        try:
            await self.driver.run()
        except* SlowClientError as slow:
            self._cut_off(slow.exceptions[0])
        except* Exception as bug:
            log.exception("session %s: internal error", self.driver.session_id, exc_info=bug)
            self.close_code = INTERNAL_ERROR
        finally:
            if self.driver.expired is not None:
                self.close_code, self.close_reason = GOING_AWAY, self.driver.expired.message
            self._cancel_grace()
            self.ended.set()
            log.info("session %s: closed", self.driver.session_id)

    def resume(self, after: str | None) -> None:
        """Make room for a connection that goes on after the event ``after``; the one there is, if any, is replaced.

        Raises ``ClientError`` when the missed events are not kept any more: then nothing changes. Else ``serve`` or
        ``await_resume`` must follow.
        """
        self.driver.replay_buffer.rewind(after)
        self._detach()

    async def serve(self, socket: ClientSocket) -> None:
        """Talk over one connection to its end, and close it.

        One the client closed ends the conversation; one that broke may be resumed; a newer one takes an older one's place.
        """
        self._detach()
        task = self._serving = asyncio.ensure_future(self.driver.serve(socket.frames(), socket.send))
        self.disconnected.clear()
        try:
            await asyncio.wait([task])
            if self._serving is task:
                self._serving = None
                await self._connection_ended(task, socket)
            else:
                await socket.close(GOING_AWAY, "resumed elsewhere")
        finally:
            task.cancel()
            if self._serving in (task, None):
                self.disconnected.set()

    def await_resume(self) -> None:
        """The connection broke: wait for the client, if it may come back."""
        if self.token is None:
            self.driver.end()
        else:
            self._cancel_grace()
            self._grace = asyncio.get_running_loop().call_later(self._grace_s, self.driver.end)

    def end(self, code: int, final_input: Ended | None = None) -> None:
        """End the conversation, at once or with ``final_input``; its connection, if any, is closed with ``code``."""
        self.close_code = code
        if final_input is None:
            self.driver.end()
        else:
            self.driver.end_with(final_input)

    async def finish(self) -> None:
        """Until a reply in progress has come to its end and is with the client, or the conversation is over.

        Nobody can resume it from now on: a client that is not there, or goes, is not waited for.
        """
        self.token = None
        if not self.connected:
            return
        await first_of(self._until_finished(), self.ended.wait())

    async def _until_finished(self) -> None:
        await self.driver.wait_until_drained()
        await self.driver.replay_buffer.drain()

    async def _connection_ended(self, served: asyncio.Task[None], socket: ClientSocket) -> None:
        """The connection has ended, or the conversation has."""
        self._note_error(served)
        if socket.closed_by_client:
            self.driver.end()
        elif not self.driver.ending:
            self.await_resume()
            return
        await self.ended.wait()
        if not socket.closed_by_client:
            await socket.close(self.close_code, self.close_reason)

    def _note_error(self, served: asyncio.Task[None]) -> None:
        """What went wrong while a frame was read is as grave as what goes wrong elsewhere in the conversation."""
        error = None if served.cancelled() else served.exception()
        if isinstance(error, SlowClientError):
            self._cut_off(error)
        elif error is not None:
            log.error("session %s: internal error", self.driver.session_id, exc_info=error)
            self.end(INTERNAL_ERROR)

    def _cut_off(self, slow: BaseException) -> None:
        log.warning("session %s: %s", self.driver.session_id, slow)
        clear_frames(slow.__traceback__)  # they hold the conversation, and are held by what it waited with
        self.end(TRY_AGAIN_LATER)

    def _detach(self) -> None:
        self._cancel_grace()
        if self._serving is not None:
            self._serving.cancel()
            self._serving = None

    def _cancel_grace(self) -> None:
        if self._grace is not None:
            self._grace.cancel()
            self._grace = None


class ConnectionRegistry:
    """All conversations there are. Lives as long as the application: ``async with connections``.

    ``grace_s`` is how long one waits for a client it has lost, ``evictable_after_s`` how long a silent one keeps its slot from
    others.
    """

    def __init__(self, *, grace_s: float, evictable_after_s: float) -> None:
        self._grace_s = grace_s
        self._evictable_after_s = evictable_after_s
        self._connections: dict[str, RealtimeConnection] = {}
        self._group = asyncio.TaskGroup()
        self.draining = False

    async def __aenter__(self) -> ConnectionRegistry:
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        for connection in self._connections.values():
            connection.end(GOING_AWAY)
        await self._group.__aexit__(None, None, None)

    def start(
        self,
        driver: Driver,
        owner: str,
        token: str | None,
        on_end: Callable[[], None],
        *,
        key_id: str | None = None,
        scopes: frozenset[str] = frozenset(),
    ) -> RealtimeConnection:
        """A new conversation of this owner; it calls ``on_end`` at its end."""
        connection = RealtimeConnection(
            driver,
            owner,
            token,
            grace_s=self._grace_s,
            evictable_after_s=self._evictable_after_s,
            key_id=key_id,
            scopes=scopes,
        )
        self._connections[driver.session_id] = connection
        self._group.create_task(self._run(connection, on_end))
        return connection

    def find_resumable(self, token: str, owner: str, scopes: frozenset[str] = frozenset()) -> RealtimeConnection:
        """The conversation a client of ``owner`` lost. Raises ``ClientError`` if it is gone, the token is not its own, or the
        client's key, which opens ``scopes`` (none: everything), opens less than the one it was begun with.
        """
        connection = self._connections.get(token.partition(".")[0])
        matches = (
            connection is not None
            and connection.token is not None
            and compare_digest(connection.token.encode(), token.encode())
        )
        narrower = connection is not None and scopes and not (connection.scopes and connection.scopes <= scopes)
        if connection is None or not matches or connection.owner != owner or narrower or connection.driver.ending:
            raise ClientError("There is no such session to resume.", code="session_not_found", param="resume")
        return connection

    @property
    def ending(self) -> bool:
        """Whether there is a conversation that is about to be over."""
        return any(connection.driver.ending for connection in self._connections.values())

    def evict_idle(self, owner: str, *, key_id: str | None = None, own_only: bool = False) -> None:
        """End a conversation nobody uses, unless one is ending already: somebody of ``owner`` needs its slot.

        One that has lost its client, the one lost first; else one whose client is silent, the one silent longest: of this
        owner if there is one. ``key_id``: only one begun with this key; ``own_only``: only one of this owner.
        """
        connections = [
            connection
            for connection in self._connections.values()
            if (key_id is None or connection.key_id == key_id) and (not own_only or connection.owner == owner)
        ]
        orphans = [
            (connection, until) for connection in connections if (until := connection.orphaned_until) is not None
        ]
        inactive = [
            (connection, -inactive_s)
            for connection in connections
            if (inactive_s := connection.evictable_idle_s()) is not None
        ]
        if (orphans or inactive) and not self.ending:
            connection, _ = min(orphans or inactive, key=lambda entry: (entry[0].owner != owner, entry[1]))
            log.info("session %s: nobody uses it, and its place is needed", connection.driver.session_id)
            if orphans:
                connection.driver.end()
            else:
                connection.driver.end_inactive("Nothing was said in this session, and somebody else needs its place.")

    async def drain(self, timeout_s: float) -> None:
        """End every conversation with "going away", each as soon as a reply in progress has come to its end.

        After ``timeout_s`` seconds replies are cut off. Returns when all are over and their clients have been told.
        """
        self.draining = True
        connections = tuple(self._connections.values())
        log.info("going down: %d conversations have %g s to finish their replies", len(connections), timeout_s)
        await asyncio.gather(*(_finish(connection, timeout_s) for connection in connections))
        with suppress(TimeoutError):
            async with asyncio.timeout(HANG_UP_S):
                await asyncio.gather(
                    *(
                        event.wait()
                        for connection in connections
                        for event in (connection.ended, connection.disconnected)
                    )
                )

    async def _run(self, connection: RealtimeConnection, on_end: Callable[[], None]) -> None:
        try:
            await connection.run()
        finally:
            del self._connections[connection.driver.session_id]
            try:
                on_end()
            except Exception:  # else the group ends, and with it every conversation there is
                log.exception("session %s: its place could not be given back", connection.driver.session_id)


async def _finish(connection: RealtimeConnection, timeout_s: float) -> None:
    final_input = None
    try:
        async with asyncio.timeout(timeout_s):
            await connection.finish()
    except TimeoutError:
        log.warning("session %s: its reply was still in progress after %g s", connection.driver.session_id, timeout_s)
        error = ClientError("The server is going down.", code="server_stopping", type="server_error")
        final_input = Ended(error, send_error=False)
    connection.end(GOING_AWAY, final_input)
