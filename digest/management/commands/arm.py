"""`manage.py arm`: let digests leave again after a backup was restored."""

from argparse import ArgumentParser

from django.core.management.base import CommandError
from django.utils import timezone

from digest import arming, guarding
from digest.management.base import DatabaseCommand
from digest.witness import NoWitnessError
from subscribers.audit import record_for
from subscribers.models import AuditEvent


class Command(DatabaseCommand):
    """Says why nothing leaves, asks, and arms."""

    help = (
        "Let digests leave again from a database that was restored from a backup or copied. Says what it "
        "found and asks first. Editions whose moment has come expire, since nobody knows who has had them; "
        "their papers come with the next one. Changes nothing where sending is armed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument(
            "--nothing-is-missing",
            action="store_true",
            help="let nothing expire: you know that this database is the newest state (a host was moved)",
        )

    def handle(self, *_args: object, yes: bool, nothing_is_missing: bool, **_options: object) -> None:
        """Tell, ask, arm. Raises CommandError where the answer is no, or something is known to be missing."""
        now = timezone.now()
        try:
            found = arming.find(at=now)
            if found is None:
                self.stdout.write("Sending is armed; there is nothing to do.")
                return
            self.stdout.write("\n".join(found))
            if nothing_is_missing and found.row.behind:
                raise CommandError("Something is missing: leave out --nothing-is-missing.")
            if nothing_is_missing:
                self.stdout.write("With --nothing-is-missing no edition expires.")
            if not yes and input("Arm it? Write yes: ").strip().lower() != "yes":
                raise CommandError("Nothing was changed.")
            ended = arming.arm(at=now, keep=nothing_is_missing)
        except NoWitnessError as error:
            raise CommandError(guarding.NO_WITNESS) from error
        detail = f"sending armed by command, {ended} waiting digests expired"
        record_for(None, AuditEvent.Kind.DEED, "sending", detail, at=now)
        self.stdout.write(f"Armed. {ended:,} waiting digests expired. Digests leave again.")
