"""Who may come in: one rule for the Realtime upgrade and for every ``/v1`` route.

A key, or an ephemeral client secret, comes in one of these ways; the first that is valid counts:

* ``Authorization: Bearer <key>``, or ``api-key: <key>`` as Azure's clients send it;
* the sub-protocol ``openai-insecure-api-key.<key>``, because a browser cannot set headers on a WebSocket;
* the query parameter ``api_key`` or ``apiKey`` (Realtime reference, section 1.4).

More than one may be there: StepFun's browser demo sends the sub-protocol with the key ``null``, and its key in the query.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from hashlib import sha256
from typing import Annotated

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from vivavoce.config import CLIENT_SECRET_PREFIX, Config
from vivavoce.errors import ClientError
from vivavoce.http.grants import ClientSecrets, Grant
from vivavoce.http.local import require_local

LOCAL_OWNER = "local"
"""Owner of everything while there are no keys. A key configured under this name takes it over."""

KEY_SUBPROTOCOL = "openai-insecure-api-key."


class Auth:
    """The configured keys and the client secrets made with them. Holds digests, never a key."""

    def __init__(self, config: Config, client_secrets: ClientSecrets) -> None:
        self._digests = [(owner, _digest(key.get_secret_value())) for owner, key in config.auth.keys.items()]
        self._anyone = config.auth.open
        self._host = config.host
        self._client_secrets = client_secrets

    def grant(self, connection: HTTPConnection) -> Grant:
        """What a Realtime connection may do. Raises ``ClientError`` (``invalid_api_key``, ``forbidden``)."""
        offered = list(credentials(connection))
        for credential in offered:
            grant = self._client_secrets.find(credential)
            if grant is not None:
                self._require_place(connection)
                return grant
        return Grant(self._owner(connection, offered))

    def owner(self, connection: HTTPConnection) -> str:
        """Whose request this is; client secrets do not count. Raises ``ClientError`` as ``grant`` does."""
        return self._owner(connection, list(credentials(connection)))

    def _owner(self, connection: HTTPConnection, offered: list[str]) -> str:
        self._require_place(connection)
        if not self._digests:
            # A client secret that opens nothing must not be let in to a session other than the one it stands for.
            if any(credential.startswith(CLIENT_SECRET_PREFIX) for credential in offered):
                raise wrong_key()
            return LOCAL_OWNER
        for credential in offered:
            owner = self._owner_of(credential)
            if owner is not None:
                return owner
        raise wrong_key()

    def _owner_of(self, credential: str) -> str | None:
        """Digests are compared, and all of them, so that the time it takes says nothing about the keys."""
        digest, found = _digest(credential), None
        for owner, known in self._digests:
            if hmac.compare_digest(digest, known):
                found = owner
        return found

    def _require_place(self, connection: HTTPConnection) -> None:
        if not self._digests and not self._anyone:
            require_local(connection, self._host)


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


def request_owner(request: Request) -> str:
    """Whose request this is. Raises ``ClientError``."""
    auth: Auth = request.app.state.serving.auth
    return auth.owner(request)


Owner = Annotated[str, Depends(request_owner)]
"""A route's parameter of this type makes the route need a key, and holds the owner's name."""
