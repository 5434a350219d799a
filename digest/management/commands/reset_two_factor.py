"""`manage.py reset_two_factor`: the way back in for an owner who lost phone and backup codes."""

from argparse import ArgumentParser

from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.utils import timezone

from digest.access import second_factor
from digest.management.base import DatabaseCommand
from subscribers.audit import record_for
from subscribers.models import AuditEvent


class Command(DatabaseCommand):
    """Takes the second factor off one account; the next login is with the password alone."""

    help = "Take the second factor off an account whose phone and backup codes are lost."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the user name."""
        parser.add_argument("username")

    def handle(self, *_args: object, username: str, **_options: object) -> None:
        """Take it off and say so. Raises CommandError for a name that nobody has."""
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user {username}.")
        if not second_factor.remove(user):
            self.stdout.write(f"{username} has no second factor.")
            return
        detail = "second factor reset by command"
        record_for(None, AuditEvent.Kind.DEED, f"user {username}", detail, at=timezone.now())
        self.stdout.write(f"Done. {username} logs in with the password alone and sets up a new one then.")
