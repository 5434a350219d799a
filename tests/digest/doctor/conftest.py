"""A sender whose DNS is as it should be, for each test to spoil."""

import base64
from collections.abc import Callable, Iterator

import pytest
from django.utils import timezone
from pytest_django import Settings

from digest.doctor.finding import Finding, Findings
from digest.doctor.looking import Looking
from digest.doctor.names import Dns
from tests.sinks.dns_server import DnsServer

DOMAIN = "papers.example.org"


def a_key(bits: int) -> str:
    """Return the public part of an RSA key of so many bits, as it is published: base64 of its DER."""
    modulus = b"\x00" + ((1 << (bits - 1)) | 1).to_bytes(bits // 8, "big")
    key = _der(0x30, _der(0x02, modulus) + _der(0x02, b"\x01\x00\x01"))
    algorithm = _der(0x30, bytes.fromhex("06092a864886f70d0101010500"))
    return base64.b64encode(_der(0x30, algorithm + _der(0x03, b"\x00" + key))).decode()


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


@pytest.fixture
def zone(settings: Settings) -> Iterator[DnsServer]:
    """A name server that says all that a good sender's says."""
    settings.MAIL_DOMAIN = DOMAIN
    settings.CONTACT_EMAIL = f"curators@{DOMAIN}"
    with DnsServer() as server:
        server.text(DOMAIN, "v=spf1 ip4:192.0.2.7 include:spf.mtasv.net ~all", "another text")
        server.text("spf.mtasv.net", "v=spf1 ip4:198.51.100.0/24 ~all")
        server.text(f"s1._domainkey.{DOMAIN}", f"v=DKIM1; k=rsa; p={a_key(2048)}")
        server.text("_dmarc.example.org", "v=DMARC1; p=quarantine; rua=mailto:dmarc@example.org")
        server.records[DOMAIN, "MX"] = ["10 mx.example.org.", "20 mx2.example.org."]
        server.records["mx.example.org", "A"] = ["192.0.2.7"]
        server.records["7.2.0.192.in-addr.arpa", "PTR"] = ["mx.example.org."]
        yield server


@pytest.fixture
def looking(zone: DnsServer) -> Looking:
    """A look with a selector and the address that mails leave from."""
    # Long enough that only a server that says nothing is too slow.
    return Looking(Dns(5.0, zone.address), 5.0, timezone.now(), selectors=["s1"], addresses=["192.0.2.7"])


Levels = Callable[[Findings], list[str]]


def levels(findings: Findings) -> list[str]:
    """Return the levels of what was found."""
    return [str(finding.level) for finding in findings]


def the_wrong(findings: Findings) -> Finding:
    """Return the one finding that is wrong; it has a cure."""
    (finding,) = [each for each in findings if each.level == "wrong"]
    assert finding.cure
    return finding
