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
    addresses = set()
    for interface in psutil.net_if_addrs().values():
        for address in interface:
            if address.family in (socket.AF_INET, socket.AF_INET6):
                addresses.add(ip_address(address.address.partition("%")[0]))
    usable = (
        address for address in addresses if not (address.is_loopback or address.is_link_local or address.is_unspecified)
    )
    first = _leaving_address()
    return sorted(usable, key=lambda address: (address.version, str(address) != first, int(address)))


def own_names() -> list[str]:
    """The machine's name as it is, without its domain, and as multicast DNS knows it."""
    name = socket.gethostname().lower()
    short = name.partition(".")[0]
    return list(dict.fromkeys(candidate for candidate in (name, short, f"{short}.local") if short))


def _leaving_address() -> str | None:
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(_SOMEWHERE)
        return str(probe.getsockname()[0])
    return None
