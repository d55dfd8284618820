"""Decide which addresses a crawl may contact, so that no web page can reach our own network (SSRF).

IPv4 follows IANA's registry of special-purpose addresses (RFC 6890). For IPv6 only global unicast is allowed.
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
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last four bytes are an IPv4 address
_GLOBAL_UNICAST = IPv6Network("2000::/3")


def _parse_networks(*networks: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(map(ip_network, networks))


_ALWAYS_BLOCKED: Networks = {
    # Azure's address is public, Alibaba's is carrier-grade NAT, Amazon's IPv6 address is unique-local.
    "cloud metadata": _parse_networks(
        "169.254.169.254/32", "168.63.129.16/32", "100.100.100.200/32", "fd00:ec2::254/128"
    ),
    "link-local": _parse_networks("169.254.0.0/16", "fe80::/10"),
    "multicast": _parse_networks("224.0.0.0/4", "ff00::/8"),
    "unspecified": _parse_networks("0.0.0.0/32", "::/128"),
    "reserved": _parse_networks(
        *("0.0.0.0/8", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4"),
        *("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"),  # for documentation
        *("2001::/23", "2002::/16"),  # Teredo and 6to4: no public server has these addresses
    ),
}
_PRIVATE: Networks = {
    "loopback": _parse_networks("127.0.0.0/8", "::1/128"),
    "private": _parse_networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
    "carrier-grade NAT": _parse_networks("100.64.0.0/10"),
    "unique-local": _parse_networks("fc00::/7"),
}


class BlockedAddressError(Exception):
    """An address may not be contacted; the message contains the address and the reason."""


def blocked_reason(address: str, private: bool) -> str | None:
    """Return why an IP address is blocked, in one or two words; None if it is allowed.

    Args:
        address: an IPv4 or IPv6 address.
        private: whether addresses of one's own network are allowed (private, loopback, unique-local, carrier-grade
            NAT). Addresses of metadata services, link-local, multicast and reserved addresses are always blocked.
    """
    ip = _unwrap_ipv4(ip_address(address))
    for reason, networks in _ALWAYS_BLOCKED.items():
        if any(ip in network for network in networks):
            return reason
    for reason, networks in _PRIVATE.items():
        if any(ip in network for network in networks):
            return None if private else reason
    return "reserved" if isinstance(ip, IPv6Address) and ip not in _GLOBAL_UNICAST else None


def check_address(address: str, private: bool) -> None:
    """Check an IP address before a connection to it is opened.

    Raises:
        BlockedAddressError: the address is blocked.
    """
    reason = blocked_reason(address, private)
    if reason:
        raise BlockedAddressError(f"{address} is blocked: {reason}")


def check_url(url: str, private: bool) -> None:
    """Check a URL whose host is an IP address in any notation. Host names are checked after they are resolved.

    Raises:
        BlockedAddressError: its scheme is not http or https, it has no host, or its host is a blocked IP address.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError as error:
        raise BlockedAddressError(f"{url}: invalid URL: {error}") from error
    if parts.scheme not in SCHEMES or not host:
        raise BlockedAddressError(f"{url}: not an http or https URL")
    address = parse_ip_literal(host)
    reason = blocked_reason(address, private) if address else None
    if reason:
        raise BlockedAddressError(f"{url}: {address} is blocked: {reason}")


def normalize_url(url: str) -> str:
    """Escape the characters of a URL as they are sent.

    Raises:
        BlockedAddressError: two URL parsers find different hosts in it.
    """
    try:
        url = safe_url_string(url)
        host, other_host = urlsplit(url).hostname or "", parse_url(url).host or ""
    except (ValueError, HTTPError) as error:
        raise BlockedAddressError(f"{url}: invalid URL: {error}") from error
    if host.lower() != other_host.strip("[]").lower():
        raise BlockedAddressError(f"{url}: ambiguous host: {host!r} or {other_host!r}")
    return url


def parse_ip_literal(host: str) -> str | None:
    """Return the IP address of a URL's host, also for `2130706433`, `0x7f.1` or `localhost`; None for a name."""
    host = host.lower().removesuffix(".").partition("%")[0]
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761: always loopback
        return "127.0.0.1"
    try:
        return str(ip_address(host))
    except ValueError:
        pass
    if not re.fullmatch(r"[0-9a-fx.]+", host):
        return None
    try:
        return socket.inet_ntoa(socket.inet_aton(host))  # reads the same notations as the system's resolver
    except OSError:
        return None


def _unwrap_ipv4(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address inside an IPv4-mapped or NAT64 address; other addresses unchanged."""
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is not None:
            return ip.ipv4_mapped
        if ip in _NAT64:
            return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip
