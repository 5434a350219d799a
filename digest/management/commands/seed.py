"""`manage.py seed`: synthetic readers to try things out with."""

from argparse import ArgumentParser
from datetime import UTC, datetime

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from subscribers import synthetic


class Command(BaseCommand):
    """Makes sure that N synthetic readers exist."""

    help = (
        "Make sure N synthetic readers exist: active, daily, with varied topics, words and time zones, "
        "at addresses nobody has (reader-00001@readers.example). Safe to run again. No papers."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare --readers and the flag that production asks for."""
        parser.add_argument("--readers", type=int, default=100, metavar="N", help="how many (default 100)")
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
        if readers < 0:
            raise CommandError("--readers takes a whole number from 0 up.")
        try:
            with tqdm(total=readers, unit=" readers", disable=verbosity == 0 or None) as bar:
                added = synthetic.ensure(readers, at=datetime.now(UTC), progress=bar.update)
        except synthetic.NoTopicsError as error:
            raise CommandError(str(error)) from error
        if verbosity:
            self.stdout.write(f"{added} synthetic readers added, {readers - added} were there already.")
