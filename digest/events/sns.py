"""Verify that Amazon SNS signed a message.

AWS, "Verifying the signatures of Amazon SNS messages": certain fields, each with its name on a line of its
own, signed with the key of a certificate that the message gives the address of. Whoever may choose that
address can sign anything, so it has to be Amazon's.
"""

import re
import ssl
import time
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

#: SNS's own hosts, in AWS's public regions and in China.
_HOST = re.compile(r"sns\.[a-z]{2}(?:-[a-z]+)+-[0-9]+\.amazonaws\.com(?:\.cn)?")
_PATH = re.compile(r"/SimpleNotificationService-[A-Za-z0-9]+\.pem")
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
#: The fields that are signed, by the message's type.
_SIGNED = {
    "Notification": _NOTIFICATION,
    "SubscriptionConfirmation": _CONFIRMATION,
    "UnsubscribeConfirmation": _CONFIRMATION,
}
_HASHES: Mapping[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303 - SNS's
#: A certificate has 2 kB. Few are in use at a time, and each for a year or so.
_LARGEST = 32 * 1024
_MOST_KEPT = 8
_KEPT_SECONDS = 24 * 3600.0
_TIMEOUT = httpx.Timeout(4.0)
_kept: dict[str, tuple[float, x509.Certificate]] = {}

Fetch = Callable[[str], bytes]


class ForgedError(ValueError):
    """SNS did not sign this. The text says how that is known."""


class UnreachableError(OSError):
    """The certificate cannot be had now."""


def verify(message: Mapping[str, Any], *, fetch: Fetch | None = None) -> None:
    """Return if SNS signed `message`. `fetch` brings the bytes behind a certificate's address.

    Raises ForgedError, and UnreachableError where the certificate cannot be had.
    """
    algorithm = _HASHES.get(str(message.get("SignatureVersion")))
    if algorithm is None:
        raise ForgedError("unknown version of signature")
    text = signed_text(message)
    certificate = _certificate(str(message.get("SigningCertURL")), fetch or fetched)
    now = datetime.now(UTC)
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise ForgedError("the certificate is not valid today")
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise ForgedError("the certificate has no RSA key")
    try:
        signature = b64decode(str(message.get("Signature")), validate=True)
        key.verify(signature, text, padding.PKCS1v15(), algorithm)
    except (InvalidSignature, ValueError) as error:
        raise ForgedError("wrong signature") from error


def signed_text(message: Mapping[str, Any]) -> bytes:
    """Return what SNS signs of `message`; a subject only where there is one. Raises ForgedError."""
    names = _SIGNED.get(str(message.get("Type")))
    if names is None:
        raise ForgedError("unknown type of message")
    wanted = [name for name in names if name != "Subject" or message.get(name) is not None]
    if any(not isinstance(message.get(name), str) for name in wanted):
        raise ForgedError("a signed field is missing")
    return "".join(f"{name}\n{message[name]}\n" for name in wanted).encode()


def is_amazons(url: str) -> bool:
    """Say whether `url` is the address of a certificate on one of SNS's own hosts."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    plain = url == f"https://{host}{parts.path}"  # no user, port, query, fragment or other spelling
    return plain and port is None and bool(_HOST.fullmatch(host)) and bool(_PATH.fullmatch(parts.path))


def _certificate(url: str, fetch: Fetch) -> x509.Certificate:
    """Return the certificate at `url`, kept for a day in this process. The address is judged before all."""
    if not is_amazons(url):
        raise ForgedError("the certificate is not at Amazon's")
    fetched_at, kept = _kept.get(url, (0.0, None))
    if kept is not None and time.monotonic() - fetched_at < _KEPT_SECONDS:
        return kept
    try:
        certificate = x509.load_pem_x509_certificate(fetch(url))
    except ValueError as error:
        raise ForgedError("there is no certificate where the message says") from error
    if len(_kept) >= _MOST_KEPT:
        _kept.clear()
    _kept[url] = (time.monotonic(), certificate)
    return certificate


def fetched(url: str) -> bytes:
    """Return what is behind `url`: no redirect, no proxy's word for it, at most 32 kB.

    Raises UnreachableError, and ForgedError where Amazon's server has no such thing.
    """
    try:
        with (
            httpx.Client(timeout=_TIMEOUT, verify=ssl.create_default_context()) as client,
            client.stream("GET", url) as answer,
        ):
            if answer.status_code in {403, 404, 410}:
                raise ForgedError("there is no certificate where the message says")
            if answer.status_code != httpx.codes.OK:
                raise UnreachableError(f"HTTP {answer.status_code}")
            body = b""
            for piece in answer.iter_raw():
                body += piece
                if len(body) > _LARGEST:
                    raise ForgedError("what the message calls a certificate is too large")
            return body
    except httpx.HTTPError as error:
        raise UnreachableError(type(error).__name__) from error
