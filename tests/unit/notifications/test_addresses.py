"""Where a webhook may go."""

import ipaddress
import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.adapters import addresses
from notifications.adapters.addresses import AddressRefused, Gate, NameNotFound, is_public, resolve


def gate(*found: str, demo: bool = False) -> Gate:
    return Gate(demo=demo, resolver=lambda _host, _port: found)


@pytest.mark.parametrize(
    "ip",
    [
        "0.0.0.0",  # noqa: S104
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.192",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2001:0:53aa:64c::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_an_address_inside_is_refused_however_it_is_written(ip: str) -> None:
    assert not is_public(ipaddress.ip_address(ip))
    with pytest.raises(AddressRefused):
        gate(ip).check("https://partner.example.org/")
    with pytest.raises(AddressRefused):
        gate("93.184.216.34", ip).check("https://partner.example.org/")


@pytest.mark.parametrize(
    "ip", ["93.184.216.34", "2606:2800:21f:cb07::1", "64:ff9b::5db8:d822", "2002:5db8:d822::1"]
)
def test_an_address_of_the_open_internet_is_called(ip: str) -> None:
    target = gate(ip).check("https://partner.example.org:8443/hooks?a=1")

    shown = f"[{ip}]" if ":" in ip else ip
    assert target.url == f"https://{shown}:8443/hooks?a=1"
    assert target.host_header == "partner.example.org:8443"


@given(st.ip_addresses(v=4, network="10.0.0.0/8"))
def test_no_wrapping_makes_a_private_address_public(inner: ipaddress.IPv4Address) -> None:
    number = int(inner)
    for wrapped in (
        ipaddress.IPv6Address((0xFFFF << 32) | number),
        ipaddress.IPv6Address((0x64FF9B << 96) | number),
        ipaddress.IPv6Address((0x2002 << 112) | (number << 80)),
    ):
        assert not is_public(wrapped)


@pytest.mark.parametrize(
    "address",
    [
        "http://partner.example.org/",
        "ftp://partner.example.org/",
        "https://user@partner.example.org/",
        "https://partner.example.org:99999/",
        "https://",
        "//partner.example.org/",
        "https://[::1/",
        "nonsense",
    ],
)
def test_only_plain_https_addresses_are_called(address: str) -> None:
    with pytest.raises(AddressRefused):
        gate("93.184.216.34").check(address)


def test_a_name_without_an_address_is_not_refused_but_not_found() -> None:
    with pytest.raises(NameNotFound):
        gate().check("https://partner.example.org/")


def test_a_demo_calls_this_machine_and_the_internet_only() -> None:
    assert gate("127.0.0.1", demo=True).check("http://localhost:8080/h").port == 8080
    assert gate("93.184.216.34", demo=True).check("https://partner.example.org/").port == 443
    for ip, address in (
        ("10.0.0.1", "https://partner.example.org/"),
        ("93.184.216.34", "http://partner.example.org/"),
    ):
        with pytest.raises(AddressRefused):
            gate(ip, demo=True).check(address)


def test_the_system_resolver_gives_addresses_or_says_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def answer(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        if host != "there.example.org":
            raise socket.gaierror
        return [(2, 1, 6, "", ("93.184.216.34", port)), (10, 1, 6, "", ("2606::1", port, 0, 0))]

    monkeypatch.setattr(socket, "getaddrinfo", answer)

    assert resolve("there.example.org", 443) == ["93.184.216.34", "2606::1"]
    with pytest.raises(NameNotFound):
        resolve("nowhere.example.org", 443)


def test_a_name_that_is_searched_for_too_long_is_not_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(addresses, "_LOOK_UP_SECONDS", 0.05)
    over = threading.Event()

    def look_up(host: str, port: int) -> list[str]:
        over.wait(20)
        return ["192.0.2.1"]

    with pytest.raises(NameNotFound):
        resolve("slow.example.org", 443, look_up=look_up)
    over.set()
