"""`manage.py edition`: make the edition of a day, as far as asked."""

from argparse import ArgumentParser
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.utils import timezone

from digest import coverage, editions, enrolling
from digest.delivery.balance import balance
from digest.editions import EditionError
from digest.management.base import DatabaseCommand, a_day
from digest.models import Edition

#: The exit code for a day without papers: nothing is wrong, but a script had better not go on to `deliver`.
EMPTY_CODE = 3


class Command(DatabaseCommand):
    """Open, freeze, approve and enroll the edition of one day."""

    help = (
        "Open the edition of a day and, as asked, freeze it (fix its papers), approve it and enroll its "
        "readers. Steps already done are left as they are, so it can be repeated; an empty edition is frozen "
        "anew, for papers that came since. Nothing is sent: `deliver` does that. Exit codes: 0 done, 1 a "
        f"step cannot be taken now, 2 wrong arguments, {EMPTY_CODE} the edition to be frozen is empty."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--day",
            required=True,
            type=a_day,
            metavar="YYYY-MM-DD",
            help="the day of the edition; past days can be made, too, days after today (in EDITION_ZONE) be "
            "opened only",
        )
        parser.add_argument("--freeze", action="store_true", help="fix the papers and their votes")
        parser.add_argument("--approve", action="store_true", help="let it go out (freezes first if needed)")
        parser.add_argument("--enroll", action="store_true", help="make each due reader's delivery")

    def handle(
        self, *_args: Any, day: date, freeze: bool, approve: bool, enroll: bool, **_options: Any
    ) -> None:
        """Take the steps asked for and print where the edition stands."""
        now = timezone.now()
        if (freeze or approve) and day > (today := editions.edition_day(now)):
            raise CommandError(
                f"{day} lies in the future: its papers have not appeared. Today is {today} in "
                f"{settings.EDITION_ZONE}.",
                returncode=2,
            )
        edition = editions.open_edition(day, at=now)
        try:
            _take(edition, at=now, freeze=freeze or approve, approve=approve, enroll=enroll)
        except EditionError as error:
            raise CommandError(str(error)) from error
        edition.refresh_from_db()
        if enroll and edition.state not in {Edition.State.SENDING, Edition.State.SENT, Edition.State.EMPTY}:
            raise CommandError(f"The edition of {day} is {edition.state}. Approve it first: add --approve.")
        self._report(edition)
        if (freeze or approve or enroll) and edition.state == Edition.State.EMPTY:
            raise CommandError(
                f"No paper that is in no edition yet appeared by {day}. Ask the sources first: manage.py "
                f"ingest --day {day}. Then repeat this command.",
                returncode=EMPTY_CODE,
            )

    def _report(self, edition: Edition) -> None:
        self.stdout.write(f"edition {edition.day}: {edition.state}, {edition.candidate_count} papers")
        if edition.missing_sources:
            self.stdout.write(f"without {', '.join(edition.missing_sources)}: the last answer was a failure")
        self.stdout.write(str(balance(edition)))


def _take(edition: Edition, *, at: datetime, freeze: bool, approve: bool, enroll: bool) -> None:
    """Take the steps that are asked for and not yet done. Raises EditionError."""
    if freeze and edition.state in {Edition.State.OPEN, Edition.State.EMPTY}:
        missing = coverage.failing(edition, settings.SOURCES, at=at)
        edition = editions.freeze(edition, at=timezone.now(), missing=missing, by_hand=True)
    if approve and edition.state != Edition.State.EMPTY:
        edition = editions.approve(edition, at=timezone.now())
    if enroll and edition.state == Edition.State.APPROVED:
        enrolling.enroll(edition, at=timezone.now())
