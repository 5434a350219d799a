"""One spelling for one mailbox: what is stored, what is compared, and the hash that outlives a reader."""

import hashlib
import hmac
import re
import unicodedata
from functools import lru_cache

import idna
from django.conf import settings

#: Octets in an address and in its local part (RFC 5321 section 4.5.3.1, RFC 3696 erratum 1690).
LONGEST = 254
LONGEST_LOCAL_PART = 64

#: Without ! and %: to some servers they are routes to another mailbox, whose owner did not ask, and a second
#: spelling of an address that we know or must not write to.
_ATEXT = r"[A-Za-z0-9#$&'*+/=?^_`{|}~-]+"
_DOT_ATOM = re.compile(rf"{_ATEXT}(?:\.{_ATEXT})*")
#: What anybody would take for an address, in the midst of a text.
_IN_TEXT = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+")
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class AddressError(ValueError):
    """The text is no address we can write to; `str()` is a sentence for the reader."""


def normalise(given: str) -> str:
    """Return the address to store for what a person typed: its local part as typed, its domain as A-labels.

    The local part is an ASCII dot-atom (RFC 5321 section 4.1.2; quoted and international ones are refused,
    since neither Django's SMTP nor most providers carry them) and is looked at as typed, before any
    normalisation could make another letter of a look-alike: the Kelvin sign is no K. The domain goes through
    NFC and UTS 46 to IDNA 2008 lower case. Raises AddressError. `normalise(normalise(x)) == normalise(x)`.
    """
    text = given.strip()
    if not text:
        raise AddressError("Please write your email address.")
    if len(text) > LONGEST:
        raise AddressError(f"That is longer than an email address can be ({LONGEST} characters).")
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise AddressError("Please write one address on one line.")
    if any(character in " ,;<>" for character in text):
        raise AddressError("Please write one plain address, without a name, spaces, commas or brackets.")
    local, at_sign, domain = text.rpartition("@")
    if not at_sign or not local or not domain:
        raise AddressError("An email address looks like name@example.org.")
    address = f"{_local_part(local)}@{_domain(domain)}"
    if len(address) > LONGEST:
        raise AddressError(f"That is longer than an email address can be ({LONGEST} characters).")
    return address


def address_key(address: str) -> str:
    """Return what two spellings of one mailbox share; `address` comes from `normalise`."""
    local, _, domain = address.rpartition("@")
    return f"{local.casefold()}@{domain}"


def address_hash(address: str) -> str:
    """Return "1:" and 64 hex digits: a keyed hash that finds an address again without keeping it.

    The figure before the colon names the pepper, so that another can follow.
    """
    key = settings.ADDRESS_PEPPER.encode()
    return "1:" + hmac.digest(key, address_key(address).encode(), hashlib.sha256).hex()


@lru_cache(maxsize=4096)
def domain_key(domain: str) -> str:
    """Return "1:" and 20 hex digits for the part of an address after its @, keyed like `address_hash`.

    It tells whether two addresses share a mail domain, and not which. "" for no domain.
    """
    key = settings.ADDRESS_PEPPER.encode()
    return "1:" + hmac.digest(key, f"@{domain}".encode(), hashlib.sha256).hex()[:20] if domain else ""


def domain_of(address: str) -> str:
    """Return the part after the @."""
    return address.rpartition("@")[2]


def masked(address: str) -> str:
    """Return enough of the address for its owner to know it, and not enough for anybody else."""
    local, _, domain = address.rpartition("@")
    return f"{local[0]}•••@{domain}"


def without_addresses(text: str) -> str:
    """Return `text` with "•••" in the place of each address, for what people without a right to them read."""
    return _IN_TEXT.sub("•••", text)


def _local_part(local: str) -> str:
    if local.startswith('"'):
        raise AddressError("Addresses with quotation marks are not supported. Please use another one.")
    if not local.isprintable():
        raise AddressError("There is an invisible character before the @. Please type the address afresh.")
    if not local.isascii():
        raise AddressError("Only letters without accents can stand before the @. Please check the spelling.")
    if len(local) > LONGEST_LOCAL_PART:
        raise AddressError(f"The part before the @ can have {LONGEST_LOCAL_PART} characters at most.")
    if "!" in local or "%" in local:
        raise AddressError("Addresses with ! or % before the @ are not supported. Please use another one.")
    if not _DOT_ATOM.fullmatch(local):
        raise AddressError("Something before the @ cannot be part of an address. Please check the spelling.")
    return local


def _domain(domain: str) -> str:
    try:
        composed = unicodedata.normalize("NFC", domain)
        host = idna.encode(composed, uts46=True, std3_rules=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError) as error:
        raise AddressError("The part after the @ is not a domain name. Please check the spelling.") from error
    if "." not in host.strip("."):
        raise AddressError("The part after the @ needs a dot, as in example.org.")
    if not _HOST.fullmatch(host) or host.rpartition(".")[2].isdigit():
        raise AddressError("The part after the @ is not a domain name. Please check the spelling.")
    return host
