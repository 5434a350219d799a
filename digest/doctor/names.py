"""Questions to the DNS, each with a time limit; "there is none" and "no answer" are told apart."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import dns.exception
import dns.rdatatype
import dns.resolver
import dns.reversename
from dns.rdtypes.ANY import MX, PTR, TXT

from digest.doctor.finding import CouldNotLookError

#: After so many questions without an answer in a row no more are asked: each costs its whole time limit.
SILENT_AFTER = 2


@dataclass
class Dns:
    """One resolver: the system's, or the name server `nameserver` ("host" or "host:port")."""

    timeout: float
    nameserver: str = ""
    _silent: int = 0
    _kept: dict[tuple[str, str], list[Any]] = field(default_factory=dict)

    def texts(self, name: str) -> list[str]:
        """Return the TXT records of `name`, each with its strings joined (RFC 7208 section 3.3)."""
        records = cast("list[TXT.TXT]", self._ask(name, "TXT"))
        return [b"".join(record.strings).decode("utf-8", "replace") for record in records]

    def exchanges(self, name: str) -> list[str]:
        """Return the mail hosts of `name`, best first; "." where it says that it takes no mail (RFC 7505)."""
        records = sorted(cast("list[MX.MX]", self._ask(name, "MX")), key=lambda record: record.preference)
        return [record.exchange.to_text(omit_final_dot=True) or "." for record in records]

    def addresses(self, name: str) -> list[str]:
        """Return the IPv4 and IPv6 addresses of `name`; an address is its own."""
        if is_address(name):
            return [name]
        return [record.address for kind in ("A", "AAAA") for record in self._ask(name, kind)]

    def names_of(self, address: str) -> list[str]:
        """Return the names that the address leads back to."""
        records = cast("list[PTR.PTR]", self._ask(dns.reversename.from_address(address).to_text(), "PTR"))
        return [record.target.to_text(omit_final_dot=True).lower() for record in records]

    def _ask(self, name: str, kind: str) -> list[Any]:
        key = (name.lower().rstrip("."), kind)
        if key not in self._kept:
            self._kept[key] = self._asked(*key)
        return self._kept[key]

    def _asked(self, name: str, kind: str) -> list[Any]:
        if self._silent >= SILENT_AFTER:
            raise CouldNotLookError("the DNS does not answer")
        try:
            answer = list(self._resolver().resolve(name, kind, lifetime=self.timeout, search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            answer = []
        except dns.exception.Timeout:
            self._silent += 1
            raise CouldNotLookError(f"the DNS did not answer for {name} within {self.timeout:g} s") from None
        except (dns.exception.DNSException, OSError, ValueError) as error:
            raise CouldNotLookError(f"the DNS gave no usable answer for {name}: {_short(error)}") from error
        self._silent = 0
        return answer

    def _resolver(self) -> dns.resolver.Resolver:
        resolver = dns.resolver.Resolver(configure=not self.nameserver)
        if self.nameserver:
            host, _, port = self.nameserver.partition(":")
            resolver.nameservers, resolver.port = [host], int(port or 53)
        return resolver


def _short(error: Exception) -> str:
    return f"{type(error).__name__}"


def is_address(name: str) -> bool:
    """Say whether `name` is an IP address."""
    return _fits(ipaddress.ip_address, name)


def is_loopback(name: str) -> bool:
    """Say whether `name` is this machine's own, which nobody outside sees."""
    return name == "localhost" or (is_address(name) and ipaddress.ip_address(name).is_loopback)


def _fits(read: Callable[[str], object], text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True
