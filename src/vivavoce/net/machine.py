"""What this machine is called: the addresses of its interfaces and its names."""

from __future__ import annotations

import socket
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address

import psutil

EVERY_INTERFACE = frozenset({"", "0.0.0.0", "::"})
"""Hosts that mean: listen on all of them."""

_SOMEWHERE = ("192.0.2.1", 9)
"""An address for documentation: nothing is sent to it, the system only says by which way it would be."""


def own_addresses() -> list[IPv4Address | IPv6Address]:
    """The addresses others can reach this machine by, IPv4 first, and of these the one the default route leaves by.

    Without loopback and link-local ones, which are no use in a URL or a certificate.
    """
    found = set()
    for interface in psutil.net_if_addrs().values():
        for one in interface:
            if one.family in (socket.AF_INET, socket.AF_INET6):
                found.add(ip_address(one.address.partition("%")[0]))
    usable = (one for one in found if not (one.is_loopback or one.is_link_local or one.is_unspecified))
    first = _leaving_address()
    return sorted(usable, key=lambda one: (one.version, str(one) != first, int(one)))


def own_names() -> list[str]:
    """The machine's name as it is, without its domain, and as multicast DNS knows it."""
    name = socket.gethostname().lower()
    short = name.partition(".")[0]
    return list(dict.fromkeys(one for one in (name, short, f"{short}.local") if short))


def _leaving_address() -> str | None:
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(_SOMEWHERE)
        return str(probe.getsockname()[0])
    return None
