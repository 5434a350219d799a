"""DKIM keys of the sender's domain (RFC 6376): there, long enough, not revoked."""

import base64
import binascii
from collections.abc import Mapping

from digest.doctor.finding import Finding, Findings, advice, good, unseen, wrong
from digest.doctor.looking import SELECTORS, Looking

#: RFC 8301 section 3.2: signers must use 1024 bits at least and should use 2048.
LEAST_BITS, BEST_BITS = 1024, 2048


def look(looking: Looking) -> Findings:
    """Look for a key under each selector that the operator gave, else under the provider's usual ones."""
    given = list(looking.selectors)
    usual = SELECTORS.get(looking.provider, ())
    found = {selector: _record(looking, selector) for selector in given or usual}
    there = {selector: record for selector, record in found.items() if record}
    for selector in given:
        if selector not in there:
            yield wrong(
                f"There is no DKIM key at {selector}._domainkey.{looking.domain}.",
                "Publish the TXT (or CNAME) record that your mail server or provider shows, or correct "
                "--selector.",
            )
    judged = {selector: judge(f"{selector}._domainkey", record) for selector, record in there.items()}
    yield from judged.values()
    looking.dkim_found = any(finding.level != "wrong" for finding in judged.values()) if there else None
    if given or there:
        looking.dkim_found = bool(looking.dkim_found)
    else:
        yield _none(looking, usual)


def _none(looking: Looking, usual: tuple[str, ...]) -> Finding:
    where = looking.provider or "your mail server"
    cure = f"Repeat with --selector NAME, as {where} shows it; if it signs nothing yet, set DKIM up there."
    if not usual:
        return unseen(f"DKIM: {where} draws the selector's name for each account", cure)
    return wrong(f"{looking.domain} has no DKIM key under a usual name ({', '.join(usual)}).", cure)


def _record(looking: Looking, selector: str) -> str:
    texts = looking.dns.texts(f"{selector}._domainkey.{looking.domain}")
    return next((text for text in texts if "p=" in text.replace(" ", "")), "")


def judge(name: str, record: str) -> Finding:
    """Return what is to be said of one key record."""
    tags = tags_of(record)
    key = "".join(tags.get("p", "").split())
    if not key:
        return wrong(
            f"The DKIM key {name} is revoked (p= is empty).", "Sign with another key, and publish it."
        )
    if tags.get("k", "rsa") == "ed25519":
        return good(f"DKIM key {name}: ed25519.")
    try:
        bits = rsa_bits(base64.b64decode(key, validate=True))
    except (binascii.Error, ValueError, IndexError):
        return wrong(
            f"The DKIM key {name} cannot be read.", "Publish it again, without line breaks or quotes in it."
        )
    return _of_bits(name, bits, testing="y" in tags.get("t", ""))


def _of_bits(name: str, bits: int, *, testing: bool) -> Finding:
    if bits < LEAST_BITS:
        return wrong(f"The DKIM key {name} has {bits} bits: mailboxes ignore it.", "Make one of 2048 bits.")
    if bits < BEST_BITS:
        return advice(f"The DKIM key {name} has {bits} bits.", "Change to one of 2048 bits.")
    if testing:
        return advice(
            f"The DKIM key {name} says that it is only tested (t=y).", "Take t=y out of the record."
        )
    return good(f"DKIM key {name}: {bits} bits.")


def tags_of(record: str) -> Mapping[str, str]:
    """Return the tags of a DKIM or DMARC record (RFC 6376 section 3.2)."""
    parts = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in parts if name.strip()}


def rsa_bits(der: bytes) -> int:
    """Return the length of the modulus in a SubjectPublicKeyInfo (RFC 5280), or a bare RSAPublicKey.

    Raises ValueError or IndexError for anything else.
    """
    kind, inside = _inside(der)
    if kind != 0x30:
        raise ValueError("no sequence")
    kind, first = _inside(inside)
    if kind == 0x30:  # the algorithm; the key follows as a bit string
        _, bits = _inside(inside[len(first) + _head(inside) :])
        return rsa_bits(bits[1:])
    if kind != 0x02:
        raise ValueError("no number")
    return int.from_bytes(first, "big").bit_length()


def _head(der: bytes) -> int:
    return 2 + (der[1] & 0x7F if der[1] & 0x80 else 0)


def _inside(der: bytes) -> tuple[int, bytes]:
    """Return the tag and the content of the first element in `der`."""
    start = _head(der)
    length = int.from_bytes(der[2:start], "big") if der[1] & 0x80 else der[1]
    if start + length > len(der):
        raise ValueError("cut off")
    return der[0], der[start : start + length]
