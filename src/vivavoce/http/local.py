"""What counts as this machine, and why a server without keys has to ask.

A server without keys is open to every program of the machine. Two kinds of outsiders could come in through one of them,
the browser:

* **a page of any site** may open ``ws://127.0.0.1:8080``: the same-origin policy does not hold for WebSockets, and a plain
  POST is sent even where its answer cannot be read. A browser says where the page is from in ``Origin``, and a page cannot
  forge it; programs send none. So ``Origin`` has to be absent, or of this machine (loopback, or an address it has), or of
  the host that was asked for, or listed in ``[http] cors_origins``. ``null`` is what a page from a file sends, and any
  site's sandboxed frame as well, so it is refused.
* **DNS rebinding**: a site lets its own name resolve to 127.0.0.1, and its pages are then of the "same host". But the
  browser still sends the site's name in ``Host``. So ``Host`` has to be a name of this machine or the one configured.

With keys neither matters: no key is sent by itself, as a cookie would be, so a strange page has nothing to come in with.

A reverse proxy on this machine makes all its visitors local, unless it says that it is one: ``X-Forwarded-For`` (which
uvicorn believes a local proxy), ``X-Real-IP``, ``Forwarded``, ``Via``. Such a request is local only if everybody named in
them is this machine. Some proxies say nothing, so a server behind one needs keys.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from vivavoce.errors import ClientError
from vivavoce.net.addresses import address_of
from vivavoce.net.machine import own_addresses

NO_PAGE = frozenset({"*", "null"})
"""Origins that name no page: any site can have one of them, and nobody means to open this machine to the whole web."""


def is_loopback(host: str) -> bool:
    """Whether a host name or address (IPv6 without brackets) can only mean this machine."""
    name = host.lower().removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761, section 6.3
        return True
    address = address_of(name)
    return address is not None and address.is_loopback


def host_of(authority: str) -> str | None:
    """The host of ``host:port``, lower case and without brackets; ``None`` when there is none."""
    try:
        return urlsplit(f"//{authority}").hostname
    except ValueError:
        return None


def origin_host(origin: str) -> str | None:
    """The host of an ``Origin`` header; ``None`` for ``null`` and for what is not a web page's."""
    try:
        parts = urlsplit(origin)
        return parts.hostname if parts.scheme in ("http", "https") else None
    except ValueError:
        return None


def require_local(connection: HTTPConnection, configured_host: str, pages: Collection[str] = ()) -> None:
    """Refuse who does not come from this machine, or comes from a strange page in its browser.

    ``configured_host`` is the address the server was told to listen on; ``pages`` are the origins of other pages that are
    welcome, each by its name. Raises ``ClientError`` (``forbidden``).
    """
    if connection.client is not None and not is_loopback(connection.client.host):
        raise _forbidden("This server has no keys, so it only serves its own machine.")
    if not _all_local(connection.headers):
        raise _forbidden("This server has no keys, so it does not serve what comes through a proxy.")
    host = host_of(connection.headers.get("host", ""))
    if host is None or not (is_loopback(host) or host == configured_host.lower()):
        raise _forbidden("This server has no keys, so it has to be addressed as localhost.")
    origin = connection.headers.get("origin")
    if origin is None or (origin in pages and origin not in NO_PAGE):
        return
    page = origin_host(origin)
    if page is None:
        raise _forbidden(
            "This server has no keys, so it does not serve pages without an origin (a file, a sandboxed frame: Origin null); "
            "serve the page from localhost."
        )
    if not (is_loopback(page) or page == host or _is_own_address(page)):
        raise _forbidden("This server has no keys, so it does not serve pages of other hosts.")


def _all_local(headers: Headers) -> bool:
    """Whether no proxy speaks for somebody else: none is there, or each client it names is this machine."""
    addresses = [
        address.strip() for name in _CLIENT_HEADERS for value in headers.getlist(name) for address in value.split(",")
    ]
    for value in headers.getlist("forwarded"):
        addresses += [match[1] for match in _FORWARDED_FOR.finditer(value)] or [""]
    if "via" in headers and not addresses:
        return False
    return all(is_loopback(host_of(address) or address) for address in addresses)


_CLIENT_HEADERS = ("x-forwarded-for", "x-real-ip")
_FORWARDED_FOR = re.compile(r'\bfor="?([^";,\s]+)', re.IGNORECASE)
"""RFC 7239, section 4: ``for=192.0.2.60;proto=http, for="[2001:db8::17]:4711"``."""


def _is_own_address(host: str) -> bool:
    """Whether this is an address of this machine. Its names do not count: others on the network may answer to them."""
    return address_of(host) in own_addresses()


def _forbidden(message: str) -> ClientError:
    return ClientError(message, code="forbidden", type="permission_error")
