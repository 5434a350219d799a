"""The installation that journeys lead through, and the work that beat's tasks would do in it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from urllib.parse import urlsplit

from django.utils import timezone
from lxml import html

from digest import advancing, editions, samples
from digest.models import Edition
from digest.tasks import deliver
from subscribers.tasks import send_outbox
from tests.cast import a_frozen_edition, a_paper, appeared, the_first_rows
from tests.sinks.smtp_sink import SmtpSink


@dataclass(frozen=True)
class Letter:
    """A mail as its reader's program shows it."""

    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        part = self.message.get_body(("plain",))
        assert part is not None
        return str(part.get_content())

    @property
    def html(self) -> str:
        part = self.message.get_body(("html",))
        assert part is not None
        return str(part.get_content())

    @property
    def links(self) -> list[str]:
        """Every web address of both parts, once each, in order."""
        written = [
            word.strip("<>()[].,;") for word in self.text.split() if word.lstrip("<([").startswith("http")
        ]
        page = html.document_fromstring(self.html)
        found = page.xpath("//@href | //@src")
        assert isinstance(found, list)
        pressed = [str(address) for address in found if str(address).startswith("http")]
        return list(dict.fromkeys(written + pressed))

    def way(self, part: str) -> str:
        """Return the path of the first link that contains `part`, as the reader would press it."""
        link = next(link for link in self.links if part in link)
        parts = urlsplit(link)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    @property
    def one_click(self) -> str:
        """Return the path in List-Unsubscribe (RFC 8058)."""
        assert self.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        addresses = [part.strip(" <>") for part in str(self.message["List-Unsubscribe"]).split(",")]
        return urlsplit(next(address for address in addresses if address.startswith("https:"))).path


@dataclass
class House:
    """The live server, the mail that leaves it, and how its clock is moved on."""

    home: str
    sink: SmtpSink
    shift: Callable[[timedelta], None]

    @property
    def now(self) -> datetime:
        return timezone.now()

    def furnish(self) -> Edition:
        """Publish an edition of three papers yesterday and one of 36 today; return it."""
        the_first_rows()
        today = editions.edition_day(self.now)
        a_frozen_edition(today - timedelta(days=1), a_paper(), a_paper(), a_paper(), state=Edition.State.SENT)
        samples.load(today, self.now)
        for _ in range(10):  # so that there is a second page
            appeared(a_paper(), today)
        edition = editions.open_edition(today, at=self.now)
        edition = editions.freeze(edition, at=self.now)
        return editions.approve(edition, at=self.now)

    def later(self, **wait: float) -> None:
        """Let time pass, as much as timedelta(**wait)."""
        self.shift(timedelta(**wait))

    def work(self) -> None:
        """Do what beat's tasks do in a minute: system mails, editions, digests."""
        send_outbox()
        advancing.advance(at=self.now)
        deliver()

    def letters(self, address: str) -> list[Letter]:
        """Return the mails that came for `address`, the oldest first."""
        return [Letter(received.message) for received in self.sink.to(address)]

    def newest(self, address: str) -> Letter:
        """Work, then return the newest mail that came for `address`."""
        self.work()
        return self.letters(address)[-1]

    def way(self, address: str, part: str) -> str:
        """Work, then return the path of the newest link with `part` that came for `address`."""
        self.work()
        letters = [letter for letter in self.letters(address) if any(part in link for link in letter.links)]
        return letters[-1].way(part)
