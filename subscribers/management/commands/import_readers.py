"""`manage.py import_readers`: readers come in from another service's file."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from hashlib import file_digest
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone
from tqdm import tqdm

from subscribers.importing import jobs, running
from subscribers.importing.outcomes import Outcome
from subscribers.management.base import DatabaseCommand
from subscribers.models import ImportJob

#: Problems that a terminal is spared after; the admin's page has all of them.
MOST_PROBLEMS = 20
#: Seconds between two pictures of the bar where nobody watches it, as in a log.
UNWATCHED_SECONDS = 10.0


class Command(DatabaseCommand):
    """Imports a file, or only looks through it."""

    help = (
        "Import readers from a CSV file of Mailchimp, Buttondown, listmonk, or a plain one with a column "
        "email. Who is here stays as they are; who was suppressed, has left or was erased never comes back. "
        "A run that was interrupted goes on where it stopped when it is started again. Exit codes: 0 all "
        "went well (bad rows are told and skipped), 1 the file cannot be used, 2 wrong arguments."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "file", type=Path, metavar="FILE", help="the CSV file, UTF-8, UTF-16 or Windows-1252"
        )
        parser.add_argument(
            "--format",
            choices=ImportJob.Format.values,
            default="",
            help="what kind of file it is; told from its first line when left out",
        )
        parser.add_argument(
            "--consent-source",
            metavar="SENTENCE",
            default="",
            help="where and when these readers agreed to get mail from this list; required: it is the proof",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would happen, and change nothing"
        )
        parser.add_argument(
            "--resume",
            action="store_true",
            help="go on with the import of this file that stopped, or say that none did",
        )

    def handle(self, *_args: object, **options: Any) -> None:
        """Look through or import, with a bar, and print the account. Raises CommandError."""
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}.", returncode=2)
        try:
            job = self._job(path, options)
            job = self._run(job, quiet=options["verbosity"] == 0)
        except jobs.ImportJobError as error:
            raise CommandError(str(error), returncode=2) from error
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
        self._tell(job)

    def _job(self, path: Path, options: dict[str, Any]) -> ImportJob:
        stopped = _stopped(path)
        if options["dry_run"] and options["resume"]:
            raise CommandError("Choose one of --dry-run and --resume.", returncode=2)
        if stopped and not options["dry_run"]:
            said = " ".join(options["consent_source"].split())
            where = f"row {stopped.done:,} of {stopped.total:,}"
            if said and said != stopped.consent_source:
                raise CommandError(
                    f"An import of this file stopped at {where}, with another consent source "
                    f"(“{stopped.consent_source}”). Go on with --resume, or cancel it in the admin."
                )
            self.stdout.write(f"Going on with the import of this file that stopped at {where}.")
            return stopped
        if options["resume"]:
            raise CommandError(f"No import of {path.name} has stopped half-way; there is nothing to resume.")
        state = ImportJob.State.CHECKING if options["dry_run"] else ImportJob.State.IMPORTING
        return jobs.open_job(
            _chunks(path),
            name=path.name,
            consent_source=options["consent_source"]
            or ("Dry run: nobody comes in." if options["dry_run"] else ""),
            state=state,
            at=timezone.now(),
            format=options["format"],
        )

    def _run(self, job: ImportJob, *, quiet: bool) -> ImportJob:
        """Work the job off; at the first interruption (Ctrl-C) it stays where the last batch left it."""
        every = 0.1 if sys.stderr.isatty() else UNWATCHED_SECONDS
        with tqdm(unit=" rows", disable=quiet, mininterval=every, initial=job.done) as bar:

            def show(now: ImportJob) -> None:
                bar.total = now.total
                bar.update(now.done - bar.n)

            return running.run(job.pk, clock=timezone.now, progress=show)

    def _tell(self, job: ImportJob) -> None:
        if job.state == ImportJob.State.FAILED:
            raise CommandError(job.problem)
        if job.state not in {ImportJob.State.READY, ImportJob.State.DONE}:
            raise CommandError(
                f"Stopped at row {job.done:,}: the import is {job.get_state_display().lower()}."
            )
        self.stdout.write(account(job))
        if job.state == ImportJob.State.READY:
            jobs.cancel(job.pk, at=timezone.now())
            self.stdout.write("This was a dry run: nothing has changed.")


def account(job: ImportJob) -> str:
    """Return what became of the rows, the topics, and the first problems, a line each; no addresses."""
    lines = [f"{job.name}: {job.get_format_display()}, {job.encoding}, {job.total:,} rows"]
    lines += [
        f"{job.counts[name]:>9,}  {Outcome(name).label}" for name in Outcome.values if name in job.counts
    ]
    for tag, (readers, slug) in sorted(job.tags.items(), key=lambda item: -item[1][0]):
        lines.append(
            f"  tag “{tag}” ({readers:,} new readers): " + (f"topic {slug}" if slug else "no topic of ours")
        )
    problems = list(job.problems.all()[: MOST_PROBLEMS + 1])
    lines += [f"  line {problem.line}: {problem.reason}" for problem in problems[:MOST_PROBLEMS]]
    if len(problems) > MOST_PROBLEMS:
        lines.append(f"  ... the admin has all of them: Imports of readers, {job.name}, problems.")
    return "\n".join(lines)


def _stopped(path: Path) -> ImportJob | None:
    """Return the import of the same bytes that did not come to its end, if there is one."""
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    return ImportJob.objects.filter(state=ImportJob.State.IMPORTING, digest=digest).first()


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            yield chunk
