"""Where a webhook may go: public addresses only, checked anew at every attempt.

The connection is made to the address that was checked, never to the name again, so that a name
that changes its mind between check and connect (DNS rebinding) leads nowhere else.
"""

import ipaddress
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

Resolver = Callable[[str, int], Sequence[str]]
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_HTTPS_PORT: Final = 443
_HTTP_PORT: Final = 80
_LOOK_UP_SECONDS: Final = 5.0
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_METADATA: Final = frozenset(
    map(ipaddress.ip_address, ("168.63.129.16", "169.254.169.254", "fd00:ec2::254"))
)
"""Cloud metadata services; the first one has an address that looks public."""
_NEVER: Final = (
    ipaddress.ip_network("192.0.0.0/24"),
    ipaddress.ip_network("fec0::/10"),
    ipaddress.ip_network("64:ff9b:1::/48"),
)
"""Special networks that some versions of the standard library take for global."""


class AddressRefused(Exception):
    """The webhook's address may not be called."""


class NameNotFound(Exception):
    """The name has no address now."""


def _look_up(host: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def _fulfil(found: Future[Sequence[str]], look_up: Resolver, host: str, port: int) -> None:
    try:
        found.set_result(look_up(host, port))
    except Exception as failure:  # noqa: BLE001  (raised where it is waited for)
        found.set_exception(failure)


@dataclass(frozen=True, slots=True)
class Target:
    """A checked endpoint: connect to `ip`, speak to `host`."""

    scheme: str
    host: str
    port: int
    ip: str
    path: str

    @property
    def url(self) -> str:
        """The address with the checked IP in the place of the name."""
        ip = f"[{self.ip}]" if ":" in self.ip else self.ip
        return f"{self.scheme}://{ip}:{self.port}{self.path}"

    @property
    def host_header(self) -> str:
        """The name as the receiver expects it."""
        usual = _HTTPS_PORT if self.scheme == "https" else _HTTP_PORT
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == usual else f"{host}:{self.port}"


def resolve(host: str, port: int, *, look_up: Resolver = _look_up) -> Sequence[str]:
    """Return the addresses of a name.

    Raises:
        NameNotFound: it has none, or none was found in time.

    """
    found = Future[Sequence[str]]()
    # A thread of its own, left behind where need be: the system's search cannot be ended.
    threading.Thread(target=_fulfil, args=(found, look_up, host, port), daemon=True).start()
    try:
        return found.result(_LOOK_UP_SECONDS)
    except (OSError, UnicodeError) as failure:
        raise NameNotFound from failure


def is_public(ip: IPAddress) -> bool:
    """Tell whether an address is one of the open internet, also where it wraps another one."""
    inner = _inner(ip)
    if inner is not None:
        return is_public(inner)
    if ip in _METADATA or any(ip in network for network in _NEVER):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved)


def is_loopback(ip: IPAddress) -> bool:
    """Tell whether an address is this machine."""
    return ip.is_loopback


@dataclass(frozen=True, slots=True)
class Gate:
    """Decides where webhooks go; `demo` also lets them go to this machine, by plain HTTP too."""

    demo: bool = False
    resolver: Resolver = resolve
    is_permitted: Callable[[IPAddress], bool] = is_public

    def check(self, address: str) -> Target:
        """Resolve the name once, check every address it has, and return the one to use.

        Raises:
            AddressRefused: no HTTPS, a user name in it, or one of its addresses is not public.
            NameNotFound: it has no address now.

        """
        scheme, host, port, path = _parts(address)
        ips = [_ip(text) for text in self.resolver(host, port)]
        if not ips:
            raise NameNotFound
        at_home = self.demo and all(map(is_loopback, ips))
        if not at_home and (scheme != "https" or not all(map(self.is_permitted, ips))):
            raise AddressRefused
        return Target(scheme, host, port, str(ips[0]), path)


def _parts(address: str) -> tuple[str, str, int, str]:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as malformed:
        raise AddressRefused from malformed
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        raise AddressRefused
    port = port or (_HTTPS_PORT if parts.scheme == "https" else _HTTP_PORT)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, parts.hostname, port, path


def _ip(text: str) -> IPAddress:
    try:
        return ipaddress.ip_address(text)
    except ValueError as malformed:
        raise AddressRefused from malformed


def _inner(ip: IPAddress) -> IPAddress | None:
    """Return the IPv4 address that an IPv6 address leads to by one of the transition schemes."""
    if isinstance(ip, ipaddress.IPv4Address):
        return None
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour
