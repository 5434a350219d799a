"""Signed links: what a mail's reader may do without a password, and the reading of them.

A token is `version.key.purpose.subject[.issued][.extra].MAC`. The MAC covers all that stands before it, so
a link of one purpose opens no other door; the key ring is `TOKEN_KEYS`, where the first key signs and every
key verifies. The unsubscribe link carries no date: old mails live for years, and their link has to work.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from django.conf import settings

_VERSION = "1"
#: Longer than any link of ours; what is longer is refused unread.
LONGEST_TOKEN = 500
#: A moment in microseconds is above this, one in seconds below it, until the year 5138.
_MOST_SECONDS = 10**11
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ALPHABET = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){4,6}")


class Purpose(StrEnum):
    """What a link is for, as its token says it."""

    CONFIRM = "c"
    PREFERENCES = "p"
    UNSUBSCRIBE = "u"
    #: Change the address, take the data along, erase.
    ACCOUNT = "a"
    #: The owner of a new address agrees.
    NEW_ADDRESS = "n"
    #: Take back having left.
    UNDO = "r"
    #: On to a paper, past the counter of clicks.
    CLICK = "k"


#: How long a link works. A purpose that is not here never expires.
LIFETIMES = {
    Purpose.CONFIRM: timedelta(hours=72),
    Purpose.PREFERENCES: timedelta(days=30),
    Purpose.ACCOUNT: timedelta(minutes=30),
    Purpose.NEW_ADDRESS: timedelta(hours=24),
    Purpose.UNDO: timedelta(minutes=30),
}


class Fault(StrEnum):
    """Why a link is refused."""

    MALFORMED = "malformed"
    FORGED = "forged"
    WRONG_PURPOSE = "wrong_purpose"
    EXPIRED = "expired"
    MOVED = "moved"


_SENTENCES = {
    Fault.MALFORMED: "This link is not complete. Please open it from the mail again, or copy all of it.",
    Fault.FORGED: "This link is not one of ours, or it was changed on its way.",
    Fault.WRONG_PURPOSE: "This link is for something else. Please use the one in the mail.",
    Fault.EXPIRED: "This link is too old to be used.",
    Fault.MOVED: "This link was made before the address changed. Mails to the new one hold links that work.",
}


class LinkError(ValueError):
    """The token opens nothing; `str()` is a sentence for the reader, `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(_SENTENCES[fault])
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says: whose it is, what it is bound to, and when it was made."""

    subject: str
    extra: str = ""
    issued_at: datetime | None = None


def unsubscribe_url(subscriber_public_id: str, extra: str = "") -> str:
    """Return the absolute address that ends a subscription (RFC 8058). It never expires.

    `extra` says from what mail: a delivery's public id, or `address_binding` of an address that is asked.
    """
    parts = (subscriber_public_id, extra) if extra else (subscriber_public_id,)
    return f"{settings.SITE_URL}/u/{_sign(Purpose.UNSUBSCRIBE, *parts)}"


def click_url(delivery_public_id: str, way: str) -> str:
    """Return the absolute address that leads on to a paper; `way` names one of its links."""
    return f"{settings.SITE_URL}/c/{_sign(Purpose.CLICK, delivery_public_id, way)}"


def preferences_url(subscriber_public_id: str, at: datetime) -> str:
    """Return the absolute address of a reader's choices, good for 30 days from `at`."""
    token = _sign(Purpose.PREFERENCES, subscriber_public_id, _exactly(at))
    return f"{settings.SITE_URL}/preferences/{token}"


def pause_url(subscriber_public_id: str, at: datetime) -> str:
    """Return `preferences_url` at the place where a pause is chosen."""
    return preferences_url(subscriber_public_id, at) + "#pause"


def account_url(subscriber_public_id: str, at: datetime) -> str:
    """Return the absolute address of address, data and erasure, good for 30 minutes from `at`."""
    return f"{settings.SITE_URL}/account/{_sign(Purpose.ACCOUNT, subscriber_public_id, _exactly(at))}"


def new_address_url(subscriber_public_id: str, *, binding: str, at: datetime) -> str:
    """Return the absolute address by which the owner of a new address agrees, good for 24 hours from `at`.

    `binding` is `address_binding(...)` of that address.
    """
    token = _sign(Purpose.NEW_ADDRESS, subscriber_public_id, _moment(at), binding)
    return f"{settings.SITE_URL}/address/{token}"


def undo_url(subscriber_public_id: str, at: datetime) -> str:
    """Return the absolute address that takes back having left, good for 30 minutes from `at`."""
    return f"{settings.SITE_URL}/undo/{_sign(Purpose.UNDO, subscriber_public_id, _moment(at))}"


def confirm_url(subscriber_public_id: str, *, binding: str, at: datetime) -> str:
    """Return the absolute address that confirms a subscription, good for 72 hours from `at`.

    `binding` is `confirmation_binding(...)`: the link confirms that address and that wording, nothing else.
    """
    token = _sign(Purpose.CONFIRM, subscriber_public_id, _moment(at), binding)
    return f"{settings.SITE_URL}/confirm/{token}"


def confirmation_binding(address_hash: str, consent_version: str) -> str:
    """Return 128 bits in hex that stand for one address and one version of the consent text."""
    return hashlib.sha256(f"{address_hash}\n{consent_version}".encode()).hexdigest()[:32]


def address_binding(address_hash: str) -> str:
    """Return 128 bits in hex that stand for one address."""
    return hashlib.sha256(address_hash.encode()).hexdigest()[:32]


def read(token: str, purpose: Purpose, at: datetime) -> Claims:
    """Return what `token` claims, once it proved to be ours, for `purpose`, and valid at `at`.

    No row is read: the link works for a reader whose row is gone. Raises LinkError.
    """
    if len(token) > LONGEST_TOKEN or not _ALPHABET.fullmatch(token):
        raise LinkError(Fault.MALFORMED)
    signed, _, mac = token.rpartition(".")
    version, key_id, said, subject, *rest = signed.split(".")
    key = settings.TOKEN_KEYS.get(key_id)
    if version != _VERSION or key is None or not hmac.compare_digest(_mac(key, signed), mac):
        raise LinkError(Fault.FORGED)
    if said != purpose:
        raise LinkError(Fault.WRONG_PURPOSE)
    lifetime = LIFETIMES.get(purpose)
    if lifetime is None:
        return Claims(subject, extra="".join(rest))
    issued_at = _issued_at(int(rest[0]))
    if at >= issued_at + lifetime:
        raise LinkError(Fault.EXPIRED)
    return Claims(subject, extra="".join(rest[1:]), issued_at=issued_at)


def _moment(at: datetime) -> str:
    return str(int(at.timestamp()))


def _exactly(at: datetime) -> str:
    """Return `at` in microseconds: a change of address parts the links of its second into old and new."""
    return str((at - _EPOCH) // _MICROSECOND)


def _issued_at(moment: int) -> datetime:
    return _EPOCH + (timedelta(seconds=moment) if moment < _MOST_SECONDS else moment * _MICROSECOND)


def _sign(purpose: Purpose, *parts: str) -> str:
    key_id, key = next(iter(settings.TOKEN_KEYS.items()))
    signed = ".".join((_VERSION, key_id, purpose, *parts))
    return f"{signed}.{_mac(key, signed)}"


def _mac(key: bytes, signed: str) -> str:
    # 128 bits. In hex, since programs that find links in plain text drop a "-" or "_" at the end.
    return hmac.digest(key, signed.encode("ascii"), "sha256")[:16].hex()
