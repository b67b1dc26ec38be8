"""``vivavoce keys``: who may come in. Works on the configured store, whether a server runs on it or not."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from vivavoce.cli.data_folder import ensure_data_folder
from vivavoce.cli.options import ConfigOption, EngineSet, read_config
from vivavoce.config import Config
from vivavoce.permissions import SCOPES, KeyLimits, Scope

if TYPE_CHECKING:
    from vivavoce.store.keys import Keys
    from vivavoce.store.tables import KeyRow

app = typer.Typer(no_args_is_help=True, help="Keys: create, list, revoke.")

T = TypeVar("T")

_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


@app.command()
def create(
    owner: Annotated[str, typer.Argument(help="Whose key it is: what is stored belongs to this name.")],
    scope: Annotated[
        list[str] | None, typer.Option(help=f"What it opens; several times for more. All of: {', '.join(SCOPES)}.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option(help="How long it lasts: 30m, 12h, 7d, 4w. Else until revoked.")
    ] = None,
    rpm: Annotated[int | None, typer.Option(min=1, max=10**9, help="Requests a minute.")] = None,
    tpm: Annotated[int | None, typer.Option(min=1, max=10**9, help="Tokens a minute, in and out.")] = None,
    sessions: Annotated[int | None, typer.Option(min=0, max=10**6, help="Realtime conversations at once.")] = None,
    config: ConfigOption = None,
) -> None:
    """Create a key and show it, this once: only its digest is kept."""
    if not _OWNER.fullmatch(owner):
        raise typer.BadParameter("An owner's name has up to 64 letters, digits and . _ @ -", param_hint="OWNER")
    limits = KeyLimits(rpm, tpm, sessions)
    scopes, lifetime_s = _scopes(scope or []), _seconds(expires)
    settings = _settings(config)

    async def create_key(keys: Keys) -> tuple[bool, KeyRow, str]:
        locked = bool(settings.auth.keys) or await keys.any()
        return locked, *await keys.create(owner, scopes=scopes, limits=limits, lifetime_s=lifetime_s)

    locked, row, secret = _with_keys(settings, create_key)
    print(secret)
    message = f"{row.id} of {owner}. The key is not shown again."
    if not locked:
        message += " It is the first: from now on every client needs one, those of this machine too (VIVAVOCE_KEY)."
    Console(stderr=True).print(message, highlight=False, soft_wrap=True)


@app.command("list")
def list_keys(config: ConfigOption = None) -> None:
    """List the keys: whose, what for, how much, until when."""
    rows = _with_keys(_settings(config), lambda keys: keys.list())
    table = Table(box=None, pad_edge=False)
    for column in ("id", "owner", "key", "opens", "limits", "created", "state"):
        table.add_column(column, no_wrap=column in ("id", "key"))
    for row in rows:
        opens = row.scopes or "everything"
        table.add_row(row.id, row.owner, f"vv_…{row.hint}", opens, _limits(row), _day(row.created_at), _state(row))
    Console().print(table)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="The key's id, as `list` shows it.")],
    config: ConfigOption = None,
) -> None:
    """End a key at once: running servers refuse it, and end the conversations it has open."""
    row = _with_keys(_settings(config), lambda keys: keys.revoke(key_id))
    Console().print(f"{row.id} of {row.owner} is revoked.", highlight=False)


@app.command()
def forget(config: ConfigOption = None) -> None:
    """Delete the keys that are revoked or have expired. Without any key left, the server is open to its own machine."""
    count = _with_keys(_settings(config), lambda keys: keys.forget())
    Console().print(f"{count} keys forgotten.", highlight=False)


def _settings(file: Path | None) -> Config:
    """The configuration, with the data of earlier versions at its place."""
    config = read_config(engines=EngineSet.LOCAL, file=file)
    ensure_data_folder(config)
    return config


def _with_keys(config: Config, work: Callable[[Keys], Awaitable[T]]) -> T:
    """Do something with the keys of the configured database, which is loaded only for that."""
    from vivavoce.store.database import Database
    from vivavoce.store.keys import Keys
    from vivavoce.store.store import database_url

    async def opened() -> T:
        database = Database(database_url(config))
        try:
            await database.migrate()
            return await work(Keys(database))
        finally:
            await database.close()

    return asyncio.run(opened())


def any_key(config: Config) -> bool:
    """Whether the configured store holds a key. Raises ``StoreError``."""
    return _with_keys(config, lambda keys: keys.any())


def _scopes(names: list[str]) -> tuple[Scope, ...]:
    unknown = sorted(set(names) - set(SCOPES))
    if unknown:
        raise typer.BadParameter(f"there is no scope {', '.join(unknown)}; there are {', '.join(SCOPES)}")
    return tuple(scope for scope in SCOPES if scope in names)


def _seconds(lasting: str | None) -> int | None:
    if lasting is None:
        return None
    match = re.fullmatch(r"([1-9][0-9]{0,5})([mhdw])", lasting)
    if match is None:
        raise typer.BadParameter("a time is a number and m, h, d or w, such as 7d")
    return int(match[1]) * _SECONDS[match[2]]


def _limits(row: KeyRow) -> str:
    limits = {"rpm": row.requests_per_minute, "tpm": row.tokens_per_minute, "sessions": row.sessions}
    return ", ".join(f"{value} {name}" for name, value in limits.items() if value is not None) or "none"


def _state(row: KeyRow) -> str:
    if row.revoked_at is not None:
        return f"revoked {_day(row.revoked_at)}"
    if row.expires_at is None:
        return "valid"
    expired = row.expires_at <= datetime.now(UTC).timestamp()
    return f"{'expired' if expired else 'valid until'} {_day(row.expires_at)}"


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")
