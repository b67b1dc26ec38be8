"""Which addresses of the internet a client's URL may lead to: public ones, and of these the ports of the web.

The table is IANA's registries of special-purpose addresses (RFC 6890 and its additions). The standard library's
``is_global`` knows most of it, but not every version knows the same: both have to agree.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_REFUSED_V4 = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; a cloud's metadata lives here, too
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's host, which gives machines their settings
        "169.254.0.0/16",  # link-local, and most clouds' metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_PUBLIC_V6 = ip_network("2000::/3")
_REFUSED_V6 = tuple(
    ip_network(block)
    for block in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4 wraps an IPv4 address
        "3fff::/20",  # documentation
    )
)
_MAPPED = ip_network("::ffff:0:0/96")
_NAT64 = ip_network("64:ff9b::/96")

_OUTSIDE_BROWSERS = frozenset(
    (1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080)
)
"""Ports above 1023 to which browsers do not speak HTTP either (WHATWG Fetch, "bad port")."""

_INSIDE = ("localhost", "local", "internal", "intranet", "lan", "home.arpa")
"""Names that mean a machine nearby, whatever the resolver says."""


def address_of(host: str) -> IPv4Address | IPv6Address | None:
    """The address that ``host`` is, without brackets; ``None`` for a name.

    What a socket for both versions calls an IPv4 client (``::ffff:192.0.2.1``) is that client's address; a zone is left out.
    """
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


def is_public(address: str) -> bool:
    """Whether ``address`` (an IPv4 or IPv6 literal) is a machine of the open internet; what is no address is not."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        if ip.scope_id is not None:
            return False
        if ip in _MAPPED or ip in _NAT64:
            return _is_public_v4(IPv4Address(int(ip) & 0xFFFF_FFFF))
        return ip in _PUBLIC_V6 and ip.is_global and not any(ip in block for block in _REFUSED_V6)
    return _is_public_v4(ip)


def _is_public_v4(ip: IPv4Address) -> bool:
    return ip.is_global and not any(ip in block for block in _REFUSED_V4)


def is_web_port(port: int) -> bool:
    """Whether a web server may be expected there: 80, 443, and those above 1023 that no other protocol is known for."""
    return port in (80, 443) or (1023 < port < 65536 and port not in _OUTSIDE_BROWSERS)


def is_inside_name(host: str) -> bool:
    """Whether a host name means this machine or one nearby (``localhost``, ``printer.local``)."""
    name = host.lower().rstrip(".")
    return not name or any(name == inside or name.endswith(f".{inside}") for inside in _INSIDE)
