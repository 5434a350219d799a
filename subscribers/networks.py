"""Which network a request comes from: behind known proxies, and as the neighbourhood that limits count by."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest

#: What one customer of a provider commonly holds: 256 addresses of IPv4, a site of IPv6 (RFC 6177).
_IPV4_PREFIX, _IPV6_PREFIX = 24, 48


def client_address(request: HttpRequest) -> str | None:
    """Return the address `request` came from, or None where there is none (a Unix socket).

    Behind PROXY_HOPS proxies it is that many from the right of X-Forwarded-For: each of ours adds the one it
    was asked by, and whatever stands left of that anybody can write. A header too short or not readable tells
    nothing; then the connection's own address counts.
    """
    hops = settings.PROXY_HOPS
    if hops:
        chain = request.headers.get("X-Forwarded-For", "").split(",")
        told = _readable(chain[-hops]) if len(chain) >= hops else None
        if told is not None:
            return told
    return _readable(request.META.get("REMOTE_ADDR", ""))


def neighbourhood(address: str | None) -> str:
    """Return the network whose sign-ups are counted together: a /24, or a /48 of IPv6.

    Requests without an address, and what is none, count as one network.
    """
    if address is None or (plain := _readable(address)) is None:
        return "unknown"
    prefix = _IPV6_PREFIX if ":" in plain else _IPV4_PREFIX
    return str(ipaddress.ip_network(f"{plain}/{prefix}", strict=False))


def _readable(given: str) -> str | None:
    """Return it in its one spelling: IPv4 within IPv6 (RFC 4291 section 2.5.5.2) as IPv4, no zone."""
    try:
        address = ipaddress.ip_address(given.strip().partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)
