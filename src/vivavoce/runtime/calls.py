"""The conversations of a process: they live beside their connections, so that a lost one can be taken up again.

A call whose client may resume outlives a connection that broke by a time of grace; every other ends with its connection,
and at once all it held is free.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from hmac import compare_digest

from vivavoce.errors import ClientError
from vivavoce.runtime.driver import Driver
from vivavoce.runtime.line import SlowClientError

log = logging.getLogger(__name__)

NORMAL, GOING_AWAY, INTERNAL_ERROR, TRY_AGAIN_LATER = 1000, 1001, 1011, 1013
"""Close codes (RFC 6455, section 7.4.1, and the IANA registry)."""


def new_resume_token(session_id: str) -> str:
    """What proves that a connection is the lost one's heir: the session's id and a secret."""
    return f"{session_id}.{secrets.token_urlsafe(24)}"


class Call:
    """One conversation: its driver, whose it is, and what takes it up again (``token``, if anything)."""

    def __init__(self, driver: Driver, owner: str, token: str | None, *, grace_s: float) -> None:
        self.driver = driver
        self.owner = owner
        self.token = token
        self.close_code = NORMAL
        self._grace_s = grace_s
        self._connection: asyncio.Task[None] | None = None
        self._grace: asyncio.TimerHandle | None = None
        self.over = asyncio.Event()

    async def live(self) -> None:
        """The whole life. Never raises: what goes wrong is logged and becomes the close code."""
        try:
            await self.driver.live()
        except* SlowClientError as slow:
            log.warning("session %s: %s", self.driver.session_id, slow.exceptions[0])
            self.close_code = TRY_AGAIN_LATER
        except* Exception as bug:
            log.exception("session %s: internal error", self.driver.session_id, exc_info=bug)
            self.close_code = INTERNAL_ERROR
        finally:
            if self.driver.expired:
                self.close_code = GOING_AWAY
            if self._grace is not None:
                self._grace.cancel()
            self.over.set()
            log.info("session %s: closed", self.driver.session_id)

    async def connect(self, frames: AsyncIterator[str | bytes], send: Callable[[str], Awaitable[None]]) -> bool:
        """Carry one connection until it ends; says whether it still was the call's own.

        A newer connection takes an older one's place.
        """
        if self._grace is not None:
            self._grace.cancel()
        if self._connection is not None:
            self._connection.cancel()
        mine = self._connection = asyncio.ensure_future(self.driver.serve(frames, send))
        try:
            await asyncio.wait([mine])
        finally:
            mine.cancel()
        if self._connection is not mine:
            return False
        self._connection = None
        self._take_note(mine)
        return True

    def _take_note(self, connection: asyncio.Task[None]) -> None:
        """What went wrong while a frame was read is as grave as what goes wrong elsewhere in the call."""
        error = None if connection.cancelled() else connection.exception()
        if error is None:
            return
        if isinstance(error, SlowClientError):
            log.warning("session %s: %s", self.driver.session_id, error)
            self.close_code = TRY_AGAIN_LATER
        else:
            log.error("session %s: internal error", self.driver.session_id, exc_info=error)
            self.close_code = INTERNAL_ERROR
        self.driver.end()

    def lost(self) -> None:
        """The connection broke: wait for the client, if it may come back."""
        if self.token is None:
            self.driver.end()
        else:
            self._grace = asyncio.get_running_loop().call_later(self._grace_s, self.driver.end)


class Calls:
    """All calls there are. Lives as long as the application: ``async with calls``."""

    def __init__(self, *, grace_s: float) -> None:
        self._grace_s = grace_s
        self._calls: dict[str, Call] = {}
        self._group = asyncio.TaskGroup()
        self.draining = False

    async def __aenter__(self) -> Calls:
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        for call in self._calls.values():
            call.driver.end()
        await self._group.__aexit__(None, None, None)

    def begin(self, driver: Driver, owner: str, token: str | None, when_over: Callable[[], None]) -> Call:
        """A new call of this owner; it calls ``when_over`` at its end."""
        call = Call(driver, owner, token, grace_s=self._grace_s)
        self._calls[driver.session_id] = call
        self._group.create_task(self._live(call, when_over))
        return call

    def resumable(self, token: str, owner: str) -> Call:
        """The call a client of ``owner`` lost. Raises ``ClientError`` if it is gone, or the token is not its own."""
        call = self._calls.get(token.partition(".")[0])
        known = call is not None and call.token is not None and compare_digest(call.token.encode(), token.encode())
        if call is None or not known or call.owner != owner:
            raise ClientError("There is no such session to resume.", code="session_not_found", param="resume")
        return call

    async def drain(self, within_s: float) -> None:
        """Let replies in progress come to their end, then end every call with "going away"."""
        self.draining = True
        calls = tuple(self._calls.values())
        try:
            async with asyncio.timeout(within_s):
                for call in calls:
                    await call.driver.until_quiet()
        except TimeoutError:
            log.warning("replies were still in progress after %g s", within_s)
        for call in calls:
            call.close_code = GOING_AWAY
            call.driver.end()

    async def _live(self, call: Call, when_over: Callable[[], None]) -> None:
        try:
            await call.live()
        finally:
            del self._calls[call.driver.session_id]
            when_over()
