"""`manage.py preview ADDRESS`: the mail as this reader gets it."""

from argparse import ArgumentParser
from datetime import date, datetime
from pathlib import Path

from django.core.mail import EmailMultiAlternatives
from django.core.management.base import CommandError
from django.utils import timezone

from digest.delivery.choosing import preview_picks
from digest.management.base import DatabaseCommand, a_day
from digest.models import Delivery, Edition
from digest.ranking import Pick
from digest.rendering import EditionRenderer
from subscribers.addresses import AddressError, address_key, normalise
from subscribers.models import Subscriber

#: Stands where a delivery's id will be, for a mail that nothing has been enrolled for.
PREVIEW_ID = "preview"


class Command(DatabaseCommand):
    """Show the digest of one reader without sending it or changing anything."""

    help = (
        "Show the digest that ADDRESS gets from an edition: its subject and text, or files to open. Nothing "
        "is sent and nothing changes. A digest that has left is shown with the papers it left with."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare whose mail, of which day, and where to put it."""
        parser.add_argument("address", metavar="ADDRESS", help="a subscriber's address")
        parser.add_argument("--day", type=a_day, metavar="YYYY-MM-DD", help="default: the newest edition")
        parser.add_argument("--html", type=Path, metavar="FILE", help="write the HTML part there")
        parser.add_argument("--text", type=Path, metavar="FILE", help="write the text part there")
        parser.add_argument("--eml", type=Path, metavar="FILE", help="write the whole message there")

    def handle(self, **options: object) -> None:
        """Print the mail, or write the files that are asked for."""
        day = options["day"]
        message = compose(str(options["address"]), day if isinstance(day, date) else None, at=timezone.now())
        parts = {
            "html": str(message.alternatives[0][0]).encode(),
            "text": str(message.body).encode(),
            "eml": message.message().as_bytes(),
        }
        wanted = [(kind, path) for kind in parts if isinstance(path := options[kind], Path)]
        for kind, path in wanted:
            try:
                path.write_bytes(parts[kind])
            except OSError as error:
                raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
            self.stdout.write(f"Wrote {path}")
        if not wanted:
            self.stdout.write(f"Subject: {message.subject}\n\n{message.body}")


def compose(address: str, day: date | None, *, at: datetime) -> EmailMultiAlternatives:
    """Return the digest of the reader at `address` from the edition of `day`, or of the newest one.

    Raises CommandError where there is no such reader, no such edition, or nothing in it for them.
    """
    reader = _reader(address)
    edition = _edition(day)
    delivery = Delivery.objects.filter(edition=edition, subscriber=reader).first()
    if delivery and delivery.picks:
        picks = [Pick(paper, reason) for paper, reason in delivery.picks]
        at = delivery.submitted_at or at
    else:
        picks = preview_picks(edition, reader, at=at)
    if not picks:
        raise CommandError(f"The edition of {edition.day} has no paper for this reader.")
    public_id = delivery.public_id if delivery else PREVIEW_ID
    return EditionRenderer(edition, [pick.paper_id for pick in picks]).message(public_id, reader, picks, at)


def _reader(address: str) -> Subscriber:
    try:
        return Subscriber.objects.get(address_key=address_key(normalise(address)))
    except (AddressError, Subscriber.DoesNotExist) as error:
        raise CommandError(f"Nobody is subscribed with {address!r}.") from error


def _edition(day: date | None) -> Edition:
    made = Edition.objects.with_candidates().exclude(state=Edition.State.EMPTY)
    edition = (made.filter(day=day) if day else made.order_by("-day")).first()
    if edition is None:
        which = f"of {day} " if day else ""
        raise CommandError(
            f"No edition {which}has been frozen yet. Make one with: manage.py edition --day DAY --freeze"
        )
    return edition
