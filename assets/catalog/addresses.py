"""Which addresses a crawl may ask: a page of strangers must not send us into our own network (SSRF).

The table follows IANA's registries of special-purpose addresses (RFC 6890), for IPv6 the other way round: what is not
global unicast is refused.
"""

import re
import socket
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from urllib3.exceptions import HTTPError
from urllib3.util import parse_url
from w3lib.url import safe_url_string

Networks = Mapping[str, tuple[IPv4Network | IPv6Network, ...]]

SCHEMES = ("http", "https")
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last four bytes are the IPv4 address that is meant
_GLOBAL_UNICAST = IPv6Network("2000::/3")


def _networks(*spelled: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(map(ip_network, spelled))


_NEVER: Networks = {
    # Azure's is the only one in public space; Alibaba's is carrier-grade NAT's, Amazon's for IPv6 unique-local.
    "cloud metadata": _networks("169.254.169.254/32", "168.63.129.16/32", "100.100.100.200/32", "fd00:ec2::254/128"),
    "link-local": _networks("169.254.0.0/16", "fe80::/10"),
    "multicast": _networks("224.0.0.0/4", "ff00::/8"),
    "unspecified": _networks("0.0.0.0/32", "::/128"),
    "reserved": _networks(
        *("0.0.0.0/8", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4"),
        *("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"),  # for documentation
        *("2001::/23", "2002::/16"),  # Teredo and the like, 6to4: no public server has such an address
    ),
}
_OWN: Networks = {
    "loopback": _networks("127.0.0.0/8", "::1/128"),
    "private": _networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
    "carrier-grade NAT": _networks("100.64.0.0/10"),
    "unique-local": _networks("fc00::/7"),
}


class AddressRefusedError(Exception):
    """Nothing may be asked of an address; the message names it and says why."""


def objection(address: str, private: bool) -> str | None:
    """Why an IP address may not be connected to, in a word or two; None if it may.

    Args:
        address: as the system spells it, IPv4 or IPv6.
        private: whether addresses of one's own network are allowed (private, loopback, unique-local, carrier-grade
            NAT). Those of metadata services, link-local ones and those that are no single host's never are.
    """
    ip = _meant(ip_address(address))
    for word, networks in _NEVER.items():
        if any(ip in network for network in networks):
            return word
    for word, networks in _OWN.items():
        if any(ip in network for network in networks):
            return None if private else word
    return "reserved" if isinstance(ip, IPv6Address) and ip not in _GLOBAL_UNICAST else None


def check_url(url: str, private: bool) -> None:
    """Refuse an address that shows in the URL itself, however it is spelled. Names are checked when they are resolved.

    Raises:
        AddressRefusedError: it is neither http nor https, names no host, or names a host by a refused IP address.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError as error:
        raise AddressRefusedError(f"{url}: not an address: {error}") from error
    if parts.scheme not in SCHEMES or not host:
        raise AddressRefusedError(f"{url}: not an http or https address")
    address = literal(host)
    word = objection(address, private) if address else None
    if word:
        raise AddressRefusedError(f"{url}: {address} is not asked: {word}")


def spelled(url: str) -> str:
    """An address as it is sent, its characters escaped.

    Raises:
        AddressRefusedError: readers of addresses do not agree which host it names.
    """
    try:
        url = safe_url_string(url)
        host, read = urlsplit(url).hostname or "", parse_url(url).host or ""
    except (ValueError, HTTPError) as error:
        raise AddressRefusedError(f"{url}: not an address: {error}") from error
    if host.lower() != read.strip("[]").lower():
        raise AddressRefusedError(f"{url}: is its host {host!r} or {read!r}?")
    return url


def literal(host: str) -> str | None:
    """The IP address that a URL's host spells, also as `2130706433`, `0x7f.1` or `localhost`; None for a name."""
    host = host.lower().removesuffix(".").partition("%")[0]
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761: loopback, whatever a resolver says
        return "127.0.0.1"
    try:
        return str(ip_address(host))
    except ValueError:
        pass
    if not re.fullmatch(r"[0-9a-fx.]+", host):
        return None
    try:
        return socket.inet_ntoa(socket.inet_aton(host))  # as the system's resolver reads it
    except OSError:
        return None


def _meant(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address where an IPv6 one only wraps it."""
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is not None:
            return ip.ipv4_mapped
        if ip in _NAT64:
            return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip
