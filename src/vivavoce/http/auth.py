"""Whose key a request has: one rule for every route, HTTP and WebSocket, asked by ``admission`` before a body is read.

A key, or an ephemeral client secret, comes in one of these ways; the first that is valid counts:

* ``Authorization: Bearer <key>``, or ``api-key: <key>`` as Azure's clients send it;
* the sub-protocol ``openai-insecure-api-key.<key>``, because a browser cannot set headers on a WebSocket;
* the query parameter ``api_key`` or ``apiKey`` (Realtime reference, section 1.4).

More than one may be there: StepFun's browser demo sends the sub-protocol with the key ``null``, and its key in the query.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Annotated

from fastapi import Depends, Request
from starlette.requests import HTTPConnection
from starlette.types import Scope

from vivavoce.config import Config
from vivavoce.config.serving import CLIENT_SECRET_PREFIX, KeyLimitsConfig
from vivavoce.errors import ClientError, StoreError
from vivavoce.http.access import access_of
from vivavoce.http.key_limits import KeyUse
from vivavoce.http.local import require_local
from vivavoce.http.principals import ClientSecrets, Principal
from vivavoce.http.scopes import require_scope
from vivavoce.http.wrong_keys import WrongKeys
from vivavoce.permissions import CONFIGURED, Key, KeyLimits
from vivavoce.runtime.shares import Owners
from vivavoce.store.keys import Keys

LOCAL_OWNER = "local"
"""Owner of everything while there are no keys. A key configured under this name takes it over."""

KEY_SUBPROTOCOL = "openai-insecure-api-key."


class Auth:
    """The configured keys, the created ones, and the client secrets made with either. Holds digests, never a key.

    ``created`` gives the created keys; it may raise ``ClientError`` as long as they cannot be read.
    """

    def __init__(
        self,
        config: Config,
        client_secrets: ClientSecrets,
        use: KeyUse,
        owners: Owners,
        created: Callable[[], Keys],
    ) -> None:
        self._digests = [(owner, _digest(key.get_secret_value())) for owner, key in config.auth.keys.items()]
        self._anyone = config.auth.open
        self._host = config.host
        self._pages = config.http.cors_origins
        self._client_secrets = client_secrets
        self._use = use
        self._owners = owners
        self._limited = {owner: _limited(owner, limits) for owner, limits in config.auth.limits.items()}
        self._created = created
        self._wrong_keys = WrongKeys()

    async def admit(self, connection: HTTPConnection) -> Principal | None:
        """Who makes this request or upgrade; ``None`` for nobody, where its path needs no key. It counts as one request.

        Raises ``ClientError`` (``invalid_api_key``, ``forbidden``, ``insufficient_scope``) and ``RateLimitError``.
        """
        access = access_of(connection.scope)
        if access == "public":
            return None
        credentials_offered = list(credentials(connection))
        if access == "optional" and not credentials_offered and await self._locked():
            return None
        principal = await self._authenticate(credentials_offered, connection, secrets=access == "secret")
        if principal.owner != LOCAL_OWNER:
            self._owners.add(principal.owner)
        if principal.key is not None:
            require_scope(principal.key, connection.scope["path"])
            self._use.count_request(principal.key)
        return principal

    async def knows(self, connection: HTTPConnection) -> bool:
        """Whether a request may see what is nobody else's business: it has a valid key, or the server has none at all."""
        try:
            if not await self._locked():
                return True
            await self._authenticate(list(credentials(connection)), connection, secrets=False)
        except (ClientError, StoreError):  # while keys cannot be looked up, nobody has one
            return False
        return True

    async def _authenticate(
        self, credentials_offered: list[str], connection: HTTPConnection, *, secrets: bool
    ) -> Principal:
        """What these credentials open; wrong ones are counted. Raises as ``admit`` does."""
        host = connection.client.host if connection.client is not None else None
        if credentials_offered:
            self._wrong_keys.require(host)
        try:
            principal = await self._of_secret(credentials_offered) if secrets else None
            if principal is None:
                return await self._of_key(credentials_offered, connection)
        except ClientError as error:
            if error.code == "invalid_api_key":
                self._wrong_keys.note(host, credentials_offered)
            raise
        if not await self._locked():
            self._require_local(connection)
        return principal

    async def _of_secret(self, credentials_offered: list[str]) -> Principal | None:
        """What the first valid client secret opens, unless the key that made it is over."""
        for credential in credentials_offered:
            principal = self._client_secrets.find(credential)
            if principal is not None:
                if (
                    principal.key is None
                    or principal.key.configured
                    or await self._created().still_valid([principal.key.id])
                ):
                    return principal
                raise wrong_key()
        return None

    async def _of_key(self, credentials_offered: list[str], connection: HTTPConnection) -> Principal:
        for credential in credentials_offered:
            owner = self._owner_of(credential)
            if owner is not None:
                return Principal(owner, key=self._limited.get(owner))
        key = await self._created().find(credentials_offered)
        if key is not None:
            return Principal(key.owner, key=key)
        if await self._locked():
            raise wrong_key()
        self._require_local(connection)
        # A client secret that opens nothing must not be let in to a session other than the one it stands for.
        if any(credential.startswith(CLIENT_SECRET_PREFIX) for credential in credentials_offered):
            raise wrong_key()
        return Principal(LOCAL_OWNER)

    def _owner_of(self, credential: str) -> str | None:
        """Digests are compared, and all of them, so that the time it takes says nothing about the keys."""
        digest, matched = _digest(credential), None
        for owner, key_digest in self._digests:
            if hmac.compare_digest(digest, key_digest):
                matched = owner
        return matched

    async def _locked(self) -> bool:
        """Whether a key is needed. One that was created and is over keeps the server locked: nobody meant to open it."""
        return bool(self._digests) or await self._created().any()

    def _require_local(self, connection: HTTPConnection) -> None:
        if not self._anyone:
            require_local(connection, self._host, self._pages)


