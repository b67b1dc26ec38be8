"""What ``vivavoce serve`` says at the start: the addresses that work, and what to do with them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import which

from vivavoce.config import Config
from vivavoce.http.local import is_loopback
from vivavoce.http.tls import TlsFiles
from vivavoce.net.machine import EVERY_INTERFACE, own_addresses

NAME = "vivavoce"

MAX_ADDRESSES = 4
"""Of the network: a machine with containers has many, and the first is the one that matters."""


def welcome(config: Config, port: int, tls: TlsFiles | None, *, locked: bool) -> str:
    """Lines to be printed as they are, so that what is in them can be copied.

    ``port`` is the one listened on; ``locked``: a key is needed.
    """
    here = [_netloc(host, port) for host in _here(config.host)]
    network = [_netloc(host, port) for host in _network(config.host, tls)][:MAX_ADDRESSES]
    secure = "s" if tls else ""
    lines = [
        *(f"On this machine:      http{secure}://{address}" for address in here),
        *(f"On the network:       http{secure}://{address}" for address in network),
        f"Realtime clients:     ws{secure}://{[*network, *here][0]}/v1/realtime?model=step-audio-2",
        f"Talk by voice:        {program()} talk --url ws{secure}://{[*here, *network][0]}",
        f"Ready when 200:       http{secure}://{[*network, *here][0]}/health",
    ]
    if locked:
        lines.append("Clients need a key:   talk and say send VIVAVOCE_KEY")
    if tls:
        lines += [
            f"Certificate:          {tls.cert}",
            f"  SHA-256:            {tls.fingerprint}",
            f"  Clients trust it:   SSL_CERT_FILE={tls.cert}",
        ]
    return "\n".join(["Vivavoce is loading the models.", *(f"  {line}" for line in lines)])


def program() -> str:
    """What starts this program from here: its name where the shell finds it, else its path."""
    path = Path(sys.argv[0])
    if path.name != NAME or which(NAME) is not None:
        return NAME
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _here(host: str) -> list[str]:
    """The address for programs of this machine, where that is another one than the network's."""
    if host in EVERY_INTERFACE:
        return ["::1" if host == "::" else "127.0.0.1"]
    return [host] if is_loopback(host) else []


def _network(host: str, tls: TlsFiles | None) -> Iterator[str]:
    """The names a configured certificate is for, and the addresses; IPv6 only where that is listened on."""
    if is_loopback(host):
        return
    yield from tls.names if tls else ()
    if host not in EVERY_INTERFACE:
        yield host
        return
    yield from (str(address) for address in own_addresses() if address.version == 4 or host == "::")


def _netloc(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
