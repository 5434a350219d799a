"""`manage.py doctor`: what mailbox providers and readers would find wrong here, each with its cure."""

import argparse
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from digest.doctor import examining
from digest.doctor.examining import Line
from digest.doctor.finding import Level
from digest.doctor.looking import Looking
from digest.doctor.names import Dns, is_address

_MARKS = {Level.GOOD: "ok     ", Level.ADVICE: "advice ", Level.WRONG: "WRONG  ", Level.UNSEEN: "unseen "}


class Command(BaseCommand):
    """Looks and tells; changes and sends nothing."""

    help = (
        "Look at this installation as mailbox providers and readers would: DNS of the sender, mail server or "
        "provider, a digest, the site, the processes. One line a finding, with its cure. Changes and sends "
        "nothing. Exit codes: 0 nothing is wrong, 1 something is, 2 wrong arguments."
    )
    #: It looks at all of them itself.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--json", action="store_true", help="for a program")
        parser.add_argument("--only", choices=list(examining.GROUPS), action="append", help="one group")
        parser.add_argument(
            "--selector", action="append", default=[], metavar="NAME", help="a DKIM selector; repeatable"
        )
        parser.add_argument(
            "--address",
            action="append",
            default=[],
            type=_an_address,
            metavar="IP",
            help="the public address that mails leave from, where EMAIL_URL names this machine; repeatable",
        )
        parser.add_argument(
            "--nameserver", default="", metavar="HOST[:PORT]", help="whom to ask, not the system's"
        )
        parser.add_argument(
            "--timeout", type=_seconds, default=5.0, metavar="SECONDS", help="of each question"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Look, and tell each finding as it is found."""
        looking = Looking(
            dns=Dns(options["timeout"], options["nameserver"]),
            timeout=options["timeout"],
            at=timezone.now(),
            selectors=options["selector"],
            addresses=options["address"],
        )
        lines: list[Line] = []
        for line in examining.examine(looking, options["only"] or examining.GROUPS):
            if not options["json"]:
                self._tell(line, new=not lines or lines[-1].group != line.group)
            lines.append(line)
        if options["json"]:
            self.stdout.write(examining.as_json(lines))
        wrong = sum(line.finding.level == Level.WRONG for line in lines)
        if wrong:
            raise CommandError(f"{wrong} of {len(lines)} findings are wrong.", returncode=1)

    def _tell(self, line: Line, *, new: bool) -> None:
        if new:
            self.stdout.write(self.style.MIGRATE_HEADING(line.group))
        finding = line.finding
        self.stdout.write(f"  {_MARKS[finding.level]}{finding.seen}")
        if finding.cure:
            self.stdout.write(f"         -> {finding.cure}")


def _an_address(text: str) -> str:
    if not is_address(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no IP address.")
    return text


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 60:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds up to 60.")
    return seconds
