"""Which network a request comes from: behind known proxies, and as the neighbourhood that limits count by."""

import ipaddress
import re

from django.conf import settings
from django.http import HttpRequest

#: What one customer of a provider commonly holds: 256 addresses of IPv4, a site of IPv6 (RFC 6177).
_IPV4_PREFIX, _IPV6_PREFIX = 24, 48
#: The least that a provider of IPv6 commonly gets: 65,536 sites.
_PROVIDER_PREFIX = 32
_WITH_PORT = re.compile(r"\[(?P<six>[^\[\]]+)\](?::\d{1,5})?|(?P<four>[0-9.]+):\d{1,5}", re.ASCII)


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


def provider(address: str | None) -> str | None:
    """Return the /32 that an IPv6 address lies in, or None for any other: one who holds it has every /48."""
    plain = _readable(address) if address else None
    if plain is None or ":" not in plain:
        return None
    return str(ipaddress.ip_network(f"{plain}/{_PROVIDER_PREFIX}", strict=False))


def _readable(given: str) -> str | None:
    """Return it in its one spelling: IPv4 within IPv6 (RFC 4291 section 2.5.5.2) as IPv4, no zone, no port.

    Some proxies add the port; IPv6 then stands in brackets (RFC 7239 section 6.1).
    """
    with_port = _WITH_PORT.fullmatch(given.strip())
    plain = with_port["six"] or with_port["four"] if with_port else given.strip()
    try:
        address = ipaddress.ip_address(plain.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)
