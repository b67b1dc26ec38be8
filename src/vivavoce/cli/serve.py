"""``vivavoce serve``: the server."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.panel import Panel

from vivavoce.cli.options import ConfigOption, Engines, EnginesOption, read_config
from vivavoce.cli.weights import ensure_weights, server_weights
from vivavoce.client.connection import MAX_FRAME_BYTES
from vivavoce.config import Config

_GRACE_S = 5


class LogLevel(StrEnum):
    """How much the server says."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; 0.0.0.0 for every interface.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on; 0 chooses a free one.")] = None,
    engines: EnginesOption = Engines.LOCAL,
    config: ConfigOption = None,
    sessions: Annotated[int | None, typer.Option(min=1, help="Conversations at once.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads for the engines.")] = None,
    log_level: Annotated[LogLevel | None, typer.Option(help="How much to log.")] = None,
) -> None:
    """Run the server. Pulls missing weights first; `http://…/health` answers 200 once it is ready to talk."""
    flags = {
        "host": host,
        "port": port,
        "threads": threads,
        "limits": None if sessions is None else {"sessions": sessions},
        "log_level": None if log_level is None else log_level.value,
    }
    settings = read_config(flags, engines=engines, file=config)
    console = Console(stderr=True)
    ensure_weights(settings, server_weights(settings), console)
    if not run_server(settings, console):
        raise typer.Exit(1)


def run_server(config: Config, console: Console) -> bool:
    """Serve until a signal ends it. Says whether the engines could be loaded; if not, the server ends by itself."""
    # The doors are loaded only to serve, so that every other command starts quickly.
    import uvicorn

    from vivavoce.app import create_app

    loaded = True

    def give_up() -> None:
        nonlocal loaded
        loaded = False
        server.should_exit = True

    server = uvicorn.Server(
        uvicorn.Config(
            create_app(config, on_failure=give_up),
            host=config.host,
            port=config.port,
            log_level=config.log_level,
            log_config=_logging(uvicorn.config.LOGGING_CONFIG, config.log_level),
            ws="websockets-sansio",
            ws_max_size=MAX_FRAME_BYTES,
            ws_ping_interval=20.0,
            ws_ping_timeout=20.0,
            ws_per_message_deflate=False,  # base64 audio hardly shrinks, and deflating it costs latency
            timeout_graceful_shutdown=_GRACE_S,
        )
    )
    listening = server.config.bind_socket()  # before the panel: with port 0 only the socket knows the port
    console.print(_welcome(config.host, listening.getsockname()[1]))
    with suppress(KeyboardInterrupt):  # uvicorn raises Ctrl-C again when it has shut down
        server.run(sockets=[listening])
    return loaded


def _logging(base: Mapping[str, Any], level: str) -> dict[str, Any]:
    """Uvicorn's logging, and ours beside it in the same form."""
    ours = {"handlers": ["default"], "level": level.upper(), "propagate": False}
    return {**base, "loggers": {**base["loggers"], "vivavoce": ours}}


def _welcome(host: str, port: int) -> Panel:
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    return Panel(
        f"Listening on [bold]http://{shown}:{port}[/], loading the models.\n"
        f"Talk by voice:       vivavoce talk --url ws://{shown}:{port}\n"
        f"Any Realtime client: ws://{shown}:{port}/v1/realtime?model=step-audio-2\n"
        f"Ready when this answers 200: http://{shown}:{port}/health",
        title="Vivavoce",
        expand=False,
    )
