"""Every mail of the house is built here, so that none can leave without its unsubscribe link.

Composing cannot send: what comes back is a message that `subscribers.transport` puts on the wire. The same
arguments give the same bytes, so that a retry under one idempotency key is a retry.
"""

import functools
import hashlib
import re
from datetime import UTC, date, datetime
from email import policy
from email.header import Header
from email.headerregistry import Address
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime
from typing import cast

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, SafeMIMEMultipart, SafeMIMEText
from django.core.mail.message import sanitize_address, utf8_charset

from subscribers import links

#: Octets in one line of a message, without its CRLF (RFC 5322 section 2.1.1).
LONGEST_LINE = 998
# Compat32 would fold a long address right after the header's name, which some readers take for an empty one.
_UNFOLDED = policy.compat32.clone(max_line_length=0)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_BODY_CONTROL = bytes({*range(32), 127} - {9, 10})  # all but tab and line feed
_PUBLIC_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}")
_DOMAIN = re.compile(r"[A-Za-z0-9.-]{1,253}")
_ATOMS = re.compile(r"[A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]+")


class MailError(ValueError):
    """A mail cannot be built from this; `str()` is a sentence that names no address."""


class _Part(SafeMIMEText):
    """One body as 8bit. Composing has measured its lines, so they are not measured a second time."""

    def __init__(self, content: str, subtype: str) -> None:
        super().__init__(content, subtype, "utf-8")
        self.octets = content.encode()
        del self["MIME-Version"]  # belongs to the whole message, once

    def set_payload(self, payload: object, charset: object = None) -> None:  # noqa: ARG002
        """Keep `payload` as UTF-8."""
        MIMEText.set_payload(self, str(payload), charset=utf8_charset)


class _Tree(SafeMIMEMultipart):
    """The whole message. It writes the bytes of the standard generator in a tenth of its time."""

    def __init__(self, boundary: str) -> None:
        super().__init__("alternative", boundary, encoding="utf-8", policy=_UNFOLDED)

    def as_bytes(  # type: ignore[override]  # the stubs describe Django 6
        self, unixfrom: bool = False, linesep: str = "\n"
    ) -> bytes:
        """Return the message with `linesep` at the end of every line."""
        if unixfrom:
            return super().as_bytes(unixfrom, linesep)
        boundary = f"--{self.get_boundary()}\n".encode()
        pieces = [self._head(self)]
        for part in cast("list[_Part]", self.get_payload()):
            pieces += [boundary, self._head(part), part.octets, b"\n"]
        return b"".join([*pieces, boundary.strip(), b"--\n"]).replace(b"\n", linesep.encode())

    @staticmethod
    def _head(part: Message) -> bytes:
        return "".join([f"{name}: {value}\n" for name, value in part.raw_items()]).encode("ascii") + b"\n"


class Mail(EmailMultiAlternatives):
    """A message whose bytes follow from its parts alone: no random boundary, no clock.

    `metadata` and `tags` are read by Anymail. `boundary` separates the text from the HTML.
    """

    metadata: dict[str, str]
    tags: list[str]
    boundary: str

    def message(self) -> SafeMIMEMultipart:  # type: ignore[override]  # the stubs describe Django 6
        """Return the MIME tree: text first, HTML last (RFC 2046 section 5.1.4), each as 8bit."""
        root = _Tree(self.boundary)
        MIMEMultipart.__setitem__(root, "Subject", _subject(str(self.subject)))
        root["From"] = _sender(settings.DEFAULT_FROM_EMAIL)
        root["To"] = ", ".join(self.to)
        for name, value in self.extra_headers.items():
            root[name] = value
        root.attach(_Part(str(self.body), "plain"))
        for part in self.alternatives:
            root.attach(_Part(str(part[0]), "html"))
        return root


def compose_digest(
    *,
    to: str,
    subscriber_public_id: str,
    delivery_public_id: str,
    edition_day: date,
    subject: str,
    html: str,
    text: str,
    at: datetime,
) -> EmailMultiAlternatives:
    """Return one reader's digest, the same bytes for the same arguments.

    `to` is an address from `addresses.normalise`, `at` the aware moment of the Date header. Both bodies must
    hold the reader's unsubscribe link. Headers after RFC 5322, RFC 2919 (List-Id), RFC 8058 (one-click) and
    Google's Feedback-ID. Raises MailError.
    """
    unsubscribe = links.unsubscribe_url(subscriber_public_id, delivery_public_id)
    if unsubscribe not in html or unsubscribe not in text:
        raise MailError("A digest needs its unsubscribe link in the text and in the HTML.")
    headers = {
        **_headers(delivery_public_id, unsubscribe, f"{edition_day:%Y%m%d}:digest", at),
        "List-Id": _list_id(settings.LIST_NAME, settings.LIST_ID),
        "Precedence": "bulk",
    }
    mail = _compose(to, subject, html, text, headers, delivery_public_id)
    mail.metadata = {"delivery": delivery_public_id}
    mail.tags = ["digest"]
    return mail


