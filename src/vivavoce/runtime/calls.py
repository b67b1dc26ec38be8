"""The conversations of a process: they live beside their connections, so that a lost one can be taken up again.

A call whose client may resume outlives a connection that broke by a time of grace; every other ends with its connection,
and at once all it held is free.
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
from vivavoce.runtime.line import SlowClientError
from vivavoce.session.signals import Ended

log = logging.getLogger(__name__)

NORMAL, GOING_AWAY, POLICY_VIOLATION, INTERNAL_ERROR, TRY_AGAIN_LATER = 1000, 1001, 1008, 1011, 1013
"""Close codes (RFC 6455, section 7.4.1, and the IANA registry)."""

UNUSED_YIELDS_S = 10.0
"""So long a call whose client has never said anything keeps its place from others: there is nothing to lose with it."""

HANG_UP_S = 2.0
"""How long a server that goes down waits until the last connections have been told."""


def new_resume_token(session_id: str) -> str:
    """What proves that a connection is the lost one's heir: the session's id and a secret."""
    return f"{session_id}.{secrets.token_urlsafe(24)}"


class Connection(Protocol):
    """A client's socket, as a call sees it."""

    closed_by_client: bool
    """Whether the client hung up; known when its frames have ended."""

    def frames(self) -> AsyncIterator[str | bytes]:
        """What the client says, until it hangs up or the connection breaks."""

    async def send(self, frame: str) -> None:
        """Say something. Raises ``ConnectionError`` when the connection has broken."""

    async def close(self, code: int, reason: str = "") -> None:
        """Hang up. Never raises: the client may have gone already."""