def _limited(owner: str, limits: KeyLimitsConfig) -> Key:
    """The configured key of an owner whom the configuration limits."""
    allowed = KeyLimits(limits.requests_per_minute, limits.tokens_per_minute, limits.sessions)
    return Key(f"{CONFIGURED}{owner}", owner, frozenset(limits.scopes), allowed)


def credentials(connection: HTTPConnection) -> Iterator[str]:
    """Every key a request offers, in the order they are tried."""
    scheme, _, bearer = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and bearer.strip():
        yield bearer.strip()
    if connection.headers.get("api-key"):
        yield connection.headers["api-key"]
    for subprotocol in connection.scope.get("subprotocols", ()):
        if subprotocol.startswith(KEY_SUBPROTOCOL):
            yield subprotocol.removeprefix(KEY_SUBPROTOCOL)
    for name in ("api_key", "apiKey"):
        yield from filter(None, connection.query_params.getlist(name))


def wrong_key() -> ClientError:
    """The refusal of a missing, wrong or expired key, in the hosted platform's words (Realtime reference, section 1.5)."""
    return ClientError("Incorrect API key provided", code="invalid_api_key", type="invalid_api_key")


def _digest(key: str) -> bytes:
    return sha256(key.encode()).digest()


_STATE = "principal"
"""Where in a connection's state its principal is."""


def remember_principal(scope: Scope, principal: Principal | None) -> None:
    """Keep what admission has found, for the route."""
    scope.setdefault("state", {})[_STATE] = principal


def principal_of(connection: HTTPConnection) -> Principal:
    """Who was admitted. Raises ``ClientError`` on a path that was open to nobody in particular: such a route must not ask."""
    principal: Principal | None = connection.scope["state"][_STATE]
    if principal is None:
        raise wrong_key()
    return principal


def owner_of(scope: Scope) -> str:
    """Whose connection this is; empty for nobody's."""
    principal: Principal | None = scope["state"][_STATE]
    return principal.owner if principal is not None else ""


async def _request_principal(request: Request) -> Principal:
    return principal_of(request)


Caller = Annotated[Principal, Depends(_request_principal)]
"""A route's parameter of this type says who calls, with which key. That a key is needed says ``access``."""


async def _request_owner(caller: Caller) -> str:
    return caller.owner


Owner = Annotated[str, Depends(_request_owner)]
"""As ``Caller``, where only the owner's name matters."""


async def _named_owner(request: Request) -> str | None:
    principal: Principal | None = request.scope["state"][_STATE]
    return principal.owner if principal is not None else None


OptionalOwner = Annotated[str | None, Depends(_named_owner)]
"""As ``Owner`` on a route that also answers requests without a key, with what is everybody's."""