def compose_system(
    *,
    to: str,
    subscriber_public_id: str,
    message_public_id: str,
    subject: str,
    html: str,
    text: str,
    at: datetime | None = None,
    asked_of: str = "",
) -> EmailMultiAlternatives:
    """Return a mail the house writes on its own account, such as the one that asks for confirmation.

    `asked_of` is `links.address_binding` of an address that is not the reader's yet: to unsubscribe from
    there refuses that address and leaves the reader's own subscription alone. The mail says that a machine
    wrote it, so that no holiday message answers (RFC 3834 section 5). Without `at` the Date is the moment of
    composing. Raises MailError.
    """
    unsubscribe = links.unsubscribe_url(subscriber_public_id, asked_of)
    headers = _headers(message_public_id, unsubscribe, "account:system", at or datetime.now(UTC))
    headers["Auto-Submitted"] = "auto-generated"
    mail = _compose(to, subject, html, text, headers, message_public_id)
    mail.metadata = {"system_mail": message_public_id}
    mail.tags = ["system"]
    return mail


def _headers(public_id: str, unsubscribe: str, stream: str, at: datetime) -> dict[str, str]:
    """Return what every mail of the house carries; `stream` is the campaign and kind of its Feedback-ID."""
    if not _PUBLIC_ID.fullmatch(public_id):
        raise MailError("A message's id has 1 to 64 letters, digits, - and _.")
    if not unsubscribe.startswith("https://") and not settings.DEBUG:
        raise MailError("The unsubscribe link must start with https:// (RFC 8058). Set SITE_URL so.")
    return {
        "Date": format_datetime(at.astimezone(UTC)),
        "Message-ID": f"<{public_id}@{settings.MAIL_DOMAIN}>",
        "List-Unsubscribe": f"<{unsubscribe}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Feedback-ID": f"{stream}:{settings.MAIL_DOMAIN}:{_sender_id(settings.MAIL_DOMAIN)}",
        "X-Auto-Response-Suppress": "All",
    }


def _compose(to: str, subject: str, html: str, text: str, headers: dict[str, str], public_id: str) -> Mail:
    _subject(subject)
    for name, value in headers.items():
        if _CONTROL.search(value):
            raise MailError(f"The {name} holds a line break or another control character.")
    mail = Mail(subject, _body("text", text), settings.DEFAULT_FROM_EMAIL, [_recipient(to)], headers=headers)
    mail.attach_alternative(_body("HTML", html), "text/html")
    # Derived, since a boundary drawn at random would make every retry another message.
    mail.boundary = f"=_{hashlib.sha256(public_id.encode()).hexdigest()[:32]}"
    return mail


def _recipient(address: str) -> str:
    """Return `address` as it stands in the To header; the words of the error do not repeat it."""
    local, at_sign, domain = address.rpartition("@")
    if _CONTROL.search(address) or not address.isascii():
        raise MailError("The address holds a line break or another character that no address can have.")
    if not at_sign or not _LOCAL_PART.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        raise MailError("The address is not one that can be written to.")
    return str(Address(username=local, domain=domain))


def _body(which: str, content: str) -> str:
    """Return `content` with a line break at its end, once no line and no character in it can hurt."""
    try:
        octets = content.encode()
    except UnicodeEncodeError as error:
        raise MailError(f"The {which} part holds half a character.") from error
    # Deleting and comparing lengths takes a twentieth of the time of a regular expression.
    if len(octets.translate(None, _BODY_CONTROL)) != len(octets):
        raise MailError(f"The {which} part holds a control character.")
    if max(map(len, octets.split(b"\n"))) > LONGEST_LINE:
        raise MailError(f"The {which} part has a line of more than {LONGEST_LINE} bytes (RFC 5322).")
    return content if content.endswith("\n") else content + "\n"


@functools.lru_cache(maxsize=2048)
def _subject(subject: str) -> str:
    """Return the subject as encoded words where it needs them (RFC 2047), folded.

    Kept, since readers with the same first paper share it and the encoding takes as long as the whole rest.
    """
    if _CONTROL.search(subject):
        raise MailError("The Subject holds a line break or another control character.")
    return Header(subject, "us-ascii" if subject.isascii() else "utf-8", header_name="Subject").encode()


@functools.lru_cache(maxsize=8)
def _sender(mailbox: str) -> str:
    encoded = sanitize_address(mailbox, "utf-8")
    # Amazon SES refuses a From of more than 320 octets; the name is what can go.
    return (
        encoded if len(encoded) <= 320 else sanitize_address(mailbox.rpartition("<")[2].rstrip(">"), "utf-8")
    )


@functools.lru_cache(maxsize=8)
def _list_id(name: str, identifier: str) -> str:
    """Return `phrase <id>` (RFC 2919 section 3), the phrase quoted or encoded where it has to be."""
    if _ATOMS.fullmatch(name):
        phrase = name
    elif name.isascii():
        phrase = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    else:
        phrase = Header(name, "utf-8").encode(linesep="")
    return f"{phrase} <{identifier}>"


@functools.lru_cache(maxsize=8)
def _sender_id(domain: str) -> str:
    """Return the constant end of every Feedback-ID: 5 to 15 characters, never a person's."""
    return re.sub(r"[^a-z0-9]", "", domain.lower())[:15].ljust(5, "0")
