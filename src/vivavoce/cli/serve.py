"""``vivavoce serve``: the server."""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer
from rich.console import Console

from vivavoce.cli.data_folder import ensure_data_folder
from vivavoce.cli.keys import any_key
from vivavoce.cli.options import ConfigOption, EngineSet, EnginesOption, ProfileOption, read_config
from vivavoce.cli.weights import ensure_weights, weights_of
from vivavoce.client.connection import MAX_FRAME_BYTES
from vivavoce.config import Config
from vivavoce.errors import ConfigError, VivavoceError
from vivavoce.http.local import is_loopback
from vivavoce.http.tcp_listener import OTHER_FILES, BoundedListener, ConnectionLimiter, raise_file_limit
from vivavoce.preflight import require_references

if TYPE_CHECKING:
    import uvicorn

    from vivavoce.http.tls import TlsFiles

_GRACE_S = 5

PING_S = 20.0
"""How often a WebSocket's client is pinged, and how long it may take to answer: one that is gone without a word is found so."""

_WITHOUT_PARENT_S = 10.0
"""What a server gets to end in, whose parent is gone."""

_NO_KEYS = """Everybody who reaches {host} could use this server, because it has no keys. Create one,
    vivavoce keys create me
or set one in the environment,
    VIVAVOCE_AUTH__KEYS__ME=<a long random text>
or in the configuration file,
    [auth.keys]
    me = "<a long random text>"
or listen on 127.0.0.1 only. To let everybody in all the same: --insecure-open."""


class ListenError(VivavoceError):
    """Nothing can be served under this address; the message says why, and what to do."""


