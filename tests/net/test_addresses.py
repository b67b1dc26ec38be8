"""The address rule: what is fetched and what never is."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vivavoce.net.addresses import address_of, is_inside_name, is_public, is_web_port

NEVER = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    "168.63.129.16/32",
]  # fmt: skip
NEVER_V6 = [
    "::/128", "::1/128", "::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:db8::/32", "2002::/16", "3fff::/20",
    "fc00::/7", "fd00:ec2::254/128", "fe80::/10", "fec0::/10", "ff00::/8", "4000::/3", "::ffff:0:0:0/96",
]  # fmt: skip
inside_v4 = st.sampled_from(NEVER).flatmap(lambda block: st.ip_addresses(network=block)).map(IPv4Address)
inside_v6 = st.sampled_from(NEVER_V6).flatmap(lambda block: st.ip_addresses(network=block)).map(IPv6Address)


@given(inside_v4)
def test_no_special_address_is_public_in_any_of_its_wrappings(address: IPv4Address) -> None:
    assert not is_public(str(address))
    for wrapping in ("::ffff:0:0", "64:ff9b::", "::", "2002::"):
        wrapped = IPv6Address(int(IPv6Address(wrapping)) | int(address))
        assert not is_public(str(wrapped)), wrapped
    assert not is_public(str(IPv6Address((0x2002 << 112) | (int(address) << 80) | 1)))


@given(inside_v6)
def test_no_special_ipv6_address_is_public(address: IPv6Address) -> None:
    assert not is_public(str(address))


@given(st.ip_addresses(v=4).map(IPv4Address))
@example(IPv4Address("8.8.8.8"))
def test_a_mapped_address_is_judged_like_the_one_inside(address: IPv4Address) -> None:
    expected = not any(address in ip_network(block) for block in [*NEVER, "192.88.99.0/24"]) and address.is_global
    assert is_public(str(address)) is expected
    assert is_public(f"::ffff:{address}") is expected
    assert is_public(f"64:ff9b::{address}") is expected


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700::1111", "2001:4860:4860::8888"])
def test_the_open_internet_is_public(address: str) -> None:
    assert is_public(address)


@given(st.text(max_size=20))
def test_what_is_no_address_is_not_public(text: str) -> None:
    try:
        socket.inet_pton(socket.AF_INET, text)
    except (OSError, ValueError):
        assert not is_public(text)


@pytest.mark.parametrize(
    "text", ["", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "fe80::1%eth0", "2606:4700::1%0"]
)
def test_other_spellings_are_not_addresses(text: str) -> None:
    assert not is_public(text)


@pytest.mark.parametrize(
    "name", ["localhost", "LOCALHOST.", "a.localhost", "printer.local", "metadata.google.internal", ""]
)
def test_names_of_machines_nearby(name: str) -> None:
    assert is_inside_name(name)
    assert not is_inside_name("example.org")
    assert not is_inside_name("notlocalhost")


def test_the_ports_of_the_web() -> None:
    assert all(map(is_web_port, (80, 443, 1024, 8000, 8080, 8443, 65535)))
    assert not any(map(is_web_port, (-1, 0, 21, 22, 25, 53, 110, 143, 445, 587, 1023, 2049, 5060, 6000, 6667, 65536)))


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("localhost", None),
        ("", None),
        ("1.2.3", None),
    ],
)
def test_the_address_that_a_host_is(host: str, address: str | None) -> None:
    assert address_of(host) == (address and ip_address(address))
