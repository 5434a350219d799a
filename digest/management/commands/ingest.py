"""manage.py ingest: ask the sources for papers, now and by hand."""

import argparse
import sys
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from digest.ingestion import complete, ingest
from digest.management.base import DatabaseCommand, a_day
from digest.models import IngestRun
from digest.sources import SOURCES
from digest.sources.announcements import eastern_date
from digest.sources.base import Window

MOST_DAYS = 3660


def number_of_days(text: str) -> int:
    """Return the number `text`, 1 or more."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_DAYS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days. Use 1 to {MOST_DAYS}.")
    return int(text)


class Command(DatabaseCommand):
    """Fetches papers and prints a receipt for every source, category and day."""

    help = (
        "Ask the sources for their papers and store them. Running it again changes nothing but votes and "
        "new versions. Exit codes: 0 all runs went well, 1 a run failed (the receipt says why), 2 wrong "
        "arguments."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "sources",
            nargs="*",
            metavar="SOURCE",
            help=f"{' or '.join(SOURCES)}; all of them when none is named.",
        )
        parser.add_argument(
            "--day",
            type=a_day,
            metavar="YYYY-MM-DD",
            help="the day to ask for, and the last one with --days. Default: today, by each source's own "
            "calendar (Hugging Face UTC, arXiv US Eastern). arXiv's today comes from its feeds, earlier days "
            "from its API.",
        )
        parser.add_argument(
            "--days",
            type=number_of_days,
            default=1,
            metavar="N",
            help="how many days, ending at --day. Default: 1.",
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002 - Django's signature
        """Ask, show progress, print the receipts."""
        at = timezone.now()
        names = list(dict.fromkeys(options["sources"])) or list(SOURCES)
        unknown = [name for name in names if name not in SOURCES]
        if unknown:
            raise CommandError(
                f"There is no source {unknown[0]!r}. Choose from: {', '.join(SOURCES)}.", returncode=2
            )
        if options["day"] and options["day"] > at.astimezone(UTC).date():
            raise CommandError(f"{options['day']} lies in the future. Give a day up to today.", returncode=2)
        runs = [run for name in names for run in self._ask(name, options["day"], options["days"], at)]
        if {"huggingface", "arxiv"} <= set(names) and (run := self._complete(runs)):
            runs.append(run)
        self.stdout.write(receipt(runs))
        failed = sum(run.state == IngestRun.State.FAILED for run in runs)
        if failed:
            raise CommandError(
                f"{failed} of {len(runs)} runs failed; the receipts above say why.", returncode=1
            )

    def _complete(self, runs: list[IngestRun]) -> IngestRun | None:
        """Ask arXiv for what Hugging Face left out of the papers of these days."""
        days = [run.day for run in runs]
        return complete(Window(min(days), max(days)), at=timezone.now())

    def _ask(self, name: str, day: date | None, days: int, at: datetime) -> list[IngestRun]:
        today = eastern_date(at) if name == "arxiv" else at.astimezone(UTC).date()
        last = min(day or today, today)
        window = Window(last - timedelta(days=days - 1), last)
        with tqdm(total=days, desc=name, unit="day", disable=not sys.stderr.isatty(), leave=False) as bar:
            seen: set[date] = set()

            def show(run: IngestRun) -> None:
                bar.set_postfix_str(f"{run.day} {run.category}")
                if run.day not in seen:
                    seen.add(run.day)
                    bar.update()

            return ingest(name, window, at=at, progress=show)


def receipt(runs: list[IngestRun]) -> str:
    """Return the receipts as a table, one line a run, and the sum."""
    columns = f"{'entries':>7} {'new':>6} {'updated':>7} {'same':>6} {'skipped':>7}"
    head = f"{'source':<12} {'category':<10} {'day':<10} {'state':<8} {columns}"
    lines = [head, "-" * len(head)]
    for run in runs:
        lines.append(
            f"{run.source:<12} {run.category or '-':<10} {run.day!s:<10} {run.state:<8} {run.announced:>7} "
            f"{run.new:>6} {run.updated:>7} {run.unchanged:>6} {run.skipped:>7}"
        )
        if run.reasons:
            lines.append(
                "    skipped: " + ", ".join(f"{why} ({count})" for why, count in run.reasons.items())
            )
        if run.error:
            lines.append(f"    {run.error}")
    sums = [
        sum(getattr(run, name) for run in runs)
        for name in ("announced", "new", "updated", "unchanged", "skipped")
    ]
    lines.append("-" * len(head))
    lines.append(
        f"{f'{len(runs)} runs':<43} {sums[0]:>7} {sums[1]:>6} {sums[2]:>7} {sums[3]:>6} {sums[4]:>7}"
    )
    return "\n".join(lines)
