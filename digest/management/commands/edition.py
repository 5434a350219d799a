"""`manage.py edition`: make the edition of a day, as far as asked."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from digest import coverage, editions, enrolling
from digest.delivery.balance import balance
from digest.editions import EditionError
from digest.models import Edition


class Command(BaseCommand):
    """Open, freeze, approve and enroll the edition of one day."""

    help = (
        "Open the edition of a day and, as asked, freeze it (fix its papers), approve it and enroll its "
        "readers. Steps already done are left as they are, so it can be repeated. Nothing is sent: "
        "`deliver` does that."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--day", required=True, type=date.fromisoformat, metavar="YYYY-MM-DD")
        parser.add_argument("--freeze", action="store_true", help="fix the papers and their votes")
        parser.add_argument("--approve", action="store_true", help="let it go out (freezes first if needed)")
        parser.add_argument("--enroll", action="store_true", help="make each due reader's delivery")

    def handle(
        self, *_args: Any, day: date, freeze: bool, approve: bool, enroll: bool, **_options: Any
    ) -> None:
        """Take the steps asked for and print where the edition stands."""
        now = timezone.now()
        edition = editions.open_edition(day, at=now)
        try:
            if (freeze or approve) and edition.state == Edition.State.OPEN:
                missing = coverage.failing(edition, settings.SOURCES, at=now)
                edition = editions.freeze(edition, at=timezone.now(), missing=missing)
            if approve and edition.state != Edition.State.EMPTY:
                edition = editions.approve(edition, at=timezone.now())
            if enroll and edition.state == Edition.State.APPROVED:
                enrolling.enroll(edition, at=timezone.now())
        except EditionError as error:
            raise CommandError(str(error)) from error
        edition.refresh_from_db()
        if enroll and edition.state not in {Edition.State.SENDING, Edition.State.SENT, Edition.State.EMPTY}:
            raise CommandError(f"The edition of {day} is {edition.state}. Approve it first: add --approve.")
        self.stdout.write(f"edition {day}: {edition.state}, {edition.candidate_count} papers")
        if edition.missing_sources:
            self.stdout.write(f"without {', '.join(edition.missing_sources)}: the last answer was a failure")
        self.stdout.write(str(balance(edition)))
