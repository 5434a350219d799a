"""Mail in development: every message becomes a file, and the browser shows it at /mailbox/.

A name begins with the nanosecond of writing, so that names in order are mails in order and a list of
thousands opens no more files than a page shows.
"""

import os
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage as ParsedMessage
from email.parser import BytesHeaderParser
from email.utils import parsedate_to_datetime
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

_NAME = re.compile(r"[0-9]{20}-[0-9a-f]{8}")
_SUFFIX = ".eml"
_BACKEND = f"{__name__}.EmailBackend"
#: Bytes read of a message for the list: more than its headers take.
_HEAD = 16_384


class NoSuchMailError(LookupError):
    """The mailbox has no message of that name."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What the list shows of a message."""

    name: str
    to: str
    subject: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Mail:
    """A message as a reader's program would show it; `headers` are decoded (name, value) pairs."""

    name: str
    to: str
    subject: str
    at: datetime | None
    html: str
    text: str
    headers: list[tuple[str, str]]
    octets: bytes


class EmailBackend(BaseEmailBackend):
    """Writes each message into MAILBOX_DIR; a failure is raised, whatever `fail_silently` says."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Write `email_messages` and return how many were written."""
        folder = Path(settings.MAILBOX_DIR)
        folder.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
            # Written beside its place and then moved, so that no reader sees half a mail.
            draft = folder / f".{name}.tmp"
            draft.write_bytes(message.message().as_bytes())
            draft.replace(folder / f"{name}{_SUFFIX}")
        return len(email_messages)


def in_use() -> bool:
    """Tell whether mails land in this mailbox: in development, and with its backend, only."""
    return bool(settings.DEBUG) and str(settings.EMAIL_BACKEND) == _BACKEND


def names() -> list[str]:
    """Return the names of all messages, the newest first."""
    try:
        with os.scandir(settings.MAILBOX_DIR) as files:
            found = [file.name.removesuffix(_SUFFIX) for file in files if file.name.endswith(_SUFFIX)]
    except FileNotFoundError:
        return []
    return sorted(filter(_NAME.fullmatch, found), reverse=True)


def put_on_top(name: str) -> str:
    """Make `name` the newest message and return its new name. Raises NoSuchMailError."""
    newest = f"{time.time_ns():020d}-{name.rpartition('-')[2]}"
    path = _path(name)
    path.rename(path.with_name(f"{newest}{_SUFFIX}"))
    return newest


def summary(name: str) -> Summary:
    """Return what the list shows of `name`, reading its headers only. Raises NoSuchMailError."""
    with _path(name).open("rb") as file:
        head = BytesHeaderParser(policy=policy.default).parsebytes(file.read(_HEAD))
    return Summary(name, str(head["To"] or ""), str(head["Subject"] or ""), _date(head))


def read(name: str) -> Mail:
    """Return the message of that name. Raises NoSuchMailError."""
    octets = _path(name).read_bytes()
    message = message_from_bytes(octets, policy=policy.default)
    return Mail(
        name=name,
        to=str(message["To"] or ""),
        subject=str(message["Subject"] or ""),
        at=_date(message),
        html=_part(message, "html"),
        text=_part(message, "plain"),
        headers=[(key, str(value)) for key, value in message.items()],
        octets=octets,
    )


def _path(name: str) -> Path:
    """Return the file of `name`; nothing but a name the backend made leads to a file."""
    path = Path(settings.MAILBOX_DIR) / f"{name}{_SUFFIX}"
    if not _NAME.fullmatch(name) or not path.is_file():
        raise NoSuchMailError(f"The mailbox has no message {name[:40]!r}.")
    return path


def _part(message: ParsedMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    return str(part.get_content()) if part is not None else ""


def _date(message: ParsedMessage) -> datetime | None:
    try:
        return parsedate_to_datetime(str(message["Date"]))
    except (TypeError, ValueError):
        return None