class LogLevel(StrEnum):
    """How much the server says."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; 0.0.0.0 for every interface.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on; 0 chooses a free one.")] = None,
    engines: EnginesOption = EngineSet.LOCAL,
    config: ConfigOption = None,
    profile: ProfileOption = None,
    sessions: Annotated[int | None, typer.Option(min=1, help="Conversations at once.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads for the engines.")] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(help="Certificate (PEM, with its chain): serve https and wss.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="The certificate's key (PEM, not encrypted).")] = None,
    tls_self_signed: Annotated[
        bool, typer.Option("--tls-self-signed", help="Serve https and wss with a certificate made for this machine.")
    ] = False,
    insecure_open: Annotated[
        bool, typer.Option("--insecure-open", help="Without keys, serve other machines and any web page all the same.")
    ] = False,
    log_level: Annotated[LogLevel | None, typer.Option(help="How much to log.")] = None,
    with_parent: Annotated[bool, typer.Option("--with-parent", hidden=True)] = False,
) -> None:
    """Run the server. Pulls missing weights first; `http://…/health` answers 200 once it is ready to talk."""
    if with_parent:
        end_with_parent(sys.stdin.buffer)
    flags = {
        "host": host,
        "port": port,
        "threads": threads,
        "limits": _set_flags(sessions=sessions),
        "tls": _set_flags(cert=tls_cert, key=tls_key, self_signed=tls_self_signed or None),
        "auth": _set_flags(open=insecure_open or None),
        "log_level": None if log_level is None else log_level.value,
    }
    settings = read_config(flags, engines=engines, file=config, profile=profile)
    require_references(settings)
    ensure_data_folder(settings)
    locked = needs_keys(settings)
    # The routes are loaded only to serve, so that every other command starts quickly.
    from vivavoce.cli.welcome import welcome
    from vivavoce.http.tls import tls_files

    tls = tls_files(settings)
    console = Console(stderr=True)
    # Before the weights: a port that is taken is said at once. With port 0 only the socket knows the port.
    with listen(settings.host, settings.port) as listening:
        ensure_weights(settings, weights_of(settings), console)
        message = welcome(settings, listening.getsockname()[1], tls, locked=locked)
        console.print(message, highlight=False, markup=False, soft_wrap=True)
        if not run_server(settings, listening, tls):
            raise typer.Exit(1)


def needs_keys(config: Config) -> bool:
    """Whether a key is needed to be let in. Raises ``ConfigError`` where nobody should be, or everybody is by mistake."""
    locked = bool(config.auth.keys) or any_key(config)
    if locked and config.auth.open:
        raise ConfigError("There are keys (`vivavoce keys list`), so the server cannot be open to everybody.")
    if not (is_loopback(config.host) or locked or config.auth.open):
        raise ConfigError(_NO_KEYS.format(host=config.host))
    return locked


def end_with_parent(pipe: BinaryIO) -> None:
    """End this process, gently, then at once, when the other side of ``pipe`` is closed: a parent may end in any way."""

    def watch() -> None:
        while pipe.read(1):
            pass
        signal.raise_signal(signal.SIGTERM)
        time.sleep(_WITHOUT_PARENT_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _set_flags(**flags: Any) -> dict[str, Any] | None:
    """A table of the flags that were given, or none."""
    return {name: value for name, value in flags.items() if value is not None} or None


def run_server(config: Config, listening: BoundedListener, tls: TlsFiles | None) -> bool:
    """Serve until a signal ends it, gently; a second one ends it at once.

    Says whether the engines could be loaded; if not, the server ends by itself.
    """
    loaded = True

    def give_up() -> None:
        nonlocal loaded
        loaded = False
        server.should_exit = True

    from vivavoce.http.server_logs import configure_logging

    configure_logging(config.log_level)
    max_connections = min(config.limits.connections, max(raise_file_limit() - OTHER_FILES, 1))
    listening.connections = ConnectionLimiter(
        max_connections, config.limits.connections_per_address, config.http.trusted_proxies
    )
    server = make_server(config, tls, on_failure=give_up)
    with suppress(KeyboardInterrupt):  # uvicorn raises Ctrl-C again when it has shut down
        server.run(sockets=[listening])
    return loaded


def listen(host: str, port: int) -> BoundedListener:
    """The server's socket, bound. What is accepted from it sends small frames at once. Raises ``ListenError``.

    Uvicorn's own sockets do not: with Nagle's algorithm on, every second frame waits 40 ms for the client's delayed
    acknowledgement. (asyncio turns it off only for sockets that name their protocol, which uvicorn's do not.)
    """
    listening = BoundedListener(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise ListenError(
            f"Cannot listen on {host}, port {port}: {error.strerror or error}. {_advice(error)}"
        ) from error
    return listening


def _advice(error: OSError) -> str:
    match error:
        case socket.gaierror():
            return "--host (or `host` in the configuration) is an address or a name of this machine."
        case OSError(errno=errno.EADDRINUSE):
            return "Something listens there, perhaps another Vivavoce: stop it, or choose another --port."
        case OSError(errno=errno.EADDRNOTAVAIL):
            return "--host (or `host` in the configuration) is an address of this machine, or 0.0.0.0 for all of them."
        case OSError(errno=errno.EACCES):
            return "Ports below 1024 need special rights: choose another --port."
    return "Choose another --host or --port."


def make_server(
    config: Config, tls: TlsFiles | None, *, on_failure: Callable[[], None] | None = None
) -> uvicorn.Server:
    """The web server with the application in it, not yet listening."""
    import uvicorn

    from vivavoce.app import create_app, end_process
    from vivavoce.http.core import drain
    from vivavoce.http.draining import DrainingServer
    from vivavoce.http.timeouts import TimeoutH11Protocol

    application = create_app(config, on_failure=on_failure or end_process)
    return DrainingServer(
        uvicorn.Config(
            application,
            host=config.host,
            port=config.port,
            log_level=config.log_level,
            log_config=None,
            http=TimeoutH11Protocol,
            ws="websockets-sansio",
            ws_max_size=MAX_FRAME_BYTES,
            ws_ping_interval=PING_S,
            ws_ping_timeout=PING_S,
            ws_per_message_deflate=False,  # base64 audio hardly shrinks, and deflating it costs latency
            timeout_graceful_shutdown=_GRACE_S,
            proxy_headers=True,
            forwarded_allow_ips=list(config.http.trusted_proxies),
            ssl_certfile=tls.cert if tls else None,
            ssl_keyfile=tls.key if tls else None,
        ),
        partial(drain, application.state.app_state),
        drain_s=config.limits.drain_s,
    )
