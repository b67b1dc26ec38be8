"""The error tree. Two branches go on the wire; anything else is a bug.

VivavoceError
├── ClientError          the client's doing: an ``error`` event or a 4xx, the session lives on
│   └── RateLimitError   too much at the moment: refused at once (429), and when to try again
│       ├── CapacityError    no room for one more
│       └── ShareError       room, but not for this owner
├── EngineError          an engine failed: the response fails, the session lives on
├── ConfigError          the configuration cannot be used: nothing is started, and the message says which setting
├── StoreError           the database or the blob store cannot be used: a 500, and the server's operator reads why
│   ├── StoreBusyError   not now: it is locked, or cannot be reached; a 503, and the same may succeed later
│   └── StoreFullError   there is no room for more: a 507, until something is deleted
└── WeightsError         weights are missing, wrong or unreachable
"""

from __future__ import annotations


class VivavoceError(Exception):
    """Root of all errors Vivavoce raises on purpose."""


class ClientError(VivavoceError):
    """The client asked for something that cannot be done.

    ``code``, ``param`` and ``event_id`` go into the documented error object (Realtime reference 5.1).
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "invalid_value",
        param: str | None = None,
        event_id: str | None = None,
        type: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.event_id = event_id
        self.type = type

    @property
    def body(self) -> dict[str, str | None]:
        """The documented error object (platform reference, section 2)."""
        return {"message": self.message, "type": self.type, "code": self.code, "param": self.param}


class RateLimitError(ClientError):
    """More than is allowed at the moment; ``retry_after_s`` from now it may be less."""

    def __init__(self, message: str, *, retry_after_s: int = 5) -> None:
        super().__init__(message, code="rate_limit_exceeded", type="rate_limit_error")
        self.retry_after_s = retry_after_s


class CapacityError(RateLimitError):
    """Every place is taken. ``capacity`` is the number of places there are."""

    def __init__(self, resource: str, capacity: int) -> None:
        super().__init__(f"All {capacity} {resource} are in use; try again later.")
        self.capacity = capacity


class ShareError(RateLimitError):
    """There is room, but this owner holds their share of it. ``held`` is how much, ``capacity`` how much there is."""

    def __init__(self, resource: str, held: int, capacity: int) -> None:
        super().__init__(f"You hold {held} of {capacity} {resource}; the others are kept for other users.")
        self.held = held
        self.capacity = capacity


class EngineError(VivavoceError):
    """An engine failed at its work. ``retriable`` says whether the same call may succeed later."""

    def __init__(self, engine: str, message: str, *, retriable: bool = False) -> None:
        super().__init__(f"{engine}: {message}")
        self.engine = engine
        self.message = message
        self.retriable = retriable


class ConfigError(VivavoceError):
    """The configuration cannot be used. The message has a line for each setting that is wrong, and holds no key."""


class StoreError(VivavoceError):
    """The database or the blob store cannot be opened, read or written.

    The message is the operator's and holds no password; clients are told what ``client_error`` makes.
    """

    code = "internal_error"
    client_message = "The server failed."

    def client_error(self) -> ClientError:
        """The same for a client, with a code and without details of the inside."""
        return ClientError(self.client_message, code=self.code, type="server_error")


class StoreBusyError(StoreError):
    """The store is locked by somebody else, or cannot be reached: the same may succeed in a moment."""

    code = "store_busy"
    client_message = "The store cannot be used at the moment; try again."


class StoreFullError(StoreError):
    """The disk, or what the store may use of it, is full. What is there can be read and deleted."""

    code = "insufficient_storage"
    client_message = "There is no room left on the server; delete something, or try again later."


class WeightsError(VivavoceError):
    """A file of weights is missing, has the wrong hash, or no source gave it. The message says what to do."""
