"""`manage.py seed`: synthetic readers to try things out with."""

import sys
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime

from django.conf import settings
from django.core.management.base import CommandError
from tqdm import tqdm

from digest.management.base import DatabaseCommand
from subscribers import synthetic

#: More than that is a slip of the key: it would take hours and tens of gigabytes.
MOST_READERS = 5_000_000
#: Seconds between two pictures of the bar where nobody watches it, as in a log.
UNWATCHED_SECONDS = 10.0


def number_of_readers(text: str) -> int:
    """Return the number `text`, 0 to MOST_READERS."""
    if not (text.isascii() and text.isdigit() and int(text) <= MOST_READERS):
        raise ArgumentTypeError(f"{text!r} is not a whole number of readers. Use 0 to {MOST_READERS}.")
    return int(text)


class Command(DatabaseCommand):
    """Makes sure that N synthetic readers exist."""

    help = (
        "Make sure N synthetic readers exist: active, daily, with varied topics, words and time zones, "
        "at addresses nobody has (reader-00001@readers.example). Safe to run again. No papers."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare --readers and the flag that production asks for."""
        parser.add_argument(
            "--readers",
            type=number_of_readers,
            default=100,
            metavar="N",
            help=f"how many, up to {MOST_READERS:,} (default 100)",
        )
        parser.add_argument(
            "--into-production",
            action="store_true",
            help="do it although DEBUG is off: mails to them will bounce and harm your sender reputation",
        )

    def handle(
        self, *_args: object, readers: int, into_production: bool, verbosity: int, **_options: object
    ) -> None:
        """Add the missing ones and say how many. Raises CommandError when refused."""
        if not settings.DEBUG and not into_production:
            raise CommandError(
                "This is a production installation (DEBUG is off): synthetic readers do not belong here. "
                "If you mean it, say --into-production."
            )
        try:
            every = 0.1 if sys.stderr.isatty() else UNWATCHED_SECONDS
            with tqdm(total=readers, unit=" readers", disable=verbosity == 0, mininterval=every) as bar:
                added = synthetic.ensure(readers, at=datetime.now(UTC), progress=bar.update)
        except synthetic.NoTopicsError as error:
            raise CommandError(str(error)) from error
        if verbosity:
            self.stdout.write(f"{added} synthetic readers added, {readers - added} were there already.")
