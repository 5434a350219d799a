"""What mail servers took: written before they answer, so that it is the truth whoever dies. Pure."""

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass

_MESSAGE_ID = re.compile(rb"^message-id:\s*<([^@>]+)@", re.IGNORECASE | re.MULTILINE)
_PAPER = re.compile(r"arxiv\.org/abs/([0-9]{4}\.[0-9]{5})")


@dataclass(frozen=True)
class Mail:
    """One mail taken: its reader (address), its delivery (public id), its papers (arXiv ids)."""

    reader: str
    delivery: str
    papers: frozenset[str]


class Ledger:
    """The mails of one run in the order they were taken, by however many connections."""

    def __init__(self) -> None:
        self._mails: list[Mail] = []
        self._lock = threading.Lock()

    def take(self, recipients: Iterable[bytes], body: bytes) -> None:
        """Write down one message as SMTP brings it."""
        head = body[: body.find(b"\r\n\r\n") + 2]
        found = _MESSAGE_ID.search(head)
        for recipient in recipients:
            self.write(recipient.decode(), found[1].decode() if found else "", body.decode(errors="replace"))

    def write(self, reader: str, delivery: str, text: str) -> None:
        """Write down one mail."""
        with self._lock:
            self._mails.append(Mail(reader, delivery, frozenset(_PAPER.findall(text))))

    def mails(self) -> list[Mail]:
        """Return what was taken so far."""
        with self._lock:
            return list(self._mails)