class Call:
    """One conversation: its driver, whose it is, and what takes it up again (``token``, if anything).

    ``key_id`` is that of the key with limits it was begun with, if any: an owner may have several. ``yields_s`` is how long
    its client may be silent before it gives way to others.
    """

    def __init__(
        self,
        driver: Driver,
        owner: str,
        token: str | None,
        *,
        grace_s: float,
        yields_s: float,
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
        self._yields_s = yields_s
        self._serving: asyncio.Task[None] | None = None
        self._grace: asyncio.TimerHandle | None = None
        self.over = asyncio.Event()
        self.hung_up = asyncio.Event()
        self.hung_up.set()

    @property
    def connected(self) -> bool:
        """Whether there is a client."""
        return self._serving is not None

    @property
    def orphaned_until(self) -> float | None:
        """Until when (seconds of the event loop's clock) it waits for a client it has lost; ``None`` if it does not."""
        return None if self._grace is None or self.driver.ending else self._grace.when()

    def yields_after_s(self) -> float | None:
        """How long nobody has used it, though there is a client, if that is long enough to give way; else ``None``."""
        driver = self.driver
        if not self.connected or driver.ending:
            return None
        enough_s = self._yields_s if driver.used else min(self._yields_s, UNUSED_YIELDS_S)
        return driver.silent_s if driver.silent_s >= enough_s else None

    async def live(self) -> None:
        """The whole life. Never raises: what goes wrong is logged and becomes the close code."""
        try:
            await self.driver.live()
        except* SlowClientError as slow:
            self._cut_off(slow.exceptions[0])
        except* Exception as bug:
            log.exception("session %s: internal error", self.driver.session_id, exc_info=bug)
            self.close_code = INTERNAL_ERROR
        finally:
            if self.driver.expired is not None:
                self.close_code, self.close_reason = GOING_AWAY, self.driver.expired.message
            self._cancel_grace()
            self.over.set()
            log.info("session %s: closed", self.driver.session_id)

    def take_up(self, after: str | None) -> None:
        """Make room for a connection that goes on after the event ``after``; the one there is, if any, is replaced.

        Raises ``ClientError`` when the missed events are not kept any more: then nothing changes. Else ``carry`` or
        ``lost`` must follow.
        """
        self.driver.line.rewind(after)
        self._detach()

    async def carry(self, connection: Connection) -> None:
        """Talk over one connection to its end, and close it.

        One the client closed ends the call; one that broke may be resumed; a newer one takes an older one's place.
        """
        self._detach()
        mine = self._serving = asyncio.ensure_future(self.driver.serve(connection.frames(), connection.send))
        self.hung_up.clear()
        try:
            await asyncio.wait([mine])
            if self._serving is mine:
                self._serving = None
                await self._after(mine, connection)
            else:
                await connection.close(GOING_AWAY, "resumed elsewhere")
        finally:
            mine.cancel()
            if self._serving in (mine, None):
                self.hung_up.set()

    def lost(self) -> None:
        """The connection broke: wait for the client, if it may come back."""
        if self.token is None:
            self.driver.end()
        else:
            self._cancel_grace()
            self._grace = asyncio.get_running_loop().call_later(self._grace_s, self.driver.end)

    def end(self, code: int, farewell: Ended | None = None) -> None:
        """End the call, at once or after a farewell; its connection, if any, is closed with ``code``."""
        self.close_code = code
        if farewell is None:
            self.driver.end()
        else:
            self.driver.end_with(farewell)

    async def finish(self) -> None:
        """Until a reply in progress has come to its end and is with the client, or the call is over.

        Nobody can resume it from now on: a client that is not there, or goes, is not waited for.
        """
        self.token = None
        if not self.connected:
            return
        finished = asyncio.ensure_future(self._until_finished())
        over = asyncio.ensure_future(self.over.wait())
        try:
            await asyncio.wait({finished, over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            finished.cancel()
            over.cancel()

    async def _until_finished(self) -> None:
        await self.driver.until_quiet()
        await self.driver.line.drained()

    async def _after(self, served: asyncio.Task[None], connection: Connection) -> None:
        """The connection has ended, or the call has."""
        self._take_note(served)
        if connection.closed_by_client:
            self.driver.end()
        elif not self.driver.ending:
            self.lost()
            return
        await self.over.wait()
        if not connection.closed_by_client:
            await connection.close(self.close_code, self.close_reason)

    def _take_note(self, served: asyncio.Task[None]) -> None:
        """What went wrong while a frame was read is as grave as what goes wrong elsewhere in the call."""
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


class Calls:
    """All calls there are. Lives as long as the application: ``async with calls``.

    ``grace_s`` is how long one waits for a client it has lost, ``yields_s`` how long a silent one keeps its place from others.
    """

    def __init__(self, *, grace_s: float, yields_s: float) -> None:
        self._grace_s = grace_s
        self._yields_s = yields_s
        self._calls: dict[str, Call] = {}
        self._group = asyncio.TaskGroup()
        self.draining = False

    async def __aenter__(self) -> Calls:
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        for call in self._calls.values():
            call.end(GOING_AWAY)
        await self._group.__aexit__(None, None, None)

    def begin(
        self,
        driver: Driver,
        owner: str,
        token: str | None,
        when_over: Callable[[], None],
        *,
        key_id: str | None = None,
        scopes: frozenset[str] = frozenset(),
    ) -> Call:
        """A new call of this owner; it calls ``when_over`` at its end."""
        call = Call(driver, owner, token, grace_s=self._grace_s, yields_s=self._yields_s, key_id=key_id, scopes=scopes)
        self._calls[driver.session_id] = call
        self._group.create_task(self._live(call, when_over))
        return call

    def resumable(self, token: str, owner: str, scopes: frozenset[str] = frozenset()) -> Call:
        """The call a client of ``owner`` lost. Raises ``ClientError`` if it is gone, the token is not its own, or the client's
        key, which opens ``scopes`` (none: everything), opens less than the one it was begun with.
        """
        call = self._calls.get(token.partition(".")[0])
        known = call is not None and call.token is not None and compare_digest(call.token.encode(), token.encode())
        narrower = call is not None and scopes and not (call.scopes and call.scopes <= scopes)
        if call is None or not known or call.owner != owner or narrower or call.driver.ending:
            raise ClientError("There is no such session to resume.", code="session_not_found", param="resume")
        return call

    @property
    def ending(self) -> bool:
        """Whether there is a call that is about to be over."""
        return any(call.driver.ending for call in self._calls.values())

    def give_way(self, owner: str, *, key_id: str | None = None, only_theirs: bool = False) -> None:
        """End a call nobody uses, unless one is ending already: somebody of ``owner`` needs its place.

        One that has lost its client, the one lost first; else one whose client is silent, the one silent longest: of this
        owner if there is one. ``key_id``: only one begun with this key; ``only_theirs``: only one of this owner.
        """
        calls = [
            call
            for call in self._calls.values()
            if (key_id is None or call.key_id == key_id) and (not only_theirs or call.owner == owner)
        ]
        orphans = [(call, until) for call in calls if (until := call.orphaned_until) is not None]
        silent = [(call, -silent_s) for call in calls if (silent_s := call.yields_after_s()) is not None]
        if (orphans or silent) and not self.ending:
            call, _ = min(orphans or silent, key=lambda candidate: (candidate[0].owner != owner, candidate[1]))
            log.info("session %s: nobody uses it, and its place is needed", call.driver.session_id)
            if orphans:
                call.driver.end()
            else:
                call.driver.end_silent("Nothing was said in this session, and somebody else needs its place.")

    async def drain(self, within_s: float) -> None:
        """End every call with "going away", each as soon as a reply in progress has come to its end.

        After ``within_s`` seconds replies are cut off. Returns when all calls are over and their clients have been told.
        """
        self.draining = True
        calls = tuple(self._calls.values())
        log.info("going down: %d conversations have %g s to finish their replies", len(calls), within_s)
        await asyncio.gather(*(_finish(call, within_s) for call in calls))
        with suppress(TimeoutError):
            async with asyncio.timeout(HANG_UP_S):
                await asyncio.gather(*(event.wait() for call in calls for event in (call.over, call.hung_up)))

    async def _live(self, call: Call, when_over: Callable[[], None]) -> None:
        try:
            await call.live()
        finally:
            del self._calls[call.driver.session_id]
            try:
                when_over()
            except Exception:  # else the group ends, and with it every conversation there is
                log.exception("session %s: its place could not be given back", call.driver.session_id)


async def _finish(call: Call, within_s: float) -> None:
    farewell = None
    try:
        async with asyncio.timeout(within_s):
            await call.finish()
    except TimeoutError:
        log.warning("session %s: its reply was still in progress after %g s", call.driver.session_id, within_s)
        stopping = ClientError("The server is going down.", code="server_stopping", type="server_error")
        farewell = Ended(stopping, told=False)
    call.end(GOING_AWAY, farewell)
