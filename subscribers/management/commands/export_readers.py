"""`manage.py export_readers`: readers as a CSV file."""

import os
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

import structlog
from django.core.management.base import CommandError

from subscribers.importing.exporting import RESOURCES, reader_lines, readers
from subscribers.management.base import DatabaseCommand
from subscribers.models import Subscriber

log = structlog.get_logger(__name__)


class Command(DatabaseCommand):
    """Writes readers to a file of their owner's, or to standard output."""

    help = (
        "Write readers as CSV, to FILE or to standard output, one at a time. Cells that a spreadsheet would "
        "take for formulas get an apostrophe in front; import_readers takes it off again. Exit codes: "
        "0 done, 1 FILE cannot be written, 2 wrong arguments."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "file",
            type=Path,
            nargs="?",
            metavar="FILE",
            help="a new file, readable by you alone; else standard output",
        )
        parser.add_argument("--status", choices=[*Subscriber.Status.values, "all"], default="active")
        parser.add_argument("--format", choices=sorted(RESOURCES), default="plain")

    def handle(
        self,
        *_args: object,
        file: Path | None,
        status: str,
        format: str,  # noqa: A002 - Django names arguments as options
        verbosity: int,
        **_options: object,
    ) -> None:
        """Write the lines. Raises CommandError."""
        lines = reader_lines(readers(status), format)
        count = _write(file, lines) if file else sum(1 for _ in map(self._print, lines)) - 1
        log.info("readers_exported", readers=count, status=status, format=format, by="command")
        if verbosity and file:
            self.stdout.write(f"{count:,} readers written to {file}.")

    def _print(self, line: str) -> None:
        self.stdout.write(line, ending="")


def _write(path: Path, lines: Iterator[str]) -> int:
    """Write a new file for its owner's eyes only; return how many readers are in it. Raises CommandError."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise CommandError(f"{path} is there already. Name a new file.") from None
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        count = sum(1 for line in lines if file.write(line))
    return count - 1
